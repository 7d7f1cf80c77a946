"""Two parameters that trade against each other, solved together.

How much noise never changes and how long the rest lasts are both read off one curve: a burst that
is short against the memory takes slow noise for fixed noise. Errors of one are errors of the other.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from augment.calibrate.estimate import Floats
from augment.calibrate.link import Link
from augment.calibrate.measurement import Measurement
from augment.calibrate.outcome import put_value
from augment.profile import Profile

COUPLED: Final = ("fixed_share", "memory_s")

_MOVE: Final = 2.0
"""Standard errors by which a parameter is moved to see what it does."""

_MOST: Final = 4.0
"""Standard errors by which the joint step may move a parameter at most."""


def pick_pair(links: Sequence[Link]) -> list[Link]:
    """The links of `COUPLED`, if both are fitted; else none."""
    pair = [link for link in links if link.parameter in COUPLED]
    return pair if len(pair) == len(COUPLED) else []


def find_coupling(
    pair: Sequence[Link],
    profile: Profile,
    errors: dict[str, float],
    simulated: Measurement,
    record: Callable[[Profile], Measurement],
) -> Floats | None:
    """(2, 2) d parameter / d quantity, by one simulation a parameter; None where there is none.

    errors: standard errors by parameter. simulated: what `profile` measures. record: measures
    another profile on the same scene with the same random numbers.
    """
    jacobian = np.zeros((2, 2))
    for k, link in enumerate(pair):
        given = dict(profile.given)
        old = given[link.parameter].value
        step = _MOVE * errors[link.parameter]
        put_value(given, profile.model, link.parameter, old + (step if old < 0.5 else -step))
        step = given[link.parameter].value - old
        moved = record(dataclasses.replace(profile, given=given))
        for i, other in enumerate(pair):
            after = moved.estimates[other.measure].value
            before = simulated.estimates[other.measure].value
            if after is None or before is None or not step:
                return None
            jacobian[i, k] = (after - before) / step
    if abs(float(np.linalg.det(jacobian))) < 1e-9:
        return None
    return np.asarray(np.linalg.inv(jacobian))


def step_jointly(
    pair: Sequence[Link],
    profile: Profile,
    inverse: Floats,
    errors: dict[str, float],
    measured: Measurement,
    simulated: Measurement,
) -> None:
    """One step of Newton's for both parameters of `profile`, in place."""
    off = np.array([_take(measured, lk) - _take(simulated, lk) for lk in pair])
    for link, move in zip(pair, inverse @ off, strict=True):
        most = _MOST * errors[link.parameter]
        value = profile.given[link.parameter].value + float(np.clip(move, -most, most))
        put_value(profile.given, profile.model, link.parameter, value)


def couple_errors(
    pair: Sequence[Link], inverse: Floats, errors: dict[str, float], measured: Measurement
) -> dict[str, float]:
    """Errors, those of the pair put right; the quantities' own are taken for independent."""
    noise = np.array([measured.estimates[link.measure].error or 0.0 for link in pair])
    # Twice the variance: what is simulated errs as what was recorded.
    variance = 2.0 * (inverse**2 @ noise**2)
    coupled = {lk.parameter: float(np.sqrt(v)) for lk, v in zip(pair, variance, strict=True)}
    return {name: max(error, coupled.get(name, 0.0)) for name, error in errors.items()}


def _take(measurement: Measurement, link: Link) -> float:
    value = measurement.estimates[link.measure].value
    return float("nan") if value is None else value
