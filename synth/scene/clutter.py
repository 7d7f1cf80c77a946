"""What stands and lies on a table: screens, paper, boxes, and things of the catalogue."""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from synth.scene.bank import CRATE
from synth.scene.desk import COUNTER, DESK
from synth.scene.medley import STANDING, draw_soft, pick
from synth.scene.pieces import (
    BALL,
    CONE,
    CUBE,
    CYLINDER,
    JIT,
    between,
    box_at,
    is_free,
    is_vacant,
    put,
    put_leaning,
    put_posed,
    put_turned,
    roll,
    turned_size,
)

MOST: Final = 12
"""At most so many things of the catalogue are about a frame's surroundings."""

TRIES: Final = 5

SLABS: Final = np.array(
    [
        [0.29, 0.45, 0.11, 0.15, 0.012, 0.028],  # a keyboard
        [0.13, 0.24, 0.17, 0.30, 0.008, 0.045],  # a book
        [0.21, 0.42, 0.297, 0.30, 0.001, 0.002],  # paper
        [0.10, 0.34, 0.10, 0.26, 0.04, 0.28],  # a box
        [0.06, 0.16, 0.04, 0.12, 0.10, 0.28],  # a carton
        [0.30, 0.48, 0.22, 0.34, 0.015, 0.03],  # a tray, a board
    ]
)
"""Least and greatest width, depth and height of things of a simple shape, metres."""


SOFT_SHARE: Final = 0.5
"""Of what stands at the back of a worktop with soft things: bags, plants, jars."""

CRATE_M: Final = 0.04
"""Slabs that may be so thick are cartons, none of which is quite square."""


@njit(**JIT)
def put_screens(dice, shop, style, spot, soft, fore):
    """What belongs on a desk or a counter, at its far side: screens, a laptop, appliances."""
    if style == DESK:
        kind = roll(dice)
        if kind < 0.65:
            _put_monitor(dice, shop, spot, fore)
        if kind > 0.4:
            _put_laptop(dice, shop, spot, fore)
        if roll(dice) < 0.3:
            _put_lamp(dice, shop, spot, fore)
    if style == COUNTER:
        x = spot[0] + between(dice, 0.0, 0.5)
        while x < spot[1] - 0.1:
            wide = between(dice, 0.07, 0.4)
            deep = between(dice, 0.07, 0.3)
            # Wide ones are toasters and ovens, slim ones bottles and jars.
            tall = between(dice, 0.1, 0.3)
            model = CUBE if wide > 0.14 else CYLINDER
            if model == CYLINDER:
                deep = wide
            if soft and roll(dice) < SOFT_SHARE:
                model, wide, deep, tall = draw_soft(dice, STANDING)
            # Nobody lines them up.
            turn = between(dice, -0.25, 0.25)
            cos, sin = np.cos(turn), np.sin(turn)
            across, along = turned_size(wide, deep, cos, sin)
            y = spot[3] - 0.02 - along / 2 - between(dice, 0.0, 0.06)
            box = box_at(x, y, spot[4] + tall / 2, across, along, tall)
            if box[0] > spot[0] and box[3] < spot[1] and is_free(box, fore):
                z = spot[4] + tall / 2 + 2e-4
                put_turned(shop, model, x, y, z, wide, deep, tall, cos, sin)
                if model == CYLINDER and roll(dice) < 0.5:
                    put(shop, CYLINDER, x, y, spot[4] + tall + 0.02, 0.4 * wide, 0.4 * deep, 0.04)
            x += wide / 2 + between(dice, 0.1, 0.5)


@njit(**JIT)
def _put_monitor(dice, shop, spot, fore):
    count = 2 if spot[1] - spot[0] > 1.5 and roll(dice) < 0.4 else 1
    wide, tall = between(dice, 0.45, 0.7), between(dice, 0.28, 0.4)
    x, top = between(dice, -0.25, 0.25), spot[4]
    y, foot = spot[3] - between(dice, 0.1, 0.22), between(dice, 0.08, 0.16)
    back = between(dice, 0.0, 0.15)
    for k in range(count):
        at = x + (k - (count - 1) / 2) * (wide + 0.02)
        z = top + foot + tall / 2
        box = box_at(at, y, top + (foot + tall) / 2, wide + 0.02, 0.15, foot + tall)
        if box[0] < spot[0] - 0.2 or box[3] > spot[1] + 0.2 or not is_free(box, fore):
            continue
        put_leaning(shop, at, y, z, wide, 0.03, tall, 1.0, 0.0, back)
        put(shop, CUBE, at, y + 0.045, top + foot / 2 + 0.03, 0.05, 0.03, foot + 0.06)
        put(shop, CUBE, at, y + 0.02, top + 0.006, 0.22, 0.16, 0.012)


@njit(**JIT)
def _put_laptop(dice, shop, spot, fore):
    wide = between(dice, 0.29, 0.37)
    deep, back = wide * 0.68, between(dice, 0.1, 0.6)
    for _ in range(TRIES):
        x = between(dice, spot[0] + wide / 2, spot[1] - wide / 2)
        y = between(dice, spot[2] + deep / 2 + 0.03, spot[3] - deep / 2 - 0.12)
        turn = between(dice, -0.4, 0.4)
        cos, sin = np.cos(turn), np.sin(turn)
        span = np.hypot(wide, deep + 0.24)
        if y < spot[2] + deep / 2:
            continue
        base = box_at(x, y, spot[4] + 0.01, *turned_size(wide, deep, cos, sin), 0.02)
        lid = box_at(x - sin * deep / 2, y + cos * deep / 2, spot[4] + 0.13, span, 0.35, 0.26)
        if not (is_free(base, fore) and is_free(lid, fore) and is_vacant(lid, shop, 1, 0.0)):
            continue
        put_turned(shop, CUBE, x, y, spot[4] + 0.009, wide, deep, 0.018, cos, sin)
        up, away = deep / 2 * np.cos(back), deep / 2 * (1 + np.sin(back))
        put_leaning(
            shop, x - sin * away, y + cos * away, spot[4] + 0.018 + up,
            wide, 0.007, deep, cos, sin, back,
        )  # fmt: skip
        return


@njit(**JIT)
def _put_lamp(dice, shop, spot, fore):
    side = -1.0 if roll(dice) < 0.5 else 1.0
    x = (spot[0] + spot[1]) / 2 + side * ((spot[1] - spot[0]) / 2 - 0.12)
    y, tall = spot[3] - 0.12, between(dice, 0.25, 0.5)
    box = box_at(x, y, spot[4] + tall / 2, 0.2, 0.2, tall)
    if is_free(box, fore) and is_vacant(box, shop, 1, 0.0):
        put(shop, CYLINDER, x, y, spot[4] + 0.01, 0.14, 0.14, 0.02)
        put(shop, CYLINDER, x, y, spot[4] + tall / 2, 0.02, 0.02, tall)
        put(shop, CONE, x, y, spot[4] + tall - 0.07, 0.2, 0.2, 0.14)


@njit(**JIT)
def scatter(dice, shop, spot, pieces, solids, sizes, first_solid, fore, first):
    """Put up to `pieces` things anywhere on a table's top.

    solids (S,): which things of the catalogue, -1 for none; sizes (S, 3) theirs; first_solid:
    number of the first of their models; first: the first piece that is not the top.
    """
    x0, x1, y0, y1, top = spot[0], spot[1], spot[2], min(spot[3], 1.6), spot[4]
    for k in range(pieces):
        own = roll(dice) < 0.6 and k < solids.shape[0] and solids[k] >= 0
        if own:
            model = first_solid + solids[k]
            sx, sy, sz = sizes[k, 0], sizes[k, 1], sizes[k, 2]
        else:
            model, sx, sy, sz = draw_thing(dice)
        for _ in range(TRIES):
            turn = 2 * np.pi * roll(dice)
            if model == CUBE and sx > 0.15:
                turn = between(dice, -0.3, 0.3)
            cos, sin = np.cos(turn), np.sin(turn)
            wide, deep = turned_size(sx, sy, cos, sin)
            x, y = between(dice, x0 + 0.02, x1 - 0.02), between(dice, y0 + 0.02, y1 - 0.02)
            if not stays_on(spot, x, y, wide, deep):
                continue
            box = box_at(x, y, top + sz / 2, wide, deep, sz)
            if not (is_vacant(box, shop, first, 0.004) and is_free(box, fore)):
                continue
            # A hair above the top, so that neither shows through the other.
            z = top + sz / 2 + 2e-4
            if own:
                put_solid(shop, model, x, y, z, cos, sin, box)
            else:
                put_turned(shop, model, x, y, z, sx, sy, sz, cos, sin)
            break


@njit(**JIT)
def put_solid(shop, model, x, y, z, cos, sin, box):
    """A thing of the catalogue at its own size."""
    put_posed(shop, model, x, y, z, (cos, -sin, 0.0, sin, cos, 0.0, 0.0, 0.0, 1.0), box)


@njit(**JIT)
def draw_thing(dice):
    """A thing of a simple shape: its model and size."""
    kind = roll(dice)
    if kind < 0.72:
        row = SLABS[int(roll(dice) * len(SLABS))]
        wide, deep = between(dice, row[0], row[1]), between(dice, row[2], row[3])
        if row[4] >= CRATE_M:
            return pick(dice, CRATE), wide, deep, between(dice, row[4], row[5])
        return CUBE, wide, deep, between(dice, row[4], row[5])
    if kind < 0.87:
        across = between(dice, 0.05, 0.16)
        return CYLINDER, across, across, between(dice, 0.05, 0.24)
    if kind < 0.93:
        across = between(dice, 0.06, 0.14)
        return BALL, across, across, 0.9 * across
    across = between(dice, 0.08, 0.2)
    return CONE, across, across, between(dice, 0.07, 0.2)


@njit(**JIT)
def stays_on(spot, x, y, wide, deep):
    """Is a thing on the top, or hardly over its edge?"""
    over = 0.01
    inside = (
        x - wide / 2 > spot[0] - over
        and x + wide / 2 < spot[1] + over
        and y - deep / 2 > spot[2] - over
        and y + deep / 2 < spot[3] + over
    )
    if spot[6] > 0:
        across = (abs(2 * x - spot[0] - spot[1]) + wide) / (spot[1] - spot[0])
        along = (abs(2 * y - spot[2] - spot[3]) + deep) / (spot[3] - spot[2])
        inside = inside and across * across + along * along < 1.0
    return inside
