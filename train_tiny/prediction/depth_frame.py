"""A depth image with its origin, and the interface of sources that yield them.

Anything is a source of depth images, a recording of a device too, that says how many it has and
gives them in order (`DepthSource`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from numpy.typing import NDArray

from frames.camera import Camera
from frames.record import Hand

ALONE: Final = -1
"""The sequence of a frame that follows no other."""


@dataclass(frozen=True, eq=False)
class DepthFrame:
    """One depth image and what goes with it."""

    frame_id: int
    """A dataset's, or its place among a folder's images."""
    name: str
    """Its file; "" for a dataset's frame."""
    depth: NDArray[Any]
    """(H, W) uint16 in steps, or float32 metres; 0 for no reading."""
    depth_scale: float | None
    """Steps a metre; None for floats."""
    camera: Camera
    sequence: int = ALONE
    """Frames of the same number follow one another."""
    time_s: float | None = None
    hands: tuple[Hand, ...] = ()
    """Labels, where there are any."""


class DepthSource(Protocol):
    """Depth images in order."""

    @property
    def name(self) -> str:
        """What it is called in pictures."""

    @property
    def fps(self) -> float:
        """Frames a second; 0 if unknown."""

    def __len__(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[DepthFrame]:
        """All, in order. Raises BadInput for what cannot be read."""


@dataclass(frozen=True)
class SourceOptions:
    """How a source is read."""

    camera: str = ""
    """Of a folder of images: preset or file; "" for camera.json or camera.toml there or above."""
    depth_scale: float = 0.0
    """Of a folder of images: steps a metre; 0 for what the camera file says."""
    fps: float = 0.0
    """Of a folder of images: frames a second, which says that they follow one another."""
    split: str = ""
    """Of a dataset: frames of this split alone."""
    sensor: str = ""
    """Of a dataset: what reads its clean depth; "" for its own, "none" for clean depth."""
    seed: int = 0
    """Of such a sensor's noise."""
    frames: int = 0
    """The first so many; 0 for all."""
