"""Worker processes that make shards: single-threaded, replaced when killed, stopped with their
parent.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from frames.dataset import finished_shards, sweep_orphans
from frames.errors import BadInput
from frames.folder import count_rows
from frames.job import Job, Maker, Progress, make_shard
from frames.shard_queue import finish_shards

THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
MAX_LOSSES: Final = 5
"""A pool that loses workers so often in a row without finishing a shard is given up."""


def run_pool(
    folder: Path,
    job: Job,
    workers: int,
    todo: Sequence[int],
    progress: Progress | None,
) -> None:
    """Make these shards with so many worker processes; a `frames.job.Engine`.

    Raises BadInput for what a maker cannot do, and if workers are killed again and again.
    """

    def rows(index: int) -> int:
        return count_rows({"frames": job.frames, "frames_per_shard": job.frames_per_shard}, index)

    losses = 0
    left = set(todo)
    while left:
        try:
            count = min(workers, len(left))
            with held_signals() as obey, _pool(count, folder, job) as pool:

                def submit(index: int, pool: ProcessPoolExecutor = pool) -> Future[None]:
                    with _deaf_children():  # a worker may be started here
                        return pool.submit(_work, index, rows(index))

                for index in finish_shards(submit, sorted(left), lambda: 2 * workers, obey):
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


@contextmanager
def _pool(workers: int, folder: Path, job: Job) -> Iterator[ProcessPoolExecutor]:
    """Spawned single-threaded workers, stopped at once when the block ends early."""
    others = set(multiprocessing.active_children())
    saved = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(folder, job),
    )
    try:
        yield pool
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in saved.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def held_signals() -> Iterator[Callable[[], None]]:
    """Ctrl-C and SIGTERM wait until the function that this gives is called.

    Raised at any moment, they could strike while a process is being started, which then nobody
    would know of.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    heard: list[int] = []
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    held = {n: handler for n, handler in handlers.items() if callable(handler)}

    def obey() -> None:
        if heard:
            held[signal.Signals(heard[0])](heard[0], None)

    for number in held:
        signal.signal(number, lambda n, _: heard.append(n))
    try:
        yield obey
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started meanwhile do not hear Ctrl-C, not even while they start: the terminal sends
    it to all of them, and it is the parent's to decide what it means.
    """
    was = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, was)


_place: tuple[Path, Job] | None = None
_maker: Maker | None = None


def _start_worker(folder: Path, job: Job) -> None:
    global _place
    _place = (folder, job)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End with the parent, however it ends: an orphan would write into a folder given up."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _work(index: int, rows: int) -> None:
    global _maker
    assert _place is not None
    folder, job = _place
    if _maker is None:  # here and not at the start, where an error could not be handed on
        _maker = job.build()
    make_shard(_maker, folder, index, index * job.frames_per_shard, rows)
