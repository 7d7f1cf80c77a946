"""Frames back to a table: the way in for whatever changes frames one by one."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from frames.record import Frame
from frames.store.codec import encode_depth, encode_parts, encode_reading, encode_reasons
from frames.store.schema import (
    CAPTURE_COLUMNS,
    FRAME_COLUMNS,
    HAND_COLUMNS,
    IMAGE_COLUMNS,
    OBJECT_COLUMNS,
    Column,
    table_from_columns,
)

_ENCODERS: Final[dict[str, Any]] = {
    "depth": encode_reading,
    "clean_depth": encode_depth,
    "parts": encode_parts,
    "invalid": encode_reasons,
}


def build_frame_table(frames: Sequence[Frame]) -> pa.Table:
    """The table of these frames, as a shard has them; the reverse of `Rows.frame`."""
    columns: dict[str, Any] = {"camera": [f.camera for f in frames]}
    for column in FRAME_COLUMNS:
        columns[column.name] = _gather(column, frames)
    if any(f.origin is not None for f in frames):
        columns |= {c.name: _gather(c, frames) for c in CAPTURE_COLUMNS}
    hands = [hand for f in frames for hand in f.hands]
    things = [thing for f in frames for thing in f.objects]
    return table_from_columns(
        columns,
        [len(f.hands) for f in frames],
        {c.name: _gather(c, hands) for c in HAND_COLUMNS},
        [len(f.objects) for f in frames],
        {c.name: _gather(c, things) for c in OBJECT_COLUMNS},
    )


def _gather(column: Column, records: Sequence[Any]) -> Any:
    """One column of all records, as `table_from_columns` takes it."""
    values = [getattr(record, column.name) for record in records]
    if column.name in IMAGE_COLUMNS:
        encode: Any = _ENCODERS[column.name]
        return [None if v is None else encode(np.ascontiguousarray(v)) for v in values]
    if column.optional and all(v is None for v in values):
        return None
    if column.shape and not any(v is None for v in values):
        return np.array(values, column.type.to_pandas_dtype()).reshape(-1, *column.shape)
    if column.shape:  # numpy's floats of another width would not fit
        kind = column.type.to_pandas_dtype()
        return [None if v is None else np.asarray(v, kind) for v in values]
    return values
