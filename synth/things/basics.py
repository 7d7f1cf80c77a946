"""Plain bodies: blocks, cylinders, balls, cones, disks and rings."""

from collections.abc import Callable
from typing import Final

import numpy as np

from synth.things.draft import Draft, Pick
from synth.things.handles import X, Y, Z, make_ball, make_disk, make_plate, make_rod
from synth.things.shapes import ball, box, prism, revolve, stand


def make_box(pick: Pick) -> Draft:
    """A carton, standing or lying on its largest side."""
    thin, wide, long = sorted((pick(0.02, 0.09), pick(0.04, 0.14), pick(0.06, 0.22)))
    if pick(0, 1) < 0.5:
        handle = make_plate((0, 0, 0), Z, X, long, wide, thin)
        return Draft([box((thin, wide, long))], [handle], False)
    handle = make_plate((0, 0, 0), X, Z, long, wide, thin)
    return Draft([box((long, wide, thin))], [handle], False)


def make_cube(pick: Pick) -> Draft:
    """From a toy brick to a puzzle cube, its edges a little broken."""
    a = pick(0.018, 0.062)
    handle = make_plate((0, 0, 0), Z, X, a, a, a)
    return Draft([box((a, a, a), bevel=pick(0.001, 0.08 * a))], [handle], False)


def make_parcel(pick: Pick) -> Draft:
    """A parcel, a shoe box: for both hands."""
    wide, deep, high = pick(0.14, 0.30), pick(0.12, 0.28), pick(0.07, 0.20)
    handle = make_plate((0, 0, 0), X, Z, wide, deep, high)
    return Draft([box((wide, deep, high))], [handle], False)


def make_big_ball(pick: Pick) -> Draft:
    """From a handball to a football: for both hands."""
    r = pick(0.08, 0.115)
    return Draft([ball(r)], [make_ball((0, 0, 0), r)], False)


def make_tray(pick: Pick) -> Draft:
    """A tray, a board, a folder: for both hands."""
    wide, deep, high = pick(0.26, 0.34), pick(0.18, 0.26), pick(0.008, 0.025)
    handle = make_plate((0, 0, 0), X, Z, wide, deep, high)
    return Draft([box((wide, deep, high), bevel=0.003)], [handle], False)


def make_cylinder(pick: Pick) -> Draft:
    """A roll, a candle, a tube of crisps."""
    r, h = pick(0.012, 0.042), pick(0.05, 0.22)
    return Draft([revolve([(r, 0), (r, h)], 24)], [make_rod((0, 0, h / 2), Z, r, h)], False)


def make_round_ball(pick: Pick) -> Draft:
    """From a table tennis ball to a small football."""
    r = pick(0.019, 0.075)
    return Draft([ball(r)], [make_ball((0, 0, 0), r)], False)


def make_cone(pick: Pick) -> Draft:
    """A paper cone, a flower pot turned over: blunt at the top."""
    r, h = pick(0.022, 0.045), pick(0.06, 0.15)
    tip = r * pick(0.08, 0.55)
    grip = make_rod((0, 0, 0.45 * h), Z, 0.55 * r + 0.45 * tip, 0.8 * h)
    return Draft([revolve([(r, 0), (tip, h)], 24)], [grip], False)


def make_wedge(pick: Pick) -> Draft:
    """A door stop, a piece of cheese."""
    long, high, wide = pick(0.07, 0.14), pick(0.025, 0.06), pick(0.03, 0.07)
    side = np.array([[0, 0], [long, 0], [0.02 * long, high]])
    part = stand(prism(side, -wide / 2, wide / 2))
    # A hand takes the thick end between what lies closer together: its sides, or top and bottom.
    thick, middle = 0.6 * high, (0.3 * long, 0, 0.3 * high)
    grip = make_plate(middle, X, Y, 0.5 * long, thick, wide)
    if thick < wide:
        grip = make_plate(middle, X, Z, 0.5 * long, wide, thick)
    return Draft([part], [grip], False)


def make_coin(pick: Pick) -> Draft:
    """A coin, a token, a button."""
    r, h = pick(0.010, 0.019), pick(0.0016, 0.003)
    return Draft([revolve([(r, 0), (r, h)], 24)], [make_disk((0, 0, h / 2), Z, r, h)], False)


def make_lid(pick: Pick) -> Draft:
    """A jar's lid, open below."""
    r, h, wall = pick(0.024, 0.046), pick(0.01, 0.02), 0.002
    # From the ceiling inside, down and out: the outside of the skin stays outward.
    profile = [(r - wall, h - wall), (r - wall, 0), (r, 0), (r, h - 0.001), (r - 0.001, h)]
    return Draft([revolve(profile, 24)], [make_disk((0, 0, h / 2), Z, r, h)], False)


def make_tape(pick: Pick) -> Draft:
    """A roll of tape, a bracelet: a ring of rectangular section."""
    r, h = pick(0.028, 0.055), pick(0.01, 0.05)
    hole = r * pick(0.55, 0.85)
    profile = [(hole, 0), (r, 0), (r, h), (hole, h)]
    rim = (r - hole) / 2
    wall = make_plate((hole + rim, 0, h / 2), Z, X, h, 0.5 * r, 2 * rim)
    return Draft(
        [revolve(profile, 28, looped=True)], [make_disk((0, 0, h / 2), Z, r, h), wall], False
    )


KINDS: Final[dict[str, Callable[[Pick], Draft]]] = {
    "box": make_box,
    "cube": make_cube,
    "parcel": make_parcel,
    "tray": make_tray,
    "cylinder": make_cylinder,
    "ball": make_round_ball,
    "big ball": make_big_ball,
    "cone": make_cone,
    "wedge": make_wedge,
    "coin": make_coin,
    "lid": make_lid,
    "tape": make_tape,
}
"""Makers by the names of the kinds."""
