"""A profile fitted to a capture: guesses first, then corrected until its simulation measures alike.

Indirect inference (Gourieroux, Monfort and Renault 1993): what is measured on a capture depends on
more than one parameter (a pull towards whole disparities adds to the noise, growth narrows the
shadow), so the fitted device records the same scene, is measured by the same code, and each
parameter is moved by what its quantity is off. All rounds draw the same random numbers; their
error, as large as the capture's own, is in the standard errors.
"""

import dataclasses
from dataclasses import dataclass
from typing import Final

import numpy as np

from augment.calibrate.capture import Capture
from augment.calibrate.link import LINKS, UNKNOWABLE, Context, Link
from augment.calibrate.measurement import Measurement, measure_capture
from augment.calibrate.resimulation import find_rate, simulate
from augment.parameter import Given
from augment.profile import MODELS, Profile
from frames.errors import BadInput

ROUNDS: Final = 5
_SEED: Final = 20_250_101
_FEW_DRAWS: Final = 24
"""Of the bootstrap on what is simulated: its errors only serve as weights."""


@dataclass(frozen=True)
class Outcome:
    """What became of one parameter."""

    parameter: str
    unit: str
    base: float
    value: float
    error: float | None
    """Standard error; None if it was not fitted."""

    why: str
    """Why it was not fitted; "" if it was."""


@dataclass(frozen=True)
class Fit:
    """A fitted profile and what it does."""

    profile: Profile
    outcomes: tuple[Outcome, ...]
    simulated: Measurement
    """The same measurements on the fitted device's recording."""

    @property
    def fitted(self) -> int:
        """How many parameters were."""
        return sum(o.error is not None for o in self.outcomes)


def fit_profile(
    capture: Capture, measured: Measurement, base: Profile, name: str, rounds: int = ROUNDS
) -> Fit:
    """The profile `name`: `base` with what the capture determines put in its place.

    Raises BadInput if it determines nothing.
    """
    given = dict(base.given)
    rate = find_rate(capture)
    links, refused = [], dict(UNKNOWABLE.get(base.model, {}))
    for link in LINKS[base.model]:
        if any(other.parameter == link.parameter for other in links):
            continue
        context = Context(capture, measured, given, rate)
        found = measured.estimates[link.measure]
        why = found.why or link.needs(context)
        if found.value is None or found.error is None or not np.isfinite(found.error) or why:
            refused[link.parameter] = why or "too few blocks for a standard error"
            continue
        links.append(link)
        refused.pop(link.parameter, None)
        _put(given, base.model, link.parameter, link.guess(context, found.value))
    if not links:
        reasons = "; ".join(dict.fromkeys(refused[lk.parameter] for lk in LINKS[base.model]))
        raise BadInput(f"nothing can be determined from {capture.name}: {reasons}")
    _settle_signs(base.model, given, measured, links)
    profile = Profile(name, base.model, base.about, given)
    simulated, slopes = _correct(capture, measured, profile, links, rounds)
    outcomes = _report(base, profile, measured, links, refused, slopes, simulated)
    return Fit(_state(base, profile, capture, measured, links, outcomes), outcomes, simulated)


def _correct(
    capture: Capture,
    measured: Measurement,
    profile: Profile,
    links: list[Link],
    rounds: int,
) -> tuple[Measurement, dict[str, float]]:
    """Move the parameters of `profile` in place.

    Returns its last simulation's measurement and, by parameter, d parameter / d quantity.
    """
    slopes: dict[str, float] = {}
    before: dict[str, tuple[float, float]] = {}
    for turn in range(rounds + 1):
        # A profile builds its parameters once: a new one each round.
        made_by = dataclasses.replace(profile, given=dict(profile.given))
        recorded = simulate(capture, measured, made_by, _SEED)
        simulated = measure_capture(recorded, _FEW_DRAWS, measured.comb)
        for link in links:
            real, made = (m.estimates[link.measure].value for m in (measured, simulated))
            value = profile.given[link.parameter].value
            if real is None:
                continue
            nominal = _find_slope(link, value, made if made else real)
            slope = slopes.get(link.parameter, nominal)
            if made is not None and link.parameter in before and link.update != "none":
                # By what the last move did, within reason.
                value_before, made_before = before[link.parameter]
                if abs(made - made_before) > 0.02 * abs(made) + 1e-12:
                    secant = (value - value_before) / (made - made_before)
                    slope = nominal * float(np.clip(secant / nominal, 0.3, 4.0)) if nominal else 0.0
            slopes[link.parameter] = slope
            if link.update == "none" or made is None or turn == rounds:
                continue
            before[link.parameter] = value, made
            moved = value + slope * (real - made)
            if link.update in ("ratio", "square") and value:
                # No step beyond a factor of three, and never through zero.
                moved = value * float(np.clip(moved / value, 1 / 3, 3.0))
            _put(profile.given, profile.model, link.parameter, moved)
    return simulated, slopes


def _find_slope(link: Link, value: float, made: float) -> float:
    """d parameter / d quantity as the kind of link has it."""
    if link.update == "against":
        return -1.0
    if link.update == "shift" or not made:
        return 1.0
    return value / made * (-2.0 if link.update == "square" else 1.0)


def _put(given: dict[str, Given], model: str, parameter: str, value: float) -> None:
    """Replace a parameter's value, kept within the model's bounds."""
    field = next(f for f in dataclasses.fields(MODELS[model]) if f.name == parameter)
    low, high = field.metadata["low"], field.metadata["high"]
    old = given[parameter]
    given[parameter] = Given(float(np.clip(value, low, high)), old.unit, old.source, None)


def _settle_signs(
    model: str, given: dict[str, Given], measured: Measurement, links: list[Link]
) -> None:
    """What follows from a fitted parameter: the second eye's side, where noise begins to grow."""
    names = {link.parameter for link in links}
    shadow = measured.estimates["shadow_baseline"].value
    if model == "stereo" and "baseline_m" in names and shadow is not None:
        _put(given, model, "second_eye", float(np.sign(shadow)))
    if model == "structured-light" and "axial_growth_per_m" in names:
        _put(given, model, "axial_from_m", 0.0)


def _report(
    base: Profile,
    profile: Profile,
    measured: Measurement,
    links: list[Link],
    refused: dict[str, str],
    slopes: dict[str, float],
    simulated: Measurement,
) -> tuple[Outcome, ...]:
    out = []
    by_name = {link.parameter: link for link in links}
    for name, given in profile.given.items():
        start = base.given[name].value
        if name in by_name:
            link = by_name[name]
            found = measured.estimates[link.measure]
            assert found.error is not None
            slope = max(abs(slopes[name]), abs(_find_slope(link, given.value, found.value or 0.0)))
            if link.update != "none":
                # Both recordings err alike, and what the last round left counts too.
                made = simulated.estimates[link.measure].value
                left = 0.0 if made is None or found.value is None else made - found.value
                error = slope * float(np.hypot(np.sqrt(2.0) * found.error, left))
            else:
                error = abs(given.value) * found.error / max(abs(found.value or 0.0), 1e-300)
            out.append(Outcome(name, given.unit, start, given.value, float(error), ""))
        elif name in refused:
            out.append(Outcome(name, given.unit, start, given.value, None, refused[name]))
    return tuple(out)


def _state(
    base: Profile,
    profile: Profile,
    capture: Capture,
    measured: Measurement,
    links: list[Link],
    outcomes: tuple[Outcome, ...],
) -> Profile:
    """The profile with the source of every parameter."""
    found = {o.parameter: o for o in outcomes}
    basis = {k.parameter: measured.estimates[k.measure].basis for k in links}
    given = {}
    for name, one in profile.given.items():
        outcome = found.get(name)
        old = base.given[name]
        if outcome is not None and outcome.error is not None:
            source = f"fitted from {capture.name}, {basis[name]}, +- {outcome.error:.2g}"
            spread = _bound(base.model, name, one.value, 2.0 * outcome.error)
            given[name] = Given(one.value, one.unit, source, spread)
        elif outcome is not None and outcome.why:
            source = f"{old.source}; as {base.name}: {outcome.why}"
            given[name] = Given(one.value, one.unit, source, old.spread)
        elif one.value != old.value:
            given[name] = Given(one.value, one.unit, f"goes with what was fitted to {capture.name}")
        else:
            given[name] = old
    about = f"Fitted to {capture.name} ({capture.frames} frames), starting from {base.name}."
    return Profile(profile.name, base.model, about, given)


def _bound(model: str, name: str, value: float, reach: float) -> tuple[float, float]:
    """value +- reach within the model's bounds."""
    field = next(f for f in dataclasses.fields(MODELS[model]) if f.name == name)
    low, high = field.metadata["low"], field.metadata["high"]
    return max(value - reach, low), min(value + reach, high)
