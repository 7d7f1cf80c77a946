"""Where an export's frames come from: a dataset as it is stored, or as a sensor reads it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from frames.errors import BadInput
from frames.record import DepthImage, Frame
from frames.store.dataset import open_dataset


class Frames(Protocol):
    """An opened dataset: all of its frames, by their ids."""

    @property
    def meta(self) -> dict[str, Any]:
        """The contents of dataset.json."""

    def __len__(self) -> int:
        """How many frames there are."""

    def __getitem__(self, index: int) -> Frame:
        """One of them; what is exported is its `reading`."""


class Source(Protocol):
    """A dataset to export; small, for it is pickled to every worker."""

    @property
    def folder(self) -> Path:
        """The dataset's folder."""

    def describe(self) -> dict[str, Any]:
        """How it is read, as plain JSON: two sources that describe themselves alike, of one
        dataset, give the same frames."""

    def open(self) -> Frames:
        """Its frames. Raises BadInput for a dataset that is none, or not finished."""


@dataclass(frozen=True)
class StoredSource:
    """A dataset as it is stored. Frames whose sensor is applied on loading cannot be exported so:
    `augment.export_source.SensedSource` reads those."""

    folder: Path

    def describe(self) -> dict[str, Any]:
        """See `Source`."""
        return {"sensor": "stored"}

    def open(self) -> Frames:
        """See `Source`."""
        return open_dataset(self.folder)


def read_frames(frames: Frames, first: int, stop: int) -> Iterator[Frame]:
    """The frames first <= i < stop, in order."""
    for index in range(first, stop):
        yield frames[index]


def take_reading(frame: Frame) -> DepthImage:
    """The depth that is exported. Raises BadInput for a frame without, and for one whose sensor is
    applied on loading."""
    depth = frame.reading
    if depth is None:
        raise BadInput(f"frame {frame.frame_id} has no depth image: there is nothing to export")
    return depth
