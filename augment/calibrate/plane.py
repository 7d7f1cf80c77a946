"""Planes and gently warped planes in a depth image, robustly.

The inverse depth w = 1 / z of a plane is linear in the normalised ray (x, y): w = a x + b y + c. In
these units a stereo device's noise is the same at all distances, and a lens that is not calibrated
to the last pixel adds a polynomial of low order.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.stream import generator

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

WARP_ORDER: Final = 3
"""Order of the polynomial taken for wall and lens together: 10 terms."""

_TRIES: Final = 200
_SAMPLE: Final = 3000
_CONSENSUS: Final = 0.02
"""Share of w within which a pixel votes for a plane: noise and warp of any device we know."""

_ROUGHEST: Final = 0.03
"""Share of w by which a wall's readings may scatter."""

_CLIP: Final = 5.0
"""Robust standard deviations beyond which a pixel has no say in a fit."""


@dataclass(frozen=True)
class Surface:
    """A polynomial w(x, y), fitted to part of an image."""

    terms: Floats
    """(10,) coefficients of the monomials of `tabulate_terms`, on rays divided by `reach`."""

    reach: float
    region: Mask
    """(H, W) what belongs to it, one piece."""

    scatter: float
    """Robust standard deviation of the residual, 1/m."""

    def evaluate(self, rays: Floats) -> Floats:
        """w (H, W) in 1/m on a ray table (H, W, 2)."""
        return np.asarray(tabulate_terms(rays[..., 0], rays[..., 1], self.reach) @ self.terms)


def tabulate_terms(x: Floats, y: Floats, reach: float) -> Floats:
    """(..., 10) monomials of (x, y) / reach up to the third order, constant and linear first."""
    x, y = x / reach, y / reach
    powers = [(i, n - i) for n in range(WARP_ORDER + 1) for i in range(n, -1, -1)]
    return np.stack([x**i * y**j for i, j in powers], -1)


def find_surface(inverse: Floats, rays: Floats, floor: float) -> Surface | None:
    """The surface of the largest plane in an image, or None where no three pixels agree.

    inverse: (H, W) w in 1/m, NaN for no reading. rays: (H, W, 2). floor: 1/m, a residual that
    rounding alone explains.

    Fischler and Bolles' RANSAC (1981) finds the plane, fits with outliers clipped the rest. The
    points drawn are always the same.
    """
    known = np.isfinite(inverse) & np.isfinite(rays).all(-1)
    if np.count_nonzero(known) < 100:
        return None
    xyw = np.stack([rays[..., 0][known], rays[..., 1][known], inverse[known]], -1)
    plane = _find_plane(xyw)
    if plane is None:
        return None
    guess = rays @ plane[:2] + plane[2]
    with np.errstate(invalid="ignore"):
        region = known & (np.abs(inverse - guess) < _CONSENSUS * inverse)
    reach = float(np.abs(rays[known]).max()) or 1.0
    table = tabulate_terms(rays[..., 0], rays[..., 1], reach)
    terms, scatter = np.zeros(table.shape[-1]), 0.0
    for order in (3, 6, 10, 10, 10, 10):
        used = region & known
        if np.count_nonzero(used) < 50:
            return None
        terms[:order] = solve_least_squares(table[used][:, :order], inverse[used])
        terms[order:] = 0.0
        residual = np.abs(inverse - table @ terms)
        scatter = max(1.4826 * float(np.median(residual[used])), floor)
        if scatter > _ROUGHEST * float(np.median(inverse[used])):
            return None
        with np.errstate(invalid="ignore"):
            region = known & (residual < _CLIP * scatter)
    return Surface(terms, reach, _round_off(region, known), scatter)


def _find_plane(xyw: Floats) -> Floats | None:
    rng = generator(0, len(xyw), "calibrate/plane")
    step = max(1, len(xyw) // _SAMPLE)
    few = xyw[:: step | 1]  # odd, so that a column of the image is not drawn alone
    ones = np.ones(len(few))
    design = np.stack([few[:, 0], few[:, 1], ones], -1)
    best, votes = None, 0
    for _ in range(_TRIES):
        three = (rng.random(3) * len(few)).astype(np.int64)
        matrix = design[three]
        if abs(float(np.linalg.det(matrix))) < 1e-6:
            continue
        plane = np.linalg.solve(matrix, few[three, 2])
        near = np.abs(few[:, 2] - design @ plane) < _CONSENSUS * few[:, 2]
        if np.count_nonzero(near) > votes:
            best, votes = plane, int(np.count_nonzero(near))
    return best


def solve_least_squares(design: Floats, values: Floats) -> Floats:
    """Coefficients (k,) of the columns of design (n, k) by the normal equations."""
    normal = design.T @ design
    # A hair of ridge: a region too narrow for the cubic terms leaves them near zero.
    normal += np.eye(len(normal)) * 1e-9 * float(np.trace(normal)) / len(normal)
    return np.asarray(np.linalg.solve(normal, design.T @ values))


def _round_off(region: Mask, known: Mask) -> Mask:
    """The largest piece, its pinholes closed and its rim, where edges mix, taken away."""
    kernel = np.ones((5, 5), np.uint8)
    closed = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return np.zeros_like(region)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    inner = cv2.erode((labels == largest).astype(np.uint8), kernel, borderValue=1)
    return inner.astype(bool)
