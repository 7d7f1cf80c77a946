"""A dataset in another format: whole or not at all, the same bytes whatever the workers."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from frames.engines.job import Progress
from frames.errors import BadInput
from frames.exports.layout import About, Format
from frames.exports.pieces import Piece, list_pieces
from frames.exports.source import Source
from frames.exports.unfinished import find_finished, finish, list_marked, open_unfinished
from frames.exports.workers import Task, make_pieces
from frames.store.folder import META_NAME, read_meta
from frames.store.splits import find_split, read_splits


def export_dataset(
    source: Source,
    out: Path,
    form: Format,
    splits: Sequence[str] = (),
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a dataset's frames in a format.

    splits: only these; () for all. Returns counts of frames, "written" and "found" (of a run that
    was stopped, or of the same export made before). Raises BadInput for an OUT that holds
    something else, an unknown split, and what the format cannot hold; a run that fails leaves
    `.OUT.unfinished`, with which the same command goes on.
    """
    if workers < 1:
        raise BadInput(f"workers must be >= 1, got {workers}")
    frames = source.open()
    pieces = choose_pieces(source.folder, frames.meta, form, splits)
    total = sum(piece.rows for piece in pieces)
    form.check(pieces, frames[pieces[0].first])
    about = {
        "format": {"name": form.name, **form.describe()},
        "frames": total,
        "splits": {s: sum(p.rows for p in pieces if p.split == s) for s in list_splits(pieces)},
        "dataset": {
            "sha256": hashlib.sha256((source.folder / META_NAME).read_bytes()).hexdigest(),
            **source.describe(),
        },
    }
    if find_finished(out, about):
        return {"written": 0, "found": total}
    with open_unfinished(out, about) as folder:
        marked = list_marked(folder)
        todo = [p for p in pieces if p.name not in marked]
        found = total - sum(p.rows for p in todo)
        if progress is not None:
            progress.begin(total, found)
        make_pieces(Task(source, form, folder), todo, workers, progress)
        form.finish(folder, pieces, tell_about(frames.meta, total, source.describe()))
        os.sync()
        finish(folder, out)
    return {"written": total - found, "found": found}


def choose_pieces(
    folder: Path, meta: dict[str, Any], form: Format, splits: Sequence[str]
) -> list[Piece]:
    """The pieces of an export. Raises BadInput for an unknown split."""
    place = folder / META_NAME
    for name in splits:
        find_split(meta, name, place)
    there = read_splits(read_meta(folder), place)
    pieces = list_pieces(meta["frames"], there, form.piece_rows, form.undivided)
    return [p for p in pieces if not splits or p.split in splits]


def list_splits(pieces: Sequence[Piece]) -> list[str]:
    """The splits' names, in the order of their frames."""
    return list(dict.fromkeys(p.split for p in pieces))


def tell_about(meta: dict[str, Any], frames: int, read: dict[str, Any]) -> About:
    """What the cards of an export say of its dataset."""
    return About(
        title=str(meta.get("title", "Hand depth frames")),
        license=str(meta.get("license", "other")),
        version=str(meta.get("generator_version", "")),
        frames=frames,
        sensor=str(read.get("sensor", "stored")),
        meta=meta,
    )
