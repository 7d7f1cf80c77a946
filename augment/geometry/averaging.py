"""Depth of a shrunk image: means over the source pixels that a new one spans, one surface each."""

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def average_surfaces(  # type: ignore[no-untyped-def]
    places, depth, inverse, owner, slopes, origin, limit, weights, change, out
):
    """Mean of 1 / z over a box about the nearest pixel, moved to the place by its slope.

    Pixels count in pairs on opposite sides, so that a plane's mean is its middle's value even
    where the surface ends within the box.
    """
    one, half = np.float32(1.0), np.float32(0.5)
    width, height = np.float32(depth.shape[1]), np.float32(depth.shape[0])
    factor, offset, most = np.float32(change[0]), np.float32(change[1]), np.float32(change[2])
    whole = most < math.inf
    limit = np.float32(limit)
    n = weights.shape[0]
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            x, y = places[0, v, u], places[1, v, u]
            out[v, u] = 0
            if not (x + half >= 0 and x + half < width and y + half >= 0 and y + half < height):
                continue
            i, j = np.int32(x + half), np.int32(y + half)
            if not inverse[j - origin[1], i - origin[0]] > 0:
                continue
            a, b = i - origin[0], j - origin[1]
            nearest, own = inverse[b, a], owner[b, a]
            total = share = sum_x = sum_y = xx = xy = yy = np.float32(0.0)
            for down in range(n):
                for right in range(-n + 1 if down > 0 else 1, n):
                    here, there = inverse[b + down, a + right], inverse[b - down, a - right]
                    reach = limit * np.float32(abs(right) + down) * nearest
                    flat = (abs(here - nearest) <= reach) & (abs(there - nearest) <= reach)
                    # Over several pixels a step may be no steeper than a slope, but it bends.
                    flat &= abs((here - nearest) + (there - nearest)) <= 2 * limit * nearest
                    flat &= owner[b + down, a + right] == own
                    flat &= owner[b - down, a - right] == own
                    weight = weights[abs(right)] * weights[down] if flat else np.float32(0.0)
                    total += weight * ((here - nearest) + (there - nearest))
                    share += weight + weight
                    px, py = np.float32(right), np.float32(down)
                    sum_x += weight * px * (here - there)
                    sum_y += weight * py * (here - there)
                    xx += weight * 2 * px * px
                    xy += weight * 2 * px * py
                    yy += weight * 2 * py * py
            w = nearest + total / (share + weights[0] * weights[0])
            # The slope of the same pairs by least squares.
            det = xx * yy - xy * xy
            if det > np.float32(1e-3) * xx * yy:
                slope_x, slope_y = (yy * sum_x - xy * sum_y) / det, (xx * sum_y - xy * sum_x) / det
            else:
                slope_x, slope_y = slopes[0, b, a], slopes[1, b, a]
            w += (x - np.float32(i)) * slope_x + (y - np.float32(j)) * slope_y
            z = factor * (places[2, v, u] / w) + offset
            if whole:
                z += half
                out[v, u] = np.int32(z) if one <= z < most else 0
            elif z > 0 and z < most:
                out[v, u] = z
