"""How the noise of walls hangs together, in space, in time and in both.

Each pixel's error is taken for the sum of what is new in every frame and of what stays for a while
or for good; the correlation between neighbours a frame apart is that of the second part alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from augment.calibrate.estimate import DRAWS, Estimate, Floats, bootstrap_all, refuse
from augment.calibrate.mixture import fit_lengths
from augment.calibrate.noise import Rounding, explain_still, find_sigma
from augment.calibrate.variogram import SPACE_LAGS, TIME_LAGS, find_fall, invert_rounding
from augment.calibrate.wall import Wall

_LEAST_PAIRS: Final = 200.0
_LEAST_BURST: Final = 8
"""Frames, for anything about the memory."""

_DRIFT: Final = 0.1
"""The correlation may fall by so much over the later half of a burst."""

_BETTER: Final = 20.0
"""Two lengths must leave so many times less of the correlation unexplained than one."""

_SLOW: Final = ("slow_length", "memory", "fixed_of_slow")

_NAMES: Final = {
    "correlation_length": "px",
    "fresh_length": "px",
    "slow_length": "px",
    "slow_share": "",
    "fixed_share": "",
    "memory": "frames",
    "fixed_of_slow": "",
    "fresh_neighbour": "",
    "fine_length": "px",
    "smooth_length": "px",
    "smooth_share": "",
}


@dataclass(frozen=True)
class Curves:
    """Correlations, 1 at lag 0."""

    space: Floats
    """(lags of `SPACE_LAGS`,) within a frame."""

    cross: Floats
    """The same between a frame and the next."""

    time: Floats
    """(lags of `TIME_LAGS`,) of a pixel with itself; NaN where no burst is long enough."""


@dataclass(frozen=True)
class Correlation:
    """What is known of it."""

    curves: Curves
    estimates: dict[str, Estimate]
    """correlation_length: of all noise, where it is 1/e. fresh_length, slow_length: of what is new
    in each frame, and of what is not. slow_share: of the variance, what is not new. fixed_share: of
    the variance, what does not change within a burst. memory: frames after which the slow part, but
    for the fixed one, correlates by 1/e. fixed_of_slow: fixed_share / slow_share. fresh_neighbour:
    of what is new, the correlation one pixel apart. fine_length, smooth_length, smooth_share: of
    all noise, as a mixture of two lengths (`mixture`)."""


def correlate(walls: Sequence[Wall], rounding: Rounding, draws: int = DRAWS) -> Correlation:
    """All correlations of the walls' noise, rounding taken out."""
    if not walls:
        empty = Curves(*(np.full(n, np.nan) for n in (len(SPACE_LAGS),) * 2 + (len(TIME_LAGS),)))
        why = {n: refuse(n, u, "no wall was found") for n, u in _NAMES.items()}
        return Correlation(empty, why)
    longest = max((w.frames for w in walls if not w.moved), default=1)

    groups = [pack_wall(w) for w in walls]
    sums = [g.sum(0) for g in groups]
    per_number = _count_alike(find_curves(walls, sums, rounding), walls)

    def measure(sums: Sequence[Floats]) -> Floats:
        return _summarise(find_curves(walls, sums, rounding, per_number), longest)

    curves = find_curves(walls, sums, rounding, per_number)
    values, errors = bootstrap_all(measure, groups, "correlation", draws)
    basis = f"{sum(w.frames for w in walls)} frames of {len(walls)} walls"
    out = {
        name: Estimate(name, unit, float(value), float(error), basis)
        for (name, unit), value, error in zip(_NAMES.items(), values, errors, strict=True)
    }
    _refuse_some(out, curves, walls, longest)
    return Correlation(curves, out)


def pack_wall(wall: Wall) -> Floats:
    """(T, k) the sums that `find_curves` needs, by tile."""
    parts = (wall.total, wall.space, wall.cross, wall.time * (not wall.moved))
    return np.concatenate([p.reshape(len(p), -1) for p in parts], 1)


def _count_alike(curves: Curves, walls: Sequence[Wall]) -> list[float]:
    """Of each wall, how many pixels make one independent number for the fit of its surface: as many
    as the correlation covers, of that part of the noise which is left in the mean of its frames.
    """
    lags, curve = np.array((0, *SPACE_LAGS), np.float64), np.array((1.0, *curves.space))
    end = int(np.argmax(~(curve > 0.02))) or len(curve)  # beyond it there is nothing but noise
    area = max(1.0, 2.0 * math.pi * float(np.trapezoid((curve * lags)[:end], lags[:end])))
    late = curves.time[np.isfinite(curves.time)]
    lasting = float(np.clip(late.mean(), 0.0, 1.0)) if len(late) else 1.0
    return [area * (lasting + (1.0 - lasting) / wall.frames) for wall in walls]


def find_curves(
    walls: Sequence[Wall],
    sums: Sequence[Floats],
    rounding: Rounding,
    per_number: Sequence[float] | None = None,
) -> Curves:
    """Correlations from one (k,) sum a wall; walls count by their pairs of pixels.

    per_number: of each wall, see `noise.find_sigma`; pixels on their own if left out.
    """
    alike = [1.0] * len(walls) if per_number is None else per_number
    size = len(SPACE_LAGS) * 4
    tops = [np.zeros((len(SPACE_LAGS), 2)), np.zeros((len(SPACE_LAGS), 2))]
    time = np.zeros((len(TIME_LAGS), 2))
    for wall, packed, count in zip(walls, sums, alike, strict=True):
        step = rounding.at(wall)
        variance = find_sigma(packed[:2], step, wall, count) ** 2
        if not variance > 0:
            continue
        for which in (0, 1):
            block = packed[2 + which * size : 2 + (which + 1) * size]
            for k, both in enumerate(block.reshape(len(SPACE_LAGS), 2, 2)):
                for axis in (0, 1):
                    shift = wall.slope[axis] * SPACE_LAGS[k]
                    tops[which][k] += _correlate(both[axis], variance, step, shift)
        for k, both in enumerate(packed[2 + 2 * size :].reshape(-1, 2)):
            time[k] += _correlate(both, variance, step, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Curves(*(t[:, 0] / t[:, 1] for t in (*tops, time)))


def _correlate(both: Floats, variance: float, step: float, shift: float) -> Floats:
    """(2,) correlation times pairs, and pairs."""
    half, pairs = both
    if pairs < _LEAST_PAIRS:
        return np.zeros(2)
    return np.array([pairs * (1.0 - invert_rounding(half / pairs, step, shift) / variance), pairs])


def _summarise(curves: Curves, longest: int) -> Floats:
    """Values of `_NAMES`."""
    lags = np.array(SPACE_LAGS, np.float64)
    times = np.array(TIME_LAGS, np.float64)
    known = np.isfinite(curves.time)
    slow, fixed, memory, fresh_length, slow_length = (np.nan,) * 5
    if known.any():
        late = known & (times >= longest / 2)
        fixed = float(curves.time[late if late.any() else known].mean())
        slow = float(curves.time[0])
        fresh_length = find_fall(lags, (curves.space - curves.cross) / max(1.0 - slow, 1e-9))
        slow_length = find_fall(lags, curves.cross / max(slow, 1e-9))
        moving = (curves.time[known] - fixed) / max(slow - fixed, 1e-9)
        # From one frame to the next: where the slow part stands at 1 by definition.
        memory = 1.0 + find_fall(times[known][1:] - 1.0, moving[1:]) if known.sum() > 2 else np.nan
    fresh = (curves.space[0] - curves.cross[0]) / max(1.0 - slow, 1e-9)
    fine, smooth, share, _ = fit_lengths(curves.space)
    total = find_fall(lags, curves.space)
    return np.array(
        [
            *(total, fresh_length, slow_length, slow, fixed, memory),
            *(fixed / max(slow, 1e-9), fresh, fine, smooth, share),
        ]
    )


def _refuse_some(
    out: dict[str, Estimate], curves: Curves, walls: Sequence[Wall], longest: int
) -> None:
    """Put reasons in the place of values that mean nothing."""

    def drop(why: str, *names: str) -> None:
        for name in names:
            out[name] = refuse(name, _NAMES[name], why)

    if not np.isfinite(curves.time).any():
        drop(explain_still(walls), *list(_NAMES)[1:8])
    else:
        slow, fixed = out["slow_share"], out["fixed_share"]
        assert slow.value is not None and slow.error is not None
        assert fixed.value is not None and fixed.error is not None
        late = curves.time[np.array(TIME_LAGS) >= longest / 2]
        late = late[np.isfinite(late)]
        if slow.value < max(0.02, 4 * slow.error):
            drop("nothing stays from one frame to the next", *_SLOW)
        if slow.value > 0.98:
            drop("nothing changes from one frame to the next", "fresh_length", "fresh_neighbour")
        if longest < _LEAST_BURST:
            why = f"the longest burst has {longest} frames, {_LEAST_BURST} are needed"
            drop(why, "memory", "fixed_share", "fixed_of_slow")
        elif len(late) > 1 and late[0] - late[-1] > _DRIFT:
            why = "the noise still changes over the whole burst: record longer ones"
            drop(why, "memory", "fixed_share", "fixed_of_slow")
        elif slow.value - fixed.value < max(0.03, 4 * (slow.error + fixed.error)):
            drop("what stays from one frame to the next stays for the whole burst", "memory")
    if fit_lengths(curves.space)[3] < _BETTER:
        drop("one length explains the correlation", "fine_length", "smooth_length", "smooth_share")
    for name, one in out.items():
        if one.value is not None and not (np.isfinite(one.value) and np.isfinite(one.error or 0)):
            drop(
                f"the noise still correlates {SPACE_LAGS[-1]} px apart, or rounding covers it", name
            )
