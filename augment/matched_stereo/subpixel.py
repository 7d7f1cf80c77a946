"""Disparities to a fraction of a pixel, without the pull towards whole ones.

A parabola through the costs of whole disparities is biased by up to a sixth of a pixel (Shimizu and
Okutomi, "Significance and attributes of subpixel estimation on area-based matching", ICCV 2001):
bands on every slanting plane that real devices show faintly. One step of Lucas and Kanade (IJCAI
1981) from there is not: with the right image R moved by the disparities found so far,

    delta = sum g (R - L) / sum g^2,     g = (dL/dx + dR/dx) / 2,

summed over a window, is what is missing to the disparity of the left image L.
"""

import numpy as np
from numba import njit

_MOST = np.float32(0.5)  # px a step


@njit(cache=True, nogil=True, error_model="numpy")
def refine_disparity(left, right, disparity, half, floor, out):  # type: ignore[no-untyped-def]
    """One step of refinement: out (h, w) float32 from disparity (h, w) float32, < 0 for none.

    left: (h, w) uint8; right: (h, w + reach) uint8, whose first column lies reach columns left of
    the left image's. half: of the window's side, px. floor: sum of squared gradients below which
    there is nothing to go by and the disparity stays.
    """
    height, width = disparity.shape
    reach = right.shape[1] - width
    last = right.shape[1] - 3
    squares = np.zeros((height, width + 2 * half), np.float32)
    products = np.zeros((height, width + 2 * half), np.float32)
    for v in range(height):
        mine, r, d = left[v], right[v], disparity[v]
        aa, bb = squares[v, half:], products[v, half:]
        for u in range(1, width - 1):
            x = np.float32(reach + u) - d[u]
            if d[u] < np.float32(0.0) or x < np.float32(1.0) or x >= np.float32(last):
                continue
            i = int(x)
            t = x - np.float32(i)
            # Catmull and Rom's cubic and its derivative.
            p0, p1, p2, p3 = (
                np.float32(r[i - 1]), np.float32(r[i]), np.float32(r[i + 1]), np.float32(r[i + 2])
            )  # fmt: skip
            c1 = np.float32(0.5) * (p2 - p0)
            c2 = p0 - np.float32(2.5) * p1 + np.float32(2.0) * p2 - np.float32(0.5) * p3
            c3 = np.float32(0.5) * (p3 - p0) + np.float32(1.5) * (p1 - p2)
            value = p1 + t * (c1 + t * (c2 + t * c3))
            slope = c1 + t * (np.float32(2.0) * c2 + np.float32(3.0) * t * c3)
            own = np.float32(0.5) * (np.float32(mine[u + 1]) - np.float32(mine[u - 1]))
            g = np.float32(0.5) * (own + slope)
            aa[u] = g * g
            bb[u] = g * (value - np.float32(mine[u]))
    top, bottom = np.empty(width + 2 * half, np.float32), np.empty(width + 2 * half, np.float32)
    for v in range(height):
        top[:] = np.float32(0.0)
        bottom[:] = np.float32(0.0)
        for j in range(max(v - half, 0), min(v + half, height - 1) + 1):
            aa, bb = squares[j], products[j]
            for u in range(width + 2 * half):
                bottom[u] += aa[u]
                top[u] += bb[u]
        d, to = disparity[v], out[v]
        for u in range(width):
            a, b = np.float32(0.0), np.float32(0.0)
            for i in range(2 * half + 1):
                a += bottom[u + i]
                b += top[u + i]
            step = min(max(b / max(a, np.float32(1e-3)), -_MOST), _MOST)
            step = step if (a > floor) & (d[u] >= np.float32(0.0)) else np.float32(0.0)
            to[u] = d[u] + step
