"""The bank: models of everything that surroundings are made of, by number."""

from collections.abc import Callable
from typing import Final

from synth.scene import cloth, oddments
from synth.scene.pieces import build_models
from synth.things.model import Model

PLAIN: Final = 4
"""Models of `synth.scene.pieces` come first."""

KINDS: Final[tuple[tuple[str, Callable[[int], Model], int], ...]] = (
    ("crate", oddments.crate, 12),
    ("pile", oddments.pile, 12),
    ("books", oddments.book_row, 12),
    ("toy", oddments.toy, 18),
    ("bowl", oddments.bowl, 6),
    ("jar", oddments.jar, 8),
    ("cable", oddments.cable, 12),
    ("plant", oddments.plant, 8),
    ("bag", cloth.bag, 12),
    ("cushion", cloth.cushion, 8),
    ("heap", cloth.heap, 16),
    ("cover", cloth.cover, 12),
    ("drape", cloth.drape, 12),
    ("cover, turned over", lambda k: cloth.turn_over(cloth.cover(k)), 8),
    ("drape, turned over", lambda k: cloth.turn_over(cloth.drape(k)), 8),
)
"""Name, maker and how many there are of each."""


def _range(name: str) -> tuple[int, int]:
    first = PLAIN
    for own, _, count in KINDS:
        if own == name:
            return first, count
        first += count
    raise KeyError(name)


CRATE: Final = _range("crate")
PILE: Final = _range("pile")
BOOKS: Final = _range("books")
TOY: Final = _range("toy")
BOWL: Final = _range("bowl")
JAR: Final = _range("jar")
CABLE: Final = _range("cable")
PLANT: Final = _range("plant")
BAG: Final = _range("bag")
CUSHION: Final = _range("cushion")
HEAP: Final = _range("heap")
COVER: Final = _range("cover")
DRAPE: Final = _range("drape")
TURNED: Final = (_range("cover, turned over")[0], 16)
"""Number of the first model of each kind, and how many there are."""


def build_bank() -> tuple[Model, ...]:
    """All of them, each filling the unit cube."""
    return (*build_models(), *(make(k) for _, make, count in KINDS for k in range(count)))
