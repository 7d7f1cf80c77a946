"""Crops of many hands as tensors, small enough to pass between processes, and as targets."""

from functools import lru_cache
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synth.pose.presets import KEY_POSES
from train_tiny.preparation import Prepared
from train_tiny.tasks import Targets

Packed = dict[str, Tensor]
"""Tensors with a leading axis B, by name. The mask is uint8, 255 for not known."""

_UNKNOWN: Final = 255


def allocate_crops(count: int, size: int, shared: bool = False) -> Packed:
    """Room for crops of size x size pixels; shared: in memory that processes share."""
    shapes: dict[str, tuple[tuple[int, ...], torch.dtype]] = {
        "image": ((size, size), torch.float32),
        "mask": ((size, size), torch.uint8),
        "keypoints_px": ((21, 2), torch.float32),
        "visible": ((21,), torch.float32),
        "right": ((), torch.float32),
        "key_pose": ((), torch.int64),
        "depth": ((21, 2), torch.float32),
    }
    packed = {name: torch.empty((count, *shape), dtype=t) for name, (shape, t) in shapes.items()}
    # Filled where it will be read: tensors of a process of its own are copied on their way.
    return {name: tensor.share_memory_() if shared else tensor for name, tensor in packed.items()}


class Packing:
    """Writes crops into their places."""

    def __init__(self, packed: Packed) -> None:
        """packed: from `allocate_crops`."""
        self._arrays: dict[str, NDArray[Any]] = {n: t.numpy() for n, t in packed.items()}

    def put(self, place: int, one: Prepared) -> None:
        """Write a crop."""
        arrays, crop = self._arrays, one.crop
        arrays["image"][place] = crop.image
        arrays["mask"][place] = _UNKNOWN if np.isnan(crop.mask[0, 0]) else crop.mask
        arrays["keypoints_px"][place] = crop.keypoints_px
        arrays["visible"][place] = crop.visible
        arrays["right"][place] = crop.right
        arrays["key_pose"][place] = number_key_pose(one.frame.hands[one.hand].key_pose)
        arrays["depth"][place] = crop.depth


def make_targets(packed: Packed) -> Targets:
    """Targets from what was packed."""
    mask = packed["mask"].to(torch.float32)
    mask = torch.where(mask == _UNKNOWN, torch.nan, mask)
    names = ("keypoints_px", "visible", "right", "key_pose", "depth")
    return Targets(mask=mask, **{name: packed[name] for name in names})


@lru_cache(maxsize=64)
def number_key_pose(name: str | None) -> int:
    """Class of a key pose, -1 for not known: `KEY_POSES` in order, "none" among them."""
    return KEY_POSES.index(name) if name in KEY_POSES else -1
