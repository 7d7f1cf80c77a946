"""Worker processes that make shards: replaced when killed."""

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from frames.engines.job import Job, Maker, Progress, make_shard
from frames.engines.shard_queue import finish_shards
from frames.engines.workers import Workers, start_workers
from frames.errors import BadInput
from frames.store.dataset import finished_shards, sweep_orphans
from frames.store.folder import count_rows

MAX_LOSSES: Final = 5
"""A pool that loses workers so often in a row without finishing a shard is given up."""


def run_pool(
    folder: Path,
    job: Job,
    workers: int,
    todo: Sequence[int],
    progress: Progress | None,
) -> None:
    """Make these shards with so many worker processes; a `frames.engines.job.Engine`.

    Raises BadInput for what a maker cannot do, and if workers are killed again and again.
    """

    def rows(index: int) -> int:
        return count_rows({"frames": job.frames, "frames_per_shard": job.frames_per_shard}, index)

    losses = 0
    left = set(todo)
    while left:
        try:
            count = min(workers, len(left))
            with start_workers(count, _start_worker, folder, job) as pool:

                def submit(index: int, pool: Workers = pool) -> Future[None]:
                    return pool.submit(_work, index, rows(index))

                for index in finish_shards(submit, sorted(left), lambda: 2 * workers, pool.obey):
                    left.discard(index)
                    losses = 0
                    if progress is not None:
                        progress.advance(rows(index))
        except BrokenProcessPool:
            # A worker was killed (by hand, or for want of memory): its shard is done again.
            losses += 1
            sweep_orphans(folder, left)
            done = finished_shards(folder)
            for index in sorted(left & done):
                left.discard(index)
                losses = 0
                if progress is not None:
                    progress.advance(rows(index))
            if losses >= MAX_LOSSES:
                raise BadInput(
                    f"workers were killed {losses} times in a row at {folder}: is there memory for"
                    f" --workers {workers}? run the same command with fewer to go on"
                ) from None


_place: tuple[Path, Job] | None = None
_maker: Maker | None = None


def _start_worker(folder: Path, job: Job) -> None:
    global _place
    _place = (folder, job)


def _work(index: int, rows: int) -> None:
    global _maker
    assert _place is not None
    folder, job = _place
    if _maker is None:  # here and not at the start, where an error could not be handed on
        _maker = job.build()
    make_shard(_maker, folder, index, index * job.frames_per_shard, rows)
