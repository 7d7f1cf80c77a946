"""Small steps of disparity turned to ramps, large ones left.

At a small step the two peaks of a window's correlation merge, and a ramp is cheaper than a jump:
the depths blend. A mean over a square, rows first, columns after, whose weights fall with the
squared difference and reach 0 at a limit. A step well below the limit becomes a ramp as long as the
square is wide; symmetric weights leave planes where they are.
"""

import numpy as np
from numba import njit

from augment.stereo.marks import NO_DISPARITY
from frames.kernels import BORROWING

__all__ = ["make_melting", "melt_column", "melt_row"]

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def make_melting(half_px, limit, width):  # type: ignore[no-untyped-def]
    """What `melt_row` and `melt_column` work in: a row with borders of nothing, the last rows that
    were melted along u, a row of nothing, sums, weights (taps + 1,), 1 / limit.

    half_px: half-width of the square, px; limit: step that does not melt any more.
    """
    taps = max(int(np.ceil(half_px + 0.5)) - 1, 0)
    weights = np.empty(taps + 1, np.float32)
    for k in range(taps + 1):
        weights[k] = min(max(half_px + 0.5 - k, 0.0), 1.0)
    return (
        np.full(width + 2 * taps, NO_DISPARITY, np.float32),
        np.empty((2 * taps + 1, width), np.float32),
        np.full(width, NO_DISPARITY, np.float32),
        np.empty((2, width), np.float32),
        weights,
        _ONE / limit,
    )


@njit(**BORROWING)
def melt_row(melting, to):  # type: ignore[no-untyped-def]
    """The padded row, melted along u, into `to` (W,) float32."""
    padded, _, _, sums, weights, inverse = melting
    taps, width = weights.shape[0] - 1, to.shape[0]
    own = padded[taps : taps + width]
    if taps == 1:
        _melt_one(own, padded[:width], padded[2:], weights[1], inverse, to)
        return
    top, bottom = sums[0], sums[1]
    _clear(top, bottom)
    for k in range(1, taps + 1):
        before, after = padded[taps - k : taps - k + width], padded[taps + k : taps + k + width]
        _add_taps(own, before, after, weights[k], inverse, top, bottom)
    for u in range(width):
        to[u] = own[u] + top[u] / bottom[u]


@njit(**BORROWING)
def melt_column(melting, v, height, to):  # type: ignore[no-untyped-def]
    """Row v of an image of `height`, whose rows to v + taps are melted along u, along v too."""
    _, rows, nothing, sums, weights, inverse = melting
    taps, size = weights.shape[0] - 1, rows.shape[0]
    own = rows[v % size]
    if taps == 1:
        above = rows[(v - 1) % size] if v >= 1 else nothing
        below = rows[(v + 1) % size] if v + 1 < height else nothing
        _melt_one(own, above, below, weights[1], inverse, to)
        return
    top, bottom = sums[0], sums[1]
    _clear(top, bottom)
    for k in range(1, taps + 1):
        above = rows[(v - k) % size] if v >= k else nothing
        below = rows[(v + k) % size] if v + k < height else nothing
        _add_taps(own, above, below, weights[k], inverse, top, bottom)
    for u in range(to.shape[0]):
        to[u] = own[u] + top[u] / bottom[u]


@njit(**BORROWING)
def _clear(top, bottom):  # type: ignore[no-untyped-def]
    for u in range(top.shape[0]):
        top[u] = _ZERO
        bottom[u] = _ONE


@njit(**BORROWING)
def _add_taps(own, before, after, weight, inverse, top, bottom):  # type: ignore[no-untyped-def]
    for u in range(own.shape[0]):
        a, b = before[u] - own[u], after[u] - own[u]
        ra, rb = a * inverse, b * inverse
        wa = weight * max(_ONE - ra * ra, _ZERO)
        wb = weight * max(_ONE - rb * rb, _ZERO)
        top[u] += wa * a + wb * b
        bottom[u] += wa + wb


@njit(**BORROWING)
def _melt_one(own, before, after, weight, inverse, to):  # type: ignore[no-untyped-def]
    """The whole of it where one neighbour on either side counts."""
    for u in range(to.shape[0]):
        a, b = before[u] - own[u], after[u] - own[u]
        ra, rb = a * inverse, b * inverse
        wa = weight * max(_ONE - ra * ra, _ZERO)
        wb = weight * max(_ONE - rb * rb, _ZERO)
        to[u] = own[u] + (wa * a + wb * b) / (_ONE + (wa + wb))
