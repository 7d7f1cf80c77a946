"""Furniture: shelves with what is on them, cupboards over a worktop, chairs, sofas, pillars."""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from synth.scene.bank import BOOKS
from synth.scene.clutter import draw_thing, put_solid
from synth.scene.medley import STANDING, draw_soft, pick
from synth.scene.pieces import (
    CUBE,
    CYLINDER,
    JIT,
    between,
    box_at,
    is_free,
    is_vacant,
    put,
    put_turned,
    roll,
    spread,
)
from synth.scene.walls import farthest

WAYS: Final = 5
"""Places that are tried for a piece of furniture."""

ROW_SHARE: Final = 0.4
"""Of the blocks of books where there are soft things: those with fronts of their own."""

SOFT_SHARE: Final = 0.5
"""Of what else is on shelves there, besides things of the catalogue."""


@njit(**JIT)
def put_shelves(dice, shop, floor, planes, solids, sizes, first_solid, soft, fore):
    """Shelves ahead, at an arm's length or farther, with the wall behind them."""
    front = max(farthest(0.0, 1.0, 0.0, fore) + spread(dice, 0.01, 0.5), 0.4)
    deep, wide, tall = between(dice, 0.2, 0.4), between(dice, 0.6, 1.6), between(dice, 1.2, 2.2)
    x, board = between(dice, -0.4, 0.4), between(dice, 0.016, 0.035)
    back = front + deep
    planes[2, 3] = max(back, farthest(0.0, 1.0, 0.0, fore))
    planes[0, 3] = max(planes[0, 3], x + wide / 2)
    planes[1, 3] = max(planes[1, 3], wide / 2 - x)
    tall = min(tall, planes[4, 3] - floor)
    y, z = front + deep / 2, floor + tall / 2
    for side in (-1.0, 1.0):
        put(shop, CUBE, x + side * (wide - board) / 2, y, z, board, deep, tall)
    gap = between(dice, 0.26, 0.42)
    levels = int(tall / gap)
    stocked = 0
    for k in range(levels + 1):
        at = floor + tall * k / levels
        put(shop, CUBE, x, y, max(at - board / 2, floor + board / 2), wide, deep, board)
        # Nobody sees what is right by the floor.
        if 0 < k < levels and at > -1.0:
            room = tall / levels - board - 0.01
            stocked += _fill_board(
                dice, shop, x - wide / 2 + board, x + wide / 2 - board, front, deep, at, room,
                solids, sizes, first_solid, stocked, soft,
            )  # fmt: skip


@njit(**JIT)
def _fill_board(
    dice, shop, x0, x1, front, deep, at, room, solids, sizes, first_solid, stocked, soft
):
    """Things side by side on a board; how many of the catalogue."""
    used = 0
    x = x0 + between(dice, 0.0, 0.25)
    while x < x1 - 0.03:
        kind = roll(dice)
        if kind < 0.5:
            # Books side by side are one block to a depth camera, but for their fronts.
            wide, tall = between(dice, 0.03, 0.16), room * between(dice, 0.55, 0.95)
            inset, model = between(dice, 0.0, 0.06), CUBE
            long = min(between(dice, 0.15, 0.28), deep - inset)
            if soft and roll(dice) < ROW_SHARE:
                model, wide = pick(dice, BOOKS), 1.5 * wide + 0.04
        elif kind < 0.75 and stocked + used < solids.shape[0] and solids[stocked + used] >= 0:
            s = stocked + used
            used += 1
            if sizes[s, 2] < room and sizes[s, 1] < deep and sizes[s, 0] < x1 - x:
                mid = x + sizes[s, 0] / 2
                y, z = front + sizes[s, 1] / 2 + 0.01, at + sizes[s, 2] / 2 + 2e-4
                box = box_at(mid, y, z, sizes[s, 0], sizes[s, 1], sizes[s, 2])
                put_solid(shop, first_solid + solids[s], mid, y, z, 1.0, 0.0, box)
                x += sizes[s, 0]
            x += between(dice, 0.02, 0.2)
            continue
        else:
            if soft and roll(dice) < SOFT_SHARE:
                model, wide, long, tall = draw_soft(dice, STANDING)
            else:
                model, wide, long, tall = draw_thing(dice)
            long, tall, inset = min(long, deep), min(tall, room), 0.01
        if x + wide > x1:
            break
        long = min(long, deep - inset)
        y = front + inset + long / 2
        put(shop, model, x + wide / 2, y, at + tall / 2 + 2e-4, wide, long, tall)
        x += wide + (0.004 if roll(dice) < 0.5 else between(dice, 0.02, 0.3))
    return used


@njit(**JIT)
def put_cupboards(dice, shop, spot, planes, fore):
    """Cupboards on the wall over a worktop; doors stand out by a little."""
    low = spot[4] + between(dice, 0.42, 0.62)
    tall, deep = between(dice, 0.5, 0.8), between(dice, 0.28, 0.38)
    x = spot[0]
    while x < spot[1] - 0.2:
        wide = min(between(dice, 0.4, 0.8), spot[1] - x)
        own = deep + between(dice, -0.04, 0.02)
        y, z = planes[2, 3] - own / 2, low + tall / 2
        if roll(dice) < 0.8 and is_free(box_at(x + wide / 2, y, z, wide, own, tall), fore):
            put(shop, CUBE, x + wide / 2, y, z, wide - 0.003, own, tall)
        x += wide


@njit(**JIT)
def furnish(dice, shop, share, floor, planes, fore, number):
    """Up to `number` pieces on the floor or the wall, each with chance `share`."""
    for _ in range(number):
        kind, there = roll(dice), roll(dice) < share
        for _ in range(WAYS):
            if there and _put_furniture(dice, shop, kind, floor, planes, fore):
                break


@njit(**JIT)
def _put_furniture(dice, shop, kind, floor, planes, fore):
    """One try at a place; whether the piece found it."""
    right, left, ahead = planes[0, 3], planes[1, 3], planes[2, 3]
    if kind < 0.4:  # a cupboard, sideboard or fridge against a wall
        wide, deep, tall = spread(dice, 0.3, 1.6), between(dice, 0.3, 0.65), spread(dice, 0.4, 2.1)
    elif kind < 0.55:  # a chair
        wide, deep, tall = 0.45, 0.47, between(dice, 0.78, 1.0)
    elif kind < 0.68:  # a sofa or an armchair
        wide, deep, tall = between(dice, 0.8, 2.0), between(dice, 0.8, 0.95), 0.8
    elif kind < 0.78:  # a pillar, a bin, a pot
        wide = spread(dice, 0.12, 0.5)
        deep, tall = wide, 10.0 if roll(dice) < 0.5 else spread(dice, 0.3, 1.2)
    elif kind < 0.9:  # a screen or a picture on the wall
        wide, deep, tall = spread(dice, 0.3, 1.4), between(dice, 0.02, 0.08), spread(dice, 0.3, 0.8)
    else:  # a box on the floor
        wide, deep, tall = spread(dice, 0.2, 0.7), spread(dice, 0.2, 0.7), spread(dice, 0.2, 0.8)
    tall = min(tall, planes[4, 3] - floor)
    cos, sin = 1.0, 0.0
    z = floor + tall / 2
    if kind >= 0.4 and (kind < 0.55 or kind >= 0.9):
        turn = 2 * np.pi * roll(dice)
        cos, sin = np.cos(turn), np.sin(turn)
        half = np.hypot(wide, deep) / 2
        if min(ahead - 2 * half - 0.3, right + left - 2 * half) < 0:
            return False
        x, y = between(dice, half - left, right - half), between(dice, half + 0.3, ahead - half)
        half_x, half_y = half, half
    else:
        side = int(3 * roll(dice))
        if side < 2:
            # Turned to stand along a side wall.
            sign = 1.0 if side == 0 else -1.0
            cos, sin = 0.0, -sign
            half_x, half_y = deep / 2, wide / 2
            x = right - half_x if side == 0 else half_x - left
            y = between(dice, 0.0, max(ahead - half_y, 0.3))
        else:
            half_x, half_y = wide / 2, deep / 2
            if right + left < wide:
                return False
            x, y = between(dice, half_x - left, right - half_x), ahead - half_y
        if kind >= 0.78:
            z = max(between(dice, -0.4, 0.5), floor + tall / 2)
    box = box_at(x, y, z, 2 * half_x, 2 * half_y, tall)
    if box[4] > ahead + 1e-6 or not is_free(box, fore) or not is_vacant(box, shop, 0, 0.0):
        return False
    if 0.4 <= kind < 0.55:
        _put_chair(shop, x, y, floor, tall, cos, sin)
    elif 0.55 <= kind < 0.68:
        _put_sofa(shop, x, y, floor, wide, deep, tall, cos, sin)
    else:
        model = CYLINDER if 0.68 <= kind < 0.78 else CUBE
        put_turned(shop, model, x, y, z, wide, deep, tall, cos, sin)
    return True


@njit(**JIT)
def _put_part(shop, x, y, z, dx, dy, sx, sy, sz, cos, sin):
    """A cube of a piece of furniture, at (dx, dy) from its middle in its own axes."""
    put_turned(
        shop, CUBE, x + cos * dx - sin * dy, y + sin * dx + cos * dy, z, sx, sy, sz, cos, sin
    )


@njit(**JIT)
def _put_chair(shop, x, y, floor, tall, cos, sin):
    seat = 0.45
    _put_part(shop, x, y, floor + seat - 0.025, 0.0, 0.0, 0.44, 0.42, 0.05, cos, sin)
    _put_part(shop, x, y, floor + (seat + tall) / 2, 0.0, 0.2, 0.42, 0.04, tall - seat, cos, sin)
    for dx in (-0.19, 0.19):
        for dy in (-0.18, 0.18):
            _put_part(shop, x, y, floor + seat / 2 - 0.02, dx, dy, 0.04, 0.04, 0.41, cos, sin)


@njit(**JIT)
def _put_sofa(shop, x, y, floor, wide, deep, tall, cos, sin):
    _put_part(shop, x, y, floor + 0.21, 0.0, -0.05, wide, deep - 0.1, 0.42, cos, sin)
    _put_part(shop, x, y, floor + tall / 2, 0.0, deep / 2 - 0.12, wide, 0.24, tall, cos, sin)
    for side in (-1.0, 1.0):
        dx = side * (wide / 2 - 0.09)
        _put_part(shop, x, y, floor + 0.3, dx, 0.0, 0.18, deep, 0.6, cos, sin)
