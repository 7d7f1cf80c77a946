"""One shard: an immutable Parquet file and its SHA-256, written whole or not at all."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from frames.errors import BadInput
from frames.store.disk import make_folder, write_files
from frames.store.object_store import RangedFile, Sink
from frames.store.place import ObjectPath
from frames.store.schema import READABLE_VERSIONS, SCHEMA, VERSION_KEY, find_schema, name_readable

SHARD_FOLDER: Final = "shards"
SUM_SUFFIX: Final = ".sha256"

ROW_GROUP: Final = 128
"""Frames a row group: the unit of random access (docs/dataset.md has the measurement)."""

_REPEATED: Final = (
    *("source", "sensor", "situation", "split", "background", "depth_scale"),
    *("model", "width", "height", "fx", "fy", "cx", "cy", "max_theta_rad"),
    *("side", "key_pose", "grasp", "worn", "kind", "name"),
)
"""Leaf columns with few different values: stored as indices into a dictionary."""

_LABEL_BYTES: Final = 1 << 20
"""More than the labels of any frame take."""

_VECTOR: Final = ".list.element"
_CHUNK = 1 << 20


def shard_name(index: int) -> str:
    """The file name of a shard: frames-00000.parquet."""
    return f"frames-{index:05d}.parquet"


def shard_path(folder: Path, index: int) -> Path:
    """Where the shard lies in a dataset folder."""
    return folder / SHARD_FOLDER / shard_name(index)


def write_shard(
    folder: Path, index: int, table: pa.Table | Iterable[pa.Table], row_group: int = ROW_GROUP
) -> Path:
    """Write a table of one of `frames.store.schema.SCHEMAS` as a shard of a dataset folder.

    table: the rows, whole or piece by piece as they are made; then no more than a row group and a
    piece of them is in memory. The sidecar, in the format of `sha256sum`, appears first, so that a
    shard never lacks it. The bytes depend on the rows and pyarrow's version alone. Raises BadInput
    for a full disk, a folder that cannot be written or a table of another schema; nothing
    half-written remains.
    """
    path = shard_path(folder, index)
    make_folder(path.parent)
    digest = hashlib.sha256()

    def write(file: Sink) -> None:
        tables = [table] if isinstance(table, pa.Table) else table
        encode_tables(tables, pa.PythonFile(_Tee(file, digest), "w"), row_group)

    def tell(file: Sink) -> None:
        file.write(f"{digest.hexdigest()}  {path.name}\n".encode())

    write_files([(sum_path(path), tell), (path, write)])
    return path


class _Tee(io.RawIOBase):
    """A file whose bytes are digested while they are written."""

    def __init__(self, file: Sink, digest: Any) -> None:
        self._file, self._digest = file, digest

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()


def encode_tables(tables: Iterable[pa.Table], sink: Any, row_group: int = ROW_GROUP) -> None:
    """Write rows as a shard's Parquet file into a stream of Arrow's.

    Vectors zstd; images as they are, for they are zstd blobs already, and scalars too: starting a
    zstd decoder takes longer (8 us a page) than reading a row group's. One chunk a column and row
    group, so that the bytes do not show in which pieces the rows came. Raises BadInput for a table
    of another schema.
    """
    first, tables = _peek(tables)
    schema = SCHEMA if first is None else find_schema(first.schema) or SCHEMA
    paths = _column_paths(schema)
    with pq.ParquetWriter(
        sink,
        schema,  # not a table's: one that was read carries Parquet's notes on its fields
        compression={p: "ZSTD" if p.endswith(_VECTOR) else "NONE" for p in paths},
        use_dictionary=[p for p in paths if p.rsplit(".", 1)[-1] in _REPEATED],
        write_statistics=["frame_id"],
    ) as writer:
        empty = True
        for group in _regroup(tables, schema, row_group):
            writer.write_table(group.combine_chunks())
            empty = False
        if empty:
            writer.write_table(schema.empty_table())


def _peek(tables: Iterable[pa.Table]) -> tuple[pa.Table | None, Iterable[pa.Table]]:
    """The first table, None without any, and all of them."""
    rest = iter(tables)
    first = next(rest, None)
    return first, () if first is None else chain((first,), rest)


def _regroup(tables: Iterable[pa.Table], schema: pa.Schema, size: int) -> Iterator[pa.Table]:
    """The same rows in tables of `size` rows, the last one shorter."""
    waiting = schema.empty_table()
    for table in tables:
        if not table.schema.equals(schema):
            raise BadInput(
                f"a shard's table must have the schema of frames.store.schema, got {table.schema}"
            )
        waiting = pa.concat_tables([waiting, table]) if len(waiting) else table
        while len(waiting) >= size:
            yield waiting.slice(0, size)
            waiting = waiting.slice(size)
    if len(waiting):
        yield waiting


def sum_path(path: Path) -> Path:
    """The sidecar of a shard."""
    return path.with_name(path.name + SUM_SUFFIX)


def check_sum(path: Path) -> None:
    """Compare a shard with its sidecar. Raises BadInput if either is missing or they differ."""
    try:
        words = sum_path(path).read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        raise BadInput(f"{sum_path(path)} is missing: write the shard again") from None
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        raise BadInput(f"{path} is missing: run the same command again") from None
    if words != [digest.hexdigest(), path.name]:
        raise BadInput(f"{path} does not match its SHA-256 sidecar: delete both, write them again")


def open_shard(path: Path) -> pq.ParquetFile:
    """The shard's Parquet file, memory-mapped, its schema checked; row groups are read on demand.
    From an object store: in ranges, those of neighbouring columns in one request.

    Raises BadInput if it is missing, truncated, no Parquet, of another schema version or lacks
    columns.
    """
    missing = f"{path} is missing: run the same command again to write it"
    try:
        if isinstance(path, ObjectPath):
            source = pa.PythonFile(RangedFile(path), "r")
            file = pq.ParquetFile(source, pre_buffer=True)
        elif path.is_file():
            file = pq.ParquetFile(path, memory_map=True)
        else:
            raise BadInput(missing)
        schema = file.schema_arrow
    except BadInput:
        raise
    except FileNotFoundError:
        raise BadInput(missing) from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise BadInput(f"{path} is truncated or no shard: {_first_line(error)}") from None
    version = (schema.metadata or {}).get(VERSION_KEY, b"none").decode(errors="replace")
    if version not in map(str, READABLE_VERSIONS):
        raise BadInput(
            f"{path} has schema version {version}, this handloom reads {name_readable()}: "
            f"use the handloom that wrote it"
        )
    for group in range(file.num_row_groups):
        told = file.metadata.row_group(group)
        # Images are stored as they are, so that only labels are larger in memory than in the file.
        if told.total_byte_size > path.stat().st_size + told.num_rows * _LABEL_BYTES:
            raise BadInput(
                f"{path} says that {told.num_rows} frames take {told.total_byte_size:,} bytes in"
                " memory: it is broken"
            )
    known = find_schema(schema)
    if known is None:
        names = [n for n in SCHEMA.names if n not in schema.names]
        wrong = names or [n for n in SCHEMA.names if not schema.field(n).equals(SCHEMA.field(n))]
        raise BadInput(f"{path} differs from its schema version in {', '.join(wrong) or 'columns'}")
    # Arrow's schemas do not differ in what Parquet calls the elements of a list.
    leaves = [file.schema.column(i).path for i in range(len(file.schema))]
    other = next((a for a, b in zip(leaves, _column_paths(known), strict=True) if a != b), None)
    if other is not None:
        raise BadInput(f"{path} has the column {other}: lists must be stored as list.element")
    return file


def read_row_group(file: pq.ParquetFile, path: Path, group: int, columns: list[str]) -> pa.Table:
    """Some columns (leaf paths or prefixes of them) of a row group. Raises BadInput if broken."""
    try:
        table = file.read_row_group(group, columns=columns, use_threads=False)
        table.validate(full=True)  # text that is no UTF-8 fails only where it is used
        return table
    except BadInput:  # of an object store
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        raise BadInput(f"{path} is broken in row group {group}: {_first_line(error)}") from None


@lru_cache(maxsize=2)
def _column_paths(schema: pa.Schema) -> tuple[str, ...]:
    """Parquet's own names of all leaf columns."""
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    parquet: Any = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema
    return tuple(parquet.column(i).path for i in range(len(parquet)))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
