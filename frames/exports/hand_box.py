"""The box of a hand as detectors take it, and whether a hand is in the picture at all."""

import numpy as np
from numpy.typing import NDArray

from frames.parts import VISIBILITY_OUTSIDE
from frames.record import Hand


def box_hand(hand: Hand) -> NDArray[np.float64] | None:
    """(4,) x0, y0, x1, y1 of the whole hand in the picture, what covers it or not, counted from the
    picture's upper left corner; None for a hand that is not in the picture.

    `box_amodal_px` where there is one; else, in real frames, `box_px` or what goes around the
    labelled keypoints. The corner of the first pixel is 0 here, and its centre 0.5.
    """
    for box in (hand.box_amodal_px, hand.box_px):
        if np.isfinite(box).all():
            return np.asarray(box, np.float64) + 0.5
    known = find_labelled(hand)
    if not known.any():
        return None
    px = hand.keypoints_px[known].astype(np.float64) + 0.5
    return np.concatenate([px.min(0) - 0.5, px.max(0) + 0.5])


def find_labelled(hand: Hand) -> NDArray[np.bool_]:
    """(21,) the keypoints that have a place in the picture."""
    there = hand.visibility != VISIBILITY_OUTSIDE
    return np.asarray(there & np.isfinite(hand.keypoints_px).all(-1))
