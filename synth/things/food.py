"""Fruit, eggs and the like: rounded bodies that no two of are quite alike."""

from collections.abc import Callable
from typing import Final

import numpy as np

from synth.things.draft import Draft, Pick
from synth.things.handles import X, Y, Z, make_ball, make_rod
from synth.things.shapes import Part, arc, lay, revolve, tube


def make_apple(pick: Pick) -> Draft:
    """A ball with a hollow at the stalk, and the stalk."""
    r, squat = pick(0.031, 0.043), pick(0.84, 0.98)
    angle = np.radians(np.linspace(-90, 90, 10))
    radius = r * np.cos(angle) ** 0.75
    height = r * squat * (np.sin(angle) + 0.16 * np.cos(angle) ** 2)
    radius[[0, -1]] = 0.1 * r
    height[0], height[-1] = height[1] + 0.08 * r, height[-2] - 0.18 * r
    body = revolve(list(zip(radius, height, strict=True)), 20)
    top = height[-1]
    stalk = tube(
        [[0, 0, top - 0.003], [0.001, 0, top + 0.01], [0.004, 0, top + 0.018]], 0.0014, Y, 5
    )
    return Draft([body, stalk], [make_ball((0, 0, 0.06 * r), 0.9 * r * squat)], False)


def make_pear(pick: Pick) -> Draft:
    """Wide below, narrow above."""
    r, h = pick(0.029, 0.039), pick(0.085, 0.115)
    steps = (
        (0.35, 0.0),
        (0.8, 0.06),
        (0.98, 0.2),
        (1.0, 0.33),
        (0.86, 0.5),
        (0.6, 0.67),
        (0.47, 0.82),
        (0.36, 0.94),
        (0.16, 1.0),
    )
    body = revolve([(r * a, h * b) for a, b in steps], 20)
    stalk = tube([[0, 0, h - 0.003], [0.001, 0, h + 0.01], [0.004, 0, h + 0.02]], 0.0015, Y, 5)
    return Draft([body, stalk], [make_ball((0, 0, 0.33 * h), 0.92 * r)], False)


def make_banana(pick: Pick) -> Draft:
    """A bent tube, lying on its side, with a stalk and an end."""
    bend, r, turn = pick(0.085, 0.13), pick(0.015, 0.02), pick(80, 105)
    path = arc((0, 0, 0), (bend, 0, 0), (0, bend, 0), 90 - turn / 2, 90 + turn / 2, 11)
    share = np.array([0.3, 0.42, 0.75, 0.95, 1.0, 1.0, 0.97, 0.85, 0.55, 0.32, 0.28])
    body = tube(path, r * share, Z, 7)
    return Draft([body], [make_rod((0, bend, 0), X, 0.93 * r, 0.085)], False)


def make_egg(pick: Pick) -> Draft:
    """Blunt at one end, lying."""
    r, long = pick(0.0205, 0.0235), pick(0.053, 0.062)
    angle = np.radians(np.linspace(-82, 82, 11))
    profile = [(r * np.cos(a) * (1 - 0.13 * np.sin(a)), long / 2 * np.sin(a)) for a in angle]
    return Draft([lay(revolve(profile, 18))], [make_ball((-0.05 * long, 0, 0), r)], False)


def make_carrot(pick: Pick) -> Draft:
    """A long cone with a blunt shoulder, lying."""
    r, long = pick(0.012, 0.021), pick(0.12, 0.2)
    steps = ((0.4, 0.0), (0.9, 0.03), (1.0, 0.1), (0.8, 0.45), (0.55, 0.78), (0.2, 1.0))
    body = lay(revolve([(r * a, long * b) for a, b in steps], 14))
    return Draft([body], [make_rod((0.32 * long, 0, 0), X, 0.88 * r, 0.5 * long)], False)


def make_lemon(pick: Pick) -> Draft:
    """A lemon, a kiwi, a potato: an oval with or without nipples, not quite round."""
    r, stretch, nipple = pick(0.024, 0.033), pick(1.1, 1.6), pick(0.0, 0.25)
    angle = np.radians(np.linspace(-80, 80, 10))
    half = r * stretch
    profile = [(r * np.cos(a), half * (np.sin(a) + nipple * np.sin(a) ** 9)) for a in angle]
    part: Part = lay(revolve(profile, 18))
    part[0][:, 1] *= pick(0.88, 1.0)
    return Draft([part], [make_rod((0, 0, 0), X, 0.93 * r, 1.2 * half)], False)


KINDS: Final[dict[str, Callable[[Pick], Draft]]] = {
    "apple": make_apple,
    "pear": make_pear,
    "banana": make_banana,
    "egg": make_egg,
    "carrot": make_carrot,
    "lemon": make_lemon,
}
"""Makers by the names of the kinds."""
