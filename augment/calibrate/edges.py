"""Both sides of a hand's outline: how wide the bands without a reading are, and what borders them.

A second viewpoint a baseline B beside the camera leaves a band of f B (1/z_front - 1/z_back) pixels
unread on one side of what stands in front; the mask of matching windows and mixed pixels add a few
pixels on both sides.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP_M: Final = 0.05
"""A background must lie so far behind the hand."""

_MOST_OVER: Final = 12
"""Pixels by which an outline may have grown."""

_REACH: Final = 5
"""Pixels on either side of a band whose median depth is the front's and the back's."""


def list_bands(depth: NDArray[np.uint16], hand: NDArray[np.bool_], depth_scale: float) -> Floats:
    """(n, 5) bands beside the outermost ends of the hand in each row.

    Columns: side (0 left, 1 right), row, width (px, 0 if the background begins at once),
    1/z_front - 1/z_back (1/m), and the overhang: pixels outside the mask, before the band, that
    read as near as the hand. A band that runs into the image border, or behind which there is no
    background at least `STEP_M` farther, is left out.
    """
    out = np.empty((2 * depth.shape[0], 5))
    count = _list_bands(depth, hand, depth_scale, STEP_M, out)
    return np.asarray(out[:count])


@njit(cache=True, nogil=True, error_model="numpy")
def _collect(row, start, step, wanted, count):  # type: ignore[no-untyped-def]
    """Median of up to `count` readings from `start` on while `wanted` holds; 0 for none."""
    found = np.empty(count)
    n, u = 0, start
    while 0 <= u < row.shape[0] and wanted[u] and n < count:
        if row[u]:
            found[n] = row[u]
            n += 1
        u += step
    return np.median(found[:n]) if n else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _list_bands(depth, hand, scale, step_m, out):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    n = 0
    for v in range(height):
        row, mask = depth[v], hand[v]
        others = ~mask
        for side in range(2):
            step = 1 if side else -1
            u = width - 1 if side else 0
            while 0 <= u < width and not mask[u]:
                u -= step
            if not 0 <= u < width:
                break
            # u is the outermost pixel of the hand on that side.
            front = _collect(row, u, -step, mask, _REACH)
            near = front + step_m * scale
            over, band, w = 0, 0, u + step
            while 0 <= w < width and 0 < row[w] < near and over < _MOST_OVER:
                over += 1
                w += step
            while 0 <= w < width and row[w] == 0:
                band += 1
                w += step
            if not 0 <= w < width:
                continue
            back = _collect(row, w, step, others, _REACH)
            if front > 0 and back > near and row[w] > near:
                out[n, 0], out[n, 1], out[n, 2] = side, v, band
                out[n, 3] = scale / front - scale / back
                out[n, 4] = over
                n += 1
    return n
