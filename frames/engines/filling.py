"""Shards on many cores: what is finished is skipped, what was killed is done again.

A shard depends on its job and its index only, and appears whole or not at all: neither the number
of workers nor a restart changes a byte.
"""

from pathlib import Path

from frames.engines.job import Engine, Job, Progress, make_shard
from frames.engines.pool import run_pool
from frames.errors import BadInput
from frames.store.dataset import create_dataset, finished_shards, lock_shards, sweep_orphans
from frames.store.folder import count_rows, count_shards


def parse_range(text: str, shards: int) -> range:
    """`I/N` -> the I-th (from 1) of N nearly equal runs of shards. Raises BadInput otherwise."""
    part, slash, whole = text.partition("/")
    if not (slash and part.isdecimal() and whole.isdecimal() and 1 <= int(part) <= int(whole)):
        raise BadInput(f"shard-range must be I/N with 1 <= I <= N (1/4 ... 4/4), got {text!r}")
    i, n = int(part), int(whole)
    return range(shards * (i - 1) // n, shards * i // n)


def fill_dataset(
    folder: Path,
    job: Job,
    workers: int,
    shard_range: str = "1/1",
    progress: Progress | None = None,
    engine: Engine = run_pool,
) -> dict[str, int]:
    """Write the shards of `shard_range` that are not there yet.

    Returns counts of frames: written, found. Raises BadInput for what cannot be; what the job needs
    and cannot have shows before anything is written.
    """
    if workers < 1:
        raise BadInput(f"workers must be >= 1, got {workers}")
    size = {"frames": job.frames, "frames_per_shard": job.frames_per_shard}
    indices = parse_range(shard_range, count_shards(size))
    maker = job.build()
    meta = create_dataset(folder, maker.describe())
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
            if engine is run_pool and (workers == 1 or len(todo) <= 1):
                for index in todo:
                    rows = count_rows(meta, index)
                    make_shard(maker, folder, index, index * job.frames_per_shard, rows)
                    if progress is not None:
                        progress.advance(rows)
            else:
                del maker
                engine(folder, job, workers, todo, progress)
        except BaseException:
            # A full disk leaves a sidecar without its shard, a stopped worker a temporary file. A
            # cluster's workers may still be at it: what they leave the next run sweeps.
            if engine is run_pool:
                sweep_orphans(folder, indices)
            raise
    return {"written": sum(count_rows(meta, i) for i in todo), "found": found}
