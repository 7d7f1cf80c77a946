"""The bone tree that every hand model shares, and how it meets keypoints and parts.

Bone frames follow WebXR: -Z along the bone, +Y dorsal, +X to the person's right for a right hand
held palm down. All models are right hands; a left hand is the mirror image in its wrist frame.
"""

from typing import Final

import numpy as np

from frames.parts import FOREARM

FINGERS: Final = ("index", "middle", "ring", "pinky")

BONES: Final = (
    "palm",
    "forearm",
    "thumb_metacarpal",
    "thumb_proximal",
    "thumb_distal",
    *(f"{f}_{b}" for f in FINGERS for b in ("metacarpal", "proximal", "middle", "distal")),
)
PALM, FOREARM_BONE, THUMB = 0, 1, 2
FINGER_START: Final = (5, 9, 13, 17)
"""Index of each finger's metacarpal; proximal, middle and distal follow it."""

PARENT: Final = np.array(
    [-1, 0, 0, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19], dtype=np.int64
)
TIP_BONES: Final = (4, 8, 12, 16, 20)
"""The distal bones of thumb, index, middle, ring, pinky: each ends in a tip."""

BONE_PART: Final = np.array(
    [1, FOREARM, 2, 3, 4, 1, 5, 6, 7, 1, 8, 9, 10, 1, 11, 12, 13, 1, 14, 15, 16], dtype=np.uint8
)
"""Part code (1..17) of each bone's skin; the metacarpals of the fingers belong to the palm."""

KEYPOINT_BONE: Final = np.array(
    [0, 2, 3, 4, 4, 6, 7, 8, 8, 10, 11, 12, 12, 14, 15, 16, 16, 18, 19, 20, 20], dtype=np.int64
)
"""For each of the 21 keypoints the bone that starts there; for a tip the bone that ends there."""

TIP_KEYPOINTS: Final = (4, 8, 12, 16, 20)
