"""Keypoints of a depth crop lifted to 3D: what the sensor reads there, and what was learned.

A joint lies inside the flesh, and depth shows the skin, or whatever hides it. Where a keypoint is
seen, its depth is the robust reading at its pixel plus the learned offset from skin to joint; where
it is hidden, or the reading there is of something else, the crop's reference depth plus the learned
offset from it. Then the crop's camera gives its place.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from train_tiny.loading.crops import HALF_RANGE_M, read_surface

Floats = NDArray[np.float32]

SEEN: Final = 0.5
"""From this likelihood on a keypoint counts as seen."""

AGREE_M: Final = 0.04
"""A surface that would put the joint farther from where it is expected is another's: a finger in
front, the ground between two fingers."""


def read_surfaces(depth_m: Floats, px: Floats) -> Floats:
    """(N, S, S) readings in metres, 0 for none, at pixels (N, 21, 2): (N, 21), NaN for none."""
    read = [read_surface(image, places) for image, places in zip(depth_m, px, strict=True)]
    return np.array(read, np.float32).reshape(px.shape[:2])


def lift_depths(
    surface_m: Floats,
    reference_m: Floats,
    likely_seen: Floats | None = None,
    offsets: Floats | None = None,
) -> Floats:
    """(N, 21) depths of keypoints, metres along the crop's axis; NaN where nothing tells any.

    surface_m: (N, 21) read at their pixels. reference_m: (N,). likely_seen: (N, 21) 0 .. 1; None:
    all seen. offsets: (N, 21, 2) as the depth head gives them, in units of HALF_RANGE_M; None: the
    skin stands for the joint.
    """
    if offsets is None:
        return np.where(np.isfinite(surface_m), surface_m, reference_m[:, None])
    below = surface_m + HALF_RANGE_M * offsets[..., 0]
    behind = reference_m[:, None] + HALF_RANGE_M * offsets[..., 1]
    with np.errstate(invalid="ignore"):
        trusted = np.abs(below - behind) < AGREE_M
    if likely_seen is not None:
        trusted &= likely_seen >= SEEN
    return np.where(trusted, below, behind).astype(np.float32)


def place_keypoints(px: Floats, depths_m: Floats, cameras: Sequence[Camera]) -> Floats:
    """(N, 21, 2) pixels and (N, 21) depths -> (N, 21, 3) metres in each crop camera's axes."""
    rays = [camera.unproject(places) for camera, places in zip(cameras, px, strict=True)]
    rays_ = np.array(rays, np.float64).reshape(*px.shape[:2], 3)
    return np.asarray(rays_ * depths_m[..., None], np.float32)
