"""A hand's flesh and skin against a solid: sliding up to it, closing on it, gaps of the parts."""

from typing import Final

import numba
import numpy as np

from frames.kernels import BORROWING
from synth.things.distance import solid_distance

SLIDE_STEPS: Final = 60
NARROW_M: Final = 0.00015
"""A slide ends this near to the wanted gap."""


@numba.njit(cache=True, nogil=True)
def slide_to_solid(ball, group, bones, turn, direction, gap, pack, solid, limit):  # type: ignore[no-untyped-def]
    """How far each hand goes along its direction until it is within `gap` of its solid.

    ball (N, S, 4), group (22,), bones (21,) bool which count, turn (N, 3, 3) R_solid_from_here
    (the solid's centre is the origin of both), direction (N, 3) unit, gap (N,) m, pack of
    `synth.things.distance`, solid (N,) -> (N,) m, inf where `limit` is passed first. Conservative
    advancement (Mirtich 1996).
    """
    out = np.full(ball.shape[0], np.inf)
    for h in range(ball.shape[0]):
        d, around = direction[h], turn[h]
        way = 0.0
        for _ in range(SLIDE_STEPS):
            least = np.inf
            for g in range(bones.shape[0]):
                if not bones[g]:
                    continue
                for s in range(group[g], group[g + 1]):
                    x = ball[h, s, 0] + way * d[0]
                    y = ball[h, s, 1] + way * d[1]
                    z = ball[h, s, 2] + way * d[2]
                    away = _distance(pack, solid[h], around, x, y, z) - ball[h, s, 3]
                    least = min(least, away)
            if least - gap[h] < NARROW_M:
                out[h] = way
                break
            way += least - gap[h]
            if way > limit:
                break
    return out


@numba.njit(cache=True, nogil=True)
def digit_solid_gaps(ball, group, digits, active, turn, pack, solid):  # type: ignore[no-untyped-def]
    """(N, 5) least gap between each active digit and the solid, m; arguments as above."""
    out = np.full(active.shape, 1.0)
    for h in range(ball.shape[0]):
        around = turn[h]
        for f in range(digits.shape[0]):
            if not active[h, f]:
                continue
            for k in range(digits.shape[1]):
                for s in range(group[digits[f, k]], group[digits[f, k] + 1]):
                    x, y, z = ball[h, s, 0], ball[h, s, 1], ball[h, s, 2]
                    away = _distance(pack, solid[h], around, x, y, z) - ball[h, s, 3]
                    out[h, f] = min(out[h, f], away)
    return out


@numba.njit(cache=True, nogil=True)
def part_solid_gaps(vertices, order, start, turn, pack, solid, far):  # type: ignore[no-untyped-def]
    """(N, V, 3) skin, (V,) and (18,) of `part_vertices` -> (N, 17) gap of each part, m, <= far."""
    parts = start.shape[0] - 1
    out = np.full((vertices.shape[0], parts), far)
    for h in range(vertices.shape[0]):
        around = turn[h]
        for p in range(parts):
            for k in range(start[p], start[p + 1]):
                v = order[k]
                x, y, z = vertices[h, v, 0], vertices[h, v, 1], vertices[h, v, 2]
                out[h, p] = min(out[h, p], _distance(pack, solid[h], around, x, y, z))
    return out


@numba.njit(**BORROWING)
def _distance(pack, solid, turn, x, y, z):  # type: ignore[no-untyped-def]
    return solid_distance(
        pack,
        solid,
        (turn[0, 0] * x + turn[0, 1] * y) + turn[0, 2] * z,
        (turn[1, 0] * x + turn[1, 1] * y) + turn[1, 2] * z,
        (turn[2, 0] * x + turn[2, 1] * y) + turn[2, 2] * z,
    )
