"""Rooms: four walls, a floor and a ceiling about everything in the foreground."""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from synth.scene.pieces import CLEARANCE_M, JIT, between, roll, spread

SEATED_M: Final = (1.15, 1.3)
STANDING_M: Final = (1.55, 1.75)
"""Heights of the eyes over the floor."""

DESK_M: Final = (0.70, 0.77)
WORKTOP_M: Final = (0.85, 1.0)
"""Heights of tables over the floor, for those who sit and stand."""


TRUNK: Final = np.array(
    [[0.0, -0.02, 0.0, 0.2], *([0.0, -0.12, z, 0.2] for z in (-0.2, -0.38, -0.56, -0.7))]
)
"""Balls (x, y, z, radius) about the wearer's head and trunk."""

SEAT: Final = np.array(
    [
        *([x, y, -0.69, 0.13] for x, y in ((0.1, 0.0), (0.12, 0.1), (0.15, 0.2), (0.17, 0.3))),
        *([0.18, 0.37, z, 0.12] for z in (-0.70, -0.85, -1.0)),
    ]
)
"""The same about the right thigh and shank of somebody who sits (`synth.scene.lap`)."""


@njit(**JIT)
def draw_floor(dice, top, seated):
    """The floor's height (negative) below the eyes of somebody who stands or sits (-1: either).

    top: height of a table, NaN for none: the floor is where that makes it a desk, or a worktop.
    """
    u, v = roll(dice), roll(dice)
    stands = u < 0.45 if seated < 0 else seated == 0
    if seated < 0 and top == top:
        stands = top < -0.6 or (top < -0.5 and u < 0.5)
    least, most = STANDING_M if stands else SEATED_M
    if top == top:
        low, high = WORKTOP_M if stands else DESK_M
        return -min(max(low + (high - low) * v - top, least), most)
    return -(least + (most - least) * v)


@njit(**JIT)
def draw_walls(dice, near, far, floor, fore, planes):
    """Write planes (6, 4): right, left, ahead, behind, above, below, in the room's own axes.

    They stand as far off as drawn, or as what is in the foreground needs.
    """
    planes[:] = 0.0
    planes[0, 0], planes[1, 0], planes[2, 1] = 1.0, -1.0, 1.0
    planes[3, 1], planes[4, 2], planes[5, 2] = -1.0, 1.0, -1.0
    planes[0, 3] = spread(dice, 0.6, 4.0)
    planes[1, 3] = spread(dice, 0.6, 4.0)
    planes[2, 3] = spread(dice, near, far)
    planes[3, 3] = between(dice, 0.4, 3.0)
    planes[4, 3] = max(between(dice, 2.3, 3.0) + floor, 0.45)
    planes[5, 3] = -floor
    for i in range(6):
        planes[i, 3] = max(planes[i, 3], farthest(planes[i, 0], planes[i, 1], planes[i, 2], fore))


@njit(**JIT)
def farthest(nx, ny, nz, fore):
    """How far out along an axis of the room the foreground reaches, with its clearance."""
    balls, things, _ = fore
    out = 0.0
    for k in range(balls.shape[0]):
        along = nx * balls[k, 0] + ny * balls[k, 1] + nz * balls[k, 2]
        out = max(out, along + balls[k, 3])
    for k in range(things.shape[0]):
        b = things[k]
        x = b[3] if nx > 0 else b[0]
        y = b[4] if ny > 0 else b[1]
        z = b[5] if nz > 0 else b[2]
        out = max(out, nx * x + ny * y + nz * z)
    return out + CLEARANCE_M


@njit(**JIT)
def hold_pieces(shop, planes):
    """Move walls out so that they hold all pieces that are not meant to end in them."""
    count, _, _, boxes = shop
    for k in range(count[0]):
        b = boxes[k]
        planes[0, 3] = max(planes[0, 3], b[3])
        planes[1, 3] = max(planes[1, 3], -b[0])
        planes[2, 3] = max(planes[2, 3], b[4])


@njit(**JIT)
def turn_out(planes, shop, cos, sin):
    """Turn a frame's planes and pieces from the room's axes to the world's."""
    count, _, poses, _ = shop
    for i in range(planes.shape[0]):
        x, y = planes[i, 0], planes[i, 1]
        planes[i, 0], planes[i, 1] = cos * x - sin * y, sin * x + cos * y
    for k in range(count[0]):
        for j in range(4):
            x, y = poses[k, 0, j], poses[k, 1, j]
            poses[k, 0, j], poses[k, 1, j] = cos * x - sin * y, sin * x + cos * y


@njit(**JIT)
def gather_foreground(points, radius, seated, cos, sin, balls, things):
    """What is in a frame's foreground in the room's axes: how many balls are the wearer's own body,
    how many balls in all, and how many boxes.

    points (P, 3), radius (P,). Points without radius come in eights, corners of boxes. Writes
    balls (K, 4), the body's first, and bounding boxes (J, 6) of the boxes.
    """
    body = 0
    for n in range(len(TRUNK)):
        body = _add_ball(balls, body, TRUNK[n], 1.0, cos, sin)
    if seated == 1:
        for n in range(len(SEAT)):
            for side in (-1.0, 1.0):
                body = _add_ball(balls, body, SEAT[n], side, cos, sin)
    count, boxes, k = body, 0, 0
    while k < points.shape[0]:
        x, y, z, r = points[k, 0], points[k, 1], points[k, 2], radius[k]
        if r == 0.0 and k + 8 <= points.shape[0]:
            if x == x:
                for i in range(3):
                    things[boxes, i], things[boxes, 3 + i] = np.inf, -np.inf
                for j in range(k, k + 8):
                    at = (
                        cos * points[j, 0] + sin * points[j, 1],
                        cos * points[j, 1] - sin * points[j, 0],
                        points[j, 2],
                    )
                    for i in range(3):
                        things[boxes, i] = min(things[boxes, i], at[i])
                        things[boxes, 3 + i] = max(things[boxes, 3 + i], at[i])
                boxes += 1
            k += 8
            continue
        if x == x and r >= 0.0:
            count = _add_ball(balls, count, (x, y, z, r), 1.0, cos, sin)
        k += 1
    return body, count, boxes


@njit(**JIT)
def _add_ball(balls, count, ball, side, cos, sin):
    x, y = side * ball[0], ball[1]
    balls[count, 0], balls[count, 1] = cos * x + sin * y, cos * y - sin * x
    balls[count, 2], balls[count, 3] = ball[2], ball[3]
    return count + 1
