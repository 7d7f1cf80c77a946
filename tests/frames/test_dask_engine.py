"""A real Dask cluster on loopback: a worker killed, a scheduler gone, a slow disk; same bytes.

Tests of the one cluster come first, and take it apart in their order.
"""

import hashlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fabricated_job import PATIENCE_S, FabricatedJob, read_victim, wait_for

import frames.engines.dask_cluster
from frames.engines.dask_cluster import list_versions, make_remotely, open_dask
from frames.engines.filling import fill_dataset
from frames.errors import BadInput
from frames.store.folder import create_dataset, finished_shards

distributed = pytest.importorskip("distributed")

HERE = Path(__file__).resolve().parent
SHARDS = 11


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """SHA-256 of every file, made by one process."""
    folder = tmp_path_factory.mktemp("once")
    assert fill_dataset(folder, FabricatedJob(), 1)["written"] == 44
    return hash_files(folder)


def hash_files(folder: Path) -> dict[str, str]:
    """All files but the lock, whatever they are called."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@contextmanager
def run(*arguments: object, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Dask's, stopped at the end."""
    path = os.pathsep.join([str(HERE), str(HERE.parents[1]), *sys.path])
    with subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path, **variables},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def run_scheduler(folder: Path, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler in a process of its own, and its address."""
    note = folder / "scheduler.json"
    with run(
        *("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port),
        *("--no-dashboard", "--scheduler-file", note),
    ) as process:
        wait_for(note)
        yield json.loads(note.read_text())["address"], process


def run_worker(address: str, folder: Path, threads: int = 1, **variables: str) -> Any:
    """A worker in a process of its own, that nobody starts again."""
    return run(
        *("distributed.cli.dask_worker", address, "--nthreads", threads, "--no-nanny"),
        *("--host", "127.0.0.1", "--no-dashboard", "--local-directory", folder / "spill"),
        **variables,
    )


@dataclass(frozen=True)
class Cluster:
    """A scheduler and its two workers, each a process of its own; nobody starts them again."""

    address: str
    scheduler: "subprocess.Popen[bytes]"
    workers: "list[subprocess.Popen[bytes]]"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests of this file, which take a worker from it, and at last the scheduler."""
    folder = tmp_path_factory.mktemp("cluster")
    with (
        run_scheduler(folder) as (address, scheduler),
        run_worker(address, folder) as one,
        run_worker(address, folder) as two,
    ):
        with distributed.Client(address, timeout=PATIENCE_S, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE_S)
        yield Cluster(address, scheduler, [one, two])


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines that run tests may be slow."""
    monkeypatch.setattr(frames.engines.dask_cluster, "CONNECT_S", 120)


def in_background(action: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def test_a_slow_disk_holds_up_nobody(
    cluster: Cluster, once: dict[str, str], tmp_path: Path
) -> None:
    slow, out = tmp_path / "slow", tmp_path / "out"
    slow.mkdir()
    done: list[int] = []

    def release() -> None:
        read_victim(slow)
        began = time.monotonic()
        # The slow worker keeps the shard that it has, and the next one that it was given.
        while len(finished_shards(out)) < SHARDS - 2 and time.monotonic() - began < PATIENCE_S / 2:
            time.sleep(0.05)
        done.append(len(finished_shards(out)))
        (slow / "released").touch()

    releaser = in_background(release)
    with open_dask(cluster.address, 0) as engine:
        fill_dataset(out, FabricatedJob(slow=slow), 1, engine=engine)
    releaser.join()
    assert done[0] >= SHARDS - 2
    assert hash_files(out) == once


def test_a_worker_that_would_make_other_bytes_is_named(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADE_BY", "2")  # here, not there
    with (
        open_dask(cluster.address, 0) as engine,
        pytest.raises(BadInput, match=r"generator_version is .*on the worker tcp://") as raised,
    ):
        fill_dataset(tmp_path / "out", FabricatedJob(), 1, engine=engine)
    assert finished_shards(tmp_path / "out") == set()
    assert "\n" not in str(raised.value)


def test_a_worker_killed_in_the_middle_changes_no_byte(
    cluster: Cluster, once: dict[str, str], tmp_path: Path
) -> None:
    hold, out = tmp_path / "hold", tmp_path / "out"
    hold.mkdir()

    def kill() -> None:
        os.kill(read_victim(hold), signal.SIGKILL)
        (hold / "released").touch()

    killer = in_background(kill)
    with open_dask(cluster.address, 0) as engine:
        counts = fill_dataset(out, FabricatedJob(hold=hold), 1, engine=engine)
    killer.join()
    assert counts == {"written": 44, "found": 0}
    ended = [p.poll() for p in cluster.workers]
    assert sorted(ended, key=str) == [-signal.SIGKILL, None]
    assert hash_files(out) == once  # and nothing half-written beside


def test_a_scheduler_that_goes_away_is_told_and_the_rest_made_later(
    cluster: Cluster, once: dict[str, str], tmp_path: Path
) -> None:
    hold, out = tmp_path / "hold", tmp_path / "out"
    hold.mkdir()

    def kill() -> None:
        read_victim(hold)
        cluster.scheduler.kill()

    killer = in_background(kill)
    with (
        pytest.raises(
            BadInput, match=r"scheduler at .* went away: what is finished stays"
        ) as raised,
        open_dask(cluster.address, 0) as engine,
    ):
        fill_dataset(out, FabricatedJob(hold=hold), 1, engine=engine)
    killer.join()
    for worker in cluster.workers:  # one that lost its scheduler ends, but not in the middle
        worker.kill()
        worker.wait()
    assert "\n" not in str(raised.value)
    assert len(finished_shards(out)) < SHARDS
    fill_dataset(out, FabricatedJob(), 1)
    assert hash_files(out) == once


def test_a_cluster_of_ones_own(once: dict[str, str], tmp_path: Path) -> None:
    with open_dask("", 2) as engine:
        assert fill_dataset(tmp_path, FabricatedJob(), 2, "2/2", engine=engine)["written"] == 24
        assert fill_dataset(tmp_path, FabricatedJob(), 2, engine=engine)["found"] == 24
    assert hash_files(tmp_path) == once


def test_threads_of_a_worker_take_turns(once: dict[str, str], tmp_path: Path) -> None:
    job = FabricatedJob()
    create_dataset(tmp_path, job.build().describe())
    order = pickle.dumps((tmp_path, job, list_versions()))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda index: make_remotely(order, index), range(SHARDS)))
    assert hash_files(tmp_path) == once


def test_an_address_that_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames.engines.dask_cluster, "CONNECT_S", 1)
    with socket.socket() as taken:  # bound, not listening: nobody else takes the port
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(BadInput, match=f"no Dask scheduler answers at {address}") as raised,
            open_dask(address, 0),
        ):
            pass
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("wrong", ["nonsense", "pigeon://roof:1", "tcp://127.0.0.1:port"])
def test_what_is_no_address(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames.engines.dask_cluster, "CONNECT_S", 1)
    with pytest.raises(BadInput, match="scheduler") as raised, open_dask(wrong, 0):
        pass
    assert "\n" not in str(raised.value) and wrong in str(raised.value)


def test_a_scheduler_without_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames.engines.dask_cluster, "WORKERLESS_S", 0.1)
    monkeypatch.setattr(frames.engines.dask_cluster, "CENSUS_S", 0.1)
    with (
        distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None) as idle,
        pytest.raises(BadInput, match="has had no worker for"),
        open_dask(idle.scheduler_address, 0) as engine,
    ):
        fill_dataset(tmp_path / "out", FabricatedJob(), 1, engine=engine)


def test_a_worker_that_does_not_see_the_folder(tmp_path: Path) -> None:
    order = pickle.dumps((tmp_path / "elsewhere", FabricatedJob(), list_versions()))
    with pytest.raises(BadInput, match="all workers must see the same folder"):
        make_remotely(order, 0)


def test_a_worker_with_other_libraries(tmp_path: Path) -> None:
    order = pickle.dumps((tmp_path, FabricatedJob(), {**list_versions(), "pyarrow": "1.0"}))
    with pytest.raises(BadInput, match=r"pyarrow is .* here and 1\.0 where the command"):
        make_remotely(order, 0)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput, match=r"pip install 'handloom\[dask\]'"), open_dask("", 1):
        pass
