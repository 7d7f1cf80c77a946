"""Batches of whole frames, made as `train_tiny.loading.crop_loading` makes batches of crops."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from augment.geometry.training import FRAME, TrainingGeometry
from augment.occlusion.config import Occlusion
from frames.camera import Camera
from frames.errors import BadInput
from train_tiny.loading.crop_loading import LoaderConfig, prepare
from train_tiny.loading.feeding import RoundFeed
from train_tiny.loading.frame_packing import FullFrames, PreparedFrame
from train_tiny.loading.mixing import Mix, Sources
from train_tiny.loading.preparation import STILL, Preparation
from train_tiny.loading.rounds import Packed, RoundMaker, check_items
from train_tiny.loading.taking import Taking
from train_tiny.losses.full_frames import FrameTargets, make_targets
from train_tiny.ranks import Ranks

FRAMES: Final = TrainingGeometry(
    around=FRAME,
    roll_range_rad=(-0.52, 0.52),
    aim_range=(0.0, 0.0),
    zoom_range=(0.75, 1.5),
    shift_range=(-0.12, 0.12),
    depth_offset_range_m=(0.0, 0.0),
)
"""What LitePose was trained with: turns of 30 degrees, sizes 0.75 to 1.5, moves of 40 px."""


@dataclass(frozen=True)
class FrameLoaderConfig:
    """What a batch of whole frames is. Raises BadInput for values that cannot be."""

    batch: int = 32
    """Frames."""
    size_px: tuple[int, int] = (256, 192)
    """Width and height, multiples of 16. Frames of other proportions have a rim of nothing on their
    right or below."""
    split: str | None = "train"
    """As in `LoaderConfig`, like all below."""
    sensor: str = ""
    occlusion: Occlusion | None = Occlusion()  # noqa: RUF009
    geometry: TrainingGeometry | None = FRAMES
    """None for the frame as it is."""
    taking: Taking = Taking()  # noqa: RUF009
    """Which hands are taught; all that are left out are ignored, not background."""
    views: int = 1
    """Samples of each frame as its sensor read it, each with a geometry of its own: of three, each
    takes half the time, and they are less different than those of three frames."""

    def __post_init__(self) -> None:
        if self.batch < 1 or self.views < 1 or any(n < 16 or n % 16 for n in self.size_px):
            raise BadInput(
                f"batch and views must be >= 1 and size_px (width, height) multiples of 16, got"
                f" {self.batch}, {self.views} and {self.size_px}"
            )


@dataclass(frozen=True, eq=False)
class FrameFacts:
    """What is known of B frames besides their targets."""

    source: list[str]
    frame_id: NDArray[np.int64]
    camera: list[Camera]
    """Of the image, rim left out."""
    depth_m: NDArray[np.float32]
    """(B, H, W) what the sensor read, 0 for nothing."""
    sensor: list[str]
    """Name of the device; "" for none that is known, or clean depth."""
    situation: list[str]
    """What hands do, "" for not known."""


def count_frames(mix: Mix, config: FrameLoaderConfig) -> int:
    """Frames of all sources, each once."""
    return sum(source.crops for source in _open(mix, config).sources)


def feed_frames(
    mix: Mix,
    config: FrameLoaderConfig,
    seed: int,
    workers: int = 0,
    pin: bool = False,
    ranks: Ranks = Ranks(),  # noqa: B008
) -> RoundFeed:
    """Whole frames: images (B, 1, H, W) float32 and `train_tiny.losses.full_frames.FrameTargets`.

    Epochs and errors as of `train_tiny.loading.crop_loading.feed_crops`.
    """
    how = _prepare(config, seed)
    kind = FullFrames(how, config.size_px, config.views)
    rounds = RoundMaker(_open(mix, config), kind, how, config.batch)
    return RoundFeed(rounds, _unpack, workers, pin, ranks)


def make_frame_eval_loader(
    mix: Mix, config: FrameLoaderConfig, seed: int = 0, workers: int = 0
) -> Iterator[tuple[Tensor, FrameTargets, FrameFacts]]:
    """Images, targets and facts of all frames in order, the last batch shorter.

    Nothing random but what the configuration names; the sensor's noise is its own seed's.
    """
    kind = FullFrames(_prepare(config, seed, fresh=False), config.size_px)
    chunks = _Chunks(_open(mix, config), kind, config.batch)
    loader: Any = DataLoader(
        chunks, batch_size=None, num_workers=workers, prefetch_factor=2 if workers else None
    )
    for packed, facts in check_items(loader):
        yield *_unpack(packed), facts


class _Chunks(Dataset[Any]):
    def __init__(self, sources: Sources, kind: FullFrames, batch: int) -> None:
        self._sources, self._kind = sources.sources, kind
        self._spans = [
            (k, first, min(first + batch, source.crops))
            for k, source in enumerate(self._sources)
            for first in range(0, source.crops, batch)
        ]

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, index: int) -> Any:
        k, first, stop = self._spans[index]
        source, kind = self._sources[k], self._kind
        try:
            taken = source.take_in_order(first, stop)
            made = list(kind.make(stop - first, taken, source, ()))
        except BadInput as error:
            return error
        packed = kind.allocate(len(made), shared=False)
        arrays = {name: tensor.numpy() for name, tensor in packed.items()}
        for i, one in enumerate(made):
            kind.put(arrays, i, one)
        return packed, _tell_facts(source.name, made)


def _tell_facts(name: str, made: Sequence[PreparedFrame]) -> FrameFacts:
    sensed = [one.frame.sensor if one.frame.depth is not None else None for one in made]
    return FrameFacts(
        source=[name] * len(made),
        frame_id=np.array([one.frame.frame_id for one in made], np.int64),
        camera=[one.sample.camera for one in made],
        depth_m=np.stack([one.depth_m for one in made]),
        sensor=[sensor or "" for sensor in sensed],
        situation=[one.frame.situation or "" for one in made],
    )


def _open(mix: Mix, config: FrameLoaderConfig) -> Sources:
    return mix.open(config.split, None, config.sensor)


def _prepare(config: FrameLoaderConfig, seed: int, fresh: bool = True) -> Preparation:
    like = LoaderConfig(sensor=config.sensor, occlusion=config.occlusion, taking=config.taking)
    geometry = config.geometry or replace(STILL, around=FRAME)
    return replace(prepare(like, seed, fresh), geometry=replace(geometry, size=config.size_px))


def _unpack(packed: Packed) -> tuple[Tensor, FrameTargets]:
    return packed["image"][:, None], make_targets(packed)
