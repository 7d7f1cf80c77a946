"""Surfaces close behind the hands: a wall, a door, a board, the side of a box, at any tilt.

Trackers that learn from rooms alone lose hands before a near background; these are for that.
"""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from synth.scene.pieces import JIT, between, roll, spread

TILT_RAD: Final = np.pi / 4
TRIES: Final = 8
VIEW: Final = (1.0, 0.75)
"""What counts as in view: so far from the axis, as tangents."""

LARGE_M: Final = 1.0
"""Half size from which a surface is a wall: nothing can be seen past it."""


@njit(**JIT)
def draw_close(dice, low, high, points, radius, camera, out):
    """Write T_world_from_cube (4, 4) of a slab whose -z face is `low` to `high` behind the hands.

    points (P, 3), radius (P,) stay on the camera's side; camera (4, 4) T_world_from_camera. The
    gap is that to the ball in view which is nearest to the surface; of some tilts the first is
    taken that keeps whatever is out of view (elbows) no nearer. Returns the larger half size.
    """
    gap = spread(dice, low, high)
    fit = np.inf
    normal = (0.0, 0.0, 1.0)
    reach, foot = 0.0, 0
    for _ in range(TRIES):
        tilt, around = TILT_RAD * np.sqrt(roll(dice)), 2 * np.pi * roll(dice)
        nx, ny, nz = np.sin(tilt) * np.cos(around), np.sin(tilt) * np.sin(around), np.cos(tilt)
        wx = (camera[0, 0] * nx + camera[0, 1] * ny) + camera[0, 2] * nz
        wy = (camera[1, 0] * nx + camera[1, 1] * ny) + camera[1, 2] * nz
        wz = (camera[2, 0] * nx + camera[2, 1] * ny) + camera[2, 2] * nz
        whole, seen, at, last = -np.inf, -np.inf, 0, 0
        for k in range(points.shape[0]):
            if not (radius[k] >= 0.0 and points[k, 0] == points[k, 0]):
                continue
            along = (wx * points[k, 0] + wy * points[k, 1]) + wz * points[k, 2] + radius[k]
            if along > whole:
                whole, last = along, k
            if along > seen and is_in_view(points[k], camera):
                seen, at = along, k
        # With nothing in view any tilt will do.
        if seen == -np.inf:
            seen, at = whole, last
        excess = whole - seen
        if excess < fit:
            fit, normal, reach, foot = excess, (wx, wy, wz), whole, at
        if excess <= 0.0:
            break
    half_x, half_y = spread(dice, 0.15, 2.5), spread(dice, 0.15, 2.5)
    if roll(dice) < 0.4:
        half_x, half_y = 3.0, 3.0
    thick = spread(dice, 0.01, 0.3)
    offset = reach + gap
    wx, wy, wz = normal
    # Axes in the plane: one as level as can be, then turned by a little or anyhow.
    ax, ay, az = camera[0, 0], camera[1, 0], camera[2, 0]
    share = (ax * wx + ay * wy) + az * wz
    ax, ay, az = ax - share * wx, ay - share * wy, az - share * wz
    size = np.sqrt((ax * ax + ay * ay) + az * az)
    ax, ay, az = ax / size, ay / size, az / size
    bx, by, bz = wy * az - wz * ay, wz * ax - wx * az, wx * ay - wy * ax
    turn = 0.3 * (2 * roll(dice) - 1) if roll(dice) < 0.7 else 2 * np.pi * roll(dice)
    c, s = np.cos(turn), np.sin(turn)
    ux, uy, uz = c * ax + s * bx, c * ay + s * by, c * az + s * bz
    vx, vy, vz = c * bx - s * ax, c * by - s * ay, c * bz - s * az
    # Its middle is beside the hand's, by less than half its own size.
    along = (wx * points[foot, 0] + wy * points[foot, 1]) + wz * points[foot, 2]
    du, dv = half_x * between(dice, -0.5, 0.5), half_y * between(dice, -0.5, 0.5)
    lift = offset - along + thick / 2
    out[:] = 0.0
    for i, (u, v, w) in enumerate(((ux, vx, wx), (uy, vy, wy), (uz, vz, wz))):
        out[i, 0], out[i, 1], out[i, 2] = 2 * half_x * u, 2 * half_y * v, thick * w
        out[i, 3] = points[foot, i] + ((du * u + dv * v) + lift * w)
    out[3, 3] = 1.0
    return max(half_x, half_y)


@njit(**JIT)
def is_in_view(point, camera):
    """Is a point of the world before the camera, about within its field?"""
    dx, dy, dz = point[0] - camera[0, 3], point[1] - camera[1, 3], point[2] - camera[2, 3]
    x = (camera[0, 0] * dx + camera[1, 0] * dy) + camera[2, 0] * dz
    y = (camera[0, 1] * dx + camera[1, 1] * dy) + camera[2, 1] * dz
    z = (camera[0, 2] * dx + camera[1, 2] * dy) + camera[2, 2] * dz
    return z > 0.05 and abs(x) < VIEW[0] * z and abs(y) < VIEW[1] * z
