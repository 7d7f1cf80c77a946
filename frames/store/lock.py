"""One writer for a range of shards, told apart from others on this or another machine."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from frames.errors import BadInput
from frames.store.disk import explain_write_error, make_folder
from frames.store.place import ObjectPath

LOCK_NAME: Final = ".lock"

_FOLDER_BYTE: Final = 2**62
"""Far beyond any shard's: guards dataset.json and the card."""


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the files that all shards share, waiting for whoever holds them: a few milliseconds.

    Closing any handle of a file gives up all of a process's record locks on it, so never inside
    `lock_shards`. An object store has no locks: there a first put wins (`create_dataset`).
    """
    if isinstance(folder, ObjectPath):
        yield
        return
    handle = _open_lock(folder)
    try:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX, 1, _FOLDER_BYTE)
        except OSError as error:
            raise explain_write_error(folder / LOCK_NAME, error) from None
        yield
    finally:
        os.close(handle)


@contextmanager
def lock_shards(folder: Path, first: int, stop: int) -> Iterator[None]:
    """Hold the shards first <= i < stop of a dataset folder for writing.

    A POSIX record lock with one byte for every shard in `folder/.lock`: ranges that do not touch
    go side by side, it works on NFS, and it goes with its process, however that ends. Locks of one
    process do not exclude each other. An object store has no locks: two writers of a shard put the
    same bytes twice. Raises BadInput if another process holds any of them.
    """
    if isinstance(folder, ObjectPath):
        yield
        return
    handle = _open_lock(folder)
    try:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, max(stop - first, 1), first)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise explain_write_error(folder / LOCK_NAME, error) from None
            raise BadInput(
                f"another process is writing shards of {first} to {stop - 1} in {folder}: wait for "
                f"it, or give this one another --shard-range"
            ) from None
        yield
    finally:
        os.close(handle)


def _open_lock(folder: Path) -> int:
    make_folder(folder)
    path = folder / LOCK_NAME
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise explain_write_error(path, error) from None
