"""One frequency over one row of pixels: the phasor that each gets, noise, the phase it reads."""

import math
from statistics import NormalDist
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.effects.noise_field import hash_word
from augment.time_of_flight.phasor import measure_turns, spin
from frames.kernels import BORROWING

_ZERO, _ONE, _HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)
_TWO, _EIGHTH, _TINY = np.float32(2.0), np.float32(0.125), np.float32(1e-20)
_TURN = np.float32(2 * np.pi)

_BITS, _MASK = np.uint64(10), np.uint64(1023)  # six numbers of one hash, for three frequencies


def _quantiles(count: int) -> NDArray[np.float32]:
    """The normal distribution in equally likely values of mean 0 and variance 1."""
    half = np.array([NormalDist().inv_cdf((i + 0.5) / count) for i in range(count // 2)])
    half /= math.sqrt(float(np.mean(half**2)))
    return np.concatenate([half, -half[::-1]]).astype(np.float32)


_NORMAL: Final = _quantiles(1024)  # up to 3.3 in size


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def see_moving(re, im, step):  # type: ignore[no-untyped-def]
    """`phasor.move_phasor` of a phasor, to the fourth order of the step in radians."""
    square = step * step
    c = _ONE - square * _EIGHTH
    s = _HALF * step * (_ONE - square * np.float32(1 / 24))
    fade = _ONE - _HALF * square * (_ONE - square * np.float32(1 / 12))
    return fade * (re * c + im * s), fade * (im * c + re * s)


@njit(**BORROWING)
def collect_row(light, moving, turns_per_m, middle_s, step_s, stray, work, re, im):  # type: ignore[no-untyped-def]
    """Fill re, im (W) with a row's phasors before noise.

    light: (4, W) of `returned_light`, and whether anything moves; middle_s: when this frequency is
    measured, from the middle of the frame; step_s: from sample to sample; stray: (6, W) of
    `stray_light` at this row; work: (2, W) float32, written over.
    """
    # Short loops of few arrays: only such become vector instructions.
    width = re.shape[0]
    ranges, speeds = light[0], light[3]
    if moving:
        rate = _TURN * turns_per_m * step_s
        for u in range(width):
            c, s = spin(turns_per_m * (ranges[u] + speeds[u] * middle_s))
            re[u], im[u] = see_moving(c, s, rate * speeds[u])
    else:
        for u in range(width):
            re[u], im[u] = spin(turns_per_m * ranges[u])
    real, imaginary = work[0], work[1]
    _weigh(light[1], light[2], stray[0], stray[2], real)
    _weigh(light[1], light[2], stray[1], stray[3], imaginary)
    for u in range(width):
        c, s = re[u], im[u]
        re[u] = c * real[u] - s * imaginary[u]
        im[u] = c * imaginary[u] + s * real[u]
    _add(stray[4], re)
    _add(stray[5], im)


@njit(**BORROWING)
def _weigh(amplitudes, strengths, direct, bounced, out):  # type: ignore[no-untyped-def]
    for u in range(out.shape[0]):
        out[u] = amplitudes[u] * direct[u] + strengths[u] * bounced[u]


@njit(**BORROWING)
def _add(values, out):  # type: ignore[no-untyped-def]
    for u in range(out.shape[0]):
        out[u] += values[u]


@njit(**BORROWING)
def draw_row(key, first, out):  # type: ignore[no-untyped-def]
    """Fill out (W) uint64 with 64 random bits for each pixel; first: index of the row's first."""
    for u in range(out.shape[0]):
        out[u] = hash_word(key, np.uint64(first + u))


@njit(**BORROWING)
def read_row(re, im, bits, which, noise, wiggle, turns, sums):  # type: ignore[no-untyped-def]
    """Add noise to a row's phasors and read them: turns (W) is filled with phases.

    bits, which: of `draw_row`, and which of three frequencies this is; noise: (variance of a
    component for each electron of amplitude, and besides); wiggle: (amplitude in turns, cos and sin
    of its offset). sums (2, W): to the first is added the amplitude before noise, to the second the
    one that is read.
    """
    _add_noise(re, im, bits, np.uint64(2 * which), noise[0], noise[1], sums[0])
    total = sums[1]
    for u in range(re.shape[0]):
        total[u] += np.sqrt(re[u] * re[u] + im[u] * im[u])
    height, wc, ws = wiggle[0], wiggle[1], wiggle[2]
    for u in range(re.shape[0]):
        a, b = re[u], im[u]
        square = a * a + b * b
        # sin(4 phase + offset) of the unit phasor, its angle doubled twice.
        c2, s2 = a * a - b * b, _TWO * a * b
        c4, s4 = c2 * c2 - s2 * s2, _TWO * s2 * c2
        turns[u] = measure_turns(a, b) + height * (s4 * wc + c4 * ws) / (square * square + _TINY)


@njit(**BORROWING)
def _add_noise(re, im, bits, place, per_electron, besides, clean):  # type: ignore[no-untyped-def]
    first, second = place * _BITS, (place + np.uint64(1)) * _BITS
    for u in range(re.shape[0]):
        amplitude = np.sqrt(re[u] * re[u] + im[u] * im[u])
        clean[u] += amplitude
        sigma = np.sqrt(per_electron * amplitude + besides)
        re[u] += sigma * _NORMAL[(bits[u] >> first) & _MASK]
        im[u] += sigma * _NORMAL[(bits[u] >> second) & _MASK]
