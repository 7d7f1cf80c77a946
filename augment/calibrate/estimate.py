"""What a capture says of one quantity: a value with its standard error, or why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.stream import generator

Floats = NDArray[np.float64]

DRAWS: Final = 160
"""Bootstrap draws: the standard error itself is then known to 6 %."""

LOG_STEP: Final = 0.01
_LOG_LOW, _LOG_BINS = float(np.log(1e-7)), 1800
"""Bins for medians: from 0.1 um up to 6.5 m, each 1 % wider than the one before."""


@dataclass(frozen=True)
class Estimate:
    """One measured quantity."""

    name: str
    unit: str
    value: float | None
    """None: the capture cannot say."""

    error: float | None = None
    """Standard error, by bootstrap; None where there is no value."""

    basis: str = ""
    """What it was measured on."""

    why: str = ""
    """Why there is no value, one line without a full stop."""


def refuse(name: str, unit: str, why: str) -> Estimate:
    """No value, for a reason."""
    return Estimate(name, unit, None, None, "", why)


def bootstrap(
    statistic: Callable[[Sequence[Floats]], float],
    groups: Sequence[Floats],
    stage: str,
    draws: int = DRAWS,
) -> tuple[float, float]:
    """A statistic of summed blocks and its standard error; see `bootstrap_all`."""
    values, errors = bootstrap_all(lambda s: np.array([statistic(s)]), groups, stage, draws)
    return float(values[0]), float(errors[0])


def bootstrap_all(
    statistics: Callable[[Sequence[Floats]], Floats],
    groups: Sequence[Floats],
    stage: str,
    draws: int = DRAWS,
) -> tuple[Floats, Floats]:
    """Several statistics (k,) of summed blocks and their standard errors (k,) (Efron 1979).

    groups: arrays (blocks, ...) of additive sums, each a stratum (a wall, the hands); the
    statistics get one sum (...) a group. Blocks are drawn with replacement within each group. They
    must be larger than what correlates. A draw for which a statistic is not finite is left out; its
    error is NaN if half of them are. draws: 0 for no errors (NaN).
    """
    values = statistics([g.sum(0) for g in groups])
    drawn = []
    for i in range(draws):
        rng = generator(0, i, f"calibrate/bootstrap/{stage}")
        drawn.append(statistics([_resample(g, rng) for g in groups]))
    errors = np.full(len(values), np.nan)
    for k, column in enumerate(np.array(drawn).T):
        finite = column[np.isfinite(column)]
        if len(finite) > draws // 2:
            errors[k] = finite.std(ddof=1)
    return values, errors


def _resample(group: Floats, rng: np.random.Generator) -> Floats:
    """The sum of as many blocks drawn with replacement, widened to the blocks' own variance."""
    n = len(group)
    if n < 2:
        return np.asarray(group.sum(0) * np.nan)
    counts = np.bincount((rng.random(n) * n).astype(np.int64), minlength=n).astype(np.float64)
    # Of n blocks the bootstrap's variance is (n - 1) / n too small.
    counts = 1.0 + (counts - 1.0) * np.sqrt(n / (n - 1.0))
    return np.asarray((counts.reshape(-1, *[1] * (group.ndim - 1)) * group).sum(0))


def count_logs(values: Floats) -> Floats:
    """(1800,) how many positive values fall into each logarithmic bin."""
    positive = values[values > 0]
    at = np.floor((np.log(np.maximum(positive, 1e-300)) - _LOG_LOW) / LOG_STEP)
    index = np.clip(at, 0, _LOG_BINS - 1).astype(np.int64)
    counts = np.bincount(index, minlength=_LOG_BINS).astype(np.float64)
    counts[0] += np.count_nonzero(values == 0)
    return counts


def find_median(counts: Floats) -> float:
    """The median of what was counted; 0 if more than half of it is 0, NaN of nothing."""
    counts = np.maximum(counts, 0.0)
    total = float(counts.sum())
    if not total:
        return float("nan")
    heights = np.cumsum(counts)
    k = int(np.searchsorted(heights, total / 2))
    if k == 0:
        return 0.0
    share = (total / 2 - float(heights[k - 1])) / max(float(counts[k]), 1e-12)
    return float(np.exp(_LOG_LOW + (k + share) * LOG_STEP))
