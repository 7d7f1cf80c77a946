"""Arrow rows as numpy arrays and frames: the reader's side of `frames.schema`.

Arrays are views of Arrow's memory wherever nothing is null: read-only, and cheap. Images are
decoded when asked for.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from frames.camera import Camera
from frames.codec import decode_depth, decode_parts
from frames.errors import BadInput
from frames.record import Frame, Hand, SceneObject
from frames.schema import (
    CAMERA_COLUMNS,
    DEPTH_COLUMNS,
    FRAME_COLUMNS,
    HAND_COLUMNS,
    IMAGE_COLUMNS,
    OBJECT_COLUMNS,
    Column,
)

Optional = tuple[NDArray[Any] | list[Any], NDArray[np.bool_] | None]
"""Values, and which of them are there (None = all)."""

_FRAMES: Final = {c.name: c for c in FRAME_COLUMNS}
_LISTED: Final = {"hands": HAND_COLUMNS, "objects": OBJECT_COLUMNS}


class Rows:
    """The rows of one table, columns converted once and on demand."""

    def __init__(self, table: pa.Table) -> None:
        """table: rows of `SCHEMA` or of some of its columns; `camera` is needed for images."""
        self._table = table.combine_chunks()
        self._columns: dict[str, Optional] = {}
        self._blobs: dict[str, list[pa.Buffer | None]] = {}
        self._cameras: list[Camera] | None = None
        self.names = frozenset(table.column_names)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def read(self, name: str) -> Optional:
        """A frame column by name, or a hands' or objects' one as "hands.side", all rows flat."""
        if name not in self._columns:
            group, _, leaf = name.rpartition(".")
            if group:
                column = next(c for c in _LISTED[group] if c.name == leaf)
                array = _flatten(self._array(group)).field(leaf)
            else:
                column, array = _FRAMES[name], self._array(name)
            self._columns[name] = convert(column, array)
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
            self._blobs[name] = _slice_blobs(self._array(name))
        return self._blobs[name][row]

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
        optional = {n: self._pick(n, row) for n in ("sensor", "sensor_seed", "T_world_from_camera")}
        images = {n: self.image(n, row) if n in self.names else None for n in IMAGE_COLUMNS}
        seed = optional["sensor_seed"]
        return Frame(
            frame_id=int(self.read("frame_id")[0][row]),
            source=self.read("source")[0][row],
            camera=self.cameras[row],
            T_world_from_camera=optional["T_world_from_camera"],
            depth_scale=float(self.read("depth_scale")[0][row]),
            **images,
            sensor=optional["sensor"],
            sensor_seed=None if seed is None else int(seed),
            hands=tuple(self._hand(k) for k in self._span("hands", row)),
            objects=tuple(self._object(k) for k in self._span("objects", row)),
        )

    @cached_property
    def _hand_columns(self) -> list[tuple[str, Optional]]:
        return [(c.name, self.read(f"hands.{c.name}")) for c in HAND_COLUMNS]

    @cached_property
    def _object_columns(self) -> list[tuple[str, Optional]]:
        return [(c.name, self.read(f"objects.{c.name}")) for c in OBJECT_COLUMNS]

    def _hand(self, k: int) -> Hand:
        values = {name: _pick(column, k) for name, column in self._hand_columns}
        values["wearer"] = bool(values["wearer"])
        values["part_base"] = int(values["part_base"])
        values["visible_fraction"] = float(values["visible_fraction"])
        if values["identity"] is not None:
            values["identity"] = int(values["identity"])
        return Hand(**values)

    def _object(self, k: int) -> SceneObject:
        values = {name: _pick(column, k) for name, column in self._object_columns}
        values["part_code"] = int(values["part_code"])
        return SceneObject(**values)

    def _span(self, group: str, row: int) -> range:
        if group not in self.names:
            return range(0)
        offsets = self.offsets(group)
        return range(int(offsets[row]), int(offsets[row + 1]))

    def _pick(self, name: str, row: int) -> Any:
        return _pick(self.read(name), row) if name in self.names else None

    def _array(self, name: str) -> pa.Array:
        column = self._table.column(name)
        if column.num_chunks == 1:
            return column.chunk(0)
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def convert(column: Column, array: pa.Array) -> Optional:
    """An Arrow array as numpy values in the column's full shape, and its validity.

    Null vectors read NaN (or 0 for integers); lists of any length become (n, longest), short ones
    filled up with NaN. Text becomes a list of str or None.
    """
    valid = None if array.null_count == 0 else array.is_valid().to_numpy(zero_copy_only=False)
    if column.shape is None:
        if pa.types.is_string(array.type) or pa.types.is_binary(array.type):
            return array.to_pylist(), valid
        if valid is not None and not pa.types.is_floating(array.type):
            array = array.fill_null(0)
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
        return items.reshape(-1, longest), None
    out = np.full((len(array), longest), fill, dtype)
    there = lengths if valid is None else np.where(valid, lengths, 0)
    out[np.arange(longest) < there[:, None]] = items
    return out, valid


def _pick(column: Optional, k: int) -> Any:
    values, valid = column
    return values[k] if valid is None or valid[k] else None


def _flatten(array: pa.Array) -> pa.StructArray:
    return array.flatten()


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


def _slice_blobs(array: pa.BinaryArray) -> list[pa.Buffer | None]:
    offsets_buffer, data = array.buffers()[1:]
    if len(array) == 0:
        return []
    offsets = np.frombuffer(offsets_buffer, np.int32)[array.offset :][: len(array) + 1].tolist()
    valid: Sequence[bool] | None = None
    if array.null_count:
        valid = array.is_valid().to_pylist()
    return [
        data.slice(offsets[i], offsets[i + 1] - offsets[i]) if valid is None or valid[i] else None
        for i in range(len(array))
    ]
