"""The one error that users see: bad input, said in one line."""

from typing import Final

MOST_CHARACTERS: Final = 1000
"""Of a message: what it quotes may have a megabyte. Its end says how to mend it, so it stays."""


class BadInput(ValueError):
    """Something the user gave (a file, a flag, a folder) cannot be used.

    The message is one line that names the thing, the value got, what was expected, and the mend.
    The command line prints it without a traceback and exits with code 2.
    """

    def __init__(self, message: str) -> None:
        if len(message) > MOST_CHARACTERS:
            message = f"{message[: MOST_CHARACTERS - 305]} ... {message[-300:]}"
        super().__init__(message)
