"""The bodies of each kind of occluder, around a point of a hand: rows of `solids`.

All of a body's numbers come from uniform ones. Where it ends up along the line of sight is settled
later, by `inserting`; here it only starts a clearance before (or behind) the point.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from augment.occlusion.config import KINDS, SIZES
from augment.occlusion.solids import BLOB, BOX, CAPSULE, ELLIPSOID, ROW, SHEET

MOST_ROWS: Final = 16
NUMBERS: Final = 32
"""Uniform numbers that `fill_rows` takes."""

_STRAP, _PAPER, _STICK, _CABLE, _FINGERS, _BLOB = (KINDS.index(k) for k in KINDS[:6])
_BOARD, _CLUTTER = KINDS.index("board"), KINDS.index("clutter")
(
    _STRAP_WIDTH, _STRAP_LENGTH, _PAPER_SIDE, _STICK_WIDTH, _STICK_LENGTH, _CABLE_WIDTH,
    _FINGER_SIZE, _BLOB_RADIUS, _BODY_SIZE, _BOARD_SIDE, _CLUTTER_SIZE,
) = range(len(SIZES))  # fmt: skip
_LIMITS: Final = len(SIZES)

_JOINTS: Final = (0.045, 0.027, 0.020)
_GIRTHS: Final = (0.0095, 0.0085, 0.0075)
_APART: Final = 0.0195
_PALM: Final = (0.052, 0.042, 0.016)
_ARM: Final = (0.26, 0.027)
"""A made hand, metres: lengths and radii of a finger's bones, how far fingers lie apart, half
extents of the palm, length and radius of the arm."""


@njit(cache=True, nogil=True, error_model="numpy")
def draw_length(low_high, u):  # type: ignore[no-untyped-def]
    """A length of a range, evenly by ratio."""
    return low_high[0] * (low_high[1] / low_high[0]) ** u


@njit(cache=True, nogil=True, error_model="numpy")
def draw_normal(u, v):  # type: ignore[no-untyped-def]
    """A standard normal number of two uniform ones (Box and Muller 1958)."""
    return math.sqrt(-2.0 * math.log(1.0 - u)) * math.cos(2.0 * math.pi * v)


@njit(cache=True, nogil=True, error_model="numpy")
def face_point(point, turn):  # type: ignore[no-untyped-def]
    """(3, 3) axes as rows: two across the line of sight to a point, turned, and that line."""
    axes = np.empty((3, 3))
    far = math.sqrt(point[0] ** 2 + point[1] ** 2 + point[2] ** 2)
    w = point / far
    flat = math.hypot(w[0], w[2])
    a = np.array([w[2] / flat, 0.0, -w[0] / flat])
    b = np.array([w[1] * a[2], w[2] * a[0] - w[0] * a[2], -w[1] * a[0]])
    c, s = math.cos(turn), math.sin(turn)
    axes[0], axes[1], axes[2] = c * a + s * b, c * b - s * a, w
    return axes


@njit(cache=True, nogil=True, error_model="numpy")
def slant(axes, along, across):  # type: ignore[no-untyped-def]
    """Axes turned about their second by `along`, then about their new first by `across`."""
    out = np.empty((3, 3))
    c, s = math.cos(along), math.sin(along)
    out[0] = c * axes[0] + s * axes[2]
    w = c * axes[2] - s * axes[0]
    c, s = math.cos(across), math.sin(across)
    out[1] = c * axes[1] + s * w
    out[2] = c * w - s * axes[1]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _set_row(row, kind, centre, axes):  # type: ignore[no-untyped-def]
    row[:] = 0.0
    row[0] = kind
    row[1:4] = centre
    for k in range(3):
        row[4 + 3 * k : 7 + 3 * k] = axes[k]


@njit(cache=True, nogil=True, error_model="numpy")
def _set_capsule(row, start, end, radius):  # type: ignore[no-untyped-def]
    row[:] = 0.0
    row[0], row[1:4], row[4:7], row[7] = CAPSULE, start, end, radius


@njit(cache=True, nogil=True, error_model="numpy")
def fill_rows(kind, point, clearance_m, sizes, u):  # type: ignore[no-untyped-def]
    """An occluder: rows (n, ROW), its pose (4, 4) in camera axes, and its extents (3,).

    kind: place in `config.KINDS`. point (3,): what it is aimed at, camera axes. clearance_m: how
    far before the point it starts (behind it, for boards and clutter). sizes: `Occlusion.sizes`.
    u: (NUMBERS,) uniform.
    """
    rows = np.zeros((MOST_ROWS, ROW))
    size = np.zeros(3)
    side = 1.0 if kind in (_BOARD, _CLUTTER) else -1.0
    straight = face_point(point, 2.0 * math.pi * u[0])
    tilt = sizes[_LIMITS, 1]
    axes = slant(straight, tilt * (2.0 * u[1] - 1.0), tilt * (2.0 * u[2] - 1.0))
    middle = point + side * clearance_m * straight[2]
    count = 1
    if kind == _STRAP:
        half = 0.5 * draw_length(sizes[_STRAP_LENGTH], u[3])
        width = 0.5 * draw_length(sizes[_STRAP_WIDTH], u[4])
        bend = sizes[_LIMITS, 0] * (2.0 * u[5] - 1.0)
        middle += 0.6 * half * (2.0 * u[6] - 1.0) * axes[0]
        _fill_sheet(rows[0], size, middle, axes, half, width, bend)
    elif kind in (_PAPER, _BOARD):
        which = _PAPER_SIDE if kind == _PAPER else _BOARD_SIDE
        half, width = 0.5 * draw_length(sizes[which], u[3]), 0.5 * draw_length(sizes[which], u[4])
        bend = sizes[_LIMITS, 0] * (2.0 * u[5] - 1.0)
        # Boards are stiff, and half of the papers lie on one.
        bend *= 0.1 * (u[8] < 0.3) if kind == _BOARD else 1.0 * (u[8] < 0.5)
        # A paper is to cover a part of the hand: its edge, not its middle, comes near the point.
        edge = 0.9 * u[6] + 0.25 if kind == _PAPER else 0.5 * u[6]
        turn = 2.0 * math.pi * u[7]
        middle += edge * (half * math.cos(turn) * axes[0] + width * math.sin(turn) * axes[1])
        _fill_sheet(rows[0], size, middle, axes, half, width, bend)
    elif kind == _STICK:
        half = 0.5 * draw_length(sizes[_STICK_LENGTH], u[3])
        width = 0.5 * draw_length(sizes[_STICK_WIDTH], u[4])
        middle += 0.8 * half * (2.0 * u[5] - 1.0) * axes[0]
        size[:] = 2.0 * half, 2.0 * width, 2.0 * width
        if u[6] < 0.5:
            _set_capsule(rows[0], middle - half * axes[0], middle + half * axes[0], width)
            size[0] += 2.0 * width
        else:
            size[2] = 2.0 * width * (0.1 + 0.9 * u[7])
            _set_row(rows[0], BOX, middle, axes)
            rows[0, 13:16] = 0.5 * size
    elif kind == _CABLE:
        count = _fill_cable(
            rows, size, middle, axes, 0.5 * draw_length(sizes[_CABLE_WIDTH], u[3]), u
        )
    elif kind == _FINGERS:
        count = _fill_fingers(rows, size, middle, axes, draw_length(sizes[_FINGER_SIZE], u[3]), u)
    elif kind == _BLOB:
        radius = draw_length(sizes[_BLOB_RADIUS], u[3])
        turn = 2.0 * math.pi * u[5]
        middle += radius * u[6] * (math.cos(turn) * straight[0] + math.sin(turn) * straight[1])
        _set_row(rows[0], BLOB, middle, face_point(middle, 0.0))
        rows[0, 13], rows[0, 14] = radius, radius * u[4]
        for k in range(3):
            wave, phase = (0.3 - 0.07 * k) * u[8 + 2 * k], 2.0 * math.pi * u[9 + 2 * k]
            rows[0, 15 + 2 * k] = wave * math.cos(phase)
            rows[0, 16 + 2 * k] = wave * math.sin(phase)
        size[:] = 2.0 * radius, 2.0 * radius, rows[0, 14]
    else:
        count = _fill_clutter(rows, size, middle, straight, sizes[_CLUTTER_SIZE], u)
    pose = np.eye(4)
    pose[:3, :3] = axes.T
    pose[:3, 3] = middle
    return rows[:count], pose, size


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_sheet(row, size, middle, axes, half, width, bend):  # type: ignore[no-untyped-def]
    # At most half a turn of a cylinder.
    bend = min(max(bend, -0.5 * math.pi / half), 0.5 * math.pi / half)
    _set_row(row, SHEET, middle, axes)
    row[13], row[14], row[15], row[16] = half, width, bend, math.cos(half * bend)
    size[0], size[1] = 2.0 * half, 2.0 * width


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_cable(rows, size, middle, axes, radius, u):  # type: ignore[no-untyped-def]
    """A cable that sways across and sags along the line of sight, as a chain of capsules."""
    half, sway = 0.12 + 0.23 * u[4], 0.03 + 0.09 * u[5]
    waves, phase = 2.0 + 4.0 * u[6], 2.0 * math.pi * u[7]
    sag = 0.12 * (2.0 * u[8] - 1.0)
    count = MOST_ROWS
    last = np.zeros(3)
    for k in range(count + 1):
        t = 2.0 * k / count - 1.0
        across = sway * (math.sin(waves * t + phase) - math.sin(phase))
        point = middle + half * t * axes[0] + across * axes[1] + sag * t * t * axes[2]
        if k > 0:
            _set_capsule(rows[k - 1], last, point, radius)
        last[:] = point
    size[:] = 2.0 * half, 2.0 * sway, abs(sag) + 2.0 * radius
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_fingers(rows, size, middle, axes, scale, u):  # type: ignore[no-untyped-def]
    """One to three stretched fingers of a hand that reaches in along the first axis."""
    fingers = 1 + int(3.0 * u[4])
    knuckle = middle - scale * (0.02 + 0.07 * u[5]) * axes[0]
    first = u[14] * (3 - fingers)  # where they are on the hand
    angle = 0.35 * (2.0 * u[7] - 1.0)
    for f in range(fingers):
        point = knuckle + scale * _APART * (f + first - 1.5) * axes[1]
        # Fingers side by side bend much alike.
        bend, turn = 0.5 * u[6] + 0.15 * u[8 + 2 * f], angle
        longer = scale * (0.88 + 0.24 * u[9 + 2 * f])
        for k in range(3):
            end = point + longer * _JOINTS[k] * (
                math.cos(turn) * axes[0] + math.sin(turn) * axes[2]
            )
            _set_capsule(rows[3 * f + k], point, end, scale * _GIRTHS[k])
            point = end
            turn += bend
    count = 3 * fingers + 2
    palm, arm = rows[count - 2], rows[count - 1]
    _set_row(palm, ELLIPSOID, knuckle - 0.85 * scale * _PALM[0] * axes[0], axes)
    for k in range(3):
        palm[13 + k] = scale * _PALM[k]
    wrist = knuckle - 1.5 * scale * _PALM[0] * axes[0]
    elbow = wrist - _ARM[0] * (math.cos(angle) * axes[0] - math.sin(angle) * axes[1])
    _set_capsule(arm, wrist, elbow, scale * _ARM[1])
    size[:] = 0.19 * scale, 2.0 * scale * _PALM[1], 2.0 * scale * _PALM[2]
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_clutter(rows, size, middle, straight, sizes, u):  # type: ignore[no-untyped-def]
    """Two to five boxes and balls around the point, each slanted its own way."""
    count = 2 + int(4.0 * u[3])
    widest = 0.0
    for k in range(count):
        a = u[4 + 5 * k : 9 + 5 * k]
        half = 0.5 * draw_length(sizes, a[0])
        turn, off = 2.0 * math.pi * a[1], 0.10 * math.sqrt(a[2])
        at = middle + half * straight[2]
        at += off * (math.cos(turn) * straight[0] + math.sin(turn) * straight[1])
        axes = slant(straight, 3.0 * a[3] - 1.5, 3.0 * a[4] - 1.5)
        _set_row(rows[k], BOX if a[4] < 0.6 else ELLIPSOID, at, axes)
        rows[k, 13], rows[k, 14] = half, half * (0.5 + 0.5 * a[3])
        rows[k, 15] = half * (0.4 + 0.6 * a[2])
        widest = max(widest, off + half)
    size[:] = 2.0 * widest
    return count
