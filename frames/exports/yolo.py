"""Ultralytics pose (docs.ultralytics.com/datasets/pose): pictures, a text file of labels beside
each, data.yaml.

    images/SPLIT/00000/000000000.png
    labels/SPLIT/00000/000000000.txt   a line a hand: class, box, 21 times x y v
    data.yaml

A class is a side: 0 left, 1 right. A mirror would have to swap the classes, which Ultralytics does
not do; keypoints stay what they are, so `flip_idx` is the identity. Places are shares of the
picture's width and height from its corner: the centre of the first pixel is 0.5 / width.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from frames.exports.coco import name_picture
from frames.exports.coco_labels import SIDES
from frames.exports.hand_box import box_hand, find_labelled
from frames.exports.layout import About
from frames.exports.loose_files import LooseFiles
from frames.exports.picture import DepthPicture
from frames.exports.pieces import Piece, group_splits
from frames.exports.readme import write_readme
from frames.exports.source import take_reading
from frames.record import Frame, Hand
from frames.skeleton import KEYPOINT_NAMES, KEYPOINTS
from frames.store.disk import write_file

PIECE_ROWS: Final = 256


@dataclass(frozen=True)
class Yolo:
    """A `frames.exports.layout.Format`."""

    name: ClassVar[str] = "yolo"
    undivided: ClassVar[str] = "all"
    picture: DepthPicture = field(default_factory=lambda: DepthPicture("depth8"))
    """8 bits by default: Ultralytics reads no more, and would drop the lower half of 16."""

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
        """See `Format`."""
        files = LooseFiles(folder)
        for frame in frames:
            name = name_picture(piece, frame)
            picture = self.picture.encode(take_reading(frame), frame.depth_scale)
            files.write(f"images/{name}", picture)
            lines = [line for hand in frame.hands if (line := write_line(frame, hand))]
            text = "".join(f"{line}\n" for line in lines)
            files.write(f"labels/{name.removesuffix('.png')}.txt", text.encode())
        files.settle()
        return b""

    def finish(self, folder: Path, pieces: Sequence[Piece], about: About) -> None:
        """See `Format`."""
        splits = list(group_splits(list(pieces)))
        write_file(folder / "data.yaml", self._tell(splits, about).encode())
        write_readme(folder, self.name, about, depth=self.picture.tell(), split=splits[0])

    def _tell(self, splits: list[str], about: About) -> str:
        """data.yaml. Ultralytics insists on `train` and `val`."""
        given = {s: s for s in splits}
        lines = [f"# {about.title}: {about.frames:,} depth frames", f"# {self.picture.tell()}"]
        for wanted in ("train", "val"):
            if wanted not in given:
                given[wanted] = "test" if wanted == "val" and "test" in given else splits[0]
                lines.append(f"# there is no split {wanted}: {given[wanted]} stands for it")
        order = ("train", "val", "test")
        named = [n for n in order if n in given] + [n for n in given if n not in order]
        lines += [
            "# train with fliplr=0: a mirrored left hand is a right one, and keeps its class",
            *(f"{name}: images/{given[name]}" for name in named),
            f"channels: {3 if self.picture.kind == 'colour' else 1}",
            "names:",
            *(f"  {k}: {side}_hand" for k, side in enumerate(SIDES)),
            f"kpt_shape: [{KEYPOINTS}, 3]",
            f"flip_idx: [{', '.join(map(str, range(KEYPOINTS)))}]",
            "kpt_names:",
            *(f"  {k}: [{', '.join(KEYPOINT_NAMES)}]" for k in range(len(SIDES))),
        ]
        return "\n".join(lines) + "\n"


def write_line(frame: Frame, hand: Hand) -> str:
    """A hand's line; "" for one that is not in the picture."""
    box = box_hand(hand)
    if box is None:
        return ""
    size = np.array([frame.camera.width, frame.camera.height], np.float64)
    low, high = box[:2] / size, box[2:] / size
    numbers = [*((low + high) / 2).tolist(), *(high - low).tolist()]
    known = find_labelled(hand)
    places = np.where(known[:, None], (hand.keypoints_px.astype(np.float64) + 0.5) / size, 0)
    flags = np.where(known, hand.visibility, 0)
    words = [str(SIDES.index(hand.side)), *(f"{x:.9g}" for x in numbers)]
    for (x, y), v in zip(places.tolist(), flags.tolist(), strict=True):
        words += [f"{x:.9g}", f"{y:.9g}", str(v)]
    return " ".join(words)
