"""Object stores through fsspec: whole objects put, ranges got, and what goes wrong in one line.

A put is atomic: an object is there whole or not at all, and there are no temporary names. Nothing
is renamed, locked or swept.
"""

import importlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from frames.errors import BadInput
from frames.store.store_errors import explain_store_error, lacks_bucket

if TYPE_CHECKING:
    from frames.store.place import ObjectPath

KNOWN: Final = {"s3": "s3fs"}
"""Schemes, and the package that fsspec needs for each; its extra has the scheme's name."""

PART_BYTES: Final = 64 << 20
"""A larger object is put in parts of this size, which a worker holds in memory."""

READ_BYTES: Final = 4 << 20
"""What is read front to back is got in ranges of this size."""

CONNECT_S: Final = 10
"""So long a connection may take."""


class Sink(Protocol):
    """What a file's contents are written into."""

    def write(self, data: bytes | memoryview) -> int:
        """Write all of the data."""

    def tell(self) -> int:
        """How many bytes were written."""


def connect(scheme: str) -> Any:
    """fsspec's file system of a scheme; the same one for every call and thread of a process.

    Credentials and the endpoint are those of the store's own tools: AWS_ACCESS_KEY_ID, AWS_PROFILE,
    AWS_ENDPOINT_URL ... Raises BadInput if its package is not installed.
    """
    return open_store(scheme, os.getpid())


@lru_cache(maxsize=4)
def open_store(scheme: str, process: int) -> Any:
    """See `connect`. process: a fork needs connections of its own."""
    try:
        importlib.import_module(KNOWN[scheme])
        fsspec = importlib.import_module("fsspec")
    except ImportError as error:
        raise BadInput(
            f"{scheme}:// needs {error.name or KNOWN[scheme]}: pip install 'handloom[{scheme}]'"
        ) from None
    return fsspec.filesystem(
        scheme,
        skip_instance_cache=True,  # fsspec has one for every thread, and Arrow reads in many
        use_listings_cache=False,  # others write there too
        config_kwargs={
            "connect_timeout": CONNECT_S,
            "retries": {"mode": "standard", "max_attempts": 3},
        },
    )


def find_info(path: "ObjectPath") -> dict[str, Any] | None:
    """What the store knows of an object ("type" file) or a prefix ("type" directory); None if there
    is nothing. Raises BadInput if there is no such bucket.
    """
    with suppress(FileNotFoundError), _asking(path) as store:
        found: dict[str, Any] = store.info(path.key)
        return found
    return None


def find_size(path: "ObjectPath") -> int | None:
    """Bytes of an object; None if there is none."""
    found = find_info(path)
    return int(found["size"]) if found is not None and found["type"] == "file" else None


def list_names(path: "ObjectPath") -> list[str]:
    """Names directly below a prefix. Raises FileNotFoundError without any."""
    with _asking(path) as store:
        found = store.ls(path.key, detail=False)
    names = [name.rstrip("/").removeprefix(f"{path.key}/") for name in found]
    return [name for name in names if name and name != path.key]


def remove(path: "ObjectPath") -> None:
    """Remove an object, if it is there."""
    with suppress(FileNotFoundError), _asking(path) as store:
        store.rm_file(path.key)


def create_object(path: "ObjectPath", data: bytes) -> bool:
    """Put an object unless there is one; returns whether it was put. Of two who do so at the same
    time one is told."""
    with _asking(path) as store:
        try:
            store.pipe_file(path.key, data, mode="create")
        except FileExistsError:
            return False
    return True


def write_objects(
    files: Sequence[tuple["ObjectPath", bytes | memoryview | Callable[[Sink], None]]],
) -> None:
    """Put objects, each with its content or with what writes it.

    As `disk.write_files` has it: they appear first to last when all contents are there, and
    contents are written last to first. Each appears whole or not at all. If one cannot be put,
    those before it stay: the next writer puts the same.
    """
    waiting: list[_Upload] = []
    try:
        for path, data in reversed(files):
            waiting.insert(0, _Upload(path))
            if callable(data):
                data(waiting[0])
            else:
                waiting[0].write(data)
        while waiting:
            waiting[0].finish()
            del waiting[0]
    finally:
        for upload in waiting:
            upload.drop()


class _Upload:
    """An object that is being written: one put, or parts if it is large."""

    def __init__(self, path: "ObjectPath") -> None:
        self._path = path
        self._held = bytearray()
        self._parts: Any = None

    def write(self, data: bytes | memoryview) -> int:
        """See `Sink`."""
        data = memoryview(data).cast("B")
        if self._parts is None and len(self._held) + len(data) <= PART_BYTES:
            self._held += data
            return len(data)
        with _asking(self._path) as store:
            if self._parts is None:
                self._parts = store.open(
                    self._path.key, "wb", autocommit=False, block_size=PART_BYTES
                )
                self._parts.write(self._held)
                self._held = bytearray()
            return int(self._parts.write(data))

    def tell(self) -> int:
        """See `Sink`."""
        return len(self._held) if self._parts is None else int(self._parts.tell())

    def finish(self) -> None:
        """Let it appear."""
        with _asking(self._path) as store:
            if self._parts is None:
                store.pipe_file(self._path.key, bytes(self._held))
            else:
                self._parts.close()
                self._parts.commit()

    def drop(self) -> None:
        """Remove the parts of an object that is not to be."""
        if self._parts is not None:
            with suppress(Exception):  # another error has been raised
                self._parts.discard()
            self._parts.closed = True  # or it would be written after all


class RangedFile(io.RawIOBase):
    """An object that is read in ranges, each one request; may be carried over a fork."""

    def __init__(self, path: "ObjectPath") -> None:
        """Raises FileNotFoundError if there is no such object."""
        size = find_size(path)
        if size is None:
            raise FileNotFoundError(f"no object {path}")
        self._path, self._size, self._at = path, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._size if size < 0 else min(self._at + size, self._size)
        if stop <= self._at:
            return b""
        with _asking(self._path) as store:
            data: bytes = store.cat_file(self._path.key, start=self._at, end=stop)
        self._at += len(data)
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _asking(path: "ObjectPath") -> Iterator[Any]:
    """The path's store; what it answers with becomes one line."""
    scheme = path.parts[0].removesuffix(":")
    try:
        yield connect(scheme)
    except BadInput:
        raise
    except FileNotFoundError as error:
        if lacks_bucket(error):
            raise explain_store_error(path, error) from None
        raise
    except Exception as error:  # botocore's, aiohttp's and asyncio's have no common parent
        raise explain_store_error(path, error) from None
