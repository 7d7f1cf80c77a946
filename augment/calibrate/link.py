"""Which measured quantity determines which parameter of a model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from augment.calibrate.capture import Capture
from augment.calibrate.measurement import Measurement
from augment.parameter import Given


@dataclass(frozen=True)
class Context:
    """What a first guess may depend on."""

    capture: Capture
    measured: Measurement
    given: dict[str, Given]
    """The parameters so far."""

    rate: float
    """Frames a second, 0 if unknown."""

    def value(self, parameter: str) -> float:
        """A parameter's value so far."""
        return self.given[parameter].value

    @property
    def lateral(self) -> float:
        """Pixels of the device a pixel of the capture."""
        return self.value("focal_px") / self.capture.camera.fx


Guess = Callable[[Context, float], float]


@dataclass(frozen=True)
class Link:
    """A parameter and the quantity it is fitted to."""

    parameter: str
    measure: str
    """Name of an estimate."""

    guess: Guess
    """The parameter's value from the quantity's, before anything was simulated."""

    update: str = "ratio"
    """How the parameter follows the quantity as simulated: "ratio" (it grows with it), "square"
    (it falls with the quantity's square), "shift" (by the difference), "none" (the guess is
    exact)."""

    needs: Callable[[Context], str] = field(default=lambda context: "")
    """Another reason not to fit it; "" for none."""


def _refuse_without_rate(context: Context) -> str:
    return "" if context.rate else "the frame rate is unknown: give --fps"


def _refuse_off_native(context: Context) -> str:
    lateral = context.lateral
    if 0.9 < lateral < 1.1:
        return ""
    return f"the images are not the device's own size ({lateral:.2f} of its pixels a pixel)"


def _to_disparity(context: Context, value: float) -> float:
    return value * context.value("focal_px") * abs(context.value("baseline_m"))


def _keep(context: Context, value: float) -> float:
    return value


_STEREO: Final = (
    Link("baseline_m", "shadow_baseline", lambda c, v: abs(v)),
    Link("noise_px", "sigma_inverse", _to_disparity),
    Link("noise_length_px", "fresh_length", lambda c, v: v * c.lateral),
    Link("patch_length_px", "slow_length", lambda c, v: v * c.lateral),
    Link("slow_share", "slow_share", _keep, "shift"),
    Link("fixed_share", "fixed_of_slow", _keep, "shift"),
    Link("memory_s", "memory", lambda c, v: v / c.rate, "ratio", _refuse_without_rate),
    Link("quantum_px", "quantum_inverse", _to_disparity, "none"),
    Link("depth_step_m", "quantum_depth", _keep, "none"),
    Link("hole_share", "wall_holes", _keep),
    Link("ring_share", "ring_outside_holes", lambda c, v: c.value("ring_share")),
    Link("grow_px", "over_lit", lambda c, v: v * c.lateral),
    Link("grow_hidden_px", "over_shadow", lambda c, v: v * c.lateral),
    Link("grow_hidden_px", "band_shadow", lambda c, v: c.value("grow_hidden_px"), "against"),
)

_STRUCTURED_LIGHT: Final = (
    Link("baseline_m", "shadow_baseline", _keep),
    Link("axial_floor_m", "sigma_floor", _keep, "shift"),
    Link("axial_growth_per_m", "sigma_growth", _keep, "shift"),
    Link("fine_px", "fine_length", lambda c, v: v * c.lateral),
    Link("smooth_px", "smooth_length", lambda c, v: v * c.lateral),
    Link("smooth_share", "smooth_share", _keep, "shift"),
    Link("fixed_share", "fixed_share", _keep, "shift"),
    Link("memory_s", "memory", lambda c, v: v / c.rate, "ratio", _refuse_without_rate),
    Link("step_px", "quantum_inverse", _to_disparity, "none"),
    Link("step_m", "quantum_depth", _keep, "none"),
    Link("dropout_share", "wall_holes", _keep),
    Link("band_px", "band_lit", lambda c, v: v * c.lateral, "shift"),
)

_TIME_OF_FLIGHT: Final = (
    Link("signal_e", "temporal_inverse", lambda c, v: c.value("signal_e"), "square"),
    Link(
        "smooth_share",
        "fresh_neighbour",
        lambda c, v: c.value("smooth_share"),
        "shift",
        _refuse_off_native,
    ),
    Link("vignette_power", "vignette_power", _keep, "shift"),
    Link("step_m", "quantum_depth", _keep, "none"),
)

LINKS: Final[dict[str, tuple[Link, ...]]] = {
    "stereo": _STEREO,
    "structured-light": _STRUCTURED_LIGHT,
    "time-of-flight": _TIME_OF_FLIGHT,
}
"""By model; of several for one parameter the first that can be is used."""

UNKNOWABLE: Final[dict[str, dict[str, str]]] = {
    "stereo": {
        "focal_px": "the device's own image size is not in a capture: the base's is the unit",
        "locking_px": "needs a wall at known distances",
        "melt_px": "needs surfaces that touch, of known shape",
    },
    "structured-light": {
        "focal_px": "the device's own image size is not in a capture: the base's is the unit",
        "lateral_px": "needs hands whose true outline is known",
        "low_signal": "needs surfaces of known reflectance",
    },
    "time-of-flight": {
        "focal_px": "the device's own image size is not in a capture: the base's is the unit",
        "offset_m": "needs a wall at known distances",
        "wiggle_rad": "needs a wall at known distances",
        "detour_share": "needs a corner of known shape",
        "min_amplitude_e": "amplitude images have no unit",
    },
}
"""Parameters that no capture of walls and hands determines, with the reason; the rest, unnamed, are
kept without a word."""


def find_slope(link: Link, value: float, quantity: float) -> float:
    """d parameter / d quantity as the kind of link has it."""
    if link.update == "against":
        return -1.0
    if link.update == "shift" or not quantity:
        return 1.0
    return value / quantity * (-2.0 if link.update == "square" else 1.0)
