"""A thing that hands can hold: its mesh, where to take hold of it, and the distance to its skin."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth.things.distance import DistanceGrid
from synth.things.distance_field import sample_distance
from synth.things.model import Model, make_model


@dataclass(frozen=True)
class Handle:
    """A box or a round body inside a solid that a hand may take hold of.

    Its frame: z the long axis, x the thin direction. A round one may be turned freely about z: a
    cylinder or pen has half extents (r, r, half length), a ball (r, r, r), a disk or lid (R, R,
    half thickness). One that is not round is a box, a plate or a card: (half thickness, half
    width, half length).
    """

    T_solid_from_handle: np.ndarray
    """(4, 4) float64, rigid."""
    half_m: np.ndarray
    """(3,) float64 half extents along the handle's x, y, z."""
    round: bool
    """Turned freely about its z."""


@dataclass(frozen=True)
class Solid:
    """A rigid thing at its own size."""

    name: str
    """Its own name, as in "mug-3": the same seed and variant give the same thing again."""
    kind: str
    """What it is, as in "mug"."""
    model: Model
    """In metres, centred on its bounding box."""
    extent_m: np.ndarray
    """(3,) float64 size of the bounding box."""
    handles: tuple[Handle, ...]
    """Where hands take hold, the usual place first; at least one."""
    upright: bool
    """+z is up when it stands or lies as it should. It rests on its -z side in any case."""
    distance: DistanceGrid
    """Signed distance to the skin, in the frame of the model."""


def make_solid(
    name: str,
    kind: str,
    vertices: np.ndarray,
    faces: np.ndarray,
    handles: Sequence[Handle],
    upright: bool,
) -> Solid:
    """Centre a mesh and its handles on the bounding box, and sample the distance to it.

    vertices: (V, 3) metres; faces: (F, 3) outward, of one or several closed pieces that may
    overlap: the solid is their union.
    """
    points = np.asarray(vertices, np.float64)
    low, high = points.min(0), points.max(0)
    centre = (low + high) / 2
    model = make_model(name, points - centre, faces)
    moved = []
    for handle in handles:
        T = np.array(handle.T_solid_from_handle, np.float64)
        T[:3, 3] -= centre
        moved.append(Handle(T, np.asarray(handle.half_m, np.float64), handle.round))
    distance = sample_distance(model.vertices, model.faces)
    return Solid(name, kind, model, high - low, tuple(moved), upright, distance)
