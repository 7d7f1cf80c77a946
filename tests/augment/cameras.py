"""Cameras and geometries for the tests of training geometry."""

import numpy as np
from hypothesis import strategies as st

from augment.geometry.steps import (
    aim_camera,
    flip_camera,
    offset_depth,
    resize_camera,
    roll_camera,
    scale_depth,
    shift_camera,
    zoom_camera,
)
from augment.geometry.virtual_camera import Geometry, keep_camera
from frames.camera import CAMERAS, Camera

PINHOLE = Camera("pinhole", 64, 48, 40.0, 42.0, 30.0, 25.0)
BROWN = Camera(
    "brown-conrady", 64, 48, 50.0, 50.0, 31.0, 24.0, (-0.1, 0.02, 0.001, -0.002), max_theta_rad=0.9
)
FISHEYE = Camera("kannala-brandt", 64, 64, 30.0, 30.0, 31.5, 31.5, (0.01, 0.0, 0.0, 0.0), 1.2)
LENSES = {"pinhole": PINHOLE, "brown-conrady": BROWN, "kannala-brandt": FISHEYE}
PRESETS = {name: CAMERAS[name] for name in ("ego", "azure-nfov", "ahat")}

shares = st.floats(-1.0, 1.0, allow_nan=False, width=32)


def change(camera: Camera, kind: str, x: float, y: float) -> Geometry:
    """One elementary geometry of a camera, its numbers from x and y in -1 .. 1."""
    if kind == "keep":
        return keep_camera(camera)
    if kind == "roll":
        return roll_camera(camera, 4 * x)
    if kind == "aim":
        w, h = camera.width, camera.height
        return aim_camera(camera, (w / 2 + 0.2 * w * x, h / 2 + 0.2 * h * y))
    if kind == "zoom":
        return zoom_camera(camera, 2.0**x)
    if kind == "shift":
        return shift_camera(camera, 10 * x, 10 * y)
    if kind == "resize":
        return resize_camera(camera, round(50 + 30 * x), round(50 + 30 * y))
    if kind == "flip":
        return flip_camera(camera)
    if kind == "factor":
        return scale_depth(camera, 2.0**x)
    assert kind == "offset"
    return offset_depth(camera, 0.1 * x, 0.4 + 0.1 * y)


RIGID = ("keep", "roll", "aim", "zoom", "shift", "resize", "flip", "factor")
LEVEL = ("keep", "roll", "zoom", "shift", "resize", "flip", "factor", "offset")
"""What may follow a depth offset."""

steps = st.tuples(st.sampled_from(RIGID), shares, shares)
level_steps = st.tuples(st.sampled_from(LEVEL), shares, shares)


def draw_points(seed: int, count: int = 40) -> np.ndarray:
    """(count, 3) points before a camera, metres."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.2, 1.5, count)
    xy = rng.uniform(-0.4, 0.4, (count, 2))
    return np.concatenate([xy * z[:, None], z[:, None]], 1)
