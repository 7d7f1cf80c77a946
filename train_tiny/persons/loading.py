"""Batches of pictures of persons, made as `train_tiny.loading.crop_loading` makes crops."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from frames.errors import BadInput
from train_tiny.loading.feeding import RoundFeed
from train_tiny.loading.mixing import Sources
from train_tiny.loading.preparation import STILL, Preparation
from train_tiny.loading.rounds import Packed, RoundMaker, check_items
from train_tiny.loading.taking import Taking
from train_tiny.losses.full_frames import FrameTargets
from train_tiny.persons.data import Persons, PersonSource
from train_tiny.persons.views import PersonGeometry
from train_tiny.ranks import Ranks

MEAN: Final = (0.485, 0.456, 0.406)
SPREAD: Final = (0.229, 0.224, 0.225)
"""Of red, green and blue in 0 .. 1: what the published weights were trained with."""


def feed_persons(
    sources: Sequence[PersonSource],
    shares: Sequence[float] | None,
    batch: int,
    size_px: tuple[int, int],
    seed: int,
    geometry: PersonGeometry | None = PersonGeometry(),  # noqa: B008
    workers: int = 0,
    pin: bool = False,
    ranks: Ranks = Ranks(),  # noqa: B008
) -> RoundFeed:
    """Pictures: images (B, 3, H, W) float32 and `train_tiny.losses.full_frames.FrameTargets`.

    geometry: None for the picture as it is. Epochs and errors as of
    `train_tiny.loading.crop_loading.feed_crops`.
    """
    how = Preparation(STILL, Taking(), None, None, True, seed)
    kind = Persons(sources[0].layout, size_px, geometry, seed)
    # Pictures go the way of frames: a source, its samples, rounds.
    mixed = Sources(cast(Any, tuple(sources)), cast(Any, shares))
    return RoundFeed(RoundMaker(mixed, cast(Any, kind), how, batch), unpack, workers, pin, ranks)


def make_person_eval_loader(
    source: PersonSource,
    size_px: tuple[int, int],
    batch: int,
    workers: int = 0,
    plain: bool = False,
) -> Iterator[tuple[Tensor, FrameTargets]]:
    """All pictures in the order of their ids, nothing drawn, the last batch shorter.

    plain: images as bytes, not normalised.
    """
    loader: Any = DataLoader(
        _Chunks(source, size_px, batch),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
    )
    for packed in check_items(loader):
        images, targets = unpack(packed)
        yield (packed["image"] if plain else images), targets


def unpack(packed: Packed) -> tuple[Tensor, FrameTargets]:
    """Images as the network takes them, and targets."""
    names = ("keypoints_px", "visible", "right", "ignored_px", "unknown")
    return normalise(packed["image"]), FrameTargets(**{name: packed[name] for name in names})


def normalise(images: Tensor) -> Tensor:
    """(B, 3, H, W) uint8 RGB -> float32, each colour of mean 0 and deviation 1 in ImageNet."""
    mean, spread = (torch.tensor(v, device=images.device)[:, None, None] for v in (MEAN, SPREAD))
    return (images.float() / 255 - mean) / spread


class _Chunks(Dataset[Any]):
    def __init__(self, source: PersonSource, size_px: tuple[int, int], batch: int) -> None:
        self._source, self._kind = source, Persons(source.layout, size_px, None, 0)
        self._spans: Sequence[tuple[int, int]] = [
            (first, min(first + batch, source.crops)) for first in range(0, source.crops, batch)
        ]

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, index: int) -> Any:
        first, stop = self._spans[index]
        try:
            taken = self._source.take_in_order(first, stop)
            packed = self._kind.allocate(stop - first, shared=False)
            arrays = {name: tensor.numpy() for name, tensor in packed.items()}
            for place, one in enumerate(taken):
                self._kind.put(arrays, place, self._kind.view(one, self._source))
        except BadInput as error:
            return error
        return packed
