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
    C1,
    C2,
    GOLDEN,
    LEVELS,
    NORMAL,
    effect_key,
    hash_normal,
    hash_uniform,
    hash_word,
)
from augment.shot import Keys

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
    """Four numbers a hash, as `hash_word` has it: row v counts from v times the hashes of a row."""
    # Unsigned places: numba then leaves out what counts negative ones from the end, and the loop of
    # the hashes becomes vector instructions.
    height, width = out.shape
    blocks = np.uint64((width + 3) // 4)
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    mask = np.uint64(LEVELS - 1)
    hashes = np.empty(blocks, np.uint64)
    row = np.empty(four * blocks, np.float32)
    for v in range(height):
        for u in range(four * blocks):
            row[u] = np.float32(0.0)
        for i in range(words.shape[0]):
            gain = gains[i]
            first = words[i] + (np.uint64(v) * blocks + one) * GOLDEN
            for block in range(blocks):
                z = first + block * GOLDEN
                z = (z ^ (z >> np.uint64(30))) * C1
                z = (z ^ (z >> np.uint64(27))) * C2
                hashes[block] = z ^ (z >> np.uint64(31))
            for block in range(blocks):
                h, u = hashes[block], four * block
                row[u] += gain * NORMAL[h & mask]
                row[u + one] += gain * NORMAL[(h >> np.uint64(12)) & mask]
                row[u + two] += gain * NORMAL[(h >> np.uint64(24)) & mask]
                row[u + three] += gain * NORMAL[(h >> np.uint64(36)) & mask]
        for u in range(np.uint64(width)):
            out[v, u] = row[u]


@njit(cache=True, nogil=True, error_model="numpy")
def _weigh_filter(length_px):  # type: ignore[no-untyped-def]
    """Taps of the sampled Gaussian whose field has the right correlation from pixel to pixel."""
    target = math.exp(-1.0 / (length_px * length_px))
    taps = np.empty(2 * _RADIUS + 1)
    low, high = 0.1, length_px
    for _ in range(30):
        sigma = 0.5 * (low + high)
        for i in range(2 * _RADIUS + 1):
            taps[i] = math.exp(-0.5 * ((i - _RADIUS) / sigma) ** 2)
        square, lagged = 0.0, 0.0
        for i in range(2 * _RADIUS + 1):
            square += taps[i] * taps[i]
            if i:
                lagged += taps[i] * taps[i - 1]
        if lagged < target * square:
            low = sigma
        else:
            high = sigma
    return (taps / math.sqrt(square)).astype(np.float32)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_filtered(words, gains, length_px, out):  # type: ignore[no-untyped-def]
    height, width = out.shape
    taps = _weigh_filter(length_px)
    t0, t1, t2, t3 = taps[3], taps[2], taps[1], taps[0]
    white = np.empty((height + 2 * _RADIUS, width + 2 * _RADIUS), np.float32)
    _fill_white(words, gains, white)
    across = np.empty((height + 2 * _RADIUS, width), np.float32)
    for v in range(height + 2 * _RADIUS):
        w, a = white[v], across[v]
        for u in range(width):
            a[u] = (
                t0 * w[u + 3]
                + t1 * (w[u + 2] + w[u + 4])
                + t2 * (w[u + 1] + w[u + 5])
                + t3 * (w[u] + w[u + 6])
            )
    for v in range(height):
        for u in range(width):
            out[v, u] = (
                t0 * across[v + 3, u]
                + t1 * (across[v + 2, u] + across[v + 4, u])
                + t2 * (across[v + 1, u] + across[v + 5, u])
                + t3 * (across[v, u] + across[v + 6, u])
            )


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
        w0 = (1.0 - f) ** 3
        w1 = 3.0 * f * f * f - 6.0 * f * f + 4.0
        w3 = f * f * f
        w2 = 6.0 - w0 - w1 - w3
        norm = math.sqrt(w0 * w0 + w1 * w1 + w2 * w2 + w3 * w3)
        weights[i, 0], weights[i, 1] = w0 / norm, w1 / norm
        weights[i, 2], weights[i, 3] = w2 / norm, w3 / norm
    return first, weights


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_interpolated(words, gains, grid, length_px, out):  # type: ignore[no-untyped-def]
    height, width = out.shape
    node_px = _NODE_PER_LENGTH * length_px
    # The grid lies anywhere: what little the pixels between nodes differ is the same everywhere.
    first_u, weights_u = _weigh_spline(width, node_px, float(hash_uniform(grid, 0)))
    first_v, weights_v = _weigh_spline(height, node_px, float(hash_uniform(grid, 1)))
    nodes = np.empty((first_v[-1] + 4, first_u[-1] + 4), np.float32)
    _fill_white(words, gains, nodes)
    across = np.empty((nodes.shape[0], width), np.float32)
    for j in range(nodes.shape[0]):
        row, a = nodes[j], across[j]
        for u in range(width):
            k, w = first_u[u], weights_u[u]
            a[u] = w[0] * row[k] + w[1] * row[k + 1] + w[2] * row[k + 2] + w[3] * row[k + 3]
    for v in range(height):
        k, w = first_v[v], weights_v[v]
        for u in range(width):
            out[v, u] = (
                w[0] * across[k, u]
                + w[1] * across[k + 1, u]
                + w[2] * across[k + 2, u]
                + w[3] * across[k + 3, u]
            )
