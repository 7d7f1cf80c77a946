"""A frame's labels as COCO has them (cocodataset.org, "Data format").

Keypoints are x, y, v with whole numbers at pixel centres and v as ours: 2 visible, 1 hidden, 0 not
in the picture or not labelled, and then x = y = 0. Boxes are x, y, width, height from the picture's
corner, around the whole hand. Hands that are not in the picture have no annotation.
"""

from typing import Any, Final

import numpy as np

from frames.exports.hand_box import box_hand, find_labelled
from frames.exports.plain import list_floats
from frames.exports.rle import encode_mask
from frames.parts import HAND_PARTS, PROVENANCE_EXACT
from frames.record import Bytes, Frame, Hand
from frames.skeleton import BONES, KEYPOINT_NAMES

SIDES: Final = ("left", "right")
"""Category 1 and 2."""

HANDS_A_FRAME: Final = 8
"""More than a frame can have: annotation k of a frame has the id 8 x frame + k + 1."""


def list_categories() -> list[dict[str, Any]]:
    """A category a side, with the same keypoints."""
    return [
        {
            "id": place + 1,
            "name": f"{side}_hand",
            "supercategory": "hand",
            "keypoints": list(KEYPOINT_NAMES),
            "skeleton": [[a + 1, b + 1] for a, b in BONES],
        }
        for place, side in enumerate(SIDES)
    ]


def label_image(frame: Frame, file_name: str) -> dict[str, Any]:
    """The entry of a frame's picture."""
    image: dict[str, Any] = {
        "id": frame.frame_id,
        "file_name": file_name,
        "width": frame.camera.width,
        "height": frame.camera.height,
        "depth_scale": frame.depth_scale,
        "camera": frame.camera.to_dict(),
        "source": frame.source,
    }
    more = ("sensor", "situation", "background", "sequence_id", "time_s", "origin")
    return image | {name: v for name in more if (v := getattr(frame, name)) is not None}


def label_hands(frame: Frame) -> list[dict[str, Any]]:
    """The annotations of a frame's hands."""
    found = (label_hand(frame, place, hand) for place, hand in enumerate(frame.hands))
    return [annotation for annotation in found if annotation is not None]


def label_hand(frame: Frame, place: int, hand: Hand) -> dict[str, Any] | None:
    """The annotation of one hand; None if it is not in the picture."""
    box = box_hand(hand)
    if box is None:
        return None
    known = find_labelled(hand)
    px = list_floats(np.where(known[:, None], hand.keypoints_px, 0))
    flags = np.where(known, hand.visibility, 0).tolist()
    x0, y0, x1, y1 = box.tolist()
    out: dict[str, Any] = {
        "id": HANDS_A_FRAME * frame.frame_id + place + 1,
        "image_id": frame.frame_id,
        "category_id": SIDES.index(hand.side) + 1,
        "keypoints": [
            value for k, v in enumerate(flags) for value in (px[2 * k], px[2 * k + 1], v)
        ],
        "num_keypoints": int(known.sum()),
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": (x1 - x0) * (y1 - y0),
        "iscrowd": 0,
        "side": hand.side,
        "wearer": bool(hand.wearer),
        "occlusion": hand.occlusion.tolist(),
        "keypoints_cam_m": list_floats(hand.keypoints_cam_m),
    }
    if frame.parts is not None:
        out["segmentation"] = encode_mask(find_pixels(frame.parts, hand))
    if np.isfinite(hand.box_px).all():
        a, b, c, d = hand.box_px.tolist()
        out["bbox_visible"] = [a + 0.5, b + 0.5, c - a, d - b]
    if hand.visible_fraction == hand.visible_fraction:
        out["visible_fraction"] = list_floats(hand.visible_fraction)[0]
    if (hand.provenance != PROVENANCE_EXACT).any():
        out["provenance"] = hand.provenance.tolist()
    more = ("key_pose", "grasp", "worn", "identity")
    return out | {name: v for name in more if (v := getattr(hand, name)) is not None}


def find_pixels(parts: Bytes, hand: Hand) -> np.ndarray:
    """(H, W) where the hand is seen, its forearm excluded."""
    first = hand.part_base + 1
    return np.asarray((parts >= first) & (parts < first + HAND_PARTS))
