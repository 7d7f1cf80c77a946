"""Datasets read back: random access, streaming, and whole batches of arrays (docs/dataset.md)."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.record import Frame
from frames.store.columns import list_leaf_paths, select_batch_columns, select_frame_columns
from frames.store.folder import (
    META_NAME,
    count_rows,
    create_dataset,
    find_shards,
    finished_shards,
    read_meta,
    sweep_orphans,
)
from frames.store.lock import lock_shards
from frames.store.place import find_place
from frames.store.rows import Rows
from frames.store.schema import DEPTH_COLUMNS, IMAGE_COLUMNS
from frames.store.shard import open_shard, read_row_group, shard_name, shard_path
from frames.store.splits import find_split

__all__ = [
    "Dataset",
    "create_dataset",
    "finished_shards",
    "lock_shards",
    "open_dataset",
    "sweep_orphans",
]

_OPEN_FILES: Final = 64
CACHE_MB: Final = 64


def open_dataset(
    folder: str | Path,
    columns: Sequence[str] | None = None,
    partial: bool = False,
    cache_mb: int = CACHE_MB,
    split: str | None = None,
) -> "Dataset":
    """Open a dataset for reading: a folder, or s3://BUCKET/PREFIX (docs/scaling.md).

    columns: which columns frames are to have ("clean_depth", "hands", ...); None for all. partial:
    accept a dataset that is still being written and show the shards that are finished. cache_mb:
    how much of the row groups last read through `[i]` stays in memory. split: only the frames of
    this split ("train", ...); None for all. Raises BadInput if the folder is no dataset, of another
    schema version, or lacks shards, and for an unknown split.
    """
    return Dataset(find_place(folder), columns, partial, cache_mb, split)


class Dataset:
    """A dataset folder as a read-only sequence of frames.

    Files are memory-mapped, objects read in ranges; the last few row groups stay decoded, so
    reading in order through `[i]` costs little more than `stream`, and memory stays bounded
    whatever is read. May be pickled to, or forked into, worker processes.
    """

    def __init__(
        self,
        folder: Path,
        columns: Sequence[str] | None,
        partial: bool,
        cache_mb: int,
        split: str | None = None,
    ) -> None:
        """See `open_dataset`."""
        self.folder = folder
        self.meta = read_meta(folder)
        self._columns = select_frame_columns(columns)
        # Ids of the frames that are wanted, whether they are there yet or not.
        self.frames = range(self.meta["frames"])
        if split is not None:
            self.frames = find_split(self.meta, split, folder / META_NAME)
        there = finished_shards(folder)
        wanted = find_shards(self.meta, self.frames)
        self.shards = sorted(i for i in there if i in wanted)
        missing = len(wanted) - len(self.shards)
        if missing and not partial:
            first = next(i for i in wanted if i not in there)
            raise BadInput(
                f"{folder} lacks {missing} of {len(wanted)} shards (first: "
                f"{shard_name(first)}): run the same command again to finish it"
            )
        rows = [len(self._rows(i)) for i in self.shards]
        self._starts = np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)
        self._files: OrderedDict[int, tuple[pq.ParquetFile, NDArray[np.int64]]] = OrderedDict()
        self._groups: OrderedDict[tuple[int, int], Rows] = OrderedDict()
        self._cache_bytes = cache_mb * 1_000_000
        self._cached_bytes = 0

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> Frame:
        """The frame at a place, negative ones from the end. Raises IndexError outside."""
        count = len(self)
        place = int(index) + count if index < 0 else int(index)
        if not 0 <= place < count:
            raise IndexError(f"frame {index} of {count}")
        k = int(np.searchsorted(self._starts, place, "right")) - 1
        row = place - int(self._starts[k]) + self._rows(self.shards[k]).start
        file, bounds = self._open(self.shards[k])
        group = int(np.searchsorted(bounds, row, "right")) - 1
        rows = self._cached(self.shards[k], file, group)
        return rows.frame(row - int(bounds[group]))

    def __iter__(self) -> Iterator[Frame]:
        return self.stream()

    def __getstate__(self) -> dict[str, Any]:
        empty = {"_files": OrderedDict(), "_groups": OrderedDict(), "_cached_bytes": 0}
        return {**self.__dict__, **empty}

    def stream(self, columns: Sequence[str] | None = None) -> Iterator[Frame]:
        """All frames in order, one row group in memory at a time. columns: as in `open_dataset`."""
        paths = self._columns if columns is None else select_frame_columns(columns)
        for rows in self._walk(paths, self.shards):
            for i in range(len(rows)):
                yield rows.frame(i)

    def batches(
        self,
        columns: Sequence[str] | None = None,
        size: int = 256,
        shards: Sequence[int] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """All frames in order as batches of whole arrays: the fast way to read.

        columns: frame columns, "hands" or "objects" for all of theirs, "hands.keypoints_px" for
        one; None for everything. shards: only these (of `self.shards`). A batch has at most
        `size` frames, and ends where a row group, the image size or the presence of an image does.

        It maps "frame_id" etc. to (B, ...) arrays, text to lists, "camera" to a list of B; images
        to (B, H, W), or None where they are absent; "hand_counts", "object_counts" to (B,), and
        "hands.keypoints_px" etc. to arrays whose leading axis is their sum, frame after frame. Null
        vectors are NaN there, null integers -1. Raises BadInput for an unknown column or broken
        data.
        """
        names = select_batch_columns(columns)
        if size < 1:
            raise BadInput(f"the size of a batch must be > 0, got {size}")
        paths = list_leaf_paths({*names, "camera", "frame_id"})
        for rows in self._walk(paths, self.shards if shards is None else shards):
            for first, stop in split_rows(rows, [n for n in names if n in IMAGE_COLUMNS], size):
                yield build_batch(rows, names, first, stop)

    def _walk(self, paths: list[str], shards: Sequence[int]) -> Iterator[Rows]:
        for shard in shards:
            file, bounds = self._open(shard)
            wanted = self._rows(shard)
            for group in range(len(bounds) - 1):
                first, stop = int(bounds[group]), int(bounds[group + 1])
                rows = range(max(first, wanted.start), min(stop, wanted.stop))
                if not rows:
                    continue
                table = read_row_group(file, shard_path(self.folder, shard), group, paths)
                if len(rows) < stop - first:
                    table = table.slice(rows.start - first, len(rows))
                yield Rows(table)

    def _rows(self, shard: int) -> range:
        """Which of a shard's rows are wanted."""
        first = shard * int(self.meta["frames_per_shard"])
        start = max(self.frames.start - first, 0)
        return range(start, min(self.frames.stop - first, count_rows(self.meta, shard)))

    def _cached(self, shard: int, file: pq.ParquetFile, group: int) -> Rows:
        """A row group, kept until newer ones need the room."""
        rows = self._groups.pop((shard, group), None)
        if rows is None:
            path = shard_path(self.folder, shard)
            rows = Rows(read_row_group(file, path, group, self._columns))
            self._cached_bytes += rows.nbytes
            while self._groups and self._cached_bytes > self._cache_bytes:
                self._cached_bytes -= self._groups.popitem(last=False)[1].nbytes
        self._groups[shard, group] = rows
        return rows

    def _open(self, shard: int) -> tuple[pq.ParquetFile, NDArray[np.int64]]:
        """The shard's file and where its row groups begin, checked to have the rows it should."""
        if shard in self._files:
            self._files.move_to_end(shard)
            return self._files[shard]
        while len(self._files) >= _OPEN_FILES:
            self._files.popitem(last=False)
        path = shard_path(self.folder, shard)
        file = open_shard(path)
        sizes = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
        bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        wanted = count_rows(self.meta, shard)
        if bounds[-1] != wanted:
            raise BadInput(f"{path} has {bounds[-1]} frames, dataset.json says {wanted}")
        self._files[shard] = (file, bounds)
        return self._files[shard]


def split_rows(rows: Rows, images: Sequence[str], size: int) -> Iterator[tuple[int, int]]:
    """Runs first <= i < stop of at most `size` rows whose images fit one set of arrays."""
    cameras = rows.cameras
    keys = [
        (c.height, c.width, *(rows.blob(n, i) is None for n in images))
        for i, c in enumerate(cameras)
    ]
    first = 0
    for i in range(1, len(keys) + 1):
        if i == len(keys) or keys[i] != keys[first] or i - first == size:
            yield first, i
            first = i


def build_batch(rows: Rows, names: Sequence[str], first: int, stop: int) -> dict[str, Any]:
    """Some columns of the rows first <= i < stop as arrays: see `Dataset.batches`."""
    out: dict[str, Any] = {}
    for name in names:
        group = name.partition(".")[0] if "." in name else ""
        if name == "camera":
            out[name] = rows.cameras[first:stop]
        elif name in IMAGE_COLUMNS:
            out[name] = _decode(rows, name, first, stop)
        elif group:
            offsets = rows.offsets(group)
            out[f"{group.removesuffix('s')}_counts"] = np.diff(offsets[first : stop + 1])
            out[name] = rows.read(name)[0][offsets[first] : offsets[stop]]
        else:
            out[name] = rows.read(name)[0][first:stop]
    return out


def _decode(rows: Rows, name: str, first: int, stop: int) -> NDArray[Any] | None:
    if rows.blob(name, first) is None:
        return None
    camera = rows.cameras[first]
    dtype = np.uint16 if name in DEPTH_COLUMNS else np.uint8
    out = np.empty((stop - first, camera.height, camera.width), dtype)
    for i in range(first, stop):
        rows.image(name, i, out[i - first])
    return out
