"""WebDataset: tars of samples, a file's name up to its first dot being the sample's key.

    SPLIT-000000.tar ...    000000000.depth.png, 000000000.parts.png, 000000000.json

Headers hold no time, owner or other trace of who wrote them: the same frames give the same bytes.
"""

import io
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from frames.exports.layout import About
from frames.exports.picture import DepthPicture, encode_png
from frames.exports.pieces import Piece
from frames.exports.plain import dump_json, plain_frame
from frames.exports.planes import Plane, take_planes
from frames.exports.readme import write_readme
from frames.exports.source import take_reading
from frames.record import Frame
from frames.store.disk import write_files
from frames.store.object_store import Sink


@dataclass(frozen=True)
class Tars:
    """A `frames.exports.layout.Format`."""

    name: ClassVar[str] = "webdataset"
    undivided: ClassVar[str] = "all"
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

    def write_piece(self, folder: Path, piece: Piece, frames: Iterator[Frame]) -> bytes:
        """See `Format`."""

        def write(file: Sink) -> None:
            with tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT) as tar:  # type: ignore[call-overload]
                for frame in frames:
                    self._add(tar, frame)

        write_files([(folder / name_tar(piece.split, piece.number), write)])
        return b""

    def finish(self, folder: Path, pieces: Sequence[Piece], about: About) -> None:
        """See `Format`."""
        last = {p.split: p.number for p in pieces}
        split, number = next(iter(last.items()))
        pattern = f"{split}-{{000000..{number:06d}}}.tar"
        depth = DepthPicture().tell()
        write_readme(folder, self.name, about, depth=depth, split=split, pattern=pattern)

    def _add(self, tar: tarfile.TarFile, frame: Frame) -> None:
        key = f"{frame.frame_id:09d}"
        for name, image in take_planes(frame, self.planes).items():
            if image is not None:
                _add_file(tar, f"{key}.{name}.png", encode_png(image))
        _add_file(tar, f"{key}.json", dump_json(plain_frame(frame)).encode())


def name_tar(split: str, number: int) -> str:
    """A file's name, as brace expansion counts them."""
    return f"{split}-{number:06d}.tar"


def _add_file(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.mode = 0o644
    tar.addfile(entry, io.BytesIO(data))
