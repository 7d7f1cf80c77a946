"""Tables: a top at a given height under the hands, or just below all that is over it."""

# mypy: allow-untyped-defs

from typing import Final

from numba import njit

from synth.scene.pieces import (
    CLEARANCE_M,
    CUBE,
    CYLINDER,
    JIT,
    between,
    box_at,
    is_free,
    put,
    roll,
)

PLAIN, DESK, COUNTER = 0, 1, 2
TRIES: Final = 8
HIGHEST_M: Final = -0.18
LOWEST_M: Final = -0.85
COARSE_M: Final = 0.012
"""Balls and boxes are so much larger than what they hold: no table is moved for that."""
DEEP_M: Final = 0.05
"""The same where nothing else helps: after STRICT tries."""
STRICT: Final = 5


@njit(**JIT)
def lay_table(dice, style, top, px, py, fore, spot):
    """Find a place for a table top; whether there is one.

    top: its height, NaN for any; px, py: what stands on it, NaN for any. Writes spot (7,): the
    least and greatest x, y of the top, its height, its thickness, 1 for a round one.
    """
    asked = top == top
    best = LOWEST_M
    found = False
    thick = between(dice, 0.018, 0.05)
    wide = 0.9 if style == COUNTER else 0.35
    left, right = between(dice, wide, 1.1), between(dice, wide, 1.1)
    depth = between(dice, 0.55, 0.7) if style == COUNTER else between(dice, 0.45, 0.95)
    drop = 0.2 * roll(dice) ** 2
    round_top = 1.0 if roll(dice) < 0.3 and style == PLAIN else 0.0
    for k in range(TRIES):
        shrink = 1.0 - 0.75 * k / TRIES
        if asked:
            room = max(py - 0.14, 0.05)
            y0 = py - max(0.04, shrink * room * roll(dice))
            y1 = max(y0 + depth, py + 0.1)
            x0, x1 = min(-shrink * left, px - 0.1), max(shrink * right, px + 0.1)
            # The last try is the least that what stands there needs.
            if k == TRIES - 1:
                x0, x1, y0, y1 = px - 0.12, px + 0.12, py - 0.06, max(py + 0.3, y1)
            slack = COARSE_M if k < STRICT else DEEP_M
            if k < TRIES - 1 and runs_through(x0, x1, y0, y1, top, thick, slack, fore):
                continue
            height = top
        else:
            y0 = between(dice, 0.12, 0.35)
            y1 = y0 + depth
            x0, x1 = -shrink * left, shrink * right
            height = min(lowest_over(x0, x1, y0, y1, fore), HIGHEST_M) - CLEARANCE_M - drop
            if height <= best or meets_body(x0, x1, y0, y1, height, thick, fore):
                continue
            best = height
        spot[0], spot[1], spot[2], spot[3], spot[4], spot[5] = x0, x1, y0, y1, height, thick
        found = True
        if asked or height > -0.5:
            break
    if found and round_top > 0 and asked:
        across = 2 * (px - spot[0]) / (spot[1] - spot[0]) - 1
        along = 2 * (py - spot[2]) / (spot[3] - spot[2]) - 1
        if across * across + along * along > 0.6:
            round_top = 0.0
    spot[6] = round_top
    return found


@njit(**JIT)
def runs_through(x0, x1, y0, y1, top, thick, slack, fore):
    """Does anything in the foreground run through this top?

    What rests on it, and may seem to dip in by `slack` at most, does not.
    """
    balls, things, body = fore
    if meets_body(x0, x1, y0, y1, top, thick, fore):
        return True
    for k in range(body, balls.shape[0]):
        x, y, z, r = balls[k, 0], balls[k, 1], balls[k, 2], balls[k, 3]
        if z >= top - slack or z + r + CLEARANCE_M < top - thick:
            continue
        dx, dy = max(x0 - x, x - x1, 0.0), max(y0 - y, y - y1, 0.0)
        reach = r + CLEARANCE_M
        if dx * dx + dy * dy < reach * reach:
            return True
    for k in range(things.shape[0]):
        if (
            things[k, 2] < top - slack
            and things[k, 5] > top - thick
            and x0 < things[k, 3]
            and things[k, 0] < x1
            and y0 < things[k, 4]
            and things[k, 1] < y1
        ):
            return True
    return False


@njit(**JIT)
def meets_body(x0, x1, y0, y1, top, thick, fore):
    """Does a top run through the wearer? Legs may be under it."""
    balls, _, body = fore
    for k in range(body):
        x, y, z, r = balls[k, 0], balls[k, 1], balls[k, 2], balls[k, 3]
        dx, dy = max(x0 - x, x - x1, 0.0), max(y0 - y, y - y1, 0.0)
        dz = max(z - top, top - thick - z, 0.0)
        if (dx * dx + dy * dy) + dz * dz < r * r:
            return True
    return False


@njit(**JIT)
def lowest_over(x0, x1, y0, y1, fore):
    """The least height of what is over a rectangle and 2 cm about it, the wearer's body aside."""
    balls, things, body = fore
    margin, low = 0.02, 1.0
    for k in range(body, balls.shape[0]):
        x, y, r = balls[k, 0], balls[k, 1], balls[k, 3] + margin
        dx, dy = max(x0 - x, x - x1, 0.0), max(y0 - y, y - y1, 0.0)
        if dx * dx + dy * dy < r * r:
            low = min(low, balls[k, 2] - balls[k, 3])
    for k in range(things.shape[0]):
        b = things[k]
        if x0 - margin < b[3] and b[0] < x1 + margin and y0 - margin < b[4] and b[1] < y1 + margin:
            low = min(low, b[2])
    return low


@njit(**JIT)
def put_table(dice, shop, style, spot, floor, fore):
    """The top, and what it stands on: legs, a column, or a block of cupboards."""
    x0, x1, y0, y1, top, thick = spot[0], spot[1], spot[2], spot[3], spot[4], spot[5]
    x, y, sx, sy = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
    is_round = spot[6] > 0
    put(shop, CYLINDER if is_round else CUBE, x, y, top - thick / 2, sx, sy, thick)
    bottom = top - thick
    tall = bottom - floor
    if tall < 0.1:
        return
    middle = floor + tall / 2
    if is_round:
        put(shop, CYLINDER, x, y, middle, 0.08, 0.08, tall)
    elif style == COUNTER:
        inset = 0.03
        if not runs_through(x0, x1, y0 + inset, y1, bottom, tall, 0.0, fore):
            put(shop, CUBE, x, y + inset / 2, middle, sx, sy - inset, tall)
    else:
        inset = between(dice, 0.03, 0.1)
        for side in (-1.0, 1.0):
            for y_leg in (y1 - inset, y0 + inset):
                leg = box_at(x + side * (sx / 2 - inset), y_leg, middle, 0.05, 0.05, tall)
                # A leg that somebody's knee, or elbow, takes the place of is not seen either.
                if is_free(leg, fore):
                    put(shop, CUBE, x + side * (sx / 2 - inset), y_leg, middle, 0.05, 0.05, tall)
        # A chest of drawers under the desk.
        if style == DESK and roll(dice) < 0.5:
            wide, side = 0.42, -1.0 if roll(dice) < 0.5 else 1.0
            at = x + side * (sx / 2 - wide / 2 - 0.01)
            if sx > 1.1 and not runs_through(
                at - wide / 2, at + wide / 2, y0 + 0.1, y1, bottom, tall, 0.0, fore
            ):
                put(shop, CUBE, at, (y0 + 0.1 + y1) / 2, middle, wide, y1 - y0 - 0.1, tall)
