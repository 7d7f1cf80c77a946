"""Penetration and gap of a hand and a solid measured on their meshes, apart from the solver.

Every vertex of the skin against every triangle of the solid, in float64: the generalised winding
number tells inside from outside, the nearest triangle how deep or how far. No distance grid.
"""

from dataclasses import dataclass

import numpy as np

from synth.hand.rig import Rig
from synth.things.model import Model
from tests.synth.hand.winding import surface_distance, winding_numbers

NEAR_M = 0.012


@dataclass(frozen=True)
class Seen:
    """What the meshes show."""

    gap_m: np.ndarray
    """(17,) least signed distance of each part's vertices, NaN beyond 12 mm."""

    @property
    def deepest_m(self) -> float:
        """How deep the deepest vertex is, 0 for none."""
        return float(max(0.0, -np.nanmin(np.append(self.gap_m, 0.0))))

    def touching(self, gap_m: float = 0.002) -> int:
        """How many parts are within this of the solid."""
        return int((self.gap_m <= gap_m).sum())


def vertex_parts(rig: Rig) -> np.ndarray:
    """(V,) part code of each vertex."""
    part = np.zeros(rig.rest_vertices.shape[1], np.int64)
    part[rig.faces] = rig.face_parts[:, None]
    return part


def measure(rig: Rig, vertices: np.ndarray, model: Model, T: np.ndarray) -> Seen:
    """vertices (V, 3) of a posed hand; T (4, 4) places the model in the same frame."""
    local = (vertices.astype(np.float64) - T[:3, 3]) @ T[:3, :3]
    corners = model.vertices.astype(np.float64)[model.faces]
    low, high = corners.min((0, 1)) - NEAR_M, corners.max((0, 1)) + NEAR_M
    near = np.flatnonzero(((local > low) & (local < high)).all(1))
    signed = np.full(len(local), np.inf)
    if len(near):
        signed[near] = surface_distance(local[near], corners)
        for piece in _pieces(model.faces):
            own = corners[piece]
            inside = near[winding_numbers(local[near], own) > 0.5]
            if len(inside):
                # A solid of several pieces is their union.
                signed[inside] = np.minimum(signed[inside], -surface_distance(local[inside], own))
    gap, part = np.full(17, np.nan), vertex_parts(rig)
    for p in range(1, 18):
        least = signed[part == p].min()
        if least < NEAR_M:
            gap[p - 1] = least
    return Seen(gap)


def _pieces(faces: np.ndarray) -> list[np.ndarray]:
    """Faces of each connected piece."""
    root = np.arange(faces.max() + 1)
    while True:
        low = root[faces].min(1)
        new = root.copy()
        for k in range(3):
            np.minimum.at(new, faces[:, k], low)
        new = new[new]
        if (new == root).all():
            break
        root = new
    label = root[faces[:, 0]]
    return [np.flatnonzero(label == k) for k in np.unique(label)]
