"""Crops of many hands as arrays, small enough to pass between processes, and as targets."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synth.pose.presets import KEY_POSES
from train_tiny.preparation import Prepared
from train_tiny.tasks import Targets

Arrays = dict[str, NDArray[Any]]

_UNKNOWN: Final = 255
"""In a packed mask: whether the pixel is the hand's is not known."""


def pack_crops(made: Sequence[Prepared], size: int) -> Arrays:
    """Arrays with a leading axis B. The mask is uint8 here, 255 for not known."""
    count = len(made)
    out: Arrays = {
        "image": np.empty((count, size, size), np.float32),
        "mask": np.empty((count, size, size), np.uint8),
        "keypoints_px": np.empty((count, 21, 2), np.float32),
        "visible": np.empty((count, 21), np.float32),
        "right": np.empty(count, np.float32),
        "key_pose": np.empty(count, np.int64),
        "depth": np.empty((count, 21, 2), np.float32),
    }
    for i, one in enumerate(made):
        crop = one.crop
        for name in ("image", "keypoints_px", "visible", "right", "depth"):
            out[name][i] = getattr(crop, name)
        unknown = np.isnan(crop.mask[0, 0])
        out["mask"][i] = _UNKNOWN if unknown else crop.mask
        out["key_pose"][i] = number_key_pose(one.frame.hands[one.hand].key_pose)
    return out


def join_crops(parts: Sequence[Arrays]) -> Arrays:
    """Arrays of several sources as one."""
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def make_targets(packed: dict[str, Tensor]) -> Targets:
    """Targets from what `pack_crops` gave, as tensors."""
    mask = packed["mask"].to(torch.float32)
    mask = torch.where(mask == _UNKNOWN, torch.nan, mask)
    names = ("keypoints_px", "visible", "right", "key_pose", "depth")
    return Targets(mask=mask, **{name: packed[name] for name in names})


@lru_cache(maxsize=64)
def number_key_pose(name: str | None) -> int:
    """Class of a key pose, -1 for not known: `KEY_POSES` in order, "none" among them."""
    return KEY_POSES.index(name) if name in KEY_POSES else -1
