"""Shards on many cores: what is finished is skipped, what was killed is done again.

Workers are separate single-threaded processes. A shard depends on the configuration and its index
only, and appears whole or not at all: neither the number of workers nor a restart changes a byte.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from frames.dataset import create_dataset, finished_shards, lock_shards, sweep_orphans
from frames.errors import BadInput
from frames.folder import count_rows, count_shards
from frames.shard import write_shard
from synth.config import SynthConfig
from synth.config_check import check_config
from synth.description import describe
from synth.generator import Generator

THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
POLL_S: Final = 0.2
"""How long a signal may wait until it is obeyed."""
MAX_LOSSES: Final = 5
"""A pool that loses workers so often in a row without finishing a shard is given up."""


class Progress(Protocol):
    """Is told how far a run has come."""

    def begin(self, total: int, there: int) -> None:
        """Of `total` frames, `there` were finished before."""

    def advance(self, count: int) -> None:
        """`count` more frames are finished."""


def parse_range(text: str, shards: int) -> range:
    """`I/N` -> the I-th (from 1) of N nearly equal runs of shards. Raises BadInput otherwise."""
    part, slash, whole = text.partition("/")
    if not (slash and part.isdecimal() and whole.isdecimal() and 1 <= int(part) <= int(whole)):
        raise BadInput(f"shard-range must be I/N with 1 <= I <= N (1/4 ... 4/4), got {text!r}")
    i, n = int(part), int(whole)
    return range(shards * (i - 1) // n, shards * i // n)


def generate(
    folder: Path,
    config: SynthConfig,
    workers: int,
    shard_range: str = "1/1",
    progress: Progress | None = None,
) -> dict[str, int]:
    """Write the shards of `shard_range` that are not there yet.

    Returns counts of frames: written, found. Raises BadInput for what cannot be.
    """
    check_config(config)
    if workers < 1:
        raise BadInput(f"workers must be >= 1, got {workers}")
    indices = parse_range(shard_range, count_shards(vars(config)))
    # Whatever the configuration cannot provide (a mesh, a pickle, a camera) shows here, before
    # anything is written.
    generator = Generator(config)
    meta = create_dataset(folder, describe(config, generator.camera))
    if not indices:  # more parts than shards
        return {"written": 0, "found": 0}
    with lock_shards(folder, indices.start, indices.stop):
        sweep_orphans(folder, indices)
        done = finished_shards(folder)
        todo = [i for i in indices if i not in done]
        found = sum(count_rows(meta, i) for i in indices if i in done)
        if progress is not None:
            progress.begin(found + sum(count_rows(meta, i) for i in todo), found)
        try:
            if workers == 1 or len(todo) <= 1:
                for index in todo:
                    _make_shard(generator, folder, index, count_rows(meta, index))
                    if progress is not None:
                        progress.advance(count_rows(meta, index))
            else:
                del generator
                _run_pool(folder, config, workers, todo, lambda i: count_rows(meta, i), progress)
        except BaseException:
            # A full disk leaves a sidecar without its shard, a stopped worker a temporary file.
            sweep_orphans(folder, indices)
            raise
    return {"written": sum(count_rows(meta, i) for i in todo), "found": found}


def _make_shard(generator: Generator, folder: Path, index: int, rows: int) -> None:
    first = index * generator.config.frames_per_shard
    write_shard(folder, index, generator.make_table(first, first + rows))


def _run_pool(
    folder: Path,
    config: SynthConfig,
    workers: int,
    todo: list[int],
    rows: Callable[[int], int],
    progress: Progress | None,
) -> None:
    losses = 0
    left = set(todo)
    while left:
        try:
            count = min(workers, len(left))
            with _held_signals() as obey, _pool(count, folder, config) as pool:
                for index in _finished(pool, count, sorted(left), rows, obey):
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


def _finished(
    pool: ProcessPoolExecutor,
    workers: int,
    indices: list[int],
    rows: Callable[[int], int],
    obey: Callable[[], None],
) -> Iterator[int]:
    """Indices of shards as they are finished; only a few are queued, for a million may be left."""
    queue = iter(indices)
    ahead = 2 * workers
    running: dict[Future[None], int] = {}
    while True:
        while len(running) < ahead and (index := next(queue, None)) is not None:
            with _deaf_children():  # a worker may be started here
                running[pool.submit(_work, index, rows(index))] = index
        if not running:
            return
        finished, _ = wait(running, POLL_S, FIRST_COMPLETED)
        obey()
        for future in finished:
            index = running.pop(future)
            future.result()
            yield index


@contextmanager
def _pool(workers: int, folder: Path, config: SynthConfig) -> Iterator[ProcessPoolExecutor]:
    """Spawned single-threaded workers, stopped at once when the block ends early."""
    others = set(multiprocessing.active_children())
    saved = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(folder, config),
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
def _held_signals() -> Iterator[Callable[[], None]]:
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


_place: tuple[Path, SynthConfig] | None = None
_generator: Generator | None = None


def _start_worker(folder: Path, config: SynthConfig) -> None:
    global _place
    _place = (folder, config)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End with the parent, however it ends: an orphan would write into a folder given up."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _work(index: int, rows: int) -> None:
    global _generator
    assert _place is not None
    folder, config = _place
    if _generator is None:  # here and not at the start, where an error could not be handed on
        _generator = Generator(config)
    _make_shard(_generator, folder, index, rows)
