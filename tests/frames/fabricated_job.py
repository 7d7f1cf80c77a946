"""A job whose frames cost next to nothing; its makers can be held up in the middle of a shard."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from fabricate import build_table

import frames.store.disk
from frames.errors import BadInput

PATIENCE_S = 300
"""Whoever waits for so long waits in vain."""


@dataclass(frozen=True)
class FabricatedJob:
    """A `frames.engines.job.Job`."""

    frames: int = 44
    frames_per_shard: int = 4
    hold: Path | None = None
    """The first maker to come stops in the middle of its shard: its process is in hold/victim. It
    goes on once there is hold/released."""
    slow: Path | None = None
    """The first process to make a shard has a slow disk: it writes once there is slow/released."""
    version: str = "1"

    def build(self) -> "FabricatedMaker":
        return FabricatedMaker(self)


class FabricatedMaker:
    """A `frames.engines.job.Maker`."""

    def __init__(self, job: FabricatedJob) -> None:
        self._job = job

    def describe(self) -> dict[str, Any]:
        size = {"frames": self._job.frames, "frames_per_shard": self._job.frames_per_shard}
        return {**size, "generator_version": os.environ.get("MADE_BY", self._job.version)}

    def make_tables(self, first: int, stop: int) -> Iterator[pa.Table]:
        if self._job.slow is not None and take(self._job.slow / "victim"):
            throttle_disk(self._job.slow / "released")
        yield build_table(np.arange(first, first + 1))
        if self._job.hold is not None and take(self._job.hold / "victim"):
            wait_for(self._job.hold / "released")
        yield build_table(np.arange(first + 1, stop))


def take(path: Path) -> bool:
    """Whether this process is the first to come; then the file has its number."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    os.write(handle, str(os.getpid()).encode())
    os.close(handle)
    return True


def wait_for(path: Path) -> None:
    """Until a file is there. Raises BadInput if it never comes."""
    began = time.monotonic()
    while not path.exists():
        if time.monotonic() - began > PATIENCE_S:
            raise BadInput(f"{path} never came")
        time.sleep(0.02)


def read_victim(folder: Path) -> int:
    """The process that was the first to come."""
    path = folder / "victim"
    wait_for(path)
    while not path.read_text():
        time.sleep(0.01)
    return int(path.read_text())


def throttle_disk(released: Path) -> None:
    """From now on this process writes nothing until a file is there."""
    write = frames.store.disk.SteadyFile.write

    def write_late(file: frames.store.disk.SteadyFile, data: bytes | memoryview) -> int:
        wait_for(released)
        return write(file, data)

    frames.store.disk.SteadyFile.write = write_late  # type: ignore[method-assign]
