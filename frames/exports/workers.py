"""Pieces on many cores."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from frames.errors import BadInput
from frames.exports.layout import Format
from frames.exports.pieces import Piece
from frames.exports.source import Frames, Source, read_frames
from frames.exports.unfinished import mark_piece
from frames.job import Progress
from frames.pool import THREAD_VARIABLES

_POLL_S: Final = 0.2
"""How long a signal may wait until it is obeyed."""


@dataclass(frozen=True)
class Task:
    """What a worker needs to make any piece."""

    source: Source
    format: Format
    folder: Path


def make_piece(task: Task, frames: Frames, piece: Piece) -> None:
    """Write one piece and mark it."""
    some = read_frames(frames, piece.first, piece.stop)
    mark_piece(task.folder, piece.name, task.format.write_piece(task.folder, piece, some))


def make_pieces(
    task: Task, todo: Sequence[Piece], workers: int, progress: Progress | None = None
) -> None:
    """Make these pieces with so many worker processes, or in this one.

    Raises BadInput for frames that cannot be read or written, and if a worker is killed.
    """
    if workers == 1 or len(todo) <= 1:
        frames = task.source.open()
        for piece in todo:
            make_piece(task, frames, piece)
            if progress is not None:
                progress.advance(piece.rows)
        return
    count = min(workers, len(todo))
    saved = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    pool = ProcessPoolExecutor(
        count, multiprocessing.get_context("spawn"), initializer=_start, initargs=(task,)
    )
    try:
        _run(pool, todo, count, progress)
    except BrokenProcessPool:
        raise BadInput(
            f"a worker was killed: is there memory for --workers {workers}? run the same command"
            " with fewer to go on"
        ) from None
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in saved.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _run(
    pool: ProcessPoolExecutor, todo: Sequence[Piece], count: int, progress: Progress | None
) -> None:
    queue = iter(todo)
    running: dict[Future[None], Piece] = {}
    while True:
        # A few ahead only: an export may have a million pieces.
        while len(running) < 2 * count and (piece := next(queue, None)) is not None:
            running[pool.submit(_work, piece)] = piece
        if not running:
            return
        for future in wait(running, _POLL_S, FIRST_COMPLETED).done:
            piece = running.pop(future)
            future.result()
            if progress is not None:
                progress.advance(piece.rows)


_task: Task | None = None
_frames: Frames | None = None


def _start(task: Task) -> None:
    global _task
    _task = task
    # The terminal sends Ctrl-C to all: what it means is the parent's to decide.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _work(piece: Piece) -> None:
    global _frames
    assert _task is not None
    if _frames is None:  # here and not at the start, where an error could not be handed on
        _frames = _task.source.open()
    make_piece(_task, _frames, piece)
