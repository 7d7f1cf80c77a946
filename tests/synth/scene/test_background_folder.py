"""Folders of backgrounds: what is read, and what is refused with one line."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from frames.errors import BadInput
from synth.scene.background_folder import BLOCK, load_backgrounds

CAMERA: dict[str, Any] = {
    "width": 40, "height": 30, "fx": 35.0, "fy": 35.0, "cx": 19.5, "cy": 14.5,
    "depth_scale_per_m": 1000,
}  # fmt: skip


def image(step: float = 1500.0) -> np.ndarray:
    return np.full((30, 40), step, np.uint16)


def write(folder: Path, picture: Any, name: str = "a.png", camera: Any = CAMERA) -> Path:
    folder.mkdir(exist_ok=True)
    if camera is not None:
        text = camera if isinstance(camera, str) else json.dumps(camera)
        (folder / "camera.json").write_text(text)
    if isinstance(picture, bytes):
        (folder / name).write_bytes(picture)
    elif name.endswith(".npy"):
        np.save(folder / name, picture)
    elif picture is not None:
        assert cv2.imwrite(str(folder / name), picture)
    return folder


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.tiff", "a.npy", "a.depth.png"])
def test_reads_each_kind(tmp_path: Path, name: str) -> None:
    (room,) = load_backgrounds(write(tmp_path, image(), name))
    assert room.name == "a"
    assert np.allclose(room.inverse_per_m, 1 / 1.5)
    assert np.allclose(room.nearest_m, 1.5)


def test_reads_metres_in_floating_point(tmp_path: Path) -> None:
    (room,) = load_backgrounds(write(tmp_path, np.full((30, 40), 1.25, np.float32), "a.npy"))
    assert np.allclose(room.inverse_per_m, 0.8)


def test_depth_images_beside_colour(tmp_path: Path) -> None:
    write(tmp_path, image(), "b.depth.png")
    write(tmp_path, np.zeros((30, 40, 3), np.uint8), "b.png")
    write(tmp_path, image(), "a.depth.png")
    assert [b.name for b in load_backgrounds(tmp_path)] == ["a", "b"]


def test_other_fields_of_the_camera_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, image(), camera={**CAMERA, "serial": "x", "baseline_m": 0.1})
    assert load_backgrounds(tmp_path)[0].camera.width == 40


def test_holes_take_the_farther_neighbour(tmp_path: Path) -> None:
    picture = image()
    picture[:, 20:] = 3000
    picture[5, 18:22] = 0
    picture[:, :3] = 0
    picture[0, 30] = 0
    depth = load_backgrounds(write(tmp_path, picture))[0]
    assert np.allclose(depth.inverse_per_m[5, 18:22], 1 / 3)
    assert (depth.inverse_per_m[:, :3] == 0).all(), "nothing to go by at the border"
    assert depth.half_field[0] == pytest.approx((19.5 - 3) / 35)


def test_nearest_of_squares(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(500, 4000, (30, 40)).astype(np.uint16)
    room = load_backgrounds(write(tmp_path, picture))[0]
    for j, i in np.ndindex(room.nearest_m.shape):
        square = picture[j * BLOCK : (j + 1) * BLOCK, i * BLOCK : (i + 1) * BLOCK]
        assert room.nearest_m[j, i] == pytest.approx(square.min() / 1000)


NOT_FINITE = np.where(np.arange(40) == 3, np.nan, np.ones((30, 40)))

BAD: dict[str, tuple[Any, str, Any, str]] = {
    "no image": (None, "a.png", CAMERA, "holds no depth image"),
    "no camera": (image(), "a.png", None, "camera.json"),
    "camera no JSON": (image(), "a.png", "{", "not valid JSON"),
    "camera a list": (image(), "a.png", "[1]", "one object"),
    "camera without scale": (
        image(), "a.png", {k: v for k, v in CAMERA.items() if k[0] != "d"}, "lacks depth_scale",
    ),
    "camera without fx": (
        image(), "a.png", {k: v for k, v in CAMERA.items() if k != "fx"}, "lacks fx",
    ),
    "scale 0": (image(), "a.png", {**CAMERA, "depth_scale_per_m": 0}, "must be > 0, got 0"),
    "scale true": (image(), "a.png", {**CAMERA, "depth_scale_per_m": True}, "must be > 0"),
    "bad focal length": (image(), "a.png", {**CAMERA, "fx": -1}, "fx"),
    "lens": (image(), "a.png", {**CAMERA, "model": "kannala-brandt"}, "rectify"),
    "distortion": (image(), "a.png", {**CAMERA, "distortion": [0.1, 0, 0, 0]}, "rectify"),
    "wrong size": (image()[:, :30], "a.png", CAMERA, "30 x 30 pixels"),
    "8 bits": (image().astype(np.uint8), "a.png", CAMERA, "16 bits"),
    "colour": (np.ones((30, 40, 3), np.uint16), "a.png", CAMERA, "colour"),
    "all holes": (image(0), "a.png", CAMERA, "all holes"),
    "damaged": (b"\x89PNG nothing", "a.png", CAMERA, "cannot be read"),
    "empty file": (b"", "a.png", CAMERA, "cannot be read"),
    "no array": (b"nothing", "a.npy", CAMERA, "cannot be read"),
    "not finite": (NOT_FINITE, "a.npy", CAMERA, "not finite"),
    "negative": (-np.ones((30, 40)), "a.npy", CAMERA, "negative"),
    "words": (np.full((30, 40), "x"), "a.npy", CAMERA, "values of type"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(BAD))
def test_refuses(tmp_path: Path, case: str) -> None:
    picture, name, camera, expected = BAD[case]
    with pytest.raises(BadInput, match=expected) as told:
        load_backgrounds(write(tmp_path / "rooms", picture, name, camera))
    assert "\n" not in str(told.value)
    assert str(tmp_path) in str(told.value)


def test_refuses_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        load_backgrounds(tmp_path / "nowhere")
