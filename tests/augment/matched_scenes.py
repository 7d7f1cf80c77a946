"""Simple scenes for stereo by matching, cast ray by ray: planes and upright rectangles."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from augment.matched_stereo.pair import Eye, Pair, Window, native_camera
from augment.matched_stereo.sensing import MatchedStereo
from augment.profile import Profile, load_profile
from augment.shot import Keys, Shot
from frames.camera import Camera

SMALL = Camera("pinhole", 160, 120, 212.0, 212.0, 79.5, 59.5)
"""Half the device's focal length."""
NATIVE = Camera("pinhole", 240, 180, 424.0, 424.0, 119.5, 89.5)
"""The device's focal length: a dataset's pixel is the device's."""


@dataclass(frozen=True)
class Plane:
    """Points p with n . p = d, in the left eye's frame; cut to x and y (m) where bounds are."""

    normal: tuple[float, float, float]
    d: float
    code: int = 0
    x_m: tuple[float, float] = (-np.inf, np.inf)
    y_m: tuple[float, float] = (-np.inf, np.inf)


def facing(z: float, code: int = 0, **bounds: tuple[float, float]) -> Plane:
    """A plane square to the axis."""
    return Plane((0.0, 0.0, 1.0), z, code, **bounds)


def tilted(z: float, right: float, down: float) -> Plane:
    """A plane through (0, 0, z) that is farther by these slopes to the right and downwards."""
    return Plane((-right, -down, 1.0), z)


def load_model(**changes: float) -> MatchedStereo:
    """The D435's, with some parameters changed."""
    profile = load_profile("d435-matched")
    assert isinstance(profile, Profile)
    model = profile.parameters
    assert isinstance(model, MatchedStereo)
    return replace(model, **changes)


def cast(
    camera: Camera, planes: list[Plane], box: tuple[int, int, int, int], eye_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Depth (h, w) float64 m and codes of a box (left, top, right, bottom); 0 left of column 0."""
    v, u = np.mgrid[box[1] : box[3], box[0] : box[2]].astype(float)
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    depth, codes = np.full(u.shape, np.inf), np.zeros(u.shape, np.uint8)
    for plane in planes:
        a, b, c = plane.normal
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (plane.d - a * eye_m) / (a * x + b * y + c)
            left, top = eye_m + z * x, z * y
        hit = (z > 0) & (z < depth) & (left >= plane.x_m[0]) & (left < plane.x_m[1])
        hit &= (top >= plane.y_m[0]) & (top < plane.y_m[1])
        depth[hit], codes[hit] = z[hit], plane.code
    gone = ~np.isfinite(depth) | (u < 0)
    depth[gone], codes[gone] = 0.0, 0
    return depth, codes


def make_pair(
    model: MatchedStereo,
    camera: Camera,
    planes: list[Plane],
    boxes: list[tuple[int, int, int, int]] | None = None,
) -> Pair:
    """What both eyes see of the planes in boxes of the left image, or in all of it."""
    native = native_camera(camera, model.focal_px)
    windows = []
    for x0, y0, x1, y1 in boxes or [(0, 0, native.width, native.height)]:
        depth, codes = cast(native, planes, (x0, y0, x1, y1), 0.0)
        near = depth[depth > 0].min() if (depth > 0).any() else 1.0
        wanted = min(
            native.fx * model.baseline_m / near + 6, native.fx * model.baseline_m / model.near_m
        )
        reach = int(np.ceil(wanted / 16)) * 16
        other = cast(native, planes, (x0 - reach, y0, x1, y1), model.baseline_m)
        eyes = (Eye(x0, depth.astype(np.float32), codes),)
        eyes += (Eye(x0 - reach, other[0].astype(np.float32), other[1]),)
        windows.append(Window(y0, reach, *eyes))
    return Pair(native, model.baseline_m, tuple(windows))


def make_shot(
    model: MatchedStereo,
    camera: Camera,
    planes: list[Plane],
    key: int = 1,
    reflectance: float = 0.5,
    **extra: Any,
) -> Shot:
    """A shot of planes with its pair."""
    depth, codes = cast(camera, planes, (0, 0, camera.width, camera.height), 0.0)
    return Shot(
        camera=camera,
        depth=np.minimum(depth * 1e4 + 0.5, 65535).astype(np.uint16),
        depth_scale=1e4,
        parts=codes,
        reflectance=np.full(256, reflectance, np.float32),
        twist=None,
        time_s=0.0,
        keys=Keys(key, key + 1000, 7),
        pair=make_pair(model, camera, planes, **extra),
    )
