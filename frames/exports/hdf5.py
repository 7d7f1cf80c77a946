"""HDF5: a file a split, images in chunks of one, labels in whole arrays.

    SPLIT.h5    depth (N, H, W), parts, frame_id ..., camera/fx ..., hand_offsets (N + 1,),
                hands/keypoints_px (hands, 21, 2) ..., object_offsets, objects/...

Workers compress pieces into small files of their own; their chunks are then copied as they are.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.exports.labels import build_labels
from frames.exports.layout import About
from frames.exports.picture import DepthPicture
from frames.exports.pieces import Piece, group_splits
from frames.exports.planes import Plane, take_planes
from frames.exports.readme import write_readme
from frames.exports.source import take_reading
from frames.exports.unfinished import PIECES
from frames.record import Frame
from frames.store.disk import explain_write_error
from frames.store.rows import Rows
from frames.store.schema import (
    CAMERA_COLUMNS,
    FRAME_COLUMNS,
    HAND_COLUMNS,
    IMAGE_COLUMNS,
    OBJECT_COLUMNS,
)

PIECE_ROWS: Final = 256
GZIP: Final = 4
_ROWS_A_CHUNK: Final = 1024
"""Of labels."""
_GROUPS: Final = {"hands": HAND_COLUMNS, "objects": OBJECT_COLUMNS}


def import_h5py() -> Any:
    """h5py. Raises BadInput without it."""
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise BadInput(f"HDF5 needs h5py ({error}): pip install 'handloom[hdf5]'") from None
    return h5py


@dataclass(frozen=True)
class Hdf5:
    """A `frames.exports.layout.Format`."""

    name: ClassVar[str] = "hdf5"
    undivided: ClassVar[str] = "all"
    planes: tuple[Plane, ...] = ("depth", "parts")

    @property
    def piece_rows(self) -> int:
        """See `Format`."""
        return PIECE_ROWS

    def describe(self) -> dict[str, Any]:
        """See `Format`."""
        return {"images": list(self.planes), "gzip": GZIP}

    def check(self, pieces: Sequence[Piece], first: Frame) -> None:
        """See `Format`."""
        import_h5py()
        take_reading(first)

    def write_piece(self, folder: Path, piece: Piece, frames: Iterator[Frame]) -> bytes:
        """See `Format`: shapes of what the piece has."""
        bare, path = [], piece_path(folder, piece)
        try:
            with import_h5py().File(path, "w") as file:
                for place, frame in enumerate(frames):
                    for plane, image in take_planes(frame, self.planes).items():
                        if image is not None:
                            _put_image(file, plane, place, image, piece.rows, frame)
                    bare.append(frame)
                for name, values in _list_columns(bare).items():
                    _put_labels(file, name, values)
            _sync(path)
        except OSError as error:
            raise explain_write_error(path, error) from None
        return b""

    def finish(self, folder: Path, pieces: Sequence[Piece], about: About) -> None:
        """See `Format`."""
        for split, some in group_splits(list(pieces)).items():
            path = folder / f"{split}.h5"
            try:
                _join(path, [piece_path(folder, p) for p in some], some, about)
                _sync(path)
            except OSError as error:
                raise explain_write_error(path, error) from None
        depth = "uint16, metres = value / depth_scale, 0 = no reading"
        write_readme(folder, self.name, about, depth=depth, split=pieces[0].split)


def piece_path(folder: Path, piece: Piece) -> Path:
    """Where a piece waits to be joined; its name is no mark's."""
    return folder / PIECES / f".{piece.name}.h5"


def _put_image(
    file: Any, name: str, place: int, image: NDArray[Any], count: int, frame: Frame
) -> None:
    if name not in file:
        file.create_dataset(name, (count, *image.shape), image.dtype, **_filters((1, *image.shape)))
    if file[name].shape[1:] != image.shape:
        wanted, got = file[name].shape[:0:-1], image.shape[::-1]
        raise BadInput(
            f"HDF5 holds images of one size: frame {frame.frame_id} has {got[0]} x {got[1]} pixels,"
            f" others {wanted[0]} x {wanted[1]}; choose another format"
        )
    file[name][place] = image


def _filters(chunks: tuple[int, ...]) -> dict[str, Any]:
    return {"chunks": chunks, "shuffle": True, "compression": "gzip", "compression_opts": GZIP}


def _list_columns(frames: Sequence[Frame]) -> dict[str, Any]:
    """All label columns of some frames by their paths in the file, hands and objects flat."""
    rows = Rows(build_labels(frames))
    out: dict[str, Any] = {}
    for column in CAMERA_COLUMNS:
        values: Any = [getattr(camera, column.name) for camera in rows.cameras]
        if column.shape == ():
            values = _fill_up(values)
        elif column.optional:
            values = [np.nan if v is None else v for v in values]
        out[f"camera/{column.name}"] = values
    for column in FRAME_COLUMNS:
        if column.name not in IMAGE_COLUMNS:
            out[column.name] = rows.read(column.name)[0]
    for group, columns in _GROUPS.items():
        out[f"{group.removesuffix('s')}_offsets"] = rows.offsets(group)
        for column in columns:
            out[f"{group}/{column.name}"] = rows.read(f"{group}.{column.name}")[0]
    return out


def _fill_up(lists: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Lists of several lengths as one array, NaN where they have ended."""
    out = np.full((len(lists), max(map(len, lists), default=0)), np.nan)
    for row, values in zip(out, lists, strict=True):
        row[: len(values)] = values
    return out


def _put_labels(file: Any, name: str, values: Any) -> None:
    if isinstance(values, list) and all(v is None or isinstance(v, str) for v in values):
        text = [v or "" for v in values]
        file.create_dataset(name, data=text, dtype=import_h5py().string_dtype(), shape=(len(text),))
    else:
        file.create_dataset(name, data=np.asarray(values))


def _join(path: Path, parts: Sequence[Path], pieces: Sequence[Piece], about: About) -> None:
    """One file of all pieces."""
    h5py = import_h5py()
    with h5py.File(path, "w", libver="v108") as file:
        file.attrs["title"] = about.title
        file.attrs["license"] = about.license
        file.attrs["sensor"] = about.sensor
        file.attrs["dataset"] = json.dumps(about.meta, sort_keys=True)
        file.attrs["depth"] = DepthPicture().tell().replace("16-bit PNG", "uint16")
        total = sum(p.rows for p in pieces)
        at, made = 0, dict[str, int]()
        for part, piece in zip(parts, pieces, strict=True):
            with h5py.File(part, "r") as source:
                source.visititems(
                    lambda name, item, at=at, source=source: _copy(
                        file, name, item, at, total, made
                    )
                )
            at += piece.rows


def _copy(file: Any, name: str, item: Any, at: int, total: int, made: dict[str, int]) -> None:
    """Add a piece's dataset to the whole one's."""
    if not hasattr(item, "shape"):
        return
    if item.chunks is not None:
        _copy_images(file, name, item, at, total)
        return
    values = item[()]
    if name.endswith("_offsets"):
        # Each piece counts from 0; the last of one is the first of the next.
        before = int(file[name][-1]) if name in file else 0
        values = values + before
        values = values[1:] if name in file else values
    if name not in file:
        rows = (min(_ROWS_A_CHUNK, max(1, total)), *(max(1, n) for n in values.shape[1:]))
        file.create_dataset(
            name, (0, *values.shape[1:]), item.dtype, maxshape=(None,) * values.ndim,
            **_filters(rows),
        )  # fmt: skip
    whole = file[name]
    first = whole.shape[0]
    # Vectors of any length, joint angles say, may be absent in one piece and not in another.
    rest = tuple(max(a, b) for a, b in zip(whole.shape[1:], values.shape[1:], strict=True))
    grown = (
        np.full((len(values), *rest), np.nan, values.dtype) if rest != values.shape[1:] else None
    )
    if grown is not None:
        grown[tuple(slice(0, n) for n in values.shape)] = values
        values = grown
    old = whole.shape[1:]
    whole.resize((first + len(values), *rest))
    if rest != old and first:
        filled = whole[:first]
        filled[..., old[-1] :] = np.nan
        whole[:first] = filled
    whole[first:] = values


def _copy_images(file: Any, name: str, item: Any, at: int, total: int) -> None:
    shape = (total, *item.shape[1:])
    if name not in file:
        file.create_dataset(name, shape, item.dtype, **_filters((1, *item.shape[1:])))
    if file[name].shape != shape:
        raise BadInput(f"HDF5 holds images of one size, and these have several: {shape[:0:-1]}")
    for row in range(item.shape[0]):
        place = (row, 0, 0)
        if item.id.get_chunk_info_by_coord(place).byte_offset is None:
            continue  # an image that is not there
        mask, data = item.id.read_direct_chunk(place)
        file[name].id.write_direct_chunk((at + row, 0, 0), data, mask)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
