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


def describe_grasp(frame: Frame, hand: Hand) -> str:
    """Return how a hand holds what, as far as it is known; "" if it holds nothing."""
    held = None
    if hand.held is not None and 0 <= hand.held < len(frame.objects):
        thing = frame.objects[hand.held]
        held = thing.name or thing.kind
    if hand.grasp and held:
        return f"{hand.grasp} of {held}"
    return hand.grasp or (f"holds {held}" if held else "")


def describe_sequence(frame: Frame) -> str:
    """Return a frame's place in its sequence; "" outside of one."""
    if frame.sequence_id is None:
        return ""
    time = "" if frame.time_s is None else f" at {frame.time_s:.2f} s"
    return f"sequence {frame.sequence_id}{time}"


def caption_lines(frame: Frame) -> list[tuple[str, bool]]:
    """Return the lines that describe a frame, each with whether it is a heading."""
    camera = frame.camera
    heading = [f"Frame {frame.frame_id}", *filter(None, (frame.situation, frame.split))]
    lines = [(", ".join(heading), True)]
    lines.append((f"{camera.width} x {camera.height} {camera.model}, {frame.source}", False))
    setting = [frame.background, describe_sequence(frame)]
    if any(setting):
        lines.append((", ".join(filter(None, setting)), False))
    if frame.sensor:
        lines.append((f"sensor {frame.sensor}", False))
    if frame.origin:
        lines.append((frame.origin, False))
    if not frame.hands:
        lines.append(("no hands" if frame.source == "synthetic" else "no labels", False))
    for hand in frame.hands:
        owner = hand.side if hand.wearer else f"another's {hand.side}"
        grasp = describe_grasp(frame, hand)
        pose = [] if grasp else [hand.key_pose or "no key pose"]
        distance = measure_distance(hand)
        where = f"{distance:.2f} m" if np.isfinite(distance) else "distance unknown"
        lines.append((", ".join([owner, *pose, where]), True))
        if grasp:
            lines.append((grasp, False))
        seen, hidden, out = count_visibility(hand)
        share = float(hand.visible_fraction)
        shown = f"{share:.0%} in sight; " if np.isfinite(share) else ""
        outside = f", {out} out" if out else ""
        lines.append((f"{shown}{seen} visible, {hidden} occluded{outside}", False))
    return lines
