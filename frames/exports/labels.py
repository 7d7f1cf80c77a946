"""Frames' labels as a table of `frames.store.schema`, without images."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa

from frames.record import Frame
from frames.store.frame_table import build_frame_table
from frames.store.schema import CAPTURE_COLUMNS, IMAGE_COLUMNS

_LEFT_OUT: Final = (*IMAGE_COLUMNS, *(c.name for c in CAPTURE_COLUMNS))


def build_labels(frames: Sequence[Frame]) -> pa.Table:
    """A row a frame: every column of docs/dataset.md but images and what captures have beyond."""
    nothing: dict[str, Any] = dict.fromkeys(_LEFT_OUT)
    bare = [replace(f, **nothing) for f in frames]
    return build_frame_table(bare).drop_columns(list(IMAGE_COLUMNS))
