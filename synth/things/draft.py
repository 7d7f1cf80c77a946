"""What a maker of a kind of thing hands back: parts, and where to take hold of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synth.things.shapes import Part
from synth.things.solid import Handle

Pick = Callable[[float, float], float]
"""The next random number of a thing, uniform between two bounds."""


@dataclass(frozen=True)
class Draft:
    """A thing in a frame of its own, lying as it would on a table."""

    parts: Sequence[Part]
    """Closed pieces, which may overlap."""
    handles: Sequence[Handle]
    """In the same frame, the usual one first."""
    upright: bool
    """Whether +z has to stay up."""
