"""The wearer's own trunk and legs, as a camera between the eyes sees them when it looks down.

Soft tubes with the background's code, and capsules for what must not run into them. Sizes are
ANSUR II's means (men and women together), scaled with the hand as shoulders are.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import OutfitConfig
from synth.hand.collision import mutual_penetration
from synth.rigid import dot
from synth.scene.elbow import MEAN_HAND_M
from synth.scene.revolve import revolve
from synth.things.model import Model, make_model

SIDES: Final = 14
EYES_ABOVE_SEAT_M: Final = 0.78
"""Eye height sitting."""
HIP: Final = np.array([0.085, -0.10, 0.095])
"""Right hip joint: beside and behind the eyes, above the seat (thigh clearance 0.17 m)."""
THIGH_M: Final = 0.43
"""Hip to knee; buttock-knee length 0.60 m less what is behind the hip and before the knee."""
SHIN_M: Final = 0.42
"""Knee to ankle."""
THIGH_RADIUS_M: Final = (0.088, 0.060)
"""At the hip and at the knee: thigh circumference 0.60, knee 0.38 m."""

TORSO_TOP_M: Final = -0.17
"""The neck's root from the eyes; above it there is only what the camera cannot see."""
TORSO: Final = (
    *((0.0, 0.0), (0.02, 0.80), (0.18, 0.95), (0.36, 0.90), (0.52, 1.0), (0.78, 0.98)),
    *((0.92, 0.72), (0.98, 0.40), (1.0, 0.0)),
)
"""(share of the way from seat to neck, half breadth) of the trunk, against TORSO_HALF_M."""
TORSO_HALF_M: Final = (0.155, 0.105)
"""Half breadth and half depth where it is widest: chest breadth 0.29 m, waist 0.31, depth 0.22 and
a little less than that, since arms press against it."""

LEGS: Final = ("right thigh", "left thigh", "right shin", "left shin")
PIECES: Final = ("torso", *LEGS)
CAPSULES: Final = 7
"""Two along the trunk's sides and one in its middle, and one for each bone of the legs."""

CLEAR_M: Final = 0.01
"""Hands and arms keep this far from thighs."""
LOWEST: Final = np.radians(38.0)
"""Knees sink until thighs slope so far down, on a high stool."""


FAR_M: Final = 1e3
"""Where capsules of absent legs are put."""

Spans = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Capsules: start (B, C, 3), end (B, C, 3), radius (B, C)."""


@dataclass(frozen=True)
class Laps:
    """The trunk and legs of B wearers: PIECES each."""

    present: np.ndarray
    """(B, P) bool"""
    T_world_from_model: np.ndarray
    """(B, P, 4, 4) affine; piece p is `lap_models()[p]`."""
    start: np.ndarray
    """(B, CAPSULES, 3) capsules that hold the pieces, world; far away where absent."""
    end: np.ndarray
    """(B, CAPSULES, 3)"""
    radius: np.ndarray
    """(B, CAPSULES) metres; 0 where absent."""


@cache
def lap_models() -> tuple[Model, ...]:
    """One model a piece: z from 0 to 1 along it, across it in units of its half width."""
    torso = [(z, r) for z, r in TORSO]
    low = THIGH_RADIUS_M[1] / THIGH_RADIUS_M[0]
    thigh = [(-0.2, 0.0), (-0.16, 0.6), (0.0, 1.0), (0.35, 0.96), (0.8, low * 1.08)]
    thigh += [(1.0, low), (1.1, low * 0.7), (1.14, 0.0)]
    shin = [(-0.14, 0.0), (-0.1, 0.7), (0.0, 1.0), (0.3, 0.98), (0.8, 0.66), (1.05, 0.6)]
    shin += [(1.1, 0.0)]
    profiles = (torso, thigh, thigh, shin, shin)
    return tuple(
        make_model(name, *revolve(profile, SIDES))
        for name, profile in zip(PIECES, profiles, strict=True)
    )


def seat(
    config: OutfitConfig,
    seed: int,
    frame_ids: np.ndarray,
    hand_length: np.ndarray,
    obstacles: Spans | None = None,
) -> Laps:
    """Trunks of all wearers, and the legs of those who sit.

    frame_ids (B,), hand_length (B,) m, obstacles: capsules (B, C, 3), (B, C, 3), (B, C) of hands
    and forearms, absent ones far away: thighs sink out of their way, or are left out.
    """
    u = uniform(seed, frame_ids, "lap", 22)
    n = np.clip(normal(u[:, 2:]), -2, 2)
    size = hand_length / MEAN_HAND_M
    count = len(size)
    seated = u[:, 0] < config.seated_share
    pose = np.tile(np.eye(4), (count, len(PIECES), 1, 1))
    starts = np.full((count, CAPSULES, 3), FAR_M)
    ends = np.full((count, CAPSULES, 3), FAR_M)
    radii = np.zeros((count, CAPSULES))

    # The trunk leans a little back or forward about its top, and is fuller on some.
    bottom = -(EYES_ABOVE_SEAT_M + 0.02) * size
    lean = np.radians(4.0 + 5.0 * n[:, 0])
    girth = size * (1.0 + 0.08 * n[:, 1])
    top = np.column_stack([np.zeros(count), -0.105 * size, TORSO_TOP_M * size])
    height = top[:, 2] - bottom
    spine = np.column_stack([np.zeros(count), np.sin(lean), np.cos(lean)])
    base = top - height[:, None] * spine
    pose[:, 0, :3, 0] = np.array([1.0, 0, 0]) * (TORSO_HALF_M[0] * girth)[:, None]
    pose[:, 0, :3, 1] = (
        np.column_stack([np.zeros(count), np.cos(lean), -np.sin(lean)])
        * (TORSO_HALF_M[1] * girth)[:, None]
    )
    pose[:, 0, :3, 2], pose[:, 0, :3, 3] = height[:, None] * spine, base
    depth = TORSO_HALF_M[1] * girth
    for k, side in enumerate((-1.0, 0.0, 1.0)):
        aside = side * (TORSO_HALF_M[0] * girth - depth)
        starts[:, k] = base + 0.1 * height[:, None] * spine
        ends[:, k] = base + (0.8 if side else 0.9) * height[:, None] * spine
        starts[:, k, 0] += aside
        ends[:, k, 0] += aside
        radii[:, k] = depth

    legs = np.ones(count, bool)
    for k, side in enumerate((1.0, -1.0)):
        hip = HIP * [side, 1, 1] * size[:, None]
        hip[:, 2] -= EYES_ABOVE_SEAT_M * size
        spread = side * np.radians(9.0 + 7.0 * n[:, 2] + 4.0 * n[:, 3 + k])
        slope = np.radians(2.0 + 6.0 * n[:, 5 + k])
        radius = THIGH_RADIUS_M[0] * girth, 0.95 * THIGH_RADIUS_M[1] * girth
        slope, free = _sink(hip, spread, slope, radius[0], THIGH_M * size, obstacles)
        legs &= free
        thigh, thigh_side = _leg_axes(spread, slope)
        knee = hip + (THIGH_M * size)[:, None] * thigh
        shin, shin_side = _leg_axes(0.6 * spread, slope + np.radians(80.0 + 10.0 * n[:, 7 + k]))
        _lay(pose[:, 1 + k], hip, thigh * (THIGH_M * size)[:, None], thigh_side, radius[0])
        _lay(pose[:, 3 + k], knee, shin * (SHIN_M * size)[:, None], shin_side, radius[1])
        ankle = knee + (SHIN_M * size)[:, None] * shin
        for row, a, b, r in ((3 + k, hip, knee, radius[0]), (5 + k, knee, ankle, radius[1])):
            starts[:, row], ends[:, row], radii[:, row] = a, b, r
    shown = seated & legs
    starts[~shown, 3:], ends[~shown, 3:], radii[~shown, 3:] = FAR_M, FAR_M, 0.0
    present = np.ones((count, len(PIECES)), bool)
    present[:, 1:] = shown[:, None]
    return Laps(present, pose, starts, ends, radii)


def _sink(
    hip: np.ndarray,
    spread: np.ndarray,
    slope: np.ndarray,
    radius: np.ndarray,
    length: np.ndarray,
    obstacles: Spans | None,
) -> tuple[np.ndarray, np.ndarray]:
    """(N,) the least slope from the wanted one downward that is clear, and whether there is one."""
    free = np.ones(len(hip), bool)
    if obstacles is None:
        return slope, free
    slope, free = slope.copy(), ~free
    pending = np.arange(len(hip))
    for share in np.linspace(0.0, 1.0, 5):
        tried = slope[pending] + share * np.maximum(LOWEST - slope[pending], 0.0)
        axis, _ = _leg_axes(spread[pending], tried)
        start = hip[pending]
        knee = start + length[pending, None] * axis
        deep = mutual_penetration(
            start[:, None], knee[:, None], radius[pending, None], *obstacles, pending
        )
        clear = deep < -CLEAR_M + 1e-9
        slope[pending[clear]] = tried[clear]
        free[pending[clear]] = True
        pending = pending[~clear]
    return slope, free


def _leg_axes(spread: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) direction of a bone turned outward by `spread`, and down by `slope`; and its side."""
    across = np.column_stack([np.sin(spread), np.cos(spread), np.zeros(len(spread))])
    down = np.array([0.0, 0.0, -1.0])
    axis = np.cos(slope)[:, None] * across + np.sin(slope)[:, None] * down
    side = np.column_stack([np.cos(spread), -np.sin(spread), np.zeros(len(spread))])
    return axis, side


def _lay(
    pose: np.ndarray, start: np.ndarray, axis: np.ndarray, side: np.ndarray, radius: np.ndarray
) -> None:
    """Write the (N, 4, 4) map of a unit tube from `start` along `axis`."""
    z = axis / np.sqrt(dot(axis, axis))[:, None]
    pose[:, :3, 0] = side * radius[:, None]
    pose[:, :3, 1] = np.cross(z, side) * radius[:, None]
    pose[:, :3, 2], pose[:, :3, 3] = axis, start
