"""Where shards are made: by processes of this machine, or by a Dask cluster."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from frames.errors import BadInput

if TYPE_CHECKING:
    from frames.engines.job import Engine

Name = Literal["local", "dask"]


@contextmanager
def open_engine(name: Name, scheduler: str, workers: int) -> Iterator["tuple[Engine, int]"]:
    """The engine and its number of workers, 0 meaning one a core.

    Raises BadInput for options that do not go together, and for a cluster that does not answer.
    """
    if workers < 0:
        raise BadInput(f"workers must be >= 0, got {workers}")
    if scheduler and name != "dask":
        raise BadInput(f"--scheduler {scheduler} is of Dask: add --engine dask")
    if scheduler and workers:
        raise BadInput(
            f"the cluster at {scheduler} has the workers that it has: leave --workers {workers} out"
        )
    count = workers or len(os.sched_getaffinity(0))
    if name == "local":
        from frames.engines.pool import run_pool

        yield run_pool, count
        return
    from frames.engines.dask_cluster import open_dask

    with open_dask(scheduler, count) as engine:
        yield engine, count
