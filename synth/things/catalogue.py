"""The procedural catalogue: things of every day, drawn from a seed."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from frames.errors import BadInput
from frames.stream import uniform
from synth.things import basics, containers, devices, food, hand_tools, utensils, vessels
from synth.things.draft import Draft, Pick
from synth.things.shapes import join
from synth.things.solid import Solid, make_solid

VARIANTS: Final = 3
DRAWS: Final = 24
"""Numbers drawn for a thing."""

KINDS: Final[dict[str, Callable[[Pick], Draft]]] = {
    **basics.KINDS,
    **vessels.KINDS,
    **containers.KINDS,
    **devices.KINDS,
    **utensils.KINDS,
    **hand_tools.KINDS,
    **food.KINDS,
}
"""Every kind of thing, by its name."""


@lru_cache(maxsize=4)
def build_catalogue(seed: int, variants: int = VARIANTS) -> tuple[Solid, ...]:
    """`variants` things of every kind, in the order of KINDS; "mug-0" is the first mug.

    A thing depends on the seed, its kind and its variant alone. Raises BadInput for fewer than one
    variant.
    """
    if variants < 1:
        raise BadInput(f"variants of each kind must be at least 1, got {variants}")
    return tuple(build_solid(seed, kind, v) for kind in KINDS for v in range(variants))


def build_solid(seed: int, kind: str, variant: int) -> Solid:
    """One thing of the catalogue."""
    numbers = iter(uniform(seed, [variant], f"things/{kind}", DRAWS)[0].tolist())

    def pick(low: float, high: float) -> float:
        return low + (high - low) * next(numbers)

    draft = KINDS[kind](pick)
    vertices, faces = join(draft.parts)
    return make_solid(f"{kind}-{variant}", kind, vertices, faces, draft.handles, draft.upright)
