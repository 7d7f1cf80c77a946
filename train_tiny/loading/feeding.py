"""What a training run asks of its data: batches of an epoch, from any of them on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from train_tiny.loading.rounds import Packed, Rounds, check_start, deliver, share_batches
from train_tiny.ranks import Ranks


class Feed(Protocol):
    """Batches of any kind: whatever the model's loss takes."""

    @property
    def batches(self) -> int:
        """Of an epoch, for each process."""

    def read(self, epoch: int, start: int) -> Iterator[tuple[Tensor, Any]]:
        """The batches start, ... of an epoch for this process: images and targets."""


@dataclass(frozen=True, eq=False)
class RoundFeed:
    """A feed of rounds: made by `feed_crops`, `feed_frames` and `feed_persons`."""

    rounds: Rounds
    unpack: Callable[[Packed], tuple[Tensor, Any]]
    """A batch as the network and its losses take it."""
    workers: int = 0
    """Processes that make rounds; 0: made here."""
    pin: bool = False
    """Whether tensors lie in pinned memory."""
    ranks: Ranks = Ranks()  # noqa: RUF009
    """The processes that train together; each has a stretch of its own of every epoch."""

    @property
    def batches(self) -> int:
        """Of an epoch, for each process. Raises BadInput if there is none for each."""
        return share_batches(self.rounds.batches, self.ranks.count)

    def read(self, epoch: int = 0, start: int = 0) -> Iterator[tuple[Tensor, Any]]:
        """The batches start, ... of an epoch for this process: images and targets.

        Raises BadInput for whatever cannot be loaded, a broken shard among it.
        """
        check_start(start, self.batches)
        if start < self.batches:
            yield from self._deliver(epoch * self.batches + start, endless=False)

    def read_on(self, start: int = 0) -> Iterator[tuple[Tensor, Any]]:
        """Epoch after epoch by the same workers, who go on while the last batches are consumed.

        start: counted over all epochs.
        """
        return self._deliver(start, endless=True)

    def _deliver(self, start: int, endless: bool) -> Iterator[tuple[Tensor, Any]]:
        own = self.ranks.rank, self.ranks.count
        for packed in deliver(self.rounds, start, self.workers, self.pin, endless, *own):
            yield self.unpack(packed)
