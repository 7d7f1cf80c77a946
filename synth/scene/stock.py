"""The stock: every model that a scene may place, by number, in flat arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth.things.distance import DistancePack, pack_grids
from synth.things.model import Model
from synth.things.solid import Solid


@dataclass(frozen=True)
class Stock:
    """Models one after another, and the solids that hands may hold among them."""

    vertices: np.ndarray
    """(V, 3) float32, metres or unit size."""
    faces: np.ndarray
    """(F, 3) int32, counted from each model's own first vertex."""
    codes: np.ndarray
    """(F,) uint8"""
    vertex_start: np.ndarray
    """(K + 1,) int64: model k owns the vertices from vertex_start[k] to before the next."""
    face_start: np.ndarray
    """(K + 1,) int64"""
    first: dict[str, int]
    """Number of the first model of each group."""
    solids: tuple[Solid, ...]
    """What hands may hold and touch; their models are the group "solids"."""
    distances: DistancePack
    """Signed distances of the solids."""


def build_stock(groups: dict[str, Sequence[Model]], solids: tuple[Solid, ...]) -> Stock:
    """Number the models of all groups, then the solids."""
    listed: list[Model] = []
    first = {}
    for name, models in {**groups, "solids": [s.model for s in solids]}.items():
        first[name] = len(listed)
        listed += models
    return Stock(
        vertices=np.concatenate([m.vertices for m in listed]),
        faces=np.concatenate([m.faces for m in listed]),
        codes=np.concatenate([m.codes for m in listed]),
        vertex_start=np.cumsum([0, *(len(m.vertices) for m in listed)]),
        face_start=np.cumsum([0, *(len(m.faces) for m in listed)]),
        first=first,
        solids=solids,
        distances=pack_grids(solids),
    )
