"""Watches, bands and rings: short oval tubes about wrist and fingers, which fill their insides."""

from functools import cache
from typing import Final

from frames.parts import FOREARM
from synth.scene.limb import build_tube
from synth.things.model import Model

BAND_M: Final = 0.0022
"""A watch's band is so thick; a little of it is air."""
RING_M: Final = 0.0014
"""A finger ring is so thick at its thickest."""

CASES: Final = 3
"""Round, square with round corners, and slim."""


_CASES_M: Final = ((0.020, 0.020, 0.011), (0.018, 0.022, 0.012), (0.011, 0.021, 0.009))
"""Half width across, half length along the arm, and height of each: watches and trackers of trade
have 36 to 46 mm (choice)."""


@cache
def bands() -> tuple[Model, ...]:
    """A watch's band, and a bracelet of round section: radius 1, z from -0.5 to 0.5."""
    flat = [(-0.5, 0.97, 0.97), (-0.42, 1.0, 1.0), (0.42, 1.0, 1.0), (0.5, 0.97, 0.97)]
    rope = [(-0.5, 0.95, 0.95), (-0.3, 1.03, 1.03), (0.0, 1.06, 1.06), (0.3, 1.03, 1.03)]
    rope.append((0.5, 0.95, 0.95))
    return (
        build_tube("band", flat, (-0.5, 0.5), FOREARM, sides=20),
        build_tube("bracelet", rope, (-0.5, 0.5), FOREARM, sides=20),
    )


@cache
def cases() -> tuple[Model, ...]:
    """A watch's case in metres: z out of the back of the wrist, x across, y along the arm."""
    out = []
    for k, (x, y, high) in enumerate(_CASES_M):
        rings = [(-0.006, x, y), (0.65 * high, x, y), (high, 0.88 * x, 0.88 * y)]
        sides = 18 if k == 0 else 8
        model = build_tube(f"watch-{k}", rings, (-0.006, high), FOREARM, sides=sides)
        out.append(model)
    return tuple(out)


@cache
def rings() -> tuple[Model, ...]:
    """Finger rings, plain and with a stone: radius 1, z from -0.5 to 0.5."""
    hoop = [(-0.5, 0.98, 0.98), (-0.3, 1.1, 1.1), (0.3, 1.1, 1.1), (0.5, 0.98, 0.98)]
    return (build_tube("ring", hoop, (-0.5, 0.5), 0, sides=16),)
