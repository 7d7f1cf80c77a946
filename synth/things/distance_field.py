"""Samples of the signed distance to a closed mesh, or to the union of several.

Outside, a sample is the distance to the nearest triangle, exact up to NEAR_M and hardly ever more
than it should be beyond. Inside, it is the depth below the skin of the piece in which the point
lies deepest: the union's distance by its usual bound, the least of the pieces'.
"""

# mypy: allow-untyped-defs

import math

import numpy as np
from numba import njit

from synth.things.distance import JIT, DistanceGrid
from synth.things.pieces import label_pieces
from synth.things.triangles import (
    find_nearest,
    squared_distance,
    tabulate_bounds,
    tabulate_triangles,
)
from synth.things.winding import turn_inside

MARGIN_M = 0.026
MAX_SAMPLES = 80_000
FINEST_M, FINE_M = 0.001, (0.0025, 0.004)
"""Least spacing on a thin axis, and the least and most on any other where samples suffice."""
THIN_STEPS = 4
"""An axis thinner than so many steps gets smaller ones."""
BLOCK = 8
"""Samples on a side of a block that shares a list of triangles."""
NEAR_M = 0.012
"""Farther from the skin than this, the triangle nearest to the middle of 2 x 2 x 2 samples serves
for all of them: at most one diagonal of the spacing too far, where two walls are equally near."""


def sample_distance(vertices: np.ndarray, faces: np.ndarray) -> DistanceGrid:
    """The grid of a solid: (V, 3) metres, (F, 3) outward faces of closed pieces."""
    corners = np.asarray(vertices, np.float64)[faces]
    piece = label_pieces(faces)
    order = np.argsort(piece, kind="stable")
    corners = corners[order]
    ends = np.cumsum(np.bincount(piece))
    low, high = corners.min((0, 1)), corners.max((0, 1))
    spacing = choose_spacing(high - low, measure_wall(corners))
    count = count_samples(high - low, spacing)
    origin = (low + high) / 2 - (count - 1) * spacing / 2
    table = tabulate_triangles(corners)
    values = np.empty(tuple(count), np.float32)
    columns = tabulate_bounds(table)
    owners = np.empty(values.shape, np.int32)
    _measure_outside(table, columns, origin, spacing, values, owners)
    indices = np.ascontiguousarray(np.asarray(faces, np.int64)[order])
    points = np.ascontiguousarray(np.asarray(vertices, np.float64))
    turn_inside(points, indices, table, columns, ends, origin, spacing, values, owners)
    return DistanceGrid(values, origin, spacing)


def choose_spacing(extent_m: np.ndarray, wall_m: float) -> np.ndarray:
    """(3,) size of a solid and the mean thickness of its walls -> (3,) metres between samples.

    As fine as the walls are thick, within FINE_M; finer along an axis on which the whole solid is
    thin; and coarser if more than MAX_SAMPLES would result.
    """
    extent = np.asarray(extent_m, np.float64)
    coarse = min(max(wall_m, FINE_M[0]), FINE_M[1])
    while True:
        spacing = np.clip(extent / THIN_STEPS, FINEST_M, coarse)
        if np.prod(count_samples(extent, spacing)) <= MAX_SAMPLES:
            return spacing
        coarse *= 1.04


def count_samples(extent_m: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """(3,) samples along each axis.

    Odd, so that samples lie in the middle: there a thin plate is deepest, and its sign shows.
    """
    return 2 * np.ceil((0.5 * extent_m + MARGIN_M) / spacing).astype(np.int64) + 1


def measure_wall(corners: np.ndarray) -> float:
    """(F, 3, 3) outward triangles -> twice volume over area: the thickness of a thin shell."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.sqrt((normal * normal).sum(1)).sum() / 2
    return float(2 * (corners[:, 0] * normal).sum() / 6 / area)


@njit(**JIT)
def _measure_outside(table, columns, origin, spacing, values, owners):
    """Unsigned distance to the nearest triangle at every sample, and which that is.

    A block of samples lists the triangles that can be nearest to any of them, and its eighths
    shorten that list.
    """
    faces = table.shape[0]
    lists = np.empty((3, faces + 1), np.int64)
    lists[0, :faces] = np.arange(faces)
    sheets = np.empty((3, columns.shape[0], faces))
    sheets[0] = columns
    bounds = np.empty(faces)
    step = math.sqrt(spacing[0] ** 2 + spacing[1] ** 2 + spacing[2] ** 2)
    nx, ny, nz = values.shape
    nearest = 0
    for i0 in range(0, nx, BLOCK):
        for j0 in range(0, ny, BLOCK):
            for k0 in range(0, nz, BLOCK):
                x, y, z = _place(origin, spacing, i0 + 3.5, j0 + 3.5, k0 + 3.5)
                nearest, best = find_nearest(
                    table, lists[0], sheets[0], faces, nearest, x, y, z, bounds
                )
                many = _shorten(lists, sheets, 0, faces, best, 3.5 * step, bounds)
                for i in range(i0, min(i0 + BLOCK, nx), 4):
                    for j in range(j0, min(j0 + BLOCK, ny), 4):
                        for k in range(k0, min(k0 + BLOCK, nz), 4):
                            x, y, z = _place(origin, spacing, i + 1.5, j + 1.5, k + 1.5)
                            nearest, best = find_nearest(
                                table, lists[1], sheets[1], many, nearest, x, y, z, bounds
                            )
                            few = _shorten(lists, sheets, 1, many, best, 1.5 * step, bounds)
                            nearest = _measure_block(
                                table, lists[2], sheets[2], few, nearest, origin, spacing,
                                0.5 * step, values, owners, i, j, k, bounds,
                            )  # fmt: skip


@njit(**JIT)
def _place(origin, spacing, i, j, k):
    return origin[0] + i * spacing[0], origin[1] + j * spacing[1], origin[2] + k * spacing[2]


@njit(**JIT)
def _measure_block(
    table, candidates, sheet, count, nearest, origin, spacing, radius, values, owners, i0, j0, k0,
    bounds,
):  # fmt: skip
    """Four by four by four samples, in groups of two by two by two."""
    nx, ny, nz = values.shape
    for i1 in range(i0, min(i0 + 4, nx), 2):
        for j1 in range(j0, min(j0 + 4, ny), 2):
            for k1 in range(k0, min(k0 + 4, nz), 2):
                x, y, z = _place(origin, spacing, i1 + 0.5, j1 + 0.5, k1 + 0.5)
                nearest, best = find_nearest(
                    table, candidates, sheet, count, nearest, x, y, z, bounds
                )
                shared = math.sqrt(best) - radius > NEAR_M
                for i in range(i1, min(i1 + 2, nx)):
                    for j in range(j1, min(j1 + 2, ny)):
                        for k in range(k1, min(k1 + 2, nz)):
                            x, y, z = _place(origin, spacing, i, j, k)
                            if shared:
                                best = squared_distance(table, nearest, x, y, z)
                            else:
                                nearest, best = find_nearest(
                                    table, candidates, sheet, count, nearest, x, y, z, bounds
                                )
                            values[i, j, k] = math.sqrt(best)
                            owners[i, j, k] = nearest
    return nearest


@njit(**JIT)
def _shorten(lists, sheets, level, count, best, radius, bounds):
    """Copy to the next level what can be nearest within `radius` of a point; returns how many.

    Distance changes by no more than one moves, for the nearest and for its rival alike.
    """
    limit = (math.sqrt(best) + 2.0 * radius) ** 2
    chosen = lists[level + 1]
    kept = 0
    for n in range(count):
        chosen[kept] = n
        kept += bounds[n] <= limit
    for c in range(sheets.shape[1]):
        source, target = sheets[level, c], sheets[level + 1, c]
        for m in range(kept):
            target[m] = source[chosen[m]]
    for m in range(kept):
        chosen[m] = lists[level, chosen[m]]
    return kept
