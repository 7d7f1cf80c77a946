"""Half mean squared differences over a distance and over a time: how noise hangs together.

A variogram (Matheron 1963) instead of a covariance: a difference does not care for a mean that had
to be estimated, nor for a slow drift over the image.
"""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SPACE_LAGS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40)
"""Pixels, along rows and along columns."""

TIME_LAGS: Final = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40)
"""Frames."""


def sum_space(
    here: NDArray[np.float32],
    there: NDArray[np.float32],
    tiles: NDArray[np.int32],
    count: int,
) -> Floats:
    """(count, lags, 2, 2): by tile, lag of `SPACE_LAGS` and axis (along x, along y): sum, number.

    here, there: (H, W) float32, NaN for no value: the same image, or those of two moments. The sum
    is that of half squared differences between a pixel of the one and one of the other a lag
    farther right or down. tiles: (H, W) int32, number of the tile that a pair belongs to by its
    first pixel, -1 for none.
    """
    out = np.zeros((count, len(SPACE_LAGS), 2, 2))
    _sum_space(here, there, tiles, np.array(SPACE_LAGS, np.int64), out)
    return out


def sum_time(stack: NDArray[np.float32], tiles: NDArray[np.int32], count: int) -> Floats:
    """(count, lags, 2): by tile and lag of `TIME_LAGS`: sum of half squared differences, number.

    stack: (N, H, W) float32, NaN for no value. tiles as in `sum_space`.
    """
    out = np.zeros((count, len(TIME_LAGS), 2))
    for k, lag in enumerate(TIME_LAGS):
        for first in range(len(stack) - lag):
            _sum_pair(stack[first], stack[first + lag], tiles, out[:, k])
    return out


def find_fall(lags: Floats, correlation: Floats) -> float:
    """The lag at which a correlation, 1 at lag 0, has fallen to 1/e; NaN if it has not.

    Interpolated in sqrt(-log(correlation)), which is linear for a Gaussian; about 0.4 lags for
    white noise.
    """
    rooted = np.sqrt(-np.log(np.clip(correlation, 1e-3, 1.0)))
    at, height = 0.0, 0.0
    for lag, value in zip(lags, rooted, strict=True):
        if value >= 1.0:
            return float(at + (lag - at) * (1.0 - height) / (value - height))
        at, height = float(lag), float(value)
    return float("nan")


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_space(first, second, tiles, lags, out):  # type: ignore[no-untyped-def]
    height, width = first.shape
    for v in range(height):
        for u in range(width):
            tile, here = tiles[v, u], first[v, u]
            if tile < 0 or math.isnan(here):
                continue
            for k in range(lags.shape[0]):
                lag = lags[k]
                if u + lag < width and tiles[v, u + lag] >= 0:
                    d = float(second[v, u + lag]) - here
                    if not math.isnan(d):
                        out[tile, k, 0, 0] += 0.5 * d * d
                        out[tile, k, 0, 1] += 1.0
                if v + lag < height and tiles[v + lag, u] >= 0:
                    d = float(second[v + lag, u]) - here
                    if not math.isnan(d):
                        out[tile, k, 1, 0] += 0.5 * d * d
                        out[tile, k, 1, 1] += 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_pair(a, b, tiles, out):  # type: ignore[no-untyped-def]
    for v in range(a.shape[0]):
        for u in range(a.shape[1]):
            d = float(a[v, u]) - b[v, u]
            if tiles[v, u] >= 0 and not math.isnan(d):
                out[tiles[v, u], 0] += 0.5 * d * d
                out[tiles[v, u], 1] += 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def invert_rounding(half_square, step, shift):  # type: ignore[no-untyped-def]
    """Half the mean squared difference that two values had before both were rounded.

    half_square: after rounding to multiples of `step`. shift: known difference of the two, already
    subtracted from half_square. The differences must be normal, and the values spread over many
    steps.

    Rounding a value that may lie anywhere in its step adds step^2 / 12; the errors of two values d
    apart correlate as the Fourier series of a sawtooth does, sum over k of
    step^2 / (2 pi^2 k^2) cos(2 pi k d / step), which for normal d of variance v is damped by
    exp(-2 pi^2 k^2 v / step^2) (Bennett 1948; Widrow and Kollar, "Quantization noise", 2008).
    """
    if step <= 0.0:
        return half_square
    low, high = 0.0, max(half_square, 0.0) + step * step
    for _ in range(60):
        middle = 0.5 * (low + high)
        if _round_half_square(middle, step, shift) < half_square:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@njit(cache=True, nogil=True, error_model="numpy")
def _round_half_square(before, step, shift):  # type: ignore[no-untyped-def]
    error = step * step / 12.0
    damping = -4.0 * math.pi**2 * before / (step * step)
    for k in range(1, 40):
        decay = math.exp(damping * k * k)
        if decay < 1e-9:
            break
        phase = math.cos(2.0 * math.pi * k * shift / step)
        error -= step * step / (2.0 * math.pi**2 * k * k) * phase * decay
    return before + error
