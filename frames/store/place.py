"""Where a dataset lies: a folder of this machine, or a prefix of an object store.

    find_place("out/train")            a Path as ever
    find_place("s3://bucket/train")    a Path too, whose methods ask the store

Whoever takes a dataset's folder as a Path takes either. Names are joined and split as in a Path;
what only a disk can do (`os.stat`, memory maps) says so in one line.
"""

import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PosixPath
from typing import Any, Final

from frames.errors import BadInput
from frames.store import object_store

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://?(?!/)")
"""A Path that was made of a URL has lost one of its slashes."""

STORES: Final = tuple((f"{scheme}:",) for scheme in object_store.KNOWN)
"""How the parts of a Path begin that was made of a store's URL."""


def find_place(text: str | Path) -> Path:
    """A Path for a folder, or an `ObjectPath` for a URL. Raises BadInput for an unknown scheme,
    for none of a store's buckets, for no name at all, and for one that is no UTF-8.
    """
    if isinstance(text, ObjectPath):
        return text
    if not str(text):
        raise BadInput("expected a folder or an object store's URL, got ''")
    try:
        str(text).encode()
    except UnicodeEncodeError:
        raise BadInput(
            f"{str(text)!a} is no UTF-8: name it otherwise, Arrow opens no such file"
        ) from None
    match = _URL.match(str(text))
    if match is None or (isinstance(text, Path) and Path(match[1] + ":").exists()):
        return Path(text)
    scheme = match[1].lower()
    if scheme not in object_store.KNOWN:
        known = ", ".join(f"{name}://" for name in object_store.KNOWN)
        raise BadInput(f"unknown kind of place {text}: known are folders and {known}BUCKET/PREFIX")
    rest = str(text)[match.end() :]
    if not rest.strip("/"):
        raise BadInput(f"{text} names no bucket: it must be {scheme}://BUCKET/PREFIX")
    return ObjectPath(f"{scheme}:/{rest}")


def is_same_place(one: Path, other: Path) -> bool:
    """Whether two names mean one folder; a link that leads to itself means none."""
    try:
        return one.resolve() == other.resolve()
    except (OSError, RuntimeError):  # RuntimeError before Python 3.13
        return False


class ObjectPath(PosixPath):
    """A prefix, or an object, of an object store.

    Every method that asks the store raises BadInput, in one line, if it gives no answer, denies it,
    or has no such bucket; FileNotFoundError where a Path would.
    """

    def __str__(self) -> str:
        scheme, *names = self.parts
        return f"{scheme}//{'/'.join(names)}"

    def __fspath__(self) -> str:
        raise BadInput(f"{self} is in an object store: this needs a folder of this machine")

    @property
    def key(self) -> str:
        """BUCKET/PREFIX, as fsspec has it."""
        return "/".join(self.parts[1:])

    def exists(self, **_: Any) -> bool:
        """Whether there is such an object, or any below it."""
        return object_store.find_info(self) is not None

    def is_file(self, **_: Any) -> bool:
        """Whether there is such an object."""
        return object_store.find_size(self) is not None

    def is_dir(self, **_: Any) -> bool:
        """Whether there are objects below this prefix."""
        found = object_store.find_info(self)
        return found is not None and found["type"] == "directory"

    def iterdir(self) -> Iterator["ObjectPath"]:  # type: ignore[override]
        """What is directly below. Raises FileNotFoundError if nothing is."""
        for name in object_store.list_names(self):
            yield self / name

    def glob(self, pattern: str, **_: Any) -> Iterator["ObjectPath"]:  # type: ignore[override]
        """Of what is directly below, what matches."""
        try:
            yield from (path for path in self.iterdir() if path.match(pattern))
        except FileNotFoundError:
            return

    def stat(self, **_: Any) -> os.stat_result:
        """Its size; the other fields are zero."""
        size = object_store.find_size(self)
        if size is None:
            raise FileNotFoundError(f"no object {self}")
        return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, size, 0, 0, 0))

    def open(self, mode: str = "r", *_: Any, encoding: str | None = None, **more: Any) -> Any:
        """The object for reading: "r" for text, "rb" for bytes."""
        if mode not in ("r", "rt", "rb"):
            raise BadInput(f"{self} is in an object store: objects are written whole, not opened")
        file = io.BufferedReader(object_store.RangedFile(self), object_store.READ_BYTES)
        if "b" in mode:
            return file
        return io.TextIOWrapper(file, encoding=encoding or "utf-8", errors=more.get("errors"))

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object; one that is not there is none to remove."""
        object_store.remove(self)

    def mkdir(self, *_: Any, **__: Any) -> None:
        """Nothing: a prefix is there when an object is."""

    def absolute(self) -> "ObjectPath":
        """Itself."""
        return self

    def resolve(self, strict: bool = False) -> "ObjectPath":
        """Itself."""
        return self

    def expanduser(self) -> "ObjectPath":
        """Itself."""
        return self
