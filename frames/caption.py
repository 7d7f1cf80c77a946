"""A frame in words, for pictures and pages."""

import numpy as np

from frames.parts import VISIBILITY_OCCLUDED, VISIBILITY_OUTSIDE, VISIBILITY_VISIBLE
from frames.record import Frame, Hand


def measure_distance(hand: Hand) -> float:
    """Return the distance in metres from the camera to the hand's middle, the mean keypoint.

    NaN where no keypoint has a place.
    """
    points = hand.keypoints_cam_m
    known = points[np.isfinite(points).all(-1)]
    return float(np.linalg.norm(known.astype(np.float64).mean(0))) if len(known) else float("nan")


def count_visibility(hand: Hand) -> tuple[int, int, int]:
    """Return how many of the 21 keypoints are visible, occluded, and outside the image."""
    codes = (VISIBILITY_VISIBLE, VISIBILITY_OCCLUDED, VISIBILITY_OUTSIDE)
    return tuple(int((hand.visibility == code).sum()) for code in codes)  # type: ignore[return-value]


def caption_lines(frame: Frame) -> list[tuple[str, bool]]:
    """Return the lines that describe a frame, each with whether it is a heading."""
    camera = frame.camera
    lines = [(f"Frame {frame.frame_id}", True)]
    lines.append((f"{camera.width} x {camera.height} {camera.model}, {frame.source}", False))
    if frame.sensor:
        lines.append((f"sensor {frame.sensor}", False))
    if not frame.hands:
        lines.append(("no hands", False))
    for hand in frame.hands:
        owner = hand.side if hand.wearer else f"{hand.side} (another person)"
        distance = measure_distance(hand)
        where = f"{distance:.2f} m" if np.isfinite(distance) else "distance unknown"
        lines.append((f"{owner}, {hand.key_pose or 'no key pose'}, {where}", True))
        seen, hidden, out = count_visibility(hand)
        share = float(hand.visible_fraction)
        shown = f"{share:.0%} in sight; " if np.isfinite(share) else ""
        outside = f", {out} out" if out else ""
        lines.append((f"{shown}{seen} visible, {hidden} occluded{outside}", False))
    return lines
