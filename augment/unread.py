"""Keypoints under which a sensor reads nothing: the labels that depend on the sensor.

A keypoint that the clean frame shows (visibility 2) and at whose nearest pixel the sensor has no
reading becomes occluded by the cause `dropout`. Nothing else of a frame's labels changes: places,
boxes and `surface_depth_m` are the scene's. So the clean labels can be had back.
"""

import numpy as np
from numpy.typing import NDArray

from frames.parts import (
    CAUSE_DROPOUT,
    CAUSE_NONE,
    VISIBILITY_OCCLUDED,
    VISIBILITY_VISIBLE,
)

Labels = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""(N, 21) visibility and cause."""


def mark_unread(
    keypoints_px: NDArray[np.float32],
    visibility: NDArray[np.uint8],
    occlusion: NDArray[np.uint8],
    frame: NDArray[np.int64],
    invalid: NDArray[np.uint8],
) -> Labels:
    """Visibility and cause of N hands before a sensor, from those of a clean or sensed frame.

    keypoints_px (N, 21, 2), visibility and occlusion (N, 21) as stored, frame (N,) each hand's row
    in invalid (B, H, W).
    """
    visibility, occlusion = forget_unread(visibility, occlusion)
    seen = visibility == VISIBILITY_VISIBLE
    nearest = np.floor(np.where(seen[..., None], keypoints_px.astype(np.float64), 0.0) + 0.5)
    column, row = nearest[..., 0].astype(np.int64), nearest[..., 1].astype(np.int64)
    unread = seen & (invalid[frame[:, None], row, column] != 0)
    visibility[unread], occlusion[unread] = VISIBILITY_OCCLUDED, CAUSE_DROPOUT
    return visibility, occlusion


def forget_unread(visibility: NDArray[np.uint8], occlusion: NDArray[np.uint8]) -> Labels:
    """Copies of the labels as they were before any sensor."""
    dropped = occlusion == CAUSE_DROPOUT
    return (
        np.where(dropped, np.uint8(VISIBILITY_VISIBLE), visibility),
        np.where(dropped, np.uint8(CAUSE_NONE), occlusion),
    )
