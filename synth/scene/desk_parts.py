"""What tables are made of: slabs, legs, the cupboards of a counter, and what a block stands on."""

# mypy: allow-untyped-defs

import math
from typing import Final

import numpy as np
from numba import njit

from synth.raster.keys import JIT
from synth.scene.desk import BLOCK, COUNTER, NONE, ROUND, Desks
from synth.scene.foreground import Foreground, is_clear, unit_box
from synth.scene.furnishings import CUBE, CYLINDER
from synth.scene.placing import Places, make_places, put_span

DRAWS: Final = 8
PARTS: Final = 3


def build_desks(desks: Desks, foreground: Foreground, floor: np.ndarray, u: np.ndarray) -> Places:
    """Up to PARTS boxes or cylinders of each table; floor (B,) world z, u (B, DRAWS) uniforms."""
    places = make_places(len(u), PARTS)
    _build(desks, foreground, floor, u, places)
    return places


@njit(**JIT)
def _build(desks, foreground, floor, u, places):
    for b in range(u.shape[0]):
        kind, v = desks.kind[b], u[b]
        if kind == NONE:
            continue
        x0, x1, y0, y1 = desks.rectangle[b]
        top, thick, ground = desks.top_m[b], desks.thick_m[b], floor[b]
        c, s = math.cos(desks.yaw[b]), math.sin(desks.yaw[b])
        present, model, T = places.present[b], places.model[b], places.T_world_from_model[b]
        present[0] = True
        if kind == ROUND:
            model[0] = model[1] = CYLINDER
            put_span(T[0], c, s, x0, x1, y0, y1, top - thick, top)
            x, y, r = 0.5 * (x0 + x1), 0.5 * (y0 + y1), 0.03 + 0.04 * v[0]
            present[1] = True
            put_span(T[1], c, s, x - r, x + r, y - r, y + r, ground, top - thick)
        elif kind == COUNTER:
            put_span(T[0], c, s, x0, x1, y0, y1, top - thick, top)
            inset = 0.02 + 0.03 * v[0]
            if y1 - y0 > 2 * inset:
                present[1] = True
                put_span(T[1], c, s, x0, x1, y0 + inset, y1, ground + 0.1, top - thick)
            # Cupboards on the wall above, where nothing of the foreground is.
            low, deep = top + 0.45 + 0.25 * v[1], 0.25 + 0.12 * v[2]
            left = x0 + v[4] * 0.7 * (x1 - x0)
            right = left + (0.3 + 0.7 * v[5]) * (x1 - left)
            put_span(T[2], c, s, left, right, y1 - deep, y1, low, low + 0.7)
            present[2] = v[3] < 0.6 and is_clear(foreground, b, unit_box(T[2]), 0.02, 0.3)
        elif kind == BLOCK:
            # A box, a book, a pad on a table; or a stool where arms leave no room for the table.
            deep = 0.01 + 0.14 * v[0] * v[0]
            half, back = 0.4 + 0.4 * v[1], 0.2 + 0.5 * v[2]
            front = max(y0 - 0.25 * v[3], min(y0, 0.1))
            put_span(
                T[1], c, s, x0 - half, x1 + half, front, y1 + back, top - deep - 0.03, top - deep
            )
            present[1] = is_clear(foreground, b, unit_box(T[1]), 0.005, 0.1)
            put_span(T[0], c, s, x0, x1, y0, y1, top - deep if present[1] else ground, top)
        else:
            put_span(T[0], c, s, x0, x1, y0, y1, top - thick, top)
            present[1] = present[2] = True
            edge = min(0.04, 0.3 * (x1 - x0))
            y2, y3 = y0 + 0.2 * (y1 - y0), y1 - 0.1 * (y1 - y0)
            put_span(T[1], c, s, x0, x0 + edge, y2, y3, ground, top - thick)
            put_span(T[2], c, s, x1 - edge, x1, y2, y3, ground, top - thick)
        for k in range(PARTS):
            if kind != ROUND:
                model[k] = CUBE
