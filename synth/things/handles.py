"""Handles of the usual sorts, from a centre and directions."""

from collections.abc import Sequence

import numpy as np

from synth.things.solid import Handle

Vector = Sequence[float] | np.ndarray
X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def make_rod(centre: Vector, axis: Vector, radius: float, length: float) -> Handle:
    """A cylinder, a pen, a tool's grip: round about `axis`."""
    return Handle(_frame(centre, axis, None), np.array([radius, radius, length / 2]), True)


def make_ball(centre: Vector, radius: float) -> Handle:
    """A ball, or anything as wide as it is long."""
    return Handle(_frame(centre, Z, None), np.full(3, radius), True)


def make_disk(centre: Vector, axis: Vector, radius: float, thickness: float) -> Handle:
    """A lid, a coin: round about the short `axis`."""
    return Handle(_frame(centre, axis, None), np.array([radius, radius, thickness / 2]), True)


def make_plate(
    centre: Vector, long: Vector, thin: Vector, length: float, width: float, thickness: float
) -> Handle:
    """A phone, a card, a box: `length` along `long`, `thickness` along `thin`."""
    return Handle(_frame(centre, long, thin), np.array([thickness, width, length]) / 2, False)


def _frame(centre: Vector, z: Vector, x: Vector | None) -> np.ndarray:
    """Rigid (4, 4) with the given z, and x as near as may be to the one given."""
    forward = np.asarray(z, np.float64)
    forward = forward / np.sqrt((forward * forward).sum())
    # Any axis that is not along z will do for a round handle.
    side = np.eye(3)[np.argmin(np.abs(forward))] if x is None else np.asarray(x, np.float64)
    side = side - (side * forward).sum() * forward
    side = side / np.sqrt((side * side).sum())
    T = np.eye(4)
    T[:3, 0], T[:3, 1], T[:3, 2] = side, np.cross(forward, side), forward
    T[:3, 3] = centre
    return T
