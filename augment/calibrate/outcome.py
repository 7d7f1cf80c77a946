"""What became of each parameter: value, standard error, and what the profile's file says of it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from augment.calibrate.capture import Capture
from augment.calibrate.link import Link, find_slope
from augment.calibrate.measurement import Measurement
from augment.parameter import Given
from augment.profile import MODELS, Profile


@dataclass(frozen=True)
class Outcome:
    """One parameter that was fitted, or that one might have expected to be."""

    parameter: str
    unit: str
    base: float
    value: float
    error: float | None
    """Standard error; None if it was not fitted."""

    why: str
    """Why it was not fitted; "" if it was."""


def find_error(
    link: Link, profile: Profile, measured: Measurement, simulated: Measurement, slope: float
) -> float:
    """The parameter's standard error. slope: d parameter / d quantity as the rounds saw it."""
    value = profile.given[link.parameter].value
    found = measured.estimates[link.measure]
    assert found.value is not None and found.error is not None
    if link.update == "none":
        relative = found.error / max(abs(found.value), 1e-300)
        return abs(value) * float(relative)
    slope = max(abs(slope), abs(find_slope(link, value, found.value)))
    # Both recordings err alike, and what the last round left counts too.
    made = simulated.estimates[link.measure].value
    left = 0.0 if made is None else made - found.value
    return slope * float(np.hypot(np.sqrt(2.0) * found.error, left))


def put_value(given: dict[str, Given], model: str, parameter: str, value: float) -> None:
    """Replace a parameter's value, kept within the model's bounds."""
    low, high = _find_bounds(model, parameter)
    old = given[parameter]
    given[parameter] = Given(float(np.clip(value, low, high)), old.unit, old.source, None)


def state_profile(
    base: Profile,
    profile: Profile,
    capture: Capture,
    measured: Measurement,
    links: Sequence[Link],
    outcomes: Sequence[Outcome],
) -> Profile:
    """The profile with the source of every parameter, and twice the error for its spread."""
    found = {o.parameter: o for o in outcomes}
    basis = {k.parameter: measured.estimates[k.measure].basis for k in links}
    given = {}
    for name, one in profile.given.items():
        outcome, old = found.get(name), base.given[name]
        if outcome is not None and outcome.error is not None:
            source = f"fitted from {capture.name}, {basis[name]}, +- {outcome.error:.2g}"
            low, high = _find_bounds(base.model, name)
            reach = 2.0 * outcome.error
            spread = max(one.value - reach, low), min(one.value + reach, high)
            given[name] = Given(one.value, one.unit, source, spread)
        elif outcome is not None and outcome.why:
            given[name] = dataclasses.replace(
                old, source=f"{old.source}; as {base.name}: {outcome.why}"
            )
        elif one.value != old.value:
            given[name] = Given(one.value, one.unit, f"goes with what was fitted to {capture.name}")
        else:
            given[name] = old
    about = f"Fitted to {capture.name} ({capture.frames} frames), starting from {base.name}."
    return Profile(profile.name, base.model, about, given)


def _find_bounds(model: str, parameter: str) -> tuple[float, float]:
    field = next(f for f in dataclasses.fields(MODELS[model]) if f.name == parameter)
    return field.metadata["low"], field.metadata["high"]
