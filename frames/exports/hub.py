"""Hugging Face's layout: Parquet files by split, a dataset card, Croissant.

    data/SPLIT-00000-of-00004.parquet   a row a frame, images as PNG files in them
    README.md                           the card, its YAML saying which files are which split
    croissant.json                      what every column is, with the files' SHA-256

`datasets.load_dataset(OUT)` gives images as PIL's and everything else as lists.
"""

import hashlib
import io
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow as pa
import pyarrow.parquet as pq

from frames.errors import BadInput
from frames.exports.croissant import build_croissant
from frames.exports.hub_card import build_hub_card
from frames.exports.hub_columns import build_table, list_features
from frames.exports.layout import About
from frames.exports.pieces import Piece
from frames.exports.planes import Plane
from frames.exports.source import take_reading
from frames.exports.unfinished import PIECES
from frames.record import Frame
from frames.store.disk import make_folder, write_file, write_files
from frames.store.object_store import Sink

ROW_GROUP: Final = 128
"""The viewer of the hub, and whoever streams, reads a row group at a time."""


@dataclass(frozen=True)
class Hub:
    """A `frames.exports.layout.Format`."""

    name: ClassVar[str] = "hf"
    undivided: ClassVar[str] = "train"
    """What `datasets` calls the frames of a dataset without splits; "all" means something else."""
    frames_per_file: int = 1024
    planes: tuple[Plane, ...] = ("depth", "parts")

    @property
    def piece_rows(self) -> int:
        """See `Format`."""
        return self.frames_per_file

    def describe(self) -> dict[str, Any]:
        """See `Format`."""
        return {"frames_per_file": self.frames_per_file, "images": list(self.planes)}

    def check(self, pieces: Sequence[Piece], first: Frame) -> None:
        """See `Format`."""
        take_reading(first)
        names = {p.split for p in pieces}
        if len({name_split(n) for n in names}) < len(names):
            raise BadInput(
                f"splits differ only in what Hugging Face does not take: {sorted(names)}"
            )

    def write_piece(self, folder: Path, piece: Piece, frames: Iterator[Frame]) -> bytes:
        """See `Format`: the file's SHA-256 and size."""
        path = folder / name_file(piece)
        make_folder(path.parent)
        digest = _Digest()

        def write(file: Sink) -> None:
            digest.file = file
            with pq.ParquetWriter(
                pa.PythonFile(digest, "w"),
                build_table([], self.planes).schema,
                compression="zstd",
                write_page_index=True,
            ) as writer:
                while group := list(itertools.islice(frames, ROW_GROUP)):
                    writer.write_table(build_table(group, self.planes).combine_chunks())

        write_files([(path, write)])
        return json.dumps({"sha256": digest.sum.hexdigest(), "bytes": path.stat().st_size}).encode()

    def finish(self, folder: Path, pieces: Sequence[Piece], about: About) -> None:
        """See `Format`."""
        files = {name_file(p): json.loads((folder / PIECES / p.name).read_bytes()) for p in pieces}
        rows: dict[str, int] = {}
        for p in pieces:
            rows[name_split(p.split)] = rows.get(name_split(p.split), 0) + p.rows
        features = list_features(self.planes)
        write_file(folder / "README.md", build_hub_card(about, rows, features).encode())
        described = build_croissant(about, files, rows, features)
        write_file(folder / "croissant.json", (json.dumps(described, indent=2) + "\n").encode())


def name_split(name: str) -> str:
    """A split's name as Hugging Face takes it: letters, digits, underscores."""
    return re.sub(r"\W", "_", name)


def name_file(piece: Piece) -> str:
    """Where a piece's rows are."""
    return f"data/{name_split(piece.split)}-{piece.number:05d}-of-{piece.count:05d}.parquet"


class _Digest(io.RawIOBase):
    """A file whose bytes are digested while they are written."""

    file: Sink

    def __init__(self) -> None:
        self.sum = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.sum.update(data)
        return self.file.write(data)

    def tell(self) -> int:
        return self.file.tell()
