"""What the second eye does not see, and narrow gaps between near surfaces, which matching bridges.

Through a gap between two fingers the second eye sees less of what lies behind, by the step of
disparity, than the first: of a gap narrower than the step it sees nothing. What is left is often
narrower than the window, and a dive to the far disparity and back costs two large jumps, so the
fingers' disparity runs on across the gap. Up and down the image nothing hides, and only gaps as
narrow as the window close.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from augment.effects.marked import list_marked, make_marking
from augment.effects.shadow import make_room, shade_row
from augment.stereo.marks import HIDDEN, TORN, mix_pixel
from frames.kernels import BORROWING

__all__ = ["Bridges", "bridge_gaps"]

_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_TORN_TO = np.float32(1.4)
"""Gaps are torn, without a reading, up to so many times the width that is bridged."""
_TEARS = np.float32(2.0)
"""Times the least step: step into a gap from which it tears; smaller ones melt."""
_WIDEST = np.float32(1.75)
"""Times the mean width: as far as is looked for the other side."""
_DOWN = np.float32(1.0 / 6.0)
"""Of a step's share in the width: what it has up and down, where it hides nothing. Fitted to
matching: 4 px at 5 px of step, 7 at 25."""


class Bridges(NamedTuple):
    """A model's numbers for one camera, float32; all lengths in pixels of the image."""

    scale: np.float32
    """Disparity in pixels of the image times depth."""
    jump: np.float32
    """Step of disparity from pixel to pixel that is an outline, no slanting surface."""
    reach: np.float32
    """Width up to which gaps are bridged, however small the step."""
    per_step: np.float32
    """What is added to it per disparity of the step into the gap, from its lower side."""
    spread: np.float32
    """That width is multiplied by 1 - spread x patches."""
    margin: np.float32
    """A front casts no shadow on a back whose disparity is less than that smaller."""


@njit(cache=True, nogil=True, error_model="numpy")
def bridge_gaps(depth, patches, x_px, right, bridges, state, out):  # type: ignore[no-untyped-def]
    """Depth whose narrow gaps are filled from side to side into `out`, (H, W) uint16 both.

    depth: 0 for nothing. patches: `Patches`. x_px: `shadow.table_columns`, or its first row where
    all are alike. right: whether the second eye is at +x. Fills state (H, W) uint8: `HIDDEN` where
    the second eye does not see, and gaps are open; `TORN` where one is little too wide and the
    second eye sees into it; else 0.
    """
    height, width = depth.shape
    lines, room = np.empty((2, width), np.float32), make_room(width)
    seams = np.empty((height * width, 2), np.int32)  # memory that is not written costs nothing
    looks = make_marking(width), np.empty(width + 8, np.int64), lines, room, seams
    found = _bridge_rows(depth, patches, x_px, right, bridges, looks, state, out)
    down = Bridges(
        bridges.scale,
        bridges.jump,
        bridges.reach,
        bridges.per_step * _DOWN,
        bridges.spread,
        bridges.margin,
    )
    for i in range(found):
        _cross_down(seams[i, 0], seams[i, 1], patches, down, state, out)


@njit(**BORROWING)
def _bridge_rows(depth, patches, x_px, right, bridges, looks, state, out):  # type: ignore[no-untyped-def]
    """Shadow and gaps along rows; lists where the image falls from a row to the next."""
    marking, places, lines, room, seams = looks
    falls = marking[0]
    height, width = depth.shape
    scale, jump = bridges.scale, bridges.jump
    count = 0
    for v in range(height):
        row, to, flags = depth[v], out[v], state[v]
        line, above = lines[v % 2], lines[(v + 1) % 2]
        for u in range(width):
            d = row[u]
            to[u] = d
            flags[u] = 0
            x = scale / np.float32(d)
            line[u] = x if d != 0 else _ZERO
        xs = x_px[min(v, x_px.shape[0] - 1)]
        shade_row(xs, line, right, bridges.margin, room, flags, HIDDEN)
        if not bridges.reach + bridges.per_step > _ZERO:
            continue
        for u in range(width - 1):
            falls[u] = np.uint8(line[u] - line[u + 1] > jump)
        falls[width - 1] = 0
        for i in range(list_marked(marking, places)):
            _cross(line, v, places[i], patches, bridges, flags, to)
        if v == 0:
            continue
        for u in range(width):
            falls[u] = np.uint8(above[u] - line[u] > jump)
        for i in range(list_marked(marking, places)):
            seams[count, 0], seams[count, 1] = v - 1, places[i]
            count += 1
    return count


@njit(**BORROWING)
def _cross(line, v, last, patches, bridges, state, out):  # type: ignore[no-untyped-def]
    """Bridge the gap of a row that begins after `last`, if its other side is near; in place."""
    near, floor = line[last], line[last + 1]
    limit = (bridges.reach + bridges.per_step * (near - floor)) * _WIDEST
    end = min(last + 1 + int(limit), line.shape[0] - 1)
    other = -1
    for w in range(last + 2, end + 1):
        if line[w] - line[w - 1] > bridges.jump and line[w] - floor > bridges.jump:
            other = w
            break
        floor = min(floor, line[w])
    if other < 0:
        return
    far = line[other]
    for w in range(last + 1, other):
        patch = mix_pixel(patches, v, w)
        d = _settle(near, far, floor, last, w, other, patch, bridges)
        if d > _ZERO:
            out[w] = np.uint16(bridges.scale / d + _HALF)
            line[w] = d
            state[w] = 0
        elif d < _ZERO and state[w] == 0:
            state[w] = TORN


@njit(**BORROWING)
def _cross_down(last, u, patches, bridges, state, out):  # type: ignore[no-untyped-def]
    """The same of a column's gap, which begins below row `last` unless it is bridged by now."""
    near, floor = _look(out, last, u, bridges.scale), _look(out, last + 1, u, bridges.scale)
    if not near - floor > bridges.jump:
        return
    limit = (bridges.reach + bridges.per_step * (near - floor)) * _WIDEST
    end = min(last + 1 + int(limit), out.shape[0] - 1)
    other, before, far = -1, floor, floor
    for w in range(last + 2, end + 1):
        far = _look(out, w, u, bridges.scale)
        if far - before > bridges.jump and far - floor > bridges.jump:
            other = w
            break
        floor, before = min(floor, far), far
    for w in range(last + 1, other):  # none if there is no other side
        patch = mix_pixel(patches, w, u)
        d = _settle(near, far, floor, last, w, other, patch, bridges)
        if d > _ZERO:
            out[w, u] = np.uint16(bridges.scale / d + _HALF)
            state[w, u] = 0
        elif d < _ZERO and state[w, u] == 0:
            state[w, u] = TORN


@njit(**BORROWING)
def _look(out, v, u, scale):  # type: ignore[no-untyped-def]
    d = out[v, u]
    return scale / np.float32(d) if d != 0 else _ZERO


@njit(**BORROWING)
def _settle(near, far, floor, last, w, other, patch, bridges):  # type: ignore[no-untyped-def]
    """Disparity of a bridge from `last` to `other` at w; 0 where it is open, -1 where it tears."""
    low = min(near, far)
    gap = np.float32(other - last - 1)
    here = (bridges.reach + bridges.per_step * (low - floor)) * (_ONE - bridges.spread * patch)
    if gap <= here:
        # Sides far apart in depth do not blend: the farther one runs on below the nearer.
        slope = (far - near) / (gap + _ONE)
        return near + slope * np.float32(w - last) if abs(far - near) < low - floor else low
    tears = low - floor > _TEARS * bridges.jump
    return -_ONE if tears and gap <= here * _TORN_TO else _ZERO
