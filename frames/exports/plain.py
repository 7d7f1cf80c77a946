"""Frames as plain JSON values, every number of a float32 exact."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from frames.record import Frame
from frames.store.schema import FRAME_COLUMNS, HAND_COLUMNS, IMAGE_COLUMNS, OBJECT_COLUMNS, Column


def dump_json(value: Any) -> str:
    """JSON in one line without spaces; the same value gives the same text. NaN is refused."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def list_floats(values: ArrayLike) -> list[float | None]:
    """Any array of float32, flat, in decimals that give it back to the bit; None where it is not
    finite."""
    # Nine digits name every float32; Python's own would be seventeen.
    flat = np.asarray(values, np.float32).ravel().tolist()
    return [float(f"{x:.9g}") if math.isfinite(x) else None for x in flat]


def plain_frame(frame: Frame) -> dict[str, Any]:
    """All that is known of a frame but its images: the columns of docs/dataset.md by their names,
    vectors nested in their shapes. What is absent is left out; NaN is null.
    """
    out: dict[str, Any] = {"camera": frame.camera.to_dict()}
    names = [c for c in FRAME_COLUMNS if c.name not in IMAGE_COLUMNS]
    out |= _plain(frame, names)
    if frame.origin is not None:
        out["origin"] = frame.origin
    out["hands"] = [_plain(hand, HAND_COLUMNS) for hand in frame.hands]
    out["objects"] = [_plain(thing, OBJECT_COLUMNS) for thing in frame.objects]
    return out


def _plain(record: Any, columns: Sequence[Column]) -> dict[str, Any]:
    values = ((c, getattr(record, c.name)) for c in columns)
    return {c.name: plain_value(c, v) for c, v in values if v is not None}


def plain_value(column: Column, value: Any) -> Any:
    """A column's value as JSON has it."""
    if column.shape is not None:
        array = np.asarray(value)
        if array.dtype.kind != "f":
            return array.tolist()
        return _nest(list_floats(array), array.shape)
    kind = column.type.to_pandas_dtype()
    if kind is np.float32:
        return list_floats(value)[0]
    if kind is np.float64:
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _nest(flat: list[Any], shape: tuple[int, ...]) -> list[Any]:
    if len(shape) < 2:
        return flat
    step = int(np.prod(shape[1:]))
    return [_nest(flat[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]
