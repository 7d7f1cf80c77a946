"""Shots of walls and hands for the tests of structured light."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augment.profile import Profile, load_profile
from augment.shot import Keys, Shot
from augment.structured_light.model import StructuredLight
from frames.camera import Camera

SCALE = 1e4


def load_model(name: str, **changes: Any) -> StructuredLight:
    profile = load_profile(name)
    assert isinstance(profile, Profile)
    model: StructuredLight = profile.parameters
    return dataclasses.replace(model, **changes)


PURE = {
    "step_m": 0.0,
    "fine_px": 0.0,
    "smooth_share": 0.0,
    "fixed_share": 0.0,
    "dropout_share": 0.0,
    "low_signal": 0.0,
    "high_signal": 1e6,
    "near_m": 0.0,
    "far_m": 20.0,
    "axial_slant": 0.0,
    "lateral_px": 0.0,
    "lateral_slant_px": 0.0,
}
"""White noise and steps, nothing else."""


def native_camera(model: StructuredLight, width: int = 640, height: int = 480) -> Camera:
    """The device's own."""
    f = model.focal_px
    return Camera("pinhole", width, height, f, f, (width - 1) / 2, (height - 1) / 2)


def make_shot(
    camera: Camera, depth_m: NDArray[np.float64], key: int = 1, time_s: float = 0.0, **more: Any
) -> Shot:
    depth = np.round(depth_m * SCALE).astype(np.uint16)
    parts = more.get("parts", np.zeros(depth.shape, np.uint8))
    reflectance = np.full(256, more.get("reflectance", 0.5), np.float32)
    keys = Keys(key, more.get("sequence", 5000 + key), 3)
    return Shot(camera, depth, SCALE, parts, reflectance, None, time_s, keys)


def lean_wall(camera: Camera, z: float, slope: float = 0.02) -> NDArray[np.float64]:
    """A wall, leaning a little so that all phases of a step occur."""
    x = (np.arange(camera.width) - camera.cx) / camera.fx
    return np.tile(z / (1 - slope * x), (camera.height, 1))


def stand_bar(
    camera: Camera, front: float, back: float, first: int, stop: int
) -> NDArray[np.float64]:
    depth = np.full((camera.height, camera.width), back)
    depth[:, first:stop] = front
    return depth


def hold_hand(camera: Camera, z: float, behind: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Depth and mask of a palm with four fingers, bulging by 8 mm, as large as a hand there."""
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    x, y = (u - camera.cx) / camera.fx * z * 1e3, (v - camera.cy) / camera.fy * z * 1e3  # mm
    inside = (x / 42) ** 2 + ((y - 30) / 45) ** 2
    for i in range(4):
        across = np.abs(x - (-33 + 22 * i + 0.1 * y * (i - 1.5)))
        finger = np.maximum(across / 8, np.abs(y + 35) / 45) ** 2
        inside = np.minimum(inside, finger)
    mask = inside < 1
    bulge = 0.008 * np.sqrt(np.clip(1 - inside, 0, 1))
    return np.where(mask, z + 0.008 - bulge, behind), mask
