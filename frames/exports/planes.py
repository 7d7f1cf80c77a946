"""Which images of a frame are exported."""

from collections.abc import Sequence
from typing import Any, Final, Literal, get_args

from numpy.typing import NDArray

from frames.errors import BadInput
from frames.exports.source import take_reading
from frames.record import Frame

Plane = Literal["depth", "clean_depth", "parts", "invalid"]
"""depth: what the export's sensor reads, or clean depth without a sensor; the others as in
docs/dataset.md."""

PLANES: Final = get_args(Plane)


def choose_planes(text: str) -> tuple[Plane, ...]:
    """Names joined by commas. Raises BadInput for an unknown one, and without depth."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in PLANES]
    if unknown or "depth" not in names:
        what = f"got {unknown[0]!r}" if unknown else f"depth among them, got {text!r}"
        raise BadInput(f"images must be of {', '.join(PLANES)}, {what}")
    return tuple(plane for plane in PLANES if plane in names)


def take_planes(frame: Frame, planes: Sequence[Plane]) -> dict[Plane, NDArray[Any] | None]:
    """The images by name; None for one that the frame does not have."""
    return {p: take_reading(frame) if p == "depth" else getattr(frame, p) for p in planes}
