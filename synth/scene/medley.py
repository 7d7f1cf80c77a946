"""Which soft and irregular things there are, how often, and of what sizes."""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from synth.scene.bank import (
    BAG,
    BOOKS,
    BOWL,
    CABLE,
    COVER,
    CRATE,
    CUSHION,
    HEAP,
    JAR,
    PILE,
    PLANT,
    TOY,
)
from synth.scene.pieces import JIT, between, roll, spread

Row = tuple[float, tuple[int, int], float, float, float, float, float, float]


def _list_kinds(*rows: Row) -> np.ndarray:
    """(K, 9): cumulative share, first model and their count, then the ranges as given."""
    share = np.cumsum([row[0] for row in rows])
    return np.array(
        [[s / share[-1], *row[1], *row[2:]] for s, row in zip(share, rows, strict=True)]
    )


# Share, models, width, depth over width, height: least and greatest.
ON_TABLES: Final = _list_kinds(
    (3.0, HEAP, 0.1, 0.45, 0.5, 1.0, 0.02, 0.15),
    (1.2, COVER, 0.2, 0.7, 0.5, 1.0, 0.006, 0.025),
    (0.7, CUSHION, 0.1, 0.35, 0.5, 1.0, 0.03, 0.12),
    (2.0, BAG, 0.08, 0.3, 0.4, 0.8, 0.08, 0.32),
    (0.8, PLANT, 0.12, 0.4, 0.8, 1.0, 0.15, 0.45),
    (2.2, CABLE, 0.15, 0.6, 0.5, 1.0, 0.005, 0.012),
    (2.0, PILE, 0.12, 0.32, 0.7, 1.3, 0.006, 0.12),
    (3.0, TOY, 0.03, 0.18, 0.6, 1.0, 0.03, 0.16),
    (0.6, BOWL, 0.14, 0.3, 1.0, 1.0, 0.07, 0.16),
    (0.8, JAR, 0.07, 0.14, 1.0, 1.0, 0.16, 0.32),
    (0.8, BOOKS, 0.08, 0.35, 0.5, 0.8, 0.14, 0.3),
    (2.0, CRATE, 0.04, 0.3, 0.5, 1.0, 0.03, 0.25),
)
STANDING: Final = _list_kinds(
    (3.0, BAG, 0.1, 0.3, 0.4, 0.8, 0.12, 0.35),
    (1.0, PLANT, 0.12, 0.3, 0.8, 1.0, 0.2, 0.4),
    (1.0, JAR, 0.08, 0.14, 1.0, 1.0, 0.2, 0.34),
    (1.0, BOWL, 0.15, 0.3, 1.0, 1.0, 0.08, 0.16),
    (1.5, TOY, 0.08, 0.25, 0.6, 1.0, 0.08, 0.28),
    (1.5, CRATE, 0.1, 0.35, 0.5, 1.0, 0.08, 0.3),
    (1.0, HEAP, 0.12, 0.35, 0.6, 1.0, 0.05, 0.2),
)
"""At the back of worktops, and on shelves."""
ON_FLOORS: Final = _list_kinds(
    (3.0, HEAP, 0.3, 0.9, 0.5, 1.0, 0.06, 0.3),
    (1.0, COVER, 0.6, 1.5, 0.6, 1.0, 0.02, 0.1),
    (1.0, CUSHION, 0.3, 0.6, 0.6, 1.0, 0.12, 0.25),
    (2.0, BAG, 0.25, 0.55, 0.4, 0.8, 0.3, 0.6),
    (1.0, PLANT, 0.3, 0.9, 0.9, 1.0, 0.4, 1.4),
    (1.0, TOY, 0.15, 0.5, 0.6, 1.0, 0.12, 0.5),
    (1.0, CRATE, 0.25, 0.6, 0.6, 1.0, 0.2, 0.6),
    (1.0, PILE, 0.2, 0.35, 0.7, 1.3, 0.05, 0.4),
)
ON_SEATS: Final = _list_kinds(
    (3.0, HEAP, 0.6, 1.0, 0.6, 1.0, 0.06, 0.22),
    (3.0, COVER, 0.8, 1.0, 0.7, 1.0, 0.015, 0.08),
    (2.0, CUSHION, 0.5, 0.9, 0.7, 1.0, 0.1, 0.2),
    (1.0, BAG, 0.4, 0.7, 0.5, 0.9, 0.15, 0.45),
    (1.0, PILE, 0.4, 0.7, 0.7, 1.0, 0.04, 0.3),
    (0.5, PLANT, 0.4, 0.7, 0.9, 1.0, 0.25, 0.6),
)
"""Widths are shares of what they lie on."""


@njit(**JIT)
def pick(dice, kind):
    """A model of a kind (first, count)."""
    return kind[0] + int(kind[1] * roll(dice))


@njit(**JIT)
def draw_soft(dice, kinds):
    """One of a list of kinds: its model and size."""
    u, k = roll(dice), 0
    while k < len(kinds) - 1 and u >= kinds[k, 0]:
        k += 1
    row = kinds[k]
    model = int(row[1] + int(row[2] * roll(dice)))
    wide = spread(dice, row[3], row[4])
    return model, wide, wide * between(dice, row[5], row[6]), spread(dice, row[7], row[8])
