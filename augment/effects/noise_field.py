"""Noise images: white or smooth in space, fixed or changing in time, a pure function of keys.

Smooth fields are white noise through a Gaussian, so their autocorrelation is exp(-(r / length)^2):
`length_px` is the distance at which it has fallen to 1/e. Short ones are filtered at full
resolution; long ones are drawn on a coarse grid and interpolated by cubic B-splines (Unser,
"Splines", IEEE Signal Processing Magazine 1999), each pixel divided by the norm of its weights, so
that the variance is 1 everywhere and the cost falls as the length grows.
"""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.effects.noise_hash import (
    add_normal_row,
    effect_key,
    hash_normal,
    hash_uniform,
    hash_word,
)
from augment.shot import Keys
from frames.kernels import BORROWING

__all__ = [
    "effect_key",
    "fill_field",
    "fill_mixed_field",
    "fill_temporal_field",
    "hash_normal",
    "hash_uniform",
    "hash_word",
]

_COARSE_PX: Final = 2.5  # lengths from here on are interpolated from a grid
_RADIUS: Final = 3  # of the filter for shorter ones: 2.4 of its standard deviations at the most
_SLIGHT: Final = np.float32(2e-3)
"""Of a filter's middle weight: taps that weigh less are left out."""
_BLOCK: Final = 8  # pixels that are turned from columns to rows at once
_NODE_PER_LENGTH: Final = 0.8433
"""The correlation of such a field, averaged over the place, is 1/e after 1.1858 nodes (by
integration)."""
_NODE_PER_MEMORY: Final = 1.1109
"""Weights that go over linearly from node to node: the correlation, averaged over the phase, is
1/e after 0.9002 nodes (by integration)."""


@njit(cache=True, nogil=True, error_model="numpy")
def fill_field(key, length_px, out):  # type: ignore[no-untyped-def]
    """Fill out (H, W) float32: mean 0, variance 1, correlation exp(-(r / length)^2).

    length_px: >= 0; 0 is white noise (of 4096 values, up to 3.7 in size).
    """
    words = np.empty(1, np.uint64)
    words[0] = key
    gains = np.ones(1, np.float32)
    fill_mixed_field(words, gains, key, length_px, out)


def fill_temporal_field(
    keys: Keys,
    effect: str,
    time_s: float,
    fixed_share: float,
    memory_s: float,
    length_px: float,
    out: NDArray[np.float32],
) -> None:
    """Fill out (H, W) float32 with a field as `fill_field`, correlated over a sequence's frames.

    fixed_share: of the variance, 0..1, is a pattern that the sequence keeps. The rest changes, with
    a correlation in time that falls to 1/e after memory_s; 0: it is fresh in each frame.
    """
    words, gains = [], []
    if fixed_share > 0:
        words.append(effect_key(keys.sequence, effect + "/fixed"))
        gains.append(math.sqrt(fixed_share))
    changing = math.sqrt(max(0.0, 1.0 - fixed_share))
    if changing > 0 and memory_s > 0:
        step = time_s / (memory_s * _NODE_PER_MEMORY)
        node = math.floor(step)
        later = step - node
        norm = math.sqrt(later**2 + (1.0 - later) ** 2)
        base = int(effect_key(keys.sequence, effect + "/moving"))
        words.append(effect_key(base, str(node)))
        gains.append(changing * (1.0 - later) / norm)
        if later > 0:
            words.append(effect_key(base, str(node + 1)))
            gains.append(changing * later / norm)
    elif changing > 0:
        words.append(effect_key(keys.frame, effect + "/fresh"))
        gains.append(changing)
    grid = effect_key(keys.sequence, effect + "/grid")  # one grid, else nothing stays in its place
    fill_mixed_field(np.array(words, np.uint64), np.array(gains, np.float32), grid, length_px, out)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_mixed_field(words, gains, grid, length_px, out):  # type: ignore[no-untyped-def]
    """Fill out with the sum of gains[i] x the field of words[i], all on the grid of one key."""
    height, width = out.shape
    if height == 0 or width == 0:
        return
    if length_px < 0.25:  # a correlation below 1e-7 from pixel to pixel
        _fill_white(words, gains, out)
    elif length_px < _COARSE_PX:
        _fill_filtered(words, gains, length_px, out)
    else:
        _fill_interpolated(words, gains, grid, length_px, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_white(words, gains, out):  # type: ignore[no-untyped-def]
    pairs = np.empty((out.shape[1] + 1) // 2, np.uint64)
    _fill_white_rows(words, gains, pairs, pairs.view(np.int32), out)


@njit(**BORROWING)
def _fill_white_rows(words, gains, pairs, sums, out):  # type: ignore[no-untyped-def]
    for v in range(out.shape[0]):
        _draw_row(words, gains, v, pairs, sums, out[v])


@njit(**BORROWING)
def _draw_row(words, gains, v, pairs, sums, row):  # type: ignore[no-untyped-def]
    for u in range(row.shape[0]):
        row[u] = np.float32(0.0)
    for i in range(words.shape[0]):
        add_normal_row(words[i], v, gains[i], pairs, sums, row)


@njit(cache=True, nogil=True, error_model="numpy")
def _weigh_filter(length_px):  # type: ignore[no-untyped-def]
    """Taps of the sampled Gaussian whose field has the right correlation from pixel to pixel."""
    target = math.exp(-1.0 / (length_px * length_px))
    taps = np.empty(2 * _RADIUS + 1)
    # Unsampled it would be half the length. Regula falsi from around there: the correlation grows
    # with the deviation.
    low, high = 0.1, max(length_px, 0.4)
    below, above = -target, 0.0
    for step in range(12):
        sigma = 0.5 * length_px if step == 0 and length_px > 0.3 else 0.5 * (low + high)
        if below > -target and above > 0.0:
            sigma = (low * above - high * below) / (above - below)
        for i in range(2 * _RADIUS + 1):
            taps[i] = math.exp(-0.5 * ((i - _RADIUS) / sigma) ** 2)
        square, lagged = 0.0, 0.0
        for i in range(2 * _RADIUS + 1):
            square += taps[i] * taps[i]
            if i:
                lagged += taps[i] * taps[i - 1]
        missed = lagged / square - target
        if abs(missed) < 1e-7:
            break
        if missed < 0:
            low, below = sigma, missed
        else:
            high, above = sigma, missed
    return (taps / math.sqrt(square)).astype(np.float32)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_filtered(words, gains, length_px, out):  # type: ignore[no-untyped-def]
    width = out.shape[1]
    taps = _weigh_filter(length_px)
    size = 2 * _RADIUS + 1
    padded = _pad(width + size - 1)
    pairs, white = np.empty(padded // 2, np.uint64), np.empty(padded, np.float32)
    across = np.empty((size, width), np.float32)
    if taps[_RADIUS - 2] < _SLIGHT * taps[_RADIUS]:
        middle = taps[_RADIUS - 1 : _RADIUS + 2]
        taps = middle / np.sqrt((middle * middle).sum())
    _filter_rows(words, gains, taps, pairs, pairs.view(np.int32), white, across, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _pad(count):  # type: ignore[no-untyped-def]
    """Whole vectors of 16: what is left over costs as much as a few of them."""
    return (count + 15) // 16 * 16


@njit(**BORROWING)
def _filter_rows(words, gains, taps, pairs, sums, white, across, out):  # type: ignore[no-untyped-def]
    """Row by row, as many rows filtered along u as the filter reaches: they stay in the cache."""
    height, width = out.shape
    size = taps.shape[0]
    before = np.float32(0.0)
    t0, t1 = taps[size // 2], taps[size // 2 - 1]
    t2, t3 = (taps[1], taps[0]) if size > 3 else (before, before)
    for v in range(height + size - 1):
        _draw_row(words, gains, v, pairs, sums, white)
        to = across[v % size]
        if size == 3:
            a, b, c = white[:width], white[1:], white[2:]
            for u in range(width):
                to[u] = t0 * b[u] + t1 * (a[u] + c[u])
        else:
            a, b, c, d = white[:width], white[1:], white[2:], white[3:]
            e, f, g = white[4:], white[5:], white[6:]
            for u in range(width):
                to[u] = t0 * d[u] + t1 * (c[u] + e[u]) + t2 * (b[u] + f[u]) + t3 * (a[u] + g[u])
        if v < size - 1:
            continue
        to = out[v - size + 1]
        if size == 3:
            a, b, c = across[(v + 1) % size], across[(v + 2) % size], across[v % size]
            for u in range(width):
                to[u] = t0 * b[u] + t1 * (a[u] + c[u])
        else:
            a, b, c = across[(v + 1) % size], across[(v + 2) % size], across[(v + 3) % size]
            d, e = across[(v + 4) % size], across[(v + 5) % size]
            f, g = across[(v + 6) % size], across[v % size]
            for u in range(width):
                to[u] = t0 * d[u] + t1 * (c[u] + e[u]) + t2 * (b[u] + f[u]) + t3 * (a[u] + g[u])


@njit(cache=True, nogil=True, error_model="numpy")
def _weigh_spline(n, node_px, offset):  # type: ignore[no-untyped-def]
    """First node (n,) and weights (n, 4) of the pixels of one axis; squares sum to 1."""
    first = np.empty(n, np.int64)
    weights = np.empty((n, 4), np.float32)
    for i in range(n):
        at = i / node_px + offset
        k = math.floor(at)
        f = at - k
        first[i] = int(k)
        g, square = 1.0 - f, f * f
        w0 = g * g * g
        w3 = square * f
        w1 = 3.0 * w3 - 6.0 * square + 4.0
        w2 = 6.0 - w0 - w1 - w3
        per = 1.0 / math.sqrt(w0 * w0 + w1 * w1 + w2 * w2 + w3 * w3)
        weights[i, 0], weights[i, 1] = w0 * per, w1 * per
        weights[i, 2], weights[i, 3] = w2 * per, w3 * per
    return first, weights


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_interpolated(words, gains, grid, length_px, out):  # type: ignore[no-untyped-def]
    height, width = out.shape
    node_px = _NODE_PER_LENGTH * length_px
    # The grid lies anywhere: what little the pixels between nodes differ is the same everywhere.
    first_u, weights_u = _weigh_spline(width, node_px, float(hash_uniform(grid, 0)))
    first_v, weights_v = _weigh_spline(height, node_px, float(hash_uniform(grid, 1)))
    # A row of this array is a column of nodes, so that sums run along rows on both axes.
    nodes = np.empty((first_u[-1] + 4, _pad(first_v[-1] + 4)), np.float32)
    _fill_white(words, gains, nodes)
    columns = np.empty((_BLOCK, nodes.shape[1]), np.float32)
    across = np.empty((nodes.shape[1], width), np.float32)
    _interpolate(nodes, first_u, weights_u, first_v, weights_v, columns, across, out)


@njit(**BORROWING)
def _interpolate(nodes, first_u, weights_u, first_v, weights_v, columns, across, out):  # type: ignore[no-untyped-def]
    width, down = out.shape[1], nodes.shape[1]
    for begin in range(0, width, _BLOCK):
        count = min(_BLOCK, width - begin)
        for i in range(count):
            k, w = first_u[begin + i], weights_u[begin + i]
            _add_four(nodes[k], nodes[k + 1], nodes[k + 2], nodes[k + 3], w, columns[i])
        for j in range(down):
            to = across[j, begin:]
            for i in range(count):
                to[i] = columns[i, j]
    for v in range(out.shape[0]):
        k = first_v[v]
        _add_four(across[k], across[k + 1], across[k + 2], across[k + 3], weights_v[v], out[v])


@njit(**BORROWING)
def _add_four(a, b, c, d, weights, out):  # type: ignore[no-untyped-def]
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    for u in range(out.shape[0]):
        out[u] = w0 * a[u] + w1 * b[u] + w2 * c[u] + w3 * d[u]
