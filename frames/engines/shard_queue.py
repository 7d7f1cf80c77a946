"""Shards handed out to an executor a few at a time, for a million may be left."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Final

POLL_S: Final = 0.2
"""How often the caller is asked whether to go on."""


def finish_shards(
    submit: Callable[[int], "Future[None]"],
    indices: Sequence[int],
    ahead: Callable[[], int],
    check: Callable[[], None],
) -> Iterator[int]:
    """Indices of shards as they are finished, whoever is quick having more of them.

    submit: begins a shard. ahead: how many may be begun and not finished, all workers busy. check:
    called every fifth of a second, raises to stop. Raises what a shard raises.
    """
    queue = iter(indices)
    running: dict[Future[None], int] = {}
    while True:
        while len(running) < ahead() and (index := next(queue, None)) is not None:
            running[submit(index)] = index
        if not running:
            return
        finished, _ = wait(running, POLL_S, FIRST_COMPLETED)
        check()
        for future in finished:
            index = running.pop(future)
            future.result()
            yield index
