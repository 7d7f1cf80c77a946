"""What walls say of the noise: its size against distance, its reach in space and in time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from augment.calibrate.estimate import DRAWS, Estimate, Floats, bootstrap, find_median, refuse
from augment.calibrate.plane import WARP_ORDER
from augment.calibrate.wall import Wall

_TERMS: Final = (WARP_ORDER + 1) * (WARP_ORDER + 2) // 2


@dataclass(frozen=True)
class Rounding:
    """Steps that the values come in, besides those of the file."""

    depth_m: float = 0.0
    """In z, 0 for none."""

    inverse: float = 0.0
    """In 1 / z, 1/m; 0 for none."""

    def at(self, wall: Wall) -> float:
        """All steps together at a wall's distance, in 1 / z: variances add."""
        return float(np.hypot(np.hypot(self.inverse, self.depth_m * wall.inverse**2), wall.step))


@dataclass(frozen=True)
class WallNoise:
    """One wall's figures."""

    name: str
    distance_m: float
    frames: int
    sigma_inverse: Estimate
    """Standard deviation before rounding, of 1 / z, 1/m; plane and lens warp taken off."""

    plane_rms_m: Estimate
    """Residual from the warped plane as it is read, rounding included, m of depth."""

    temporal_m: Estimate
    """librealsense's temporal noise: median over pixels of the standard deviation over frames."""

    fill: Estimate
    """Share of the wall's pixels that have a reading."""


def measure_walls(walls: Sequence[Wall], rounding: Rounding, draws: int = DRAWS) -> list[WallNoise]:
    """The figures of each wall, by distance."""
    return [_measure(w, rounding, draws) for w in sorted(walls, key=lambda w: w.distance_m)]


def _measure(wall: Wall, rounding: Rounding, draws: int) -> WallNoise:
    basis = f"{wall.frames} frame{'s' * (wall.frames > 1)}"

    def estimate(
        name: str, unit: str, statistic: Callable[[Sequence[Floats]], float], sums: Floats
    ) -> Estimate:
        return Estimate(name, unit, *bootstrap(statistic, [sums], name, draws), basis)

    step = rounding.at(wall)
    scale = wall.distance_m**2
    sigma = estimate("sigma_inverse", "1/m", lambda s: find_sigma(s[0], step, wall), wall.total)
    plane = estimate("plane_rms", "m", lambda s: scale * find_sigma(s[0], 0.0, wall), wall.total)
    temporal = refuse("temporal_noise", "m", explain_still([wall]))
    if wall.frames > 1 and not wall.moved:
        temporal = estimate("temporal_noise", "m", lambda s: find_median(s[0]), wall.spreads)
    fill = estimate("wall_fill", "", lambda s: s[0][0] / s[0][1], wall.fill)
    return WallNoise(wall.name, wall.distance_m, wall.frames, sigma, plane, temporal, fill)


def find_sigma(total: Floats, step: float, wall: Wall, per_number: float = 1.0) -> float:
    """Standard deviation of 1 / z from (sum of squares, number), less what rounding added.

    The fit of the surface has taken its ten degrees of freedom, of as many as there are pixels
    over `per_number`: how many of them make one independent number for the fit.
    """
    pixels = float(wall.total[:, 1].sum()) / wall.frames / per_number
    free = 1.0 - _TERMS / max(pixels, 2.0 * _TERMS)
    return float(np.sqrt(max(total[0] / total[1] / free - step**2 / 12.0, 0.0)))


def fit_exponent(noise: Sequence[WallNoise]) -> Estimate:
    """The power of the distance with which sigma_z grows: 2 where disparities are uncertain."""
    name = "sigma_exponent"
    rows = [
        (n.distance_m, n.sigma_inverse.value, n.sigma_inverse.error)
        for n in noise
        if n.sigma_inverse.value and n.sigma_inverse.error
    ]
    if len(rows) < 2 or max(r[0] for r in rows) < 1.2 * min(r[0] for r in rows):
        return refuse(
            name, "", f"walls at >= 2 distances 20 % apart are needed, got {len(rows)} wall(s)"
        )
    distance, sigma, error = np.array(rows).T
    x, y, weight = np.log(distance), np.log(sigma * distance**2), (sigma / error) ** 2
    center = (weight * x).sum() / weight.sum()
    spread = (weight * (x - center) ** 2).sum()
    slope = float((weight * (x - center) * y).sum() / spread)
    offset = float((weight * (y - slope * (x - center))).sum() / weight.sum())
    left = y - offset - slope * (x - center)
    # If the walls disagree by more than their errors, the line is not the whole truth: widen.
    excess = float((weight * left**2).sum()) / max(len(rows) - 2, 1)
    return Estimate(
        name, "", slope, float(np.sqrt(max(excess, 1.0) / spread)), f"{len(rows)} walls"
    )


def pool_sigma(noise: Sequence[WallNoise]) -> Estimate:
    """Sigma of 1 / z over all walls, 1/m: mean by weight; the error covers their disagreement."""
    rows = [
        (n.sigma_inverse.value, n.sigma_inverse.error)
        for n in noise
        if n.sigma_inverse.value and n.sigma_inverse.error and np.isfinite(n.sigma_inverse.error)
    ]
    if not rows:
        return refuse("sigma_inverse", "1/m", "no wall was found")
    value, error = np.array(rows).T
    weight = (value / error) ** 2
    mean = float(np.exp((weight * np.log(value)).sum() / weight.sum()))
    spread = float((weight * np.log(value / mean) ** 2).sum()) / max(len(rows) - 1, 1)
    relative = np.sqrt(max(spread, 1.0) / weight.sum())
    basis = f"{sum(n.frames for n in noise)} frames of {len(rows)} walls"
    return Estimate("sigma_inverse", "1/m", mean, float(mean * relative), basis)


def explain_still(walls: Sequence[Wall]) -> str:
    """Why nothing can be said of time."""
    if not walls:
        return "no wall was found"
    if all(w.frames == 1 for w in walls):
        return "every wall has one frame only: record a burst without moving the camera"
    return "the camera moved during the bursts: put it on a stand"


def fit_growth(noise: Sequence[WallNoise]) -> list[Estimate]:
    """sigma_z as read, rounding included, as floor + growth z^2 (m, 1/m); of one wall, a floor.

    Least squares weighted by the walls' own errors; where the walls disagree by more than these,
    the errors are widened.
    """
    names = (("sigma_floor", "m"), ("sigma_growth", "1/m"))
    rows = [
        (n.distance_m, n.plane_rms_m.value, n.plane_rms_m.error)
        for n in noise
        if n.plane_rms_m.value
    ]
    if not rows:
        return [refuse(n, u, "no wall was found") for n, u in names]
    distance, sigma, error = np.array(rows, np.float64).T
    error = np.where(np.isfinite(error) & (error > 0), error, 0.01 * sigma)
    basis = f"{sum(n.frames for n in noise)} frames of {len(rows)} walls"
    if distance.max() < 1.2 * distance.min():
        k = int(np.argmin(error))
        floor = Estimate(*names[0], float(sigma[k]), float(error[k]), "1 wall, no growth assumed")
        return [floor, refuse(*names[1], "walls at >= 2 distances 20 % apart are needed")]
    design = np.stack([np.ones(len(rows)), distance**2], -1) / error[:, None]
    inverse = np.linalg.inv(design.T @ design)
    terms = inverse @ (design.T @ (sigma / error))
    left = design @ terms - sigma / error
    excess = max(1.0, float((left**2).sum()) / max(len(rows) - 2, 1))
    errors = np.sqrt(np.diag(inverse) * excess)
    return [
        Estimate(n, u, float(terms[k]), float(errors[k]), basis) for k, (n, u) in enumerate(names)
    ]
