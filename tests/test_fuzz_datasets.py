"""Shards and dataset.json, broken: `verify` tells, and readers refuse in one clear line."""

import hashlib
import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fabricate import encode_table, write_dataset
from fuzzing import (
    EXTREME,
    HOSTILE,
    SEEDS,
    Target,
    few,
    harm_bytes,
    harm_json,
    meet,
    meets_refusals,
)
from hypothesis import given

from augment import open_sensed
from augment.profile import load_profile
from augment.sensing import read_sensing
from frames.camera import Camera
from frames.census.stats import collect_stats
from frames.checks.verify import verify_dataset
from frames.store.card import build_card
from frames.store.dataset import open_dataset
from frames.store.folder import check_meta, read_meta
from frames.store.schema import SCHEMA
from frames.store.shard import shard_path, sum_path
from frames.store.splits import read_splits

CAMERA = Camera("pinhole", 24, 16, 20.0, 20.0, 11.5, 7.5)
FRAMES = 6


def write_shards(folder: Path) -> Path:
    """A dataset of one small shard in two row groups; the shard."""
    write_dataset(folder / "data", FRAMES, FRAMES, CAMERA, row_group=4)
    return shard_path(folder / "data", 0)


def read_shards(path: Path) -> None:
    """Read every frame in every way. The sidecar fits, as with a file that was made to harm."""
    folder = path.parent.parent
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sum_path(path).write_text(f"{digest}  {path.name}\n")
    report = verify_dataset(folder)
    assert all(len(problem.splitlines()) == 1 for problem in report.problems), report.problems
    data = open_dataset(folder)
    data[FRAMES - 1]
    for frame in data:
        assert frame.clean_depth is None or frame.clean_depth.dtype == np.uint16
    for batch in data.batches(size=3):
        assert len(batch["frame_id"])
    collect_stats(data)


def harm_rows(random: Random, data: bytes) -> bytes:
    """A sound Parquet file of our schema whose values are wrong."""
    table = pq.read_table(pa.BufferReader(data))
    rows = table.to_pylist()
    for _ in range(random.choice((1, 1, 3))):
        row = random.choice(rows)
        name = random.choice(list(row))
        if name in ("hands", "objects") and row[name] and random.randrange(4):
            row = random.choice(row[name])
            name = random.choice(list(row))
        elif name == "camera" and random.randrange(8):
            row = row["camera"]
            name = random.choice(list(row))
        was = row[name]
        if isinstance(was, bytes):
            row[name] = random.choice(
                (None, b"", harm_bytes(random, was), harm_bytes(random, was), random.randbytes(40))
            )
        elif isinstance(was, list) and was and not isinstance(was[0], dict) and random.randrange(3):
            row[name] = harm_list(random, was)
        else:
            row[name] = random.choice((*HOSTILE, *EXTREME, 60_000, 1e30))
    try:
        return encode_table(pa.Table.from_pylist(rows, SCHEMA), random.choice((1, 4, 128)))
    except (pa.ArrowException, ValueError, TypeError, OverflowError, UnicodeError):
        return data  # no value of that type


def harm_list(random: Random, was: list[Any]) -> list[Any]:
    """A vector of another length, or with another number in it."""
    what = random.randrange(4)
    if what == 0:
        return was[: random.randrange(len(was))]
    if what == 1:
        return was * random.choice((2, 3))
    place = random.randrange(len(was))
    numbers = (None, float("nan"), float("inf"), -1, 0, 1, 255, 1e30, -1e30, 7)
    return [*was[:place], random.choice(numbers), *was[place + 1 :]]


META = {
    "config": {"camera": "ego-small", "frames": FRAMES, "seed": 3, "scene": {"object_share": 0.5}},
    "camera": CAMERA.to_dict(),
    "inputs": {"hand": "sha256:0"},
    "splits": {"train": [0, 4], "val": [4, 6]},
    "source": "synthetic",
    "title": "Hands",
    "sensor": {"seed": 4, "baked": False, "profile": load_profile("sr300").to_dict()},
    "occlusion": {"seed": 7, "share_before": 0.5},
}


def write_meta(folder: Path) -> Path:
    """A dataset that says much of itself; its dataset.json."""
    from frames.store.folder import create_dataset

    splits = {"train": (0, 4), "val": (4, 6)}
    write_dataset(folder / "data", FRAMES, FRAMES, CAMERA, splits=splits)
    path = folder / "data" / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **META}, indent=1))
    create_dataset(folder / "data", json.loads(path.read_text()))
    return path


def read_everything_of(path: Path) -> None:
    """Whatever readers ask of dataset.json."""
    folder = path.parent
    verify_dataset(folder, checksums=False, labels=False)
    meta = read_meta(folder)
    build_card(meta)
    check_meta(meta, folder)
    for name in read_splits(meta):
        open_dataset(folder, split=name)
    read_sensing(meta, folder)
    next(iter(open_sensed(folder)))


def read_config_of(path: Path) -> None:
    """What rendering again asks of dataset.json."""
    from synth.config_check import check_config
    from synth.config_file import config_from_meta

    check_config(config_from_meta(read_meta(path.parent)))


TARGETS = (
    Target("shard-bytes", write_shards, read_shards, harm_bytes),
    Target("shard-rows", write_shards, read_shards, harm_rows),
    Target("meta", write_meta, read_everything_of, harm_json),
    Target("meta-config", write_meta, read_config_of, harm_json),
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
@few(40)
@given(seed=SEEDS)
def test_broken(target: Target, seed: int) -> None:
    meet(target, seed)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_what_is_broken_is_read(target: Target) -> None:
    """Else there would be nothing to refuse."""
    assert meets_refusals(target) != target.patient
