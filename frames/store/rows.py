"""Arrow rows as numpy arrays and frames: the reader's side of `frames.store.schema`.

Arrays are views of Arrow's memory wherever nothing is null: read-only, and cheap. Images are
decoded when asked for.
"""

from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from frames.camera import Camera
from frames.errors import BadInput
from frames.record import Frame, Hand, SceneObject
from frames.store.codec import decode_depth, decode_parts
from frames.store.schema import (
    CAMERA_COLUMNS,
    CAPTURE_COLUMNS,
    DEPTH_COLUMNS,
    FRAME_COLUMNS,
    HAND_COLUMNS,
    IMAGE_COLUMNS,
    OBJECT_COLUMNS,
    Column,
)

Optional = tuple[NDArray[Any] | list[Any], NDArray[np.bool_] | None]
"""Values, and which of them are there (None = all)."""

Entries = tuple[str, NDArray[Any] | list[Any] | None, NDArray[np.bool_] | None]
"""A column's name, its values (None = all absent), and which are there (None = all)."""

Blobs = tuple[pa.Buffer, list[int], list[bool] | None]
"""The bytes of a binary column, where each value begins, and which are there (None = all)."""

_CAPTURED: Final = {c.name: c for c in CAPTURE_COLUMNS}
_FRAMES: Final = {c.name: c for c in FRAME_COLUMNS} | _CAPTURED
_LISTED: Final = {
    "hands": {c.name: c for c in HAND_COLUMNS},
    "objects": {c.name: c for c in OBJECT_COLUMNS},
}


class Rows:
    """The rows of one table, columns converted once and on demand."""

    def __init__(self, table: pa.Table) -> None:
        """table: rows of `SCHEMA` or of some of its columns; `camera` is needed for images."""
        self._table = table.combine_chunks()
        self._columns: dict[str, Optional] = {}
        self._structs: dict[str, dict[str, pa.Array]] = {}
        self._blobs: dict[str, Blobs] = {}
        self._cameras: list[Camera] | None = None
        self.names = frozenset(table.column_names)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @property
    def nbytes(self) -> int:
        """Memory of the Arrow columns."""
        return int(self._table.nbytes)

    def read(self, name: str) -> Optional:
        """A frame column by name, or a hands' or objects' one as "hands.side", all rows flat."""
        if name not in self._columns:
            self._columns[name] = convert(*self._find(name))
        return self._columns[name]

    def offsets(self, group: str) -> NDArray[np.int64]:
        """(B + 1,) where each row's hands or objects begin in the flat columns."""
        key = group + ":offsets"
        if key not in self._columns:
            array = self._array(group)
            offsets = array.offsets.to_numpy().astype(np.int64)
            self._columns[key] = (offsets - offsets[0], None)
        return np.asarray(self._columns[key][0])

    @property
    def cameras(self) -> list[Camera]:
        """One Camera a row; equal ones are one object."""
        if self._cameras is None:
            self._cameras = _read_cameras(self._array("camera"))
        return self._cameras

    def blob(self, name: str, row: int) -> pa.Buffer | None:
        """The bytes of an image as stored, without a copy."""
        if name not in self._blobs:
            self._blobs[name] = _find_blobs(self._array(name))
        data, offsets, valid = self._blobs[name]
        if valid is not None and not valid[row]:
            return None
        return data.slice(offsets[row], offsets[row + 1] - offsets[row])

    def image(self, name: str, row: int, out: NDArray[Any] | None = None) -> NDArray[Any] | None:
        """An image decoded, or None. Raises BadInput, naming frame and column, if it is broken."""
        blob = self.blob(name, row)
        if blob is None:
            return None
        camera = self.cameras[row]
        decode: Any = decode_depth if name in DEPTH_COLUMNS else decode_parts
        try:
            return np.asarray(decode(blob, camera.height, camera.width, out))
        except BadInput as error:
            frame = int(self.read("frame_id")[0][row]) if "frame_id" in self.names else row
            raise BadInput(f"{name} of frame {frame}: {error}") from None

    def frame(self, row: int) -> Frame:
        """One row as a Frame; columns that were not read are None, hands and objects ()."""
        images: dict[str, Any] = {
            n: self.image(n, row) if n in self.names else None for n in IMAGE_COLUMNS
        }
        hands, objects = self._span("hands", row), self._span("objects", row)
        return Frame(
            camera=self.cameras[row],
            **images,
            **_pick(self._frame_columns, row),
            hands=tuple(Hand(**_pick(self._hand_columns, k)) for k in hands),
            objects=tuple(SceneObject(**_pick(self._object_columns, k)) for k in objects),
        )

    @cached_property
    def _frame_columns(self) -> list[Entries]:
        return [self._entries(n, c) for n, c in _FRAMES.items() if n not in IMAGE_COLUMNS]

    @cached_property
    def _hand_columns(self) -> list[Entries]:
        return [self._entries(f"hands.{c.name}", c) for c in HAND_COLUMNS]

    @cached_property
    def _object_columns(self) -> list[Entries]:
        return [self._entries(f"objects.{c.name}", c) for c in OBJECT_COLUMNS]

    def _entries(self, name: str, column: Column) -> Entries:
        if "." not in name and name not in self.names:
            return column.name, None, None
        array = self._find(name)[1]
        if array.null_count == len(array):
            return column.name, None, None
        values, valid = self.read(name)
        if isinstance(values, list) or column.shape is not None:
            return column.name, values, valid
        # Python's own numbers, for all rows at once.
        return column.name, values.tolist(), valid

    def _find(self, name: str) -> tuple[Column, pa.Array]:
        group, _, leaf = name.rpartition(".")
        if group:
            return _LISTED[group][leaf], self._leaves(group)[leaf]
        return _FRAMES[name], self._array(name)

    def _span(self, group: str, row: int) -> range:
        if group not in self.names:
            return range(0)
        offsets = self.offsets(group)
        return range(int(offsets[row]), int(offsets[row + 1]))

    def _leaves(self, group: str) -> dict[str, pa.Array]:
        """The columns of all hands or objects, flat."""
        if group not in self._structs:
            struct = self._array(group).flatten()
            names = (field.name for field in struct.type)
            self._structs[group] = dict(zip(names, struct.flatten(), strict=True))
        return self._structs[group]

    def _array(self, name: str) -> pa.Array:
        if name in _CAPTURED and name not in self.names:
            return pa.nulls(len(self), _CAPTURED[name].type)
        column = self._table.column(name)
        if column.num_chunks == 1:
            return column.chunk(0)
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def convert(column: Column, array: pa.Array) -> Optional:
    """An Arrow array as numpy values in the column's full shape, and its validity.

    Null numbers and vectors read NaN, null integers -1; lists of any length become (n, longest),
    short ones filled up with NaN. Text becomes a list of str or None.
    """
    if array.null_count == len(array) > 0:
        return _fill(column, len(array)), np.broadcast_to(False, len(array))
    valid = None if array.null_count == 0 else array.is_valid().to_numpy(zero_copy_only=False)
    if column.shape is None:
        if pa.types.is_string(array.type) or pa.types.is_binary(array.type):
            return array.to_pylist(), valid
        if valid is not None and not pa.types.is_floating(array.type):
            array = array.fill_null(-1)
        return array.to_numpy(zero_copy_only=False), valid
    dtype = column.type.to_pandas_dtype()
    fill = np.nan if np.issubdtype(dtype, np.floating) else 0
    if column.shape:
        items = array.flatten().to_numpy(zero_copy_only=False)
        if valid is None:
            return items.reshape(-1, *column.shape), None
        out = np.full((len(array), *column.shape), fill, dtype)
        out[valid] = items.reshape(-1, *column.shape)
        return out, valid
    offsets = array.offsets.to_numpy()
    lengths = np.diff(offsets)
    longest = int(lengths.max(initial=0))
    items = array.flatten().to_numpy(zero_copy_only=False)
    if lengths.size and (lengths == longest).all() and valid is None:
        return items.reshape(len(lengths), longest), None
    out = np.full((len(array), longest), fill, dtype)
    there = lengths if valid is None else np.where(valid, lengths, 0)
    out[np.arange(longest) < there[:, None]] = items
    return out, valid


def _fill(column: Column, count: int) -> NDArray[Any] | list[Any]:
    """What `count` nulls read as."""
    if not column.shape and (pa.types.is_string(column.type) or pa.types.is_binary(column.type)):
        return [None] * count
    floating = pa.types.is_floating(column.type)
    shape = (count, *((0,) if column.shape == () else column.shape or ()))
    value = np.array(np.nan if floating else -1, column.type.to_pandas_dtype())
    return np.broadcast_to(value, shape)


def _pick(columns: list[Entries], k: int) -> dict[str, Any]:
    return {
        name: None if values is None or not (valid is None or valid[k]) else values[k]
        for name, values, valid in columns
    }


def _read_cameras(array: pa.StructArray) -> list[Camera]:
    if len(array) == 0:
        return []
    values = {c.name: array.field(c.name).to_pylist() for c in CAMERA_COLUMNS}
    values["distortion"] = [tuple(d) for d in values["distortion"]]
    known: dict[tuple[Any, ...], Camera] = {}
    out = []
    for row in zip(*values.values(), strict=True):
        if row not in known:
            known[row] = Camera(**dict(zip(values, row, strict=True)))
        out.append(known[row])
    return out


def _find_blobs(array: pa.BinaryArray) -> Blobs:
    _, offsets, data = array.buffers()
    if offsets is None:
        return pa.py_buffer(b""), [0], None
    ends = np.frombuffer(offsets, np.int32)[array.offset :][: len(array) + 1].tolist()
    valid = array.is_valid().to_pylist() if array.null_count else None
    return data if data is not None else pa.py_buffer(b""), ends, valid
