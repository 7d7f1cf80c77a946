"""Splits: which frames, people, things and surroundings belong to train, val, test.

Frames are shared out in whole sequences, as contiguous ranges. Identities, objects and background
images are shared out disjointly, and a frame draws only from the pools of its own split: nothing
that a network was trained on is met again in a test.
"""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frames.errors import BadInput
from frames.stream import uniform

SHARE_TOLERANCE: Final = 1e-6
BOUND_TOLERANCE: Final = 0.01
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Splits:
    """Named shares of a dataset."""

    names: tuple[str, ...]
    """Different ones, in the order of their frames."""

    shares: tuple[float, ...]
    """Of the frames and of every pool; > 0, their sum 1."""

    def ranges(
        self, frames: int, sequence_length: int = 1, frames_per_shard: int = 1
    ) -> dict[str, tuple[int, int]]:
        """First frame and the one past the last of every split, contiguous, in order.

        The bounds lie between sequences of `sequence_length` frames, and between shards of
        `frames_per_shard` as well where that leaves every split a frame and moves no bound by more
        than a hundredth of all frames. Every split gets at least one sequence. Raises BadInput if
        there are fewer sequences than splits.
        """
        wanted = np.cumsum(self.shares) * frames
        # Bounds between both sequences and shards are multiples of both lengths.
        unit = math.lcm(sequence_length, frames_per_shard)
        ends = np.minimum(np.rint(wanted / unit) * unit, frames)
        ends[-1] = frames
        moved = np.abs(ends - wanted).max()
        if (np.diff(ends, prepend=0) < 1).any() or moved > BOUND_TOLERANCE * frames:
            unit = sequence_length
            counts = share_out("sequences" if unit > 1 else "frames", -(-frames // unit), self)
            ends = np.minimum(np.cumsum(counts) * unit, frames)
        bounds = [0, *(int(end) for end in ends)]
        return dict(zip(self.names, itertools.pairwise(bounds), strict=True))


UNDIVIDED: Final = Splits(("all",), (1.0,))
"""What a dataset without splits is: one, with every frame and all of every pool."""


def parse_split(text: str) -> Splits:
    """`train:0.9,val:0.05,test:0.05` -> names and shares.

    Raises BadInput for a part that is no NAME:SHARE, a name that is no plain word or comes twice,
    a share that is not > 0, and shares whose sum differs from 1 by more than 1e-6.
    """
    names: list[str] = []
    shares: list[float] = []
    for part in text.split(","):
        name, colon, number = part.strip().partition(":")
        try:
            share = float(number)
        except ValueError:
            share = math.nan
        if not colon or math.isnan(share):
            raise BadInput(
                f"split must be NAME:SHARE,NAME:SHARE ... (train:0.9,val:0.05,test:0.05), got "
                f"{part.strip()!r} in {text!r}"
            )
        if not _NAME.fullmatch(name):
            raise BadInput(
                f"split: a name must be letters, digits, - and _ and begin with a letter, got "
                f"{name!r} in {text!r}"
            )
        if name in names:
            raise BadInput(f"split: {name!r} comes twice in {text!r}: give every split one share")
        if not share > 0:
            raise BadInput(f"split: the share of {name} must be > 0, got {number} in {text!r}")
        names.append(name)
        shares.append(share)
    total = math.fsum(shares)
    if not abs(total - 1) <= SHARE_TOLERANCE:
        raise BadInput(f"split: the shares must sum to 1, got {total:g} in {text!r}")
    return Splits(tuple(names), tuple(shares))


def split_of(ranges: Mapping[str, Sequence[int]], frame_ids: ArrayLike) -> NDArray[np.int64]:
    """(B,) frame ids -> (B,) index of each frame's split, in the order of `Splits.ranges`."""
    ends = np.array([stop for _, stop in ranges.values()], np.int64)
    return np.searchsorted(ends, np.asarray(frame_ids, np.int64), side="right")


def share_out(what: str, count: int, splits: Splits) -> NDArray[np.int64]:
    """(S,) how many of `count` each split gets: in proportion, and at least one.

    By largest remainders (Hamilton's method), ties to the split that comes first; a split that
    would get none takes one from the largest. what: names what is shared out in the message. Raises
    BadInput if there are fewer than splits.
    """
    number = len(splits.names)
    if count < number:
        raise BadInput(
            f"{count} {what} cannot be shared out among {number} splits "
            f"({', '.join(splits.names)}): give at least {number} {what}, or fewer splits"
        )
    shares = np.array(splits.shares)
    wanted = shares / shares.sum() * count
    counts = np.floor(wanted + 1e-9).astype(np.int64)
    largest = np.argsort(counts - wanted, kind="stable")
    counts[largest[: count - int(counts.sum())]] += 1
    for empty in np.flatnonzero(counts == 0):
        counts[np.argmax(counts)] -= 1
        counts[empty] = 1
    return counts


def partition(seed: int, what: str, count: int, splits: Splits) -> NDArray[np.int64]:
    """(count,) the split index that each of `count` things belongs to, drawn without replacement.

    what: "identities", "objects", "background images": names the random stream ("split/" + what)
    and the thing in the message. In proportion to the shares, each split at least one. Raises
    BadInput if there are fewer things than splits.
    """
    counts = share_out(what, count, splits)
    order = np.argsort(uniform(seed, np.arange(count), "split/" + what, 1)[:, 0], kind="stable")
    index = np.empty(count, np.int64)
    index[order] = np.repeat(np.arange(len(counts)), counts)
    return index


def choose(
    pools: NDArray[np.int64],
    split_index: NDArray[np.int64],
    u: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Draw one thing of each frame's own split.

    pools: (count,) from `partition`. split_index: (B,) of the frames, from `split_of`. u: (B,)
    uniform in [0, 1). weights: (count,) how likely each is, above 0 for one of each split at least;
    None for all alike. Returns (B,) indices into the things; each depends on its own frame alone.
    """
    members = np.argsort(pools, kind="stable")
    sizes = np.bincount(pools, minlength=int(split_index.max(initial=0)) + 1)
    starts = np.cumsum(sizes) - sizes
    size = sizes[split_index]
    if weights is not None:
        upto = np.concatenate([[0.0], np.cumsum(weights[members])])
        low, high = upto[starts[split_index]], upto[starts[split_index] + size]
        place = np.searchsorted(upto, low + u * (high - low), side="right") - 1
        # Rounded up to its end, a draw would be the next split's, or of one that is left out.
        last = np.searchsorted(upto, high, side="left") - 1
        return members[np.minimum(place, last)]
    return members[starts[split_index] + np.minimum((u * size).astype(np.int64), size - 1)]
