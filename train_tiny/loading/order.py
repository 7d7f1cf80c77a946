"""The order in which an epoch takes the crops of a dataset: shuffled, and read in whole blocks.

Blocks (row groups) come in a random order, and frames are shuffled within a window of a few of
them: so a reader holds a window at a time and reads each block once, whole. All of it is a pure
function of (seed, epoch), and any part of it can be had without the parts before.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.stream import uniform

WINDOW: Final = 16
"""Blocks that are shuffled into each other: 2,048 frames in row groups of 128."""

_BLOCKS: Final = "train/blocks"
_FRAMES: Final = "train/frames"
_SLOTS: Final = "train/slots"

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Crops in the order in which they are stored, and the blocks that they lie in."""

    frame: Numbers
    """(C,) place of each crop's frame in its dataset, ascending: crops of a frame are neighbours.
    """

    bounds: Numbers
    """(K + 1,) the first crop of each block, and C."""

    def __len__(self) -> int:
        return len(self.frame)


def order_crops(blocks: Blocks, seed: int, epoch: int, first: int, stop: int) -> Numbers:
    """Which crops are first, ..., stop - 1 in the order of an epoch: (stop - first,) numbers.

    Crops of one frame follow each other. seed, epoch: integers in [0, 2^64).
    """
    _, ends = _order_blocks(blocks, seed, epoch)
    out: list[Numbers] = []
    while first < stop:
        window = int(np.searchsorted(ends[WINDOW - 1 :: WINDOW], first, "right"))
        begin = 0 if window == 0 else int(ends[window * WINDOW - 1])
        crops = _shuffle_window(blocks, seed, epoch, window)
        part = crops[first - begin : stop - begin]
        assert len(part)
        out.append(part)
        first += len(part)
    return np.concatenate(out) if out else np.zeros(0, np.int64)


def shuffle_slots(seed: int, epoch: int, number: int, count: int) -> Numbers:
    """(count,) a permutation, one of its own for each `number`."""
    return np.argsort(uniform(seed, [number], _SLOTS, count, epoch)[0], kind="stable")


@lru_cache(maxsize=64)
def _order_blocks(blocks: Blocks, seed: int, epoch: int) -> tuple[Numbers, Numbers]:
    """The blocks' order, and where in the epoch each one of it ends."""
    sizes = np.diff(blocks.bounds)
    u = uniform(seed, np.arange(len(sizes)), _BLOCKS, 1, epoch)[:, 0]
    permuted = np.argsort(u, kind="stable")
    return permuted, np.cumsum(sizes[permuted])


@lru_cache(maxsize=16)
def _shuffle_window(blocks: Blocks, seed: int, epoch: int, window: int) -> Numbers:
    permuted, _ = _order_blocks(blocks, seed, epoch)
    chosen = permuted[window * WINDOW : (window + 1) * WINDOW]
    crops = np.concatenate([np.arange(blocks.bounds[b], blocks.bounds[b + 1]) for b in chosen])
    u = uniform(seed, blocks.frame[crops], _FRAMES, 1, epoch)[:, 0]
    # Stable: crops of a frame have the same number, and stay in their own order.
    return np.asarray(crops[np.argsort(u, kind="stable")])
