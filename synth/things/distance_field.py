"""Samples of the signed distance to a closed mesh, or to the union of several.

Outside, a sample is the exact distance to the nearest triangle. Inside, it is the exact depth below
the skin of the piece in which the point lies deepest: the union's distance by its usual bound, the
least of the pieces'. A point is inside a piece whose skin winds about it, counted along vertical
lines through the samples.
"""

# mypy: allow-untyped-defs

import math

import numpy as np
from numba import njit

from synth.things.distance import JIT, DistanceGrid
from synth.things.pieces import label_pieces
from synth.things.triangles import squared_bound, squared_distance, tabulate_triangles

MARGIN_M = 0.026
MAX_SAMPLES = 80_000
FINEST_M, FINE_M = 0.001, 0.0025
"""Least spacing on a thin axis, and on any other."""
THIN_STEPS = 6
"""An axis thinner than so many steps gets smaller ones."""
BLOCK = 8
"""Samples on a side of a block that shares a list of triangles."""
NEAR_M = 0.012
"""Farther from the skin than this, the triangle nearest to a pair's middle serves for the pair."""


def sample_distance(vertices: np.ndarray, faces: np.ndarray) -> DistanceGrid:
    """The grid of a solid: (V, 3) metres, (F, 3) outward faces of closed pieces."""
    corners = np.asarray(vertices, np.float64)[faces]
    piece = label_pieces(faces)
    order = np.argsort(piece, kind="stable")
    corners = corners[order]
    ends = np.cumsum(np.bincount(piece))
    low, high = corners.min((0, 1)), corners.max((0, 1))
    spacing = choose_spacing(high - low)
    # Odd, so that samples lie in the middle: there a thin plate is deepest, and its sign shows.
    count = 2 * np.ceil((0.5 * (high - low) + MARGIN_M) / spacing).astype(np.int64) + 1
    origin = (low + high) / 2 - (count - 1) * spacing / 2
    table = tabulate_triangles(corners)
    values = np.empty(tuple(count), np.float32)
    _measure_outside(table, origin, spacing, values)
    indices = np.ascontiguousarray(np.asarray(faces, np.int64)[order])
    points = np.ascontiguousarray(np.asarray(vertices, np.float64))
    _turn_inside(points, indices, table, ends, origin, spacing, values)
    return DistanceGrid(values, origin, spacing)


def choose_spacing(extent_m: np.ndarray) -> np.ndarray:
    """(3,) size of a solid -> (3,) metres between samples.

    As fine as MAX_SAMPLES allows, but not below FINE_M, or below 1 / THIN_STEPS of a thin axis.
    """
    extent = np.asarray(extent_m, np.float64)
    coarse = FINE_M
    while True:
        spacing = np.clip(extent / THIN_STEPS, FINEST_M, coarse)
        if np.prod(np.ceil((extent + 2 * MARGIN_M) / spacing) + 1) <= MAX_SAMPLES:
            return spacing
        coarse *= 1.04
        if coarse > 0.01:  # two long axes and a very thin one
            return np.full(3, np.cbrt(np.prod(extent + 2 * MARGIN_M) / (0.8 * MAX_SAMPLES)))


@njit(**JIT)
def _measure_outside(table, origin, spacing, values):
    """Unsigned distance to the nearest triangle at every sample, by narrowing lists in blocks."""
    faces = table.shape[0]
    everything = np.arange(faces)
    lists = np.empty((3, faces), np.int64)
    nx, ny, nz = values.shape
    nearest = 0
    half = 0.5 * (BLOCK - 1)
    radius = half * math.sqrt(spacing[0] ** 2 + spacing[1] ** 2 + spacing[2] ** 2)
    for i in range(0, nx, BLOCK):
        for j in range(0, ny, BLOCK):
            for k in range(0, nz, BLOCK):
                x = origin[0] + (i + half) * spacing[0]
                y = origin[1] + (j + half) * spacing[1]
                z = origin[2] + (k + half) * spacing[2]
                kept, nearest, _ = _narrow(
                    table, everything, faces, x, y, z, radius, nearest, lists[0]
                )
                nearest = _measure_block(
                    table, origin, spacing, values, i, j, k, lists, kept, nearest
                )


@njit(**JIT)
def _measure_block(table, origin, spacing, values, i0, j0, k0, lists, count, nearest):
    """The samples of one block: in groups of 4, then of 2, then each."""
    nx, ny, nz = values.shape
    step = math.sqrt(spacing[0] ** 2 + spacing[1] ** 2 + spacing[2] ** 2)
    for i1 in range(i0, min(i0 + BLOCK, nx), 4):
        for j1 in range(j0, min(j0 + BLOCK, ny), 4):
            for k1 in range(k0, min(k0 + BLOCK, nz), 4):
                x = origin[0] + (i1 + 1.5) * spacing[0]
                y = origin[1] + (j1 + 1.5) * spacing[1]
                z = origin[2] + (k1 + 1.5) * spacing[2]
                kept, nearest, _ = _narrow(
                    table, lists[0], count, x, y, z, 1.5 * step, nearest, lists[1]
                )
                for i in range(i1, min(i1 + 4, nx), 2):
                    for j in range(j1, min(j1 + 4, ny), 2):
                        for k in range(k1, min(k1 + 4, nz), 2):
                            nearest = _measure_group(
                                table, origin, spacing, values, i, j, k, lists, kept, nearest, step
                            )
    return nearest


@njit(**JIT)
def _measure_group(table, origin, spacing, values, i0, j0, k0, lists, count, nearest, step):
    """Two by two by two samples."""
    nx, ny, nz = values.shape
    x = origin[0] + (i0 + 0.5) * spacing[0]
    y = origin[1] + (j0 + 0.5) * spacing[1]
    z = origin[2] + (k0 + 0.5) * spacing[2]
    kept, nearest, away = _narrow(table, lists[1], count, x, y, z, 0.5 * step, nearest, lists[2])
    alone = away - 0.5 * step > NEAR_M
    for i in range(i0, min(i0 + 2, nx)):
        for j in range(j0, min(j0 + 2, ny)):
            for k in range(k0, min(k0 + 2, nz)):
                x = origin[0] + i * spacing[0]
                y = origin[1] + j * spacing[1]
                z = origin[2] + k * spacing[2]
                best = squared_distance(table, nearest, x, y, z)
                if not alone:
                    for n in range(kept):
                        f = lists[2, n]
                        if squared_bound(table, f, x, y, z) < best:
                            best = min(best, squared_distance(table, f, x, y, z))
                values[i, j, k] = math.sqrt(best)
    return nearest


@njit(**JIT)
def _narrow(table, candidates, count, x, y, z, radius, nearest, kept):
    """The candidates that can be nearest to a point within `radius` of (x, y, z).

    Returns how many were written to `kept`, the one nearest to (x, y, z), and its distance.
    """
    best = squared_distance(table, nearest, x, y, z)
    for n in range(count):
        f = candidates[n]
        if squared_bound(table, f, x, y, z) < best:
            away = squared_distance(table, f, x, y, z)
            if away < best:
                best, nearest = away, f
    # Distance changes by no more than one moves, for the nearest and for its rival alike.
    limit = math.sqrt(best) + 2.0 * radius
    limit *= limit
    found = 0
    for n in range(count):
        f = candidates[n]
        if squared_bound(table, f, x, y, z) <= limit:
            kept[found] = f
            found += 1
    return found, nearest, math.sqrt(best)


@njit(**JIT)
def _turn_inside(vertices, faces, table, ends, origin, spacing, values):
    """Give samples within a piece their depth below its skin, negative."""
    nx, ny, nz = values.shape
    turns = np.zeros((nx, ny, nz + 1), np.int16)
    start = 0
    for p in range(ends.shape[0]):
        stop = ends[p]
        i0, i1, j0, j1 = nx, 0, ny, 0
        for f in range(start, stop):
            a0, a1, b0, b1 = _wind_face(vertices, faces[f], table[f], origin, spacing, turns)
            i0, i1, j0, j1 = min(i0, a0), max(i1, a1), min(j0, b0), max(j1, b1)
        nearest = start
        for i in range(i0, i1):
            for j in range(j0, j1):
                winding = 0
                for k in range(nz):
                    winding += turns[i, j, k]
                    if winding <= 0:
                        continue
                    if ends.shape[0] == 1:
                        values[i, j, k] = -values[i, j, k]
                        continue
                    x = origin[0] + i * spacing[0]
                    y = origin[1] + j * spacing[1]
                    z = origin[2] + k * spacing[2]
                    best = squared_distance(table, nearest, x, y, z)
                    for f in range(start, stop):
                        if squared_bound(table, f, x, y, z) < best:
                            away = squared_distance(table, f, x, y, z)
                            if away < best:
                                best, nearest = away, f
                    values[i, j, k] = min(-math.sqrt(best), values[i, j, k])
        turns[i0:i1, j0:j1] = 0
        start = stop


@njit(**JIT)
def _wind_face(vertices, face, row, origin, spacing, turns):
    """Count where vertical lines through the samples pass one face, upward through its back as -1.

    Every edge is judged from its lower vertex, so that a line near it passes exactly one of its
    two faces. Returns the range of columns that the face may touch.
    """
    nx, ny, nz = turns.shape[0], turns.shape[1], turns.shape[2] - 1
    i0 = max(math.ceil((row[20] - origin[0]) / spacing[0]), 0)
    i1 = min(math.floor((row[23] - origin[0]) / spacing[0]) + 1, nx)
    j0 = max(math.ceil((row[21] - origin[1]) / spacing[1]), 0)
    j1 = min(math.floor((row[24] - origin[1]) / spacing[1]) + 1, ny)
    normal = row[11]
    if normal == 0.0:
        return i0, max(i1, i0), j0, max(j1, j0)
    for i in range(i0, i1):
        x = origin[0] + i * spacing[0]
        for j in range(j0, j1):
            y = origin[1] + j * spacing[1]
            inside = True
            for e in range(3):
                a, b = face[e], face[(e + 1) % 3]
                p, q = min(a, b), max(a, b)
                px, py = vertices[p, 0], vertices[p, 1]
                qx, qy = vertices[q, 0], vertices[q, 1]
                left = (qx - px) * (y - py) - (qy - py) * (x - px) > 0.0
                if left == ((a < b) != (normal > 0.0)):
                    inside = False
                    break
            if inside:
                z = row[2] - ((x - row[0]) * row[9] + (y - row[1]) * row[10]) / normal
                k = min(max(math.floor((z - origin[2]) / spacing[2]) + 1, 0), nz)
                turns[i, j, k] += -1 if normal > 0.0 else 1
    return i0, max(i1, i0), j0, max(j1, j0)
