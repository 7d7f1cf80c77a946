"""A large JSON file read element by element: annotations of a hundred thousand pictures need not
lie in memory as text and as objects at once.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from frames.errors import BadInput

CHUNK: Final = 1 << 20
"""Characters that are read at a time."""

_SPACE: Final = " \t\r\n"

_AFTER: Final = (*_SPACE, *",:]}")
"""What a value ends before."""


def read_lists(path: Path) -> Iterator[tuple[str, Any]]:
    """(key, element) of every list in the object that a file holds; other values as (key, value).

    Raises BadInput, naming the file and the place, for what is not JSON, or no object.
    """
    try:
        with path.open(encoding="utf-8") as file:
            yield from _Reader(file, path).read()
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not JSON: {error.reason} at byte {error.start}") from None


class _Reader:
    def __init__(self, file: Any, path: Path) -> None:
        self._file, self._path = file, path
        self._text, self._at, self._before, self._ended = "", 0, 0, False
        self._decode = json.JSONDecoder().raw_decode

    def read(self) -> Iterator[tuple[str, Any]]:
        self._expect("{")
        if self._peek() == "}":
            return
        while True:
            key = self._value()
            if not isinstance(key, str):
                raise self._complain("a name in quotes was expected")
            self._expect(":")
            if self._peek() == "[":
                for element in self._elements():
                    yield key, element
            else:
                yield key, self._value()
            if self._expect(",}") == "}":
                return

    def _elements(self) -> Iterator[Any]:
        self._expect("[")
        if self._peek() == "]":
            self._expect("]")
            return
        while True:
            yield self._value()
            if self._expect(",]") == "]":
                return

    def _value(self) -> Any:
        self._peek()
        size = CHUNK
        while True:
            try:
                value, end = self._decode(self._text, self._at)
                # A number may go on in what is not read yet.
                if self._ended or self._text[end : end + 1] in _AFTER:
                    self._at = end
                    return value
            except json.JSONDecodeError as error:
                if self._ended:
                    self._at = min(error.pos, len(self._text))
                    raise self._complain(error.msg) from None
            except RecursionError:
                raise self._complain("lists in lists in lists") from None
            except ValueError:  # python reads no whole number of more than 4,300 digits
                raise self._complain("a number of thousands of digits") from None
            self._fill(size)
            size *= 2  # so that an element of any length costs no more than a few readings

    def _expect(self, wanted: str) -> str:
        found = self._peek()
        if not found or found not in wanted:
            raise self._complain(f"{' or '.join(repr(w) for w in wanted)} was expected")
        self._at += 1
        return found

    def _peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._fill(CHUNK)

    def _fill(self, size: int) -> None:
        more = self._file.read(size)
        self._ended = not more
        self._before += self._at
        self._text, self._at = self._text[self._at :] + more, 0

    def _complain(self, text: str) -> BadInput:
        place = self._before + self._at
        what = "ends too early" if self._ended and self._at == len(self._text) else text
        return BadInput(f"{self._path} is not JSON: {what} at character {place:,}; copy it anew")
