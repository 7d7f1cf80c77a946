"""Surfaces close behind the hands, as the camera sees them: walls, boards, boxes, cushions."""

# mypy: allow-untyped-defs

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from synth.raster.keys import JIT
from synth.scene.foreground import Foreground, reach_along
from synth.scene.furnishings import BALL, CUBE

DRAWS: Final = 16
STEEPEST_RAD: Final = math.radians(70.0)
"""A surface is tilted at most so far against the line of sight."""
TRIES: Final = 5
"""Tilts that are tried, ever less steep, until it is a hand that is nearest to the surface."""
HEAD_M: Final = 0.12
"""It passes so far from the camera."""
FARTHEST_M: Final = 0.3
"""Where an arm reaches farther than the hands, no hand would be nearer than this: left out."""


class Backdrops(NamedTuple):
    """Close surfaces of B frames."""

    present: np.ndarray
    """(B,) bool"""
    model: np.ndarray
    """(B,) int64, CUBE or BALL of `synth.scene.furnishings`."""
    T_world_from_model: np.ndarray
    """(B, 4, 4) affine."""
    gap_m: np.ndarray
    """(B,) from what is nearest to the surface to its plane, metres."""
    plane: np.ndarray
    """(B, 4) normal away from the wearer and distance from the origin."""


def place_backdrops(
    share: np.ndarray, gap_m: tuple[float, float], foreground: Foreground, u: np.ndarray
) -> Backdrops:
    """Close surfaces; share (B,) chance of one, gap_m nearest and farthest, u (B, DRAWS)."""
    count = len(u)
    backdrops = Backdrops(
        np.zeros(count, np.bool_),
        np.zeros(count, np.int64),
        np.tile(np.eye(4), (count, 1, 1)),
        np.zeros(count),
        np.zeros((count, 4)),
    )
    _place(share, *gap_m, foreground, u, backdrops)
    return backdrops


@njit(**JIT)
def _place(share, nearest, farthest, foreground, u, backdrops):
    axes = np.empty((3, 3))
    for b in range(u.shape[0]):
        v = u[b]
        if v[0] >= share[b]:
            continue
        camera = foreground.camera[b]
        mx, my, mz, count = 0.0, 0.0, 0.0, 0
        for p in range(foreground.points.shape[1]):
            if foreground.hands[b, p] and not np.isnan(foreground.radius[b, p]):
                mx += foreground.points[b, p, 0]
                my += foreground.points[b, p, 1]
                mz += foreground.points[b, p, 2]
                count += 1
        if count == 0:
            continue
        mx, my, mz = mx / count, my / count, mz / count
        sx, sy, sz = mx - camera[0], my - camera[1], mz - camera[2]
        away = math.sqrt((sx * sx + sy * sy) + sz * sz)
        sx, sy, sz = sx / away, sy / away, sz / away
        gap = nearest * math.exp(math.log(farthest / nearest) * v[1])
        found = False
        nx, ny, nz, distance = 0.0, 0.0, 0.0, 0.0
        for k in range(TRIES):
            tilt = STEEPEST_RAD * math.sqrt(v[2]) * (1.0 - k / (TRIES - 1.0))
            nx, ny, nz = _tilt(sx, sy, sz, tilt, 2.0 * math.pi * v[3])
            whole = reach_along(foreground, b, nx, ny, nz, False)
            hands = reach_along(foreground, b, nx, ny, nz, True)
            distance = whole + gap
            clear = distance > (nx * camera[0] + ny * camera[1]) + nz * camera[2] + HEAD_M
            if clear and (whole <= hands or (distance - hands < FARTHEST_M and k == TRIES - 1)):
                found = True
                break
        if not found:
            continue
        backdrops.present[b] = True
        backdrops.gap_m[b] = gap
        plane = backdrops.plane[b]
        plane[0], plane[1], plane[2], plane[3] = nx, ny, nz, distance
        # Axes of the board: z along the normal, x turned at random about it.
        _span_axes(nx, ny, nz, 2.0 * math.pi * v[4], axes)
        kind = v[5]
        backdrops.model[b] = CUBE
        thick = 0.015 + 0.25 * v[6] * v[6]
        wide, high = 0.16 + 0.9 * v[7], 0.12 + 0.7 * v[8]
        if kind < 0.45:  # a wall, a door, a bed: wider than the view
            wide, high = 3.0, 3.0
        elif kind > 0.88:
            backdrops.model[b] = BALL
            thick, wide, high = 0.12 + 0.2 * v[6], 0.35 + 0.4 * v[7], 0.3 + 0.4 * v[8]
        along = (nx * mx + ny * my) + nz * mz
        push = distance - along + thick / 2
        px, py = 0.5 * wide * (v[9] - 0.5), 0.5 * high * (v[10] - 0.5)
        if kind > 0.88:
            px, py = 0.0, 0.0
        T = backdrops.T_world_from_model[b]
        middle = (mx, my, mz)
        normal = (nx, ny, nz)
        for i in range(3):
            T[i, 0], T[i, 1], T[i, 2] = axes[i, 0] * wide, axes[i, 1] * high, axes[i, 2] * thick
            T[i, 3] = (middle[i] + push * normal[i]) + (axes[i, 0] * px + axes[i, 1] * py)


@njit(**JIT)
def _tilt(sx, sy, sz, tilt, turn):
    """A unit direction (sx, sy, sz) tilted by `tilt`, towards `turn` about it."""
    frame = np.empty((3, 3))
    _span_axes(sx, sy, sz, turn, frame)
    c, s = math.cos(tilt), math.sin(tilt)
    return sx * c + frame[0, 0] * s, sy * c + frame[1, 0] * s, sz * c + frame[2, 0] * s


@njit(**JIT)
def _span_axes(nx, ny, nz, turn, out):
    """Right-handed axes (3, 3) as columns whose z is (nx, ny, nz), turned about it."""
    # Of a vector that is not parallel: the world's up, or forward.
    if abs(nz) < 0.9:
        ax, ay, az = ny, -nx, 0.0
    else:
        ax, ay, az = 0.0, nz, -ny
    length = math.sqrt((ax * ax + ay * ay) + az * az)
    ax, ay, az = ax / length, ay / length, az / length
    bx, by, bz = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax
    c, s = math.cos(turn), math.sin(turn)
    out[0, 0], out[1, 0], out[2, 0] = ax * c + bx * s, ay * c + by * s, az * c + bz * s
    out[0, 1], out[1, 1], out[2, 1] = bx * c - ax * s, by * c - ay * s, bz * c - az * s
    out[0, 2], out[1, 2], out[2, 2] = nx, ny, nz
