"""COCO keypoints: depth images, an annotation file a split, and what mmpose is told of them.

    images/SPLIT/00000/000000000.png   256 a folder
    annotations/SPLIT.json             one annotation a line
    dataset_info.py                    mmpose's metainfo

Annotation files are written element by element: a million frames take no more memory than one
piece.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from frames.exports.coco_labels import label_hands, label_image, list_categories
from frames.exports.layout import About
from frames.exports.loose_files import LooseFiles
from frames.exports.mmpose_info import write_info
from frames.exports.picture import DepthPicture
from frames.exports.pieces import Piece, group_splits
from frames.exports.plain import dump_json
from frames.exports.readme import write_readme
from frames.exports.source import take_reading
from frames.exports.unfinished import PIECES
from frames.record import Frame
from frames.store.disk import make_folder, write_file, write_files
from frames.store.object_store import Sink

PIECE_ROWS: Final = 256
_BETWEEN: Final = b"\n\n"
"""Between a piece's images and its annotations: neither has an empty line."""


@dataclass(frozen=True)
class Coco:
    """A `frames.exports.layout.Format`."""

    name: ClassVar[str] = "coco"
    undivided: ClassVar[str] = "all"
    picture: DepthPicture = field(default_factory=DepthPicture)

    @property
    def piece_rows(self) -> int:
        """See `Format`."""
        return PIECE_ROWS

    def describe(self) -> dict[str, Any]:
        """See `Format`."""
        return {"image": self.picture.describe()}

    def check(self, pieces: Sequence[Piece], first: Frame) -> None:
        """See `Format`."""
        take_reading(first)

    def write_piece(self, folder: Path, piece: Piece, frames: Iterator[Frame]) -> bytes:
        """See `Format`: its part of both lists."""
        files = LooseFiles(folder / "images")
        images, annotations = [], []
        for frame in frames:
            name = name_picture(piece, frame)
            files.write(name, self.picture.encode(take_reading(frame), frame.depth_scale))
            images.append(dump_json(label_image(frame, name)))
            annotations += [dump_json(one) for one in label_hands(frame)]
        files.settle()
        return ",\n".join(images).encode() + _BETWEEN + ",\n".join(annotations).encode()

    def finish(self, folder: Path, pieces: Sequence[Piece], about: About) -> None:
        """See `Format`."""
        make_folder(folder / "annotations")
        for split, some in group_splits(list(pieces)).items():
            info = {
                "description": about.title,
                "version": about.version,
                "contributor": "handloom",
                "split": split,
                "sensor": about.sensor,
                "depth": self.picture.tell(),
            }
            path = folder / "annotations" / f"{split}.json"
            write_files([(path, _Writer(folder, some, info, about.license).write)])
        write_file(folder / "dataset_info.py", write_info(about).encode())
        write_readme(folder, self.name, about, depth=self.picture.tell(), split=pieces[0].split)


class _Writer:
    """Writes an annotation file from its pieces' parts."""

    def __init__(
        self, folder: Path, pieces: Sequence[Piece], info: dict[str, Any], license_id: str
    ) -> None:
        self._folder, self._pieces, self._info, self._license = folder, pieces, info, license_id

    def write(self, file: Sink) -> None:
        head = {
            "info": self._info,
            "licenses": [{"id": 1, "name": self._license, "url": ""}],
            "categories": list_categories(),
        }
        file.write(dump_json(head)[:-1].encode())
        for place, name in enumerate(("images", "annotations")):
            file.write(f',\n"{name}":[\n'.encode())
            first = True
            for piece in self._pieces:
                part = (self._folder / PIECES / piece.name).read_bytes().split(_BETWEEN)[place]
                if part:
                    file.write(part if first else b",\n" + part)
                    first = False
            file.write(b"\n]")
        file.write(b"}\n")


def name_picture(piece: Piece, frame: Frame) -> str:
    """Where a frame's picture is among all."""
    return f"{piece.split}/{piece.number:05d}/{frame.frame_id:09d}.png"
