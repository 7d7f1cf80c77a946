"""A page to leaf through frames: one HTML file that holds everything and opens without a server.

The depth and the parts travel as stored, packed into the channels of a PNG, and the page colours
them: so it can also read out the depth under the pointer.
"""

import base64
import html
import importlib.resources
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from frames.census.scenes import TOUCH_M
from frames.errors import BadInput
from frames.parts import CAUSE_NAMES, OBJECT_BASE, PART_NAMES
from frames.record import Frame, Hand
from frames.skeleton import KEYPOINT_COLORS, KEYPOINT_NAMES, KEYPOINTS, PARENTS
from frames.store.disk import write_file
from frames.viewing import palette
from frames.viewing.caption import describe_grasp, describe_sequence, measure_distance


def pack_png(frame: Frame) -> bytes:
    """Return a PNG of the frame whose pixels are (depth >> 8, depth & 255, part code), red first.

    A missing image is all zeros.
    """
    shape = (frame.camera.height, frame.camera.width)
    depth = np.zeros(shape, np.uint16) if frame.reading is None else frame.reading
    parts = np.zeros(shape, np.uint8) if frame.parts is None else frame.parts
    packed = np.stack([parts, depth & 255, depth >> 8], -1).astype(np.uint8)  # blue first, for cv2
    options = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, 1]
    return bytes(cv2.imencode(".png", packed, options)[1].tobytes())


def _numbers(values: np.ndarray, digits: int) -> list[Any]:
    """Return an array as nested lists of rounded numbers, None where it is not finite."""
    if values.ndim > 1:
        return [None if not np.isfinite(v).all() else _numbers(v, digits) for v in values]
    return [round(float(v), digits) if np.isfinite(v) else None for v in values]


def _describe_contact(hand: Hand) -> str | None:
    """Return how a hand touches what it touches, in words; None if it touches nothing."""
    if hand.contact_gap_m is None:
        return None
    gap = np.asarray(hand.contact_gap_m, np.float64)
    touching = int((gap <= TOUCH_M).sum())
    if not np.isfinite(gap).any():
        return "no part within 1 cm"
    return f"{touching} parts within 2 mm, least gap {np.nanmin(gap) * 1e3:.1f} mm"


def _describe_hand(frame: Frame, hand: Hand) -> dict[str, Any]:
    """Return what the page shows of a hand, as JSON values."""
    boxes = [hand.box_px, hand.box_amodal_px]
    modal, amodal = _numbers(np.asarray(boxes, np.float64), 1)
    fraction, distance = float(hand.visible_fraction), measure_distance(hand)
    return {
        "side": hand.side,
        "wearer": bool(hand.wearer),
        "base": int(hand.part_base),
        "pose": hand.key_pose,
        "grasp": describe_grasp(frame, hand) or None,
        "contact": _describe_contact(hand),
        "worn": hand.worn,
        "distance": round(distance, 4) if np.isfinite(distance) else None,
        "fraction": round(fraction, 3) if np.isfinite(fraction) else None,
        "px": _numbers(hand.keypoints_px, 2),
        "z": _numbers(hand.keypoints_cam_m[:, 2], 4),
        "surface": _numbers(hand.surface_depth_m, 4),
        "visibility": [int(v) for v in hand.visibility],
        "cause": [int(v) for v in hand.occlusion],
        "box": modal,
        "amodal": amodal,
    }


def _describe_frame(frame: Frame) -> dict[str, Any]:
    """Return what the page shows of a frame, as JSON values."""
    near, far = palette.find_hand_range(frame)
    return {
        "id": int(frame.frame_id),
        "source": frame.source,
        "situation": frame.situation,
        "split": frame.split,
        "background": frame.background,
        "sequence": describe_sequence(frame) or None,
        "sensor": frame.sensor,
        "model": frame.camera.model,
        "width": frame.camera.width,
        "height": frame.camera.height,
        "focal": float(frame.camera.fx),
        "depthScale": float(frame.depth_scale),
        "near": round(near, 4),
        "far": round(far, 4),
        "hasParts": frame.parts is not None,
        "hands": [_describe_hand(frame, hand) for hand in frame.hands],
        "objects": [{"kind": o.name or o.kind, "code": int(o.part_code)} for o in frame.objects],
        "png": "data:image/png;base64," + base64.b64encode(pack_png(frame)).decode(),
    }


def render_page(frames: Sequence[Frame], title: str = "handloom") -> str:
    """Return the page of some frames as HTML text.

    Raises:
        BadInput: there is no frame.
    """
    if not frames:
        raise BadInput("a page needs at least 1 frame, got 0: is the dataset empty?")
    poses = sorted({hand.key_pose or "none" for frame in frames for hand in frame.hands})
    data = {
        "frames": [_describe_frame(frame) for frame in frames],
        "keyPoses": poses,
        "keypointNames": list(KEYPOINT_NAMES),
        "parents": PARENTS,
        "partNames": list(PART_NAMES),
        "causeNames": list(CAUSE_NAMES),
        "objectBase": OBJECT_BASE,
        "keypointColors": KEYPOINT_COLORS,
        "otherColors": [palette.color_joint(j, wearer=False) for j in range(KEYPOINTS)],
        "noReading": palette.NO_READING,
        "noReadingHatch": palette.NO_READING_HATCH,
        "partColors": palette.PART_COLORS.tolist(),
        "ramp": palette.DEPTH_RAMP.tolist(),
        "tone": palette.TONE,
    }
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    template = importlib.resources.files("frames.viewing").joinpath("page.html").read_text("utf-8")
    # "</script>" inside a string would end the block; \u003c is the same character in JSON.
    data_text = text.replace("<", "\\u003c")
    before, after = template.split("__DATA__")
    return before.replace("__TITLE__", html.escape(title)) + data_text + after


def write_page(frames: Sequence[Frame], path: Path, title: str = "handloom") -> None:
    """Write an HTML file that pages through frames: no server, no network, no other file.

    Args:
        frames: one or more; about 25 kB each at 320x240.
        path: where to write, ending in .html.
        title: heading of the page.

    Raises:
        BadInput: there is no frame; the path does not end in .html, or cannot be written.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"a page is written as .html, got {path}")
    write_file(path, render_page(frames, title).encode())
