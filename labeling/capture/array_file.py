"""Arrays in .npy and .npz files, read frame by frame, their headers checked against their sizes."""

import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from labeling.capture.extras import foreign_errors

_HEADERS: Final = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_SMALL: Final = 64 << 20
_SKIP: Final = 1 << 20


@dataclass(frozen=True)
class ArrayFile:
    """One array on the disk: all of an .npy file, or a member of an .npz."""

    path: Path
    member: str
    """"" in an .npy file."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def place(self) -> str:
        """Its name, for messages."""
        return f"{self.path}[{self.member}]" if self.member else str(self.path)

    def read(self, positions: Sequence[int]) -> Iterator[NDArray[Any]]:
        """Items along the first axis, at growing positions; nothing else is in memory."""
        shape = self.shape[1:]
        size = prod(shape) * self.dtype.itemsize
        with foreign_errors(self.place), _open(self.path, self.member) as file:
            _read_header(file, self.place)
            at = 0
            for position in positions:
                _skip(file, (position - at) * size)
                data = file.read(size)
                if len(data) != size:
                    raise BadInput(f"{self.place} is truncated in frame {position}")
                at = position + 1
                yield np.frombuffer(data, self.dtype).reshape(shape)

    def load(self) -> NDArray[Any]:
        """All of a small array. Raises BadInput for one of more than 64 MB."""
        if prod(self.shape) * self.dtype.itemsize > _SMALL:
            raise BadInput(f"{self.place} is an array of {self.shape}: a small one was expected")
        with foreign_errors(self.place), _open(self.path, self.member) as file:
            _read_header(file, self.place)
            data = file.read(prod(self.shape) * self.dtype.itemsize)
            return np.frombuffer(data, self.dtype).reshape(self.shape)


def open_npy(path: Path) -> ArrayFile:
    """The array of an .npy file. Raises BadInput for a broken or foreign one."""
    with foreign_errors(str(path)), path.open("rb") as file:
        return _check(file, path, "", os.fstat(file.fileno()).st_size)


def open_npz(path: Path) -> dict[str, ArrayFile]:
    """The arrays of an .npz file by name. Raises BadInput for a broken or foreign one."""
    out = {}
    with foreign_errors(str(path)), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            with archive.open(info) as file:
                found = _check(file, path, info.filename, info.file_size)
            out[info.filename.removesuffix(".npy")] = found
    return out


def _check(file: IO[bytes], path: Path, member: str, size: int) -> ArrayFile:
    place = f"{path}[{member}]" if member else str(path)
    shape, dtype = _read_header(file, place)
    wanted = file.tell() + prod(shape) * dtype.itemsize
    if size < wanted:
        raise BadInput(
            f"{place} is truncated: an array of {shape} {dtype} takes {wanted:,} bytes, it has"
            f" {size:,}"
        )
    return ArrayFile(path, member, shape, dtype)


def _read_header(file: IO[bytes], place: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise BadInput(f"{place} is written in version {version} of the npy format: use 1.0 or 2.0")
    shape, fortran, dtype = _HEADERS[version](file)
    if dtype.hasobject or dtype.fields is not None or dtype.kind not in "?uif":
        raise BadInput(f"{place} must hold numbers, got {dtype}")
    if fortran and len(shape) > 1:
        raise BadInput(f"{place} is stored column by column: save np.ascontiguousarray of it")
    if any(n < 0 for n in shape):
        raise BadInput(f"{place} has the shape {shape}")
    return shape, dtype


@contextmanager
def _open(path: Path, member: str) -> Iterator[IO[bytes]]:
    if not member:
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        yield file


def _skip(file: IO[bytes], count: int) -> None:
    if isinstance(file, zipfile.ZipExtFile):
        while count > 0 and (data := file.read(min(count, _SKIP))):
            count -= len(data)
    else:
        file.seek(count, os.SEEK_CUR)
