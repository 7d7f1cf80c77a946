"""A profile fitted to a capture: guesses first, then corrected until its simulation measures alike.

Indirect inference (Gourieroux, Monfort and Renault 1993): what is measured on a capture depends on
more than one parameter (a pull towards whole disparities adds to the noise, growth narrows the
shadow), so the fitted device records the same scene, is measured by the same code, and each
parameter is moved by what its quantity is off. All rounds draw the same random numbers; their
error, as large as the capture's own, is in the standard errors.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from augment.calibrate.baseline import explain_agreement, follow_baseline, keep_baseline
from augment.calibrate.capture import Capture
from augment.calibrate.coupling import couple_errors, find_coupling, pick_pair, step_jointly
from augment.calibrate.link import LINKS, UNKNOWABLE, Context, Link, find_slope
from augment.calibrate.measurement import Measurement, measure_capture
from augment.calibrate.outcome import Outcome, find_error, put_value, state_profile
from augment.calibrate.resimulation import find_rate, simulate
from augment.profile import Profile
from frames.errors import BadInput

ROUNDS: Final = 4
_SEED: Final = 20_250_101
_FEW_DRAWS: Final = 24
"""Of the bootstrap on what is simulated: its errors only serve as weights."""

_LEAST_MOVE: Final = 0.02
"""Relative change of a quantity from which its parameter's effect can be told."""


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


@dataclass
class _Progress:
    """What the rounds have found out."""

    slopes: dict[str, float] = field(default_factory=dict)
    """d parameter / d quantity, by parameter."""

    before: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Parameter and quantity of the last round, by parameter."""


def fit_profile(
    capture: Capture, measured: Measurement, base: Profile, name: str, rounds: int = ROUNDS
) -> Fit:
    """The profile `name`: `base` with what the capture determines put in its place.

    Raises BadInput if it determines nothing.
    """
    profile = Profile(name, base.model, base.about, dict(base.given))
    context = Context(capture, measured, profile.given, find_rate(capture))
    links, refused = _choose_links(base.model, context)
    _check_some(links, refused, capture)

    def record(one: Profile) -> Measurement:
        follow_baseline(base, one)
        # A profile builds its parameters once: a copy for each round.
        copy = dataclasses.replace(one, given=dict(one.given))
        made = simulate(capture, measured, copy, _SEED)
        return measure_capture(made, _FEW_DRAWS, measured.comb)

    simulated = record(keep_baseline(base, profile))
    why = explain_agreement(base, measured, simulated)
    if why and any(link.parameter == "baseline_m" for link in links):
        links = [link for link in links if link.parameter != "baseline_m"]
        refused["baseline_m"] = why
        profile = keep_baseline(base, profile)
        context = dataclasses.replace(context, given=profile.given)
        _check_some(links, refused, capture)
    _settle_signs(profile, measured, links)
    progress = _Progress()
    simulated = record(profile)
    for _ in range(rounds):
        for link in links:
            _move(link, profile, context, simulated, progress)
        simulated = record(profile)
    errors = _find_errors(links, profile, measured, simulated, progress)
    pair = pick_pair(links)
    coupling = find_coupling(pair, profile, errors, simulated, record) if pair else None
    if coupling is not None:
        step_jointly(pair, profile, coupling, errors, measured, simulated)
        simulated = record(profile)
        errors = _find_errors(links, profile, measured, simulated, progress)
        errors = couple_errors(pair, coupling, errors, measured)
    vague = {n: e for n, e in errors.items() if e > _find_size(n, base, profile)}
    for name, error in vague.items():
        refused[name] = f"the fit gave {profile.given[name].value:.3g} +- {error:.2g}"
        profile.given[name] = base.given[name]
        del errors[name]
    links = [link for link in links if link.parameter in errors]
    _check_some(links, refused, capture)
    if vague:
        simulated = record(profile)
    outcomes = tuple(
        Outcome(
            one,
            given.unit,
            base.given[one].value,
            given.value,
            errors.get(one),
            refused.get(one, ""),
        )
        for one, given in profile.given.items()
        if one in errors or one in refused
    )
    stated = state_profile(base, profile, capture, measured, links, outcomes)
    return Fit(stated, outcomes, simulated)


def _check_some(links: list[Link], refused: dict[str, str], capture: Capture) -> None:
    """Raises BadInput if nothing is left to be fitted."""
    if not links:
        reasons = "; ".join(dict.fromkeys(refused.values()))
        raise BadInput(f"nothing can be determined from {capture.name}: {reasons}")


def _find_size(name: str, base: Profile, profile: Profile) -> float:
    """What a standard error must not exceed."""
    return max(abs(base.given[name].value), abs(profile.given[name].value))


def _find_errors(
    links: list[Link],
    profile: Profile,
    measured: Measurement,
    simulated: Measurement,
    progress: _Progress,
) -> dict[str, float]:
    """Standard errors by parameter."""
    out = {}
    for link in links:
        slope = progress.slopes.get(link.parameter, 0.0)
        out[link.parameter] = find_error(link, profile, measured, simulated, slope)
    if "baseline_m" in out:
        # Steps of disparity are known as well as the baseline they are counted in.
        relative = out["baseline_m"] / abs(profile.given["baseline_m"].value)
        for link in links:
            if link.measure == "quantum_inverse":
                more = relative * profile.given[link.parameter].value
                out[link.parameter] = float(np.hypot(out[link.parameter], more))
    return out


def _choose_links(model: str, context: Context) -> tuple[list[Link], dict[str, str]]:
    """Links that the capture allows, their parameters guessed, and reasons for the others."""
    links: list[Link] = []
    refused = dict(UNKNOWABLE.get(model, {}))
    for link in LINKS[model]:
        if any(other.parameter == link.parameter for other in links):
            continue
        found = context.measured.estimates[link.measure]
        why = found.why or link.needs(context)
        if not why and not np.isfinite(np.nan if found.error is None else found.error):
            why = "too few blocks of pixels for a standard error"
        if why or found.value is None:
            refused[link.parameter] = why
            continue
        links.append(link)
        refused.pop(link.parameter, None)
        put_value(context.given, model, link.parameter, link.guess(context, found.value))
    return links, refused


def _move(
    link: Link, profile: Profile, context: Context, simulated: Measurement, progress: _Progress
) -> None:
    """Move one parameter of `profile` by what its quantity is off."""
    name = link.parameter
    real = context.measured.estimates[link.measure].value
    made = simulated.estimates[link.measure].value
    assert real is not None
    if link.update == "none":  # it may hang on another parameter, such as the baseline
        put_value(profile.given, profile.model, name, link.guess(context, real))
        return
    if made is None:
        return
    value = profile.given[name].value
    nominal = find_slope(link, value, made)
    slope = progress.slopes.get(name, nominal)
    if name in progress.before and nominal:
        value_before, made_before = progress.before[name]
        if abs(made - made_before) > _LEAST_MOVE * abs(made) + 1e-12:
            # By what the last move did, within reason.
            secant = (value - value_before) / (made - made_before)
            slope = nominal * float(np.clip(secant / nominal, 0.3, 4.0))
    progress.slopes[name] = slope
    progress.before[name] = value, made
    moved = value + slope * (real - made)
    if link.update in ("ratio", "square") and value:
        # No step beyond a factor of three, and never through zero.
        moved = value * float(np.clip(moved / value, 1 / 3, 3.0))
    put_value(profile.given, profile.model, name, moved)


def _settle_signs(profile: Profile, measured: Measurement, links: list[Link]) -> None:
    """What follows from a fitted parameter: the second eye's side, where noise begins to grow."""
    names = {link.parameter for link in links}
    shadow = measured.estimates["shadow_baseline"].value
    if profile.model == "stereo" and "baseline_m" in names and shadow is not None:
        put_value(profile.given, profile.model, "second_eye", float(np.sign(shadow)))
    if profile.model == "structured-light" and "axial_growth_per_m" in names:
        put_value(profile.given, profile.model, "axial_from_m", 0.0)
