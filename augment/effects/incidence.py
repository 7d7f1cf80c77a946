"""How slantingly each pixel's surface is seen."""

import math
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.shot import Shot
from frames.camera import Camera


def measure_incidence(shot: Shot) -> NDArray[np.float32]:
    """(H, W) float32 cosine between each pixel's ray and its surface's normal, in [0.001, 1].

    From the flatter of the two one-sided differences along each axis, so that the jump at an
    outline does not tilt the surface beside it. 1 where there is nothing.

    A plane n . (z x, z y, z) = k has the inverse depth w = 1 / z = n . (x, y, 1) / k, linear over
    the image; so its normal is (w_x, w_y, w - x w_x - y w_y) up to scale, and that times the ray is
    w: cos = w / (|normal| |ray|), exactly, whatever the slant.
    """
    out = np.ones(shot.depth.shape, np.float32)
    if shot.depth.size:
        rays = tabulate_rays(shot.camera)
        _fill_cosines(shot.depth, np.float32(shot.depth_scale), rays, out)
    return out


@lru_cache(maxsize=8)
def tabulate_rays(camera: Camera) -> NDArray[np.float32]:
    """(2, H + 2, W + 2) float32: x and y of every pixel's ray (x, y, 1), with a border of one pixel
    that repeats the outermost; NaN outside the field. Read-only."""
    table = np.moveaxis(camera.ray_table(), -1, 0).astype(np.float32)
    table = np.pad(table, ((0, 0), (1, 1), (1, 1)), "edge")
    table.setflags(write=False)
    return table


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_cosines(depth, scale, rays, out):  # type: ignore[no-untyped-def]
    # Rows of inverse depth with a border of nothing around them. Selections instead of branches, so
    # that the loops become vector instructions.
    height, width = depth.shape
    above = np.zeros(width + 2, np.float32)
    here = np.zeros(width + 2, np.float32)
    below = np.zeros(width + 2, np.float32)
    _invert_row(depth[0], scale, here)
    # Along the row: change of w, x and y towards the flatter neighbour.
    dw, dx, dy = (
        np.empty(width, np.float32),
        np.empty(width, np.float32),
        np.empty(width, np.float32),
    )
    one, none = np.float32(1.0), np.float32(0.0)
    for v in range(height):
        if v + 1 < height:
            _invert_row(depth[v + 1], scale, below)
        else:
            below[:] = none
        x, y = rays[0, v + 1], rays[1, v + 1]
        x_above, y_above, x_below, y_below = rays[0, v], rays[1, v], rays[0, v + 2], rays[1, v + 2]
        for u in range(width):
            left = _differ(here[u], here[u + 1])
            right = _differ(here[u + 2], here[u + 1])
            flatter = abs(left) < abs(right)
            x_left, x_right = x[u + 1] - x[u], x[u + 2] - x[u + 1]
            y_left, y_right = y[u + 1] - y[u], y[u + 2] - y[u + 1]
            dw[u] = -left if flatter else right
            dx[u] = x_left if flatter else x_right
            dy[u] = y_left if flatter else y_right
        for u in range(width):
            w = here[u + 1]
            px, py = x[u + 1], y[u + 1]
            a = _differ(above[u + 1], w)
            b = _differ(below[u + 1], w)
            flatter = abs(a) < abs(b)
            ew = -a if flatter else b
            x_up, x_down = px - x_above[u + 1], x_below[u + 1] - px
            y_up, y_down = py - y_above[u + 1], y_below[u + 1] - py
            ex = x_up if flatter else x_down
            ey = y_up if flatter else y_down
            # No neighbour along an axis: flat along it.
            row, column = abs(dw[u]) < _BARE, abs(ew) < _BARE
            rw = dw[u] if row else none
            rx = dx[u] if row else one
            ry = dy[u] if row else none
            ew = ew if column else none
            ex = ex if column else none
            ey = ey if column else one
            # The normal times this needs no division.
            det = rx * ey - ry * ex
            wx = rw * ey - ry * ew
            wy = rx * ew - rw * ex
            wz = det * w - px * wx - py * wy
            length = (wx * wx + wy * wy + wz * wz) * (px * px + py * py + one)
            cosine = abs(det) * w / math.sqrt(length)
            cosine = cosine if cosine < one else one
            cosine = cosine if cosine > _LEAST else _LEAST
            seen = (w > 0) & (length > 0)  # false for no ray, too
            out[v, u] = cosine if seen else one
        above, here, below = here, below, above


_LEAST = np.float32(1e-3)
_BARE = np.float32(1e9)
"""Step towards a pixel that has nothing: steeper than any."""


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _differ(other, w):  # type: ignore[no-untyped-def]
    """Change of the inverse depth from a pixel to its neighbour."""
    return other - w if other > 0 else _BARE


@njit(cache=True, nogil=True, error_model="numpy")
def _invert_row(depth, scale, out):  # type: ignore[no-untyped-def]
    for u in range(depth.shape[0]):
        d = depth[u]
        out[u + 1] = scale / np.float32(d) if d > 0 else np.float32(0.0)
