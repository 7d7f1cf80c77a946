"""Small steps of disparity turned to ramps, large ones left.

At a small step the two peaks of a window's correlation merge, and a ramp is cheaper than a jump:
the depths blend. A mean over a square, rows first, columns after, whose weights fall with the
squared difference and reach 0 at a limit. A step well below the limit becomes a ramp as long as the
square is wide; symmetric weights leave planes where they are.
"""

import numpy as np
from numba import njit

from augment.effects.inlined import INLINED
from augment.stereo.marks import NO_DISPARITY
from frames.kernels import BORROWING

__all__ = ["make_melting", "melt_column", "melt_row", "soften_row"]

_ZERO, _LEAST, _ONE = np.float32(0.0), np.float32(0.25), np.float32(1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def make_melting(half_px, limit, width):  # type: ignore[no-untyped-def]
    """What `melt_row` and `melt_column` work in: a row with borders of nothing, the last rows that
    were melted along u, a row of nothing, sums, weights (taps + 1,), 1 / limit^2, and the last
    rows of it at each pixel.

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
        _ONE / (limit * limit),
        np.full((2 * taps + 1, width), _ONE / (limit * limit), np.float32),
    )


@njit(**INLINED)
def soften_row(melting, v, spread, patch):  # type: ignore[no-untyped-def]
    """Row v of 1 / limit^2: the limit is multiplied by 1 + spread x patch (W,), `_LEAST` at the
    least."""
    per, rows = melting[5], melting[6]
    row = rows[v % rows.shape[0]]
    for u in range(row.shape[0]):
        wider = max(_ONE + spread * patch[u], _LEAST)
        row[u] = per / (wider * wider)


@njit(**INLINED)
def melt_row(melting, v, to):  # type: ignore[no-untyped-def]
    """The padded row, row v of the image, melted along u, into `to` (W,) float32."""
    padded, _, _, sums, weights, _, softness = melting
    taps, width = weights.shape[0] - 1, to.shape[0]
    soft = softness[v % softness.shape[0]]
    own = padded[taps : taps + width]
    if taps == 1:
        _melt_one(own, padded[:width], padded[2:], weights[1], soft, to)
        return
    if taps == 2:
        near, far = (padded[1 : width + 1], padded[3:]), (padded[:width], padded[4:])
        _melt_two(own, near, far, weights, soft, to)
        return
    top, bottom = sums[0], sums[1]
    _clear(top, bottom)
    for k in range(1, taps + 1):
        before, after = padded[taps - k : taps - k + width], padded[taps + k : taps + k + width]
        _add_taps(own, before, after, weights[k], soft, top, bottom)
    for u in range(width):
        to[u] = own[u] + top[u] / bottom[u]


@njit(**INLINED)
def melt_column(melting, v, height, to):  # type: ignore[no-untyped-def]
    """Row v of an image of `height`, whose rows to v + taps are melted along u, along v too."""
    _, rows, nothing, sums, weights, _, softness = melting
    taps, size = weights.shape[0] - 1, rows.shape[0]
    own, soft = rows[v % size], softness[v % size]
    if taps == 1:
        above = rows[(v - 1) % size] if v >= 1 else nothing
        below = rows[(v + 1) % size] if v + 1 < height else nothing
        _melt_one(own, above, below, weights[1], soft, to)
        return
    if taps == 2:
        near = (
            rows[(v - 1) % size] if v >= 1 else nothing,
            rows[(v + 1) % size] if v + 1 < height else nothing,
        )
        far = (
            rows[(v - 2) % size] if v >= 2 else nothing,
            rows[(v + 2) % size] if v + 2 < height else nothing,
        )
        _melt_two(own, near, far, weights, soft, to)
        return
    top, bottom = sums[0], sums[1]
    _clear(top, bottom)
    for k in range(1, taps + 1):
        above = rows[(v - k) % size] if v >= k else nothing
        below = rows[(v + k) % size] if v + k < height else nothing
        _add_taps(own, above, below, weights[k], soft, top, bottom)
    for u in range(to.shape[0]):
        to[u] = own[u] + top[u] / bottom[u]


@njit(**BORROWING)
def _clear(top, bottom):  # type: ignore[no-untyped-def]
    for u in range(top.shape[0]):
        top[u] = _ZERO
        bottom[u] = _ONE


@njit(**BORROWING)
def _add_taps(own, before, after, weight, soft, top, bottom):  # type: ignore[no-untyped-def]
    for u in range(own.shape[0]):
        a, b = before[u] - own[u], after[u] - own[u]
        wa = weight * max(_ONE - a * a * soft[u], _ZERO)
        wb = weight * max(_ONE - b * b * soft[u], _ZERO)
        top[u] += wa * a + wb * b
        bottom[u] += wa + wb


@njit(**INLINED)
def _melt_one(own, before, after, weight, soft, to):  # type: ignore[no-untyped-def]
    """The whole of it where one neighbour on either side counts."""
    for u in range(to.shape[0]):
        a, b = before[u] - own[u], after[u] - own[u]
        wa = weight * max(_ONE - a * a * soft[u], _ZERO)
        wb = weight * max(_ONE - b * b * soft[u], _ZERO)
        to[u] = own[u] + (wa * a + wb * b) / (_ONE + (wa + wb))


@njit(**BORROWING)
def _melt_two(own, near, far, weights, soft, to):  # type: ignore[no-untyped-def]
    """And two: rows on either side, the nearer and the farther, a pair each."""
    before, after = near
    begin, end = far
    one, two = weights[1], weights[2]
    for u in range(to.shape[0]):
        d, s = own[u], soft[u]
        a, b, c, e = before[u] - d, after[u] - d, begin[u] - d, end[u] - d
        wa, wb = max(_ONE - a * a * s, _ZERO), max(_ONE - b * b * s, _ZERO)
        wc, we = max(_ONE - c * c * s, _ZERO), max(_ONE - e * e * s, _ZERO)
        top = one * (wa * a + wb * b) + two * (wc * c + we * e)
        to[u] = d + top / (_ONE + one * (wa + wb) + two * (wc + we))
