"""A recording to calibrate on: clips of depth images of one camera, with what lies beside them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera

Stack = NDArray[np.uint16]


@dataclass(frozen=True)
class Clip:
    """Frames that belong together, in the order in which they were taken."""

    name: str
    depth: Stack
    """(N, H, W) uint16, 0 for no reading."""

    hand: NDArray[np.bool_] | None = None
    """(N, H, W) where the hands are, forearms included; None if nobody said."""

    amplitude: Stack | None = None
    """(N, H, W) uint16 amplitude of the light, in any unit; None if there is none."""

    clean: Stack | None = None
    """(N, H, W) uint16 true depth: synthetic datasets only."""

    time_s: NDArray[np.float64] | None = None
    """(N,) when each frame was taken."""

    def cut(self, first: int, stop: int) -> "Clip":
        """Frames first .. stop - 1 of it."""
        part = slice(first, stop)
        return Clip(
            f"{self.name}[{first}:{stop}]",
            self.depth[part],
            None if self.hand is None else self.hand[part],
            None if self.amplitude is None else self.amplitude[part],
            None if self.clean is None else self.clean[part],
            None if self.time_s is None else self.time_s[part],
        )


@dataclass(frozen=True)
class Capture:
    """All clips of one device."""

    name: str
    """As the user gave it: it goes into the profile's sources."""

    camera: Camera
    depth_scale: float
    """Steps per metre."""

    clips: tuple[Clip, ...]

    @property
    def frames(self) -> int:
        """How many there are in all."""
        return sum(len(c.depth) for c in self.clips)

    def to_inverse(self, depth: Stack) -> NDArray[np.float32]:
        """1 / z in 1/m, NaN where there is no reading."""
        with np.errstate(divide="ignore"):
            inverse = np.float32(self.depth_scale) / depth.astype(np.float32)
        inverse[depth == 0] = np.nan
        return inverse
