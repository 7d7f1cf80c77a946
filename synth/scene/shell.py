"""Walls, floor and ceiling: rooms of six planes that give way to what is in the foreground."""

# mypy: allow-untyped-defs

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from synth.raster.keys import JIT
from synth.scene.desk import COUNTER, NONE, Desks
from synth.scene.foreground import Foreground, reach_along

DRAWS: Final = 16
CLEARANCE_M: Final = 0.01
HEAD_M: Final = 0.15
"""Walls keep so far from the camera."""
BEYOND_M: Final = 60.0
"""A wall there is beyond every sensor's range."""
OPEN_SHARE: Final = 0.08
"""So many walls of a room are missing: halls, doors, stairs."""


class Shells(NamedTuple):
    """Rooms of B frames."""

    present: np.ndarray
    """(B,) bool"""
    planes: np.ndarray
    """(B, 6, 4) outward normal and distance from the origin of the wall to the right, left, ahead,
    behind, the ceiling and the floor."""
    yaw: np.ndarray
    """(B,) rad by which the room is turned about z."""


def build_shells(
    outdoors: tuple[float, float],
    wall_m: tuple[float, float],
    foreground: Foreground,
    desks: Desks,
    u: np.ndarray,
) -> Shells:
    """Rooms around the foreground and the tables.

    outdoors: the shares of frames with nothing at all, and with the ground only; wall_m: nearest
    and farthest wall ahead; u (B, DRAWS) uniforms.
    """
    count = len(u)
    shells = Shells(np.zeros(count, np.bool_), np.zeros((count, 6, 4)), np.zeros(count))
    _build(*outdoors, *wall_m, foreground, desks, u, shells)
    return shells


@njit(**JIT)
def _build(empty, ground, near, far, foreground, desks, u, shells):
    for b in range(u.shape[0]):
        v = u[b]
        kind, rectangle = desks.kind[b], desks.rectangle[b]
        shells.present[b] = v[0] >= empty
        only_ground = v[0] < empty + ground
        yaw = math.radians(90.0) * (v[1] - 0.5)
        # Tables tend to stand along walls, counters always do.
        if kind == COUNTER or (kind != NONE and v[2] < 0.6):
            yaw = desks.yaw[b]
        shells.yaw[b] = yaw
        below = (1.05 if v[3] < 0.5 else 1.55) + 0.2 * v[4]
        if kind != NONE:
            below = max(0.7 + 0.22 * v[4] - desks.top_m[b], 0.95)
        extent = (
            0.7 + 3.3 * v[5],
            0.7 + 3.3 * v[6],
            near * math.exp(math.log(far / near) * v[7]),
            0.4 + 2.6 * v[8],
            0.5 + 1.6 * v[9],
            below,
        )
        c, s = math.cos(yaw), math.sin(yaw)
        for k in range(6):
            sign = 1.0 - 2.0 * (k % 2)
            nx, ny, nz = 0.0, 0.0, sign
            if k < 2:
                nx, ny, nz = sign * c, sign * s, 0.0
            elif k < 4:
                nx, ny, nz = -sign * s, sign * c, 0.0
            distance = extent[k]
            if k < 4 and v[10 + k] < OPEN_SHARE:
                distance = BEYOND_M
            if kind == COUNTER:
                if k == 2:
                    distance = rectangle[3]
            elif kind != NONE and k < 4:
                tc, ts = math.cos(desks.yaw[b]), math.sin(desks.yaw[b])
                for i in range(2):
                    for j in range(2):
                        x, y = rectangle[i], rectangle[2 + j]
                        corner = nx * (tc * x - ts * y) + ny * (ts * x + tc * y)
                        distance = max(distance, corner + CLEARANCE_M)
            if only_ground and k < 5:
                distance = BEYOND_M
            least = reach_along(foreground, b, nx, ny, nz, False) + CLEARANCE_M
            camera = foreground.camera[b]
            least = max(least, (nx * camera[0] + ny * camera[1]) + nz * camera[2] + HEAD_M)
            # The wall behind a counter is there already, and stands clear of everything.
            if not (kind == COUNTER and k == 2):
                distance = max(distance, least)
            plane = shells.planes[b, k]
            plane[0], plane[1], plane[2], plane[3] = nx, ny, nz, distance
