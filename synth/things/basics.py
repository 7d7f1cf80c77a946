"""Plain bodies: blocks, cylinders, balls, cones, rings and disks."""

from collections.abc import Callable
from typing import Final

from synth.things.draft import Draft, Pick
from synth.things.handles import X, Z, make_ball, make_plate, make_rod
from synth.things.shapes import ball, box, revolve


def make_box(pick: Pick) -> Draft:
    """A carton: lying on its largest side, or standing."""
    size = sorted((pick(0.02, 0.09), pick(0.04, 0.14), pick(0.06, 0.22)))
    if pick(0, 1) < 0.5:
        thin, wide, long = size
        handle = make_plate((0, 0, 0), Z, X, long, wide, thin)
        return Draft([box((thin, wide, long))], [handle], False)
    thin, wide, long = size
    handle = make_plate((0, 0, 0), X, Z, long, wide, thin)
    return Draft([box((long, wide, thin))], [handle], False)


def make_cylinder(pick: Pick) -> Draft:
    """A tin, a roll, a candle."""
    r, h = pick(0.012, 0.045), pick(0.05, 0.22)
    return Draft([revolve([(r, 0), (r, h)], 24)], [make_rod((0, 0, h / 2), Z, r, h)], False)


def make_round_ball(pick: Pick) -> Draft:
    """From a marble's big brother to a small football."""
    r = pick(0.02, 0.075)
    return Draft([ball(r)], [make_ball((0, 0, 0), r)], False)


KINDS: Final[dict[str, Callable[[Pick], Draft]]] = {
    "box": make_box,
    "cylinder": make_cylinder,
    "ball": make_round_ball,
}
"""Makers by the names of the kinds."""
