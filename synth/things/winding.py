"""Which samples of a grid lie within a closed mesh: its skin is counted along vertical lines."""

# mypy: allow-untyped-defs

import math

import numpy as np
from numba import njit

from synth.things.distance import JIT
from synth.things.triangles import find_nearest

ASIDE_M = (1.37e-7, 2.71e-7)
"""Lines pass so far beside the samples: off the planes of symmetry, where rounding has put the
vertices of things a hair to either side and faces stand on edge."""


@njit(**JIT)
def turn_inside(vertices, faces, table, columns, ends, origin, spacing, values, owners):
    """Give samples within a piece their depth below its skin, negative."""
    nx, ny, nz = values.shape
    bounds, everything = np.empty(table.shape[0]), np.arange(table.shape[0])
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
                    if start <= owners[i, j, k] < stop:
                        # Of all pieces' triangles the nearest is its own.
                        values[i, j, k] = -abs(values[i, j, k])
                        continue
                    x = origin[0] + i * spacing[0]
                    y = origin[1] + j * spacing[1]
                    z = origin[2] + k * spacing[2]
                    nearest, best = find_nearest(
                        table, everything[start:stop], columns[:, start:stop], stop - start,
                        nearest, x, y, z, bounds,
                    )  # fmt: skip
                    values[i, j, k] = min(-math.sqrt(best), values[i, j, k])
        turns[i0:i1, j0:j1] = 0
        start = stop


@njit(**JIT)
def _wind_face(vertices, face, row, origin, spacing, turns):
    """Count where vertical lines through the samples pass one face, upward through its back as -1.

    Every edge is judged from its lower vertex, and a line that meets an edge or a vertex as if it
    were moved aside by next to nothing, so that it passes exactly one of the faces about it.
    Returns the range of columns that the face may touch.
    """
    nx, ny, nz = turns.shape[0], turns.shape[1], turns.shape[2] - 1
    first_x, first_y = origin[0] + ASIDE_M[0], origin[1] + ASIDE_M[1]
    i0 = max(math.ceil((row[20] - first_x) / spacing[0]), 0)
    i1 = min(math.floor((row[23] - first_x) / spacing[0]) + 1, nx)
    j0 = max(math.ceil((row[21] - first_y) / spacing[1]), 0)
    j1 = min(math.floor((row[24] - first_y) / spacing[1]) + 1, ny)
    normal = row[11]
    if normal == 0.0:
        return i0, max(i1, i0), j0, max(j1, j0)
    for i in range(i0, i1):
        x = first_x + i * spacing[0]
        for j in range(j0, j1):
            y = first_y + j * spacing[1]
            inside = True
            for e in range(3):
                a, b = face[e], face[(e + 1) % 3]
                p, q = min(a, b), max(a, b)
                px, py = vertices[p, 0], vertices[p, 1]
                qx, qy = vertices[q, 0], vertices[q, 1]
                turn = (qx - px) * (y - py) - (qy - py) * (x - px)
                # On the edge, or at its end: as if a little to the right, and less upward.
                left = turn > 0.0 or (turn == 0.0 and (qy < py or (qy == py and qx > px)))
                if left == ((a < b) != (normal > 0.0)):
                    inside = False
                    break
            if inside:
                z = row[2] - ((x - row[0]) * row[9] + (y - row[1]) * row[10]) / normal
                z = min(max(z, row[22]), row[25])
                k = min(max(math.floor((z - origin[2]) / spacing[2]) + 1, 0), nz)
                turns[i, j, k] += -1 if normal > 0.0 else 1
    return i0, max(i1, i0), j0, max(j1, j0)
