"""A table as Hugging Face's `datasets` reads it: images as files, vectors nested in their shapes.

The metadata "huggingface" of the schema says what the columns are, so that PNG files are opened as
images.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from frames.exports.labels import build_labels
from frames.exports.picture import encode_png
from frames.exports.planes import Plane, take_planes
from frames.record import Frame
from frames.store.schema import (
    CAMERA_COLUMNS,
    FRAME_COLUMNS,
    HAND_COLUMNS,
    IMAGE_COLUMNS,
    OBJECT_COLUMNS,
    Column,
)

IMAGE_TYPE: Final = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_STRUCTS: Final = {"camera": CAMERA_COLUMNS, "hands": HAND_COLUMNS, "objects": OBJECT_COLUMNS}
_FRAMES: Final = {c.name: c for c in FRAME_COLUMNS}


def build_table(frames: Sequence[Frame], planes: Sequence[Plane]) -> pa.Table:
    """Frames as rows."""
    labels = build_labels(frames)
    columns: dict[str, pa.Array] = {}
    images = [take_planes(frame, planes) for frame in frames]
    for name in labels.column_names[:1]:
        columns[name] = labels.column(name).combine_chunks()
    for plane in planes:
        files = [None if i[plane] is None else _file(f, plane, i[plane]) for f, i in
                 zip(frames, images, strict=True)]  # fmt: skip
        columns[plane] = pa.array(files, IMAGE_TYPE)
    for name in labels.column_names[1:]:
        array = labels.column(name).combine_chunks()
        array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
        columns[name] = _nest_column(name, array)
    schema = pa.schema(
        [(name, array.type) for name, array in columns.items()],
        metadata={"huggingface": json.dumps({"info": {"features": list_features(planes)}})},
    )
    return pa.Table.from_arrays(list(columns.values()), schema=schema)


def _file(frame: Frame, plane: str, image: Any) -> dict[str, Any]:
    return {"bytes": encode_png(image), "path": f"{frame.frame_id:09d}.{plane}.png"}


def _nest_column(name: str, array: pa.Array) -> pa.Array:
    if name in ("hands", "objects"):
        inner = _nest_struct(array.flatten(), _STRUCTS[name])
        offsets = array.offsets
        if len(array):
            offsets = pa.array(offsets.to_numpy() - offsets[0].as_py(), pa.int32())
        return pa.ListArray.from_arrays(offsets, inner)
    if name == "camera":
        return _nest_struct(array, CAMERA_COLUMNS)
    return nest(_FRAMES[name], array)


def _nest_struct(array: pa.StructArray, columns: Sequence[Column]) -> pa.StructArray:
    arrays = [nest(c, a) for c, a in zip(columns, array.flatten(), strict=True)]
    return pa.StructArray.from_arrays(arrays, names=[c.name for c in columns])


def nest(column: Column, array: pa.Array) -> pa.Array:
    """A column of fixed-size vectors as lists of lists in its shape; others as they are."""
    if column.shape is None:
        return array
    if column.shape == ():
        return array.cast(pa.list_(column.type))
    mask = array.is_null() if array.null_count else None
    size = array.type.list_size
    inner = array.values.slice(array.offset * size, len(array) * size)
    for length in reversed(column.shape[1:]):
        inner = pa.FixedSizeListArray.from_arrays(inner, length)
    return pa.FixedSizeListArray.from_arrays(inner, column.shape[0], mask=mask)


def list_features(planes: Sequence[Plane]) -> dict[str, Any]:
    """What every column is, as `datasets.Features.to_dict` has it."""
    labels: dict[str, Any] = {}
    for name in build_labels([]).column_names:
        if name in ("hands", "objects"):
            labels[name] = {"feature": _describe_struct(_STRUCTS[name]), "_type": "List"}
        elif name == "camera":
            labels[name] = _describe_struct(CAMERA_COLUMNS)
        elif name not in IMAGE_COLUMNS:
            labels[name] = _describe(_FRAMES[name])
    first, *rest = labels.items()
    return dict([first, *((p, {"_type": "Image"}) for p in planes), *rest])


def _describe_struct(columns: Sequence[Column]) -> dict[str, Any]:
    return {c.name: _describe(c) for c in columns}


def _describe(column: Column) -> dict[str, Any]:
    name = {"double": "float64", "float": "float32"}.get(str(column.type), str(column.type))
    out: dict[str, Any] = {"dtype": name, "_type": "Value"}
    if column.shape == ():
        return {"feature": out, "_type": "List"}
    for length in reversed(column.shape or ()):
        out = {"feature": out, "length": length, "_type": "List"}
    return out
