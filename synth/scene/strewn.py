"""Soft and irregular things: on tables, on furniture and the floor, at walls.

In life they lie over and against each other. So they may run into other pieces, which a depth
camera sees as heaps; of the foreground they keep clear like everything else.
"""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from synth.scene.bank import BOOKS, CRATE, CUSHION, DRAPE, HEAP
from synth.scene.clutter import stays_on
from synth.scene.medley import ON_FLOORS, ON_SEATS, ON_TABLES, draw_soft, pick
from synth.scene.pieces import (
    CUBE,
    JIT,
    between,
    box_at,
    is_free,
    is_vacant,
    put_posed,
    put_turned,
    roll,
    spread,
    turned_size,
)

TRIES: Final = 4
OVERLAP_M: Final = 0.05
"""Boxes of things on a table may run into each other by so much; flat things lie anywhere."""


@njit(**JIT)
def strew(dice, shop, spot, number, fore, first):
    """Put up to `number` things on a table's top; first: the first piece that is not the top."""
    x0, x1, y0, y1 = spot[0], spot[1], spot[2], min(spot[3], 1.6)
    for _ in range(number):
        model, sx, sy, sz = draw_soft(dice, ON_TABLES)
        upon = roll(dice) < 0.25
        for _ in range(TRIES):
            turn = 2 * np.pi * roll(dice)
            cos, sin = np.cos(turn), np.sin(turn)
            wide, deep = turned_size(sx, sy, cos, sin)
            # More of them towards the far side, where nobody works.
            x, y, z = between(dice, x0, x1), y0 + (y1 - y0) * np.sqrt(roll(dice)), spot[4]
            if upon:
                x, y, z = _find_base(shop, first, x, y, wide, deep, z)
            if not stays_on(spot, x, y, wide, deep):
                continue
            box = box_at(x, y, z + sz / 2, wide, deep, sz)
            vacant = z > spot[4] or is_vacant(box, shop, first, -OVERLAP_M)
            if not (vacant and is_free(box, fore)):
                continue
            put_turned(shop, model, x, y, z + sz / 2 + 2e-4, sx, sy, sz, cos, sin)
            break


@njit(**JIT)
def _find_base(shop, first, x, y, wide, deep, top):
    """What is nearest to (x, y) of the boxes on a table that carry something so large: its place
    and height; (x, y, top) if there is none.
    """
    count, models, _, boxes = shop
    best, at = np.inf, -1
    for k in range(first, count[0]):
        b = boxes[k]
        box = models[k] == CUBE or CRATE[0] <= models[k] < BOOKS[0]
        if not box or abs(b[2] - top) > 1e-3 or b[5] > top + 0.2:
            continue
        if b[3] - b[0] < 0.9 * wide or b[4] - b[1] < 0.9 * deep:
            continue
        dx, dy = (b[0] + b[3]) / 2 - x, (b[1] + b[4]) / 2 - y
        if dx * dx + dy * dy < best:
            best, at = dx * dx + dy * dy, k
    if at < 0:
        return x, y, top
    b = boxes[at]
    return (b[0] + b[3]) / 2, (b[1] + b[4]) / 2, b[5]


@njit(**JIT)
def hang_cloth(dice, shop, spot, fore):
    """A cloth's edge that hangs over the front of a rectangular table, below its top."""
    drop, out = between(dice, 0.06, 0.35), between(dice, 0.015, 0.06)
    wide = (spot[1] - spot[0]) * between(dice, 0.5, 1.02)
    x = (spot[0] + spot[1]) / 2 + between(dice, -0.5, 0.5) * (spot[1] - spot[0] - wide)
    y, z = spot[2] - out / 2, spot[4] - 0.001 - drop / 2
    if is_free(box_at(x, y, z, wide, out, drop), fore):
        _put_on_wall(shop, pick(dice, DRAPE), x, y, z, wide, drop, out, 2)


@njit(**JIT)
def _put_on_wall(shop, model, x, y, z, wide, tall, deep, wall):
    """A model whose y is up and whose z comes out of a wall: 0 right, 1 left, 2 ahead."""
    if wall == 2:
        axes = (wide, 0.0, 0.0, 0.0, 0.0, -deep, 0.0, tall, 0.0)
        put_posed(shop, model, x, y, z, axes, box_at(x, y, z, wide, deep, tall))
        return
    way = -1.0 if wall == 0 else 1.0
    axes = (0.0, 0.0, way * deep, way * wide, 0.0, 0.0, 0.0, tall, 0.0)
    put_posed(shop, model, x, y, z, axes, box_at(x, y, z, deep, wide, tall))


@njit(**JIT)
def hang_up(dice, shop, floor, planes, fore):
    """A curtain, coat or bag on the wall ahead or at a side; nothing where there is no room."""
    wall = min(int(4 * roll(dice)), 2)
    model, high = pick(dice, DRAPE), planes[4, 3] - floor
    if roll(dice) < 0.55:  # a curtain, to the floor or to a sill
        low = 0.02 if roll(dice) < 0.5 else between(dice, 0.3, 1.0)
        wide, tall, deep = spread(dice, 0.4, 2.0), high - low, spread(dice, 0.04, 0.16)
        z = floor + low + tall / 2
    else:  # clothes, towels and bags on hooks
        wide, tall, deep = spread(dice, 0.3, 0.7), spread(dice, 0.4, 1.2), spread(dice, 0.05, 0.22)
        if roll(dice) < 0.4:
            model = pick(dice, HEAP)
        z = min(floor + between(dice, 1.3, 1.9), planes[4, 3]) - tall / 2
    right, left, ahead = planes[0, 3], planes[1, 3], planes[2, 3]
    if wall == 2:
        if right + left < wide:
            return
        # Not far from what is looked at.
        x = between(dice, max(wide / 2 - left, -1.5), min(right - wide / 2, 1.5))
        y, box_x, box_y = ahead - deep / 2, wide, deep
    else:
        x = right - deep / 2 if wall == 0 else deep / 2 - left
        y, box_x, box_y = between(dice, 0.2, max(ahead - wide / 2, 0.3)), deep, wide
    box = box_at(x, y, z, box_x, box_y, tall)
    if box[4] < ahead + 1e-6 and is_free(box, fore):
        _put_on_wall(shop, model, x, y, z, wide, tall, deep, wall)


@njit(**JIT)
def drop(dice, shop, floor, planes, fore):
    """Something on the floor, ahead; nothing where there is no room."""
    model, sx, sy, sz = draw_soft(dice, ON_FLOORS)
    turn = 2 * np.pi * roll(dice)
    cos, sin = np.cos(turn), np.sin(turn)
    wide, deep = turned_size(sx, sy, cos, sin)
    right, left, ahead = min(planes[0, 3], 1.5), min(planes[1, 3], 1.5), min(planes[2, 3], 2.5)
    if right + left < wide or ahead < deep + 0.2:
        return
    x = between(dice, wide / 2 - left, right - wide / 2)
    y = between(dice, 0.2 + deep / 2, ahead - deep / 2)
    if is_free(box_at(x, y, floor + sz / 2, wide, deep, sz), fore):
        put_turned(shop, model, x, y, floor + sz / 2 + 2e-4, sx, sy, sz, cos, sin)


@njit(**JIT)
def cover_furniture(dice, shop, share, floor, first, fore):
    """Cushions, blankets, clothes and bags on the seats and tops from piece `first` on."""
    count, models, poses, boxes = shop
    for k in range(first, count[0]):
        T, high = poses[k], boxes[k, 5] - floor
        if models[k] != CUBE or T[2, 0] != 0.0 or T[2, 1] != 0.0 or not 0.3 < high < 1.4:
            continue
        sx, sy = np.hypot(T[0, 0], T[1, 0]), np.hypot(T[0, 1], T[1, 1])
        if sx < 0.25 or (sy < 0.25 and sy > 0.06) or roll(dice) > share:
            continue
        cos, sin = T[0, 0] / sx, T[1, 0] / sx
        x, y, z = T[0, 3], T[1, 3], boxes[k, 5]
        if sy < 0.06:
            # The back of a chair, with a jacket over it.
            model, tall = pick(dice, CUSHION), between(dice, 0.2, 0.4)
            wide, deep = sx * between(dice, 0.8, 1.15), between(dice, 0.1, 0.2)
            z -= tall - 0.03
        else:
            model, wide, deep, tall = draw_soft(dice, ON_SEATS)
            wide, deep = wide * sx, min(deep * sx, sy)
            swing = between(dice, -0.3, 0.3)
            cos, sin = cos - swing * sin, sin + swing * cos
            size = np.hypot(cos, sin)
            cos, sin = cos / size, sin / size
        box_x, box_y = turned_size(wide, deep, cos, sin)
        if is_free(box_at(x, y, z + tall / 2, box_x, box_y, tall), fore):
            put_turned(shop, model, x, y, z + tall / 2 + 2e-4, wide, deep, tall, cos, sin)
