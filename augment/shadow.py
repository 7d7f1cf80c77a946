"""What a second viewpoint beside the camera cannot see: the projector's or the other eye's shadow.

A point at (X, Z) appears to a viewpoint at +b along x at f (X - b) / Z, that is at its own column
less the disparity d = f b / Z. Of two points that fall together there, the nearer hides the
farther. Hence beside a front at z_f before a back at z_b a strip of f b (1 / z_f - 1 / z_b) pixels
is hidden, on the side away from the second viewpoint, unless the front is so thin that light
passes on its other side too.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from frames.camera import Camera

_JUMP_PX: Final = 1.5
"""Change of disparity from pixel to pixel that is an outline, not a slanting surface."""


def find_shadow(
    depth: NDArray[np.uint16],
    depth_scale: float,
    camera: Camera,
    baseline_m: float,
    margin_px: float = 0.5,
) -> NDArray[np.uint8]:
    """(H, W) uint8, 1 where the second viewpoint does not see what the camera sees, 0 elsewhere.

    depth: (H, W) uint16, 0 for nothing, which neither casts shadows nor lies in them. baseline_m:
    where the second viewpoint is along the camera's x, + to the right. margin_px: a front casts no
    shadow on a back whose disparity is less than that smaller. What lies outside the image casts
    none either. Rows of the image are taken for the planes through both viewpoints: exact for a
    rectified camera, close to it for a fisheye's middle.
    """
    out = np.zeros(depth.shape, np.uint8)
    if depth.size and baseline_m:
        x_px = table_columns(camera)
        fill_shadow(depth, camera.fx * baseline_m * depth_scale, x_px, margin_px, out)
    return out


@lru_cache(maxsize=8)
def table_columns(camera: Camera) -> NDArray[np.float32]:
    """(H, W) float32: fx x of every pixel's ray (x, y, 1); NaN outside the field. Read-only."""
    table = (camera.ray_table()[..., 0] * camera.fx).astype(np.float32)
    table.setflags(write=False)
    return table


@njit(cache=True, nogil=True, error_model="numpy")
def fill_shadow(depth, shift, x_px, margin_px, out):  # type: ignore[no-untyped-def]
    """Set out to 1 in the shadow and leave the rest; shift / depth is the disparity in pixels."""
    height, width = depth.shape
    disparity = np.empty(width, np.float32)
    cells = make_cells(width)
    for v in range(height):
        for u in range(width):
            d = depth[v, u]
            disparity[u] = abs(np.float32(shift)) / np.float32(d) if d else np.float32(0.0)
        shade_row(x_px[v], disparity, shift > 0, np.float32(margin_px), cells, out[v], 1)


@njit(cache=True, nogil=True, error_model="numpy")
def make_cells(width):  # type: ignore[no-untyped-def]
    """Room for `shade_row`: what the second viewpoint sees, one cell a pixel."""
    return np.empty(5 * width + 16, np.float32)


@njit(cache=True, nogil=True, error_model="numpy")
def shade_row(x_px, disparity, right, margin_px, cells, out, mark):  # type: ignore[no-untyped-def]
    """Set out (W,) to mark where the second viewpoint does not see one row.

    x_px, disparity: (W,) float32, disparity 0 for nothing. right: the second viewpoint is at +x.
    """
    width = x_px.shape[0]
    side = np.float32(1.0) if right else np.float32(-1.0)
    # Mirrored if need be, the second viewpoint is at the right: whatever hides a point lies to its
    # right, so that one pass from the right does. Cells from the leftmost column in four widths.
    half = np.float32(0.5)
    nearest, farthest, lowest = np.float32(0.0), np.float32(1e9), np.float32(1e9)
    for u in range(width):
        if disparity[u] > 0 and not math.isnan(x_px[u]):
            nearest = max(nearest, disparity[u])
            farthest = min(farthest, disparity[u])
            lowest = min(lowest, side * x_px[u])
    if nearest - farthest <= margin_px:
        return
    reach = min(nearest, np.float32(4 * width))
    shift = reach - lowest + np.float32(4.0)
    size = cells.shape[0]
    cells[:] = 0.0
    edge = np.float32(1e9)
    last_x, last_d = np.float32(0.0), np.float32(0.0)
    for i in range(width):
        u = width - 1 - i if right else i
        d = disparity[u]
        x = side * x_px[u] - d + shift
        if not (d > 0 and x >= 1.0 and x < size - 2):  # nothing, no ray, or out of the cells
            last_d = np.float32(0.0)
            continue
        cell = int(x + half)
        rise = last_d - d
        if rise > _JUMP_PX:  # an outline: the pixel's own half belongs to the front
            edge = min(edge, last_x - half)
            at = int(last_x)
            cells[at] = max(cells[at], last_d)
        if x > edge and cells[cell] > d + margin_px:
            out[u] = mark
        edge = min(edge, x)
        cells[cell] = max(cells[cell], d)
        if last_d > 0 and abs(rise) <= _JUMP_PX:  # a slanting surface has no gaps
            low = min(d, last_d)
            for between in range(cell + 1, int(last_x + half)):
                cells[between] = max(cells[between], low)
        last_x, last_d = x, d
