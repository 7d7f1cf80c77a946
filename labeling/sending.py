"""Sending without doubles: after any failure, look what has become of it before sending again.

A request whose answer is lost may still be carried out later: the server goes on when its client
is gone, and so does a server behind a proxy that answered 502. So what was sent is looked for,
until it is there, or until so much time has passed that it can no longer come; only then is what
is missing sent again.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from frames.errors import BadInput
from labeling.studio import StudioError

T = TypeVar("T")
A = TypeVar("A")


@dataclass(frozen=True)
class Patience:
    """How long to wait for what."""

    settle_s: float = 10.0
    """A request without an answer is looked for so long before it counts as lost; at least ten
    times as long as the longest one that was answered."""

    tries: int = 6
    """So many failures in a row, without a frame more on the server, end a run."""

    pause_s: float = 0.5
    """Before the first look after a failure; then twice as long, up to `longest_pause_s`."""

    longest_pause_s: float = 8.0


class Sender:
    """Sends batches until every item of them is on the server, once."""

    def __init__(self, patience: Patience, note: Callable[[str], None] | None = None) -> None:
        """note: is told of failures."""
        self._patience = patience
        self._note = note
        self._longest_s = 0.0
        self.failures = 0
        """How many requests have failed."""

    def send(
        self,
        items: Sequence[T],
        deliver: Callable[[Sequence[T]], None],
        find_missing: Callable[[Sequence[T]], list[T]],
    ) -> None:
        """Deliver items in one request; on a failure, those that are missing again.

        deliver raises StudioError where a request fails; find_missing asks the server which items
        it does not have. Raises BadInput when the server does not come round.
        """
        left, failed = list(items), 0
        while left:
            began = time.monotonic()
            try:
                deliver(left)
                self._longest_s = max(self._longest_s, time.monotonic() - began)
                return
            except StudioError as error:
                self.failures += 1
                failed += 1
                self._tell(error)
                self._check(failed, error)
                certain = error.certain
            count = len(left)
            left = self.settle(left, find_missing, failed, 0.0 if certain else None)
            if len(left) < count:
                failed = 0

    def ask(self, ask: Callable[[], A]) -> A:
        """A question, or a change that is the same done twice: asked again when it fails."""
        failed = 0
        while True:
            try:
                return ask()
            except StudioError as error:
                self.failures += 1
                failed += 1
                self._tell(error)
                self._check(failed, error)
                time.sleep(self._pause(failed))

    def settle(
        self,
        items: Sequence[T],
        find_missing: Callable[[Sequence[T]], list[T]],
        failed: int = 1,
        settle_s: float | None = None,
    ) -> list[T]:
        """Which items are missing, when they can no longer come.

        settle_s: how long they may still be under way; None for as long as `Patience` says.
        """
        if settle_s is None:
            settle_s = max(self._patience.settle_s, 10.0 * self._longest_s)
        end = time.monotonic() + settle_s
        pause = self._pause(failed)
        unseen = 0
        while True:
            time.sleep(pause)
            late = time.monotonic() >= end
            try:
                missing = find_missing(items)
            except StudioError as error:
                self.failures += 1
                unseen += 1
                self._tell(error)
                self._check(unseen, error)
                pause = self._pause(unseen + 1)
                continue
            unseen = 0
            # The look that counts began after the last moment at which they could come.
            if not missing or late:
                return missing
            pause = min(pause, max(end - time.monotonic(), 0.05))

    def _pause(self, failed: int) -> float:
        return min(self._patience.pause_s * 2.0 ** (failed - 1), self._patience.longest_pause_s)

    def _check(self, failed: int, error: StudioError) -> None:
        if failed >= self._patience.tries:
            raise BadInput(
                f"{error}; gave up after {failed} failures in a row: nothing is lost, the same"
                " command goes on from there"
            ) from None

    def _tell(self, error: StudioError) -> None:
        if self._note is not None:
            self._note(str(error))
