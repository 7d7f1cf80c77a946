"""Furniture on the floor: along the walls or anywhere, beyond what is in the foreground."""

# mypy: allow-untyped-defs

import math
from typing import Final

import numpy as np
from numba import njit

from synth.raster.keys import JIT
from synth.scene.desk import NONE, Desks
from synth.scene.foreground import Box, Foreground, is_clear, meets_ball, meets_box, unit_box
from synth.scene.furnishings import Shapes
from synth.scene.placing import Places, make_places, put_axes, put_span
from synth.scene.shell import BEYOND_M, Shells

MOST: Final = 3
TRIES: Final = 3
_EACH: Final = 3 + 4 * TRIES
DRAWS: Final = MOST * _EACH
GAP_M: Final = 0.03
HEAD_M: Final = 0.6
"""Furniture keeps so far from the camera."""


def place_furniture(
    share: float,
    shells: Shells,
    desks: Desks,
    foreground: Foreground,
    shapes: Shapes,
    u: np.ndarray,
) -> Places:
    """Furniture of B rooms; `share` is the chance of each of MOST pieces, u (B, DRAWS) uniforms."""
    places = make_places(len(u), MOST)
    _place(share, shells, desks, foreground, shapes, u, places)
    return places


@njit(**JIT)
def _place(share, shells, desks, foreground, shapes, u, places):
    turn, table = np.zeros((3, 3)), np.zeros((4, 4))
    turn[2, 2] = 1.0
    for b in range(u.shape[0]):
        planes = shells.planes[b]
        # With the ground alone there is no furniture either.
        if not shells.present[b] or planes[4, 3] >= BEYOND_M:
            continue
        floor = -planes[5, 3]
        if desks.kind[b] != NONE:
            x0, x1, y0, y1 = desks.rectangle[b]
            c, s = math.cos(desks.yaw[b]), math.sin(desks.yaw[b])
            put_span(table, c, s, x0, x1, y0, y1, floor - 0.1, desks.top_m[b] + 0.3)
            desk = unit_box(table)
        for k in range(MOST):
            v = u[b, k * _EACH : (k + 1) * _EACH]
            if v[0] >= share:
                continue
            n = np.searchsorted(shapes.furniture, v[1], side="right")
            scale = 1.0 + shapes.stretch[n] * (2.0 * v[2] - 1.0)
            half = 0.5 * scale * shapes.extent_m[n]
            for t in range(TRIES):
                w = v[3 + 4 * t : 7 + 4 * t]
                wall = 2
                if w[0] < 0.4:
                    wall = int(w[0] / 0.2)
                nx, ny, distance = planes[wall, 0], planes[wall, 1], planes[wall, 3]
                if w[0] < 0.75 and distance < BEYOND_M:
                    # Its back to a wall.
                    away, along = distance - half[1] - 0.005, 3.0 * (w[1] - 0.5)
                    x, y = nx * away + ny * along, ny * away - nx * along
                else:
                    bearing = math.radians(150.0) * (w[1] - 0.5)
                    away = 0.7 + math.hypot(half[0], half[1]) + 2.4 * w[2]
                    x, y = away * math.sin(bearing), away * math.cos(bearing)
                    # Its front to the wearer, more or less.
                    aim = bearing + math.radians(100.0) * (w[3] - 0.5)
                    nx, ny = math.sin(aim), math.cos(aim)
                turn[0, 0], turn[1, 0], turn[0, 1], turn[1, 1] = ny, -nx, nx, ny
                z = floor + half[2]
                box = Box(np.array((x, y, z)), turn.copy(), half)
                # The wearer's own body.
                if meets_ball(box, 0.0, -0.1, -0.5, 0.35) or meets_ball(box, 0.0, 0.1, -0.9, 0.4):
                    continue
                if desks.kind[b] != NONE and meets_box(box, desk):
                    continue
                free = True
                for other in range(k):
                    if places.present[b, other]:
                        free = free and not meets_box(box, _box_of(places, shapes, b, other))
                if not free or not is_clear(foreground, b, box, GAP_M, HEAD_M):
                    continue
                places.present[b, k] = True
                places.model[b, k] = n
                put_axes(places.T_world_from_model[b, k], turn, scale, x, y, z)
                break


@njit(**JIT)
def _box_of(places, shapes, b, k):
    """The bounding box of what stands at place k."""
    T = places.T_world_from_model[b, k].copy()
    size = shapes.extent_m[places.model[b, k]]
    for i in range(3):
        for j in range(3):
            T[i, j] *= size[j]
    return unit_box(T)
