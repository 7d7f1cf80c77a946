"""Tracking of hands from frame to frame, around their last places and by the finder.

    follow = pose.follow()
    for depth in recording:
        for hand in follow(depth, camera):
            hand.track, hand.side

To follow a hand costs one crop; a finder looks at the whole frame. So the finder is asked where no
hand is followed, where one was lost, and now and then: for hands that have come into view, and
whether what is followed are hands still.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augment.geometry.crop import Target, target_box
from frames.camera import Camera
from frames.errors import BadInput
from train_tiny.prediction.depth_image import DepthImage, read_boxes, read_depth
from train_tiny.prediction.hand import (
    FOLLOWED,
    SAME,
    Hand,
    choose_hands,
    drop_duplicates,
    measure_gap,
)
from train_tiny.prediction.views import aim_at_points

if TYPE_CHECKING:
    from train_tiny.prediction.hand_pose import HandPose

VELOCITY_SHARE: Final = 0.5
"""Of the last move, so much is expected to happen again: with none, quick hands leave the crop; all
would swing with every error (docs/prediction.md)."""

SIDE_MEMORY: Final = 0.9
"""A hand does not change sides: of what earlier frames said of it, so much still counts."""

MOST_MISSED: Final = 3
"""Looks of the finder in a row that may miss a hand that is followed."""

_SURE: Final = 1e-3
"""A side is never more certain than this from one."""


@dataclass(frozen=True, eq=False)
class _Track:
    """A hand that is followed."""

    number: int
    hand: Hand
    """As it was found in the last frame."""
    step_m: NDArray[np.float32]
    """(3,) how far its middle went since the frame before, camera axes."""
    evidence: float
    """Weighed sum of its sides' log odds, right ones positive."""
    weight: float
    """Sum of the weights."""
    missed: int = 0
    """Looks of the finder in a row that did not see it."""

    def aim(self) -> Target | None:
        """Where it is expected now."""
        return aim_at_points(self.hand.keypoints_cam_m + np.float32(VELOCITY_SHARE) * self.step_m)


class Follower:
    """Predicts one frame after the other, all of one sequence of one camera."""

    def __init__(self, pose: "HandPose", every: int = 10, hands: int = 2) -> None:
        """every: frames from one look of the finder to the next; 1: it looks in each. hands: at
        most so many are followed. Raises BadInput for less than one."""
        if every < 1 or hands < 1:
            raise BadInput(f"every and hands must be >= 1, got {every} and {hands}")
        self._pose, self._every, self._most = pose, every, hands
        self._count = 0
        self.reset()

    def reset(self) -> None:
        """Begin another sequence: forget all hands. The numbers of tracks go on."""
        self._tracks: list[_Track] = []
        self._wait = 0
        self._seeded = False

    def __call__(
        self,
        depth: Any,
        camera: Camera,
        boxes: ArrayLike | None = None,
        depth_scale: float | None = None,
    ) -> tuple[Hand, ...]:
        """The hands of the next frame.

        depth, camera, depth_scale: as `HandPose` takes them. boxes: (N, 4) where hands are, in
        place of the finder's word on this frame; hands may be followed from one frame's boxes
        without any finder. Raises BadInput as `HandPose` does.
        """
        image = read_depth(depth, camera, depth_scale)
        tracks = self._follow(image)
        lost = len(tracks) < len(self._tracks)
        self._wait -= 1
        found: list[Hand] = []
        if boxes is not None:
            self._seeded = True
            targets = [target_box(camera, b) for b in read_boxes(boxes)]
            found = choose_hands(self._pose.refine(image, targets, "box"))
        elif self._may_find() and (self._wait <= 0 or lost or not tracks):
            self._wait = self._every
            found = choose_hands(self._pose.refine(image, self._pose.find(image), "finder"))
            tracks = [t for t in (_mark_missed(t, found) for t in tracks) if t is not None]
        known = [t.hand for t in tracks]
        new = [h for h in drop_duplicates([*known, *found]) if not any(h is k for k in known)]
        self._tracks = tracks + [self._begin(hand) for hand in new[: self._most - len(known)]]
        return tuple(_speak(track) for track in self._tracks)

    def _may_find(self) -> bool:
        """Whether to ask the finder; its absence is an error unless boxes have done its work."""
        return self._pose.finder is not None or not self._seeded

    def _follow(self, image: DepthImage) -> list[_Track]:
        """What of the tracks is still there."""
        hands = self._pose.refine(image, [t.aim() for t in self._tracks], FOLLOWED)
        kept = choose_hands(hands)
        return [
            _go_on(track, hand)
            for track, hand in zip(self._tracks, hands, strict=True)
            if any(hand is k for k in kept)
        ]

    def _begin(self, hand: Hand) -> _Track:
        self._count += 1
        odds, weight = _weigh_side(hand)
        return _Track(self._count - 1, hand, np.zeros(3, np.float32), odds, weight)


def _go_on(track: _Track, hand: Hand) -> _Track:
    odds, weight = _weigh_side(hand)
    step = (hand.keypoints_cam_m - track.hand.keypoints_cam_m).mean(0)
    evidence = SIDE_MEMORY * track.evidence + odds
    return _Track(
        track.number, hand, step, evidence, SIDE_MEMORY * track.weight + weight, track.missed
    )


def _weigh_side(hand: Hand) -> tuple[float, float]:
    """Log odds of a right hand, and whether they are known."""
    if math.isnan(hand.right):
        return 0.0, 0.0
    right = min(max(hand.right, _SURE), 1 - _SURE)
    return math.log(right / (1 - right)), 1.0


def _mark_missed(track: _Track, found: list[Hand]) -> _Track | None:
    """The track after a look of the finder; None if it was missed too often."""
    if any(measure_gap(track.hand, hand) < 2 * SAME for hand in found):
        return replace(track, missed=0)
    return None if track.missed + 1 >= MOST_MISSED else replace(track, missed=track.missed + 1)


def _speak(track: _Track) -> Hand:
    """The hand, with the side that all its frames tell."""
    right = track.hand.right
    if track.weight > 0:
        right = 1 / (1 + math.exp(-track.evidence / track.weight))
    return replace(track.hand, right=right, track=track.number)
