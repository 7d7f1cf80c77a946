"""The access token: from the environment or a file, and nowhere to be read again."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from frames.errors import BadInput
from frames.whole_file import read_whole

VARIABLE: Final = "LABEL_STUDIO_API_KEY"
TOKEN_NAME: Final = "token"
_MOST_BYTES: Final = 10_000

_JWT: Final = re.compile(r"eyJ[\w-]{5,}\.[\w-]{5,}(\.[\w-]*)?")
_HEX: Final = re.compile(r"\b[0-9a-f]{40}\b")
_COOKIE: Final = re.compile(
    r"(sessionid|csrftoken|Authorization|[Pp]assword)(['\"]?\s*[=:]\s*)[^;,\s}]+"
)


class Token:
    """A token that shows itself to nobody who prints, logs, formats or pickles it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The token itself, for the one who sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Token(...)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a token is not written down")


def redact(text: str, token: Token | None = None) -> str:
    """The text without tokens, session cookies and passwords."""
    if token is not None and token.reveal():
        text = text.replace(token.reveal(), "...")
    text = _JWT.sub("...", text)
    text = _HEX.sub("...", text)
    return _COOKIE.sub(r"\1\2...", text)


def read_token(
    file: Path | None, studio: Path, environment: Mapping[str, str] | None = None
) -> Token:
    """The token: of `file`, else of the variable LABEL_STUDIO_API_KEY, else of `studio/token`.

    Raises BadInput, saying where one may be put, if there is none; if a file is empty; and if
    others than its owner may read it.
    """
    environment = os.environ if environment is None else environment
    if file is None and environment.get(VARIABLE):
        return Token(environment[VARIABLE].strip())
    path = studio / TOKEN_NAME if file is None else file
    try:
        mode = path.stat().st_mode
        text = read_whole(path, _MOST_BYTES).decode("ascii", errors="replace").strip()
    except OSError as error:
        if file is None:
            raise BadInput(
                f"no access token: set {VARIABLE}, name a file with --token-file, or let 'handloom"
                f" label serve {studio}' make one"
            ) from None
        raise BadInput(f"cannot read the token file {path}: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadInput(
            f"the token file {path} may be read by others (mode {stat.S_IMODE(mode):04o}):"
            f" chmod 600 {path}"
        )
    if not text or any(c.isspace() for c in text):
        raise BadInput(f"the token file {path} must hold one token and nothing else")
    return Token(text)


def write_token(path: Path, token: Token) -> None:
    """Store a token with mode 0600; it never exists with another."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, token.reveal().encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.replace(path)
