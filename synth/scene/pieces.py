"""Pieces: models put up in a room one by one, each clear of what is there already.

All of it in the room's own axes (z up, walls along x and y), where a piece stands for its bounding
box. Compiled, a frame at a time: what a frame gets depends on nothing but its own numbers.
"""

# mypy: allow-untyped-defs

from typing import Any, Final

import numpy as np
from numba import njit

from synth.scene.revolve import revolve
from synth.things.model import Model, make_model

JIT: Final[dict[str, Any]] = {"nogil": True, "cache": True, "error_model": "numpy"}

CAPACITY: Final = 64
"""A frame's surroundings have at most so many pieces."""

CLEARANCE_M: Final = 0.01
"""Everything keeps so far from what is in the foreground."""

CUBE: Final = 0
CYLINDER: Final = 1
BALL: Final = 2
CONE: Final = 3


def build_models() -> tuple[Model, ...]:
    """What surroundings are made of, each filling the unit cube: CUBE, CYLINDER, BALL, CONE."""
    corner = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) - 0.5
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    angle = np.radians([-90.0, -60.0, -30.0, 0.0, 30.0, 60.0, 90.0])
    z, r = 0.5 * np.sin(angle), 0.5 * np.cos(angle)
    r[[0, -1]] = 0.0
    return (
        make_model("cube", corner, faces),
        make_model("cylinder", *revolve(((-0.5, 0), (-0.5, 0.5), (0.5, 0.5), (0.5, 0)), 16)),
        make_model("ball", *revolve(list(zip(z.tolist(), r.tolist(), strict=True)), 12)),
        make_model("cone", *revolve(((-0.5, 0), (-0.5, 0.5), (0.5, 0.3), (0.5, 0)), 14)),
    )


def new_pieces(frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Room for the pieces of some frames: how many there are (U, 1), their models (U, CAPACITY),
    affine maps (U, CAPACITY, 4, 4) and bounding boxes (U, CAPACITY, 6).
    """
    return (
        np.zeros((frames, 1), np.int64),
        np.full((frames, CAPACITY), -1),
        np.zeros((frames, CAPACITY, 4, 4)),
        np.zeros((frames, CAPACITY, 6)),
    )


@njit(**JIT)
def roll(dice):
    """The next number of dice = (uniforms (n,), cursor (1,)); after the last the first again."""
    u, cursor = dice
    at = cursor[0]
    cursor[0] = at + 1
    return u[at % u.shape[0]]


@njit(**JIT)
def between(dice, low, high):
    """A number from low to high."""
    return low + (high - low) * roll(dice)


@njit(**JIT)
def spread(dice, low, high):
    """A number from low to high, as likely in each octave."""
    return low * (high / low) ** roll(dice)


@njit(**JIT)
def box_at(x, y, z, sx, sy, sz):
    """Bounds (low x, y, z, high x, y, z) of a box of this middle and size."""
    return (x - sx / 2, y - sy / 2, z - sz / 2, x + sx / 2, y + sy / 2, z + sz / 2)


@njit(**JIT)
def is_free(box, fore):
    """Does a box keep clear of all that is in the foreground?

    fore: balls (K, 4), bounding boxes (J, 6), and how many of the balls are the wearer's own body.
    """
    balls, things, _ = fore
    for k in range(balls.shape[0]):
        dx = max(box[0] - balls[k, 0], balls[k, 0] - box[3], 0.0)
        dy = max(box[1] - balls[k, 1], balls[k, 1] - box[4], 0.0)
        dz = max(box[2] - balls[k, 2], balls[k, 2] - box[5], 0.0)
        reach = balls[k, 3] + CLEARANCE_M
        if dx * dx + dy * dy + dz * dz < reach * reach:
            return False
    for k in range(things.shape[0]):  # noqa: SIM110
        if meet(box, things[k], CLEARANCE_M):
            return False
    return True


@njit(**JIT)
def meet(a, b, gap):
    """Are two boxes closer than `gap` along every axis?"""
    return (
        a[0] < b[3] + gap
        and b[0] < a[3] + gap
        and a[1] < b[4] + gap
        and b[1] < a[4] + gap
        and a[2] < b[5] + gap
        and b[2] < a[5] + gap
    )


@njit(**JIT)
def is_vacant(box, shop, first, gap):
    """Does a box keep clear of the pieces from number `first` on?"""
    count, _, _, boxes = shop
    for k in range(first, count[0]):  # noqa: SIM110
        if meet(box, boxes[k], gap):
            return False
    return True


@njit(**JIT)
def put(shop, model, x, y, z, sx, sy, sz):
    """Add a model of the unit cube at a middle, at a size."""
    put_turned(shop, model, x, y, z, sx, sy, sz, 1.0, 0.0)


@njit(**JIT)
def put_turned(shop, model, x, y, z, sx, sy, sz, cos, sin):
    """The same, turned about z."""
    wide, deep = turned_size(sx, sy, cos, sin)
    put_posed(
        shop, model, x, y, z,
        (cos * sx, -sin * sy, 0.0, sin * sx, cos * sy, 0.0, 0.0, 0.0, sz),
        box_at(x, y, z, wide, deep, sz),
    )  # fmt: skip


@njit(**JIT)
def turned_size(sx, sy, cos, sin):
    """Extent along x and y of a rectangle turned about z."""
    return abs(cos) * sx + abs(sin) * sy, abs(sin) * sx + abs(cos) * sy


@njit(**JIT)
def put_posed(shop, model, x, y, z, axes, box):
    """Add a model by the nine entries of its linear map; nothing where all places are taken."""
    count, models, poses, boxes = shop
    n = count[0]
    if n == CAPACITY:
        return
    count[0] = n + 1
    models[n] = model
    for i in range(3):
        for j in range(3):
            poses[n, i, j] = axes[3 * i + j]
    poses[n, 0, 3], poses[n, 1, 3], poses[n, 2, 3], poses[n, 3, 3] = x, y, z, 1.0
    for i in range(6):
        boxes[n, i] = box[i]


@njit(**JIT)
def put_leaning(shop, x, y, z, sx, sy, sz, cos, sin, back):
    """A cube that leans back (rad) about its own x axis, then turned about z: lids and screens."""
    c, s = np.cos(back), np.sin(back)
    # Columns: x, y and z of the cube; leaning back takes its z towards +y.
    axes = (
        cos * sx, -sin * c * sy, -sin * s * sz,
        sin * sx, cos * c * sy, cos * s * sz,
        0.0, -s * sy, c * sz,
    )  # fmt: skip
    wide = abs(axes[0]) + abs(axes[1]) + abs(axes[2])
    deep = abs(axes[3]) + abs(axes[4]) + abs(axes[5])
    tall = abs(axes[7]) + abs(axes[8])
    put_posed(shop, CUBE, x, y, z, axes, box_at(x, y, z, wide, deep, tall))
