"""From phases to one distance: frequencies brought together, and pixels without a reading named.

One frequency gives r modulo c / 2f. With several, the lowest one's wraps are tried one after the
other; each higher frequency then takes the wrap that lies nearest to what the lower ones say and
refines it, weighted by f^2 as their variances are. The wrap whose frequencies agree best counts. If
they disagree by more than a limit there was light by a detour, two surfaces or too little of it,
and the pixel is given up.
"""

import numpy as np
from numba import njit

from frames.kernels import BORROWING
from frames.reasons import (
    LOW_SIGNAL,
    MIXED,
    MULTIPATH,
    NOTHING,
    OUT_OF_RANGE,
    SATURATED,
    VIGNETTE,
)

_ZERO, _HALF = np.float32(0.0), np.float32(0.5)
_FAR = np.float32(1e9)


@njit(**BORROWING)
def unwrap_row(turns, wraps_m, weights, tries, out, misfit):  # type: ignore[no-untyped-def]
    """Fill out (W) with distances in metres and misfit (W) with the frequencies' disagreement.

    turns: (F, W) phases from the lowest frequency to the highest; wraps_m: (F,) c / 2f; weights:
    (F,) f^2; tries: wraps of the lowest frequency that are tried.
    """
    count, width = turns.shape
    if count == 1:
        for u in range(width):
            t = turns[0, u]
            out[u] = (t - np.floor(t)) * wraps_m[0]
            misfit[u] = _ZERO
        return
    misfit[:] = _FAR
    for n in range(tries):
        if count == 2:
            _try_two(turns[0], turns[1], wraps_m, weights, np.float32(n), out, misfit)
        else:
            _try_three(turns[0], turns[1], turns[2], wraps_m, weights, np.float32(n), out, misfit)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _refine(r, turns, wrap_m):  # type: ignore[no-untyped-def]
    """The distance of a phase that lies nearest to r."""
    return (turns + np.floor(r / wrap_m - turns + _HALF)) * wrap_m


@njit(**BORROWING)
def _try_two(low, high, wraps_m, weights, n, out, misfit):  # type: ignore[no-untyped-def]
    a, b = wraps_m[0], wraps_m[1]
    p = weights[1] / (weights[0] + weights[1])
    for u in range(out.shape[0]):
        t = low[u]
        r = (t - np.floor(t) + n) * a
        q = _refine(r, high[u], b)
        worst = abs(q - r)
        better = worst < misfit[u]
        out[u] = r + p * (q - r) if better else out[u]
        misfit[u] = worst if better else misfit[u]


@njit(**BORROWING)
def _try_three(low, middle, high, wraps_m, weights, n, out, misfit):  # type: ignore[no-untyped-def]
    a, b, c = wraps_m[0], wraps_m[1], wraps_m[2]
    p = weights[1] / (weights[0] + weights[1])
    w = weights[2] / (weights[0] + weights[1] + weights[2])
    for u in range(out.shape[0]):
        t = low[u]
        r = (t - np.floor(t) + n) * a
        q = _refine(r, middle[u], b)
        worst = abs(q - r)
        r = r + p * (q - r)
        q = _refine(r, high[u], c)
        worst = max(worst, abs(q - r))
        better = worst < misfit[u]
        out[u] = r + w * (q - r) if better else out[u]
        misfit[u] = worst if better else misfit[u]


@njit(**BORROWING)
def judge_row(depth, z, amplitude, peak, misfit, lengths, widest, limits, marks, out):  # type: ignore[no-untyped-def]
    """Fill out (W) uint8 with reasons, 0 for a reading.

    depth: (W) clean depth, for telling nothing from something dark; lengths: of the rays, 0 outside
    the field; widest: length of the ray at the rim; limits: (least amplitude, largest amplitude,
    near, far, largest misfit); marks: (W) uint8, 1 by an outline.
    """
    dimmest, brightest, near, far, odd = limits[0], limits[1], limits[2], limits[3], limits[4]
    for u in range(out.shape[0]):
        reason = 0
        if not (z[u] > _ZERO and near <= z[u] <= far):
            reason = OUT_OF_RANGE
        if misfit[u] > odd:
            reason = MIXED if marks[u] else MULTIPATH
        if peak[u] > brightest:
            reason = SATURATED
        if amplitude[u] < dimmest:
            reason = LOW_SIGNAL if depth[u] > 0 else NOTHING
        if lengths[u] == _ZERO or lengths[u] > widest:
            reason = VIGNETTE
        out[u] = reason
