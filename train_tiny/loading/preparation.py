"""From a stored frame to the crops that a network sees: occluders, sensor, dropout, geometry, crop.

Every draw is keyed by (seed, epoch, frame): the same whoever makes it, in whatever order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.geometry.sample import Sample, read_sample
from augment.geometry.training import TrainingGeometry, augment_sample
from augment.occlusion.border import cut_frame
from augment.occlusion.config import Occlusion
from augment.occlusion.dropout import drop_readings
from augment.occlusion.finish import Finish
from augment.occlusion.insertion import insert_occluders
from augment.occlusion.sprites import Sprite, cut_sprites
from augment.readings import sense_frames
from augment.sensing import Sensing
from frames.errors import BadInput
from frames.parts import PROVENANCE_NONE, VISIBILITY_OUTSIDE
from frames.record import Frame
from frames.stream import uniform
from train_tiny.loading.crops import Crop, make_crop
from train_tiny.loading.sources import CLEAN, Source, Taken
from train_tiny.loading.taking import Taking, is_read

STILL: Final = TrainingGeometry(
    roll_range_rad=(0.0, 0.0),
    aim_range=(0.0, 0.0),
    zoom_range=(1.0, 1.0),
    flip_share=0.0,
    depth_factor_range=(1.0, 1.0),
    depth_offset_range_m=(0.0, 0.0),
)
"""The crop alone, nothing drawn."""

SPRITE_CROPS: Final = 48
"""Crops of a source whose hands are cut out, to be put before others."""

AGAIN: Final = 1 << 48
"""Added to the epoch of a second draw from a frame."""


@dataclass(frozen=True)
class Preparation:
    """What happens to a frame on the way."""

    geometry: TrainingGeometry
    taking: Taking
    occlusion: Occlusion | None
    sensing: Sensing | None
    """In place of every source's own sensor."""
    clean: bool
    """Clean depth, where there is any, as it is."""
    seed: int
    fresh: bool = True
    """Whether every epoch has its own noise; else noise is the sensor's own seed's."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """One hand's crop, and where it comes from."""

    crop: Crop
    sample: Sample
    """The crop's images and labels."""
    frame: Frame
    """As the sensor read it."""
    hand: int
    """Its place among the frame's hands."""
    epoch: int
    """What keyed its draws."""


def prepare_frames(
    taken: Sequence[Taken], source: Source, how: Preparation, sprites: Sequence[Sprite] = ()
) -> list[Frame]:
    """Frames of one source as its sensor reads them, with what occludes them.

    Raises BadInput for clean depth that no sensor belongs to.
    """
    occlusion = how.occlusion
    frames = [t.frame for t in taken]
    if occlusion is not None:
        frames = [
            insert_occluders(
                t.frame,
                occlusion,
                how.seed,
                epoch=t.epoch,
                sprites=sprites,
                finish=None if t.frame.clean_depth is not None else Finish(),
            )
            for t in taken
        ]
    frames = _read_frames(frames, [t.epoch for t in taken], source, how)
    if occlusion is None:
        return frames
    out = []
    for frame, t in zip(frames, taken, strict=True):
        frame = drop_readings(frame, occlusion, how.seed, epoch=t.epoch)
        # Last, for a sensor before a moved camera would need that camera's own rays.
        out.append(cut_frame(frame, occlusion, how.seed, epoch=t.epoch))
    return out


def prepare_hands(
    frame: Frame, hands: Sequence[int], epoch: int, how: Preparation
) -> Iterator[Prepared]:
    """The crops of those hands of a frame that its sensor reads and that keep enough labels."""
    depth = frame.reading
    if depth is None:
        raise BadInput(f"frame {frame.frame_id} has no depth image: nothing to see")
    sample = None
    for k in hands:
        hand = frame.hands[k]
        seen = (hand.visibility != VISIBILITY_OUTSIDE).any() or np.isfinite(hand.box_px).all()
        if not seen or not is_read(frame, hand, depth, how.taking):
            continue
        if sample is None:
            sample = read_sample(frame)
            # Nobody asks a crop why a pixel has no reading.
            sample = replace(sample, images=replace(sample.images, invalid=None))
        cut = augment_sample(sample, how.geometry, how.seed, frame.frame_id, epoch, k)
        crop = make_crop(cut, k)
        labels = np.isfinite(crop.keypoints_px[:, 0]).sum()
        boxed = (hand.provenance == PROVENANCE_NONE).all()
        if np.isnan(crop.reference_m) or (labels < how.taking.least_keypoints and not boxed):
            continue
        yield Prepared(crop, cut, frame, k, epoch)


def find_sprites(source: Source, how: Preparation, epoch: int) -> list[Sprite]:
    """Hands to put before others, cut from some frames of the same source."""
    if how.occlusion is None or how.occlusion.cut_hand + how.occlusion.cut_finger == 0:
        return []
    count = min(SPRITE_CROPS, source.crops)
    return cut_sprites(t.frame for t in source.take(how.seed, epoch, 0, count))


def _read_frames(
    frames: list[Frame], epochs: list[int], source: Source, how: Preparation
) -> list[Frame]:
    """What sensors read of frames; of what has its sensor's depth alone, nothing new."""
    if how.clean:
        return [
            f if f.clean_depth is None else replace(f, depth=None, invalid=None, sensor=None)
            for f in frames
        ]
    due: dict[int, list[int]] = {}
    for i, (frame, epoch) in enumerate(zip(frames, epochs, strict=True)):
        if frame.clean_depth is not None and (how.sensing is not None or frame.depth is None):
            due.setdefault(epoch, []).append(i)
    out = list(frames)
    for epoch, mine in due.items():
        sensing = source.sensing if how.sensing is None else how.sensing
        if sensing is None:
            raise BadInput(
                f"{source.name} has clean depth and no sensor: name one (--sensor random), or train"
                f" on clean depth (--sensor {CLEAN})"
            )
        if how.fresh:
            sensing = replace(sensing, seed=_draw_seed(how.seed, epoch))
        for i, frame in zip(mine, sense_frames(sensing, [frames[i] for i in mine]), strict=True):
            out[i] = frame
    return out


@lru_cache(maxsize=256)
def _draw_seed(seed: int, epoch: int) -> int:
    """A sensor's seed of an epoch: 53 bits."""
    u: NDArray[np.float64] = uniform(seed, [0], "train/sensor", 1, epoch)
    return int(u[0, 0] * 2.0**53)
