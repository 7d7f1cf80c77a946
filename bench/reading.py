"""Reading rates of a dataset on this machine, for several row-group sizes.

python -m bench.reading [FRAMES]    generates 160x120 frames in a temporary folder, prints a table.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.render import describe_machine
from frames.store.dataset import Dataset, create_dataset, open_dataset
from frames.store.shard import encode_table, write_shard
from synth.config import SynthConfig
from synth.generator import Generator

PER_SHARD = 4096
SUPERVISED = ["frame_id", "clean_depth", "hands.keypoints_px", "hands.visibility"]
"""What training a keypoint network reads."""


def measure(run: Callable[[], int], rounds: int = 3) -> float:
    """Frames a second, the best of some rounds; run returns how many frames it read."""
    best = 0.0
    for _ in range(rounds):
        start = time.perf_counter()
        count = run()
        best = max(best, count / (time.perf_counter() - start))
    return best


def count_batches(data: Dataset, columns: list[str] | None) -> int:
    """Read everything through `batches`."""
    return sum(len(b["frame_id"]) for b in data.batches(columns))


def read_random(data: Dataset, places: np.ndarray[Any, Any]) -> int:
    """Read single frames, reading decoded."""
    return sum(data[int(i)].reading is not None for i in places)


def main(count: int = 8192) -> None:
    """Print the table."""
    maker = Generator(SynthConfig(frames=count, seed=1, camera="ego-small"))
    shards = [range(i, min(i + PER_SHARD, count)) for i in range(0, count, PER_SHARD)]
    tables = [maker.make_table(rows.start, rows.stop) for rows in shards]
    rng = np.random.default_rng(0)
    places = rng.integers(0, count, 1000)
    table = Table(
        "row group", "bytes/frame", "Parquet us", "batches: depth", "depth + keypoints", "all",
        "stream", "random", "random, depth only", "random, cached",
    )  # fmt: skip
    for row_group in (32, 64, 128, 256):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "data"
            create_dataset(folder, {"frames": count, "frames_per_shard": PER_SHARD})
            spent, size = 0.0, 0
            for i, rows in enumerate(tables):
                start = time.perf_counter()
                encode_table(rows, row_group)
                spent += time.perf_counter() - start
                size += write_shard(folder, i, rows, row_group).stat().st_size
            data = open_dataset(folder)
            cold = open_dataset(folder, cache_mb=0)
            lean = open_dataset(folder, ["clean_depth"], cache_mb=0)
            warm = open_dataset(folder, cache_mb=4000)
            figures = [
                measure(lambda d=data: count_batches(d, ["frame_id", "clean_depth"])),
                measure(lambda d=data: count_batches(d, SUPERVISED)),
                measure(lambda d=data: count_batches(d, None)),
                measure(lambda d=data: sum(f.reading is not None for f in d.stream())),
                measure(lambda d=cold: read_random(d, places)),
                measure(lambda d=lean: read_random(d, places)),
                measure(lambda d=warm: read_random(d, places)),
            ]
            table.add_row(
                str(row_group), f"{size / count:,.0f}", f"{spent / count * 1e6:.0f}",
                *(f"{f:,.0f}" for f in figures),
            )  # fmt: skip
    table.title = f"{describe_machine()}\nframes/s, one process, {count:,} frames of 160x120"
    Console(width=120).print(table)


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:2]))
