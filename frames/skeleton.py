"""The 21 keypoints of a hand, in OpenPose order, and maps from and to other conventions.

wrist; thumb CMC, MCP, IP, tip; then MCP, PIP, DIP, tip of index, middle, ring and pinky. A joint
is the centre of rotation inside the flesh; a tip is the skin's extreme point. OpenPose, MediaPipe
and COCO-WholeBody share this order (docs/conventions.md).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frames.errors import BadInput

FINGER_NAMES: Final = ("thumb", "index", "middle", "ring", "pinky")

KEYPOINT_NAMES: Final = (
    "wrist",
    *(f"thumb_{joint}" for joint in ("cmc", "mcp", "ip", "tip")),
    *(f"{f}_{joint}" for f in FINGER_NAMES[1:] for joint in ("mcp", "pip", "dip", "tip")),
)
KEYPOINTS: Final = len(KEYPOINT_NAMES)

WRIST: Final = 0
FINGERS: Final = {f: tuple(range(4 * i + 1, 4 * i + 5)) for i, f in enumerate(FINGER_NAMES)}
"""The four keypoints of each finger, from the palm to the tip."""

TIPS: Final = tuple(FINGERS[f][-1] for f in FINGER_NAMES)

PARENTS: Final = (-1, *(0 if k % 4 == 1 else k - 1 for k in range(1, KEYPOINTS)))
"""The keypoint nearer to the wrist on the same chain; -1 for the wrist."""

BONES: Final = tuple((PARENTS[k], k) for k in range(1, KEYPOINTS))
"""The 20 bones as (parent, child)."""

FINGER_COLORS: Final = {
    "thumb": (230, 75, 53),
    "index": (242, 167, 30),
    "middle": (64, 178, 92),
    "ring": (47, 141, 219),
    "pinky": (163, 92, 204),
}
"""RGB, 0..255: hues far enough apart for most colour-blind eyes at equal line width."""

KEYPOINT_COLORS: Final = (
    (200, 200, 200),
    *(FINGER_COLORS[f] for f in FINGER_NAMES for _ in "1234"),
)

KEYPOINT_PARTS: Final = (
    (1, 17),
    *(
        parts
        for i in range(5)
        for first in (3 * i + 2,)
        for parts in ((1, first), (first, first + 1), (first + 1, first + 2), (first + 2,))
    ),
)
"""For every keypoint the parts (1..17, frames/parts.py) that meet at it; a tip has one."""


@dataclass(frozen=True)
class KeypointSet:
    """Another convention's keypoints and where ours are among them."""

    name: str
    joint_names: tuple[str, ...]
    """Its joints in its own order; where one is ours, by our name (with a side where it has both).
    """

    source: tuple[int, ...]
    """(21,) for each of our keypoints its index in this set."""

    def to_canonical(self, keypoints: ArrayLike) -> NDArray[np.floating]:
        """(..., n, d) in this set's order -> (..., 21, d) in ours. BadInput for another n."""
        keypoints = np.asarray(keypoints)
        if keypoints.ndim < 2 or keypoints.shape[-2] != len(self.joint_names):
            wanted = len(self.joint_names)
            raise BadInput(f"{self.name} has (..., {wanted}, d) keypoints, got {keypoints.shape}")
        return np.asarray(keypoints[..., self.source, :])

    def from_canonical(self, keypoints: ArrayLike) -> NDArray[np.floating]:
        """(..., 21, d) in our order -> (..., n, d) in this set's; NaN for joints not ours."""
        keypoints = np.asarray(keypoints)
        if keypoints.ndim < 2 or keypoints.shape[-2] != KEYPOINTS:
            raise BadInput(f"keypoints must be (..., 21, d), got {keypoints.shape}")
        dtype = np.result_type(keypoints.dtype, np.float32)
        shape = (*keypoints.shape[:-2], len(self.joint_names), keypoints.shape[-1])
        out = np.full(shape, np.nan, dtype)
        out[..., self.source, :] = keypoints
        return out


def _name_webxr() -> tuple[str, ...]:
    thumb = ("thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip")
    joints = ("metacarpal", "mcp", "pip", "dip", "tip")
    return ("wrist", *thumb, *(f"{f}_{joint}" for f in FINGER_NAMES[1:] for joint in joints))


def _name_interhand() -> tuple[str, ...]:
    """InterHand2.6M lists each finger from its tip and the wrist last, right hand first."""
    hand = (*(KEYPOINT_NAMES[k] for f in FINGER_NAMES for k in reversed(FINGERS[f])), "wrist")
    return tuple(f"{side}_{joint}" for side in ("right", "left") for joint in hand)


def _name_fingers(order: tuple[str, ...]) -> tuple[str, ...]:
    return ("wrist", *(KEYPOINT_NAMES[k] for f in order for k in FINGERS[f]))


def _name_mano() -> tuple[str, ...]:
    """MANO's 16 joints, then the five tips thumb to pinky as smplx users append them."""
    order = ("index", "middle", "pinky", "ring", "thumb")
    joints = (KEYPOINT_NAMES[k] for f in order for k in FINGERS[f][:3])
    return ("wrist", *joints, *(KEYPOINT_NAMES[k] for k in TIPS))


def _name_wholebody() -> tuple[str, ...]:
    """COCO-WholeBody: 17 body, 6 foot, 68 face, then 21 left-hand and 21 right-hand keypoints."""
    before = tuple(f"body_{i}" for i in range(91))
    hands = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in KEYPOINT_NAMES)
    return (*before, *hands)


KEYPOINT_SETS: Final = {
    s.name: s
    for s in (
        KeypointSet(
            "webxr-25",
            _name_webxr(),
            (0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 21, 22, 23, 24),
        ),
        KeypointSet(
            "openxr-26",
            ("palm", *_name_webxr()),
            (1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18, 19, 20, 22, 23, 24, 25),
        ),
        KeypointSet(
            "interhand-right",
            _name_interhand(),
            (20, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16),
        ),
        KeypointSet(
            "interhand-left",
            _name_interhand(),
            (41, 24, 23, 22, 21, 28, 27, 26, 25, 32, 31, 30, 29, 36, 35, 34, 33, 40, 39, 38, 37),
        ),
        KeypointSet(
            "msra-21",
            _name_fingers(("index", "middle", "ring", "pinky", "thumb")),
            (0, 17, 18, 19, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
        ),
        KeypointSet(
            "mano-21",
            _name_mano(),
            (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20),
        ),
        KeypointSet("coco-wholebody-left", _name_wholebody(), tuple(range(91, 112))),
        KeypointSet("coco-wholebody-right", _name_wholebody(), tuple(range(112, 133))),
    )
}
"""Other conventions by name. WebXR and OpenXR tips lie 10-13 mm inside the skin, ours on it."""
