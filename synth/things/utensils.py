"""Long thin things: pens, brushes, cutlery. They lie along x, their working end to +x."""

from collections.abc import Callable
from typing import Final

import numpy as np

from synth.things.draft import Draft, Pick
from synth.things.handles import X, Y, Z, make_plate, make_rod
from synth.things.shapes import (
    Part,
    box,
    ellipsoid,
    lay,
    place,
    prism,
    revolve,
    rounded,
    tube,
)
from synth.things.solid import Handle


def make_pen(pick: Pick) -> Draft:
    """A ball pen or pencil with a tip."""
    r, long, tip = pick(0.0036, 0.0058), pick(0.125, 0.155), pick(0.012, 0.022)
    profile = [(0.8 * r, 0), (r, 0.002), (r, long - tip), (0.3 * r, long)]
    # Held near the tip to write, anywhere to carry.
    front = make_rod((long - tip - 0.02, 0, 0), X, r, 0.04)
    whole = make_rod(((long - tip) / 2, 0, 0), X, r, long - tip)
    return Draft([lay(revolve(profile, 10))], [front, whole], False)


def make_marker(pick: Pick) -> Draft:
    """A felt pen with its cap on."""
    r, long, cap = pick(0.0065, 0.0105), pick(0.115, 0.145), pick(0.035, 0.05)
    profile = [(0.85 * r, 0), (r, 0.003), (r, long - cap), (1.12 * r, long - cap)]
    profile += [(1.12 * r, long - 0.004), (0.6 * r, long)]
    body = make_rod(((long - cap) / 2, 0, 0), X, r, long - cap)
    lid = make_rod((long - cap / 2, 0, 0), X, 1.1 * r, 0.9 * cap)
    return Draft([lay(revolve(profile, 14))], [body, lid], False)


def make_toothbrush(pick: Pick) -> Draft:
    """A flat grip, a thin neck, a head with bristles upward."""
    long, rod = pick(0.11, 0.13), pick(0.0055, 0.0075)
    spots = [
        [0.0, 0, 0],
        [0.3 * long, 0, 0],
        [0.8 * long, 0, 0.001],
        [long, 0, 0.002],
        [long + 0.03, 0, 0.003],
    ]
    grip = tube(spots, [0.8 * rod, rod, 0.9 * rod, 0.0025, 0.0025], Y, 8, flat=1.1)
    head = place(prism(rounded(0.028, 0.011, 0.005), 0, 0.004), (long + 0.04, 0, 0.001))
    bristles = place(box((0.024, 0.009, 0.011)), (long + 0.04, 0, 0.01))
    handle = make_rod((0.42 * long, 0, 0), X, rod, 0.8 * long)
    return Draft([grip, head, bristles], [handle], False)


def make_brush(pick: Pick) -> Draft:
    """A hair or paint brush: a round grip, a flat head."""
    long, rod = pick(0.1, 0.13), pick(0.008, 0.013)
    head, wide = pick(0.06, 0.1), pick(0.035, 0.07)
    grip = tube(
        [[0.0, 0, 0], [0.01, 0, 0], [0.5 * long, 0, 0], [long + 0.005, 0, 0]],
        [0.6 * rod, 0.85 * rod, rod, 0.7 * rod],
        Y,
        10,
    )
    middle = long + head / 2
    block = place(prism(rounded(head, wide, 0.3 * wide, 3), -0.006, 0.006), (middle, 0, 0))
    tufts = place(box((0.85 * head, 0.8 * wide, 0.02)), (middle, 0, 0.013))
    return Draft(
        [grip, block, tufts], [make_rod((long / 2, 0, 0), X, 0.9 * rod, 0.9 * long)], False
    )


def make_spoon(pick: Pick) -> Draft:
    """From a teaspoon to a cooking spoon."""
    long, rod = pick(0.085, 0.2), pick(0.0022, 0.0032)
    grow = 0.75 + long / 0.4
    a, b = 0.026 * grow, 0.0175 * grow
    dish, faces = ellipsoid((a, b, 0.0022 * grow), 16, 5)
    # Hollow: the middle hangs down.
    dish[:, 2] -= 0.0065 * grow * np.maximum(1 - (dish[:, 0] / a) ** 2 - (dish[:, 1] / b) ** 2, 0)
    scoop = place((dish, faces), (long + 0.92 * a, 0, 0.001))
    grip = _make_grip(long, rod, 2.0)
    return Draft([grip, scoop], [_hold_grip(long, rod, 2.0)], False)


def make_fork(pick: Pick) -> Draft:
    """A flat grip and four tines."""
    long, rod = pick(0.1, 0.14), pick(0.0022, 0.003)
    wide = pick(0.022, 0.027)
    outline = [
        [0, -0.003],
        [0.02, -wide / 2],
        [0.032, -wide / 2],
        [0.032, wide / 2],
        [0.02, wide / 2],
        [0, 0.003],
    ]
    palm = place(prism(np.array(outline), -0.0013, 0.0013), (long - 0.004, 0, 0))
    parts = [_make_grip(long, rod, 2.0), palm]
    for k in range(4):
        y = (k - 1.5) * (wide - 0.004) / 3
        x = long + 0.026
        parts.append(
            tube(
                [[x, y, 0], [x + 0.022, y, -0.002], [x + 0.045, y, 0.003]],
                [0.0017, 0.0016, 0.0008],
                Y,
                5,
            )
        )
    return Draft(parts, [_hold_grip(long, rod, 2.0)], False)


def make_knife(pick: Pick) -> Draft:
    """A table or kitchen knife, lying on its side."""
    long, blade, wide = pick(0.09, 0.12), pick(0.09, 0.17), pick(0.018, 0.032)
    grip = tube(
        [[0.0, 0, 0], [0.006, 0, 0], [0.8 * long, 0, 0], [long, 0, 0]],
        [0.006, 0.0075, 0.0065, 0.006],
        Y,
        8,
        flat=pick(1.2, 1.6),
    )
    outline = np.array(
        [
            [-0.01, -0.006],
            [0, -0.5 * wide],
            [0.75 * blade, -0.5 * wide],
            [blade, 0.3 * wide],
            [0.6 * blade, 0.5 * wide],
            [-0.01, 0.5 * wide],
        ]
    )
    steel = place(prism(outline, -0.0011, 0.0011), (long, 0, 0))
    return Draft([grip, steel], [make_rod((long / 2, 0, 0), X, 0.0085, 0.95 * long)], False)


def make_torch(pick: Pick) -> Draft:
    """A hand torch: its head wider than its barrel."""
    r, long, head = pick(0.011, 0.019), pick(0.085, 0.15), pick(0.03, 0.045)
    lens = r * pick(1.2, 1.7)
    profile = [(0.9 * r, 0), (r, 0.004), (r, long), (lens, long + 0.4 * head)]
    profile += [(lens, long + head), (0.85 * lens, long + head), (0.8 * lens, long + 0.75 * head)]
    return Draft(
        [lay(revolve(profile, 18))], [make_rod((long / 2, 0, 0), X, r, 0.95 * long)], False
    )


def _make_grip(long: float, rod: float, flat: float) -> Part:
    """The grip of a spoon or fork, widest near its end."""
    spots = [[0.0, 0, 0], [0.1 * long, 0, 0.001], [0.5 * long, 0, 0.003], [long + 0.004, 0, 0]]
    return tube(spots, [0.8 * rod, 1.1 * rod, 0.8 * rod, 0.7 * rod], Y, 8, flat)


def _hold_grip(long: float, rod: float, flat: float) -> Handle:
    return make_plate((0.45 * long, 0, 0.002), X, Z, 0.8 * long, 1.8 * flat * rod, 1.8 * rod)


KINDS: Final[dict[str, Callable[[Pick], Draft]]] = {
    "pen": make_pen,
    "marker": make_marker,
    "toothbrush": make_toothbrush,
    "brush": make_brush,
    "spoon": make_spoon,
    "fork": make_fork,
    "knife": make_knife,
    "torch": make_torch,
}
"""Makers by the names of the kinds."""
