"""Worker processes: single-threaded, deaf to Ctrl-C, stopped with the work or with their parent."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Workers:
    """Processes that take work."""

    obey: Callable[[], None]
    """To be called now and then: raises what Ctrl-C or SIGTERM asked for meanwhile."""
    _pool: ProcessPoolExecutor

    def submit(self, work: Callable[..., None], *arguments: object) -> "Future[None]":
        """Hand work to whichever process is idle first. Raises BrokenProcessPool, as the future
        does, if one was killed."""
        with _deaf_children():  # a process may be started here
            return self._pool.submit(work, *arguments)


@contextmanager
def start_workers(count: int, begin: Callable[..., None], *arguments: object) -> Iterator[Workers]:
    """Spawned processes that call `begin(*arguments)` first; a block that ends early stops them.

    Signals wait for `obey` within the block: raised at any moment, they could strike while a
    process is being started, which then nobody would know of.
    """
    others = set(multiprocessing.active_children())
    with held_signals() as obey, _one_thread_each():
        pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=partial(_begin, begin, *arguments),
        )
        try:
            yield Workers(obey, pool)
        except BaseException:
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started meanwhile have one thread: as many processes as cores are asked for."""
    saved = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in saved.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def held_signals() -> Iterator[Callable[[], None]]:
    """Ctrl-C and SIGTERM wait until the function that this gives is called."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    heard: list[int] = []
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    held = {n: handler for n, handler in handlers.items() if callable(handler)}

    def obey() -> None:
        if heard:
            held[signal.Signals(heard[0])](heard[0], None)

    for number in held:
        signal.signal(number, lambda n, _: heard.append(n))
    try:
        yield obey
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started meanwhile do not hear Ctrl-C, not even while they start: the terminal sends
    it to all of them, and it is the parent's to decide what it means.
    """
    was = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, was)


def _begin(begin: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=_follow_parent, daemon=True).start()
    begin(*arguments)


def _follow_parent() -> None:
    """End with the parent, however it ends: an orphan would write into a folder given up."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
