"""Frames back to a table, and what the label checks say of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from frames.codec import encode_depth, encode_parts
from frames.columns import select_batch_columns
from frames.consistency import check_batch
from frames.dataset import build_batch, split_rows
from frames.record import Frame
from frames.rows import Rows
from frames.schema import (
    DEPTH_COLUMNS,
    FRAME_COLUMNS,
    HAND_COLUMNS,
    IMAGE_COLUMNS,
    OBJECT_COLUMNS,
    Column,
    table_from_columns,
)


def build_frame_table(frames: Sequence[Frame]) -> pa.Table:
    """The table of these frames, as a shard has them."""
    columns: dict[str, Any] = {"camera": [f.camera for f in frames]}
    for column in FRAME_COLUMNS:
        columns[column.name] = _gather(column, frames)
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
    values = [getattr(record, column.name) for record in records]
    if column.name in IMAGE_COLUMNS:
        encode: Any = encode_depth if column.name in DEPTH_COLUMNS else encode_parts
        return [None if v is None else encode(np.ascontiguousarray(v)) for v in values]
    if all(v is None for v in values):
        return None if column.optional else values
    if not column.optional and column.name not in ("side", "kind", "source"):
        return np.array(values)
    return values


def find_faults(frames: Sequence[Frame]) -> list[str]:
    """What `handloom verify` would say of these frames' labels."""
    rows = Rows(build_frame_table(frames))
    names = select_batch_columns(None)
    out = []
    for first, stop in split_rows(rows, list(IMAGE_COLUMNS), 256):
        batch = build_batch(rows, names, first, stop)
        out += [f"{f.rule} ({f.count} times, {f.place})" for f in check_batch(batch)]
    return out
