"""A hand as prediction finds it, and which of those found are kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.skeleton import FINGERS, WRIST

Floats = NDArray[np.float32]

FOLLOWED: Final = "follow"
"""What finds a hand where it was in the last frame."""

LEAST_SCORE: Final = 0.3
"""Hands that the finder or the last frame proposes are kept from this score on: crops of anything
else stay below it, and hands below it are mostly wrong."""

FLESH_M: Final = 0.008
"""Half a finger's width: how far a hand's outline lies beyond its keypoints."""

PALM_RANGE_M: Final = (0.04, 0.15)
"""From the wrist to the middle finger's MCP: small children to the largest men, and then some."""

REACH_M: Final = 0.27
"""No keypoint is farther from the wrist."""

SAME: Final = 0.2
"""Hands are one and the same if their keypoints are, in the mean, nearer to each other than this
share of the larger hand's size."""

_MIDDLE = FINGERS["middle"][0]


@dataclass(frozen=True, eq=False)
class Hand:
    """One hand in a depth image. Pixels and camera axes as in docs/conventions.md."""

    right: float
    """Likelihood of a right hand, 0 .. 1; NaN from a network that does not tell."""
    score: float
    """How sure: the mean confidence, 0 .. 1. 0 for a given box in which nothing was read."""
    box_px: Floats
    """(4,) x0, y0, x1, y1 around it, within the image."""
    keypoints_px: Floats
    """(21, 2) in the frame's pixels; may lie outside the image."""
    keypoints_cam_m: Floats
    """(21, 3) in the camera's axes, metres."""
    visible: Floats
    """(21,) likelihood of being seen, not occluded; NaN from a network that does not tell."""
    confidence: Floats
    """(21,) how much of a keypoint's heatmap lies about its peak, 0 .. 1."""
    found_by: str = "box"
    """"box" (given), "finder", or "follow" (where it was in the last frame)."""
    track: int = -1
    """Number of the hand over the frames of a sequence; -1 where none is followed."""

    @property
    def side(self) -> str:
        """ "left" or "right": the person's own; "" where the network does not tell."""
        return "" if np.isnan(self.right) else "right" if self.right >= 0.5 else "left"


def bound_hand(camera: Camera, px: Floats, points_m: Floats) -> Floats:
    """(4,) the box around keypoints (21, 2), (21, 3) and the flesh about them, cut at the image."""
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = np.where(points_m[:, 2] > 0, FLESH_M * camera.fx / points_m[:, 2], 0)[:, None]
    there = np.isfinite(px).all(1) & np.isfinite(reach[:, 0])
    if not there.any():
        return np.full(4, np.nan, np.float32)
    low, high = (px - reach)[there].min(0), (px + reach)[there].max(0)
    last = np.array([camera.width, camera.height]) - 0.5
    return np.concatenate([np.clip(low, -0.5, last), np.clip(high, -0.5, last)]).astype(np.float32)


def is_plausible(hand: Hand) -> bool:
    """Whether a hand may have such bones, and lies in the image at least in part."""
    points, box = hand.keypoints_cam_m, hand.box_px
    if not (np.isfinite(points).all() and (points[:, 2] > 0).all()):
        return False
    away = np.linalg.norm(points - points[WRIST], axis=1)
    in_view = box[2] > box[0] and box[3] > box[1]
    least, most = PALM_RANGE_M
    return bool(in_view and least <= away[_MIDDLE] <= most and away.max() <= REACH_M)


def measure_gap(a: Hand, b: Hand) -> float:
    """Mean distance of two hands' keypoints in pixels as a share of the larger one's size."""
    sides = [np.ptp(h.keypoints_px, axis=0) for h in (a, b)]
    size = max(float(np.hypot(*s)) for s in sides)
    gap = float(np.linalg.norm(a.keypoints_px - b.keypoints_px, axis=1).mean())
    return gap / size if size > 0 else 0.0


def drop_duplicates(hands: Sequence[Hand]) -> list[Hand]:
    """Hands without those that are an earlier one once more, in their order."""
    kept: list[Hand] = []
    for hand in hands:
        if all(measure_gap(hand, other) >= SAME for other in kept):
            kept.append(hand)
    return kept


def choose_hands(hands: Iterable[Hand], most: int | None = None) -> list[Hand]:
    """Those that are likely and have a hand's shape, each once, the most certain first."""
    good = [h for h in hands if h.score >= LEAST_SCORE and is_plausible(h)]
    good.sort(key=lambda h: -h.score)
    return drop_duplicates(good)[:most]
