"""Crops for a hand network: depth relative to the hand, and the labels as targets.

The same encoding in training and prediction: it depends on the crop's depth alone.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.geometry.sample import Sample
from frames.parts import (
    HAND_PARTS,
    PROVENANCE_NONE,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)

Floats = NDArray[np.float32]

HALF_RANGE_M: Final = 0.15
"""Depths so far before and behind the reference are told apart: a hand's length to each side."""

NEARER: Final = 0.25
"""The reference is this quantile of the readings in the middle: nearer than what shows between
fingers, and steadier than the nearest."""


@dataclass(frozen=True)
class Crop:
    """One hand, as a network takes it."""

    image: Floats
    """(S, S) 1 near, 0 far or no reading: zeros beyond the border mean the same."""
    reference_m: float
    """Depth that the image and depth targets refer to; NaN where the crop has no reading."""
    keypoints_px: Floats
    """(21, 2) NaN where not labelled or outside."""
    visible: Floats
    """(21,) 1, 0 or NaN."""
    mask: Floats
    """(S, S) 1 on the hand's visible pixels; NaN where no parts are known."""
    right: float
    """1, 0 or NaN."""
    depth: Floats
    """(21, 2) in units of HALF_RANGE_M: joint behind the surface that is read at its pixel, joint
    behind the reference; NaN where not known."""


def find_reference(depth_m: Floats) -> float:
    """The depth (metres) of what is in the middle of a crop (S, S); NaN for none at all."""
    height, width = depth_m.shape
    middle = depth_m[height // 4 : -(-3 * height // 4), width // 4 : -(-3 * width // 4)]
    read = middle[middle > 0]
    if not len(read):
        read = depth_m[depth_m > 0]
    if not len(read):
        return float("nan")
    place = int(NEARER * (len(read) - 1))
    return float(np.partition(read, place)[place])


def encode_depth(depth_m: Floats, reference_m: float) -> Floats:
    """Depth (metres, 0 for none) -> 0..1, near is 1; all 0 where there is no reference."""
    if np.isnan(reference_m):
        return np.zeros(depth_m.shape, np.float32)
    near = np.float32(reference_m + HALF_RANGE_M) - depth_m
    near /= np.float32(2 * HALF_RANGE_M)
    np.clip(near, 0, 1, out=near)
    return np.where(depth_m > 0, near, np.float32(0))


def make_crop(sample: Sample, hand: int = 0) -> Crop:
    """A cropped sample of one hand in view as what a network takes, and its targets.

    sample: from `augment.geometry.training.augment_sample`, its depth as a sensor read it.
    """
    assert sample.images.depth is not None
    depth_m = sample.images.depth.astype(np.float32) / np.float32(sample.depth_scale)
    reference = find_reference(depth_m)
    hands = sample.hands
    height, width = depth_m.shape
    px = hands.keypoints_px[hand]
    with np.errstate(invalid="ignore"):
        inside = ((px >= -0.5) & (px < (width - 0.5, height - 0.5))).all(-1)
    labelled = inside & (hands.visibility[hand] != VISIBILITY_OUTSIDE)
    labelled &= hands.provenance[hand] != PROVENANCE_NONE
    visible = np.where(labelled, hands.visibility[hand] == VISIBILITY_VISIBLE, np.nan)
    parts = sample.images.parts
    if parts is None:
        mask = np.full((height, width), np.nan, np.float32)
    else:
        # Below the first code, bytes wrap round to large ones.
        mask = (parts - np.uint8(hands.part_base[hand] + 1) < HAND_PARTS).astype(np.float32)
    joint = hands.keypoints_cam_m[hand, :, 2]
    known = labelled & np.isfinite(joint)
    below = joint - _read_at(depth_m, px, np.asarray(labelled))
    # Through a hole, or beside an outline, the surface there says nothing about the joint.
    below = np.where(known & (np.abs(below) < HALF_RANGE_M), below, np.nan)
    behind = np.where(known, joint - reference, np.nan)
    return Crop(
        image=encode_depth(depth_m, reference),
        reference_m=reference,
        keypoints_px=np.where(labelled[:, None], px, np.nan).astype(np.float32),
        visible=visible.astype(np.float32),
        mask=mask,
        right=float(not hands.left[hand]),
        depth=(np.stack([below, behind], -1) / HALF_RANGE_M).astype(np.float32),
    )


def read_surface(depth_m: Floats, px: Floats) -> Floats:
    """Robust depth at pixels (J, 2): the median reading within a pixel; NaN where there is none."""
    return _read_at(depth_m, px, np.asarray(np.isfinite(px).all(-1)))


def _read_at(depth_m: Floats, px: Floats, wanted: NDArray[np.bool_]) -> Floats:
    height, width = depth_m.shape
    at = np.where(wanted[:, None], px, 0)
    near = np.clip(np.floor(at + 0.5).astype(int), 0, (width - 1, height - 1))
    step = np.arange(-1, 2)
    u = np.clip(near[:, None, None, 0] + step[None, None, :], 0, width - 1)
    v = np.clip(near[:, None, None, 1] + step[None, :, None], 0, height - 1)
    around = depth_m[v, u].reshape(len(px), 9)
    # The median of those that are read, without numpy's masked arrays: they take ten times longer.
    around = np.sort(np.where(around > 0, around, np.inf), axis=1)
    count = np.isfinite(around).sum(1)
    row = np.arange(len(px))
    low, high = around[row, np.maximum(count - 1, 0) // 2], around[row, np.minimum(count // 2, 8)]
    return np.where(wanted & (count > 0), (low + high) / np.float32(2), np.nan).astype(np.float32)
