"""Ctrl-C and SIGTERM while training: the first waits until a step is done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def catch_signals(wait: bool) -> Iterator[list[int]]:
    """A list that gets a signal's number instead of an interruption; a second one interrupts.

    wait: False leaves signals as they are: of several processes each would stop at another step and
    wait for the rest. So does any thread but the first.
    """
    caught: list[int] = []

    def note(number: int, _: object) -> None:
        if caught:
            raise KeyboardInterrupt(number)
        caught.append(number)

    before = {}
    try:
        if wait:
            for number in (signal.SIGINT, signal.SIGTERM):
                before[number] = signal.signal(number, note)
    except ValueError:  # not the main thread
        pass
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
