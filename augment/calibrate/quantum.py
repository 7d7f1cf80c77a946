"""The step of the values that a device delivers, in depth or in disparity, from their histogram.

Values on a comb of period p have |mean exp(2 pi i v / p)| = 1, values that lie anywhere 0: the
comb is the peak of their characteristic function (Widrow and Kollar, "Quantization noise", 2008,
for its form under noise). A device that rounds disparities has its comb in 1 / z, one that rounds
depths in z.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.calibrate.estimate import DRAWS
from augment.calibrate.wall import Wall
from frames.stream import generator

Floats = NDArray[np.float64]

LEAST_STRENGTH: Final = 0.35
"""Of the peak: white noise of 0.23 steps on top of a comb lowers it to that."""

_STEPS_SEEN: Final = 3.0
"""A comb must show so many steps of a wall, and its step must be so many of the file's."""

_LEAST_ERROR: Final = 3e-4
"""Relative: a comb is found better than that, but nobody knows a focal length so well."""

_OVERSAMPLING: Final = 6


@dataclass(frozen=True)
class Comb:
    """What was found."""

    in_disparity: bool
    """Whether the period is one of 1 / z (1/m) or of z (m)."""

    period: float
    strength: float
    """0 none .. 1 perfect."""

    error: float
    walls: int
    """How many showed it."""


def find_comb(walls: Sequence[Wall], depth_scale: float) -> Comb | str:
    """The comb that the values of several walls share, or why none is seen."""
    step_m = 1.0 / depth_scale
    depths = [_list_values(w.values) for w in walls]
    choices = []
    for in_disparity in (False, True):
        sets = []
        for values, counts in depths:
            z = values * step_m
            least = 2.0 * step_m if not in_disparity else _STEPS_SEEN * step_m / z.min() ** 2
            sets.append((1.0 / z if in_disparity else z, counts, least))
        choices.append(_search(sets, in_disparity))
    best = max(choices, key=lambda c: c.strength)
    if best.strength < LEAST_STRENGTH or not best.period:
        return (
            "no step is seen in the values: it is finer than 3 steps of the file"
            f" ({step_m * 1e3:.3g} mm), or noise covers it"
        )
    if len(walls) == 1 and min(c.strength for c in choices) > 0.8 * best.strength:
        # One distance cannot tell the two combs apart; disparities are what devices round.
        best = choices[1]
    return best


def _search(sets: Sequence[tuple[Floats, Floats, float]], in_disparity: bool) -> Comb:
    """The strongest comb over all sets of (values, counts, least period)."""
    none = Comb(in_disparity, 0.0, 0.0, 0.0, 0)
    spans = [float(np.ptp(v)) for v, _, _ in sets]
    low = max(_STEPS_SEEN / s if s else np.inf for s in spans) if spans else np.inf
    high = max(1.0 / least for _, _, least in sets)
    if not np.isfinite(low) or high <= low:
        low = min((_STEPS_SEEN / s for s in spans if s), default=np.inf)
        if not np.isfinite(low) or high <= low:
            return none
    trial = np.linspace(low, high, int((high - low) * max(spans) * _OVERSAMPLING) + 2)
    count = len(trial)
    power = np.zeros((len(sets), count))
    usable = np.zeros((len(sets), count), bool)
    for i, (values, counts, least) in enumerate(sets):
        if not spans[i]:
            continue
        power[i] = _scan(values, counts, least, trial)
        usable[i] = (trial <= 1.0 / least) & (trial >= _STEPS_SEEN / spans[i])
    means = np.where(usable, power, 0).sum(0) / np.maximum(usable.sum(0), 1)
    # A comb seen by one wall only must not win by being alone: half of the walls have to agree.
    means[usable.sum(0) < (len(sets) + 1) // 2] = 0.0
    top = float(means.max())
    if top <= 0.0:
        return none
    at = int(np.argmax(means >= 0.8 * top))
    # The first that comes near the top is on the fundamental's flank: climb it.
    while at + 1 < count and means[at + 1] > means[at]:
        at += 1
    users = [i for i in range(len(sets)) if usable[i, at]]
    peaks = np.array([_refine(sets[i], trial[at], 2.0 / spans[i]) for i in users])
    weights = np.array([spans[i] ** 2 for i in users])
    frequency = float((peaks * weights).sum() / weights.sum())
    if not users or frequency <= 0:
        return none
    error = _estimate_error([sets[i] for i in users], frequency, peaks, weights)
    error = max(error, _LEAST_ERROR / frequency)
    return Comb(in_disparity, 1.0 / frequency, top, error, len(users))


def _scan(values: Floats, counts: Floats, least: float, trial: Floats) -> Floats:
    """|mean exp(2 pi i f v)| at the trial frequencies, from a histogram's Fourier transform."""
    width = least / 8.0
    bins = np.floor((values - values.min()) / width).astype(np.int64)
    heights = np.bincount(bins, counts / counts.sum())
    length = 1 << int(np.ceil(np.log2(len(heights) * _OVERSAMPLING)))
    power = np.abs(np.fft.rfft(heights, length))
    return np.interp(trial, np.fft.rfftfreq(length, width), power)


def _refine(one: tuple[Floats, Floats, float], start: float, reach: float) -> float:
    """The frequency of a set's own peak near `start`."""
    values, counts, _ = one
    width = reach / 4.0
    best = start
    for _ in range(4):
        trial = best + np.linspace(-width, width, 17)
        power = _transform(values - values[0], counts / counts.sum(), trial)
        best = float(trial[int(np.argmax(power))])
        width /= 6.0
    return best


def _estimate_error(
    sets: Sequence[tuple[Floats, Floats, float]], frequency: float, peaks: Floats, weights: Floats
) -> float:
    """Standard error of the period: by the walls' disagreement, or by drawing values again."""
    if len(peaks) >= 3:
        share = weights / weights.sum()
        spread = float((share * (peaks - frequency) ** 2).sum() / (1.0 - (share**2).sum()))
        return float(np.sqrt(spread * (share**2).sum())) / frequency**2
    drawn = []
    for draw in range(DRAWS // 4):
        rng = generator(0, draw, "calibrate/quantum")
        values, counts, least = sets[0]
        again = np.bincount(rng.choice(len(values), len(values)), minlength=len(values)) * counts
        if again.sum() > 0:
            drawn.append(_refine((values, again, least), frequency, 1.0 / np.ptp(values)))
    return float(np.std(drawn)) / frequency**2


def _list_values(histogram: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Values of the file that occur, 0 excepted and the rarest left out, and how often."""
    counts = histogram.astype(np.float64)
    counts[0] = 0
    cumulated = np.cumsum(counts) / max(counts.sum(), 1.0)
    counts[(cumulated < 0.002) | (cumulated > 0.998)] = 0
    values = np.nonzero(counts)[0]
    return values.astype(np.float64), counts[values]


@njit(cache=True, nogil=True, error_model="numpy")
def _transform(values, shares, frequencies):  # type: ignore[no-untyped-def]
    """|sum of shares exp(2 pi i f v)| for each frequency f."""
    out = np.empty(frequencies.shape[0])
    for k in range(frequencies.shape[0]):
        real, imaginary = 0.0, 0.0
        for i in range(values.shape[0]):
            angle = 2.0 * np.pi * frequencies[k] * values[i]
            real += shares[i] * np.cos(angle)
            imaginary += shares[i] * np.sin(angle)
        out[k] = np.sqrt(real * real + imaginary * imaginary)
    return out
