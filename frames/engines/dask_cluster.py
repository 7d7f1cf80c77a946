"""Shards made by the workers of a Dask cluster: one that runs, or one of this machine's own.

The scheduler gives the shards of a worker that is gone to others. A worker makes a shard only if it
sees the very dataset, and has the very versions, of the machine that asks: a shard's bytes are the
same wherever it is made.
"""

import importlib
import logging
import pickle
import signal
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from frames.engines.job import Engine, Job, Maker, Progress, make_shard
from frames.engines.shard_queue import finish_shards
from frames.engines.workers import held_signals
from frames.errors import BadInput
from frames.store.folder import check_same, count_rows, read_meta, sweep_orphans

CONNECT_S: Final = 10
"""A scheduler must answer in so many seconds."""
WORKERLESS_S: Final = 120
"""A cluster may be without any worker for so long."""
CENSUS_S: Final = 2
"""How often a cluster's workers are counted."""
LIBRARIES: Final = ("numpy", "numba", "llvmlite", "pyarrow", "opencv-python-headless", "zstandard")
"""Whose versions may show in a shard's bytes."""


@contextmanager
def open_dask(scheduler: str, workers: int) -> Iterator[Engine]:
    """The engine of a cluster, connected while the block lasts.

    scheduler: its address, as in tcp://10.0.0.5:8786; "" for a cluster of so many workers on this
    machine. Raises BadInput if Dask is not installed or no scheduler answers.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise BadInput(
            f"the engine dask needs {error.name}: pip install 'handloom[dask]'"
        ) from None
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        if not scheduler:
            with _deaf_children():
                cluster = stack.enter_context(
                    distributed.LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        host="127.0.0.1",
                        dashboard_address=None,
                        silence_logs=logging.CRITICAL,
                    )
                )
            scheduler = cluster.scheduler_address
        client = stack.enter_context(_connect(distributed, scheduler))
        yield _DaskEngine(distributed, client, scheduler)


@contextmanager
def _connect(distributed: Any, scheduler: str) -> Iterator[Any]:
    client = None
    try:
        try:
            client = distributed.Client(
                scheduler, timeout=CONNECT_S, set_as_default=False, name="handloom"
            )
        except (OSError, TimeoutError) as error:
            raise BadInput(
                f"no Dask scheduler answers at {scheduler} within {CONNECT_S} s ({_last(error)}):"
                " start one (dask scheduler), or check --scheduler"
            ) from None
        except (ValueError, TypeError) as error:
            raise BadInput(
                f"scheduler must be an address as in tcp://10.0.0.5:8786, got {scheduler!r}"
                f" ({_last(error)})"
            ) from None
        yield client
    finally:
        if client is not None:
            client.close(timeout=CONNECT_S)


class _DaskEngine:
    """A `frames.engines.job.Engine`."""

    def __init__(self, distributed: Any, client: Any, scheduler: str) -> None:
        self._distributed, self._client, self._scheduler = distributed, client, scheduler
        self._threads, self._counted, self._seen = 0, 0.0, time.monotonic()

    def __call__(
        self, folder: Path, job: Job, workers: int, todo: Sequence[int], progress: Progress | None
    ) -> None:
        """See `frames.engines.job.Engine`; how many workers there are is the cluster's to say."""
        size = {"frames": job.frames, "frames_per_shard": job.frames_per_shard}
        order = pickle.dumps((folder.absolute(), job, list_versions()))
        # The same interface as the local pool's. A shard is no function of its arguments to Dask:
        # a result that it remembers is no file.
        executor = self._client.get_executor(pure=False)
        try:
            with held_signals() as obey:

                def check() -> None:
                    obey()
                    self._check()

                self._check()
                done = finish_shards(
                    lambda index: executor.submit(make_remotely, order, index),
                    todo,
                    lambda: 2 * max(1, self._threads),
                    check,
                )
                for index in done:
                    if progress is not None:
                        progress.advance(count_rows(size, index))
        except CancelledError:
            raise self._explain_loss() from None
        except self._distributed.KilledWorker as error:
            raise BadInput(
                f"{error.allowed_failures + 1} workers were killed one after the other by a shard"
                f" of {folder}: have they memory enough? the same command goes on from there"
            ) from None
        except (ImportError, AttributeError, pickle.UnpicklingError) as error:
            raise BadInput(
                f"the workers at {self._scheduler} cannot make shards ({_last(error)}): install"
                f" the same handloom where the scheduler and the workers run"
            ) from None
        finally:
            if self._client.status == "running":
                executor.shutdown(wait=False)
        sweep_orphans(folder, todo)  # of workers that were killed

    def _check(self) -> None:
        """Count the workers now and then; raise BadInput if scheduler or workers are gone."""
        if self._client.status != "running":
            raise self._explain_loss()
        now = time.monotonic()
        if now - self._counted < CENSUS_S:
            return
        try:
            self._threads = sum(self._client.nthreads().values())
        except (OSError, TimeoutError, RuntimeError):
            raise self._explain_loss() from None
        self._counted = now
        if self._threads:
            self._seen = now
        elif now - self._seen > WORKERLESS_S:
            raise BadInput(
                f"the scheduler at {self._scheduler} has had no worker for {WORKERLESS_S} s: start"
                f" some (dask worker {self._scheduler} --nthreads 1) and run the same command again"
            )

    def _explain_loss(self) -> BadInput:
        return BadInput(
            f"the Dask scheduler at {self._scheduler} went away: what is finished stays, the same"
            " command goes on from there once it is back"
        )


def list_versions() -> dict[str, str]:
    """Versions of the libraries that have a hand in a shard's bytes."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


_turn = threading.Lock()
"""A maker is one a process; Dask's worker may have many threads."""


def make_remotely(order: bytes, index: int) -> None:
    """One shard, made in a worker. Raises BadInput, naming the worker, if it cannot be there."""
    with _turn:
        try:
            folder, job, maker = _take_order(order)
            size = {"frames": job.frames, "frames_per_shard": job.frames_per_shard}
            first = index * job.frames_per_shard
            make_shard(maker, folder, index, first, count_rows(size, index))
        except BadInput as error:
            raise BadInput(f"{error} (on the worker {_name_worker()})") from None


@lru_cache(maxsize=1)
def _take_order(order: bytes) -> tuple[Path, Job, Maker]:
    folder, job, versions = pickle.loads(order)
    own = list_versions()
    for name, wanted in versions.items():
        if own[name] != wanted:
            raise BadInput(
                f"{name} is {own[name]} here and {wanted} where the command was given, and shards"
                " might differ: install the same"
            )
    try:
        read_meta(folder)
    except BadInput as error:
        raise BadInput(
            f"{error}: all workers must see the same folder, or give s3://BUCKET/PREFIX"
        ) from None
    maker = job.build()
    check_same(folder, maker.describe())
    return folder, job, maker


def _name_worker() -> str:
    distributed: Any = importlib.import_module("distributed")
    try:
        return str(distributed.get_worker().address)
    except ValueError:
        return "?"


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started meanwhile, by any thread, do not hear Ctrl-C: the terminal sends it to all
    of them, and it is the command's to stop its cluster.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    was = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, was)


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's own logging of what we say in one line is left out."""
    names = [n for n in logging.root.manager.loggerDict if n.split(".")[0] == "distributed"]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions that differ; ours are checked by the worker
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _last(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[-1] or type(error).__name__
