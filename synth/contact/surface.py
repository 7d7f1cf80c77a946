"""Surfaces as solids: a half-space, and slabs that end in an edge, for what closes hands.

Distances are exact: a plane's are linear, so two samples an axis hold them out to four metres.
"""

from functools import cache
from typing import Final

import numpy as np

from synth.things.distance import DistanceGrid, DistancePack, pack_grids
from synth.things.model import make_model
from synth.things.solid import Handle, Solid

FAR_M: Final = 4.0
SLAB_M: Final = (0.008, 0.015, 0.02, 0.025, 0.03, 0.04)
"""Thicknesses of the slabs: shelves, table tops, boards."""
SPAN_M: Final = 0.6
"""So deep a slab is known, more than the handle that is laid into it."""
STEP_M: Final = 0.0025
COARSE_M: Final = 0.004


@cache
def half_space() -> DistancePack:
    """Solid 0 is z <= 0 out to four metres."""
    values = np.empty((2, 2, 2), np.float32)
    values[:, :, 0], values[:, :, 1] = -FAR_M, FAR_M
    grid = DistanceGrid(values, np.full(3, -FAR_M), np.full(3, 2 * FAR_M))

    class _One:
        distance = grid

    return pack_grids([_One()])


@cache
def slabs() -> tuple[Solid, ...]:
    """Slabs x <= 0, -thickness <= z <= 0, endless along y; held at the edge."""
    return tuple(_slab(thickness) for thickness in SLAB_M)


def _slab(thickness: float) -> Solid:
    along = COARSE_M * np.arange(-round(SPAN_M / COARSE_M), 16)
    # The faces lie on samples: across them the distance bends.
    step = thickness / np.ceil(thickness / STEP_M)
    beyond = int(np.ceil(0.06 / step))
    up = step * np.arange(-beyond - round(thickness / step), beyond + 1)
    x, z = np.meshgrid(along, up, indexing="ij")
    qx, qz = x, np.abs(z + thickness / 2) - thickness / 2
    outside = np.sqrt(np.maximum(qx, 0) ** 2 + np.maximum(qz, 0) ** 2)
    values = outside + np.minimum(np.maximum(qx, qz), 0.0)
    grid = DistanceGrid(
        np.repeat(values[:, None], 2, axis=1).astype(np.float32),
        np.array([along[0], -FAR_M, up[0]]),
        np.array([COARSE_M, 2 * FAR_M, step]),
    )
    depth = 0.2
    T = np.eye(4)
    # Thickness, depth and the endless edge are the handle's x, y and z.
    T[:3, :3] = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
    T[:3, 3] = -depth, 0.0, -thickness / 2
    handle = Handle(T, np.array([thickness / 2, depth, 0.35]), False)
    model = make_model("slab", np.zeros((0, 3)), np.zeros((0, 3), np.int32))
    extent = np.array([2 * depth, 0.7, thickness])
    return Solid(f"slab-{thickness}", "slab", model, extent, (handle,), True, grid)


@cache
def slab_pack() -> DistancePack:
    """The slabs' grids."""
    return pack_grids(slabs())
