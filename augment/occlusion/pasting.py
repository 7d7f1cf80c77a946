"""A whole hand from another frame, with its labels in this one."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.occlusion.inserting import measure_hand
from augment.occlusion.sprites import Sprite
from frames.camera import Camera
from frames.parts import (
    CAUSE_NONE,
    CAUSE_OBJECT,
    CAUSE_OTHER_HAND,
    CAUSE_OUTSIDE,
    CAUSE_SELF,
    HAND_PARTS,
    HAND_STRIDE,
    OBJECT_BASE,
    VISIBILITY_OCCLUDED,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)
from frames.record import Hand
from frames.skeleton import KEYPOINT_PARTS, KEYPOINTS

_OWN: Final = np.array([[p in parts for p in range(HAND_STRIDE)] for parts in KEYPOINT_PARTS])
"""(21, 32) whether part p meets at keypoint k."""


@dataclass(frozen=True)
class Paste:
    """A hand put into a frame, to be labelled when everything else is in."""

    hand: Hand
    """With everything but what depends on what covers it; its occlusion is that of its source."""

    pixels: int
    """Its own pixels in the image, covered or not, forearm excluded."""


def hold_hand(
    sprite: Sprite,
    camera: Camera,
    own_from_camera: NDArray[np.float64],
    ratio: float,
    slot: int,
    window: tuple[int, int],
    codes: NDArray[np.uint8],
) -> Paste:
    """A sprite as a hand of a frame.

    ratio: what its depth was scaled by. window, codes: top and left, and (h, w) parts, as cast.
    Its size is not that of its person any more: shape and identity are None, like whatever has to
    do with where it was.
    """
    turn = own_from_camera.T
    keypoints = (ratio * _rotate(turn, sprite.keypoints_m)).astype(np.float32)
    skin = (codes >= 1) & (codes <= HAND_PARTS)
    rows, columns = np.flatnonzero(skin.any(1)), np.flatnonzero(skin.any(0))
    box = np.full(4, np.nan, np.float32)
    if len(rows):
        top, left = window
        box[:] = left + columns[0], top + rows[0], left + columns[-1], top + rows[-1]
        box += np.array([-0.5, -0.5, 0.5, 0.5], np.float32)
    wrist = None
    if sprite.T_own_from_wrist is not None:
        wrist = sprite.T_own_from_wrist.astype(np.float32)
        wrist[:3] = _rotate(turn, sprite.T_own_from_wrist[:3].T).T
        wrist[:3, 3] *= ratio
    hand = replace(
        sprite.hand,
        wearer=False,
        part_base=HAND_STRIDE * slot,
        keypoints_px=camera.project(keypoints).astype(np.float32),
        keypoints_cam_m=keypoints,
        box_amodal_px=box,
        T_camera_from_wrist=wrist,
        shape=None,
        identity=None,
        keypoints_velocity_m_s=None,
        grasp=None,
        held=None,
        contact_gap_m=None,
    )
    return Paste(hand, int(skin.sum()))


def label_hand(
    paste: Paste,
    camera: Camera,
    depth: NDArray[np.uint16],
    parts: NDArray[np.uint8],
    depth_scale: float,
) -> Hand:
    """A pasted hand's labels among what is in the images (H, W) now.

    The rule of docs/conventions.md; but how thick its flesh is is not known, so that behind skin of
    its own joint a keypoint is as visible as it was where it was cut.
    """
    hand, base = paste.hand, int(paste.hand.part_base)
    height, width = parts.shape
    seen = measure_hand(parts, base, 0, 0, width, height)
    box = np.full(4, np.nan, np.float32)
    if seen[0]:
        box[:] = seen[1] - 0.5, seen[2] - 0.5, seen[3] + 0.5, seen[4] + 0.5
    px = hand.keypoints_px.astype(np.float64)
    inside = camera.contains(px)
    at = np.where(inside[:, None], np.floor(px + 0.5), 0).astype(np.int64)
    hit = depth[at[:, 1], at[:, 0]] / depth_scale
    code = parts[at[:, 1], at[:, 0]].astype(np.int64)
    nearer = inside & (hit > 0) & (hit < hand.keypoints_cam_m[:, 2].astype(np.float64))
    part = code - base
    same = (part >= 1) & (part < HAND_STRIDE)
    own = same & _OWN[np.arange(KEYPOINTS), np.clip(part, 0, HAND_STRIDE - 1)]
    visible = inside & (~nearer | (own & (hand.occlusion != CAUSE_SELF)))
    other = (code > 0) & (code < OBJECT_BASE)
    cause = np.where(same, CAUSE_SELF, np.where(other, CAUSE_OTHER_HAND, CAUSE_OBJECT))
    cause = np.where(visible, CAUSE_NONE, np.where(inside, cause, CAUSE_OUTSIDE))
    visibility = np.where(visible, VISIBILITY_VISIBLE, VISIBILITY_OCCLUDED)
    visibility = np.where(inside, visibility, VISIBILITY_OUTSIDE)
    return replace(
        hand,
        visibility=visibility.astype(np.uint8),
        occlusion=cause.astype(np.uint8),
        surface_depth_m=np.where(inside & (hit > 0), hit, np.nan).astype(np.float32),
        visible_fraction=float(np.float32(seen[0] / paste.pixels)) if paste.pixels else np.nan,
        box_px=box,
    )


def _rotate(turn: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 3) turned; no matrix product, whose last bit may depend on the machine."""
    return np.asarray(
        points[:, :1] * turn[:, 0] + points[:, 1:2] * turn[:, 1] + points[:, 2:] * turn[:, 2]
    )
