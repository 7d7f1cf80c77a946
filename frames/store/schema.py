"""The Arrow schema of a shard, and tables from batches of numpy columns (docs/dataset.md).

One row is one frame. Small vectors are fixed-size lists in row-major order, their shape kept in the
field's metadata; images are blobs of `frames.store.codec`; hands and objects are lists of structs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from frames.camera import Camera
from frames.errors import BadInput

SCHEMA_VERSION: Final = 3
"""Raised with every change that an older reader would misread."""

READABLE_VERSIONS: Final = (2, 3)
"""What this reader reads. Version 2 has the same columns; its depth blobs hold all planes."""

VERSION_KEY: Final = b"handloom.schema_version"
IMAGE_COLUMNS: Final = ("depth", "clean_depth", "parts", "invalid")
DEPTH_COLUMNS: Final = ("depth", "clean_depth")


@dataclass(frozen=True)
class Column:
    """One typed column, of a frame, a hand or an object."""

    name: str
    type: pa.DataType
    """Arrow type of one value, or of one element of `shape`."""

    shape: tuple[int, ...] | None = None
    """None for a scalar, () for a list of any length, else the shape of a fixed-size vector."""

    optional: bool = False
    meaning: str = ""

    def build_field(self) -> pa.Field:
        """The Arrow field."""
        item = pa.field("item", self.type, nullable=False)
        kind = self.type
        metadata = None
        if self.shape == ():
            kind = pa.list_(item)
        elif self.shape is not None:
            kind = pa.list_(item, int(np.prod(self.shape)))
            metadata = {"shape": ",".join(str(n) for n in self.shape)}
        return pa.field(self.name, kind, nullable=self.optional, metadata=metadata)


_F32, _U8, _I64, _TEXT = pa.float32(), pa.uint8(), pa.int64(), pa.string()

CAMERA_COLUMNS: Final = (
    Column("model", _TEXT, meaning="pinhole, brown-conrady or kannala-brandt"),
    Column("width", pa.int32(), meaning="pixels"),
    Column("height", pa.int32(), meaning="pixels"),
    Column("fx", pa.float64(), meaning="pixels"),
    Column("fy", pa.float64(), meaning="pixels"),
    Column("cx", pa.float64(), meaning="pixels; the first pixel's centre is 0"),
    Column("cy", pa.float64(), meaning="pixels"),
    Column("distortion", pa.float64(), (), meaning="coefficients, OpenCV's order"),
    Column("max_theta_rad", pa.float64(), optional=True, meaning="half angle of the field of view"),
)

HAND_COLUMNS: Final = (
    Column("side", _TEXT, meaning="left or right, the person's own"),
    Column("wearer", pa.bool_(), meaning="belongs to the person who wears the camera"),
    Column("part_base", _U8, meaning="its codes in `parts` are this + 1 .. this + 17"),
    Column("keypoints_px", _F32, (21, 2), meaning="projections; NaN where there is none"),
    Column("keypoints_cam_m", _F32, (21, 3), meaning="camera axes, metres"),
    Column("surface_depth_m", _F32, (21,), meaning="the image at the nearest pixel; NaN for none"),
    Column("visibility", _U8, (21,), meaning="0 outside, 1 occluded, 2 visible"),
    Column("occlusion", _U8, (21,), meaning="cause, see docs/conventions.md"),
    Column("visible_fraction", _F32, meaning="share of its pixels not covered; NaN for none"),
    Column("box_px", _F32, (4,), meaning="x0, y0, x1, y1 of its visible pixels; NaN for none"),
    Column("box_amodal_px", _F32, (4,), meaning="the same of all its pixels, covered or not"),
    Column("key_pose", _TEXT, optional=True, meaning="name of its key pose"),
    Column("joint_angles_rad", _F32, (), True, "anatomical joint angles"),
    Column("shape", _F32, (), True, "coefficients of the shape space"),
    Column("identity", pa.int32(), optional=True, meaning="whose hand"),
    Column("T_camera_from_wrist", _F32, (4, 4), True, "pose of the wrist"),
    Column("provenance", _U8, (21,), meaning="0 exact, 1 human, 2 model, 3 lifted, 255 none"),
    Column("keypoints_velocity_m_s", _F32, (21, 3), True, "camera axes, as the camera sees them"),
    Column("grasp", _TEXT, optional=True, meaning="name of its grasp class"),
    Column("held", pa.int8(), optional=True, meaning="place in `objects` of what it holds"),
    Column("contact_gap_m", _F32, (17,), True, "parts 1 .. 17 to what it touches; NaN beyond 1 cm"),
    Column("worn", _TEXT, optional=True, meaning="sleeve, watch, ring, glove, joined by commas"),
)

OBJECT_COLUMNS: Final = (
    Column("kind", _TEXT, meaning="what it is"),
    Column("part_code", _U8, meaning="its code in `parts`, from 224"),
    Column("T_camera_from_object", _F32, (4, 4), meaning="its pose"),
    Column("size_m", _F32, (3,), meaning="extents along its own axes"),
    Column("name", _TEXT, optional=True, meaning="which one it is"),
    Column("velocity", _F32, (6,), True, "m/s and rad/s, camera axes, as the camera sees it"),
)

FRAME_COLUMNS: Final = (
    Column("frame_id", _I64, meaning="index in the dataset, from 0"),
    Column("source", _TEXT, meaning="synthetic or real"),
    Column("T_world_from_camera", _F32, (4, 4), True, "pose of the camera"),
    Column("depth_scale", pa.float64(), meaning="steps per metre of both depth images"),
    Column("depth", pa.binary(), optional=True, meaning="image blob, uint16: as a sensor read it"),
    Column("clean_depth", pa.binary(), optional=True, meaning="image blob, uint16: without error"),
    Column("parts", pa.binary(), optional=True, meaning="image blob, uint8: part codes"),
    Column("invalid", pa.binary(), optional=True, meaning="image blob, uint8: why no reading"),
    Column("sensor", _TEXT, optional=True, meaning="name of the sensor profile"),
    Column("sensor_seed", _I64, optional=True, meaning="its seed"),
    Column("situation", _TEXT, optional=True, meaning="what the hands do: free, grasp, touch ..."),
    Column("split", _TEXT, optional=True, meaning="train, val, test ..., as in dataset.json"),
    Column("background", _TEXT, optional=True, meaning="name of the surroundings"),
    Column("sequence_id", _I64, optional=True, meaning="index of its sequence, from 0"),
    Column("time_s", pa.float64(), optional=True, meaning="since the sequence began"),
    Column("camera_velocity", _F32, (6,), True, "m/s and rad/s of the camera, in its own axes"),
)

CAPTURE_COLUMNS: Final = (
    Column("color", pa.binary(), optional=True, meaning="picture file, JPEG or PNG"),
    Column("infrared", pa.binary(), optional=True, meaning="picture file, PNG of 8 or 16 bits"),
    Column("origin", _TEXT, optional=True, meaning="which file or message of the recording"),
)
"""What real captures have beyond all other datasets: last columns of their shards, all or none."""


def _build_struct(columns: Sequence[Column]) -> pa.DataType:
    return pa.struct([c.build_field() for c in columns])


def _build_list(columns: Sequence[Column]) -> pa.DataType:
    return pa.list_(pa.field("item", _build_struct(columns), nullable=False))


SCHEMA: Final = pa.schema(
    [
        *(c.build_field() for c in FRAME_COLUMNS[:2]),
        pa.field("camera", _build_struct(CAMERA_COLUMNS), nullable=False),
        *(c.build_field() for c in FRAME_COLUMNS[2:]),
        pa.field("hands", _build_list(HAND_COLUMNS), nullable=False),
        pa.field("objects", _build_list(OBJECT_COLUMNS), nullable=False),
    ],
    metadata={VERSION_KEY: str(SCHEMA_VERSION).encode()},
)
"""The schema of every shard but those of captures."""

CAPTURE_SCHEMA: Final = pa.schema(
    [*SCHEMA, *(c.build_field() for c in CAPTURE_COLUMNS)], metadata=SCHEMA.metadata
)
"""The schema of captures' shards: the same version, for who reads `SCHEMA` alone misses nothing of
what it means."""

SCHEMAS: Final = (SCHEMA, CAPTURE_SCHEMA)


def find_schema(schema: pa.Schema) -> pa.Schema | None:
    """The one of `SCHEMAS` that this one equals; None if it is neither."""
    return next((known for known in SCHEMAS if schema.equals(known)), None)


def name_readable() -> str:
    """READABLE_VERSIONS in words."""
    return " and ".join(str(version) for version in READABLE_VERSIONS)


def table_from_columns(
    frames: Mapping[str, Any],
    hand_counts: Sequence[int] | np.ndarray,
    hands: Mapping[str, Any],
    object_counts: Sequence[int] | np.ndarray,
    objects: Mapping[str, Any],
) -> pa.Table:
    """A table of B frames from whole columns; nothing runs once a row but the blobs' lists.

    frames: the names of `FRAME_COLUMNS` to arrays with a leading axis B (vectors in their full
    shape) or lists of B (blobs, text), and "camera" to one Camera for all or a list of B. hands,
    objects: the same with leading axes sum(hand_counts) and sum(object_counts), frame after frame.
    An optional column may be None or left out (null throughout); within a list, None is null, and
    in a numpy masked array (the fast way) every value or vector that is masked whole. With any of
    `CAPTURE_COLUMNS` in frames, the table has all of them.
    Raises BadInput for a column that is missing, unknown, or of a wrong length or shape.
    """
    count = len(frames["frame_id"]) if frames.get("frame_id") is not None else 0
    given = {k: v for k, v in frames.items() if k != "camera"}
    captured = any(c.name in given for c in CAPTURE_COLUMNS)
    plain = (*FRAME_COLUMNS, *CAPTURE_COLUMNS) if captured else FRAME_COLUMNS
    schema = CAPTURE_SCHEMA if captured else SCHEMA
    arrays = build_arrays(plain, given, count)
    columns = {c.name: a for c, a in zip(plain, arrays, strict=True)}
    columns["camera"] = _build_cameras(frames.get("camera"), count)
    columns["hands"] = _build_lists("hands", HAND_COLUMNS, hands, hand_counts, count)
    columns["objects"] = _build_lists("objects", OBJECT_COLUMNS, objects, object_counts, count)
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def _build_lists(
    name: str, columns: Sequence[Column], values: Mapping[str, Any], counts: Any, frames: int
) -> pa.Array:
    counts = np.asarray(counts, np.int64)
    if counts.shape != (frames,):
        raise BadInput(f"{name} must have a count for each of {frames} frames, got {counts.shape}")
    offsets = np.zeros(frames + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    arrays = build_arrays(columns, values, int(offsets[-1]), name + ".")
    struct = pa.StructArray.from_arrays(arrays, fields=[c.build_field() for c in columns])
    return pa.ListArray.from_arrays(pa.array(offsets), struct, type=SCHEMA.field(name).type)


def _build_cameras(cameras: Any, count: int) -> pa.Array:
    if cameras is None:
        raise BadInput("the column camera is missing")
    listed = [cameras] * count if isinstance(cameras, Camera) else list(cameras)
    values = {c.name: [getattr(camera, c.name) for camera in listed] for c in CAMERA_COLUMNS}
    arrays = build_arrays(CAMERA_COLUMNS, values, count, "camera.")
    return pa.StructArray.from_arrays(arrays, fields=[c.build_field() for c in CAMERA_COLUMNS])


def build_arrays(
    columns: Sequence[Column], values: Mapping[str, Any], count: int, prefix: str = ""
) -> list[pa.Array]:
    """Arrow arrays of columns from arrays or lists of `count`: see `table_from_columns`."""
    unknown = sorted(set(values) - {c.name for c in columns})
    if unknown:
        raise BadInput(f"unknown column {prefix}{unknown[0]}")
    return [_build_array(c, values.get(c.name), count, prefix) for c in columns]


def _join_blobs(values: Sequence[bytes]) -> pa.Array:
    """A binary array of blobs that are all there: one copy, where pa.array grows step by step."""
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum([len(v) for v in values], out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(pa.binary(), len(values), buffers)


def _build_array(column: Column, values: Any, count: int, prefix: str) -> pa.Array:
    name = prefix + column.name
    kind = column.build_field().type
    if values is None:
        if not column.optional and count:
            raise BadInput(f"the column {name} is missing")
        return pa.nulls(count, kind)
    if len(values) != count:
        raise BadInput(f"the column {name} must have {count} values, got {len(values)}")
    if pa.types.is_binary(kind) and all(isinstance(v, bytes) for v in values):
        return _join_blobs(values)
    if not isinstance(values, np.ndarray) or values.dtype == object:
        # Text, blobs, and columns with some values absent.
        flat = [v.ravel() if isinstance(v, np.ndarray) else v for v in values]
        try:
            array = pa.array(flat, kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            reason = str(error).splitlines()[0]
            raise BadInput(f"the column {name} does not fit {kind}: {reason}") from None
        if array.null_count and not column.optional:
            raise BadInput(f"the column {name} has {array.null_count} values missing")
        return array
    if column.shape is None:
        if values.ndim != 1:
            raise BadInput(f"the column {name} must have the shape ({count},), got {values.shape}")
        return pa.array(np.ma.getdata(values), kind, mask=_find_absent(column, values, name))
    wanted = (count, *(column.shape or values.shape[1:2]))
    if values.shape != wanted:
        raise BadInput(f"the column {name} must have the shape {wanted}, got {values.shape}")
    given = np.ascontiguousarray(np.ma.getdata(values), column.type.to_pandas_dtype())
    items = pa.array(given.reshape(-1), column.type)
    absent = _find_absent(column, values, name)
    mask = None if absent is None else pa.array(absent)
    if column.shape:
        return pa.FixedSizeListArray.from_arrays(items, type=kind, mask=mask)
    offsets = np.arange(count + 1, dtype=np.int32) * wanted[1]
    return pa.ListArray.from_arrays(pa.array(offsets), items, type=kind, mask=mask)


def _find_absent(column: Column, values: np.ndarray, name: str) -> np.ndarray | None:
    """(count,) which values or vectors are masked whole; None for none."""
    if not isinstance(values, np.ma.MaskedArray):
        return None
    absent = np.ma.getmaskarray(values).reshape(len(values), -1).all(1)
    if absent.any() and not column.optional:
        raise BadInput(f"the column {name} has {absent.sum()} values missing")
    return np.asarray(absent) if absent.any() else None
