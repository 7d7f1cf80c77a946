"""What a training run asks of its data, and crops of hands as such data."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from torch import Tensor

from frames.errors import BadInput
from frames.folder import read_meta
from frames.place import find_place
from frames.splits import read_splits
from train_tiny.eval_loading import evaluate_with, make_eval_loader
from train_tiny.live import LIVE
from train_tiny.loading import (
    Keep,
    LoaderConfig,
    Mix,
    count_batches,
    make_loader,
    open_sources,
)
from train_tiny.metrics import measure_palm
from train_tiny.ranks import Ranks
from train_tiny.validation import Held, hold_crops, join_held

VALIDATION: Final = "val"
"""The split that is validated on, of data that have it."""


class Feed(Protocol):
    """Batches of any kind: whatever the model's loss takes."""

    @property
    def batches(self) -> int:
        """Of an epoch, for each process."""

    def read(self, epoch: int, start: int) -> Iterator[tuple[Tensor, Any]]:
        """The batches start, ... of an epoch for this process: images and targets."""


@dataclass(frozen=True)
class CropFeed:
    """Crops of hands from a mix of datasets."""

    mix: Mix
    config: LoaderConfig
    seed: int
    workers: int = 0
    ranks: Ranks = Ranks()  # noqa: RUF009
    pin: bool = False
    keep: Keep | None = None

    @property
    def batches(self) -> int:
        """Of an epoch, for each process."""
        count = count_batches(self.mix, self.config)
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
        batches = make_loader(
            *(self.mix, self.config, self.seed, epoch, first, self.workers, self.pin, self.keep)
        )
        return itertools.islice(batches, max(0, count - start))


def hold_validation(
    specs: Sequence[str], config: LoaderConfig, split: str, most: int, seed: int, workers: int = 0
) -> Held | None:
    """Crops to validate on: of each dataset that has the split, `most` in all; None without any.

    They are loaded as for evaluation: sensors as in training, nothing else drawn.
    """
    there = [spec for spec in specs if split in list_splits(spec)]
    if not there or most < 1:
        return None
    parts = []
    for spec in there:
        plain = replace(evaluate_with(config, split), batch=64)
        batches = make_eval_loader(open_sources([spec]), plain, seed, workers)
        triples = (
            (images, targets.keypoints_px, measure_palm(targets.keypoints_px.numpy()))
            for images, targets, _ in batches
        )
        parts.append(hold_crops(triples, -(-most // len(there))))
    held = join_held(parts)
    return held if len(held) else None


def list_splits(spec: str) -> tuple[str, ...]:
    """Names of the splits of a dataset or a live configuration."""
    if spec.startswith(LIVE):
        from synth.config_file import load_config
        from synth.split import parse_split

        text = load_config(Path(spec.removeprefix(LIVE))).split
        return tuple(parse_split(text).names) if text else ()
    return tuple(read_splits(read_meta(find_place(spec))))
