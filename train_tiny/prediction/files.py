"""Predictions on disk: one row a hand, as Parquet and as JSON lines (docs/prediction.md).

    predictions.parquet    typed columns, small vectors as fixed-size lists, as in datasets
    predictions.jsonl      the same for programs that read text; unknown values are null

Files appear when all frames are done, or not at all.
"""

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from frames.errors import BadInput
from frames.store.disk import TEMPORARY_SUFFIX, explain_write_error, make_folder, sync_folder
from frames.store.schema import Column
from train_tiny.prediction.depth_frame import ALONE, DepthFrame
from train_tiny.prediction.hand import Hand

FORMAT: Final = "handloom predictions 1"
PARQUET_NAME: Final = "predictions.parquet"
LINES_NAME: Final = "predictions.jsonl"

ROWS: Final = 4096
"""Of a row group; so many wait in memory at most."""

_F32, _TEXT = pa.float32(), pa.string()

COLUMNS: Final = (
    Column("frame_id", pa.int64(), meaning="of the dataset, or place among the folder's images"),
    Column("frame", _TEXT, optional=True, meaning="the image's file; null in a dataset"),
    Column("sequence_id", pa.int64(), optional=True, meaning="frames that follow one another"),
    Column("time_s", pa.float64(), optional=True, meaning="since its sequence began"),
    Column("hand", pa.int16(), meaning="place among the frame's hands; of given boxes, theirs"),
    Column("track", pa.int64(), optional=True, meaning="one hand over the frames, if followed"),
    Column("side", _TEXT, optional=True, meaning="left or right, the person's own"),
    Column("right", _F32, optional=True, meaning="likelihood of a right hand"),
    Column("score", _F32, meaning="mean confidence"),
    Column("found_by", _TEXT, meaning="box, finder or follow"),
    Column("box_px", _F32, (4,), meaning="x0, y0, x1, y1 around it, in the image"),
    Column("keypoints_px", _F32, (21, 2), meaning="pixels of the frame"),
    Column("keypoints_cam_m", _F32, (21, 3), meaning="camera axes, metres"),
    Column("visible", _F32, (21,), True, "likelihood of being seen"),
    Column("confidence", _F32, (21,), meaning="share of the heatmap about its peak"),
)
"""Every column of a row."""

_DIGITS: Final = {"keypoints_px": 3, "box_px": 3, "keypoints_cam_m": 6}
"""Decimals in the JSON lines: a thousandth of a pixel, a micrometre; else four."""

SCHEMA: Final = pa.schema(
    [c.build_field() for c in COLUMNS], metadata={b"handloom.predictions": FORMAT.encode()}
)


def make_row(frame: DepthFrame, place: int, hand: Hand) -> dict[str, Any]:
    """A hand's values by column; None for what is not known."""
    return {
        "frame_id": frame.frame_id,
        "frame": frame.name or None,
        "sequence_id": None if frame.sequence == ALONE else frame.sequence,
        "time_s": frame.time_s,
        "hand": place,
        "track": None if hand.track < 0 else hand.track,
        "side": hand.side or None,
        "right": None if np.isnan(hand.right) else hand.right,
        "score": hand.score,
        "found_by": hand.found_by,
        "box_px": hand.box_px,
        "keypoints_px": hand.keypoints_px,
        "keypoints_cam_m": hand.keypoints_cam_m,
        "visible": None if np.isnan(hand.visible).all() else hand.visible,
        "confidence": hand.confidence,
    }


def build_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Rows as an Arrow table of `SCHEMA`."""
    arrays = []
    for column, field in zip(COLUMNS, SCHEMA, strict=True):
        values = [row[column.name] for row in rows]
        if column.shape is not None:
            values = [None if v is None else np.ravel(v).tolist() for v in values]
        arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def format_line(row: dict[str, Any]) -> str:
    """A row as one line of JSON: vectors nested by their shape, NaN as null."""
    return json.dumps({k: _plain(v, _DIGITS.get(k, 4)) for k, v in row.items()})


class PredictionFiles:
    """Writes both files as hands come; `with` leaves them whole, or none of them."""

    def __init__(self, folder: Path) -> None:
        """Raises BadInput for a folder that cannot be written."""
        make_folder(folder)
        self._folder = folder
        self._rows: list[dict[str, Any]] = []
        self._parquet: Any = None
        self._lines: IO[str] | None = None

    def __enter__(self) -> "PredictionFiles":
        try:
            self._lines = self._waiting(LINES_NAME).open("w", encoding="utf-8", newline="\n")
            self._parquet = pq.ParquetWriter(
                self._waiting(PARQUET_NAME), SCHEMA, compression="zstd", store_schema=True
            )
        except OSError as error:
            self._abandon()
            raise explain_write_error(self._folder / LINES_NAME, error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            self._flush()
            self._close()
            for name in (PARQUET_NAME, LINES_NAME):
                with self._waiting(name).open("rb+") as file:
                    os.fsync(file.fileno())
                self._waiting(name).replace(self._folder / name)
            sync_folder(self._folder)
        except OSError as failed:
            self._abandon()
            raise explain_write_error(self._folder / PARQUET_NAME, failed) from None

    def add(self, frame: DepthFrame, hands: Sequence[tuple[int, Hand]]) -> None:
        """The hands of a frame with their places. Raises BadInput for a full disk."""
        self._rows += [make_row(frame, place, hand) for place, hand in hands]
        if len(self._rows) >= ROWS:
            try:
                self._flush()
            except OSError as error:
                raise explain_write_error(self._folder / PARQUET_NAME, error) from None

    def _flush(self) -> None:
        assert self._lines is not None
        if self._rows:
            self._parquet.write_table(build_table(self._rows))
            self._lines.writelines(format_line(row) + "\n" for row in self._rows)
        self._rows = []

    def _close(self) -> None:
        if self._lines is not None:
            self._lines.close()
        if self._parquet is not None:
            self._parquet.close()

    def _abandon(self) -> None:
        with contextlib.suppress(OSError):
            self._close()
        for name in (PARQUET_NAME, LINES_NAME):
            self._waiting(name).unlink(missing_ok=True)

    def _waiting(self, name: str) -> Path:
        return self._folder / f".{name}{TEMPORARY_SUFFIX}"


def read_predictions(path: Path) -> list[dict[str, Any]]:
    """The rows of either file, vectors as arrays of their shapes, NaN where a value is null.

    Raises BadInput for what is none of these files.
    """
    try:
        if path.suffix == ".parquet":
            rows = pq.read_table(path).to_pylist()
        else:
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = (str(error).splitlines() or ["?"])[0]
        raise BadInput(f"{path} cannot be read as predictions: {reason}") from None
    shapes = {c.name: c.shape for c in COLUMNS if c.shape}
    for row in rows:
        for name, shape in shapes.items():
            if row.get(name) is not None:
                row[name] = np.array(row[name], np.float32).reshape(shape)
    return rows


def _plain(value: Any, digits: int) -> Any:
    if isinstance(value, np.ndarray):
        value = value.astype(float).tolist()
    if isinstance(value, list):
        return [_plain(v, digits) for v in value]
    if isinstance(value, float):
        return round(value, digits) if np.isfinite(value) else None
    return value
