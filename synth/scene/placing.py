"""Placed models of a batch, a fixed number of places a frame, and how they are put there."""

# mypy: allow-untyped-defs

from typing import NamedTuple

import numpy as np
from numba import njit

from synth.raster.keys import JIT


class Places(NamedTuple):
    """K places in each of B frames; one argument of a compiled function."""

    present: np.ndarray
    """(B, K) bool"""
    model: np.ndarray
    """(B, K) int64 index of `synth.scene.furnishings.Furnishings.models`."""
    T_world_from_model: np.ndarray
    """(B, K, 4, 4) affine."""


def make_places(count: int, places: int) -> Places:
    """Nothing anywhere yet."""
    poses = np.zeros((count, places, 4, 4))
    poses[..., 3, 3] = 1.0
    return Places(np.zeros((count, places), np.bool_), np.zeros((count, places), np.int64), poses)


@njit(**JIT)
def put_span(T, c, s, x0, x1, y0, y1, z0, z1):
    """Make T (4, 4) stretch the unit cube over a box of a frame turned about z by (cos, sin)."""
    x, y = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    T[0, 0], T[1, 0] = c * (x1 - x0), s * (x1 - x0)
    T[0, 1], T[1, 1] = -s * (y1 - y0), c * (y1 - y0)
    T[2, 2] = z1 - z0
    T[0, 3], T[1, 3], T[2, 3] = c * x - s * y, s * x + c * y, 0.5 * (z0 + z1)


@njit(**JIT)
def put_axes(T, axes, scale, x, y, z):
    """Make T (4, 4) turn by axes (3, 3), scale alike along all of them, and shift."""
    for i in range(3):
        for j in range(3):
            T[i, j] = axes[i, j] * scale
    T[0, 3], T[1, 3], T[2, 3] = x, y, z
