"""Tables, counters and blocks under the hands: exactly at a wanted height, or below the hands.

A table lies on a frame of its own: turned about the world's z by `yaw`, x to the right and y away
from the wearer. Where an arm hangs below its top, the table ends beside it.
"""

# mypy: allow-untyped-defs

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from synth.raster.keys import JIT
from synth.scene.foreground import Foreground, reach_along

NONE, DESK, ROUND, COUNTER, BLOCK = range(5)
"""Kinds: a slab on legs, a round one, cupboards before a wall, a box or stool under the hand."""

DRAWS: Final = 16
HIGHEST_M: Final = -0.2
"""A table that nothing rests on stays below the eyes."""
SINK_M: Final = 0.003
"""So far may an arm's balls reach into a table that is asked for: skin gives way."""
EDGE_M: Final = 0.012
"""The least width of table about the point of support."""
ASIDE_M: Final = 0.01
"""Distance of a table's edge from an arm that hangs beside it."""


class Desks(NamedTuple):
    """Tables of B frames."""

    kind: np.ndarray
    """(B,) int64, NONE for no table."""
    top_m: np.ndarray
    """(B,) height of the top in world z."""
    thick_m: np.ndarray
    """(B,) thickness of the slab; of a block and a counter all the way to the ground."""
    yaw: np.ndarray
    """(B,) rad"""
    rectangle: np.ndarray
    """(B, 4) least x, greatest x, least y, greatest y in its own frame; a round one fills it."""


def lay_desks(
    table_share: np.ndarray,
    foreground: Foreground,
    support: np.ndarray,
    support_point: np.ndarray,
    u: np.ndarray,
) -> Desks:
    """Tables of B frames.

    table_share (B,): chance of a table where none is asked for; support (B,) height of the one that
    is, NaN for none; support_point (B, 3) a point on it; u (B, DRAWS) uniforms. A table is left out
    where an arm goes through it all about the point of support.
    """
    count = len(u)
    desks = Desks(
        np.zeros(count, np.int64),
        *(np.zeros(count) for _ in range(3)),
        np.zeros((count, 4)),
    )
    _lay(table_share, foreground, support, support_point, u, desks)
    return desks


@njit(**JIT)
def _lay(table_share, foreground, support, support_point, u, desks):
    for b in range(u.shape[0]):
        v = u[b]
        wanted = not np.isnan(support[b])
        if wanted:
            top, px, py = support[b], support_point[b, 0], support_point[b, 1]
        else:
            if v[0] >= table_share[b]:
                continue
            lowest = -reach_along(foreground, b, 0.0, 0.0, -1.0, True)
            if lowest == np.inf:
                lowest, px, py = -0.3, 0.0, 0.4
            else:
                px, py = _middle(foreground, b)
            # Half of them a little below the hands, the others anywhere.
            gap = 0.002 + 0.05 * v[1] if v[2] < 0.4 else 0.01 + 0.34 * v[1] * v[1]
            top = min(lowest - gap, HIGHEST_M)
        kind = DESK
        if v[3] < 0.14:
            kind = BLOCK if wanted else ROUND
        elif v[3] < 0.26:
            kind = ROUND
        elif v[3] < 0.52:
            kind = COUNTER
        yaw = math.radians(36.0) * (v[4] - 0.5)
        c, s = math.cos(yaw), math.sin(yaw)
        x, y = c * px + s * py, c * py - s * px
        rectangle = desks.rectangle[b]
        sink = SINK_M if wanted else 0.0
        if kind == ROUND and not _lay_round(foreground, b, x, y, c, s, top, sink, v, rectangle):
            kind = DESK
        if kind != ROUND:
            _draw_rectangle(kind, x, y, v, rectangle)
            thick = 0.05 if kind == DESK else np.inf
            if not _trim(foreground, b, x, y, c, s, top, thick, sink, rectangle):
                continue
            if kind == COUNTER:
                # The wall behind a counter stands behind everything.
                least = reach_along(foreground, b, -s, c, 0.0, False) + 0.01
                rectangle[3] = max(rectangle[3], least)
        desks.kind[b], desks.top_m[b], desks.yaw[b] = kind, top, yaw
        desks.thick_m[b] = 0.018 + 0.03 * v[5]


@njit(**JIT)
def _middle(foreground, b):
    """x, y of the mean of all balls of hands."""
    x, y, count = 0.0, 0.0, 0
    for p in range(foreground.points.shape[1]):
        if foreground.hands[b, p] and not np.isnan(foreground.radius[b, p]):
            x += foreground.points[b, p, 0]
            y += foreground.points[b, p, 1]
            count += 1
    return x / max(count, 1), y / max(count, 1)


@njit(**JIT)
def _draw_rectangle(kind, x, y, v, rectangle):
    """Extents about the point (x, y) that they must hold."""
    if kind == BLOCK:
        wide, deep = 0.06 + 0.2 * v[6], 0.05 + 0.14 * v[7]
        rectangle[0], rectangle[1] = x - wide * (0.3 + 0.7 * v[8]), x + wide * (0.3 + 0.7 * v[9])
        rectangle[2], rectangle[3] = y - deep * (0.2 + 0.8 * v[10]), y + deep
        return
    half = 0.4 + 0.6 * v[6] if kind == DESK else 0.8 + 1.2 * v[6]
    middle = 0.5 * (v[8] - 0.5)
    rectangle[0] = min(middle - half, x - 0.03)
    rectangle[1] = max(middle + half, x + 0.03)
    # Between the wearer and the hand, at times right under the hand.
    front = y - (0.015 + 0.33 * v[7])
    rectangle[2] = max(front, min(0.1, y - 0.03))
    rectangle[3] = max(rectangle[2] + 0.5 + 0.4 * v[9], y + 0.05)


@njit(**JIT)
def _trim(foreground, b, x, y, c, s, top, thick, sink, rectangle):
    """Cut a table back until no arm goes through it; false if it no longer holds (x, y)."""
    for p in range(foreground.points.shape[1]):
        r = foreground.radius[b, p]
        z = foreground.points[b, p, 2]
        if foreground.hands[b, p] or not (z - r < top - sink and z + r > top - thick):
            continue
        px, py = foreground.points[b, p, 0], foreground.points[b, p, 1]
        # Below the top by h, a ball of radius r is as wide as where the top cuts it.
        h = max(z - top, 0.0)
        wide = math.sqrt(max(r * r - h * h, 0.0)) + ASIDE_M
        bx, by = c * px + s * py, c * py - s * px
        if (
            bx + wide <= rectangle[0]
            or bx - wide >= rectangle[1]
            or by + wide <= rectangle[2]
            or by - wide >= rectangle[3]
        ):
            continue
        aside, along = abs(bx - x) - wide, abs(by - y) - wide
        if max(aside, along) < EDGE_M:
            return False
        if along >= aside:
            if by < y:
                rectangle[2] = by + wide
            else:
                rectangle[3] = by - wide
        elif bx < x:
            rectangle[0] = bx + wide
        else:
            rectangle[1] = bx - wide
    return True


@njit(**JIT)
def _lay_round(foreground, b, x, y, c, s, top, sink, v, rectangle):
    """A round table that holds (x, y), away from the wearer; false if an arm goes through it."""
    radius = 0.3 + 0.35 * v[6]
    away = math.sqrt(x * x + y * y)
    edge = min(0.02 + 0.25 * v[7], away - 0.12)
    if edge < EDGE_M or y < 0.0:
        return False
    turn = 0.8 * (v[8] - 0.5)
    ux, uy = x / away, y / away
    ux, uy = ux * math.cos(turn) - uy * math.sin(turn), uy * math.cos(turn) + ux * math.sin(turn)
    mx, my = x + ux * (radius - edge), y + uy * (radius - edge)
    if my - radius < 0.08:
        return False
    for p in range(foreground.points.shape[1]):
        r = foreground.radius[b, p]
        z = foreground.points[b, p, 2]
        if foreground.hands[b, p] or not (z - r < top - sink and z + r > top - 0.06):
            continue
        px, py = foreground.points[b, p, 0], foreground.points[b, p, 1]
        bx, by = c * px + s * py - mx, c * py - s * px - my
        if math.sqrt(bx * bx + by * by) < radius + r + ASIDE_M:
            return False
    rectangle[0], rectangle[1] = mx - radius, mx + radius
    rectangle[2], rectangle[3] = my - radius, my + radius
    return True
