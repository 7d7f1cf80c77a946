"""Whom and what the scenes of each split draw from, so that no two splits share any of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from frames.errors import BadInput
from synth.split import UNDIVIDED, Splits, choose, parse_split, partition, split_of


@dataclass(frozen=True)
class Pools:
    """People, things and backgrounds, each of one split."""

    ranges: Mapping[str, Sequence[int]]
    """First scene and the one past the last of each split, in the order of their numbers; a scene
    is a frame, or a sequence."""
    identity: np.ndarray
    """(I,) split of each person."""
    solid: np.ndarray
    """(S,) split of each thing that hands may hold."""
    favour: np.ndarray | None
    """(S,) how likely each of these is; None for all alike."""
    background: np.ndarray
    """(K,) split of each background image; none is (0,)."""

    def split_of(self, scenes: np.ndarray) -> np.ndarray:
        """(U,) numbers of scenes -> (U,) index of their splits."""
        return split_of(self.ranges, scenes)

    def pick_identity(self, split: np.ndarray, u: np.ndarray) -> np.ndarray:
        """(U,) split, (U,) uniform -> (U,) a person of the scene's own split."""
        return choose(self.identity, split, u)

    def pick_solid(self, split: np.ndarray, u: np.ndarray) -> np.ndarray:
        """(U,) split, (U,) uniform -> (U,) a thing of the scene's own split."""
        return choose(self.solid, split, u, self.favour)

    def pick_background(self, split: np.ndarray, u: np.ndarray) -> np.ndarray:
        """(U,) split, (U,) uniform -> (U,) a background image of the scene's own split."""
        return choose(self.background, split, u)


def frame_ranges(
    split: str, frames: int, sequence_length: int, frames_per_shard: int
) -> dict[str, tuple[int, int]] | None:
    """The frames of each split as stored with a dataset; None without splits."""
    if not split:
        return None
    return parse_split(split).ranges(frames, sequence_length, frames_per_shard)


def fill_pools(
    seed: int,
    splits: Splits,
    ranges: Mapping[str, Sequence[int]] | None,
    sequence_length: int,
    identities: int,
    solids: int,
    backgrounds: int,
    favour: np.ndarray | None = None,
) -> Pools:
    """Share out people, things and backgrounds among the splits.

    ranges: of frames, from `frame_ranges`; None for one split. favour: (solids,) how likely each
    is; None for all alike. Raises BadInput where there are fewer of something than splits.
    """
    if ranges is None:
        ranges = {UNDIVIDED.names[0]: (0, np.iinfo(np.int64).max)}
    scenes = {
        name: (first // sequence_length, -(-stop // sequence_length))
        for name, (first, stop) in ranges.items()
    }
    solid = partition(seed, "objects", solids, splits)
    if favour is not None:
        for k, name in enumerate(splits.names):
            if not favour[solid == k].any():
                raise BadInput(
                    f"favour leaves no thing to split {name}: give more variants, or leave less out"
                )
    return Pools(
        ranges=scenes,
        identity=partition(seed, "identities", identities, splits),
        solid=solid,
        favour=favour,
        background=(
            partition(seed, "background images", backgrounds, splits)
            if backgrounds
            else np.zeros(0, np.int64)
        ),
    )
