"""Exact labels of a batch of rendered frames (docs/conventions.md states the rules).

A keypoint is judged at the pixel nearest to its projection. It is visible if the frame shows
nothing nearer there, or if what it shows is the keypoint's own flesh: skin of one of the parts that
meet in the joint, nearer by no more than the flesh is thick.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.camera import Camera
from frames.parts import (
    CAUSE_NONE,
    CAUSE_OBJECT,
    CAUSE_OTHER_HAND,
    CAUSE_OUTSIDE,
    CAUSE_SELF,
    HAND_STRIDE,
    OBJECT_BASE,
    VISIBILITY_OCCLUDED,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)
from frames.skeleton import KEYPOINT_PARTS, KEYPOINTS, TIPS, WRIST

# A ray meets a finger obliquely: it runs through more flesh than the finger is thick. The wrist is
# wider than thick, and seen from the thumb's side as often as from above; a tip lies on the outline
# of a finger even if it points half away.
MARGIN_FACTOR: Final = np.array(
    [2.0 if k == WRIST else 2.25 if k in TIPS else 1.5 for k in range(KEYPOINTS)]
)
"""(21,) flesh that may lie over a keypoint, against the local thickness."""
MARGIN_M: Final = 0.003

_OWN_PARTS: Final = np.array([[p in parts for p in range(18)] for parts in KEYPOINT_PARTS])
"""(21, 18) may the skin of part p lie over keypoint k without hiding it?"""


@dataclass(frozen=True)
class KeypointLabels:
    """What N hands show, 21 keypoints each."""

    keypoints_px: np.ndarray
    """(N, 21, 2) float32, NaN where a keypoint has no projection."""
    surface_depth_m: np.ndarray
    """(N, 21) float32, what the clean image reads at the nearest pixel, NaN for nothing."""
    visibility: np.ndarray
    """(N, 21) uint8"""
    occlusion: np.ndarray
    """(N, 21) uint8 cause"""


def label_keypoints(
    camera: Camera,
    keypoints_m: np.ndarray,
    thickness_m: np.ndarray,
    frame: np.ndarray,
    slot: np.ndarray,
    depth: np.ndarray,
    codes: np.ndarray,
    depth_scale: float,
) -> KeypointLabels:
    """Project keypoints and say what hides them.

    keypoints_m (N, 21, 3) camera frame, thickness_m (N, 21), frame and slot (N,) of each hand,
    depth (B, H, W) uint16 and codes (B, H, W) uint8 of the batch.
    """
    pixels = camera.project(keypoints_m)
    inside, column, row = nearest_pixels(camera, pixels)
    at = (frame[:, None], row, column)
    hit = depth[at] / depth_scale
    code = codes[at].astype(np.int64)

    z = keypoints_m[..., 2].astype(np.float64)
    nearer = inside & (hit > 0) & (hit < z)
    # How far before the keypoint the ray meets the surface, along the ray.
    slant = np.linalg.norm(keypoints_m, axis=-1) / np.maximum(z, 1e-9)
    flesh = (z - hit) * slant
    hand = (code < OBJECT_BASE) & (code > 0)
    same = hand & (code // HAND_STRIDE == slot[:, None])
    own = same & _OWN_PARTS[np.arange(21), np.minimum(code % HAND_STRIDE, 17)]
    visible = inside & (~nearer | (own & (flesh <= MARGIN_FACTOR * thickness_m + MARGIN_M)))

    cause = np.where(same, CAUSE_SELF, np.where(hand, CAUSE_OTHER_HAND, CAUSE_OBJECT))
    cause = np.where(visible, CAUSE_NONE, np.where(inside, cause, CAUSE_OUTSIDE))
    visibility = np.where(visible, VISIBILITY_VISIBLE, VISIBILITY_OCCLUDED)
    visibility = np.where(inside, visibility, VISIBILITY_OUTSIDE)
    return KeypointLabels(
        keypoints_px=pixels.astype(np.float32),
        surface_depth_m=np.where(inside & (hit > 0), hit, np.nan).astype(np.float32),
        visibility=visibility.astype(np.uint8),
        occlusion=cause.astype(np.uint8),
    )


def nearest_pixels(camera: Camera, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(..., 2) px -> whether it is in the image, column and row of its nearest pixel (else 0)."""
    # As they are stored: the label must hold for the number that a reader sees.
    stored = pixels.astype(np.float32).astype(np.float64)
    inside = camera.contains(stored)
    index = np.where(inside[..., None], np.floor(stored + 0.5), 0).astype(np.int64)
    return inside, index[..., 0], index[..., 1]
