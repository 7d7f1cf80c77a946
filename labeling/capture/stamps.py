"""When the pictures of a folder were taken: a list beside them, or their names."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.whole_file import read_whole_text

LISTS: Final = ("timestamps.txt", "timestamps.csv", "times.txt", "depth.txt")
COLOR_LISTS: Final = ("rgb.txt", "color.txt")
_MOST_BYTES: Final = 64 << 20
_LONG: Final = {13: 10**6, 16: 10**3, 19: 1}
"""Digits of a whole number of milli-, micro- and nanoseconds since 1970, and their length in ns."""

Stamps = NDArray[np.int64]


def find_lists(folder: Path, names: Sequence[str]) -> list[Path]:
    """The lists of times in a folder of one clip or in the folder above."""
    return [p / n for p in (folder, folder.parent) for n in names if (p / n).is_file()]


def read_stamps(paths: Sequence[Path], lists: Sequence[Path]) -> Stamps | None:
    """(N,) ns of files, by the first list that names them all or by their names; None for neither.

    A list has a line for each file: its name and its time in seconds, in either order, parted by
    blanks, a comma or a semicolon. A list of times alone counts if it has as many as there are
    files. Raises BadInput for a list that names some of the files only, or cannot be read.
    """
    for path in lists:
        found = _look_up(path, paths)
        if found is not None:
            return found
    named = [parse_name(p) for p in paths]
    return None if any(t is None for t in named) else np.array(named, np.int64)


def parse_name(path: Path) -> int | None:
    """The time that a file is named by, in ns: seconds with decimals, or a whole number of milli-,
    micro- or nanoseconds since 1970; None for another name.
    """
    stem = path.stem
    if re.fullmatch(r"\d{9,11}\.\d+", stem):
        return _parse_seconds(stem)
    if stem.isascii() and stem.isdecimal() and len(stem) in _LONG:
        return int(stem) * _LONG[len(stem)]
    return None


def _look_up(path: Path, files: Sequence[Path]) -> Stamps | None:
    """Times of the files by a list; None for a list of other files."""
    rows = _read_rows(path)
    if rows and all(len(row) == 1 for row in rows):
        times = [_parse_seconds(row[0]) for row in rows]
        if len(times) != len(files):
            raise BadInput(f"{path} has {len(times)} times for {len(files)} depth images")
        return np.array(times, np.int64)
    known: dict[str, int] = {}
    for row in rows:
        for name, time in ((row[0], row[1]), (row[1], row[0])):
            if not _is_number(name) and _is_number(time):
                known[Path(name).name] = known[Path(name).stem] = _parse_seconds(time)
    # Frames may be named by bare numbers: then the first column is the name.
    if not known:
        known = {row[0]: _parse_seconds(row[1]) for row in rows if _is_number(row[1])}
    found = [known.get(f.name, known.get(f.stem)) for f in files]
    missing = [f.name for f, t in zip(files, found, strict=True) if t is None]
    if len(missing) == len(files):
        return None
    if missing:
        raise BadInput(f"{path} has no time for {missing[0]}: it must name every depth image")
    return np.array(found, np.int64)


def _read_rows(path: Path) -> list[list[str]]:
    try:
        text = read_whole_text(path, _MOST_BYTES)
    except UnicodeDecodeError:
        raise BadInput(f"{path} must be a list of times, and it is not text") from None
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    rows: list[list[str]] = []
    for k, line in enumerate(text.splitlines()):
        words = re.split(r"[,;\s]+", line.partition("#")[0].strip(" ,;\t"))
        if words == [""]:
            continue
        if not any(map(_is_number, words)):
            if not rows:  # a heading
                continue
            raise BadInput(f"{path} must have a time in every line, line {k + 1} is {line!r}")
        rows.append(words[:2])
    if len({len(row) for row in rows}) > 1:
        raise BadInput(f"{path} has lines with and without names: it must have one kind")
    return rows


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d{1,19}(\.\d*)?([eE][+-]?\d{1,2})?", text) is not None


def _parse_seconds(text: str) -> int:
    """Seconds as written to ns, exactly: as floats, times since 1970 are good to 0.2 us only."""
    if not _is_number(text):
        raise BadInput(f"a time must be a number of seconds, got {text!r}")
    whole, _, decimals = text.partition(".")
    if "e" in text.lower():
        value = round(float(text) * 1e9)
    else:
        sign = -1 if whole.startswith("-") else 1
        value = int(whole) * 10**9 + sign * int((decimals + "0" * 9)[:9])
    if abs(value) >= 2**63:
        raise BadInput(f"a time must be a number of seconds, got {text!r}")
    return value
