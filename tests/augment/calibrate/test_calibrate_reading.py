"""Captures read from folders: what belongs together, and one line for whatever cannot be."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from augment.calibrate.reading import read_capture
from augment.calibrate.stillness import find_runs
from frames.errors import BadInput

CAMERA = {"model": "pinhole", "width": 8, "height": 6, "fx": 9.0, "fy": 9.0, "cx": 3.5, "cy": 2.5}


def write(
    path: Path, value: float, dtype: type = np.uint16, shape: tuple[int, ...] = (6, 8)
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full(shape, value).astype(dtype))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "camera.json").write_text(json.dumps({**CAMERA, "depth_scale_per_m": 1000}))
    return tmp_path


def test_clips_are_folders_and_names_that_differ_by_a_number(folder: Path) -> None:
    for i in (1, 2, 10):
        write(folder / f"wall_a_{i}.png", 500 + i)
        write(folder / "far" / f"{i:03d}.depth.tiff", 900 + i)
        write(folder / "far" / f"{i:03d}.mask.png", 255 * (i == 2), np.uint8)
        write(folder / "far" / f"{i:03d}.ir.png", 7)
        write(folder / "far" / f"{i:03d}.rgb.png", 90, np.uint8, (6, 8, 3))
    np.save(folder / "stack.npy", np.full((4, 6, 8), 700, np.uint16))
    capture = read_capture(folder, fps=30.0)
    clips = {c.name: c for c in capture.clips}
    assert set(clips) == {"wall_a", "far", "stack"}
    assert [int(d[0, 0]) for d in clips["wall_a"].depth] == [501, 502, 510]
    assert clips["stack"].depth.shape == (4, 6, 8)
    far = clips["far"]
    assert far.hand is not None and far.hand.any((1, 2)).tolist() == [False, True, False]
    assert far.amplitude is not None and (far.amplitude == 7).all()
    assert far.time_s is not None and far.time_s[1] == pytest.approx(1 / 30)
    assert capture.depth_scale == 1000 and capture.frames == 10


def test_hands_in_a_name_are_no_masks(folder: Path) -> None:
    write(folder / "hands" / "left_hand_1.png", 500)
    (clip,) = read_capture(folder).clips
    assert clip.hand is None and clip.name == "hands/left_hand"


def test_a_folder_of_masks_belongs_to_the_one_of_depth_beside_it(folder: Path) -> None:
    for i in range(3):
        write(folder / "depth" / f"{i}.png", 500)
        write(folder / "masks" / f"{i}.png", 1, np.uint8)
    (clip,) = read_capture(folder).clips
    assert clip.hand is not None and clip.hand.all() and len(clip.depth) == 3


def test_static_bursts_are_found(folder: Path) -> None:
    rng = np.random.default_rng(0)
    shape = (60, 80)
    scene = np.linspace(500, 900, 80)[None].repeat(60, 0)
    moved = scene[:, ::-1]
    frames = [s + rng.normal(0, 1, shape) for s in (scene, scene, scene, moved, moved)]
    np.save(folder / "burst.npy", np.rint(frames).astype(np.uint16))
    (folder / "camera.json").write_text(
        json.dumps({**CAMERA, "width": 80, "height": 60, "depth_scale_per_m": 1000})
    )
    capture = read_capture(folder)
    assert find_runs(capture, capture.clips[0]) == [(0, 3), (3, 5)]


def refuse(said: str, folder: Path, **options: object) -> None:
    with pytest.raises(BadInput) as caught:
        read_capture(folder, **options)  # type: ignore[arg-type]
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_what_cannot_be_read_is_told_in_one_line(folder: Path, tmp_path: Path) -> None:
    refuse("does not exist", folder / "nowhere")
    refuse("is a file", folder / "camera.json")
    refuse("has no depth images", folder)
    write(folder / "a_1.png", 500)
    refuse("depth_scale must be > 0", folder, depth_scale=-1.0)
    refuse("fps must be > 0", folder, fps=float("nan"))
    refuse("unknown camera", folder, camera="nothing.json")
    write(folder / "a_2.png", 50, np.uint8)
    refuse("16 bits and one channel, got 8 bits and 1", folder)
    write(folder / "a_2.png", 500, np.uint16, (6, 9))
    refuse("one clip has one size", folder)
    (folder / "a_2.png").write_bytes(b"no picture")
    refuse("cannot be read as a picture", folder)
    (folder / "a_2.png").unlink()
    write(folder / "b_1.png", 500, np.uint16, (5, 8))
    refuse("all images must be the camera's size", folder)
    (folder / "b_1.png").unlink()
    write(folder / "a_1.mask.png", 1, np.uint8)
    write(folder / "a_2.mask.png", 1, np.uint8)
    refuse("each depth image needs its own", folder)
    (folder / "a_2.mask.png").unlink()
    np.save(folder / "s.npy", np.ones((2, 6, 8)))
    refuse("must hold (H, W) or (N, H, W) uint16, got float64", folder)
    (folder / "s.npy").write_bytes(b"no array")
    refuse("cannot be read as a numpy array", folder)
    (folder / "s.npy").unlink()
    (folder / "camera.json").write_text(json.dumps(CAMERA))
    refuse("the depth scale of", folder)
    (folder / "camera.json").unlink()
    refuse("has no camera.json", folder)
