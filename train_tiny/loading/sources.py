"""Where training frames come from, stored ones: the crops of a dataset's split, block by block."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from augment.sensing import Sensing, read_sensing
from frames.errors import BadInput
from frames.record import Frame
from frames.store.dataset import Dataset
from frames.store.folder import read_meta
from frames.store.shard import ROW_GROUP
from frames.store.splits import read_splits
from train_tiny.loading.order import Blocks, order_crops
from train_tiny.loading.taking import HAND_COLUMNS, Taking, find_hands

CACHE_MB: Final = 256
"""Room for the row groups of a window and the next."""

NO_HAND: Final = -1
"""Stands for a hand where whole frames are asked for."""

CLEAN: Final = "none"
"""The sensor that stands for clean depth."""

WHOLE: Final = "train"
"""The split that a dataset without splits is, as a whole."""

_COLUMNS: Final = (
    *("clean_depth", "parts", "hands", "objects", "situation"),
    *("sequence_id", "time_s", "camera_velocity", "sensor_seed"),
)


@dataclass(frozen=True, eq=False)
class Taken:
    """A frame and which of its hands are asked for."""

    frame: Frame
    hands: tuple[int, ...]
    """Places among the frame's; () for the frame as a whole."""
    epoch: int
    """What keys its draws: no two passes over a source have the same."""


class Source(Protocol):
    """Frames of one kind; may be pickled to worker processes."""

    @property
    def name(self) -> str:
        """What was asked for."""

    @property
    def crops(self) -> int:
        """How many one pass gives; of whole frames, these."""

    @property
    def sensing(self) -> Sensing | None:
        """Its own sensor, where clean depth is stored."""

    def take(self, seed: int, epoch: int, first: int, stop: int) -> Iterator[Taken]:
        """The frames of the crops first, ..., stop - 1 of an endless shuffled order of an epoch."""

    def take_in_order(self, first: int, stop: int) -> Iterator[Taken]:
        """The frames of the crops first, ..., stop - 1, always the same, in their own order."""


PASSES: Final = 1 << 20
"""An epoch has less passes over a source than this."""


class StoredSource:
    """A dataset folder's split."""

    def __init__(
        self,
        folder: Path,
        split: str | None,
        taking: Taking | None,
        sensor: str = "",
    ) -> None:
        """split: None for all frames. taking: None for whole frames, with or without hands.
        sensor: what is to read clean depth; "" for the dataset's own sensor. What matched rendered
        pairs cannot be read again, and keeps its depth as real frames do; but for CLEAN.

        Raises BadInput for what is no dataset, an unknown split, and one without a hand that takes
        part.
        """
        self.folder = folder
        meta = read_meta(folder)
        if split == WHOLE and not read_splits(meta):
            split = None
        self._sensing = read_sensing(meta, folder)
        if self._sensing is not None and not (sensor or self._sensing.baked):
            self._sensing.check()
        index = _index_crops(Dataset(folder, [], False, 0, split), taking)
        if not len(index.blocks):
            where = "" if split is None else f"split {split} of "
            raise BadInput(
                f"{where}{folder} has no hand to train on among its {index.frames} frames:"
                f" {_explain_hands(taking)}"
            )
        self.blocks, self._hand = index.blocks, index.hand
        columns = list(_COLUMNS)
        matched = self._sensing is not None and self._sensing.needs_pair and sensor != CLEAN
        if matched:
            columns.remove("clean_depth")
        if not sensor or matched or index.real:
            columns += ["depth", "invalid"]
        self._data = Dataset(folder, columns, False, CACHE_MB, split)

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.folder)

    @property
    def crops(self) -> int:
        """How many one pass gives."""
        return len(self.blocks)

    @property
    def sensing(self) -> Sensing | None:
        """Its own sensor."""
        return self._sensing

    @property
    def meta(self) -> dict[str, Any]:
        """The contents of dataset.json."""
        return self._data.meta

    def take(self, seed: int, epoch: int, first: int, stop: int) -> Iterator[Taken]:
        """See `Source`; another pass begins where one ends."""
        while first < stop:
            turn, begin = divmod(first, self.crops)
            end = min(self.crops, begin + stop - first)
            key = epoch * PASSES + turn
            yield from self._read(order_crops(self.blocks, seed, key, begin, end), key)
            first += end - begin

    def take_in_order(self, first: int, stop: int) -> Iterator[Taken]:
        """The frames of the crops first, ..., stop - 1 as they are stored."""
        yield from self._read(np.arange(first, stop), 0)

    def _read(self, crops: NDArray[np.int64], epoch: int) -> Iterator[Taken]:
        places = self.blocks.frame[crops]
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        for a, b in zip(starts, [*starts[1:], len(crops)], strict=True):
            hands = tuple(int(k) for k in self._hand[crops[a:b]] if k != NO_HAND)
            try:
                frame = self._data[int(places[a])]
            except BadInput as error:
                text = str(error)
                told = text if str(self.folder) in text else f"{text} ({self.folder})"
                raise BadInput(told) from None
            yield Taken(frame, hands, epoch)


@dataclass(frozen=True, eq=False)
class _Index:
    blocks: Blocks
    hand: NDArray[np.int8]
    frames: int
    real: bool
    """Whether any frame is."""


def _index_crops(data: Dataset, taking: Taking | None) -> _Index:
    """The crops of a dataset, or its frames, by its labels alone."""
    frames, hands, counts = [np.zeros(0, np.int64)], [np.zeros(0, np.int8)], [0]
    first, real = 0, False
    columns = ["source", "frame_id", *(HAND_COLUMNS if taking is not None else ())]
    for batch in data.batches(columns, size=ROW_GROUP):
        count = len(batch["frame_id"])
        row, place = np.arange(count), np.full(count, NO_HAND)
        if taking is not None:
            row, place = find_hands(batch, taking)
        frames.append(row + first)
        hands.append(place.astype(np.int8))
        counts.append(len(row))
        first += count
        real |= "real" in batch["source"]
    blocks = Blocks(np.concatenate(frames), np.cumsum(counts))
    return _Index(blocks, np.concatenate(hands), first, real)


def _explain_hands(taking: Taking | None) -> str:
    least = 0 if taking is None else taking.least_keypoints
    return f"it takes {least} labelled keypoints in view, or a box without any"
