"""Flat and small things of a desk: phones, books, cards, remotes, mice, controllers, keys."""

from collections.abc import Callable
from typing import Final

import numpy as np

from synth.things.draft import Draft, Pick
from synth.things.handles import X, Z, make_disk, make_plate, make_rod
from synth.things.shapes import (
    box,
    ellipse,
    lay,
    place,
    prism,
    revolve,
    rounded,
    stack,
    tube,
)
from synth.things.solid import Handle


def make_phone(pick: Pick) -> Draft:
    """A phone with a bump for its cameras."""
    long, wide, thin = pick(0.138, 0.168), pick(0.066, 0.079), pick(0.0075, 0.011)
    slab = prism(rounded(long, wide, 0.009, 4), 0, thin, bevel=0.0012)
    bump = place(
        prism(rounded(0.024, 0.024, 0.005), 0, 0.003), (0.38 * long, 0.22 * wide, thin - 0.001)
    )
    return Draft([slab, bump], [_lie(long, wide, thin)], False)


def make_tablet(pick: Pick) -> Draft:
    """A tablet or reader: held by its edge."""
    long, wide, thin = pick(0.165, 0.25), pick(0.115, 0.175), pick(0.006, 0.0095)
    slab = prism(rounded(long, wide, 0.01, 4), 0, thin, bevel=0.001)
    edge = make_plate((0, 0.3 * wide, thin / 2), X, Z, 0.8 * long, 0.4 * wide, thin)
    return Draft([slab], [edge, _lie(long, wide, thin)], False)


def make_book(pick: Pick) -> Draft:
    """Covers that stand out over the pages."""
    long, wide, thin = pick(0.15, 0.235), pick(0.105, 0.165), pick(0.012, 0.04)
    cover, over = 0.0025, 0.004
    lower = place(box((long, wide, cover)), (0, 0, cover / 2))
    upper = place(box((long, wide, cover)), (0, 0, thin - cover / 2))
    pages = place(box((long - 2 * over, wide - over, thin - cover)), (0, over / 2, thin / 2))
    spine = place(box((long, cover, thin)), (0, wide / 2 - cover / 2, thin / 2))
    edge = make_plate((0, 0.3 * wide, thin / 2), X, Z, 0.8 * long, 0.4 * wide, thin)
    return Draft([lower, upper, pages, spine], [edge, _lie(long, wide, thin)], False)


def make_remote(pick: Pick) -> Draft:
    """A remote control with rounded edges."""
    long, wide, thin = pick(0.13, 0.21), pick(0.036, 0.052), pick(0.014, 0.023)
    slab = prism(rounded(long, wide, 0.3 * wide, 4), 0, thin, bevel=0.004)
    return Draft([slab], [_lie(long, wide, thin)], False)


def make_card(pick: Pick) -> Draft:
    """A bank card, or a stiff one for a door."""
    long, wide, thin = pick(0.083, 0.092), pick(0.052, 0.058), pick(0.0008, 0.0018)
    slab = prism(rounded(long, wide, 0.004, 3), 0, thin)
    edge = make_plate((0.3 * long, 0, thin / 2), X, Z, 0.4 * long, wide, thin)
    return Draft([slab], [edge, _lie(long, wide, thin)], False)


def make_mouse(pick: Pick) -> Draft:
    """A computer mouse: an oval with a dome."""
    long, wide, h = pick(0.095, 0.125), pick(0.054, 0.068), pick(0.03, 0.042)
    steps = ((0.96, 0.0), (1.0, 0.2), (0.95, 0.55), (0.78, 0.83), (0.5, 0.97), (0.25, 1.0))
    vertices, faces = stack(ellipse(long / 2, wide / 2, 20), [(s, h * z) for s, z in steps])
    # Lower in front than at the back.
    vertices[:, 2] *= 0.87 - 0.13 * vertices[:, 0] / (long / 2)
    dome = make_plate((0, 0, 0.4 * h), X, Z, 0.9 * long, 0.95 * wide, 0.75 * h)
    return Draft([(vertices, faces)], [dome], True)


def make_controller(pick: Pick) -> Draft:
    """A game controller: a body, two horns, two sticks."""
    wide, deep, thin = pick(0.098, 0.112), pick(0.055, 0.068), pick(0.03, 0.038)
    body = stack(
        rounded(wide, deep, 0.4 * deep, 4),
        [(0.85, 0.004), (1.0, 0.35 * thin), (1.0, 0.7 * thin), (0.86, thin)],
    )
    parts, handles = [body], []
    rod = pick(0.0145, 0.0175)
    for sign in (-1.0, 1.0):
        path = np.array(
            [
                [0.36 * wide, 0.1 * deep, 0.55 * thin],
                [0.52 * wide, -0.25 * deep, 0.5 * thin],
                [0.62 * wide, -0.8 * deep, 0.42 * thin],
                [0.64 * wide, -1.05 * deep, 0.4 * thin],
            ]
        )
        path[:, 0] *= sign
        parts.append(tube(path, [0.9 * rod, 1.1 * rod, 0.9 * rod, 0.5 * rod], Z, 8))
        handles.append(make_rod((path[1] + path[2]) / 2, path[2] - path[1], 0.95 * rod, 0.7 * deep))
        stick = revolve([(0.005, 0), (0.005, 0.007), (0.009, 0.008), (0.008, 0.011)], 10)
        parts.append(place(stick, (sign * 0.2 * wide, -0.1 * deep, thin - 0.001)))
    handles.append(make_plate((0, 0, thin / 2), X, Z, wide, 0.8 * deep, 0.9 * thin))
    return Draft(parts, handles, True)


def make_key(pick: Pick) -> Draft:
    """A flat key: a round bow with a hole, a blade with notches."""
    bow, long, thin = pick(0.011, 0.015), pick(0.03, 0.042), pick(0.002, 0.003)
    hole = 0.28 * bow
    head = revolve([(hole, 0), (bow, 0), (bow, thin), (hole, thin)], 16, looped=True)
    blade = place(box((long, 0.5 * bow, thin)), (bow + long / 2 - 0.003, 0, thin / 2))
    parts = [head, blade]
    for k in range(3):
        tooth = box((0.003, pick(0.002, 0.005), thin))
        parts.append(place(tooth, (bow + long * (0.45 + 0.2 * k), 0.27 * bow, thin / 2)))
    return Draft(parts, [make_disk((0, 0, thin / 2), Z, bow, thin)], False)


def make_stick(pick: Pick) -> Draft:
    """A memory stick, a lighter, a lipstick: small and boxy."""
    long, wide, thin = pick(0.05, 0.08), pick(0.016, 0.026), pick(0.008, 0.014)
    plug = place(box((0.014, 0.7 * wide, 0.5 * thin)), (long / 2 + 0.006, 0, thin / 2))
    body = prism(rounded(long, wide, 0.3 * wide), 0, thin, bevel=0.001)
    return Draft([body, plug], [_lie(long, wide, thin)], False)


def make_bulb(pick: Pick) -> Draft:
    """A light bulb on its side."""
    r, cap = pick(0.022, 0.033), pick(0.011, 0.0135)
    long = 2.6 * r
    profile = [(0.6 * cap, -0.026), (cap, -0.022), (cap, 0), (0.75 * r, 0.45 * long)]
    for a in (-20, 15, 45, 70, 84):
        profile.append((r * np.cos(np.radians(a)), long - r + r * np.sin(np.radians(a))))
    globe = make_rod((long - 1.05 * r, 0, 0), X, 0.95 * r, 1.4 * r)
    return Draft(
        [lay(revolve(profile, 18))], [globe, make_rod((-0.011, 0, 0), X, cap, 0.022)], False
    )


def _lie(long: float, wide: float, thin: float) -> Handle:
    """All of a slab that lies on the ground, its length along x."""
    return make_plate((0, 0, thin / 2), X, Z, long, wide, thin)


KINDS: Final[dict[str, Callable[[Pick], Draft]]] = {
    "phone": make_phone,
    "tablet": make_tablet,
    "book": make_book,
    "remote": make_remote,
    "card": make_card,
    "mouse": make_mouse,
    "controller": make_controller,
    "key": make_key,
    "stick": make_stick,
    "bulb": make_bulb,
}
"""Makers by the names of the kinds."""
