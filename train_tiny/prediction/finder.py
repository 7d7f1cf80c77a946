"""The interface of a finder of hands in whole frames, and the boxes that it proposes."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from augment.geometry.crop import Target, target_box
from frames.camera import Camera
from frames.errors import BadInput
from train_tiny.prediction.views import aim_at_pixels

Floats = NDArray[np.float32]

LEAST_JOINT: Final = 0.1
"""From this score on, a found keypoint is there."""

LEAST_FOUND: Final = 6
"""A found hand's own keypoints are what the crop encloses if there are so many; else its box."""


class Found(Protocol):
    """What a finder says of a hand; pixels of the frame."""

    @property
    def score(self) -> float:
        """0 .. 1."""

    @property
    def box_px(self) -> Any:
        """(4,) x0, y0, x1, y1."""

    @property
    def keypoints_px(self) -> Any:
        """(21, 2), or (0, 2) of boxes alone."""

    @property
    def scores(self) -> Any:
        """(21,) of the keypoints, 0 for one that was not found; or (0,)."""


class Finder(Protocol):
    """Finds hands in a whole frame."""

    def __call__(self, depth_m: Floats) -> Sequence[Found]:
        """depth_m: (H, W) metres, 0 for no reading."""


def aim_at_found(camera: Camera, found: Found) -> Target | None:
    """Where to look closer: about its keypoints, or its box if there are few or none.

    None for a box beyond the camera's field of view, or one that is none.
    """
    px = np.asarray(found.keypoints_px, np.float64)
    good = np.asarray(found.scores) >= LEAST_JOINT
    good &= np.isfinite(px).all(1)
    if good.sum() >= LEAST_FOUND:
        return aim_at_pixels(camera, px[good])
    try:
        return target_box(camera, found.box_px)
    except BadInput:
        return None
