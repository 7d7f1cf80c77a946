"""WebDataset exports, read by its own library and compared with the dataset."""

import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import floats

from augment.export_source import SensedSource
from frames.exports.exporting import export_dataset
from frames.exports.plain import list_floats, plain_frame
from frames.exports.tars import Tars
from frames.record import Frame
from frames.store.schema import HAND_COLUMNS

wds = pytest.importorskip("webdataset")


@pytest.fixture(scope="module")
def exported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tars") / "out"
    form = Tars(frames_per_file=4, planes=("depth", "clean_depth", "parts", "invalid"))
    export_dataset(SensedSource(source), out, form)
    return out


def decode_png(key: str, data: bytes) -> Any:
    if not key.endswith(".png"):
        return None
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_samples_are_the_frames(exported: Path, shown: list[Frame]) -> None:
    data = wds.WebDataset(f"{exported}/train-{{000000..000003}}.tar", shardshuffle=False)
    samples = list(data.decode(decode_png))
    assert [s["__key__"] for s in samples] == [f"{i:09d}" for i in range(14)]
    for sample, frame in zip(samples, shown, strict=False):
        assert sample["depth.png"].dtype == np.uint16
        np.testing.assert_array_equal(sample["depth.png"], frame.reading)
        np.testing.assert_array_equal(sample["clean_depth.png"], frame.clean_depth)
        np.testing.assert_array_equal(sample["parts.png"], frame.parts)
        assert "invalid.png" not in sample  # no sensor
        told = sample["json"]
        assert told["depth_scale"] == frame.depth_scale
        assert told["camera"] == frame.camera.to_dict()
        assert (told["split"], told["time_s"]) == (frame.split, frame.time_s)
        assert len(told["hands"]) == len(frame.hands)
        for one, hand in zip(told["hands"], frame.hands, strict=True):
            for column in HAND_COLUMNS:
                value = getattr(hand, column.name)
                if value is None:
                    assert column.name not in one
                elif isinstance(value, np.ndarray):
                    read = np.array(one[column.name], float).astype(value.dtype)
                    np.testing.assert_array_equal(read, value)
                elif isinstance(value, float | np.floating):
                    read = np.float32(np.nan if one[column.name] is None else one[column.name])
                    np.testing.assert_array_equal(read, np.float32(value))
                else:
                    assert one[column.name] == value


def test_headers_tell_nothing_of_who_wrote_them(exported: Path) -> None:
    for path in exported.glob("*.tar"):
        with tarfile.open(path) as tar:
            for entry in tar:
                assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) == (
                    *(0, 0, 0), *("", ""),
                )  # fmt: skip
                assert entry.mode == 0o644


def test_plain_values_have_no_numbers_that_json_lacks(shown: list[Frame]) -> None:
    hand = replace(shown[0].hands[0], box_px=np.full(4, np.nan, "f4"), visible_fraction=np.nan)
    told = plain_frame(replace(shown[0], hands=(hand,)))["hands"][0]
    assert told["box_px"] == [None] * 4
    assert told["visible_fraction"] is None
    json.dumps(told, allow_nan=False)


@settings(deadline=None)
@given(arrays(np.float32, 5, elements=floats(width=32, allow_nan=False, allow_infinity=False)))
def test_decimals_give_every_float32_back(values: np.ndarray) -> None:
    read = np.array(json.loads(json.dumps(list_floats(values)))).astype(np.float32)
    assert read.tobytes() == values.tobytes()
