"""Reading rates of a dataset on this machine, for several row-group sizes.

python bench/reading.py [FRAMES]    fabricates 160x120 data in a temporary folder, prints the table.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from codec import draw_scene
from rich.console import Console
from rich.table import Table

from frames.camera import CAMERAS
from frames.codec import encode_depth, encode_parts
from frames.dataset import Dataset, create_dataset, open_dataset
from frames.schema import table_from_columns
from frames.shard import encode_table, write_shard

PER_SHARD = 4096
SUPERVISED = ["frame_id", "clean_depth", "hands.keypoints_px", "hands.visibility"]
"""What training a keypoint network reads."""


def build_table(first: int, count: int, depth: list[bytes], parts: list[bytes]) -> pa.Table:
    """Labels of the real size and type around a pool of drawn images."""
    rng = np.random.default_rng(first)
    n = 2 * count

    def draw(*shape: int) -> Any:
        return rng.normal(size=(n, *shape)).astype(np.float32)

    frames = {
        "frame_id": np.arange(first, first + count),
        "source": ["synthetic"] * count,
        "camera": CAMERAS["ego-small"],
        "T_world_from_camera": np.tile(np.eye(4, dtype=np.float32), (count, 1, 1)),
        "depth_scale": np.full(count, 10_000.0),
        "clean_depth": [depth[i % len(depth)] for i in range(count)],
        "parts": [parts[i % len(parts)] for i in range(count)],
    }
    hands = {
        "side": ["left", "right"] * count,
        "wearer": np.ones(n, bool),
        "part_base": np.tile(np.array([0, 32], np.uint8), count),
        "keypoints_px": draw(21, 2),
        "keypoints_cam_m": draw(21, 3),
        "surface_depth_m": draw(21),
        "visibility": rng.integers(0, 3, (n, 21)).astype(np.uint8),
        "occlusion": rng.integers(0, 5, (n, 21)).astype(np.uint8),
        "visible_fraction": draw(),
        "box_px": draw(4),
        "box_amodal_px": draw(4),
        "key_pose": ["fist", None] * count,
        "joint_angles_rad": draw(26),
        "shape": draw(12),
        "identity": np.arange(n) % 100,
        "T_camera_from_wrist": draw(4, 4),
        "provenance": np.zeros((n, 21), np.uint8),
    }
    none = np.zeros(count, np.int64)
    return table_from_columns(frames, np.full(count, 2), hands, none, {"kind": [], **_NO_OBJECTS})


_NO_OBJECTS = {
    "part_code": np.zeros(0, np.uint8),
    "T_camera_from_object": np.zeros((0, 4, 4), np.float32),
    "size_m": np.zeros((0, 3), np.float32),
}


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


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8192
    scenes = [draw_scene(120, 160, seed, noise=False) for seed in range(64)]
    depth, parts = [encode_depth(s[0]) for s in scenes], [encode_parts(s[1]) for s in scenes]
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
            for i, first in enumerate(range(0, count, PER_SHARD)):
                rows = build_table(first, min(PER_SHARD, count - first), depth, parts)
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
    console = Console(width=120)
    console.print(table)

    console.print(f"frames/s, one process, {count:,} frames of 160x120")


if __name__ == "__main__":
    main()
