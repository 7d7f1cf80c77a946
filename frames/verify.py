"""Verify a dataset: checksums, schema, missing shards, and labels against images."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from frames.consistency import check_batch
from frames.dataset import Dataset, open_dataset
from frames.errors import BadInput
from frames.folder import count_shards, finished_shards
from frames.shard import SHARD_FOLDER, check_sum, shard_name, shard_path

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
) -> Report:
    """Check a dataset folder; every failure becomes a problem, none is raised.

    checksums: compare each shard with its SHA-256. labels: decode every image and check every label
    (see `frames.consistency`). on_shard: called with (shards done, shards in all) for a progress
    bar.
    """
    folder = Path(folder)
    problems: list[str] = []
    try:
        data = open_dataset(folder, partial=True)
    except BadInput as error:
        return Report(0, 0, (str(error),))
    total = count_shards(data.meta)
    there = finished_shards(folder)
    frames = 0
    for done, index in enumerate(range(total), 1):
        if index in there:
            found = _check_shard(data, index, checksums, labels)
            problems += found[1]
            frames += found[0]
        else:
            problems.append(_explain_missing(folder, index))
        if on_shard is not None:
            on_shard(done, total)
    for index in sorted(i for i in there if i >= total):
        problems.append(f"{shard_path(folder, index)} is one too many: dataset.json has {total}")
    if len(problems) > _MAX_PROBLEMS:
        left = len(problems) - _MAX_PROBLEMS
        problems = [*problems[:_MAX_PROBLEMS], f"... and {left} problems more"]
    return Report(frames, len(there), tuple(problems))


def _check_shard(data: Dataset, index: int, checksums: bool, labels: bool) -> tuple[int, list[str]]:
    """How many frames were read, and what is wrong with them."""
    name = shard_name(index)
    problems: list[str] = []
    broken: OrderedDict[str, tuple[str, int]] = OrderedDict()
    frames = 0
    try:
        if checksums:
            check_sum(shard_path(data.folder, index))
    except BadInput as error:
        return 0, [str(error)]  # what else is wrong with it follows from that
    columns = None if labels else ["frame_id"]
    next_id = index * int(data.meta["frames_per_shard"])
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
            frames += len(ids)
            next_id += len(ids)
            for finding in check_batch(batch) if labels else ():
                place, count = broken.get(finding.rule, (finding.place, 0))
                broken[finding.rule] = (place, count + finding.count)
    except BadInput as error:
        problems.append(str(error))
    for rule, (first, times) in broken.items():
        problems.append(f"{name}: {rule} ({times} times, first: {first})")
    return frames, problems


def _explain_missing(folder: Path, index: int) -> str:
    path = shard_path(folder, index)
    if path.exists():
        return f"{path} has no SHA-256 sidecar: delete it and run the same synth command again"
    return f"{SHARD_FOLDER}/{path.name} is missing: run the same synth command again to write it"
