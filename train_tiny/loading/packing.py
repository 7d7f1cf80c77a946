"""Crops as samples of a round: exactly as many as wanted, packed small, and as targets."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from augment.occlusion.sprites import Sprite
from frames.errors import BadInput
from frames.skeleton import KEYPOINTS
from synth.pose.presets import KEY_POSES
from train_tiny.loading.preparation import (
    AGAIN,
    Preparation,
    Prepared,
    prepare_frames,
    prepare_hands,
)
from train_tiny.loading.rounds import Packed
from train_tiny.loading.sources import Source, Taken
from train_tiny.losses.tasks import Targets

CHUNK: Final = 16
"""Frames that are prepared together: enough to share numpy's calls, few enough for a cache."""

_UNKNOWN: Final = 255
"""In a packed mask: whether the pixel is the hand's is not known."""


@dataclass(frozen=True)
class Crops:
    """Crops of hands; `train_tiny.loading.rounds.Kind`."""

    how: Preparation
    views: int = 1
    """Crops that are made of each hand, each with its own geometry."""

    def allocate(self, count: int, shared: bool) -> Packed:
        """Room for `count` crops."""
        return allocate_crops(count, self.how.geometry.size[0], shared)

    def make(
        self, count: int, taken: Iterable[Taken], source: Source, sprites: Sequence[Sprite]
    ) -> Iterator[Prepared]:
        """`count` crops of the frames.

        A hand that takes no part leaves its place to another view of one that does, near it in the
        order. Raises BadInput if none does.
        """
        asked = made = 0
        last: list[Prepared] = []
        for chunk in split_chunks(taken):
            asked += sum(len(t.hands) for t in chunk) * self.views
            ready: list[Prepared] = []
            frames = prepare_frames(chunk, source, self.how, sprites)
            for one, frame in zip(chunk, frames, strict=True):
                for view in range(self.views):
                    epoch = one.epoch + view * AGAIN
                    ready += prepare_hands(frame, one.hands, epoch, self.how)
            ready = ready[: count - made]
            yield from ready
            made += len(ready)
            last = ready or last
            # One more view of each at most, so that no frame stands for many.
            for crop in ready[: min(asked, count) - made]:
                yield self._view_again(crop, 1)
                made += 1
        if not last and count:
            raise BadInput(f"of {count} hands of {source.name} {_explain_none(self.how)}")
        turn = 2
        while made < count:
            for crop in last[: count - made]:
                yield self._view_again(crop, turn)
                made += 1
            turn += 1

    def put(self, arrays: dict[str, NDArray[Any]], place: int, one: Prepared) -> None:
        """Write a crop."""
        crop = one.crop
        arrays["image"][place] = crop.image
        arrays["mask"][place] = _UNKNOWN if np.isnan(crop.mask[0, 0]) else crop.mask
        arrays["keypoints_px"][place] = crop.keypoints_px
        arrays["visible"][place] = crop.visible
        arrays["right"][place] = crop.right
        arrays["key_pose"][place] = number_key_pose(one.frame.hands[one.hand].key_pose)
        arrays["depth"][place] = crop.depth

    def _view_again(self, one: Prepared, turn: int) -> Prepared:
        epoch = one.epoch + turn * self.views * AGAIN
        return next(prepare_hands(one.frame, [one.hand], epoch, self.how), one)


def allocate_crops(count: int, size: int, shared: bool = False) -> Packed:
    """Room for crops of size x size pixels; shared: in memory that processes share."""
    shapes: dict[str, tuple[tuple[int, ...], torch.dtype]] = {
        "image": ((size, size), torch.float32),
        "mask": ((size, size), torch.uint8),
        "keypoints_px": ((KEYPOINTS, 2), torch.float32),
        "visible": ((KEYPOINTS,), torch.float32),
        "right": ((), torch.float32),
        "key_pose": ((), torch.int64),
        "depth": ((KEYPOINTS, 2), torch.float32),
    }
    return allocate(count, shapes, shared)


def allocate(
    count: int, shapes: dict[str, tuple[tuple[int, ...], torch.dtype]], shared: bool
) -> Packed:
    """Tensors of `count` samples; shared: filled where they will be read, not copied there."""
    packed = {name: torch.empty((count, *shape), dtype=t) for name, (shape, t) in shapes.items()}
    return {name: tensor.share_memory_() if shared else tensor for name, tensor in packed.items()}


def make_targets(packed: Packed) -> Targets:
    """Targets from what was packed."""
    mask = packed["mask"].to(torch.float32)
    mask[packed["mask"][:, 0, 0] == _UNKNOWN] = torch.nan
    names = ("keypoints_px", "visible", "right", "key_pose", "depth")
    return Targets(mask=mask, **{name: packed[name] for name in names})


def split_chunks(taken: Iterable[Taken]) -> Iterator[list[Taken]]:
    """Frames in runs of `CHUNK`."""
    iterator = iter(taken)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


@lru_cache(maxsize=64)
def number_key_pose(name: str | None) -> int:
    """Class of a key pose, -1 for not known: `KEY_POSES` in order, "none" among them."""
    return KEY_POSES.index(name) if name in KEY_POSES else -1


def _explain_none(how: Preparation) -> str:
    name = "its sensor" if how.sensing is None else f"the sensor {how.sensing.profile.name}"
    return (
        f"{name} reads {how.taking.least_read:.0%} of none: are they within its range? Try another"
        f" sensor, or hands at other distances"
    )
