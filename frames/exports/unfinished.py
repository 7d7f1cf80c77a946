"""An export on its way: a folder beside OUT that takes OUT's place when it is whole.

    .OUT.unfinished/export.json      what is being made; OUT keeps it
    .OUT.unfinished/...              what OUT will hold
    .OUT.unfinished/.pieces/NAME     a file a piece that is finished, and what is put together later

The same command again goes on with the pieces that are missing; another one begins anew.
"""

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from frames.errors import BadInput
from frames.store.disk import explain_write_error, make_folder, sync_folder, write_file

ABOUT_NAME: Final = "export.json"
PIECES: Final = ".pieces"
_LOCK: Final = ".lock"


def find_finished(out: Path, about: dict[str, Any]) -> bool:
    """Whether OUT is this very export already. Raises BadInput if it is anything else."""
    if not out.exists() and not out.is_symlink():
        return False
    if not out.is_dir():
        raise BadInput(f"{out} is a file: choose another folder for the export")
    held = sorted(p.name for p in out.iterdir())
    if not held:
        return False
    if _read_about(out) == about:
        return True
    what = "another export" if ABOUT_NAME in held else f"something else ({held[0]})"
    raise BadInput(f"{out} holds {what}: choose another folder, or remove it")


@contextmanager
def open_unfinished(out: Path, about: dict[str, Any]) -> Iterator[Path]:
    """The folder in which an export is made, held against other processes.

    about: what is being made, plain JSON. What another command left there is removed. Raises
    BadInput if another process is at it.
    """
    folder = out.parent / f".{out.name}.unfinished"
    make_folder(folder)
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise explain_write_error(folder, error) from None
            raise BadInput(f"another process is exporting to {out}: wait for it") from None
        if _read_about(folder) != about:
            for path in folder.iterdir():
                if path.name != _LOCK:
                    remove_tree(path)
            make_folder(folder / PIECES)
            write_file(folder / ABOUT_NAME, (json.dumps(about, indent=2) + "\n").encode())
        yield folder
    finally:
        os.close(handle)


def mark_piece(folder: Path, name: str, content: bytes = b"") -> None:
    """Say that a piece is finished: all that it wrote is on the disk by now."""
    write_file(folder / PIECES / name, content)


def list_marked(folder: Path) -> set[str]:
    """Names of the pieces that are finished."""
    return {p.name for p in (folder / PIECES).iterdir() if not p.name.startswith(".")}


def finish(folder: Path, out: Path) -> None:
    """Put a whole export in its place."""
    try:
        remove_tree(folder / PIECES)
        (folder / _LOCK).unlink()
        folder.rename(out)  # over an empty folder too
        sync_folder(out.parent)
    except OSError as error:
        raise explain_write_error(out, error) from None


def remove_tree(path: Path) -> None:
    """Remove a file or a folder. Raises BadInput if it cannot be."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise explain_write_error(path, error) from None


def _read_about(folder: Path) -> Any:
    try:
        return json.loads((folder / ABOUT_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
