"""Whole frames as a training run's data."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from frames.errors import BadInput
from train_tiny.frame_loading import FrameLoaderConfig, count_frame_batches, make_frame_loader
from train_tiny.mixing import Mix
from train_tiny.ranks import Ranks


@dataclass(frozen=True)
class FrameFeed:
    """Whole frames from a mix of datasets; a `train_tiny.feeding.Feed`."""

    mix: Mix
    config: FrameLoaderConfig
    seed: int
    workers: int = 0
    ranks: Ranks = Ranks()  # noqa: RUF009
    pin: bool = False

    @property
    def batches(self) -> int:
        """Of an epoch, for each process."""
        count = count_frame_batches(self.mix, self.config)
        if count < self.ranks.count:
            raise BadInput(
                f"an epoch of {count} batches cannot be shared by {self.ranks.count} processes:"
                " take smaller batches, fewer processes or more data"
            )
        return count // self.ranks.count

    def read(self, epoch: int, start: int) -> Iterator[tuple[Tensor, Any]]:
        """Every process has a stretch of its own of the epoch's shuffled order."""
        count = self.batches
        first = self.ranks.rank * count + start
        batches = make_frame_loader(
            self.mix, self.config, self.seed, epoch, first, self.workers, self.pin
        )
        return itertools.islice(batches, max(0, count - start))
