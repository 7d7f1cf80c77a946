"""Exact distance from points to triangles, from numbers that are worked out once a triangle."""

# mypy: allow-untyped-defs

import numpy as np
from numba import njit

from synth.things.distance import JIT

COLUMNS = 26
"""A row of a table of triangles, in the order that `squared_distance` reads."""


def tabulate_triangles(corners: np.ndarray) -> np.ndarray:
    """(F, 3, 3) float64 corners -> (F, COLUMNS) float64 for `squared_distance`.

    First corner 0-2, edges to the second and third 3-8, unit normal 9-11, products of the edges
    and reciprocals 12-19, bounding box 20-25. A sliver's normal and reciprocals are 0: its edges
    alone give its distance.
    """
    a = corners[:, 0]
    u, v = corners[:, 1] - a, corners[:, 2] - a
    w = v - u
    normal = np.cross(u, v)
    area = (normal * normal).sum(1)
    uu, uv, vv, ww = ((p * q).sum(1) for p, q in ((u, u), (u, v), (v, v), (w, w)))
    flat = area <= 1e-14 * np.maximum(uu, np.maximum(vv, ww)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        normal = np.where(flat[:, None], 0.0, normal / np.sqrt(area)[:, None])
        inverse = np.where(flat, 0.0, 1.0 / area)
        per_edge = [np.where(q > 0, 1.0 / q, 0.0) for q in (uu, vv, ww)]
    out = np.empty((len(corners), COLUMNS))
    out[:, 0:3], out[:, 3:6], out[:, 6:9], out[:, 9:12] = a, u, v, normal
    for k, column in enumerate((uu, uv, vv, ww, inverse, *per_edge)):
        out[:, 12 + k] = column
    out[:, 20:23], out[:, 23:26] = corners.min(1), corners.max(1)
    return out


@njit(**JIT)
def squared_distance(table, f, x, y, z):
    """Squared distance from a point to triangle f of a table: to its face or its nearest edge."""
    t = table[f]
    px, py, pz = x - t[0], y - t[1], z - t[2]
    pu = px * t[3] + py * t[4] + pz * t[5]
    pv = px * t[6] + py * t[7] + pz * t[8]
    uu, uv, vv = t[12], t[13], t[14]
    # Barycentric coordinates of the foot of the perpendicular.
    b = (vv * pu - uv * pv) * t[16]
    c = (uu * pv - uv * pu) * t[16]
    if b > 0.0 and c > 0.0 and b + c < 1.0:
        away = px * t[9] + py * t[10] + pz * t[11]
        return away * away
    pp = px * px + py * py + pz * pz
    s = min(max(pu * t[17], 0.0), 1.0)
    best = pp - s * (2.0 * pu - s * uu)
    s = min(max(pv * t[18], 0.0), 1.0)
    best = min(best, pp - s * (2.0 * pv - s * vv))
    # The edge from the second corner to the third.
    qq = pp - 2.0 * pu + uu
    qw = (pv - pu) - (uv - uu)
    s = min(max(qw * t[19], 0.0), 1.0)
    return max(min(best, qq - s * (2.0 * qw - s * t[15])), 0.0)


def tabulate_bounds(table: np.ndarray) -> np.ndarray:
    """A table of triangles -> (10, F) float64 columns for `squared_bounds`, each contiguous."""
    offset = (table[:, 0:3] * table[:, 9:12]).sum(1)
    columns = [table[:, 9:12], offset[:, None], table[:, 20:26]]
    return np.ascontiguousarray(np.concatenate(columns, axis=1).T)


@njit(**JIT)
def squared_bounds(columns, count, x, y, z, out):
    """For `count` triangles, no more than `squared_distance`: to the plane, or the bounding box.

    Two loops without a branch, so that the compiler does several triangles at once.
    """
    for n in range(count):
        dx = columns[4, n] - x
        ex = x - columns[7, n]
        dx = dx if dx > ex else ex
        dx = dx if dx > 0.0 else 0.0
        dy = columns[5, n] - y
        ey = y - columns[8, n]
        dy = dy if dy > ey else ey
        dy = dy if dy > 0.0 else 0.0
        dz = columns[6, n] - z
        ez = z - columns[9, n]
        dz = dz if dz > ez else ez
        dz = dz if dz > 0.0 else 0.0
        out[n] = dx * dx + dy * dy + dz * dz
    for n in range(count):
        away = x * columns[0, n] + y * columns[1, n] + z * columns[2, n] - columns[3, n]
        away *= away
        out[n] = away if away > out[n] else out[n]


@njit(**JIT)
def find_nearest(table, candidates, sheet, count, nearest, x, y, z, bounds):
    """The nearest of some triangles and its squared distance, begun with a guess among all."""
    squared_bounds(sheet, count, x, y, z, bounds)
    best = squared_distance(table, nearest, x, y, z)
    for n in range(count):
        if bounds[n] < best:
            away = squared_distance(table, candidates[n], x, y, z)
            if away < best:
                best, nearest = away, candidates[n]
    return nearest, best
