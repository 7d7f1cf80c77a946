"""Backgrounds: a folder of depth images of real rooms, and the camera that took them."""

# mypy: allow-untyped-defs

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numba import njit

from frames.camera import Camera
from frames.camera_file import REQUIRED, build_camera
from frames.errors import BadInput
from frames.store.pictures import read_image
from synth.scene.pieces import JIT

SUFFIXES: Final = (".png", ".tif", ".tiff", ".npy")
CAMERA_FILE: Final = "camera.json"
BLOCK: Final = 8
"""Side of the squares of which the nearest point is known."""


@dataclass(frozen=True)
class Background:
    """A depth image of a room."""

    name: str
    """Its file's name, without what it ends in."""
    camera: Camera
    """A pinhole that took it."""
    inverse_per_m: np.ndarray
    """(H, W) float32: 1 / depth along z, 0 for nothing."""
    nearest_m: np.ndarray
    """(H / BLOCK, W / BLOCK), rounded up, float32: nearest depth in squares of BLOCK pixels, inf
    where there is nothing."""
    half_field: np.ndarray
    """(2,) how far it sees to either side, across and down, as tangents: at least 0.05."""


def list_images(folder: Path) -> list[Path]:
    """The depth images of a folder, in the order of their names."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    return [p for p in paths if p.stem.endswith(".depth")] or paths


def name_image(path: Path) -> str:
    """The name that frames before this image carry."""
    return path.stem.removesuffix(".depth")


def load_backgrounds(folder: Path) -> tuple[Background, ...]:
    """Every depth image of a folder, by name: those called `*.depth.*`, or all if none is.

    PNG, TIFF and NPY; whole numbers of at least 16 bits are steps of `depth_scale_per_m` a metre,
    floating-point numbers are metres; 0 is a hole. `camera.json` holds width, height, fx, fy, cx,
    cy and depth_scale_per_m. Raises BadInput, in one line, for whatever is missing or cannot be.
    """
    if not folder.is_dir():
        raise BadInput(
            f"backgrounds folder {folder} does not exist: give a folder of depth images with their"
            f" {CAMERA_FILE}"
        )
    paths = list_images(folder)
    if not paths:
        raise BadInput(
            f"backgrounds folder {folder} holds no depth image: expected files ending in"
            f" {', '.join(SUFFIXES)}"
        )
    camera, scale = _read_camera(folder / CAMERA_FILE)
    return tuple(_load(path, camera, scale) for path in paths)


def make_background(name: str, camera: Camera, depth_m: np.ndarray) -> Background:
    """A background of a depth image (H, W), metres, 0 for holes: those within it are filled."""
    filled = np.ascontiguousarray(depth_m, np.float32).copy()
    _fill_holes(filled)
    height, width = (-(-n // BLOCK) for n in filled.shape)
    padded = np.full((height * BLOCK, width * BLOCK), np.inf, np.float32)
    padded[: filled.shape[0], : filled.shape[1]] = np.where(filled > 0, filled, np.inf)
    nearest = padded.reshape(height, BLOCK, width, BLOCK).min((1, 3))
    with np.errstate(divide="ignore"):
        inverse = np.where(filled > 0, 1 / filled, np.float32(0))
    return Background(name, camera, inverse, nearest, _half_field(camera, filled > 0))


def _half_field(camera: Camera, seen: np.ndarray) -> np.ndarray:
    """(2,) tangents to the nearer end of the columns, and rows, that are mostly seen (H, W)."""
    out = []
    for axis, focal, middle in ((0, camera.fx, camera.cx), (1, camera.fy, camera.cy)):
        full = np.flatnonzero(seen.mean(axis) >= 0.5)
        ends = (full[0], full[-1]) if len(full) else (middle, middle)
        out.append(max(min(middle - ends[0], ends[1] - middle) / focal, 0.05))
    return np.array(out)


def _read_camera(path: Path) -> tuple[Camera, float]:
    if not path.is_file():
        raise BadInput(
            f"backgrounds need {path}: a JSON file with width, height, fx, fy, cx, cy and"
            " depth_scale_per_m of their camera"
        )
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"backgrounds' camera {path} is not valid JSON: {reason}") from None
    if not isinstance(values, dict):
        raise BadInput(f"backgrounds' camera {path} must hold one object of fields")
    model = values.setdefault("model", "pinhole")
    missing = [key for key in (*REQUIRED, "depth_scale_per_m") if key not in values]
    if missing:
        raise BadInput(f"backgrounds' camera {path} lacks {', '.join(missing)}")
    if model != "pinhole" or values.get("distortion"):
        raise BadInput(
            f"backgrounds' camera {path} must be a pinhole without distortion, got {model!r}:"
            " rectify the images"
        )
    scale = values["depth_scale_per_m"]
    number = isinstance(scale, int | float) and not isinstance(scale, bool)
    if not (number and 0 < scale <= sys.float_info.max):  # an integer may be larger
        raise BadInput(f"depth_scale_per_m must be > 0, got {scale!r} (in {path})")
    return build_camera({key: values[key] for key in REQUIRED}, f" (in {path})"), float(scale)


def _load(path: Path, camera: Camera, scale: float) -> Background:
    image = _read_image(path)
    if image.ndim != 2:
        raise BadInput(
            f"background {path} must be a depth image with one channel, got an array of shape"
            f" {image.shape}: is it a colour image?"
        )
    if image.shape != (camera.height, camera.width):
        raise BadInput(
            f"background {path} is {image.shape[1]} x {image.shape[0]} pixels, but {CAMERA_FILE}"
            f" says {camera.width} x {camera.height}"
        )
    if image.dtype.kind not in "uif" or image.itemsize < 2:
        raise BadInput(
            f"background {path} has values of type {image.dtype}, expected depths in 16 bits or"
            " metres in floating point"
        )
    depth = image.astype(np.float64)
    if not np.isfinite(depth).all():
        raise BadInput(
            f"background {path} has depths that are not finite numbers: write 0 for holes"
        )
    if (depth < 0).any():
        raise BadInput(f"background {path} has negative depths: write 0 for holes")
    if not (depth > 0).any():
        raise BadInput(f"background {path} is all holes: it has no depth above 0")
    if image.dtype.kind != "f":
        depth /= scale
    return make_background(name_image(path), camera, depth)


def _read_image(path: Path) -> np.ndarray:
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        return read_image(path)
    except BadInput as error:
        raise BadInput(f"background {error}") from None
    except Exception as error:  # a broken header makes numpy's reader raise almost anything
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(f"background {path} cannot be read: {reason}") from None


@njit(**JIT)
def _fill_holes(depth):
    """Fill holes (0) between two readings of a row, else of a column, with the farther of both.

    A hole beside an edge hides the background. What ends at the image's border stays empty.
    """
    height, width = depth.shape
    for y in range(height):
        last = -1
        for x in range(width):
            if depth[y, x] > 0:
                if last >= 0:
                    farther = max(depth[y, last], depth[y, x])
                    for k in range(last + 1, x):
                        depth[y, k] = farther
                last = x
    for x in range(width):
        last = -1
        for y in range(height):
            if depth[y, x] > 0:
                if last >= 0:
                    farther = max(depth[last, x], depth[y, x])
                    for k in range(last + 1, y):
                        depth[k, x] = farther
                last = y
