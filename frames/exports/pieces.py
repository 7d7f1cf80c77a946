"""An export's pieces: runs of frames of one split, each written by one worker in one go."""

from collections.abc import Mapping
from dataclasses import dataclass

from frames.errors import BadInput

UNSPLIT = "unsplit"
"""What frames are called that are in no split of a dataset with splits."""


@dataclass(frozen=True)
class Piece:
    """The frames first <= i < stop."""

    split: str
    number: int
    """Its place among the pieces of its split, from 0."""
    count: int
    """How many pieces its split has."""
    first: int
    stop: int

    @property
    def name(self) -> str:
        """A file's name without its suffix."""
        return f"{self.split}-{self.number:05d}"

    @property
    def rows(self) -> int:
        """How many frames it has."""
        return self.stop - self.first


def list_pieces(frames: int, splits: Mapping[str, range], size: int, undivided: str) -> list[Piece]:
    """Pieces of at most `size` frames, in the order of the frames.

    splits: names to ranges as `frames.store.splits.read_splits` gives them; without any, all frames
    are the split `undivided`. Raises BadInput for a size below 1.
    """
    if size < 1:
        raise BadInput(f"frames-per-file must be >= 1, got {size}")
    if not splits:
        sections = [(undivided, range(frames))]
    else:
        sections, at = [], 0
        for name, wanted in splits.items():
            if wanted.start > at:
                sections.append((UNSPLIT, range(at, wanted.start)))
            sections.append((name, wanted))
            at = wanted.stop
        if at < frames:
            sections.append((UNSPLIT, range(at, frames)))
    runs = [
        (name, first, min(first + size, wanted.stop))
        for name, wanted in sections
        for first in range(wanted.start, wanted.stop, size)
    ]
    counts: dict[str, int] = {}
    for name, _, _ in runs:
        counts[name] = counts.get(name, 0) + 1
    pieces, numbers = [], dict.fromkeys(counts, 0)
    for name, first, stop in runs:
        pieces.append(Piece(name, numbers[name], counts[name], first, stop))
        numbers[name] += 1
    return pieces


def group_splits(pieces: list[Piece]) -> dict[str, list[Piece]]:
    """Pieces by split, in order."""
    out: dict[str, list[Piece]] = {}
    for piece in pieces:
        out.setdefault(piece.split, []).append(piece)
    return out
