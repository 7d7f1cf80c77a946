"""Keypoints that people placed in the image, lifted to 3D through the depth.

A joint that is seen gets the depth of the skin read around its pixel, plus the flesh between skin
and joint; a joint that something hides gets none, for what is read there is something else's. What
the model of the hand can tell of hidden joints is `labeling.refinement`'s.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.parts import (
    CAUSE_DROPOUT,
    CAUSE_NONE,
    CAUSE_OUTSIDE,
    HAND_STRIDE,
    PROVENANCE_HUMAN,
    PROVENANCE_LIFTED,
    PROVENANCE_NONE,
    VISIBILITY_OCCLUDED,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)
from frames.record import Hand
from frames.skeleton import BONES, KEYPOINTS, TIPS
from labeling.answers import BEYOND, DELETED, HIDDEN, PLACED, DrawnHand
from labeling.combining import measure_palm

Floats = NDArray[np.float64]

FLESH_M: Final = (
    np.array(
        [
            *(28.0, 12.1, 11.1, 9.4, 2.5),
            *(11.4, 9.0, 8.1, 4.6),
            *(12.5, 10.0, 8.3, 2.7),
            *(12.0, 8.5, 7.4, 1.3),
            *(13.5, 7.6, 6.1, 0.9),
        ]
    )
    / 1000.0
)
"""(21,) how far a seen joint lies behind the skin at its pixel: the median over 20,000 generated
hands (`python -m tools.measure_flesh DATA`); tips where their pixel shows the finger. Half of all
joints lie within 3 mm of it, wrists and middle knuckles within 6."""

SAME_SURFACE_M: Final = 0.012
"""Readings so close to each other are of one surface: less than a finger's thickness."""

REACH_M: Final = 0.13
"""No joint lies farther in depth than this from the middle of its hand's joints."""

LONGEST_BONE_M: Final = np.array([0.13 if a == 0 else 0.075 for a, _ in BONES])
"""(20,) longer than an adult's bones are, wrist to knuckle and along the fingers."""

_TIPS: Final = np.isin(np.arange(KEYPOINTS), TIPS)


@dataclass(frozen=True, eq=False)
class Lifted:
    """A hand's depth."""

    surface_m: Floats
    """(21,) read around each joint; NaN for none."""

    joint_m: Floats
    """(21,) depth of the joint itself; NaN where it is not known."""


def lift_hand(hand: DrawnHand, depth_m: NDArray[np.float32], camera: Camera) -> Lifted:
    """Depths of a hand's seen joints from an image (H, W) in metres, 0 for no reading."""
    px, seen = hand.keypoints_px, hand.marks == PLACED
    radius = int(np.clip(round(0.05 * measure_palm(px)), 1, 4))
    # Where the hand is: the middle of what its joints' own pixels show, the rim's readings apart.
    own = np.where(seen, read_pixels(depth_m, px), np.nan)
    inner = own[~_TIPS & np.isfinite(own)]
    surface = np.full(KEYPOINTS, np.nan)
    if len(inner):
        middle = float(np.median(inner))
        surface[seen] = _read_skin(depth_m, px[seen], own[seen], radius, middle, _TIPS[seen])
    joint = surface + FLESH_M
    _drop_long_bones(px, joint, camera)
    return Lifted(surface, joint)


def label_hand(
    hand: DrawnHand, lifted: Lifted, depth_m: NDArray[np.float32], camera: Camera, place: int
) -> Hand:
    """The dataset's record of a hand at this place of its frame, absent what nobody knows."""
    px = np.asarray(hand.keypoints_px, np.float32)
    visibility = np.zeros(KEYPOINTS, np.uint8)
    cause = np.full(KEYPOINTS, CAUSE_NONE, np.uint8)
    provenance = np.full(KEYPOINTS, PROVENANCE_HUMAN, np.uint8)
    visibility[hand.marks == PLACED] = VISIBILITY_VISIBLE
    visibility[hand.marks == HIDDEN] = VISIBILITY_OCCLUDED
    visibility[hand.marks == BEYOND] = VISIBILITY_OUTSIDE
    cause[hand.marks == BEYOND] = CAUSE_OUTSIDE
    provenance[hand.marks == DELETED] = PROVENANCE_NONE
    surface = read_pixels(depth_m, px.astype(np.float64)).astype(np.float32)
    unread = (hand.marks == PLACED) & np.isnan(surface)
    visibility[unread], cause[unread] = VISIBILITY_OCCLUDED, CAUSE_DROPOUT
    cam = np.full((KEYPOINTS, 3), np.nan, np.float32)
    known = np.isfinite(lifted.joint_m)
    cam[known] = camera.unproject(px[known]) * lifted.joint_m[known, None]
    known &= np.isfinite(cam).all(-1)
    provenance[known] = PROVENANCE_LIFTED
    nothing = np.full(4, np.nan, np.float32)
    return Hand(
        side=hand.side,
        wearer=hand.wearer,
        part_base=HAND_STRIDE * place,
        keypoints_px=px,
        keypoints_cam_m=cam,
        surface_depth_m=surface,
        visibility=visibility,
        occlusion=cause,
        visible_fraction=float("nan"),
        box_px=nothing,
        box_amodal_px=nothing,
        key_pose=None,
        joint_angles_rad=None,
        shape=None,
        identity=None,
        T_camera_from_wrist=None,
        provenance=provenance,
    )


def read_pixels(depth_m: NDArray[np.float32], px: Floats) -> Floats:
    """(n,) readings at the pixels nearest to places (n, 2); NaN for none."""
    height, width = depth_m.shape
    with np.errstate(invalid="ignore"):
        nearest = np.floor(px + 0.5)
        inside = np.asarray(((nearest >= 0) & (nearest < (width, height))).all(-1))
    u, v = np.where(inside[:, None], nearest, 0).astype(np.int64).T
    read = depth_m[v, u].astype(np.float64)
    return np.where(inside & (read > 0), read, np.nan)


def _read_skin(
    depth_m: NDArray[np.float32],
    px: Floats,
    own: Floats,
    radius: int,
    middle: float,
    tips: NDArray[np.bool_],
) -> Floats:
    """(n,) the skin's depth around places (n, 2): the median of one surface's readings within
    `radius` pixels; NaN for none. own: (n,) readings at their own pixels. middle: of the hand.
    """
    height, width = depth_m.shape
    step = np.arange(-radius, radius + 1)
    u, v = np.floor(px + 0.5).astype(np.int64).T
    u, v = u[:, None, None] + step, v[:, None, None] + step[:, None]
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    around = depth_m[np.clip(v, 0, height - 1), np.clip(u, 0, width - 1)].astype(np.float64)
    mine = inside & (around > 0) & (np.abs(around - middle) < REACH_M)
    near = np.sort(np.where(mine, around, np.inf).reshape(len(px), -1), axis=1)
    count = mine.sum((1, 2))
    # A tip lies on the outline: half of its surroundings are what is behind. The nearest surface
    # with more than a stray reading is the finger.
    place = np.minimum(np.maximum(1, count // 8), np.maximum(count - 1, 0))
    nearest = near[np.arange(len(px)), place]
    with np.errstate(invalid="ignore"):
        elsewhere = tips | ~np.isfinite(own) | (np.abs(own - middle) >= REACH_M)
        at = np.where(elsewhere, nearest, own)
        one = np.abs(near - at[:, None]) <= SAME_SURFACE_M
    # The readings of one surface are neighbours in the sorted row.
    first, members = one.argmax(1), one.sum(1)
    row, last = np.arange(len(px)), near.shape[1] - 1
    low = near[row, np.minimum(first + np.maximum(members - 1, 0) // 2, last)]
    high = near[row, np.minimum(first + members // 2, last)]
    return np.where((count > 0) & (members > 0), (low + high) / 2, np.nan)


def _drop_long_bones(px: Floats, joint_m: Floats, camera: Camera) -> None:
    """Take the depth of joints away whose bones would be longer than a hand's."""
    known = np.isfinite(joint_m)
    if not known.any():
        return
    cam = np.full((KEYPOINTS, 3), np.nan)
    cam[known] = camera.unproject(px[known]) * joint_m[known, None]
    middle = float(np.median(joint_m[known]))
    for bone, (parent, child) in enumerate(BONES):
        if not _is_long(cam, bone):
            continue
        # The one that lies farther from the rest of the hand is wrong.
        far = [abs(cam[k, 2] - middle) for k in (parent, child)]
        wrong = parent if far[0] > far[1] else child
        joint_m[wrong] = np.nan
        cam[wrong] = np.nan


def _is_long(cam: Floats, bone: int) -> bool:
    a, b = BONES[bone]
    x, y, z = cam[b] - cam[a]
    return bool(math.sqrt(x * x + y * y + z * z) > LONGEST_BONE_M[bone])
