"""Hugging Face exports, loaded by `datasets` and `mlcroissant` and compared with the dataset."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absent_values import find_absent

from augment.export_source import SensedSource
from frames.exports.exporting import export_dataset
from frames.exports.hub import Hub
from frames.record import Frame
from frames.store.schema import HAND_COLUMNS, OBJECT_COLUMNS

hub = pytest.importorskip("datasets")


@pytest.fixture(scope="module")
def exported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hub") / "out"
    export_dataset(SensedSource(source), out, Hub(frames_per_file=5))
    return out


@pytest.fixture(scope="module")
def loaded(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    hub.disable_progress_bars()
    return hub.load_dataset(str(exported), cache_dir=str(tmp_path_factory.mktemp("cache")))


def test_splits(loaded: Any, exported: Path) -> None:
    assert {k: len(v) for k, v in loaded.items()} == {"train": 14, "my_val": 8, "unsplit": 2}
    assert (exported / "data" / "train-00002-of-00003.parquet").is_file()


def test_rows_are_the_frames(loaded: Any, shown: list[Frame]) -> None:
    rows = [row for split in ("train", "my_val", "unsplit") for row in loaded[split]]
    for row, frame in zip(rows, shown, strict=True):
        assert row["frame_id"] == frame.frame_id
        assert row["depth"].mode == "I;16"
        np.testing.assert_array_equal(np.asarray(row["depth"]), frame.reading)
        np.testing.assert_array_equal(np.asarray(row["parts"]), frame.parts)
        assert row["camera"]["fx"] == frame.camera.fx
        assert (row["situation"], row["sensor"]) == (frame.situation, frame.sensor)
        for name, columns in (("hands", HAND_COLUMNS), ("objects", OBJECT_COLUMNS)):
            things = getattr(frame, name)
            assert len(row[name]) == len(things)
            for one, thing in zip(row[name], things, strict=True):
                for column in columns:
                    value = getattr(thing, column.name)
                    if isinstance(value, np.ndarray):
                        read = np.array(find_absent(one[column.name]), value.dtype)
                        np.testing.assert_array_equal(read, value)
                    elif isinstance(value, float | np.floating):
                        read = np.float32(find_absent(one[column.name]))
                        np.testing.assert_array_equal(read, np.float32(value))
                    else:
                        assert one[column.name] == value


def test_croissant_is_valid_and_gives_the_same_records(exported: Path, shown: list[Frame]) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    described = mlcroissant.Dataset(jsonld=str(exported / "croissant.json"))
    issues = described.metadata.ctx.issues
    assert not issues.errors
    # No output of ours bears a date: the same dataset gives the same bytes.
    assert all("datePublished" in text for text in issues.warnings), issues.warnings
    found = {r["frames/frame_id"]: r for r in described.records("frames")}
    assert sorted(found) == list(range(24))
    for number, record in found.items():
        frame = shown[number]
        np.testing.assert_array_equal(np.asarray(record["frames/depth"]), frame.reading)
        assert record["frames/camera"]["frames/camera/fx"] == frame.camera.fx
        assert record["frames/situation"] == frame.situation.encode()


def test_croissant_has_every_file_with_its_digest(exported: Path) -> None:
    told = json.loads((exported / "croissant.json").read_text())
    listed = {f["@id"]: f["sha256"] for f in told["distribution"] if "sha256" in f}
    files = {
        str(p.relative_to(exported)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in (exported / "data").iterdir()
    }
    assert listed == files
