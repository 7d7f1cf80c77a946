"""Pieces on many cores."""

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from frames.engines.job import Progress
from frames.engines.shard_queue import finish_shards
from frames.engines.workers import start_workers
from frames.errors import BadInput
from frames.exports.layout import Format
from frames.exports.pieces import Piece
from frames.exports.source import Frames, Source, read_frames
from frames.exports.unfinished import mark_piece


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
    try:
        with start_workers(count, _start, task) as pool:

            def submit(place: int) -> Future[None]:
                return pool.submit(_work, todo[place])

            for place in finish_shards(submit, range(len(todo)), lambda: 2 * count, pool.obey):
                if progress is not None:
                    progress.advance(todo[place].rows)
    except BrokenProcessPool:
        raise BadInput(
            f"a worker was killed: is there memory for --workers {workers}? run the same command"
            " with fewer to go on"
        ) from None


_task: Task | None = None
_frames: Frames | None = None


def _start(task: Task) -> None:
    global _task
    _task = task


def _work(piece: Piece) -> None:
    global _frames
    assert _task is not None
    if _frames is None:  # here and not at the start, where an error could not be handed on
        _frames = _task.source.open()
    make_piece(_task, _frames, piece)
