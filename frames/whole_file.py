"""Files read whole, but no more than what they are for can have: a mistaken name must not fill the
memory."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

MOST_SETTINGS: Final = 16 << 20
"""Bytes of a file that a person wrote: far more than any has."""
MOST_WEIGHTS: Final = 4 << 30
"""Bytes of a file of weights or a checkpoint."""

_PART: Final = 1 << 20


def read_whole(path: Path, most: int = MOST_SETTINGS) -> bytes:
    """The bytes of a file or a pipe.

    Raises OSError, whose strerror says why, for what cannot be read, for a device (/dev/zero has
    no end), and for what has more than `most` bytes, before memory is taken for them.
    """
    with path.open("rb") as file:
        told = os.fstat(file.fileno())
        if stat.S_ISCHR(told.st_mode) or stat.S_ISBLK(told.st_mode):
            raise OSError(errno.EINVAL, "it is a device, not a file", str(path))
        parts, room = [], most if told.st_size <= most else -1
        # read(n) makes room for n bytes, whatever there is.
        while room >= 0 and (part := file.read(_PART)):
            parts.append(part)
            room -= len(part)
    if room < 0:
        raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(path))
    return b"".join(parts)


def read_whole_text(path: Path, most: int = MOST_SETTINGS) -> str:
    """The UTF-8 text of a file. Raises OSError as `read_whole` does, UnicodeDecodeError."""
    return read_whole(path, most).decode("utf-8")
