"""A recording opened: its camera, its moments, and their images when asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.errors import BadInput
from frames.record import DepthImage
from labeling.capture.units import Units

NANO = 1_000_000_000


@dataclass(frozen=True)
class Request:
    """What to open, and what the user says of it."""

    source: str
    """File or folder."""

    camera: str = ""
    """Preset or camera file; "" for the recording's own."""

    depth_scale: float = 0.0
    """Steps a metre of its depth; 0 for what the recording says."""

    fps: float = 0.0
    """Frames a second: their times are counted; 0 for the recording's own times."""

    topic: str = ""
    """Topic with the depth, of a ROS bag; "" for the only one."""

    pictures: bool = True
    """Whether colour and infrared are kept."""


@dataclass(frozen=True)
class Timeline:
    """When the N frames of a recording were taken; sequence after sequence."""

    sequence: NDArray[np.int64]
    """(N,) which sequence each belongs to, from 0, in order."""

    time_ns: NDArray[np.int64] | None
    """(N,) by the recording's clock, growing within a sequence; None if it does not say."""

    names: tuple[str, ...]
    """Of the sequences."""

    def __len__(self) -> int:
        return len(self.sequence)


@dataclass(frozen=True)
class Sight:
    """What a recording has of one moment."""

    depth: DepthImage
    """(H, W) uint16, the camera's size, 0 for no reading."""

    color: bytes | None = None
    """A JPEG or PNG file."""

    infrared: bytes | None = None
    """A PNG file."""


@dataclass(frozen=True)
class Head:
    """What holds for a whole recording."""

    kind: str
    """What sort of recording it is, in words."""

    camera: Camera
    units: Units
    timeline: Timeline
    files: tuple[Path, ...]
    """All that were read: their contents identify the recording."""

    about: dict[str, Any] = field(default_factory=dict)
    """JSON values that go into the metadata: the device, the colour camera ..."""


class Recording(Protocol):
    """A recording that can be read again and again, from the first position asked for onwards."""

    @property
    def head(self) -> Head:
        """What holds for all of it."""

    def read(self, positions: Sequence[int]) -> Iterator[Sight]:
        """Its sights at growing positions. Raises BadInput for what turns out to be broken."""

    def name_origin(self, position: int) -> str:
        """The file or message that a position is."""


def build_timeline(
    names: Sequence[str],
    counts: Sequence[int],
    times: Sequence[NDArray[np.int64] | None],
    fps: float,
    place: str,
) -> Timeline:
    """The timeline of sequences with these counts of frames and their times (ns, or None).

    fps: count frames instead. Raises BadInput if there is no frame, and for times that do not grow.
    """
    if not sum(counts):
        raise BadInput(f"{place} has no depth frame")
    sequence = np.repeat(np.arange(len(counts)), counts)
    if fps:
        place_in = np.concatenate([np.arange(n) for n in counts])
        counted = np.round(place_in * (NANO / fps)).astype(np.int64)
        return Timeline(sequence, counted, tuple(names))
    known = [t for t in times if t is not None]
    if len(known) < len(counts):
        return Timeline(sequence, None, tuple(names))
    for name, found in zip(names, known, strict=True):
        back = np.flatnonzero(np.diff(found) <= 0)
        if len(back):
            k = int(back[0]) + 1
            raise BadInput(
                f"time stamps of {place}{f' ({name})' if len(names) > 1 else ''} are out of order:"
                f" frame {k} has {found[k] / NANO:.6f} s after {found[k - 1] / NANO:.6f} s;"
                f" --fps N counts frames instead"
            )
    return Timeline(sequence, np.concatenate(known), tuple(names))


def check_size(width: int, height: int, camera: Camera, place: str) -> None:
    """Raises BadInput for an image that is not the camera's size."""
    if (width, height) != (camera.width, camera.height):
        raise BadInput(
            f"{place} has {width} x {height} pixels, the camera has {camera.width} x"
            f" {camera.height}: give the camera of these images with --camera"
        )
