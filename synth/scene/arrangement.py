"""Arrangements: which surroundings a frame gets, and everything put in its place."""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from synth.scene.bank import TURNED
from synth.scene.close import LARGE_M, draw_close
from synth.scene.clutter import put_screens, scatter
from synth.scene.desk import COUNTER, DESK, PLAIN, lay_table, meets_body, put_table
from synth.scene.medley import pick
from synth.scene.pieces import CUBE, JIT, between, put, put_posed, roll
from synth.scene.shelves import furnish, put_cupboards, put_shelves
from synth.scene.strewn import cover_furniture, drop, hang_cloth, hang_up, strew
from synth.scene.walls import (
    draw_floor,
    draw_walls,
    farthest,
    gather_foreground,
    hold_pieces,
    turn_out,
)

KINDS: Final = ("empty", "ground", "close", "room", "table", "desk", "counter", "shelves")
"""Kinds of surroundings: nothing, flat ground, a surface close behind the hands, furnished rooms
without a table and with one, a desk, a worktop, shelves ahead."""
EMPTY, GROUND, CLOSE, ROOM, TABLE, SHELVES = 0, 1, 2, 3, 4, 7

DICE: Final = {
    "kind": 8,
    "table": 64,
    "walls": 16,
    "furniture": 224,
    "clutter": 224,
    "close": 32,
    "soft": 256,
}
"""How many numbers each part of the arrangement draws from."""

FURNITURE: Final = 4
"""At most so many pieces of furniture in a room; two where there is a table."""

SOFT_M: Final = (0.12, 1.0)
"""A close surface may be cloth if it is no thicker and its half no larger."""

CLOTH_SHARE: Final = 0.3
"""Of tables with soft things, how many have a cloth that hangs over their edge."""


@njit(**JIT)
def arrange(
    shares, ranges, most, dice, points, radius, table, table_point, camera, seated, behind,
    solids, sizes, first_solid, pieces, planes, present, kind,
):  # fmt: skip
    """Fill pieces, planes (U, 8, 4), present (U,) and kind (U,) of U frames.

    shares: close, empty, table, shelves, furniture, cluttered tables, and soft things; ranges: low
    and high of the close gap and of the wall ahead; most: pieces of clutter and soft things on a
    table; dice: arrays (U, n) of uniforms in the order of DICE; behind (U,) bool: there is a
    backdrop.
    """
    balls = np.empty((points.shape[1] + 32, 4))
    things = np.empty((points.shape[1] // 8 + 2, 6))
    counts, models, poses, boxes = pieces
    spot = np.zeros(7)
    slab = np.zeros((4, 4))
    for b in range(points.shape[0]):
        shop = (counts[b], models[b], poses[b], boxes[b])
        cursor = np.zeros((len(dice), 1), np.int64)
        of_kind = (dice[0][b], cursor[0])
        asked = table[b] == table[b]
        is_close, is_empty = roll(of_kind) < shares[0], roll(of_kind) < shares[1]
        has_table, style, way = roll(of_kind) < shares[2], roll(of_kind), 2 * roll(of_kind) - 1
        is_close = is_close and not asked and not behind[b]
        has_table = asked or (has_table and not behind[b] and not is_close)
        # Rooms stand square to who works in them, more often than not.
        yaw = np.pi / 4 * way * (abs(way) if has_table else 1.0)
        cos, sin = np.cos(yaw), np.sin(yaw)
        body, count, held = gather_foreground(
            points[b], radius[b], seated[b], cos, sin, balls, things
        )
        of_soft = (dice[6][b], cursor[6])
        # From almost bare to crowded: most are in between, and rooms are as their tables.
        soft, crowd = roll(of_soft) < shares[6], roll(of_soft)
        large, slab_model = False, CUBE
        if is_close:
            half = draw_close(
                (dice[5][b], cursor[5]), ranges[0], ranges[1], points[b], radius[b], camera[b], slab
            )
            large = half > LARGE_M
            thick = np.sqrt(slab[0, 2] ** 2 + slab[1, 2] ** 2 + slab[2, 2] ** 2)
            if soft and thick < SOFT_M[0] and half < SOFT_M[1]:
                slab_model = pick(of_soft, TURNED)
            _bound(slab, cos, sin, things[held])
            held += 1
        fore = (balls[:count], things[:held], body)
        bare = behind[b] or is_empty
        table_style = PLAIN if bare or style < 0.3 else DESK if style < 0.65 else COUNTER
        if has_table:
            px = cos * table_point[b, 0] + sin * table_point[b, 1]
            py = cos * table_point[b, 1] - sin * table_point[b, 0]
            of_table = (dice[1][b], cursor[1])
            has_table = lay_table(of_table, table_style, table[b], px, py, fore, spot)
        of_walls = (dice[2][b], cursor[2])
        floor = draw_floor(of_walls, spot[4] if has_table else np.nan, seated[b])
        draw_walls(of_walls, ranges[2], ranges[3], floor, fore, planes[b])
        present[b] = not bare and not large
        if is_close:
            kind[b] = CLOSE
        elif bare:
            ground = not behind[b] and roll(of_walls) < 0.5
            kind[b] = GROUND if ground else EMPTY
            if ground:
                put(shop, CUBE, 0.0, 15.0, -planes[b, 5, 3] - 0.1, 40.0, 40.0, 0.2)
        else:
            kind[b] = ROOM
        of_clutter, of_furniture = (dice[4][b], cursor[4]), (dice[3][b], cursor[3])
        if has_table:
            first = counts[b, 0]
            if not bare:
                kind[b] = TABLE + table_style
                _back_to_wall(of_walls, table_style, spot, planes[b], fore)
            put_table(of_table, shop, table_style, spot, -planes[b, 5, 3], fore)
            hold_pieces(shop, planes[b])
            if not bare and roll(of_clutter) < shares[5]:
                put_screens(of_clutter, shop, table_style, spot, soft, fore)
            if present[b] and table_style == COUNTER and roll(of_furniture) < 0.6:
                put_cupboards(of_furniture, shop, spot, planes[b], fore)
            number = int((most[0] + 1) * roll(of_clutter))
            scatter(
                of_clutter, shop, spot, number, solids[b], sizes[b], first_solid, fore, first + 1
            )
            if soft:
                strew(
                    of_soft,
                    shop,
                    spot,
                    int((most[1] + 1) * crowd * np.sqrt(crowd)),
                    fore,
                    first + 1,
                )
                if table_style == PLAIN and spot[6] == 0.0 and roll(of_soft) < CLOTH_SHARE:
                    hang_cloth(of_soft, shop, spot, fore)
        elif kind[b] == ROOM and roll(of_walls) < shares[3]:
            kind[b] = SHELVES
            put_shelves(
                of_furniture, shop, -planes[b, 5, 3], planes[b], solids[b], sizes[b], first_solid,
                soft, fore,
            )  # fmt: skip
        if kind[b] >= ROOM:
            number = FURNITURE if kind[b] == ROOM else FURNITURE // 2
            begin = counts[b, 0]
            furnish(of_furniture, shop, shares[4], -planes[b, 5, 3], planes[b], fore, number)
            if soft:
                _soften(of_soft, shop, crowd, -planes[b, 5, 3], planes[b], begin, fore)
        turn_out(planes[b], shop, cos, sin)
        if is_close:
            axes = (
                slab[0, 0], slab[0, 1], slab[0, 2], slab[1, 0], slab[1, 1], slab[1, 2],
                slab[2, 0], slab[2, 1], slab[2, 2],
            )  # fmt: skip
            box = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
            put_posed(shop, slab_model, slab[0, 3], slab[1, 3], slab[2, 3], axes, box)


@njit(**JIT)
def _soften(dice, shop, crowd, floor, planes, first, fore):
    """Soft things about a room: at its walls, on its floor, on furniture from `first` on."""
    cover_furniture(dice, shop, 0.3 + 0.6 * crowd, floor, first, fore)
    for _ in range(int(2.5 * roll(dice))):
        hang_up(dice, shop, floor, planes, fore)
    for _ in range(int(3 * crowd * roll(dice))):
        drop(dice, shop, floor, planes, fore)


@njit(**JIT)
def _back_to_wall(dice, style, spot, planes, fore):
    """Bring the wall ahead to a table's far side, or the table's far side to the wall."""
    needed = farthest(0.0, 1.0, 0.0, fore)
    u, v = roll(dice), between(dice, 0.0, 0.05)
    if style == PLAIN or (style == DESK and u > 0.7):
        return
    if style == COUNTER:
        # A worktop runs along the wall, and may end at the next one.
        if needed < spot[3] + 0.35:
            spot[3] = max(spot[3], needed)
        spot[0], spot[1] = spot[0] - 0.8 * v / 0.05, spot[1] + 0.8 * u
        if lower_than(spot, fore):
            spot[0], spot[1] = spot[0] + 0.8 * v / 0.05, spot[1] - 0.8 * u
        v = 0.0
    planes[2, 3] = max(spot[3] + v, needed)


@njit(**JIT)
def lower_than(spot, fore):
    """Is anything in the foreground lower than a table that grew?"""
    balls, things, body = fore
    if meets_body(spot[0], spot[1], spot[2], spot[3], spot[4], spot[5], fore):
        return True
    for k in range(body, balls.shape[0]):
        x, y, z, r = balls[k, 0], balls[k, 1], balls[k, 2], balls[k, 3]
        over = spot[0] - r < x and x < spot[1] + r and spot[2] - r < y and y < spot[3] + r
        if over and z < spot[4]:
            return True
    for k in range(things.shape[0]):
        b = things[k]
        over = spot[0] < b[3] and b[0] < spot[1] and spot[2] < b[4] and b[1] < spot[3]
        if over and b[2] < spot[4] - 0.012:
            return True
    return False


@njit(**JIT)
def _bound(pose, cos, sin, box):
    """Bounding box (6,) in the room's axes of a unit cube posed (4, 4) in the world."""
    x, y = pose[0, 3], pose[1, 3]
    middle = (cos * x + sin * y, cos * y - sin * x, pose[2, 3])
    for i in range(3):
        half = 0.0
        for j in range(3):
            u, v = pose[0, j], pose[1, j]
            entry = cos * u + sin * v if i == 0 else cos * v - sin * u if i == 1 else pose[2, j]
            half += abs(entry) / 2
        box[i], box[3 + i] = middle[i] - half, middle[i] + half
