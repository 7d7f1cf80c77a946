"""The baseline: whether the shadows of a capture contradict the base's, and what hangs on it."""

import dataclasses
from typing import Final

import numpy as np

from augment.calibrate.measurement import Measurement
from augment.calibrate.outcome import put_value
from augment.profile import Profile

_SHADOW_DOUBT: Final = 0.05
"""Relative error of a shadow's baseline besides chance: dark things beside a hand are holes too."""


def keep_baseline(base: Profile, profile: Profile) -> Profile:
    """The profile with the base's own baseline."""
    given = dict(profile.given)
    if "baseline_m" in given:
        given["baseline_m"] = base.given["baseline_m"]
    return dataclasses.replace(profile, given=given)


def explain_agreement(base: Profile, measured: Measurement, simulated: Measurement) -> str:
    """Why the base's baseline stays: shadows allow it, and a data sheet knows it better. "" if not.

    simulated: by a device with the base's baseline.
    """
    real, made = (m.estimates["shadow_baseline"] for m in (measured, simulated))
    if real.value is None or real.error is None or not np.isfinite(real.error):
        return ""
    expected, share = made.value, _SHADOW_DOUBT
    if expected is None:  # its shadows are lost among other holes: by geometry alone
        expected, share = base.given["baseline_m"].value, 3.0 * _SHADOW_DOUBT
        if base.model == "stereo":
            expected = float(np.copysign(expected, base.given["second_eye"].value))
    doubt = float(np.hypot(np.sqrt(2.0) * real.error, share * real.value))
    if abs(real.value - expected) > 2.0 * doubt:
        return ""
    return (
        f"the shadows do not contradict it: {real.value:.3g} +- {doubt:.2g} m, expected"
        f" {expected:.3g} m"
    )


def follow_baseline(base: Profile, profile: Profile) -> None:
    """Let the nearest distance that is read stay where the base has it, whatever the baseline."""
    if profile.model == "stereo":
        longer = profile.given["baseline_m"].value / base.given["baseline_m"].value
        if longer != 1.0:
            most = base.given["max_disparity_px"].value * longer
            put_value(profile.given, profile.model, "max_disparity_px", most)
