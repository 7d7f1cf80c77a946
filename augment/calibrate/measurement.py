"""Everything that is measured on a capture, real or simulated, in one go."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from augment.calibrate.amplitude import measure_amplitude
from augment.calibrate.capture import Capture
from augment.calibrate.correlation import Correlation, correlate
from augment.calibrate.estimate import DRAWS, Estimate, bootstrap, refuse
from augment.calibrate.hands import (
    HandFrame,
    HandSums,
    find_hands,
    measure_hand_roughness,
    measure_shares,
    sum_hands,
)
from augment.calibrate.noise import (
    Rounding,
    WallNoise,
    explain_still,
    fit_exponent,
    fit_growth,
    measure_walls,
    pool_sigma,
)
from augment.calibrate.quantum import Comb, find_comb
from augment.calibrate.shadow_bands import measure_bands
from augment.calibrate.wall import Wall, find_walls


@dataclass(frozen=True)
class Measurement:
    """What a capture shows."""

    walls: tuple[Wall, ...]
    noise: tuple[WallNoise, ...]
    """The walls' figures, by distance."""

    no_walls: tuple[str, ...]
    """Why other clips are no walls."""

    comb: Comb | str
    rounding: Rounding
    correlation: Correlation
    hands: HandSums | None
    hand_frames: tuple[HandFrame, ...]
    estimates: dict[str, Estimate]
    """Every quantity by name."""


def measure_capture(
    capture: Capture, draws: int = DRAWS, comb: Comb | str | None = None
) -> Measurement:
    """Measure everything. draws: bootstrap draws, 0 for no errors. comb: if the steps of the
    values are known already.
    """
    walls, reasons = find_walls(capture)
    walls.sort(key=lambda w: w.distance_m)
    if comb is None:
        comb = find_comb(walls, capture.depth_scale) if walls else "no wall was found"
    rounding = Rounding()
    if isinstance(comb, Comb):
        rounding = Rounding(*((0.0, comb.period) if comb.in_disparity else (comb.period, 0.0)))
    noise = measure_walls(walls, rounding, draws)
    correlation = correlate(walls, rounding, draws)
    frames, marked = find_hands(capture)
    hands = sum_hands(frames, capture.depth_scale, marked)
    found = [
        pool_sigma(noise),
        fit_exponent(noise),
        *fit_growth(noise),
        *correlation.estimates.values(),
        *describe_comb(comb),
        _pool_temporal(noise, walls),
        _measure_holes(walls, draws),
        *measure_amplitude(capture, walls),
        *measure_shares(hands, draws),
        *measure_bands(hands, capture.camera.fx, draws),
        *measure_hand_roughness(hands, draws),
    ]
    return Measurement(
        tuple(walls),
        tuple(noise),
        tuple(reasons),
        comb,
        rounding,
        correlation,
        hands,
        tuple(frames),
        {e.name: e for e in found},
    )


def describe_comb(comb: Comb | str) -> list[Estimate]:
    """The step in 1 / z and the step in z: one of them, or none."""
    names = (("quantum_inverse", "1/m"), ("quantum_depth", "m"))
    if isinstance(comb, str):
        return [refuse(n, u, comb) for n, u in names]
    out = []
    for in_disparity, (name, unit) in zip((True, False), names, strict=True):
        if comb.in_disparity == in_disparity:
            plural = "" if comb.walls == 1 else "s"
            basis = f"{comb.walls} wall{plural}, strength {comb.strength:.2f}"
            out.append(Estimate(name, unit, comb.period, comb.error, basis))
        else:
            other = "disparities" if comb.in_disparity else "depths"
            out.append(refuse(name, unit, f"the values come in even steps of {other}"))
    return out


def _pool_temporal(noise: Sequence[WallNoise], walls: Sequence[Wall]) -> Estimate:
    """The exponent-free one-number summary: temporal noise as a change of 1 / z."""
    rows = [
        (n.temporal_m.value / n.distance_m**2, (n.temporal_m.error or 0.0) / n.distance_m**2)
        for n in noise
        if n.temporal_m.value is not None
    ]
    name, unit = "temporal_inverse", "1/m"
    if not rows:
        return refuse(name, unit, explain_still(walls))
    value, error = np.array(rows).T
    return Estimate(name, unit, float(np.median(value)), float(np.median(error)), _say_basis(walls))


def _measure_holes(walls: Sequence[Wall], draws: int) -> Estimate:
    """Share of the walls' pixels without a reading."""
    name = "wall_holes"
    if not walls:
        return refuse(name, "", "no wall was found")
    groups = [w.fill for w in walls]
    value, error = bootstrap(
        lambda s: 1.0 - sum(one[0] for one in s) / sum(one[1] for one in s), groups, name, draws
    )
    return Estimate(name, "", value, error, _say_basis(walls))


def _say_basis(walls: Sequence[Wall]) -> str:
    return f"{sum(w.frames for w in walls)} frames of {len(walls)} walls"
