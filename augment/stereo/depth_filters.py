"""Filters that a stereo device runs over its own disparity or depth."""

import numpy as np
from numba import njit

__all__ = ["fill_from_left", "filter_median"]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _sort(a, b):  # type: ignore[no-untyped-def]
    return min(a, b), max(a, b)


@njit(cache=True, nogil=True, error_model="numpy")
def filter_median(image):  # type: ignore[no-untyped-def]
    """(H, W) float32 medians of 3 x 3 pixels of an image of the same kind; its border repeats.

    By sorted columns: the median of nine is the median of the largest of the three minima, the
    median of the three medians, and the smallest of the three maxima (Smith, "Implementing median
    filters in XC4000E FPGAs", 1996).
    """
    height, width = image.shape
    out = np.empty((height, width), np.float32)
    if height == 0 or width == 0:
        return out
    low = np.empty(width + 2, np.float32)
    mid, top = np.empty(width + 2, np.float32), np.empty(width + 2, np.float32)
    low_in, mid_in, top_in = low[1:], mid[1:], top[1:]
    low_next, mid_next, top_next = low[2:], mid[2:], top[2:]
    for v in range(height):
        above, here, below = image[max(v - 1, 0)], image[v], image[min(v + 1, height - 1)]
        for u in range(width):
            a, b = _sort(above[u], here[u])
            b, c = _sort(b, below[u])
            a, b = _sort(a, b)
            low_in[u], mid_in[u], top_in[u] = a, b, c
        for line in (low, mid, top):
            line[0], line[width + 1] = line[1], line[width]
        to = out[v]
        for u in range(width):
            a = max(max(low[u], low_in[u]), low_next[u])
            c = min(min(top[u], top_in[u]), top_next[u])
            p, q = _sort(mid[u], mid_in[u])
            b = max(p, min(q, mid_next[u]))
            a, b = _sort(a, b)
            to[u] = max(a, min(b, c))
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def fill_from_left(depth, reason, sigma, longest):  # type: ignore[no-untyped-def]
    """Holes take over the reading to their left, in place; `reason` becomes 0 there.

    depth (H, W) float32 m, reason (H, W) uint8, sigma (H, W) float32 m. longest: pixels that a run
    of holes may have to be filled, counted from its left end. As the first mode of librealsense's
    hole filling; beside a silhouette it paints the far surface over the shadow.
    """
    height, width = depth.shape
    for v in range(height):
        to, why, spread = depth[v], reason[v], sigma[v]
        last, blur, run = np.float32(0.0), np.float32(0.0), 0
        for u in range(width):
            if why[u] == 0:
                last, blur, run = to[u], spread[u], 0
            elif last > 0:
                run += 1
                if run <= longest:
                    to[u], spread[u], why[u] = last, blur, 0
