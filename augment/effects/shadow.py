"""What a second viewpoint beside the camera cannot see: the projector's or the other eye's shadow.

A point at (X, Z) appears to a viewpoint at +b along x at f (X - b) / Z, that is at its own column
less the disparity d = f b / Z. Of two points that fall together there, the nearer hides the
farther. Hence beside a front at z_f before a back at z_b a strip of f b (1 / z_f - 1 / z_b) pixels
is hidden, on the side away from the second viewpoint, unless the front is so thin that light
passes on its other side too.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.effects.inlined import INLINED
from augment.effects.marked import list_marked, make_marking
from frames.camera import Camera
from frames.kernels import BORROWING

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
    """Set out to 1 in the shadow and leave the rest; shift / depth is the disparity in pixels.

    depth: (H, W) uint16. x_px: (H, W) float32, `table_columns`. out: (H, W) uint8.
    """
    width = depth.shape[1]
    _shade_rows(depth, shift, x_px, margin_px, np.empty(width, np.float32), make_room(width), out)


@njit(**BORROWING)
def _shade_rows(depth, shift, x_px, margin_px, disparity, room, out):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    scale = np.float32(abs(shift))
    for v in range(height):
        for u in range(width):
            d = depth[v, u]
            disparity[u] = scale / np.float32(d) if d > 0 else np.float32(0.0)
        shade_row(x_px[v], disparity, shift > 0, margin_px, room, out[v], 1)


@njit(cache=True, nogil=True, error_model="numpy")
def make_room(width):  # type: ignore[no-untyped-def]
    """What `shade_row` works in: outlines, where stretches between them begin, runs of surface."""
    return make_marking(width), np.empty(width + 10, np.int64), np.empty((width + 1, 2), np.float32)


@njit(**INLINED)
def shade_row(x_px, disparity, right, margin_px, room, out, mark):  # type: ignore[no-untyped-def]
    """Set out (W,) to mark where the second viewpoint does not see one row, and leave the rest.

    x_px, disparity: (W,) float32, disparity 0 for nothing. right: the second viewpoint is at +x.
    """
    marking, starts, runs = room
    outline, width = marking[0], x_px.shape[0]
    jump = np.float32(max(_JUMP_PX, margin_px))
    # Mirrored if need be, the second viewpoint is at the right: whatever hides a point lies to its
    # right in the image and not to its right there, so that one pass from the right does.
    side = np.float32(1.0) if right else np.float32(-1.0)
    for u in range(1, width):
        step = disparity[u] - disparity[u - 1]
        # No disparity on one side is an outline too, however small the other.
        bare = (disparity[u] > 0) != (disparity[u - 1] > 0)
        outline[u] = np.uint8((step > jump) | (step < -jump) | bare)
    stretches = 1 + list_marked(marking, starts[1:])
    starts[0], starts[stretches] = 0, width
    # A run is a connected surface; in the second view it covers the columns from low to high, and
    # its columns fall from its right end to its left.
    half = np.float32(0.5)
    count = 0
    edge = np.float32(1e9)  # the leftmost column so far, in the second view
    for i in range(stretches):
        k = stretches - 1 - i if right else i
        first = starts[k + 1] - 1 if right else starts[k]
        last = starts[k] if right else starts[k + 1] - 1
        if not disparity[first] > 0:
            continue
        step = -1 if right else 1
        u = first
        column = side * x_px[u] - disparity[u]  # in the second view
        rightmost = column
        while column > edge:
            for j in range(count - 1, -1, -1):
                if runs[j, 0] < column and column < runs[j, 1]:
                    out[u] = mark
                    break
            if u == last:
                break
            u += step
            column = side * x_px[u] - disparity[u]
        # The pixel at an outline has its half to itself.
        runs[count, 0] = side * x_px[last] - disparity[last] - half
        runs[count, 1] = rightmost + half
        if runs[count, 0] < edge:
            edge = runs[count, 0]
        count += 1
