"""Files that appear whole or not at all, and what the disk says when it will not take them."""

import errno
import os
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

from frames.errors import BadInput
from frames.store.object_store import Sink, write_objects
from frames.store.place import STORES, ObjectPath, find_place

TEMPORARY_SUFFIX: Final = ".tmp"

RELEASED_BYTES: Final = 16 << 20
"""Of a growing file, so much may wait in memory for the disk."""


def write_file(path: Path, data: bytes | memoryview) -> None:
    """Write a file atomically: temporary name, fsync, rename, fsync of the folder.

    Whatever goes wrong, the temporary file is removed and an older file of that name stays as it
    was. Raises BadInput for a full disk or a place that cannot be written.
    """
    write_files([(path, data)])


def write_files(
    files: Sequence[tuple[Path, "bytes | memoryview | Callable[[Sink], None]"]],
) -> None:
    """Write files of one folder atomically, with a single fsync of the folder; or objects.

    files: each with its content, or with what writes it.

    Files appear first to last, when all contents are on the disk; contents are written last to
    first, so that one may tell of those after it. If one cannot be written, none of the new ones
    remains. Errors as for `write_file`.
    """
    if isinstance(files[0][0], ObjectPath):
        write_objects([(ObjectPath(path), data) for path, data in files])
        return
    path, waiting, placed = files[0][0], list[Path](), list[Path]()
    try:
        try:
            for path, data in reversed(files):
                waiting.insert(0, _temporary_path(path))
                with (
                    waiting[0].open("xb", buffering=0) as file,
                    SteadyFile(file.fileno()) as steady,
                ):
                    if callable(data):
                        data(steady)
                    else:
                        steady.write(data)
                    steady.finish()
            for (path, _), temporary in zip(files, tuple(waiting), strict=True):
                new = not path.exists()
                temporary.replace(path)
                waiting.remove(temporary)
                placed += [path] if new else []
        except BaseException:
            for leftover in (*waiting, *placed):
                leftover.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise explain_write_error(path, error) from None


class SteadyFile:
    """A new file that is written to the disk as it grows, so that little of it fills memory.

    The disk is waited for by a thread, while the next part is made: at most two parts of
    RELEASED_BYTES and one write are in memory.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._size = self._synced = 0
        self._disk = ThreadPoolExecutor(1, "disk")
        self._waiting: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._disk.shutdown()

    def write(self, data: bytes | memoryview) -> int:
        """Write all of the data. Raises OSError as `os.write` and `os.fsync` do."""
        left = memoryview(data).cast("B")
        total = len(left)
        while len(left):
            left = left[os.write(self._handle, left) :]
        self._size += total
        if self._size - self._synced >= RELEASED_BYTES:
            self._wait()
            self._waiting = self._disk.submit(_settle, self._handle)
            self._synced = self._size
        return total

    def tell(self) -> int:
        """How many bytes were written."""
        return self._size

    def finish(self) -> None:
        """All of it is on the disk. Raises OSError as `os.fsync` does, of earlier parts too."""
        self._wait()
        _settle(self._handle)

    def _wait(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.result()


def _settle(handle: int) -> None:
    """Onto the disk with what was written, and out of memory."""
    os.fsync(handle)
    _release_cache(handle)


def _release_cache(handle: int) -> None:
    """Give back the memory that the system keeps a written file in.

    A dataset is larger than memory: kept there it drives out what is in use, and every new shard
    waits for fresh pages, which costs a virtual machine four times as long as the write itself.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def _temporary_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")


def make_folder(path: Path) -> None:
    """The folder and its parents, if they are not there. Raises BadInput if they cannot be, and for
    a URL that was taken for a folder.
    """
    if not isinstance(path, ObjectPath) and path.parts[:1] in STORES:
        raise BadInput(f"{find_place(path)} is in an object store: this needs a folder instead")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain_write_error(path, error) from None


def sync_folder(folder: Path) -> None:
    """Make the folder's list of names durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_temporary(name: str) -> bool:
    """Whether a file of this name is a leftover of `write_file`."""
    return name.startswith(".") and name.endswith(TEMPORARY_SUFFIX)


def explain_write_error(path: Path, error: OSError) -> BadInput:
    """The one line for an error met while writing path."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return BadInput(
            f"the disk is full: cannot write {path}; free some room and run the same command again"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BadInput(f"cannot write {path}: no permission there; choose another folder")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return BadInput(f"cannot write {path}: a file is in the way of that folder")
    return BadInput(f"cannot write {path}: {error.strerror or error}")
