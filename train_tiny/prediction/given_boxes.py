"""Boxes that a user gives: the labels of a dataset, or a file of them.

A file has a line of JSON for each box, with its frame, by "frame" (the image's file) or by
"frame_id", and "box_px": [x0, y0, x1, y1]; or it is a `predictions.parquet`. Other keys do not
matter, so predictions are boxes, too.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.whole_file import read_whole_text
from train_tiny.prediction.depth_frame import DepthFrame

LABELS: Final = "labels"
"""What stands for the dataset's own boxes."""

Boxes = NDArray[np.float64]

_MOST_BYTES: Final = 1 << 30
"""Of a file of boxes as text."""

_NONE: Final = np.empty((0, 4))


class GivenBoxes:
    """The boxes of each frame, in their order."""

    def __init__(self, boxes: Mapping[int | str, Boxes] | None = None) -> None:
        """boxes: (N, 4) by a frame's id or its file's name; None for the frames' own labels."""
        self._boxes = boxes

    def list(self, frame: DepthFrame) -> Boxes:
        """(N, 4) of a frame; labelled hands without a box are left out."""
        if self._boxes is not None:
            found = self._boxes.get(frame.frame_id)
            return self._boxes.get(frame.name, _NONE) if found is None else found
        boxes = [
            box if np.isfinite(box).all() else amodal
            for box, amodal in ((h.box_px, h.box_amodal_px) for h in frame.hands)
        ]
        good = [b for b in boxes if np.isfinite(b).all()]
        return np.array(good, np.float64).reshape(-1, 4)


def read_given_boxes(name: str) -> GivenBoxes:
    """ "labels" or a file. Raises BadInput, naming the line, for what is no box."""
    if name == LABELS:
        return GivenBoxes()
    path = Path(name)
    found: defaultdict[int | str, list[list[float]]] = defaultdict(list)
    for number, row in _read_rows(path):
        found[_find_key(row, path, number)].append(_find_box(row, path, number))
    if not found:
        raise BadInput(f"the boxes' file {path} has no box in it")
    return GivenBoxes({key: np.array(boxes) for key, boxes in found.items()})


def _read_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        if path.suffix == ".parquet":
            rows = pq.read_table(path).to_pylist()
            return list(enumerate(rows, 1))
        lines = read_whole_text(path, _MOST_BYTES).splitlines()
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise BadInput(f"cannot read the boxes' file {path}: {reason}") from None
    out = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise BadInput(
                f'line {number} of {path} is no JSON object: each must be as {{"frame_id": 0,'
                ' "box_px": [x0, y0, x1, y1]}'
            )
        out.append((number, row))
    return out


def _find_key(row: dict[str, Any], path: Path, number: int) -> int | str:
    # A folder's images have a number too, but its files' names stay when images are added.
    for name, kind in (("frame", str), ("frame_id", int)):
        value = row.get(name)
        if isinstance(value, kind) and not isinstance(value, bool) and value != "":
            key: int | str = value
            return key
    raise BadInput(f'line {number} of {path} names no frame: it needs "frame_id" or "frame"')


def _find_box(row: dict[str, Any], path: Path, number: int) -> list[float]:
    box = row.get("box_px")
    try:
        x0, y0, x1, y1 = (float(v) for v in box or ())
    except (TypeError, ValueError, OverflowError):
        x0 = y0 = x1 = y1 = float("nan")
    if not (x1 > x0 and y1 > y0 and np.isfinite([x0, y0, x1, y1]).all()):
        raise BadInput(
            f'line {number} of {path}: "box_px" must be [x0, y0, x1, y1] with x0 < x1 and y0 < y1,'
            f" got {box}"
        )
    return [x0, y0, x1, y1]
