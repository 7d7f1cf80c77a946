"""What a format is: how pieces are written, and what is put together of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from frames.exports.pieces import Piece
from frames.record import Frame


@dataclass(frozen=True)
class About:
    """What an export is made of."""

    title: str
    license: str
    """An SPDX identifier, or "other"."""
    version: str
    """Of the handloom that made the dataset."""
    frames: int
    sensor: str
    """By which sensor's depth, in words."""
    meta: dict[str, Any]
    """The dataset's own metadata."""


class Format(Protocol):
    """A format with its options; small, for it is pickled to every worker."""

    name: ClassVar[str]
    undivided: ClassVar[str]
    """What the frames of a dataset without splits are called."""

    @property
    def piece_rows(self) -> int:
        """Frames a piece."""

    def describe(self) -> dict[str, Any]:
        """Its options, plain JSON: with the same ones and the same frames come the same bytes."""

    def check(self, pieces: Sequence[Piece], first: Frame) -> None:
        """Raises BadInput for pieces or frames that it cannot hold, before anything is written."""

    def write_piece(self, folder: Path, piece: Piece, frames: Iterator[Frame]) -> bytes:
        """Write a piece's files, on the disk when it returns; returns what `finish` needs of it."""

    def finish(self, folder: Path, pieces: Sequence[Piece], about: About) -> None:
        """Put together what belongs to all pieces, with a README.md."""
