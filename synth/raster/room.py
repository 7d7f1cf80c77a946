"""A room seen from within: the interior of a convex polytope, analytically, for any central camera.

A point z * (x, y, 1) lies on the plane n . p = d at 1/z = n . (x, y, 1) / d. Seen from inside a
convex polytope the surface met first is the nearest plane in front, so 1/z = max_i n_i . ray / d_i:
no triangles, no clipping, and for a pinhole 1/z is affine in the pixel.
"""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from synth.raster.keys import INVERSE_DEPTH_MAX, INVERSE_DEPTH_MIN, JIT, pack_key
from synth.raster.lanes import TILE, shade_table

BAND: Final = 8
"""Rows of a pinhole's image for which planes are chosen together."""

GROUP: Final = 4
"""Tiles a side of the squares for which planes are chosen together with other cameras."""


@njit(**JIT)
def plane_coefficients(planes, table_from_ray):
    """Coefficients (P, 3) of 1/z = a*gx + b*gy + c for planes (P, 4) = (n, d) in the camera frame.

    table_from_ray (3, 3), without skew, maps rays to the canvas's table coordinates (the camera
    matrix for a pinhole, the identity otherwise).
    """
    out = np.empty((planes.shape[0], 3))
    for i in range(planes.shape[0]):
        d = planes[i, 3]
        # The inverse of the upper triangular camera matrix, written out.
        a = planes[i, 0] / d / table_from_ray[0, 0]
        b = planes[i, 1] / d / table_from_ray[1, 1]
        out[i, 0], out[i, 1] = a, b
        out[i, 2] = (planes[i, 2] / d - a * table_from_ray[0, 2]) - b * table_from_ray[1, 2]
    return out


@njit(**JIT)
def _shade(w):
    clamped = min(max(w, INVERSE_DEPTH_MIN), INVERSE_DEPTH_MAX)
    key = np.uint32(pack_key(clamped, np.uint64(0)))
    return key if w > 0 else np.uint32(0)


@njit(**JIT)
def _choose_planes(coefficients, x0, x1, y0, y1, chosen):
    """Write to chosen (P,) which planes may be in front somewhere in a rectangle of table
    coordinates; return how many.

    1/z is affine there, so a plane is out if it is <= 0 at all four corners or another one, or its
    equal with a lower index, is nowhere below it.
    """
    count = coefficients.shape[0]
    kept = 0
    for i in range(count):
        a, b, c = coefficients[i, 0], coefficients[i, 1], coefficients[i, 2]
        out = _highest(a, b, c, x0, x1, y0, y1) <= 0
        for j in range(count):
            da, db, dc = a - coefficients[j, 0], b - coefficients[j, 1], c - coefficients[j, 2]
            most = _highest(da, db, dc, x0, x1, y0, y1)
            out |= (most < 0) | ((most == 0) & (j < i))
        if not out:
            chosen[kept] = i
            kept += 1
    return kept


@njit(**JIT)
def _highest(a, b, c, x0, x1, y0, y1):
    return max(a * x0, a * x1) + max(b * y0, b * y1) + c


@njit(**JIT)
def fill_room_affine(coefficients, width, height, keys, stride, overwrite):
    """Draw a pinhole's room into keys (flat uint32); `overwrite` spares the clearing."""
    chosen = np.zeros(coefficients.shape[0], dtype=np.int64)
    for band in range(0, height, BAND):
        end = min(band + BAND, height)
        kept = _choose_planes(coefficients, 0.0, width - 1.0, band, end - 1.0, chosen)
        for y in range(band, end):
            start = np.uint64(y * stride)
            if kept == 0 and overwrite:
                for x in range(np.uint64(width)):
                    keys[start + x] = np.uint32(0)
            for n in range(0, kept, 2):
                i, j = chosen[n], chosen[min(n + 1, kept - 1)]
                w0 = coefficients[i, 1] * y + coefficients[i, 2]
                w1 = coefficients[j, 1] * y + coefficients[j, 2]
                s0, s1 = coefficients[i, 0], coefficients[j, 0]
                if overwrite and n == 0:
                    for x in range(np.uint64(width)):
                        at = np.float64(x)
                        keys[start + x] = _shade(max(w0 + s0 * at, w1 + s1 * at))
                else:
                    for x in range(np.uint64(width)):
                        at = np.float64(x)
                        key = _shade(max(w0 + s0 * at, w1 + s1 * at))
                        keys[start + x] = max(keys[start + x], key)


@njit(**JIT)
def fill_room_table(coefficients, gx, gy, tiles, height, keys, stride):
    """Draw a room through table coordinates gx, gy (flat float32, NaN outside the field) into keys
    (flat uint32) that are cleared or hold a picture.
    """
    chosen = np.zeros(coefficients.shape[0], dtype=np.int64)
    rows, columns = tiles.shape[1], tiles.shape[2]
    for row in range(0, rows, GROUP):
        for column in range(0, columns, GROUP):
            end_row, end_column = min(row + GROUP, rows), min(column + GROUP, columns)
            x0, x1, y0, y1 = np.inf, -np.inf, np.inf, -np.inf
            for j in range(row, end_row):
                for i in range(column, end_column):
                    if tiles[0, j, i] <= tiles[1, j, i]:
                        x0, x1 = min(x0, tiles[0, j, i]), max(x1, tiles[1, j, i])
                        y0, y1 = min(y0, tiles[2, j, i]), max(y1, tiles[3, j, i])
            if not x0 <= x1:
                continue
            kept = _choose_planes(coefficients, x0, x1, y0, y1, chosen)
            for n in range(kept):
                i = chosen[n]
                plane = (coefficients[i, 0], coefficients[i, 1], coefficients[i, 2])
                ahead = (*plane, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0)
                for y in range(row * TILE, min(end_row * TILE, height)):
                    for at in range(
                        y * stride + column * TILE, y * stride + end_column * TILE, TILE
                    ):
                        shade_table(
                            keys, np.uint64(at), gx, gy, ahead, plane,
                            INVERSE_DEPTH_MIN, INVERSE_DEPTH_MAX, np.inf, np.uint64(0),
                        )  # fmt: skip
