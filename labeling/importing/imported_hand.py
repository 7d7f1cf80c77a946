"""An annotation as a hand of the dataset, visible keypoints lifted by the depth image."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frames.camera import Camera
from frames.record import Hand
from labeling.answers import BEYOND, DELETED, HIDDEN, PLACED, DrawnHand
from labeling.importing.coco_file import CocoHand
from labeling.lifting import label_hand, lift_hand

Box = NDArray[np.float32]
_MARKS: Final = np.array([DELETED, HIDDEN, PLACED], np.uint8)
"""By COCO's flag."""


def label_imported(
    hand: CocoHand, depth_m: NDArray[np.float32], camera: Camera, place: int
) -> Hand:
    """The dataset's record of a hand at this place of its frame.

    Keypoints labelled by people keep their place in the picture; those that are seen get the depth
    that is read there, as pulled labels do (`labeling.lifting`). One that is said to be outside the
    picture, whatever its flag, is outside.
    """
    px = hand.keypoints[:, :2].astype(np.float64)
    marks = _MARKS[hand.keypoints[:, 2].astype(np.int64)]
    marks = np.where((marks != DELETED) & ~camera.contains(px), np.uint8(BEYOND), marks)
    px = np.where(np.isin(marks, (PLACED, HIDDEN))[:, None], px, np.nan)
    drawn = DrawnHand(hand.side, hand.wearer, px, marks)
    made = label_hand(drawn, lift_hand(drawn, depth_m, camera), depth_m, camera, place)
    size = np.array([camera.width, camera.height], np.float32) - 0.5
    whole, seen = _cut(hand.box, (-0.5, -0.5), size), hand.visible_box
    if np.isnan(whole).any() or np.isnan(seen).any():
        return replace(made, box_px=whole)  # COCO's box goes around what is seen
    return replace(made, box_px=_cut(seen, whole[:2], whole[2:]), box_amodal_px=whole)


def _cut(box: Box, low: ArrayLike, high: ArrayLike) -> Box:
    """A box within bounds; NaN if nothing of it is."""
    cut = np.concatenate([np.maximum(box[:2], low), np.minimum(box[2:], high)]).astype(np.float32)
    empty = not (cut[2:] > cut[:2]).all()
    return np.full(4, np.nan, np.float32) if empty else cut
