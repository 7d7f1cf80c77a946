"""Narrow gaps between near surfaces, which matching bridges: fingers that fuse.

Through a gap between two fingers the second eye sees less of what lies behind, by the step of
disparity, than the first: of a gap narrower than the step it sees nothing. What is left is often
narrower than the window, and a dive to the far disparity and back costs two large jumps, so the
fingers' disparity runs on across the gap. Up and down the image nothing hides, and only gaps as
narrow as the window close.
"""

import numpy as np
from numba import njit

from augment.stereo.window_matching import TORN
from frames.kernels import BORROWING

__all__ = ["bridge_gaps"]

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_TORN_TO = np.float32(1.4)
"""Gaps are torn, without a reading, up to so many times the width that is bridged."""
_TEARS = np.float32(2.0)
"""Times the least step: step into a gap from which it tears; smaller ones melt."""
_WIDEST = np.float32(1.75)
"""Times the mean width: as far as is looked for the other side."""
_DOWN = np.float32(1.0 / 6.0)
"""Of a step's share in the width: what it has up and down, where it hides nothing. Fitted to
matching: 4 px at 5 px of step, 7 at 25."""


@njit(cache=True, nogil=True, error_model="numpy")
def bridge_gaps(depth, field, scale, jump, reach, per_step, spread, lateral, state, out):  # type: ignore[no-untyped-def]
    """Depth whose narrow gaps are filled from side to side, into `out` (H, W) uint16.

    depth: (H, W) uint16, 0 for nothing. field: (H, W) float32 of unit variance. scale: disparity
    times depth; jump: step of disparity from pixel to pixel that is an outline, no slanting
    surface. Along rows gaps are bridged up to (reach + per_step s) (1 - spread * field) device
    pixels, s being the step of disparity into the gap from its lower side; up and down with a sixth
    of per_step. lateral: pixels of the image in one of the device. state: (H, W) uint8: 0 where
    bridged, `TORN` where a gap is little too wide and the second eye sees into it.
    """
    height, width = depth.shape
    out[:] = depth
    if height == 0 or width == 0 or reach + per_step <= _ZERO:
        return
    disparity = np.empty((height, width), np.float32)
    for v in range(height):
        row, to = depth[v], disparity[v]
        for u in range(width):
            d = scale / np.float32(max(row[u], np.uint16(1)))
            to[u] = d if row[u] != 0 else _ZERO
    falls = np.zeros(width // 8 * 8 + 8, np.uint8)
    numbers = (scale, jump, reach, per_step, spread, lateral)
    _bridge_lines(disparity, field, numbers, falls, falls.view(np.uint64), state, out)


@njit(**BORROWING)
def _bridge_lines(disparity, field, numbers, falls, words, state, out):  # type: ignore[no-untyped-def]
    """Along rows, then up and down. falls: a byte a pixel, and in words, eight at a look."""
    height, width = disparity.shape
    scale, jump, reach, per_step, spread, lateral = numbers
    for v in range(height):
        line = disparity[v]
        for u in range(width - 1):
            falls[u] = np.uint8(line[u] - line[u + 1] > jump)
        for i in range(words.shape[0]):
            if words[i] != 0:
                for u in range(8 * i, min(8 * i + 8, width - 1)):
                    if falls[u] != 0:
                        _cross(line, field[v], state[v], out[v], u, numbers)
    down = (scale, jump, reach, per_step * _DOWN, spread, lateral)
    for v in range(height - 1):
        above, below = disparity[v], disparity[v + 1]
        for u in range(width):
            falls[u] = np.uint8(above[u] - below[u] > jump)
        for i in range(words.shape[0]):
            if words[i] != 0:
                for u in range(8 * i, min(8 * i + 8, width)):
                    if falls[u] != 0:
                        column = disparity[:, u]
                        _cross(column, field[:, u], state[:, u], out[:, u], v, down)


@njit(**BORROWING)
def _cross(line, field, state, out, last, numbers):  # type: ignore[no-untyped-def]
    """Bridge the gap that begins after `last`, if its other side is near; in place."""
    scale, jump, reach, per_step, spread, lateral = numbers
    near, floor = line[last], line[last + 1]
    limit = (reach + per_step * (near - floor)) * lateral * _WIDEST
    end = min(last + 1 + int(limit), line.shape[0] - 1)
    other = -1
    for w in range(last + 2, end + 1):
        if line[w] - line[w - 1] > jump and line[w] - floor > jump:
            other = w
            break
        floor = min(floor, line[w])
    if other < 0:
        return
    far = line[other]
    low = min(near, far)
    gap = np.float32(other - last - 1)
    mean = (reach + per_step * (low - floor)) * lateral
    # Sides far apart in depth do not blend: the farther one runs on below the nearer.
    slope = (far - near) / (gap + _ONE)
    even = abs(far - near) < low - floor
    tears = low - floor > _TEARS * jump
    for w in range(last + 1, other):
        here = mean * (_ONE - spread * field[w])
        if gap <= here:
            d = near + slope * np.float32(w - last) if even else low
            out[w] = np.uint16(scale / d + np.float32(0.5))
            line[w] = d
            state[w] = 0
        elif tears and gap <= here * _TORN_TO and state[w] == 0:
            state[w] = TORN
