"""Bodies as the camera sees them: depth images of rows (`solids`) and of triangles, ray by ray.

Each function returns a window of the image: (top, left, z), z (h, w) float64 metres, inf where the
rays miss. Exact for every lens: a pixel has the depth of its own centre's ray.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from augment.occlusion.sightlines import TILE
from augment.occlusion.solids import BLOB, CAPSULE, FLAT, SHEET, meet_row, unpack_row

SIDES: Final = 8
"""A body's image is bounded by strips in this many directions."""

_COS: Final = np.cos(np.arange(SIDES) * math.pi / SIDES)
_SIN: Final = np.sin(np.arange(SIDES) * math.pi / SIDES)


@njit(cache=True, nogil=True, error_model="numpy")
def cast_rows(rays, centres, spreads, rows, near_m):  # type: ignore[no-untyped-def]
    """The nearest body of rows (n, ROW); those nearer than near_m are cut away."""
    count = rows.shape[0]
    strips = np.empty((count, 2, SIDES))
    for k in range(count):
        _bound_row(rows[k], strips[k])
    marks, box = mark_tiles(centres, spreads, strips)
    top, left, z = open_window(rays, box)
    for k in range(count):
        row = unpack_row(rows[k])
        for i in range(box[0], box[2] + 1):
            for j in range(box[1], box[3] + 1):
                if not marks[k, i, j]:
                    continue
                for v in range(i * TILE, min(rays.shape[0], (i + 1) * TILE)):
                    for u in range(j * TILE, min(rays.shape[1], (j + 1) * TILE)):
                        t = meet_row(row, rays[v, u, 0], rays[v, u, 1])
                        if near_m <= t < z[v - top, u - left]:
                            z[v - top, u - left] = t
    return top, left, z


@njit(cache=True, nogil=True, error_model="numpy")
def cast_triangles(rays, centres, spreads, vertices, faces, near_m):  # type: ignore[no-untyped-def]
    """The nearest of triangles: vertices (V, 3) in camera axes, faces (F, 3).

    A point of a triangle is z (x, y, 1) = w0 a + w1 b + w2 c; solving for w / z gives the depth,
    1 / z = sum of w / z, and all of them positive within the triangle.
    """
    count = faces.shape[0]
    strips = np.empty((1, 2, SIDES))
    strips[0, 0], strips[0, 1] = math.inf, -math.inf
    inverse = np.empty((count, 3, 3))
    bounds = np.empty((count, 4))
    for k in range(count):
        a, b, c = vertices[faces[k, 0]], vertices[faces[k, 1]], vertices[faces[k, 2]]
        bounds[k, 0], bounds[k, 1], bounds[k, 2], bounds[k, 3] = 1e9, -1e9, 1e9, -1e9
        if a[2] < near_m or b[2] < near_m or c[2] < near_m or not _invert(a, b, c, inverse[k]):
            continue  # cut away, or seen edge on
        for p in (a, b, c):
            widen(strips[0], p[0] / p[2], p[1] / p[2])
            bounds[k, 0], bounds[k, 1] = (
                min(bounds[k, 0], p[0] / p[2]),
                max(bounds[k, 1], p[0] / p[2]),
            )
            bounds[k, 2], bounds[k, 3] = (
                min(bounds[k, 2], p[1] / p[2]),
                max(bounds[k, 3], p[1] / p[2]),
            )
    marks, box = mark_tiles(centres, spreads, strips)
    top, left, z = open_window(rays, box)
    for i in range(box[0], box[2] + 1):
        for j in range(box[1], box[3] + 1):
            if not marks[0, i, j]:
                continue
            x, y, reach = centres[i, j, 0], centres[i, j, 1], spreads[i, j]
            for k in range(count):
                if (
                    x + reach < bounds[k, 0]
                    or x - reach > bounds[k, 1]
                    or y + reach < bounds[k, 2]
                    or y - reach > bounds[k, 3]
                ):
                    continue
                m = inverse[k]
                for v in range(i * TILE, min(rays.shape[0], (i + 1) * TILE)):
                    for u in range(j * TILE, min(rays.shape[1], (j + 1) * TILE)):
                        rx, ry = rays[v, u, 0], rays[v, u, 1]
                        w0 = m[0, 0] * rx + m[0, 1] * ry + m[0, 2]
                        w1 = m[1, 0] * rx + m[1, 1] * ry + m[1, 2]
                        w2 = m[2, 0] * rx + m[2, 1] * ry + m[2, 2]
                        if w0 >= 0.0 and w1 >= 0.0 and w2 >= 0.0:
                            t = 1.0 / (w0 + w1 + w2)
                            if t < z[v - top, u - left]:
                                z[v - top, u - left] = t
    return top, left, z


@njit(cache=True, nogil=True, error_model="numpy")
def _invert(a, b, c, out):  # type: ignore[no-untyped-def]
    """Inverse of the matrix with the columns a, b, c; False if there is none."""
    nx, ny, nz = b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]
    volume = a[0] * nx + a[1] * ny + a[2] * nz
    if volume == 0.0:
        return False
    out[0, 0], out[0, 1], out[0, 2] = nx / volume, ny / volume, nz / volume
    out[1, 0] = (c[1] * a[2] - c[2] * a[1]) / volume
    out[1, 1] = (c[2] * a[0] - c[0] * a[2]) / volume
    out[1, 2] = (c[0] * a[1] - c[1] * a[0]) / volume
    out[2, 0] = (a[1] * b[2] - a[2] * b[1]) / volume
    out[2, 1] = (a[2] * b[0] - a[0] * b[2]) / volume
    out[2, 2] = (a[0] * b[1] - a[1] * b[0]) / volume
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def mark_tiles(centres, spreads, strips):  # type: ignore[no-untyped-def]
    """(n, h, w) which tiles each body may reach, and the box of all: first and last row, column."""
    count, (height, width) = strips.shape[0], spreads.shape
    marks = np.zeros((count, height, width), np.bool_)
    box = np.array([height, width, -1, -1])
    every = np.empty((2, SIDES))
    every[0], every[1] = math.inf, -math.inf
    for k in range(count):
        for s in range(SIDES):
            every[0, s], every[1, s] = (
                min(every[0, s], strips[k, 0, s]),
                max(every[1, s], strips[k, 1, s]),
            )
    for i in range(height):
        for j in range(width):
            x, y, reach = centres[i, j, 0], centres[i, j, 1], spreads[i, j] + 1e-9  # rounding
            if not _may_reach(every, x, y, reach):
                continue
            for k in range(count):
                if count == 1 or _may_reach(strips[k], x, y, reach):
                    marks[k, i, j] = True
                    box[0], box[1] = min(box[0], i), min(box[1], j)
                    box[2], box[3] = max(box[2], i), max(box[3], j)
    return marks, box


@njit(cache=True, nogil=True, error_model="numpy")
def _may_reach(strips, x, y, reach):  # type: ignore[no-untyped-def]
    """Whether a tile around (x, y) meets all strips (2, SIDES); not if it is NaN."""
    # Across and along first: they rule most tiles out.
    if not (x + reach >= strips[0, 0] and x - reach <= strips[1, 0]):
        return False
    half = SIDES // 2
    if not (y + reach >= strips[0, half] and y - reach <= strips[1, half]):
        return False
    for s in range(1, SIDES):
        at = x * _COS[s] + y * _SIN[s]
        if s != half and not (at + reach >= strips[0, s] and at - reach <= strips[1, s]):
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def open_window(rays, box):  # type: ignore[no-untyped-def]
    top, left = box[0] * TILE, box[1] * TILE
    bottom, right = min(rays.shape[0], (box[2] + 1) * TILE), min(rays.shape[1], (box[3] + 1) * TILE)
    return top, left, np.full((max(bottom - top, 0), max(right - left, 0)), math.inf)


@njit(cache=True, nogil=True, error_model="numpy")
def widen(strips, x, y):  # type: ignore[no-untyped-def]
    for s in range(SIDES):
        at = x * _COS[s] + y * _SIN[s]
        strips[0, s], strips[1, s] = min(strips[0, s], at), max(strips[1, s], at)


@njit(cache=True, nogil=True, error_model="numpy")
def _bound_row(row, strips):  # type: ignore[no-untyped-def]
    """Strips (2, SIDES) around the image of a row's body: least and greatest place along each
    direction; everything if the body reaches behind the camera."""
    strips[0], strips[1] = math.inf, -math.inf
    kind = int(row[0])
    ends = 2 if kind == CAPSULE else 1
    low, high = np.empty(3), np.empty(3)
    if kind == CAPSULE:
        low[:], high[:] = -row[7], row[7]
    elif kind == SHEET:
        length, bend = row[13], row[15]
        angle = min(length * abs(bend), math.pi)
        flat = abs(bend) < FLAT
        x = length if flat else math.sin(min(angle, 0.5 * math.pi)) / abs(bend)
        z = 0.0 if flat else (1.0 - math.cos(angle)) / bend
        low[0], low[1], low[2] = -x, -row[14], min(z, 0.0)
        high[0], high[1], high[2] = x, row[14], max(z, 0.0)
    elif kind == BLOB:
        reach = 2.0 * row[13]
        low[0], low[1], low[2] = -reach, -reach, -row[14]
        high[0], high[1], high[2] = reach, reach, row[14]
    else:
        low[:], high[:] = -row[13:16], row[13:16]
    for end in range(ends):
        for corner in range(8):
            x = high[0] if corner & 1 else low[0]
            y = high[1] if corner & 2 else low[1]
            z = high[2] if corner & 4 else low[2]
            px, py, pz = row[1 + 3 * end] + x, row[2 + 3 * end] + y, row[3 + 3 * end] + z
            if kind != CAPSULE:
                px = row[1] + row[4] * x + row[7] * y + row[10] * z
                py = row[2] + row[5] * x + row[8] * y + row[11] * z
                pz = row[3] + row[6] * x + row[9] * y + row[12] * z
            if pz < 1e-3:
                strips[0], strips[1] = -math.inf, math.inf
                return
            widen(strips, px / pz, py / pz)
