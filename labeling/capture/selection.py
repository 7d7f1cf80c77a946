"""Which frames of a recording are taken: a time range, a stride, what differs, what is worth it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frames.engines.job import Progress
from frames.errors import BadInput
from labeling.capture.diversity import choose_diverse
from labeling.capture.grid import Grid, grid_depth, measure_change
from labeling.capture.recording import NANO, Recording, Sight
from labeling.capture.uncertainty import (
    NONE,
    Predictor,
    describe_hands,
    doubt_hands,
    weigh_frames,
)


@dataclass(frozen=True)
class Selection:
    """What to take of a recording. Raises BadInput for what cannot be."""

    start: float = 0.0
    """Seconds from the beginning of each sequence."""

    stop: float = 0.0
    """The same, exclusive; 0 for the end."""

    stride: int = 1
    """Every so many frames of a sequence, from the first in the time range on."""

    min_change: float = 0.0
    """Frames that differ from the last one taken in a smaller share of what is near are left out
    (`labeling.capture.grid.measure_change`); 0 takes all."""

    most_worth: int = 0
    """Of all these, so many; 0 for all."""

    predictor: str = NONE
    """Whose uncertainty counts with `most_worth`; "none" for diversity alone."""

    def __post_init__(self) -> None:
        for name in ("start", "stop"):
            value = getattr(self, name)
            if not 0 <= value < 1e9:
                raise BadInput(f"{name} must be >= 0 seconds, got {value}")
        if self.stop and self.stop <= self.start:
            raise BadInput(f"stop must be after start ({self.start} s), got {self.stop} s")
        if self.stride < 1:
            raise BadInput(f"stride must be >= 1, got {self.stride}")
        if not 0 <= self.min_change <= 1:
            raise BadInput(f"min-change must be a share from 0 to 1, got {self.min_change}")
        if self.most_worth < 0:
            raise BadInput(f"most-worth must be >= 0 frames, got {self.most_worth}")


def choose_positions(
    recording: Recording,
    selection: Selection,
    predictor: Predictor | None = None,
    progress: Progress | None = None,
) -> NDArray[np.int64]:
    """The positions taken, growing. Raises BadInput if none is left, and for a time range of a
    recording without times.
    """
    taken = _choose_by_time(recording, selection)
    if not len(taken):
        raise BadInput(
            f"no frame is left between {selection.start} and"
            f" {selection.stop or 'the last'} s: the recording has"
            f" {len(recording.head.timeline)} frames"
        )
    worth_wanted = 0 < selection.most_worth < len(taken)
    if not selection.min_change and not worth_wanted:
        return taken
    look = _Look(recording, selection.min_change, predictor if worth_wanted else None)
    if progress is not None:
        progress.begin(len(taken), 0)
    for position, sight in zip(taken, recording.read(taken.tolist()), strict=True):
        look.add(int(position), sight)
        if progress is not None:
            progress.advance(1)
    kept = np.array(look.kept, np.int64)
    if not worth_wanted or selection.most_worth >= len(kept):
        return kept
    descriptors = np.concatenate([np.stack(look.grids).reshape(len(kept), -1), look.poses()], 1)
    worth = np.ones(len(kept))
    if predictor is not None:
        worth = weigh_frames(look.doubts, look.found, recording.head.timeline.sequence[kept])
    return kept[choose_diverse(descriptors, worth, selection.most_worth)]


def _choose_by_time(recording: Recording, selection: Selection) -> NDArray[np.int64]:
    timeline = recording.head.timeline
    if timeline.time_ns is None and (selection.start or selection.stop):
        raise BadInput(
            "the recording has no time stamps to choose --start and --stop by: give --fps"
        )
    out = []
    for k in range(len(timeline.names)):
        mine = np.flatnonzero(timeline.sequence == k)
        if timeline.time_ns is not None and len(mine):
            since = (timeline.time_ns[mine] - timeline.time_ns[mine[0]]) / NANO
            stop = selection.stop or np.inf
            mine = mine[(since >= selection.start) & (since < stop)]
        out.append(mine[:: selection.stride])
    return np.concatenate(out)


class _Look:
    """What is remembered of frames while they are looked through."""

    def __init__(
        self, recording: Recording, min_change: float, predictor: Predictor | None
    ) -> None:
        self._head = recording.head
        self._min_change = min_change
        self._predictor = predictor
        self._last = -1
        self.kept: list[int] = []
        self.grids: list[Grid] = []
        self.doubts: list[float] = []
        self.found: list[int] = []
        self._poses: list[NDArray[np.uint8]] = []

    def add(self, position: int, sight: Sight) -> None:
        """The next frame."""
        scale = self._head.units.depth_scale
        sequence = int(self._head.timeline.sequence[position])
        grid = grid_depth(sight.depth, scale)
        same = self.kept and self._last == sequence
        if same and measure_change(self.grids[-1], grid) < self._min_change:
            return
        self._last = sequence
        self.kept.append(position)
        self.grids.append(grid)
        if self._predictor is not None:
            depth_m = sight.depth.astype(np.float32) / np.float32(scale)
            hands: Any = self._predictor(depth_m, self._head.camera)
            self.doubts.append(doubt_hands(hands))
            self.found.append(len(hands))
            self._poses.append(describe_hands(hands))

    def poses(self) -> NDArray[np.uint8]:
        """(N, 126), or (N, 0) without a predictor."""
        if self._predictor is None:
            return np.empty((len(self.kept), 0), np.uint8)
        return np.stack(self._poses)
