"""Which model a capture asks for, and the profile to start from."""

from typing import Final

from augment.calibrate.link import LINKS
from augment.calibrate.measurement import Measurement
from augment.profile import Mixture, Profile, load_profile
from frames.errors import BadInput

BASES: Final = {"stereo": "d435", "structured-light": "sr300", "time-of-flight": "azure-kinect"}
"""Profile to start from by model, if none is named."""

_STEEP: Final = 1.5
"""Exponent of sigma(z) from which disparities, not phases, must be what is uncertain."""


def choose_base(model: str, base: str, measured: Measurement) -> tuple[Profile, str]:
    """The profile to start from, and, where it was guessed, one line that says why; else "".

    Raises BadInput for a base of a model that cannot be calibrated, or of another than `model`.
    """
    reason = ""
    if not base and not model:
        model, why = guess_model(measured)
        reason = f"--model {model}, --base {BASES[model]}: {why}"
    elif not base:
        reason = f"--base {BASES[model]}: the usual one for {model}"
    name = base or BASES[model]
    found = load_profile(name)
    if isinstance(found, Mixture) or found.model not in LINKS:
        kind = "a mixture" if isinstance(found, Mixture) else f"of model {found.model}"
        raise BadInput(f"base {name} is {kind}: it must be a profile of {', '.join(LINKS)}")
    if model and found.model != model:
        raise BadInput(f"base {name} is of model {found.model}, not {model}: leave one of them out")
    return found, reason


def guess_model(measured: Measurement) -> tuple[str, str]:
    """A model, and why."""
    values = measured.estimates
    exponent, shadow = values["sigma_exponent"].value, values["shadow_baseline"].value
    if values["amplitude_slope"].value is not None or values["vignette_power"].value is not None:
        return "time-of-flight", "there are amplitude images"
    if values["quantum_inverse"].value is not None:
        return "stereo", "the values come in even steps of disparity"
    if exponent is not None and exponent >= _STEEP:
        return "stereo", f"the noise grows with the power {exponent:.2f} of the distance"
    if exponent is not None and shadow is not None:
        why = f"the noise grows with the power {exponent:.2f} only, and there are shadows"
        return "structured-light", why
    if exponent is not None:
        why = f"the noise grows with the power {exponent:.2f} only, and no shadows were seen"
        return "time-of-flight", why
    return "stereo", "the capture does not tell; say --model if it is another"
