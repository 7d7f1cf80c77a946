"""What stands in the foreground, as balls and boxes: surroundings keep clear of it."""

# mypy: allow-untyped-defs

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from synth.raster.keys import JIT


class Foreground(NamedTuple):
    """What must stay free in B frames, in their world frames; one argument of a compiled function.

    Rows of NaN are nothing.
    """

    points: np.ndarray
    """(B, P, 3) float64 middles of balls that fill hands, arms, and what is worn."""
    radius: np.ndarray
    """(B, P) float64 metres."""
    hands: np.ndarray
    """(B, P) bool: is it a ball of a hand, rather than of an arm?"""
    boxes: np.ndarray
    """(B, Q, 4, 4) float64 T_world_from_box of unit cubes about things that are held or that stand
    by the hands, scale included."""
    camera: np.ndarray
    """(B, 3) float64 where the camera is."""


def make_foreground(
    points: np.ndarray,
    radius: np.ndarray,
    hands: np.ndarray,
    boxes: np.ndarray,
    T_world_from_camera: np.ndarray,
) -> Foreground:
    """The foreground in the types that compiled functions expect."""
    return Foreground(
        np.ascontiguousarray(points, np.float64),
        np.ascontiguousarray(radius, np.float64),
        np.ascontiguousarray(hands, np.bool_),
        np.ascontiguousarray(boxes, np.float64),
        np.ascontiguousarray(T_world_from_camera[:, :3, 3], np.float64),
    )


class Box(NamedTuple):
    """An upright or tilted box: inputs of `meets_ball` and `meets_box`."""

    middle: np.ndarray
    """(3,) metres."""
    axes: np.ndarray
    """(3, 3) its unit axes as columns."""
    half: np.ndarray
    """(3,) half extents, metres."""


@njit(**JIT)
def meets_ball(box, x, y, z, reach):
    """Whether a ball of radius `reach` comes into a box; false for NaN."""
    dx, dy, dz = x - box.middle[0], y - box.middle[1], z - box.middle[2]
    away = 0.0
    for k in range(3):
        along = (box.axes[0, k] * dx + box.axes[1, k] * dy) + box.axes[2, k] * dz
        beyond = abs(along) - box.half[k]
        if beyond > reach:
            return False
        if beyond > 0.0:
            away += beyond * beyond
    return away < reach * reach


@njit(**JIT)
def meets_box(a, b):
    """Whether two boxes overlap: no axis separates them (Gottschalk et al., "OBBTree", 1996)."""
    turn = np.empty((3, 3))
    size = np.empty((3, 3))
    shift = np.empty(3)
    dx, dy = b.middle[0] - a.middle[0], b.middle[1] - a.middle[1]
    dz = b.middle[2] - a.middle[2]
    for i in range(3):
        shift[i] = (a.axes[0, i] * dx + a.axes[1, i] * dy) + a.axes[2, i] * dz
        for j in range(3):
            turn[i, j] = (a.axes[0, i] * b.axes[0, j] + a.axes[1, i] * b.axes[1, j]) + a.axes[
                2, i
            ] * b.axes[2, j]
            # A little more than zero, so that parallel edges do not pass for a separating axis.
            size[i, j] = abs(turn[i, j]) + 1e-9
    for i in range(3):
        reach = (b.half[0] * size[i, 0] + b.half[1] * size[i, 1]) + b.half[2] * size[i, 2]
        if abs(shift[i]) > a.half[i] + reach:
            return False
    for j in range(3):
        reach = (a.half[0] * size[0, j] + a.half[1] * size[1, j]) + a.half[2] * size[2, j]
        along = (shift[0] * turn[0, j] + shift[1] * turn[1, j]) + shift[2] * turn[2, j]
        if abs(along) > b.half[j] + reach:
            return False
    for i in range(3):
        p, q = (i + 1) % 3, (i + 2) % 3
        for j in range(3):
            r, s = (j + 1) % 3, (j + 2) % 3
            reach = (a.half[p] * size[q, j] + a.half[q] * size[p, j]) + (
                b.half[r] * size[i, s] + b.half[s] * size[i, r]
            )
            if abs(shift[q] * turn[p, j] - shift[p] * turn[q, j]) > reach:
                return False
    return True


@njit(**JIT)
def unit_box(T):
    """The box of a unit cube under an affine T (4, 4) whose columns are at right angles."""
    axes, half = np.empty((3, 3)), np.empty(3)
    for j in range(3):
        length = math.sqrt((T[0, j] * T[0, j] + T[1, j] * T[1, j]) + T[2, j] * T[2, j])
        half[j] = 0.5 * length
        for i in range(3):
            axes[i, j] = T[i, j] / length
    return Box(T[:3, 3].copy(), axes, half)


@njit(**JIT)
def reach_along(foreground, b, nx, ny, nz, hands_only):
    """How far the foreground of frame b reaches along a direction from the world's origin, metres.

    hands_only: of hands and what they hold, without arms. -inf for nothing.
    """
    most = -np.inf
    for p in range(foreground.points.shape[1]):
        if hands_only and not foreground.hands[b, p]:
            continue
        point = foreground.points[b, p]
        along = ((nx * point[0] + ny * point[1]) + nz * point[2]) + foreground.radius[b, p]
        if along > most:
            most = along
    for q in range(foreground.boxes.shape[1]):
        T = foreground.boxes[b, q]
        along = (nx * T[0, 3] + ny * T[1, 3]) + nz * T[2, 3]
        for j in range(3):
            along += 0.5 * abs((nx * T[0, j] + ny * T[1, j]) + nz * T[2, j])
        if along > most:
            most = along
    return most


@njit(**JIT)
def is_clear(foreground, b, box, gap, nearest):
    """Whether a box keeps `gap` from the balls and boxes of frame b and `nearest` from its camera.

    gap, nearest: metres; boxes of the foreground may touch it.
    """
    camera = foreground.camera[b]
    if meets_ball(box, camera[0], camera[1], camera[2], nearest):
        return False
    for p in range(foreground.points.shape[1]):
        point = foreground.points[b, p]
        if meets_ball(box, point[0], point[1], point[2], foreground.radius[b, p] + gap):
            return False
    for q in range(foreground.boxes.shape[1]):
        if not np.isnan(foreground.boxes[b, q, 0, 3]) and meets_box(
            box, unit_box(foreground.boxes[b, q])
        ):
            return False
    return True
