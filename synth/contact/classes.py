"""How each of the 33 grasps takes hold: what sizes it suits, where the thing lies in the hand.

Sizes are those of a hand 0.19 m long and grow with the hand. How common a class is in daily life
follows the order of Bullock, Zheng, De La Rosa, Guertler and Dollar, "Grasp frequency and usage in
daily household and machine shop tasks", IEEE Transactions on Haptics 2013; rare classes are raised
so that each is seen.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

SHAPES: Final = ("rod", "rim", "coin", "ball", "slab", "slab turned", "wide", "wide turned")
"""Which way a handle is taken. A rod or a ball across its diameter; a disk at its rim or, like a
coin, across its thickness; a box or plate across its thickness, its length along or across the
fingers; or across its width."""

AXES: Final = np.array(
    [[0, 1, 2], [0, 1, 2], [2, 1, 0], [0, 1, 2], [0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0]]
)
"""(8, 3) the handle's axes that lie across (between the opposing fingers), outward (away from the
hand) and along, for each of SHAPES."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Fit:
    """A sort of handle that a class can hold, by half extents in millimetres."""

    shape: str
    across: Range
    along: Range = (0.0, 1000.0)
    outward: Range = (0.0, 1000.0)


@dataclass(frozen=True)
class Way:
    """How a class takes hold; directions in the wrist frame of a right hand."""

    mode: Literal["palm", "pads", "side"]
    """palm: the thing is brought against palm or fingers along `normal`, then the digits close.
    pads: it is put between two opposing places of the skin, then both close. side: it is brought
    against the second place, which keeps still, then the thumb closes."""
    fits: tuple[Fit, ...]
    common: float
    """Relative frequency."""
    along: tuple[float, float, float]
    """Where the handle's long side points, up to sign and up to `normal` or the opposition."""
    spot: float = 0.9
    """palm: where the thing lies, 0 at the wrist, 1 at the knuckles, 2 at the PIP joints."""
    sideways: float = 0.0
    """palm: shift towards ulnar, millimetres."""
    normal: tuple[float, float, float] = (0.0, -1.0, 0.0)
    """palm: from the palm to the thing."""
    first: tuple[tuple[int, float], ...] = ()
    """pads, side: landmarks and shares (`synth.contact.probes`) of the first opposing place."""
    second: tuple[tuple[int, float], ...] = ()
    """The second one."""
    seat: bool = False
    """pads: push the thing into the hand until it touches."""
    inset_mm: Range = (8.0, 22.0)
    """pads, side: how far the opposing places lie behind the thing's near edge."""
    along_pads: bool = False
    """The long side runs along the row of the fingers' pads, whatever `along` says."""
    away: bool = False
    """The long side points away from the hand, which holds it near its end."""
    to_web: bool = False
    """The long side runs from the pads to the web between thumb and index."""
    reach_mm: Range = (0.0, 0.0)
    """With `to_web`: how far the tip stands out beyond the pads."""
    least: int = 3
    """Parts that must touch."""
    thumb: bool = True
    """Must the thumb touch?"""
    tilt_deg: float = 8.0
    """Standard deviation of the directions."""


def _pads(*digits: int) -> tuple[tuple[int, float], ...]:
    return tuple((d, 1 / len(digits)) for d in digits)


WAYS: Final[dict[str, Way]] = {
    "large diameter": Way(
        "palm",
        (
            Fit("rod", (26, 50), (22, 400)),
            Fit("ball", (28, 50)),
            Fit("slab", (20, 42), (25, 400), (14, 60)),
        ),
        6,
        (1.0, 0.0, 0.12),
        0.80,
    ),
    "small diameter": Way(
        "palm", (Fit("rod", (5, 13), (35, 400)),), 3, (1.0, 0.0, 0.22), 0.98, thumb=False
    ),
    "medium wrap": Way(
        "palm",
        (Fit("rod", (12, 30), (30, 400)), Fit("slab", (7, 20), (35, 400), (7, 30))),
        13,
        (1.0, 0.0, 0.25),
        0.90,
    ),
    "adducted thumb": Way(
        "palm",
        (Fit("rod", (6, 17), (40, 400)), Fit("slab", (4, 14), (40, 400), (4, 18))),
        4,
        (1.0, 0.0, 0.7),
        0.95,
        thumb=False,
    ),
    "light tool": Way(
        "palm",
        (Fit("rod", (3, 10), (40, 400)), Fit("slab", (2, 8), (40, 400), (3, 12))),
        5,
        (1.0, 0.0, 0.35),
        1.15,
        thumb=False,
    ),
    "prismatic 4 finger": Way(
        "pads",
        (
            Fit("rod", (3, 26), (30, 400)),
            Fit("slab", (1, 30), (30, 400)),
            Fit("wide", (5, 34), (30, 400)),
        ),
        6,
        (1.0, 0.0, 0.1),
        first=((0, 1.0),),
        second=((1, 0.4), (2, 0.4), (3, 0.1), (4, 0.1)),
        along_pads=True,
        inset_mm=(6, 16),
    ),
    "prismatic 3 finger": Way(
        "pads",
        (
            Fit("rod", (3, 22), (22, 400)),
            Fit("slab", (0.5, 26), (22, 400)),
            Fit("wide", (5, 30), (22, 400)),
        ),
        4,
        (1.0, 0.0, 0.1),
        first=((0, 1.0),),
        second=((1, 0.45), (2, 0.45), (3, 0.1)),
        along_pads=True,
        inset_mm=(6, 16),
    ),
    "prismatic 2 finger": Way(
        "pads",
        (Fit("rod", (3, 20), (16, 400)), Fit("slab", (0.4, 22)), Fit("slab turned", (0.4, 22))),
        5,
        (1.0, 0.0, 0.1),
        first=((0, 1.0),),
        second=_pads(1, 2),
        along_pads=True,
        inset_mm=(6, 16),
    ),
    "palmar pinch": Way(
        "pads",
        (
            Fit("rod", (1, 12)),
            Fit("slab", (0.2, 14)),
            Fit("slab turned", (0.2, 14)),
            Fit("coin", (0.5, 10)),
            Fit("ball", (4, 14)),
        ),
        6,
        (1.0, 0.0, -0.2),
        away=True,
        first=((0, 1.0),),
        second=_pads(1),
        inset_mm=(5, 14),
        least=2,
    ),
    "power disk": Way(
        "palm", (Fit("coin", (4, 26), (28, 55), (28, 55)),), 3, (1.0, 0.0, 0.0), 0.88
    ),
    "power sphere": Way(
        "palm",
        (Fit("ball", (22, 48)), Fit("rim", (26, 45), (14, 400)), Fit("rod", (26, 42), (14, 46))),
        5,
        (1.0, 0.0, 0.2),
        0.86,
    ),
    "precision disk": Way(
        "pads",
        (Fit("rim", (16, 48)), Fit("rod", (18, 44), (5, 60))),
        9,
        (0.0, -1.0, -0.25),
        first=((0, 1.0),),
        second=_pads(1, 2, 3, 4),
        away=True,
        inset_mm=(6, 20),
    ),
    "precision sphere": Way(
        "pads",
        (Fit("ball", (16, 44)), Fit("rod", (18, 40), (12, 45))),
        4,
        (1.0, 0.0, 0.1),
        first=((0, 1.0),),
        second=_pads(1, 2, 3, 4),
    ),
    "tripod": Way(
        "pads",
        (
            Fit("rod", (2, 16)),
            Fit("rim", (6, 22)),
            Fit("ball", (5, 24)),
            Fit("slab", (1, 16)),
            Fit("slab turned", (1, 16)),
        ),
        9,
        (0.6, -0.6, -0.4),
        away=True,
        first=((0, 1.0),),
        second=_pads(1, 2),
        inset_mm=(6, 14),
    ),
    "fixed hook": Way(
        "palm",
        (Fit("rod", (3, 18), (35, 400)), Fit("slab", (3, 20), (35, 400), (3, 25))),
        2,
        (1.0, 0.0, 0.1),
        1.75,
        thumb=False,
    ),
    "lateral": Way(
        "side",
        (
            Fit("slab", (0.2, 9)),
            Fit("slab turned", (0.2, 9)),
            Fit("coin", (0.5, 8)),
            Fit("rod", (1, 7)),
        ),
        9,
        (0.0, -0.6, -1.0),
        away=True,
        first=((0, 1.0),),
        second=((9, 1.0),),
        inset_mm=(9, 20),
        least=2,
    ),
    "index finger extension": Way(
        "palm",
        (Fit("rod", (4, 16), (45, 400)), Fit("slab", (2, 14), (45, 400), (4, 20))),
        6,
        (-0.75, 0.0, -1.0),
        1.0,
        thumb=False,
    ),
    "extension type": Way(
        "pads",
        (
            Fit("slab", (1, 22), (35, 400), (20, 400)),
            Fit("slab turned", (1, 22), (35, 400), (20, 400)),
        ),
        3,
        (1.0, 0.0, 0.0),
        first=((0, 1.0),),
        second=((1, 0.4), (2, 0.4), (3, 0.1), (4, 0.1)),
        along_pads=True,
        seat=True,
        inset_mm=(25, 40),
    ),
    "distal type": Way(
        "pads",
        (Fit("rod", (4, 16), (25, 400)), Fit("slab", (2, 14), (25, 400), (2, 25))),
        2,
        (1.0, 0.0, 0.3),
        first=((0, 1.0),),
        second=((5, 0.25), (6, 0.25), (7, 0.25), (8, 0.25)),
        seat=True,
        inset_mm=(10, 20),
    ),
    "writing tripod": Way(
        "pads",
        (Fit("rod", (2, 8), (45, 400)), Fit("slab", (1.5, 8), (45, 400), (1.5, 10))),
        5,
        (0.0, 0.0, 1.0),
        first=((0, 1.0),),
        second=((1, 0.7), (10, 0.3)),
        to_web=True,
        reach_mm=(25, 50),
    ),
    "tripod variation": Way(
        "pads",
        (Fit("rod", (2, 8), (40, 400)),),
        2,
        (0.0, 0.0, 1.0),
        first=((0, 1.0),),
        second=((1, 0.5), (2, 0.5)),
        to_web=True,
        reach_mm=(20, 45),
    ),
    "parallel extension": Way(
        "pads",
        (
            Fit("slab", (0.5, 16), (20, 400), (20, 400)),
            Fit("slab turned", (0.5, 16), (20, 400), (20, 400)),
        ),
        4,
        (1.0, 0.0, 0.0),
        first=((0, 1.0),),
        second=((5, 0.4), (6, 0.4), (7, 0.1), (8, 0.1)),
        along_pads=True,
        inset_mm=(15, 32),
    ),
    "adduction grip": Way(
        "pads",
        (Fit("rod", (1.5, 7), (15, 90)), Fit("slab", (0.3, 5), (12, 75), (5, 50))),
        2,
        (0.0, -1.0, -0.2),
        away=True,
        first=((13, 1.0),),
        second=((10, 1.0),),
        inset_mm=(8, 18),
        least=2,
        thumb=False,
    ),
    "tip pinch": Way(
        "pads",
        (
            Fit("rod", (0.8, 6)),
            Fit("ball", (2, 8)),
            Fit("slab", (0.3, 5)),
            Fit("slab turned", (0.3, 5)),
            Fit("coin", (0.5, 5)),
        ),
        3,
        (1.0, 0.0, 0.0),
        away=True,
        first=((0, 1.0),),
        second=_pads(1),
        inset_mm=(3, 8),
        least=2,
    ),
    "lateral tripod": Way(
        "pads",
        (Fit("rod", (2, 9), (30, 400)), Fit("slab", (1, 8), (25, 400)), Fit("coin", (1, 8))),
        6,
        (0.2, -0.7, -0.8),
        away=True,
        first=((0, 1.0),),
        second=((10, 0.6), (1, 0.4)),
        inset_mm=(8, 16),
    ),
    "sphere 4 finger": Way(
        "pads",
        (Fit("ball", (20, 42)), Fit("rod", (20, 38), (14, 42))),
        2,
        (1.0, 0.0, 0.1),
        first=((0, 1.0),),
        second=_pads(1, 2, 3),
        seat=True,
    ),
    "quadpod": Way(
        "pads",
        (Fit("ball", (9, 30)), Fit("rod", (4, 24), (8, 400)), Fit("rim", (9, 28))),
        3,
        (0.4, -0.8, -0.3),
        away=True,
        first=((0, 1.0),),
        second=_pads(1, 2, 3),
        inset_mm=(8, 16),
    ),
    "sphere 3 finger": Way(
        "pads",
        (Fit("ball", (18, 38)), Fit("rod", (18, 34), (12, 36))),
        2,
        (1.0, 0.0, 0.1),
        first=((0, 1.0),),
        second=_pads(1, 2),
        seat=True,
    ),
    "stick": Way(
        "palm",
        (Fit("rod", (2, 9), (40, 400)), Fit("slab", (1, 7), (40, 400), (2, 10))),
        2,
        (1.0, 0.0, 0.5),
        1.35,
        thumb=False,
    ),
    "palmar": Way(
        "palm",
        (
            Fit("slab", (1, 12), (45, 150), (25, 60)),
            Fit("slab turned", (1, 12), (35, 110), (25, 90)),
        ),
        3,
        (0.2, 0.0, 1.0),
        1.2,
    ),
    "ring": Way(
        "pads",
        (Fit("rod", (14, 40), (20, 400)),),
        3,
        (0.5, -0.9, 0.2),
        first=((0, 1.0),),
        second=_pads(1),
        seat=True,
    ),
    "ventral": Way(
        "palm",
        (Fit("rod", (2, 9), (40, 400)), Fit("slab", (1, 8), (40, 400), (2, 12))),
        2,
        (1.0, 0.0, -0.2),
        1.55,
        thumb=False,
    ),
    "inferior pincer": Way(
        "pads",
        (
            Fit("rod", (1, 14)),
            Fit("slab", (0.3, 14)),
            Fit("slab turned", (0.3, 14)),
            Fit("ball", (5, 16)),
            Fit("coin", (0.5, 10)),
        ),
        3,
        (1.0, 0.0, 0.0),
        away=True,
        first=((0, 1.0),),
        second=_pads(1),
        inset_mm=(5, 14),
        least=2,
    ),
}
"""Every class of the taxonomy, by its name."""
