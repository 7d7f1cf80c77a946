"""What a canvas knows of its camera: a coordinate of every pixel, tiles of them, and the way back.

Kernels see any central camera through one pair of tables. `gx, gy` hold, for every pixel,
coordinates in which straight edges are straight: the pixel itself for a pinhole, the ray (x/z, y/z)
otherwise.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from frames.camera import Camera
from synth.raster.lanes import LANES, TILE

LOOKUP: Final = 257
"""Nodes a side of the grid that inverts the ray table."""

BORDER: Final = 0.1
"""The look-up reaches this share of the image's field beyond it."""

LONGEST_PX: Final = 48.0
"""Triangles longer than this in the image are searched for tile by tile."""


@dataclass(frozen=True)
class Grid:
    """Tables of one camera, built once per canvas."""

    stride: int
    """Columns of a row in every buffer: the width, LANES of padding, rounded up to LANES."""
    table_from_ray: np.ndarray
    """(3, 3) float64: homogeneous table coordinates of a camera-frame point."""
    gx: np.ndarray
    gy: np.ndarray
    """(height*stride + LANES,) float32; NaN outside the field and in the padding."""
    tiles: np.ndarray
    """(4, tile rows, tile columns) float64: least gx, greatest gx, least gy, greatest gy."""
    octagon: np.ndarray
    """(8,) float64: greatest of +-gx, +-gy, +-(gx+gy), +-(gx-gy) over the image."""
    lookup: np.ndarray
    """(2, LOOKUP, LOOKUP) float64: pixel (u, v) at nodes of stereographic directions; NaN beyond
    the lens."""
    lookup_origin: np.ndarray
    """(4,) float64: least direction in x and y, nodes per unit in x and y."""
    margin_px: float
    """Error of the look-up."""
    bend_per_px: float
    """A straight edge whose image is L pixels long bulges by at most bend_per_px * L^2 pixels."""


def build_grid(camera: Camera) -> Grid:
    """Tables of `camera` (any central model)."""
    height, width = camera.height, camera.width
    stride = (width + LANES + LANES - 1) // LANES * LANES
    if camera.model == "pinhole":
        table = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(
            np.float64
        )
        table_from_ray = np.array(
            [[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]], dtype=np.float64
        )
    else:
        table, table_from_ray = camera.ray_table(), np.eye(3)
    # Float32 rounds away the last bits, in which mathematics libraries differ between machines.
    padded = np.full((2, height * stride + LANES), np.nan, dtype=np.float32)
    view = padded[:, : height * stride].reshape(2, height, stride)
    view[:, :, :width] = np.moveaxis(table, -1, 0)
    x, y = view[0, :, :width].astype(np.float64), view[1, :, :width].astype(np.float64)
    octagon = np.array([np.nanmax(a) for a in (x, -x, y, -y, x + y, -x - y, x - y, y - x)])
    if camera.model == "pinhole":
        lookup, origin, margin, bend = np.zeros((2, 1, 1)), np.zeros(4), 0.0, 0.0
    else:
        lookup, origin, margin = _invert_table(camera, x, y)
        bend = _measure_bend(camera)
    return Grid(
        stride=stride,
        table_from_ray=table_from_ray,
        gx=padded[0],
        gy=padded[1],
        tiles=_tile_bounds(x, y),
        octagon=octagon,
        lookup=lookup,
        lookup_origin=origin,
        margin_px=margin,
        bend_per_px=bend,
    )


def _tile_bounds(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Least and greatest coordinates of every tile; NaN for tiles outside the field."""
    rows, columns = -(-x.shape[0] // TILE), -(-x.shape[1] // TILE)
    bounds = np.empty((4, rows, columns))
    for n, values in enumerate((x, y)):
        whole = np.full((rows * TILE, columns * TILE), np.nan)
        whole[: x.shape[0], : x.shape[1]] = values
        tiles = whole.reshape(rows, TILE, columns, TILE)
        bounds[2 * n] = np.fmin.reduce(np.fmin.reduce(tiles, axis=3), axis=1)
        bounds[2 * n + 1] = np.fmax.reduce(np.fmax.reduce(tiles, axis=3), axis=1)
    return bounds


def _invert_table(
    camera: Camera, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Pixel positions on a regular grid of directions, and the greatest error of interpolating
    them.

    Directions are stereographic, (x, y) / (z + |p|): bounded up to 90 degrees from the axis and
    beyond, and nearly linear in the pixels of a fisheye.
    """
    whole = replace(camera, max_theta_rad=None)
    shrink = 1 / (1 + np.sqrt(1 + x * x + y * y))
    s, t = x * shrink, y * shrink
    low, high = np.array([np.nanmin(s), np.nanmin(t)]), np.array([np.nanmax(s), np.nanmax(t)])
    border = BORDER * (high - low)
    low, high = low - border, high + border
    p, q = np.meshgrid(*(np.linspace(low[n], high[n], LOOKUP) for n in range(2)))
    forward = 1 - p * p - q * q
    with np.errstate(invalid="ignore"):
        lookup = whole.project(np.stack([2 * p, 2 * q, forward], axis=-1))
    lookup = np.ascontiguousarray(np.moveaxis(lookup, -1, 0))
    origin = np.concatenate([low, (LOOKUP - 1) / (high - low)])
    column, row = (s - low[0]) * origin[2], (t - low[1]) * origin[3]
    i, j = np.nan_to_num(column).astype(np.int64), np.nan_to_num(row).astype(np.int64)
    s, t = column - i, row - j
    error = 0.0
    for values, truth in zip(
        lookup, np.meshgrid(*(np.arange(n) for n in x.shape[::-1])), strict=True
    ):
        upper = values[j, i] * (1 - s) + values[j, i + 1] * s
        lower = values[j + 1, i] * (1 - s) + values[j + 1, i + 1] * s
        error = max(error, float(np.nanmax(np.abs(upper * (1 - t) + lower * t - truth))))
    return lookup, origin, 2 * error + 1e-3


def _measure_bend(camera: Camera, half_px: float = 4.0) -> float:
    """Twice the greatest bulge of the image of a straight edge, per squared length in pixels."""
    u, v = np.meshgrid(np.linspace(0, camera.width - 1, 48), np.linspace(0, camera.height - 1, 48))
    centre = np.stack([u, v], axis=-1)
    worst = 0.0
    for direction in ((1, 0), (0, 1), (0.7071, 0.7071), (0.7071, -0.7071)):
        offset = half_px * np.array(direction)
        middle = camera.unproject(centre + offset) + camera.unproject(centre - offset)
        deviation = np.linalg.norm(camera.project(middle) - centre, axis=-1)
        finite = deviation[np.isfinite(deviation)]
        worst = max(worst, float(finite.max()) if finite.size else 0.0)
    return 2 * worst / (2 * half_px) ** 2
