"""Signed distance to the skin of a solid, looked up between samples on a grid."""

# mypy: allow-untyped-defs

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numba import njit

JIT = {"cache": True, "nogil": True, "boundscheck": False, "error_model": "numpy"}


@dataclass(frozen=True)
class DistanceGrid:
    """Samples of the signed distance about a solid, at least 25 mm beyond it on every side."""

    values: np.ndarray
    """(X, Y, Z) float32 metres, negative inside."""
    origin: np.ndarray
    """(3,) float64 place of sample (0, 0, 0) in the solid's frame, metres."""
    spacing: np.ndarray
    """(3,) float64 metres between samples along x, y, z: finer where the solid is thin."""


class DistancePack(NamedTuple):
    """The grids of many solids in flat arrays: one argument of a compiled function."""

    values: np.ndarray
    """(N,) float32 samples of all solids, each grid in C order."""
    start: np.ndarray
    """(S,) int64 where each solid's samples begin."""
    shape: np.ndarray
    """(S, 3) int64 samples along x, y, z."""
    origin: np.ndarray
    """(S, 3) float64 place of the first sample, metres."""
    spacing: np.ndarray
    """(S, 3) float64 metres."""


class HasDistance(Protocol):
    """A `Solid`, or anything else with a grid."""

    @property
    def distance(self) -> DistanceGrid: ...


def pack_grids(solids: Sequence[HasDistance]) -> DistancePack:
    """The grids of solids 0..S-1, one behind another."""
    grids = [solid.distance for solid in solids]
    sizes = np.array([grid.values.size for grid in grids], np.int64)
    flat = [grid.values.reshape(-1) for grid in grids] or [np.zeros(0, np.float32)]
    return DistancePack(
        np.concatenate(flat),
        np.cumsum(sizes) - sizes,
        np.array([grid.values.shape for grid in grids], np.int64).reshape(-1, 3),
        np.array([grid.origin for grid in grids], np.float64).reshape(-1, 3),
        np.array([grid.spacing for grid in grids], np.float64).reshape(-1, 3),
    )


@njit(**JIT)
def solid_distance(pack, s, x, y, z):
    """Signed distance in metres from (x, y, z), in the frame of solid s of a pack, to its skin.

    Trilinear between samples. Outside the grid: the value at the nearest point of the grid plus
    the distance to that point, an upper bound that grows as the distance does.
    """
    i, fx, away_x = _locate(x, pack.origin[s, 0], pack.spacing[s, 0], pack.shape[s, 0])
    j, fy, away_y = _locate(y, pack.origin[s, 1], pack.spacing[s, 1], pack.shape[s, 1])
    k, fz, away_z = _locate(z, pack.origin[s, 2], pack.spacing[s, 2], pack.shape[s, 2])
    v000, v001, v010, v011, v100, v101, v110, v111 = _corners(pack, s, i, j, k)
    v00 = v000 + fz * (v001 - v000)
    v01 = v010 + fz * (v011 - v010)
    v10 = v100 + fz * (v101 - v100)
    v11 = v110 + fz * (v111 - v110)
    v0 = v00 + fy * (v01 - v00)
    v1 = v10 + fy * (v11 - v10)
    value = v0 + fx * (v1 - v0)
    away = away_x * away_x + away_y * away_y + away_z * away_z
    return value + math.sqrt(away) if away > 0.0 else value


@njit(**JIT)
def solid_gradient(pack, s, x, y, z):
    """(distance, gx, gy, gz): `solid_distance` and its derivative, which points outward.

    Near the skin its length is near 1; along edges and in the middle of a thin thing it is less.
    """
    i, fx, away_x = _locate(x, pack.origin[s, 0], pack.spacing[s, 0], pack.shape[s, 0])
    j, fy, away_y = _locate(y, pack.origin[s, 1], pack.spacing[s, 1], pack.shape[s, 1])
    k, fz, away_z = _locate(z, pack.origin[s, 2], pack.spacing[s, 2], pack.shape[s, 2])
    v000, v001, v010, v011, v100, v101, v110, v111 = _corners(pack, s, i, j, k)
    v00 = v000 + fz * (v001 - v000)
    v01 = v010 + fz * (v011 - v010)
    v10 = v100 + fz * (v101 - v100)
    v11 = v110 + fz * (v111 - v110)
    v0 = v00 + fy * (v01 - v00)
    v1 = v10 + fy * (v11 - v10)
    value = v0 + fx * (v1 - v0)
    low = (v001 - v000) + fy * ((v011 - v010) - (v001 - v000))
    high = (v101 - v100) + fy * ((v111 - v110) - (v101 - v100))
    # Where an axis is clamped, the sample there is the same all along it.
    gx = (v1 - v0) / pack.spacing[s, 0] if away_x == 0.0 else 0.0
    gy = 0.0
    if away_y == 0.0:
        gy = ((v01 - v00) + fx * ((v11 - v10) - (v01 - v00))) / pack.spacing[s, 1]
    gz = (low + fx * (high - low)) / pack.spacing[s, 2] if away_z == 0.0 else 0.0
    away = away_x * away_x + away_y * away_y + away_z * away_z
    if away > 0.0:
        away = math.sqrt(away)
        value += away
        gx += away_x / away
        gy += away_y / away
        gz += away_z / away
    return value, gx, gy, gz


@njit(**JIT)
def _locate(x, origin, spacing, count):
    """Cell along one axis, the place in it from 0 to 1, and the signed way beyond the grid."""
    at = (x - origin) / spacing
    last = count - 1
    if at <= 0.0:
        return 0, 0.0, x - origin if at < 0.0 else 0.0
    if at >= last:
        return last - 1, 1.0, x - (origin + last * spacing)
    cell = min(int(at), last - 1)
    return cell, at - cell, 0.0


@njit(**JIT)
def _corners(pack, s, i, j, k):
    """The eight samples about a cell."""
    row = pack.shape[s, 2]
    slab = pack.shape[s, 1] * row
    at = pack.start[s] + i * slab + j * row + k
    values = pack.values
    return (
        float(values[at]),
        float(values[at + 1]),
        float(values[at + row]),
        float(values[at + row + 1]),
        float(values[at + slab]),
        float(values[at + slab + 1]),
        float(values[at + slab + row]),
        float(values[at + slab + row + 1]),
    )


@njit(**JIT)
def solid_distances(pack, solids, points):
    """(N,) solids, (N, 3) points in their frames -> (N,) signed distances."""
    out = np.empty(points.shape[0])
    for n in range(points.shape[0]):
        out[n] = solid_distance(pack, solids[n], points[n, 0], points[n, 1], points[n, 2])
    return out
