"""Packages that only some recordings need, imported when they do."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from frames.errors import BadInput


def import_extra(name: str, purpose: str) -> Any:
    """The module `name`. Raises BadInput, with the mend, if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise BadInput(
            f"{purpose} need the package {package}: pip install 'handloom[capture]'"
        ) from None


@contextmanager
def foreign_errors(what: str) -> Iterator[None]:
    """Whatever a library raises over bytes that it cannot read becomes BadInput.

    Of every kind: parsers of broken files fail with assertions, overflows and index errors.
    """
    try:
        yield
    except BadInput:
        raise
    except MemoryError:
        raise BadInput(f"{what} claims more than fits into memory: is it broken?") from None
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
        raise BadInput(f"{what} is truncated or broken: {reason[:200]}") from None


@contextmanager
def hushed() -> Iterator[None]:
    """Nothing on stderr from libraries that write there themselves (OpenEXR)."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
