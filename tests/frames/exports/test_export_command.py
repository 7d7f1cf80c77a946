"""handloom export: what it says, what it refuses, and which sensor's depth it writes."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from commands import assert_refused, call

from augment import open_sensed
from augment.export_source import SensedSource
from augment.sensing import choose_sensing

ONE = ("--workers", 1)


@pytest.fixture(scope="module")
def noisy(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """The dataset as a Kinect reads it, its depth made on loading or stored."""
    from augment.degradation import Degradation
    from frames.engines.filling import fill_dataset

    out = {}
    for baked in (False, True):
        out[baked] = tmp_path_factory.mktemp("noisy") / "data"
        sensing = choose_sensing("kinect-v1", 3, baked)
        fill_dataset(out[baked], Degradation(source, sensing), 1)
    return out


def read_picture(out: Path, number: int) -> np.ndarray:
    path = next((out / "images").rglob(f"{number:09d}.png"))
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def read_flags(out: Path) -> list[list[int]]:
    """Visibility of every hand of the split train."""
    told = json.loads((out / "annotations" / "train.json").read_text())
    return [a["keypoints"][2::3] for a in told["annotations"]]


@pytest.mark.parametrize("baked", [False, True])
def test_the_datasets_own_sensor_and_clean_depth(
    baked: bool, noisy: dict[bool, Path], source: Path, tmp_path: Path, capsys: Any
) -> None:
    data = noisy[baked]
    done = call(capsys, "export", data, tmp_path / "own", "--format", "coco", *ONE)
    assert done.code == 0, done.err
    assert "24 frames written as coco" in done.out
    frame = open_sensed(data)[5]
    assert (frame.reading != frame.clean_depth).any()
    np.testing.assert_array_equal(read_picture(tmp_path / "own", 5), frame.reading)
    assert "kinect-v1" in (tmp_path / "own" / "README.md").read_text()

    call(capsys, "export", data, tmp_path / "no", "--format", "coco", "--sensor", "none", *ONE)
    np.testing.assert_array_equal(read_picture(tmp_path / "no", 5), frame.clean_depth)
    # The labels are those of the clean frame again: what the sensor did not read is visible.
    call(capsys, "export", source, tmp_path / "clean", "--format", "coco", *ONE)
    assert read_flags(tmp_path / "no") == read_flags(tmp_path / "clean")


def test_another_sensor(source: Path, tmp_path: Path, capsys: Any) -> None:
    given = ("--sensor", "sr300", "--sensor-seed", 5, "--split", "train", "--json", *ONE)
    done = call(capsys, "export", source, tmp_path / "out", "--format", "coco", *given)
    told = json.loads(done.out)
    assert (told["written"], told["found"]) == (14, 0)
    assert told["bytes"] > 0
    wanted = open_sensed(source, sensor="sr300", seed=5)[2]
    np.testing.assert_array_equal(read_picture(tmp_path / "out", 2), wanted.reading)
    read = json.loads((tmp_path / "out" / "annotations" / "train.json").read_text())
    assert read["info"]["sensor"] == "sr300"
    assert read["images"][0]["sensor"] == "sr300"
    assert SensedSource(source, "sr300", 5).describe()["seed"] == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "format must be one of coco, yolo, webdataset, hdf5, hf, got ''"),
        ("--format tfrecord", "format must be one of coco, yolo"),
        ("--format coco --split dev", "unknown split 'dev'; known: train, my-val"),
        ("--format coco --images depth", "coco does not take --images: it takes --image, --near-m"),
        ("--format hf --image depth8", "hf does not take --image: it takes --images"),
        ("--format hdf5 --images parts", "images must be of depth, clean_depth, parts, invalid"),
        ("--format hdf5 --images depth,colour", "got 'colour'"),
        ("--format coco --near-m 0.3", "near-m and far-m belong to --image depth8 or colour"),
        ("--format yolo --near-m 2", "near-m and far-m must be 0 <= near < far, got 2.0 and 1.4"),
        ("--format coco --workers -1", "workers must be >= 0, got -1"),
        ("--format hf --frames-per-file -4", "frames-per-file must be >= 1, got -4"),
        ("--format coco --sensor tof9000", "sensor must be"),
        ("--format coco --sensor d435-matched", "matches rendered stereo pairs"),
        ("--format coco --sensor-seed 4", "sensor-seed 4 without a sensor"),
        ("--format coco --sensor d435 --sensor-seed -9", "sensor-seed must be >= 0"),
        ("--format coco --image gif", "--image"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    options: str, said: str, source: Path, tmp_path: Path, capsys: Any
) -> None:
    done = call(capsys, "export", source, tmp_path / "out", *ONE, *options.split())
    assert_refused(done, said)
    assert list(tmp_path.iterdir()) == []


def test_no_dataset(tmp_path: Path, capsys: Any) -> None:
    done = call(capsys, "export", tmp_path / "no", tmp_path / "out", "--format", "coco")
    assert_refused(done, "is not a dataset")
    done = call(capsys, "export", tmp_path, tmp_path, "--format", "coco")
    assert_refused(done, "must have a folder of its own")


def test_a_full_disk(source: Path, tmp_path: Path, capsys: Any) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        for form in ("webdataset", "hf"):
            done = call(capsys, "export", source, tmp_path / form, "--format", form, *ONE)
            assert_refused(done, "the disk is full", "run the same command again")
            assert not (tmp_path / form).exists()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    done = call(capsys, "export", source, tmp_path / "hf", "--format", "hf", *ONE)
    assert done.code == 0
