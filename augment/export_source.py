"""Datasets to export as a sensor reads them: a `frames.exports.source.Source`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from augment.sensed import open_sensed
from augment.sensing import NO_SENSOR, Sensing, check_seed, choose_sensing, read_sensing
from augment.unread import forget_unread
from frames.errors import BadInput
from frames.exports.source import Frames
from frames.record import Frame, Hand
from frames.store.dataset import Dataset, open_dataset
from frames.store.folder import read_meta

CLEAN: Final = "none"


@dataclass(frozen=True)
class SensedSource:
    """A dataset before a sensor."""

    folder: Path
    sensor: str = ""
    """Profile or TOML file; "" for the dataset's own, clean depth if it has none; "none" for clean
    depth, whatever is stored. Real frames keep their own depth."""
    seed: int = -1
    """Of its noise; -1 for the dataset's own."""

    def describe(self) -> dict[str, Any]:
        """See `Source`: the sensor's name, and all of it."""
        sensing, _ = self._choose()
        if sensing is None:
            return {"sensor": self._name_clean()}
        told = sensing.to_meta()
        return {"sensor": sensing.profile.name, "profile": told["profile"], "seed": told["seed"]}

    def open(self) -> Frames:
        """See `Source`. Raises BadInput too for a sensor that cannot read stored frames."""
        sensing, own = self._choose()
        if sensing is None:
            data = open_dataset(self.folder)
            return CleanFrames(data) if self.sensor == CLEAN else data
        if own:
            return open_sensed(self.folder)
        if sensing.needs_pair:
            raise BadInput(
                f"{sensing.profile.name} matches rendered stereo pairs, which stored frames do not"
                f" have: handloom augment {self.folder} OUT --sensor {self.sensor} first"
            )
        return open_sensed(self.folder, sensor=sensing.profile, seed=sensing.seed)

    def _choose(self) -> tuple[Sensing | None, bool]:
        """Who reads the frames, and whether that is the dataset's own sensor with its own noise."""
        own = read_sensing(read_meta(self.folder), self.folder)
        if self.seed < -1:
            raise BadInput(f"sensor-seed must be >= 0, or -1 for the dataset's, got {self.seed}")
        seed = own.seed if own is not None and self.seed < 0 else max(self.seed, 0)
        if self.sensor in NO_SENSOR:
            if own is None or self.sensor == CLEAN:
                if self.seed >= 0:
                    raise BadInput(f"sensor-seed {self.seed} without a sensor: give --sensor NAME")
                return None, False
            return replace(own, seed=check_seed(seed, "sensor-seed")), self.seed < 0
        return choose_sensing(self.sensor, seed, False), False

    def _name_clean(self) -> str:
        real = read_meta(self.folder).get("source") == "real"
        return "the recording's own" if real else "none: clean depth"


class CleanFrames:
    """A dataset's frames without any sensor: clean depth, and the labels of the clean frame. Frames
    that have no clean depth stay as they are."""

    def __init__(self, data: Dataset) -> None:
        self._data = data

    @property
    def meta(self) -> dict[str, Any]:
        """The contents of dataset.json."""
        return self._data.meta

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> Frame:
        frame = self._data[index]
        if frame.clean_depth is None:
            return frame
        hands = tuple(_forget(hand) for hand in frame.hands)
        return replace(frame, depth=None, invalid=None, sensor=None, sensor_seed=None, hands=hands)


def _forget(hand: Hand) -> Hand:
    visibility, occlusion = forget_unread(hand.visibility, hand.occlusion)
    return replace(hand, visibility=np.asarray(visibility), occlusion=np.asarray(occlusion))
