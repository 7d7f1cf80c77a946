"""Checkpoints: all that a run needs to go on as if it had never stopped.

    8 bytes   "handloom"
    32 bytes  SHA-256 of what follows
    the rest  what torch.save wrote: tensors, numbers, text, and lists and mappings of these

They replace each other atomically, so a run that is killed while it writes loses nothing; reading
runs no code that a file might hold (`weights_only`).
"""

import hashlib
import io
from pathlib import Path
from typing import Any, Final

import torch

from frames.errors import BadInput
from frames.store.disk import write_file
from frames.whole_file import MOST_WEIGHTS, read_whole

MAGIC: Final = b"handloom"

_HEAD: Final = len(MAGIC) + 32


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint in the place of an older one, whole or not at all.

    state: plain values and tensors. Raises BadInput for what the disk refuses.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    data = buffer.getvalue()
    write_file(path, MAGIC + hashlib.sha256(data).digest() + data)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What was saved, its tensors on the CPU.

    Raises BadInput for a file that is not there, is no checkpoint, or was damaged.
    """
    try:
        data = read_whole(path, MOST_WEIGHTS)
    except OSError as error:
        raise BadInput(f"cannot read the checkpoint {path}: {error.strerror}") from None
    if data[: len(MAGIC)] != MAGIC:
        raise BadInput(
            f"{path} is no checkpoint of handloom: it begins with {data[:8]!r}, not {MAGIC!r}"
        )
    if len(data) < _HEAD or hashlib.sha256(data[_HEAD:]).digest() != data[len(MAGIC) : _HEAD]:
        raise BadInput(
            f"the checkpoint {path} is damaged: its SHA-256 differs from the one it was written"
            f" with ({len(data):,} bytes); restore the file, or remove it to start the run again"
        )
    try:
        state = torch.load(io.BytesIO(data[_HEAD:]), map_location="cpu", weights_only=True)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput(f"the checkpoint {path} cannot be read: {reason}") from None
    if not isinstance(state, dict):
        raise BadInput(f"the checkpoint {path} holds no mapping but a {type(state).__name__}")
    return state
