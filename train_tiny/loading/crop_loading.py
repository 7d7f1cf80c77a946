"""Batches of crops for training: any mix of sources, any number of workers, from any batch on.

    mix = open_sources(["out/train", "live:more.toml"], [0.8, 0.2])
    for images, targets in feed_crops(mix, LoaderConfig(sensor="random"), seed=1).read(epoch=0):
        ...

All of it is a pure function of mix, configuration, seed and epoch (`train_tiny.loading.rounds`).
"""

from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from augment.geometry.training import TrainingGeometry
from augment.occlusion.config import Occlusion
from augment.sensing import choose_sensing
from frames.errors import BadInput
from train_tiny.loading.feeding import RoundFeed
from train_tiny.loading.kept_rounds import KeptRounds
from train_tiny.loading.mixing import Mix, Sources, open_sources
from train_tiny.loading.packing import Crops, make_targets
from train_tiny.loading.preparation import STILL, Preparation
from train_tiny.loading.rounds import Packed, RoundMaker
from train_tiny.loading.sources import CLEAN
from train_tiny.loading.taking import Taking
from train_tiny.losses.tasks import Targets
from train_tiny.ranks import Ranks

__all__ = [
    "Keep",
    "LoaderConfig",
    "Mix",
    "feed_crops",
    "open_sources",
]


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
    frames, and those of sensors that match rendered pairs, keep what their sensor read."""
    occlusion: Occlusion | None = Occlusion()  # noqa: RUF009
    """None for none."""
    geometry: TrainingGeometry | None = TrainingGeometry()  # noqa: RUF009
    """Its size is `size_px`; None for the plain crop."""
    taking: Taking = Taking()  # noqa: RUF009
    """Which hands of a frame take part."""
    views: int = 1
    """Crops of each hand of a frame as its sensor read it, each with a geometry of its own: two
    take a third less time each, and are less different than those of two frames."""

    def __post_init__(self) -> None:
        if self.batch < 1 or self.size_px < 8 or self.views < 1:
            raise BadInput(
                f"batch and views must be >= 1 and size_px >= 8, got {self.batch}, {self.views}"
                f" and {self.size_px}"
            )


@dataclass(frozen=True)
class Keep:
    """Where rounds are kept, and of how many epochs (`train_tiny.loading.kept_rounds`)."""

    folder: Path
    """Of this mix, configuration and seed alone."""
    epochs: int = 1


def feed_crops(
    mix: Mix,
    config: LoaderConfig,
    seed: int,
    workers: int = 0,
    pin: bool = False,
    ranks: Ranks = Ranks(),  # noqa: B008
    keep: Keep | None = None,
) -> RoundFeed:
    """Crops of hands: images (B, 1, S, S) float32 and `train_tiny.losses.tasks.Targets`.

    An epoch lasts until the source that takes longest was met whole. keep: where rounds of the
    first epochs are kept; None: all are made anew. Raises BadInput for a source or sensor that
    cannot be.
    """
    how = prepare(config, seed)
    made = RoundMaker(open_mix(mix, config), Crops(how, config.views), how, config.batch)
    rounds = made if keep is None else KeptRounds(made, keep.folder, keep.epochs, seed)
    return RoundFeed(rounds, _unpack, workers, pin, ranks)


def open_mix(mix: Mix, config: LoaderConfig) -> Sources:
    """A mix's sources as a configuration takes them."""
    return mix.open(config.split, config.taking, config.sensor)


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


def _unpack(packed: Packed) -> tuple[Tensor, Targets]:
    return packed["image"][:, None], make_targets(packed)
