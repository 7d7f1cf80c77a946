"""The same bytes for any number of workers, order, restart and batch; runs that survive deaths."""

import itertools
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

import frames.engines.pool
import synth.generator
from bench.killing import Settings, hash_files, soak
from frames.engines.filling import parse_range
from frames.errors import BadInput
from frames.store.shard import open_shard, shard_path
from synth.config import SynthConfig
from synth.engine import generate
from synth.generator import Generator
from tests.frames.fabricate import encode_table

CONFIG = SynthConfig(frames=70, seed=3, camera="ego-small", frames_per_shard=16)
"""Five shards, the last one short."""


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made in one go by this process alone."""
    folder = tmp_path_factory.mktemp("once")
    assert generate(folder, CONFIG, workers=1) == {"written": 70, "found": 0}
    return folder


class Watcher:
    """Progress that calls back on every finished shard."""

    def __init__(self, on_begin: Callable[[], None], on_advance: Callable[[], None]) -> None:
        self.begun: tuple[int, int] | None = None
        self.done = 0
        self._on_begin, self._on_advance = on_begin, on_advance

    def begin(self, total: int, there: int) -> None:
        self.begun = (total, there)
        self._on_begin()

    def advance(self, count: int) -> None:
        self.done += count
        self._on_advance()


def ignore() -> None:
    pass


def test_workers_change_no_byte(once: Path, tmp_path: Path) -> None:
    watcher = Watcher(ignore, ignore)
    assert generate(tmp_path, CONFIG, 3, progress=watcher) == {"written": 70, "found": 0}
    assert hash_files(tmp_path) == hash_files(once)
    assert (watcher.begun, watcher.done) == ((70, 0), 70)


def test_ranges_in_any_order_change_no_byte(once: Path, tmp_path: Path) -> None:
    written = [
        generate(tmp_path, CONFIG, 1, shard_range)["written"]
        for shard_range in ("3/3", "1/3", "2/3")
    ]
    assert written == [22, 16, 32]
    assert hash_files(tmp_path) == hash_files(once)


def test_resuming_changes_no_byte(once: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(once, tmp_path / "data")
    shard_path(folder, 1).unlink()  # its sidecar stays, as when a writer is killed in between
    shard_path(folder, 4).unlink()
    (folder / "README.md").unlink()
    (folder / ".dataset.json.7.ab.tmp").write_text("half")
    (folder / "shards" / ".frames-00004.parquet.7.ab.tmp").write_text("half")
    untouched = shard_path(folder, 2).stat().st_mtime_ns
    watcher = Watcher(ignore, ignore)
    assert generate(folder, CONFIG, 1, progress=watcher) == {"written": 22, "found": 48}
    assert watcher.begun == (70, 48)
    assert hash_files(folder) == hash_files(once)
    assert shard_path(folder, 2).stat().st_mtime_ns == untouched
    assert generate(folder, CONFIG, 2) == {"written": 0, "found": 70}


def test_batches_change_no_byte(
    once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synth.generator, "BATCH_PIXELS", 5 * 160 * 120)
    assert Generator(CONFIG).batch == 5
    generate(tmp_path, CONFIG, 1)
    assert hash_files(tmp_path) == hash_files(once)


def test_rows_depend_on_neither_shards_nor_the_number_of_frames(once: Path, tmp_path: Path) -> None:
    """A longer dataset begins with the shorter one's frames."""
    longer = replace(CONFIG, frames=81, frames_per_shard=27)
    generate(tmp_path, longer, 1)
    rows = read_rows(tmp_path, 3).slice(0, 70)
    assert bytes(encode_table(rows)) == bytes(encode_table(read_rows(once, 5)))


def test_another_seed_changes_the_frames(once: Path, tmp_path: Path) -> None:
    generate(tmp_path, replace(CONFIG, seed=4, frames=16), 1)
    assert shard_path(tmp_path, 0).read_bytes() != shard_path(once, 0).read_bytes()


def read_rows(folder: Path, shards: int) -> pa.Table:
    return pa.concat_tables([open_shard(shard_path(folder, i)).read() for i in range(shards)])


@pytest.mark.parametrize(("shards", "parts"), [*itertools.product((1, 2, 7, 100), (1, 3, 8))])
def test_ranges_cover_everything_once(shards: int, parts: int) -> None:
    ranges = [parse_range(f"{i}/{parts}", shards) for i in range(1, parts + 1)]
    assert [i for r in ranges for i in r] == list(range(shards))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


@pytest.mark.parametrize(
    "text", ["", "1", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1.0/2", "²/3"]
)
def test_a_range_that_cannot_be(text: str) -> None:
    with pytest.raises(BadInput, match="shard-range must be I/N"):
        parse_range(text, 10)


def test_more_parts_than_shards(tmp_path: Path) -> None:
    tiny = replace(CONFIG, frames=4)
    found = [generate(tmp_path, tiny, 1, f"{i}/3")["written"] for i in (1, 2, 3)]
    assert sorted(found) == [0, 0, 4]


def test_a_killed_worker_does_not_fail_the_run(once: Path, tmp_path: Path) -> None:
    victims = []

    def kill_one() -> None:
        if not victims:
            victims.append(multiprocessing.active_children()[0])
            victims[0].kill()

    watcher = Watcher(ignore, kill_one)
    assert generate(tmp_path, CONFIG, 2, progress=watcher)["written"] == 70
    assert (len(victims), watcher.done) == (1, 70)
    assert hash_files(tmp_path) == hash_files(once)


def test_workers_that_always_die_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames.engines.pool, "MAX_LOSSES", 3)
    over = threading.Event()

    def kill_all() -> None:
        while not over.wait(0.02):
            for child in multiprocessing.active_children():
                child.kill()

    killer = threading.Thread(target=kill_all)
    try:
        with pytest.raises(BadInput, match="workers were killed 3 times in a row") as raised:
            generate(tmp_path, CONFIG, 2, progress=Watcher(killer.start, ignore))
    finally:
        over.set()
        killer.join()
    assert "is there memory for --workers 2?" in str(raised.value)
    assert_stopped_cleanly(tmp_path)


def test_an_interrupt_stops_at_once_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    many = replace(CONFIG, frames=100_000, frames_per_shard=2000)
    began = 0.0

    def interrupt() -> None:
        nonlocal began
        time.sleep(1.0)
        began = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Thread(target=interrupt)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, many, 2, progress=Watcher(timer.start, ignore))
    assert time.monotonic() - began < 5
    assert_stopped_cleanly(tmp_path)


def test_what_a_worker_cannot_do_is_told_as_the_parent_would(tmp_path: Path) -> None:
    meshes = tmp_path / "meshes"
    meshes.mkdir()
    (meshes / "wedge.off").write_text(
        "OFF\n4 4 0\n0 0 0\n.1 0 0\n0 .1 0\n0 0 .1\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"
    )
    config = replace(CONFIG, objects=str(meshes))
    with pytest.raises(BadInput, match=r"objects folder .* does not exist"):
        generate(
            tmp_path / "out", config, 2, progress=Watcher(lambda: shutil.rmtree(meshes), ignore)
        )
    assert_stopped_cleanly(tmp_path / "out")


def assert_stopped_cleanly(folder: Path) -> None:
    assert multiprocessing.active_children() == []
    names = {p.name for p in (folder / "shards").iterdir()}
    shards = {n for n in names if n.endswith(".parquet")}
    assert names == shards | {n + ".sha256" for n in shards}


@pytest.mark.slow
def test_killed_runs_end_with_the_same_bytes(tmp_path: Path) -> None:
    """A short form of bench/killing.py, which kills twenty."""
    settings = Settings(kills=4, frames=3000, frames_per_shard=100)
    assert soak(settings, tmp_path, tell=print) >= 1
