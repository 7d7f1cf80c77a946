"""A depth image as points in space."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.parts import BACKGROUND
from frames.record import DepthImage

ROOM_STEP: Final = 3
"""Of the room every so manyeth pixel is kept, both ways: a cloud is for looking at hands."""


@dataclass(frozen=True)
class PointCloud:
    """N points of a frame."""

    points_m: NDArray[np.float32]
    """(N, 3) in the camera's axes."""
    pixels: NDArray[np.int32]
    """(N, 2) column and row of the pixel of each."""

    def __len__(self) -> int:
        return len(self.points_m)


def lift_depth(
    camera: Camera,
    depth: DepthImage,
    depth_scale: float,
    parts: NDArray[np.uint8] | None = None,
    room_step: int = ROOM_STEP,
) -> PointCloud:
    """Every pixel (H, W) that has a reading and a ray, where it lies.

    depth_scale: steps a metre. parts: (H, W) codes; with them only every `room_step`-th pixel of
    what is neither hand nor thing is taken.
    """
    kept = depth > 0
    if parts is not None and room_step > 1:
        sparse = np.zeros(depth.shape, bool)
        sparse[::room_step, ::room_step] = True
        kept &= sparse | (parts != BACKGROUND)
    rows, columns = np.nonzero(kept)
    pixels = np.stack([columns, rows], -1).astype(np.int32)
    rays = camera.unproject(pixels.astype(np.float64))
    z = depth[rows, columns].astype(np.float64) / depth_scale
    points = (rays * z[:, None]).astype(np.float32)
    known = np.isfinite(points).all(-1)
    return PointCloud(points[known], pixels[known])
