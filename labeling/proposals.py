"""Proposals: the hands that annotators find in a task and correct."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frames.camera import Camera
from frames.errors import BadInput
from frames.parts import VISIBILITY_VISIBLE
from frames.record import Frame
from frames.skeleton import KEYPOINTS

Floats = NDArray[np.float64]

SIDES: Final = ("left", "right")

SPARE_HEIGHT: Final = 0.18
"""Of the image: how tall a spare hand is."""

SEEN: Final = 0.5
"""From this likelihood on a joint counts as seen."""

_OPEN_HAND: Final = (
    # A left hand's back, fingers up, thumb to the right; x right, y down, height 1.
    (0.50, 1.00),
    *((0.66, 0.90), (0.80, 0.76), (0.90, 0.62), (0.98, 0.50)),
    *((0.66, 0.48), (0.70, 0.29), (0.72, 0.16), (0.74, 0.04)),
    *((0.53, 0.45), (0.54, 0.24), (0.545, 0.11), (0.55, 0.00)),
    *((0.40, 0.48), (0.385, 0.28), (0.375, 0.16), (0.365, 0.05)),
    *((0.28, 0.54), (0.22, 0.39), (0.185, 0.29), (0.15, 0.20)),
)


@dataclass(frozen=True, eq=False)
class Proposal:
    """One hand as a predictor sees it."""

    side: str
    """"left" or "right": the person's own."""

    keypoints_px: Floats
    """(21, 2); NaN for a joint of which nothing is known."""

    likely_visible: Floats
    """(21,) likelihood 0..1 that the joint is seen."""

    confidence: Floats
    """(21,) 0..1, how sure the predictor is of the place."""

    score: float
    """0..1, how sure it is of the hand."""

    spare: bool = False
    """Whether it is no find but an open hand in a corner, for a hand that was not found."""


def check_proposals(proposals: Sequence[Proposal], where: str) -> None:
    """Raises BadInput for proposals that cannot be sent: a side that is none, two of one side that
    are both the wearer's, shapes, scores that are no share.
    """
    sides = [p.side for p in proposals]
    for side in sides:
        if side not in SIDES:
            raise BadInput(f"{where}: a hand's side must be left or right, got {side!r}")
    if len(set(sides)) != len(sides):
        raise BadInput(f"{where}: at most one hand a side can be proposed, got {sides}")
    for p in proposals:
        shapes = (p.keypoints_px.shape, p.likely_visible.shape, p.confidence.shape)
        if shapes != ((KEYPOINTS, 2), (KEYPOINTS,), (KEYPOINTS,)):
            raise BadInput(
                f"{where}: a hand must have (21, 2) keypoints and twice (21,), got {shapes}"
            )
        values = np.concatenate([p.likely_visible, p.confidence, [p.score]])
        if not ((values >= 0) & (values <= 1)).all():
            raise BadInput(f"{where}: likelihoods and scores must be within 0..1")
        if np.isinf(p.keypoints_px).any():
            raise BadInput(f"{where}: a keypoint is infinite")


def propose_labels(frame: Frame) -> tuple[Proposal, ...]:
    """A frame's own labels as proposals: the wearer's hands, at most one a side."""
    found: dict[str, Proposal] = {}
    for hand in frame.hands:
        if hand.side in found or not hand.wearer:
            continue
        px = np.asarray(hand.keypoints_px, np.float64)
        known = np.asarray(np.isfinite(px).all(-1))
        found[hand.side] = Proposal(
            hand.side,
            np.where(known[:, None], px, np.nan),
            np.asarray(np.asarray(hand.visibility) == VISIBILITY_VISIBLE, np.float64),
            np.asarray(known, np.float64),
            1.0,
        )
    return tuple(found.values())


def propose_found(hands: Sequence[Any]) -> tuple[Proposal, ...]:
    """What `train_tiny.HandPose` found as proposals, the likelier hand of two on one side.

    hands: each with right, score, keypoints_px, visible and confidence.
    """
    found: dict[str, Proposal] = {}
    for hand in sorted(hands, key=lambda h: -float(h.score)):
        right = float(hand.right)
        side = "right" if right >= 0.5 else "left"
        if side in found:
            # The less likely hand of two is rather the other one.
            side = "left" if side == "right" else "right"
            if side in found:
                continue
        found[side] = Proposal(
            side,
            np.array(hand.keypoints_px, np.float64),
            np.clip(np.array(hand.visible, np.float64), 0, 1),
            np.clip(np.array(hand.confidence, np.float64), 0, 1),
            float(np.clip(hand.score, 0, 1)),
        )
    return tuple(found.values())


def add_spares(proposals: Sequence[Proposal], camera: Camera) -> tuple[Proposal, ...]:
    """The proposals, left before right, with a spare hand for a side that has none.

    A joint drawn by hand would carry a random name, so an annotator must never need to draw one.
    """
    by_side = {p.side: p for p in proposals}
    return tuple(by_side.get(side) or build_spare(side, camera) for side in SIDES)


@lru_cache(maxsize=64)
def build_spare(side: str, camera: Camera) -> Proposal:
    """An open hand in the lower left (left hand) or lower right corner."""
    places = np.array(_OPEN_HAND)
    tall = SPARE_HEIGHT * camera.height
    margin = 0.02 * camera.height
    x = places[:, 0] * tall + margin
    y = camera.height - 1 - margin - tall + places[:, 1] * tall
    if side == "right":
        x = camera.width - 1 - x
    return Proposal(side, np.stack([x, y], -1), np.ones(KEYPOINTS), np.zeros(KEYPOINTS), 0.0, True)


def is_spare(side: str, px: ArrayLike, camera: Camera) -> bool:
    """Whether a hand's (21, 2) pixels are still those of a spare, to 1e-3 px."""
    px = np.asarray(px, np.float64)
    for corner in SIDES:  # a spare whose label alone was changed is one too
        off = np.abs(px - build_spare(corner, camera).keypoints_px)
        if bool((np.nan_to_num(off, nan=np.inf) < 1e-3).all()):
            return True
    return False


def find_spare_joints(px: ArrayLike, camera: Camera) -> NDArray[np.bool_]:
    """(21,) joints that still lie where a spare hand of either side has them, to 1e-3 px."""
    px = np.asarray(px, np.float64)
    there = np.zeros(KEYPOINTS, bool)
    for corner in SIDES:
        off = np.abs(px - build_spare(corner, camera).keypoints_px)
        there |= (np.nan_to_num(off, nan=np.inf) < 1e-3).all(-1)
    return there


def measure_certainty(proposals: Sequence[Proposal]) -> float:
    """0..1, how sure a frame's proposals are: of the least sure hand, its score times the mean
    confidence of its joints; 0 where no hand was found. Label Studio shows the lowest first.
    """
    found = [p for p in proposals if not p.spare]
    if not found:
        return 0.0
    return float(min(p.score * p.confidence.mean() for p in found))
