"""What a calibration found, as text and as plain values."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from augment.calibrate.capture import Capture
from augment.calibrate.estimate import Estimate
from augment.calibrate.fit import Fit, Outcome
from augment.calibrate.measurement import Measurement

_ROWS: Final = (
    ("sigma_exponent", "sigma(z) grows with the power", 1.0, ""),
    ("sigma_inverse", "noise of 1/z, rounding taken out", 1e3, "1/km"),
    ("correlation_length", "correlation length, all noise", 1.0, "px"),
    ("fresh_length", "... of what is new in each frame", 1.0, "px"),
    ("slow_length", "... of what is not", 1.0, "px"),
    ("slow_share", "not new in each frame, of the variance", 100.0, "%"),
    ("fixed_share", "the same in all frames, of the variance", 100.0, "%"),
    ("memory", "memory of the rest", 1.0, "frames"),
    ("quantum_inverse", "step of 1/z", 1e3, "1/km"),
    ("quantum_depth", "step of z", 1e3, "mm"),
    ("wall_holes", "holes on the wall", 100.0, "%"),
    ("amplitude_slope", "log amplitude over log range", 1.0, ""),
    ("vignette_power", "vignette: power of the cosine", 1.0, ""),
    ("image_fill", "fill rate, frames with hands", 100.0, "%"),
    ("hand_fill", "fill rate, hands", 100.0, "%"),
    ("ring_outside_holes", "holes in the 3 px ring outside hands", 100.0, "%"),
    ("ring_inside_holes", "holes in the 3 px ring inside hands", 100.0, "%"),
    ("band_left", "hole band left of hands", 1.0, "px"),
    ("band_right", "hole band right of hands", 1.0, "px"),
    ("over_lit", "hands overhang their masks, lit side", 1.0, "px"),
    ("over_shadow", "... shadow side", 1.0, "px"),
    ("shadow_baseline", "baseline that the shadow implies", 1e3, "mm"),
    ("hand_roughness", "7x7 plane residual on hands", 1e3, "mm"),
)
"""Name, words, factor and unit of each row of the table."""

_WIDE: Final = 42


def format_report(capture: Capture, measured: Measurement, fit: Fit) -> str:
    """Table real | fitted, the fitted parameters, and what was not fitted with its reason."""
    camera = capture.camera
    many = "" if fit.fitted == 1 else "s"
    lines = [
        f"{capture.name}: {capture.frames} frames {camera.width} x {camera.height},"
        f" {len(measured.walls)} wall{'s' * (len(measured.walls) != 1)},"
        f" {len(measured.hand_frames)} with hands",
        "",
        f"{'':{_WIDE}} {'real':>24} {'fitted':>12}",
        *_list_rows(measured, fit.simulated),
        "",
        f"{fit.profile.name} ({fit.profile.model}), {fit.fitted} parameter{many} fitted",
        *(_say_outcome(o) for o in fit.outcomes if o.error is not None),
    ]
    kept = [o for o in fit.outcomes if o.error is None]
    if kept:
        lines += ["", "not determined, kept as the base has them"]
        lines += [f"  {o.parameter:20} {o.value:10.4g} {o.unit:9} {o.why}" for o in kept]
    if measured.no_walls:
        lines += ["", "no wall in", *(f"  {why}" for why in measured.no_walls[:8])]
        if len(measured.no_walls) > 8:
            lines.append(f"  ... and {len(measured.no_walls) - 8} more")
    return "\n".join(lines)


def list_values(capture: Capture, measured: Measurement, fit: Fit) -> dict[str, Any]:
    """The same as plain JSON values."""
    return {
        "capture": capture.name,
        "frames": capture.frames,
        "walls": [
            {
                "name": n.name,
                "distance_m": n.distance_m,
                "plane_rms_m": n.plane_rms_m.value,
                "temporal_noise_m": n.temporal_m.value,
                "fill": n.fill.value,
            }
            for n in measured.noise
        ],
        "measured": {
            e.name: {"value": e.value, "error": _finite(e.error), "unit": e.unit, "why": e.why}
            for e in measured.estimates.values()
        },
        "simulated": {e.name: e.value for e in fit.simulated.estimates.values()},
        "model": fit.profile.model,
        "parameters": {
            o.parameter: {"value": o.value, "error": o.error, "base": o.base, "why": o.why}
            for o in fit.outcomes
        },
    }


def _list_rows(measured: Measurement, simulated: Measurement) -> Iterator[str]:
    made = {n.name: n for n in simulated.noise}
    for noise in measured.noise:
        other = made.get(noise.name)
        where = f"at {noise.distance_m:.2f} m, {noise.frames} frame{'s' * (noise.frames != 1)}: "
        for label, name in (("plane RMS", "plane_rms_m"), ("temporal noise", "temporal_m")):
            theirs = None if other is None else getattr(other, name)
            yield _say_row(where + label, getattr(noise, name), theirs, 1e3, "mm")
            where = " " * len(where)
    shown = [
        *_ROWS,
        *((n, _name_bin(n), 1e3, "mm") for n in measured.estimates if n.startswith(_BIN)),
    ]
    for name, words, factor, unit in shown:
        yield _say_row(words, measured.estimates[name], simulated.estimates.get(name), factor, unit)


_BIN: Final = "hand_roughness_"


def _name_bin(name: str) -> str:
    low, high = name.removeprefix(_BIN).split("_")
    return f"... from {low} to {high} m"


def _say_row(words: str, real: Estimate, made: Estimate | None, factor: float, unit: str) -> str:
    if real.value is None:
        return f"{words:{_WIDE}} {'-':>24} {'':>12}  {real.why}"
    error = "" if _finite(real.error) is None else f" +- {abs(real.error or 0) * factor:.2g}"
    theirs = "-" if made is None or made.value is None else f"{made.value * factor:.4g}"
    left = f"{real.value * factor:.4g}{error}"
    return f"{words:{_WIDE}} {left:>24} {theirs:>12}  {unit}".rstrip()


def _say_outcome(outcome: Outcome) -> str:
    right = f"{outcome.value:.4g} +- {outcome.error:.2g} {outcome.unit}"
    return f"  {outcome.parameter:20} {outcome.base:10.4g} -> {right}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
