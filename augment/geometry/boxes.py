"""Boxes of hands under a geometry: measured in the new part image, or drawn around the old ones."""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.geometry.lens import NO_RAYS, project, tabulate_lens
from augment.geometry.virtual_camera import Geometry
from frames.camera import Camera
from frames.checks.part_boxes import COUNT, U0, U1, V0, V1, tally_codes
from frames.parts import HAND_PARTS

Array = NDArray[np.float64]

SLACK_PX: Final = 0.05
"""How far a box may stick out of an image that is said to have all of it."""


def _list_rim(steps: int) -> Array:
    """(M, 2) places along the edges of the unit square."""
    t = np.linspace(0.0, 1.0, steps)
    x, y = (a.reshape(-1) for a in np.meshgrid(t, t))
    rim = (x == 0) | (x == 1) | (y == 0) | (y == 1)
    return np.stack([x[rim], y[rim]], -1)


_RIM: Final = _list_rim(9)
"""Points along the edges of a box, where a lens bends them."""


def measure_boxes(parts: NDArray[np.uint8], part_base: NDArray[np.uint8]) -> Array:
    """(N, 4) boxes around the pixels of N hands in a part image (H, W), forearms excluded.

    x0, y0, x1, y1 at the pixels' outer edges; NaN for a hand without any.
    """
    out = np.empty((len(part_base), 4))
    _bound_hands(tally_codes(parts[None])[0], part_base, out)
    return out


def enclose_boxes(
    geometry: Geometry, boxes: NDArray[np.float32]
) -> tuple[Array, NDArray[np.bool_]]:
    """Boxes (N, 4) in the new image around all that the old boxes (N, 4) enclose, and whether
    the image has all of that.

    Around the moved outline of the old box, so under a roll not tight. Cut at the image's edges;
    NaN where nothing is in the image.
    """
    out, whole = np.empty((len(boxes), 4)), np.empty(len(boxes), np.bool_)
    source, camera = geometry.source, geometry.camera
    rays = NO_RAYS
    if source.model != "pinhole":
        rays = np.empty((len(boxes), len(_RIM), 2))
        _look_up_rim(source.ray_table(), boxes, _RIM, rays)
        _follow_lens(source, boxes, rays)
    _surround(
        *(tabulate_lens(source), tabulate_lens(camera), geometry.turn, geometry.stretch),
        *(boxes, rays, (camera.width, camera.height), out, whole),
    )
    return out, whole


def unite_boxes(a: Array, b: Array) -> Array:
    """Boxes (N, 4) around both; NaN ones do not count."""
    return np.concatenate([np.fmin(a[:, :2], b[:, :2]), np.fmax(a[:, 2:], b[:, 2:])], 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _bound_hands(tally, part_base, out):  # type: ignore[no-untyped-def]
    for n in range(part_base.shape[0]):
        out[n, 0] = out[n, 1] = math.inf
        out[n, 2] = out[n, 3] = -math.inf
        for part in range(1, HAND_PARTS + 1):
            mine = tally[(int(part_base[n]) + part) % 256]
            if mine[COUNT] > 0:
                out[n, 0], out[n, 1] = (
                    min(out[n, 0], mine[U0] - 0.5),
                    min(out[n, 1], mine[V0] - 0.5),
                )
                out[n, 2], out[n, 3] = (
                    max(out[n, 2], mine[U1] + 0.5),
                    max(out[n, 3], mine[V1] + 0.5),
                )
        if out[n, 0] == math.inf:
            out[n] = math.nan


def _follow_lens(source: Camera, boxes: NDArray[np.float32], rays: Array) -> None:
    """Put right the rays (N, M, 2) of places farther beyond the image than the table goes."""
    px = boxes[:, None, :2] + (boxes[:, None, 2:] - boxes[:, None, :2]) * _RIM
    ends = np.array([source.width, source.height]) - 0.5
    beyond = ((px < -0.5) | (px > ends)).any(-1)
    if beyond.any():
        rays[beyond] = source.unproject(px[beyond])[:, :2]


@njit(cache=True, nogil=True, error_model="numpy")
def _look_up_rim(table, boxes, rim, rays):  # type: ignore[no-untyped-def]
    """Rays (N, M, 2) at places `rim` (M, 2) of boxes, from the table of pixels' rays.

    Between pixels and half a pixel beyond them by straight lines: to a few hundredths of a pixel,
    and far cheaper than to invert a lens.
    """
    height, width = table.shape[0], table.shape[1]
    for n in range(boxes.shape[0]):
        for m in range(rim.shape[0]):
            x = boxes[n, 0] + (boxes[n, 2] - boxes[n, 0]) * rim[m, 0]
            y = boxes[n, 1] + (boxes[n, 3] - boxes[n, 1]) * rim[m, 1]
            rays[n, m, 0] = rays[n, m, 1] = math.nan
            if math.isnan(x + y) or width < 2 or height < 2:
                continue
            i = min(max(math.floor(x), 0), width - 2)
            j = min(max(math.floor(y), 0), height - 2)
            p, q = x - i, y - j
            for c in range(2):
                near = (1 - p) * table[j, i, c] + p * table[j, i + 1, c]
                far = (1 - p) * table[j + 1, i, c] + p * table[j + 1, i + 1, c]
                rays[n, m, c] = (1 - q) * near + q * far


@njit(cache=True, nogil=True, error_model="numpy")
def _surround(lens, new_lens, turn, stretch, boxes, rays, size, out, whole):  # type: ignore[no-untyped-def]
    """rays (N, M, 2) along the boxes' edges; empty for a pinhole, whose corners do."""
    corners = rays.shape[0] == 0
    for n in range(boxes.shape[0]):
        west = north = math.inf
        east = south = -math.inf
        behind = False
        for m in range(4 if corners else rays.shape[1]):
            if corners:
                x = (boxes[n, 0 if m % 2 == 0 else 2] - lens[3]) / lens[1]
                y = (boxes[n, 1 if m < 2 else 3] - lens[4]) / lens[2]
            else:
                x, y = rays[n, m, 0], rays[n, m, 1]
            if math.isnan(x + y):
                continue  # no box, or beyond the lens: nothing of the hand is there
            qx = turn[0, 0] * x + turn[0, 1] * y + turn[0, 2]
            qy = turn[1, 0] * x + turn[1, 1] * y + turn[1, 2]
            qz = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2]
            u, v = project(new_lens, qx, qy, qz * stretch)
            behind |= not qz > 0
            if not math.isnan(u):
                west, east = min(west, u), max(east, u)
                north, south = min(north, v), max(south, v)
        if behind:
            # It reaches beyond every edge, on a side that the pixels in view do not tell.
            west = north = -math.inf
            east = south = math.inf
        low, right, bottom = -0.5, size[0] - 0.5, size[1] - 0.5
        out[n, 0], out[n, 1] = max(west, low), max(north, low)
        out[n, 2], out[n, 3] = min(east, right), min(south, bottom)
        whole[n] = west >= low - SLACK_PX and east <= right + SLACK_PX
        whole[n] &= north >= low - SLACK_PX and south <= bottom + SLACK_PX
        if not (out[n, 2] > out[n, 0] and out[n, 3] > out[n, 1]):
            out[n] = math.nan
            whole[n] = False
