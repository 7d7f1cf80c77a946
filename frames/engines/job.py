"""A job: what makes the frames of a dataset, in this process or in workers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from frames.store.shard import ROW_GROUP, write_shard


class Maker(Protocol):
    """Makes the frames of one dataset: one a process, with its buffers."""

    def describe(self) -> dict[str, Any]:
        """The metadata of the dataset, for `frames.store.folder.create_dataset`."""

    def make_tables(self, first: int, stop: int) -> Iterator[pa.Table]:
        """The frames first <= k < stop as rows of `frames.store.schema.SCHEMA`, some at a time;
        what they hold depends on nothing but their numbers."""


class Job(Protocol):
    """A dataset that is to be made; small, for it is pickled to every worker."""

    @property
    def frames(self) -> int:
        """Of the whole dataset."""

    @property
    def frames_per_shard(self) -> int:
        """Of every shard but the last."""

    def build(self) -> Maker:
        """What makes it. Raises BadInput for whatever it needs and cannot have."""


class Progress(Protocol):
    """Is told how far a run has come."""

    def begin(self, total: int, there: int) -> None:
        """Of `total` frames, `there` were finished before."""

    def advance(self, count: int) -> None:
        """`count` more frames are finished."""


class Engine(Protocol):
    """Makes shards with many processes: of this machine (`frames.engines.pool`) or a cluster's
    (`frames.engines.dask_cluster`)."""

    def __call__(
        self, folder: Path, job: Job, workers: int, todo: Sequence[int], progress: Progress | None
    ) -> None:
        """Write the shards `todo`, whichever process is killed meanwhile. Raises BadInput if it
        cannot; what is finished stays."""


def make_shard(maker: Maker, folder: Path, index: int, first: int, rows: int) -> None:
    """Make one shard and write it, whole or not at all.

    A maker may have a `row_group` of its own: frames a row group.
    """
    size = getattr(maker, "row_group", ROW_GROUP)
    write_shard(folder, index, maker.make_tables(first, first + rows), size)
