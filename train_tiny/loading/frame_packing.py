"""Whole frames as samples of a round: seen by a camera of the wanted size, packed small."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from augment.geometry.sample import Sample, read_sample
from augment.geometry.training import augment_sample
from augment.occlusion.sprites import Sprite
from frames.errors import BadInput
from frames.parts import MAX_HANDS
from frames.record import Frame
from frames.skeleton import KEYPOINTS
from train_tiny.loading.packing import allocate, split_chunks
from train_tiny.loading.preparation import AGAIN, Preparation, prepare_frames
from train_tiny.loading.rounds import Packed
from train_tiny.loading.sources import Source, Taken
from train_tiny.loading.taking import list_targets
from train_tiny.losses.full_frames import (
    encode_frame,
    fill_targets,
    measure_shares,
)


@dataclass(frozen=True, eq=False)
class PreparedFrame:
    """One frame as a network sees it."""

    frame: Frame
    sample: Sample
    depth_m: NDArray[np.float32]
    """(H, W) with its rim."""
    taught: NDArray[np.bool_]
    """(N,) hands."""
    ignored: NDArray[np.bool_]
    """(N,) hands."""


@dataclass(frozen=True)
class FullFrames:
    """Whole frames; `train_tiny.loading.rounds.Kind`."""

    how: Preparation
    size: tuple[int, int]
    views: int = 1
    """Samples of each frame as its sensor read it, each with a geometry of its own."""

    def allocate(self, count: int, shared: bool) -> Packed:
        """Room for `count` frames."""
        shapes: dict[str, tuple[tuple[int, ...], torch.dtype]] = {
            "image": (self.size[::-1], torch.float32),
            "keypoints_px": ((MAX_HANDS, KEYPOINTS, 2), torch.float32),
            "visible": ((MAX_HANDS, KEYPOINTS), torch.float32),
            "right": ((MAX_HANDS,), torch.float32),
            "ignored_px": ((MAX_HANDS, 4), torch.float32),
            "hand_share": ((self.size[1] // 4, self.size[0] // 4), torch.float32),
        }
        return allocate(count, shapes, shared)

    def make(
        self, count: int, taken: Iterator[Taken], source: Source, sprites: Sequence[Sprite]
    ) -> Iterator[PreparedFrame]:
        """`count` samples."""
        left = count
        for chunk in split_chunks(islice(taken, -(-count // self.views))):
            frames = prepare_frames(chunk, source, self.how, sprites)
            for one, frame in zip(chunk, frames, strict=True):
                for view in range(min(self.views, left)):
                    yield self._view(frame, one.epoch + view * AGAIN)
                left -= min(self.views, left)

    def put(self, arrays: dict[str, NDArray[Any]], place: int, one: PreparedFrame) -> None:
        """Write a frame."""
        arrays["image"][place] = encode_frame(one.depth_m)
        measure_shares(one.sample.images.parts, arrays["hand_share"][place])
        hands = one.sample.hands
        fill_targets(
            arrays, place, hands.keypoints_px, hands.visibility, hands.provenance, hands.left,
            hands.box_px, one.taught, one.ignored,
        )  # fmt: skip

    def _view(self, frame: Frame, epoch: int) -> PreparedFrame:
        depth = frame.reading
        if depth is None:
            raise BadInput(f"frame {frame.frame_id} has no depth image: nothing to see")
        taught, ignored = list_targets(frame, depth, self.how.taking)
        width, height = self.size
        camera = frame.camera
        ratio = min(width / camera.width, height / camera.height)
        inner = max(1, round(camera.width * ratio)), max(1, round(camera.height * ratio))
        geometry = replace(self.how.geometry, size=inner)
        sample = augment_sample(read_sample(frame), geometry, self.how.seed, frame.frame_id, epoch)
        assert sample.images.depth is not None
        seen = sample.images.depth
        out = np.zeros((height, width), np.float32)
        out[: seen.shape[0], : seen.shape[1]] = seen / np.float32(sample.depth_scale)
        return PreparedFrame(frame, sample, out, taught, ignored)
