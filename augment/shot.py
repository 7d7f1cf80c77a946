"""One frame as a sensor model gets it, and what the model gives back."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augment.matched_stereo.pair import Pair
from frames.camera import Camera


@dataclass(frozen=True)
class Keys:
    """Where the random numbers of a frame come from: 53-bit words, so that a float64 holds them."""

    frame: int
    """Differs from frame to frame."""
    sequence: int
    """The same in all frames of a sequence; equals no other sequence's."""
    device: int
    """The same in all frames of a dataset: what is wrong with this one device."""


@dataclass(frozen=True)
class Shot:
    """A clean frame before a sensor."""

    camera: Camera
    depth: NDArray[np.uint16]
    """(H, W) clean depth (z), 0 for nothing there."""
    depth_scale: float
    """Steps per metre."""
    parts: NDArray[np.uint8]
    """(H, W) codes of `frames.parts`; zeros where they are not known."""
    reflectance: NDArray[np.float32]
    """(256,) diffuse reflectance in the near infrared of each part code, 0..1."""
    twist: NDArray[np.float32] | None
    """(256, 6) motion of each part code as the camera sees it, camera axes: a point p of that part
    moves with twist[:3] + cross(twist[3:], p), in m/s and rad/s. None for frames that stand
    still."""
    time_s: float
    """Since the sequence began; 0 outside sequences."""
    keys: Keys
    pair: Pair | None = None
    """Both eyes' views as rendered, for stereo by matching; None for frames that have none."""


@dataclass(frozen=True)
class Reading:
    """What a sensor makes of a frame."""

    depth_m: NDArray[np.float32]
    """(H, W) z in metres, 0 for no reading. Not yet rounded to the steps of a file."""
    reason: NDArray[np.uint8]
    """(H, W) why there is no reading, `frames.reasons`; 0 where depth_m > 0 and nowhere else."""
    amplitude: NDArray[np.float32] | None = None
    """(H, W) amplitude of the modulated light, for sensors that deliver one."""
    sigma_m: NDArray[np.float32] | None = None
    """(H, W) standard deviation of the depth that the model itself assigns; 0 for no reading."""
