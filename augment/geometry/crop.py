"""Crops around a hand: a virtual pinhole camera that turns to it and zooms in (docs/geometry.md).

For every camera model, with or without distortion: only rays are asked for. The hand comes to lie
in the middle of an undistorted image, seen as if the camera had looked at it.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from augment.geometry.sample import Sample
from augment.geometry.virtual_camera import Array, Geometry, turn_camera
from frames.camera import Camera
from frames.errors import BadInput
from frames.parts import HAND_PARTS, VISIBILITY_OUTSIDE

AROUND: Final = ("auto", "keypoints", "box", "mask")
"""What of a hand a crop encloses; "auto": the first of the others that the hand has."""

WIDEST: Final = 4.0
"""Greatest half width of a crop over its distance (76 degrees)."""

_RIM = np.linspace(0.0, 2 * np.pi, 16, endpoint=False)


@dataclass(frozen=True)
class Target:
    """What a crop is to enclose."""

    rays: Array
    """(M, 3) directions in the camera's axes, z > 0."""

    middle_m: Array
    """(3,) the hand's middle in the camera's axes, metres; NaN where no depth is known."""


def find_target(sample: Sample, hand: int, around: str = "auto") -> Target:
    """What a crop around one hand encloses.

    keypoints: those in the image, by their 3D places or else their pixels. box: the ellipse in
    `box_px` (else `box_amodal_px`), for real frames of a detector. mask: the hand's pixels in the
    part image, forearm excluded. Raises BadInput for a hand that is not there or not in view.
    """
    if not 0 <= hand < len(sample.hands):
        raise BadInput(f"there is no hand {hand}: the frame has {len(sample.hands)}")
    if around not in AROUND:
        raise BadInput(f"around must be {', '.join(AROUND)}, got {around!r}")
    finders = {"keypoints": _find_keypoints, "box": _find_box, "mask": _find_mask}
    for find in finders.values() if around == "auto" else (finders[around],):
        rays, middle = find(sample, hand)
        if len(rays):
            if np.isnan(middle).any():
                middle = _guess_middle(sample, hand, rays)
            return Target(rays, middle)
    what = "keypoint, box or pixel" if around == "auto" else f"{around} "
    raise BadInput(f"hand {hand} has no {what.strip()} in view: nothing to crop around")


def crop_camera(
    camera: Camera,
    target: Target,
    size: tuple[int, int],
    margin: float = 1.25,
    roll_rad: float = 0.0,
    side_m: float = 0.0,
    least_px: float = 8.0,
) -> Geometry:
    """A pinhole camera of size (width, height) that has the target in its middle.

    margin: how much wider than the target. roll_rad: the picture turns by it, clockwise, before the
    target is measured, so that it is in the middle and within the margin under every roll. side_m:
    if > 0, the shorter side shows this many metres at the target's depth, whatever its size.
    least_px: the shorter side spans at least as many source pixels: what has none is not enlarged
    without end. Raises BadInput for a size or margin that is none, a target without size (with
    least_px 0) or depth (with side_m), and one too wide for a pinhole.
    """
    width, height = size
    for name, value in (("width", width), ("height", height)):
        if not value >= 1:
            raise BadInput(f"a crop's {name} must be >= 1 px, got {value}")
    if not (math.isfinite(margin) and margin > 0):
        raise BadInput(f"a crop's margin must be > 0, got {margin}")
    turn = np.empty((3, 3))
    half_x, half_y = _centre(np.ascontiguousarray(target.rays, np.float64), float(roll_rad), turn)
    shorter = min(width, height)
    if side_m > 0:
        axis = turn[2]
        depth = float(sum(axis[i] * target.middle_m[i] for i in range(3)))
        if not depth > 0:
            raise BadInput("a crop by metres needs a hand with 3D keypoints or depth, got none")
        half = side_m / 2 / depth
    else:
        half = margin * max(half_x * shorter / width, half_y * shorter / height)
    half = max(half, least_px / 2 / min(camera.fx, camera.fy))
    if not 0 < half * max(width, height) / shorter <= WIDEST:
        state = "no size" if not half > 0 else f"a half width of {half:.3g} times its distance"
        raise BadInput(f"the crop has {state}: it must be > 0 and <= {WIDEST:g}")
    focal = shorter / 2 / half
    to = Camera("pinhole", width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
    return turn_camera(camera, turn, to)


def target_box(camera: Camera, box: ArrayLike) -> Target:
    """A box x0, y0, x1, y1 (pixels) as a target: the ellipse that fills it, so that a roll does not
    widen it. Raises BadInput for a box that is none.
    """
    x0, y0, x1, y1 = (float(v) for v in np.asarray(box, np.float64))
    if not (x1 > x0 and y1 > y0 and math.isfinite(x0 + x1 + y0 + y1)):
        raise BadInput(f"a box must be x0 < x1, y0 < y1 in pixels, got {[x0, y0, x1, y1]}")
    middle, half = np.array([x0 + x1, y0 + y1]) / 2, np.array([x1 - x0, y1 - y0]) / 2
    rim = middle + half * np.stack([np.cos(_RIM), np.sin(_RIM)], -1)
    rays = camera.unproject(rim)
    rays = rays[np.isfinite(rays).all(1)]
    if not len(rays):
        raise BadInput(f"the box {[x0, y0, x1, y1]} lies outside the camera's field of view")
    return Target(rays, np.full(3, np.nan))


def _find_keypoints(sample: Sample, hand: int) -> tuple[Array, Array]:
    hands = sample.hands
    seen = hands.visibility[hand] != VISIBILITY_OUTSIDE
    cam = hands.keypoints_cam_m[hand].astype(np.float64)
    known = seen & np.isfinite(cam).all(1) & (cam[:, 2] > 0)
    if known.any():
        there = cam[known]
        return there, np.asarray(np.add.reduce(there) / len(there))
    rays = np.empty((0, 3))
    flat = seen & np.isfinite(hands.keypoints_px[hand]).all(1)
    if flat.any():
        rays = sample.camera.unproject(hands.keypoints_px[hand][flat])
    return rays[np.isfinite(rays).all(1)], np.full(3, np.nan)


def _find_box(sample: Sample, hand: int) -> tuple[Array, Array]:
    for boxes in (sample.hands.box_px, sample.hands.box_amodal_px):
        if np.isfinite(boxes[hand]).all():
            target = target_box(sample.camera, boxes[hand])
            return target.rays, target.middle_m
    return np.empty((0, 3)), np.full(3, np.nan)


def _find_mask(sample: Sample, hand: int) -> tuple[Array, Array]:
    parts = sample.images.parts
    rays = np.empty((0, 3))
    if parts is not None:
        base = int(sample.hands.part_base[hand])
        v, u = np.nonzero((parts > base) & (parts <= base + HAND_PARTS))
        xy = sample.camera.ray_table()[v, u]
        rays = np.concatenate([xy, np.ones((len(xy), 1))], 1)
    return rays[np.isfinite(rays).all(1)], np.full(3, np.nan)


def _guess_middle(sample: Sample, hand: int, rays: Array) -> Array:
    """The middle ray at the median depth of what the hand shows: labels, its pixels, its middle."""
    ray = np.add.reduce(rays / rays[:, 2:]) / len(rays)
    surface = sample.hands.surface_depth_m[hand]
    seen = surface[np.isfinite(surface)]
    if len(seen) >= 3:
        return np.asarray(ray * float(np.median(seen)))
    depth, parts = sample.images.depth, sample.images.parts
    if depth is None:
        return np.full(3, np.nan)
    base = int(sample.hands.part_base[hand])
    if parts is not None and ((parts > base) & (parts <= base + HAND_PARTS)).any():
        read = depth[(parts > base) & (parts <= base + HAND_PARTS)]
    else:
        px = sample.camera.project(rays)
        px = px[np.isfinite(px).all(1)]
        low, high = px.min(0), px.max(0)
        inner = np.stack([0.75 * low + 0.25 * high, 0.25 * low + 0.75 * high])
        (u0, v0), (u1, v1) = np.maximum(np.floor(inner + 0.5), 0).astype(int).tolist()
        read = depth[v0 : v1 + 1, u0 : u1 + 1]
    read = read[read > 0]
    if not len(read):
        return np.full(3, np.nan)
    return np.asarray(ray * (float(np.median(read)) / sample.depth_scale))


@njit(cache=True, nogil=True, error_model="numpy")
def _centre(rays, roll, turn):  # type: ignore[no-untyped-def]
    """Turn to the middle of rays (M, 3), rolled; writes (3, 3), returns half extents x/z and y/z.

    The middle of the bounds moves a little as the camera turns, hence a few rounds.
    """
    ax = ay = az = 0.0
    for m in range(rays.shape[0]):
        x, y, z = rays[m, 0], rays[m, 1], rays[m, 2]
        n = math.sqrt(x * x + y * y + z * z)
        ax, ay, az = ax + x / n, ay + y / n, az + z / n
    c, s = math.cos(roll), math.sin(roll)
    half_x = half_y = math.inf
    for _ in range(8):
        n = math.sqrt(ax * ax + ay * ay + az * az)
        x, y, z = ax / n, ay / n, az / n
        f = 1 / (1 + z)
        # The shortest turn to (x, y, z), then the roll about it.
        r00, r01, r02 = 1 - x * x * f, -x * y * f, -x
        r10, r11, r12 = -x * y * f, 1 - y * y * f, -y
        turn[0, 0], turn[0, 1], turn[0, 2] = c * r00 - s * r10, c * r01 - s * r11, c * r02 - s * r12
        turn[1, 0], turn[1, 1], turn[1, 2] = s * r00 + c * r10, s * r01 + c * r11, s * r02 + c * r12
        turn[2, 0], turn[2, 1], turn[2, 2] = x, y, z
        west = north = math.inf
        east = south = -math.inf
        for m in range(rays.shape[0]):
            p, q, r = rays[m, 0], rays[m, 1], rays[m, 2]
            along = turn[2, 0] * p + turn[2, 1] * q + turn[2, 2] * r
            if not along > 0:
                return math.inf, math.inf
            u = (turn[0, 0] * p + turn[0, 1] * q + turn[0, 2] * r) / along
            v = (turn[1, 0] * p + turn[1, 1] * q + turn[1, 2] * r) / along
            west, east = min(west, u), max(east, u)
            north, south = min(north, v), max(south, v)
        half_x, half_y = (east - west) / 2, (south - north) / 2
        u, v = (west + east) / 2, (north + south) / 2
        if abs(u) + abs(v) < 1e-9:
            break
        ax = turn[0, 0] * u + turn[1, 0] * v + turn[2, 0]
        ay = turn[0, 1] * u + turn[1, 1] * v + turn[2, 1]
        az = turn[0, 2] * u + turn[1, 2] * v + turn[2, 2]
    return half_x, half_y
