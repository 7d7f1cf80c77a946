"""A room seen from within: the interior of a convex polytope, analytically, for any central camera.

A point z * (x, y, 1) lies on the plane n . p = d at 1/z = n . (x, y, 1) / d. Seen from inside a
convex polytope the surface met first is the nearest plane in front, so 1/z = max_i n_i . ray / d_i:
no triangles, no clipping, and for a pinhole 1/z is affine in the pixel.
"""

# mypy: allow-untyped-defs

import numpy as np
from numba import njit

from synth.raster.keys import INVERSE_DEPTH_MAX, INVERSE_DEPTH_MIN, JIT, pack_key


def plane_coefficients(planes: np.ndarray, table_from_ray: np.ndarray) -> np.ndarray:
    """Coefficients (P, 3) of 1/z = a*gx + b*gy + c for planes (P, 4) = (n, d) in the camera frame.

    table_from_ray (3, 3), without skew, maps rays to the canvas's table coordinates (the camera
    matrix for a pinhole, the identity otherwise).
    """
    n = np.asarray(planes, dtype=np.float64) / planes[:, 3:]
    # The inverse of the upper triangular camera matrix, written out.
    out = np.empty((len(n), 3))
    out[:, 0] = n[:, 0] / table_from_ray[0, 0]
    out[:, 1] = n[:, 1] / table_from_ray[1, 1]
    out[:, 2] = n[:, 2] - out[:, 0] * table_from_ray[0, 2] - out[:, 1] * table_from_ray[1, 2]
    return out


@njit(**JIT)
def _shade(w):
    clamped = min(max(w, INVERSE_DEPTH_MIN), INVERSE_DEPTH_MAX)
    key = np.uint32(pack_key(clamped, np.uint64(0)))
    return key if w > 0 else np.uint32(0)


@njit(**JIT)
def fill_room_affine(coefficients, width, height, keys, stride, overwrite):
    """Draw a pinhole's room into keys (flat uint32); `overwrite` spares the clearing."""
    count = coefficients.shape[0]
    start_w = np.empty(count)
    slope = np.empty(count)
    for y in range(height):
        start = np.uint64(y * stride)
        kept = 0
        for i in range(count):
            w = coefficients[i, 1] * y + coefficients[i, 2]
            step = coefficients[i, 0]
            end = w + step * (width - 1)
            beaten = (w <= 0) & (end <= 0)
            for j in range(count):
                other = coefficients[j, 1] * y + coefficients[j, 2]
                other_end = other + coefficients[j, 0] * (width - 1)
                higher = (other > w) & (other_end > end)
                beaten = beaten | higher
            start_w[kept] = w
            slope[kept] = step
            kept += 0 if beaten else 1
        fresh = overwrite
        for i in range(0, max(kept, 1), 2):
            j = min(i + 1, max(kept - 1, 0))
            w0, s0 = start_w[i], slope[i]
            w1, s1 = start_w[j], slope[j]
            if kept == 0:
                w0, s0, w1, s1 = -1.0, 0.0, -1.0, 0.0
            if fresh:
                for x in range(np.uint64(width)):
                    at = np.float64(x)
                    keys[start + x] = _shade(max(w0 + s0 * at, w1 + s1 * at))
            else:
                for x in range(np.uint64(width)):
                    at = np.float64(x)
                    key = _shade(max(w0 + s0 * at, w1 + s1 * at))
                    keys[start + x] = max(keys[start + x], key)
            fresh = False


@njit(**JIT)
def fill_room_table(coefficients, gx, gy, width, height, keys, stride, overwrite):
    """Draw a room through table coordinates gx, gy (flat float32, NaN outside the field)."""
    for y in range(height):
        row = np.uint64(y * stride)
        for i in range(coefficients.shape[0]):
            a, b, c = coefficients[i, 0], coefficients[i, 1], coefficients[i, 2]
            fresh = overwrite and i == 0
            for x in range(np.uint64(width)):
                key = _shade(a * np.float64(gx[row + x]) + b * np.float64(gy[row + x]) + c)
                keys[row + x] = key if fresh else max(keys[row + x], key)
