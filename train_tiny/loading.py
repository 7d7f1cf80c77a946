"""Batches of crops for training: any mix of sources, any number of workers, from any batch on.

    mix = open_sources(["out/train", "live:more.toml"], [0.8, 0.2])
    for images, targets in make_loader(mix, LoaderConfig(sensor="random"), seed=1, epoch=0):
        ...

Batches are made by rounds: a few batches at a time, of frames that lie near each other. A round is
a pure function of (seed, epoch, its number), so workers make whole rounds each and batches are the
same for any number of them; and training goes on at any batch of an epoch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from augment.occlusion.config import Occlusion
from augment.occlusion.sprites import Sprite
from augment.sensing import choose_sensing
from augment.training_geometry import TrainingGeometry
from frames.errors import BadInput
from train_tiny.mixing import Mix, Sources, open_sources
from train_tiny.order import shuffle_slots
from train_tiny.packing import Arrays, join_crops, make_targets, pack_crops
from train_tiny.preparation import (
    AGAIN,
    CLEAN,
    STILL,
    Preparation,
    Prepared,
    find_sprites,
    prepare_frame,
    prepare_hands,
)
from train_tiny.taking import Taking
from train_tiny.tasks import Targets

__all__ = ["LoaderConfig", "Mix", "count_batches", "make_loader", "open_sources"]

ROUND: Final = 512
"""Crops that are made together, about: enough to mix the two hands of a frame into many others."""

_REFILL: Final = "train/refill"


@dataclass(frozen=True)
class LoaderConfig:
    """What a batch is. Raises BadInput for values that cannot be."""

    batch: int = 64
    """Crops."""
    size_px: int = 128
    """Side of a crop."""
    split: str | None = "train"
    """Which frames; None for all. A dataset without splits is all train."""
    sensor: str = ""
    """A profile's name or file in place of the datasets' own sensors; "none" for clean depth. Real
    frames keep their own sensor's depth."""
    occlusion: Occlusion | None = Occlusion()  # noqa: RUF009
    """None for none."""
    geometry: TrainingGeometry | None = TrainingGeometry()  # noqa: RUF009
    """Its size is `size_px`; None for the plain crop."""
    taking: Taking = Taking()  # noqa: RUF009
    """Which hands of a frame take part."""

    def __post_init__(self) -> None:
        if self.batch < 1 or self.size_px < 8:
            raise BadInput(
                f"a batch must have at least one crop of 8 px, got {self.batch} of {self.size_px}"
            )


def count_batches(mix: Mix, config: LoaderConfig) -> int:
    """Batches of an epoch: until the source that takes longest was met whole, at least one."""
    return max(1, open_mix(mix, config).crops // config.batch)


def make_loader(
    mix: Mix,
    config: LoaderConfig,
    seed: int,
    epoch: int = 0,
    start_batch: int = 0,
    workers: int = 0,
    pin: bool = False,
) -> Iterator[tuple[Tensor, Targets]]:
    """The batches start_batch, ... of an epoch: images (B, 1, S, S) float32 and their targets.

    workers: processes that make them; 0 makes them here. pin: whether the tensors lie in pinned
    memory. Raises BadInput for whatever cannot be loaded, a broken shard among it.
    """
    sources = open_mix(mix, config)
    batches = max(1, sources.crops // config.batch)
    if workers < 0 or start_batch < 0:
        raise BadInput(f"workers and start_batch must be >= 0, got {workers} and {start_batch}")
    rounds = _Rounds(sources, config, prepare(config, seed), epoch, start_batch, batches)
    loader: Any = DataLoader(
        rounds,
        batch_size=None,
        num_workers=workers,
        pin_memory=pin,
        prefetch_factor=2 if workers else None,
    )
    for arrays in check_items(loader):
        for first in range(0, len(arrays["right"]), config.batch):
            part = {name: t[first : first + config.batch] for name, t in arrays.items()}
            yield part["image"][:, None], make_targets(part)


def open_mix(mix: Mix, config: LoaderConfig) -> Sources:
    """A mix's sources as a configuration takes them."""
    return mix.open(config.split, config.taking, config.sensor == "")


def prepare(config: LoaderConfig, seed: int, fresh: bool = True) -> Preparation:
    """What a configuration does to frames. Raises BadInput for a sensor that cannot be."""
    geometry = config.geometry or STILL
    clean = config.sensor == CLEAN
    sensing = None if clean or not config.sensor else choose_sensing(config.sensor, seed, False)
    if sensing is not None and sensing.needs_pair:
        raise BadInput(f"sensor {config.sensor} matches rendered pairs: it cannot be put on later")
    return Preparation(
        geometry=replace(geometry, size=(config.size_px, config.size_px)),
        taking=config.taking,
        occlusion=config.occlusion,
        sensing=sensing,
        clean=clean,
        seed=seed,
        fresh=fresh,
    )


class _Rounds(Dataset[Any]):
    """The rounds of an epoch, by number."""

    def __init__(
        self,
        sources: Sources,
        config: LoaderConfig,
        how: Preparation,
        epoch: int,
        start_batch: int,
        batches: int,
    ) -> None:
        self._sources, self._how, self._epoch = sources, how, epoch
        self._batch = config.batch
        self._each = max(1, ROUND // config.batch)
        self._start, self._batches = start_batch, batches
        self._first = start_batch // self._each
        self._sprites: dict[int, list[Sprite]] = {}

    def __len__(self) -> int:
        return max(0, -(-self._batches // self._each) - self._first)

    def __getitem__(self, index: int) -> Any:
        """The crops of a round as tensors, in whole batches; an error that users can mend as it is,
        for a worker's would come with its trace."""
        try:
            number = self._first + index
            crops = self._make(number)
            first = max(self._start - number * self._each, 0) * self._batch
            stop = (self._batches - number * self._each) * self._batch
            return {n: torch.from_numpy(a[first:stop]) for n, a in crops.items()}
        except BadInput as error:
            return error

    def _make(self, number: int) -> Arrays:
        size = self._each * self._batch
        parts = []
        for k, (first, stop) in enumerate(self._sources.split_round(number, size)):
            if stop > first:
                parts.append(self._make_part(k, first, stop))
        crops = join_crops(parts)
        order = shuffle_slots(self._how.seed, self._epoch, number, size)
        return {name: array[order] for name, array in crops.items()}

    def _make_part(self, k: int, first: int, stop: int) -> Arrays:
        """Exactly stop - first crops of one source."""
        source, how = self._sources.sources[k], self._how
        if k not in self._sprites:
            self._sprites[k] = find_sprites(source, how, self._epoch)
        made: list[Prepared] = []
        for taken in source.take(how.seed, self._epoch, first, stop):
            frame = prepare_frame(taken, source, how, self._sprites[k])
            made += prepare_hands(frame, taken.hands, taken.epoch, how)
        if not made:
            raise BadInput(f"of {stop - first} hands of {source.name} {_explain_none(how)}")
        return pack_crops(self._refill(made, stop - first, k), how.geometry.size[0])

    def _refill(self, made: list[Prepared], count: int, k: int) -> list[Prepared]:
        """Places of hands that took no part go to other views of those that did."""
        turn, whole = 1, len(made)
        while len(made) < count:
            for one in made[: min(whole, count - len(made))]:
                epoch = self._epoch + turn * AGAIN
                again = list(prepare_hands(one.frame, [one.hand], epoch, self._how))
                made.append(again[0] if again else one)
            turn += 1
        return made[:count]


def _explain_none(how: Preparation) -> str:
    name = "their sensor" if how.sensing is None else f"the sensor {how.sensing.profile.name}"
    return (
        f"{name} reads {how.taking.least_read:.0%} of none: are the hands within its range? Try"
        f" another sensor, or hands at other distances"
    )


def check_items(loader: Any) -> Iterator[Any]:
    """What a loader gives, with one line for what went wrong in a worker."""
    try:
        for made in loader:
            if isinstance(made, BadInput):
                raise made
            yield made
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise BadInput(
            "a worker that loads training data was killed: is there enough memory and /dev/shm?"
            " Fewer workers need less"
        ) from error
