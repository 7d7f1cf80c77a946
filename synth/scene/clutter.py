"""Things on tables: near the hands and far, clear of the foreground and of each other."""

# mypy: allow-untyped-defs

import math
from typing import Final

import numpy as np
from numba import njit

from synth.raster.keys import JIT
from synth.scene.desk import BLOCK, NONE, ROUND, Desks
from synth.scene.foreground import Box, Foreground, is_clear, meets_box, reach_along
from synth.scene.furnishings import Shapes
from synth.scene.placing import Places, make_places, put_axes

MOST: Final = 6
"""At most so many things on a table."""
TRIES: Final = 3
_EACH: Final = 5 + 3 * TRIES
DRAWS: Final = MOST * _EACH
GAP_M: Final = 0.002
"""They keep so far from hands and arms; the skin is a little off the balls that stand for it."""
HEAD_M: Final = 0.22
"""And so far from the camera."""
TALL_M: Final = 0.16
"""What is taller does not stand between the wearer and the hands."""


def strew_clutter(
    mean: float, desks: Desks, foreground: Foreground, shapes: Shapes, u: np.ndarray
) -> Places:
    """Things on the tables of B frames: `mean` of them before those that find no free place.

    u (B, DRAWS) uniforms.
    """
    places = make_places(len(u), MOST)
    _strew(mean / MOST, desks, foreground, shapes, u, places)
    return places


@njit(**JIT)
def _strew(chance, desks, foreground, shapes, u, places):
    turn = np.zeros((3, 3))
    middles, axes, halves = np.empty((64, 3)), np.empty((64, 3, 3)), np.empty((64, 3))
    for b in range(u.shape[0]):
        kind = desks.kind[b]
        if kind in (NONE, BLOCK):
            continue
        x0, x1, y0, y1 = desks.rectangle[b]
        c, s = math.cos(desks.yaw[b]), math.sin(desks.yaw[b])
        hx, hy = _find_hands(foreground, b, c, s)
        if np.isnan(hx):
            hx, hy = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
        taken = 0
        for k in range(MOST):
            v = u[b, k * _EACH : (k + 1) * _EACH]
            if v[0] >= chance:
                continue
            n = np.searchsorted(shapes.clutter, v[1], side="right")
            scale = 1.0 + shapes.stretch[n] * (2.0 * v[2] - 1.0)
            lies = shapes.may_lie[n] and v[3] < 0.3
            size = shapes.extent_m[n]
            wide, deep, tall = scale * size[0] / 2, scale * size[1] / 2, scale * size[2] / 2
            if lies:
                deep, tall = tall, deep
            for t in range(TRIES):
                w = v[5 + 3 * t : 8 + 3 * t]
                yaw = 2.0 * math.pi * w[2]
                if shapes.facing[n]:
                    yaw = math.radians(50.0) * (w[2] - 0.5)
                cy, sy = math.cos(yaw), math.sin(yaw)
                if v[4] < 0.45 and not (shapes.facing[n] and tall > TALL_M / 2):
                    away = 0.06 + 0.26 * w[0]
                    x = hx + away * math.cos(2.0 * math.pi * w[1])
                    y = hy + away * math.sin(2.0 * math.pi * w[1])
                else:
                    # What is not at hand tends to stand at the back.
                    x, y = x0 + (x1 - x0) * w[0], y0 + (y1 - y0) * math.sqrt(w[1])
                    if x1 - x0 > 1.2:
                        x = hx + 1.2 * (w[0] - 0.5)
                ex = abs(cy) * wide + abs(sy) * deep + 0.004
                ey = abs(sy) * wide + abs(cy) * deep + 0.004
                if kind == ROUND:
                    r = 0.5 * (x1 - x0)
                    fx, fy = abs(x - x0 - r) + ex, abs(y - y0 - r) + ey
                    if fx * fx + fy * fy > r * r:
                        continue
                elif x - ex < x0 or x + ex > x1 or y - ey < y0 or y + ey > y1:
                    continue
                if 2.0 * tall > TALL_M and y < hy and abs(x - hx) < 0.15 + ex:
                    continue
                ca, sa = c * cy - s * sy, s * cy + c * sy
                turn[0, 0], turn[1, 0], turn[2, 0] = ca, sa, 0.0
                if lies:  # over backwards: its up is now the way its back looked
                    turn[0, 1], turn[1, 1], turn[2, 1] = 0.0, 0.0, 1.0
                    turn[0, 2], turn[1, 2], turn[2, 2] = sa, -ca, 0.0
                else:
                    turn[0, 1], turn[1, 1], turn[2, 1] = -sa, ca, 0.0
                    turn[0, 2], turn[1, 2], turn[2, 2] = 0.0, 0.0, 1.0
                px, py, pz = c * x - s * y, s * x + c * y, desks.top_m[b] + tall
                first, last = shapes.first_part[n], shapes.first_part[n + 1]
                free = taken + last - first <= 64
                for m in range(first, last):
                    if not free:
                        break
                    box = _place_part(shapes, m, turn, scale, px, py, pz)
                    for other in range(taken):
                        if meets_box(box, Box(middles[other], axes[other], halves[other])):
                            free = False
                            break
                    free = free and is_clear(foreground, b, box, GAP_M, HEAD_M)
                if not free:
                    continue
                for m in range(first, last):
                    box = _place_part(shapes, m, turn, scale, px, py, pz)
                    middles[taken], axes[taken], halves[taken] = box.middle, box.axes, box.half
                    taken += 1
                places.present[b, k] = True
                places.model[b, k] = n
                put_axes(places.T_world_from_model[b, k], turn, scale, px, py, pz)
                break


@njit(**JIT)
def _find_hands(foreground, b, c, s):
    """Middle of all hands in the table's frame; NaN for none."""
    left = -reach_along(foreground, b, -c, -s, 0.0, True)
    right = reach_along(foreground, b, c, s, 0.0, True)
    front = -reach_along(foreground, b, s, -c, 0.0, True)
    back = reach_along(foreground, b, -s, c, 0.0, True)
    return 0.5 * (left + right), 0.5 * (front + back)


@njit(**JIT)
def _place_part(shapes, m, turn, scale, px, py, pz):
    """The box of part m of a model that is turned by (3, 3), scaled and shifted."""
    middle, half = np.empty(3), np.empty(3)
    mx, my, mz = shapes.part_middle[m]
    shift = (px, py, pz)
    for i in range(3):
        along = (turn[i, 0] * mx + turn[i, 1] * my) + turn[i, 2] * mz
        middle[i] = shift[i] + scale * along
        half[i] = scale * shapes.part_half[m, i]
    return Box(middle, turn.copy(), half)
