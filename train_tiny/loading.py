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

from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from augment.occlusion.config import Occlusion
from augment.sensing import choose_sensing
from augment.training_geometry import TrainingGeometry
from frames.errors import BadInput
from train_tiny.mixing import Mix, Sources, open_sources
from train_tiny.packing import make_targets
from train_tiny.preparation import CLEAN, STILL, Preparation
from train_tiny.rounds import RoundMaker
from train_tiny.taking import Taking
from train_tiny.tasks import Targets

__all__ = ["LoaderConfig", "Mix", "count_batches", "make_loader", "open_sources"]

ROUND: Final = 512
"""Crops that are made together, about: enough to mix the two hands of a frame into many others."""


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
    size = max(1, ROUND // config.batch) * config.batch
    maker = RoundMaker(sources, prepare(config, seed), epoch, size)
    rounds = _Rounds(maker, config.batch, start_batch, batches)
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
    """The rounds of an epoch from a batch on, for workers."""

    def __init__(self, maker: RoundMaker, batch: int, start: int, stop: int) -> None:
        """start, stop: batches."""
        self._maker, self._batch = maker, batch
        self._start, self._stop = start, stop
        self._each = maker.size // batch
        self._first = start // self._each

    def __len__(self) -> int:
        return max(0, -(-self._stop // self._each) - self._first)

    def __getitem__(self, index: int) -> Any:
        """The crops of a round in whole batches, or an error that users can mend, as it is: raised
        in a worker, it would come with its trace."""
        try:
            number = self._first + index
            packed = self._maker.make(number, shared=get_worker_info() is not None)
        except BadInput as error:
            return error
        first = max(self._start - number * self._each, 0) * self._batch
        stop = (self._stop - number * self._each) * self._batch
        return {name: tensor[first:stop] for name, tensor in packed.items()}


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
