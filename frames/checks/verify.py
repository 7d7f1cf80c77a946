"""Verify a dataset: checksums, schema, missing shards, and labels against images."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from frames.checks.consistency import check_batch
from frames.checks.scene_rules import MOMENT_COLUMNS, Moment, find_last
from frames.engines.filling import parse_range
from frames.errors import BadInput
from frames.store.dataset import Dataset, open_dataset
from frames.store.folder import count_shards, find_shards, finished_shards
from frames.store.place import find_place
from frames.store.shard import SHARD_FOLDER, check_sum, shard_name, shard_path
from frames.store.splits import read_splits

_MAX_PROBLEMS: Final = 200
_BATCH: Final = 128


@dataclass(frozen=True)
class Report:
    """What a verification found."""

    frames: int
    """Frames whose labels were read."""

    shards: int
    """Shards that are there."""

    problems: tuple[str, ...]
    """One line each; empty for a sound dataset."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify_dataset(
    folder: str | Path,
    checksums: bool = True,
    labels: bool = True,
    on_shard: Callable[[int, int], None] | None = None,
    split: str | None = None,
    shard_range: str = "1/1",
) -> Report:
    """Check a dataset, wherever it lies; what is wrong with it becomes a problem, none is raised.

    checksums: compare each shard with its SHA-256. labels: decode every image and check every label
    (see `consistency`). on_shard: called with (shards done, shards in all) for a progress
    bar. split: only the shards that hold frames of this split, and its labels. shard_range: "I/N",
    only the I-th of N equal parts of these shards; all parts together find what the whole does.
    Raises BadInput for a shard_range that is none.
    """
    folder = find_place(folder)
    problems: list[str] = []
    parse_range(shard_range, 0)
    try:
        data = open_dataset(folder, partial=True, split=split)
    except BadInput as error:
        return Report(0, 0, (str(error),))
    shards = find_shards(data.meta, data.frames)
    part = parse_range(shard_range, len(shards))
    wanted = shards[part.start : part.stop]
    there = finished_shards(folder)
    frames = 0
    before = _find_before(data, shards[: part.start], there) if labels and wanted else None
    for done, index in enumerate(_choose_shards(wanted, there), 1):
        if index in there:
            found = _check_shard(data, index, checksums, labels, before)
            problems += found.problems
            frames += found.frames
            before = found.last
        else:
            problems.append(_explain_missing(folder, index))
            before = None
        if on_shard is not None:
            on_shard(done, len(wanted))
    problems += _count_missing(wanted, there)
    if part.stop == len(shards):  # whoever has the end looks beyond it
        total = count_shards(data.meta)
        for index in sorted(i for i in there if i >= total):
            problems.append(
                f"{shard_path(folder, index)} is one too many: dataset.json has {total}"
            )
    if len(problems) > _MAX_PROBLEMS:
        left = len(problems) - _MAX_PROBLEMS
        problems = [*problems[:_MAX_PROBLEMS], f"... and {left} problems more"]
    whole = split is None and len(part) == len(shards)
    return Report(frames, len(there if whole else there & set(wanted)), tuple(problems))


def _choose_shards(wanted: range, there: set[int]) -> Iterator[int]:
    """Those to look at: all that are there, and of those that are not only the first."""
    lacking = 0
    for index in wanted:
        if index in there:
            yield index
        elif lacking < _MAX_PROBLEMS:
            lacking += 1
            yield index
        else:  # a dataset.json may claim a billion
            yield from sorted(i for i in there if i in wanted and i > index)
            return


def _count_missing(wanted: range, there: set[int]) -> list[str]:
    """A line for missing shards beyond those that were told one by one."""
    left = len(wanted) - sum(i in wanted for i in there) - _MAX_PROBLEMS
    return [f"... and {left} shards more are missing"] if left > 0 else []


def _find_before(data: Dataset, earlier: range, there: set[int]) -> Moment | None:
    """The moment of the frame before a part, whose own part checks it; None if it is unreadable."""
    if not earlier or earlier[-1] not in there:
        return None
    moment = None
    try:
        for batch in data.batches(list(MOMENT_COLUMNS), _BATCH, shards=[earlier[-1]]):
            moment = find_last(batch)
    except BadInput:
        return None
    return moment


@dataclass(frozen=True)
class _Found:
    """What is in a shard, and what is wrong with it."""

    frames: int
    problems: list[str]
    last: Moment | None
    """None if its frames were not all read."""


def _check_shard(
    data: Dataset, index: int, checksums: bool, labels: bool, before: Moment | None
) -> _Found:
    name = shard_name(index)
    problems: list[str] = []
    broken: OrderedDict[str, tuple[str, int]] = OrderedDict()
    frames = 0
    try:
        if checksums:
            check_sum(shard_path(data.folder, index))
    except BadInput as error:
        return _Found(0, [str(error)], None)  # what else is wrong with it follows from that
    columns = None if labels else ["frame_id"]
    splits = read_splits(data.meta)
    next_id = max(index * int(data.meta["frames_per_shard"]), data.frames.start)
    try:
        for batch in data.batches(columns, _BATCH, shards=[index]):
            ids = batch["frame_id"]
            wanted = next_id + np.arange(len(ids))
            if not np.array_equal(ids, wanted):
                k = int(np.argmax(ids != wanted))
                problems.append(
                    f"{name}: frame_id {ids[k]} where {wanted[k]} should be: a shard in "
                    f"another's place?"
                )
                before = None  # what does not follow from it would only confuse
            frames += len(ids)
            next_id += len(ids)
            for finding in check_batch(batch, splits, before) if labels else ():
                place, count = broken.get(finding.rule, (finding.place, 0))
                broken[finding.rule] = (place, count + finding.count)
            before = find_last(batch) if labels else None
    except BadInput as error:
        problems.append(str(error))
        before = None
    for rule, (first, times) in broken.items():
        problems.append(f"{name}: {rule} ({times} times, first: {first})")
    return _Found(frames, problems, before)


def _explain_missing(folder: Path, index: int) -> str:
    path = shard_path(folder, index)
    if path.exists():
        return f"{path} has no SHA-256 sidecar: delete it and run the same command again"
    return f"{SHARD_FOLDER}/{path.name} is missing: run the same command again to write it"
