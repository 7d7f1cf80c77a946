"""Hands followed from frame to frame."""

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from frames.errors import BadInput  # noqa: E402
from tests.train_tiny.coded_hands import (  # noqa: E402
    CAMERA,
    CodedFinder,
    CodedNet,
    bound,
    draw_hands,
    place_hand,
)
from train_tiny.prediction.following import MOST_MISSED, Follower  # noqa: E402
from train_tiny.prediction.hand import Hand  # noqa: E402
from train_tiny.prediction.hand_pose import HandPose  # noqa: E402

Point = tuple[float, float]


@pytest.fixture
def pose() -> HandPose:
    """Knows every keypoint, and finds hands."""
    return HandPose(CodedNet(), 128, CodedFinder())


def count_looks(pose: HandPose) -> int:
    """How often the finder was asked."""
    assert isinstance(pose.finder, CodedFinder)
    return pose.finder.asked


def is_at(hand: Hand, middle: Point) -> bool:
    """Whether every keypoint is where the hand was drawn, but for two pixels."""
    for left in (False, True):
        truth = CAMERA.project(place_hand(middle, left))
        if np.abs(hand.keypoints_px - truth).max() < 2:
            return True
    return False


def test_a_hand_that_moves_is_found_once_and_followed(pose: HandPose) -> None:
    follow = pose.follow(every=1000)
    for step in range(12):
        middle = (100.0 + 6 * step, 90.0 + 4 * step)
        (hand,) = follow(draw_hands(place_hand(middle)), CAMERA)
        assert is_at(hand, middle) and hand.track == 0
        assert hand.found_by == ("finder" if step == 0 else "follow")
    assert count_looks(pose) == 1


def test_the_last_move_is_expected_again(pose: HandPose) -> None:
    """A hand that has been moving for a while may move farther than one that was at rest."""

    def follow_until_lost(rest: bool) -> int:
        follow = HandPose(CodedNet(), 128).follow()
        step, middle, count = 0.0, 60.0, 0
        follow(draw_hands(place_hand((middle, 160))), CAMERA, [bound(place_hand((middle, 160)))])
        while count < 40:
            step += 2
            middle += step
            if rest:
                follow._tracks = [
                    replace(t, step_m=np.zeros(3, np.float32)) for t in follow._tracks
                ]
            found = follow(draw_hands(place_hand((middle, 160))), CAMERA)
            if not found or not is_at(found[0], (middle, 160)):
                break
            count += 1
        return count

    assert follow_until_lost(rest=False) > follow_until_lost(rest=True) > 3


def test_the_finder_looks_at_intervals_and_finds_the_second(pose: HandPose) -> None:
    follow = pose.follow(every=4)
    seen = []
    for step in range(9):
        hands = [place_hand((130, 160))]
        if step >= 2:
            hands.append(place_hand((350, 160), left=True))
        seen.append(follow(draw_hands(*hands), CAMERA))
    assert [len(s) for s in seen] == [1, 1, 1, 1, 2, 2, 2, 2, 2]
    assert [h.track for h in seen[-1]] == [0, 1]
    assert [h.side for h in seen[-1]] == ["right", "left"]
    assert count_looks(pose) == 3


def test_a_lost_hand_is_looked_for_at_once(pose: HandPose) -> None:
    follow = pose.follow(every=1000)
    first = (100.0, 100.0)
    assert len(follow(draw_hands(place_hand(first)), CAMERA)) == 1
    # It jumps: it is no longer where it was, so the finder has its say in the same frame.
    far = (390.0, 220.0)
    (hand,) = follow(draw_hands(place_hand(far)), CAMERA)
    assert is_at(hand, far) and hand.track == 1 and hand.found_by == "finder"
    assert count_looks(pose) == 2
    assert follow(draw_hands(), CAMERA) == () and follow(draw_hands(), CAMERA) == ()
    assert count_looks(pose) == 4
    (hand,) = follow(draw_hands(place_hand(first)), CAMERA)
    assert hand.track == 2


def test_at_most_so_many_are_followed(pose: HandPose) -> None:
    follow = pose.follow(every=1, hands=1)
    for _ in range(3):
        both = draw_hands(place_hand((130, 160)), place_hand((350, 160)))
        assert len(follow(both, CAMERA)) == 1


def test_two_tracks_never_hold_one_hand(pose: HandPose) -> None:
    """Two hands meet and one leaves: the other is not followed twice."""
    follow = pose.follow(every=1000)
    for gap in (200, 170, 140):
        hands = place_hand((240 - gap / 2, 160)), place_hand((240 + gap / 2, 160), left=True)
        assert len(follow(draw_hands(*hands), CAMERA)) == 2
    track = follow._tracks[0]
    follow._tracks = [track, replace(track, number=9)]
    found = follow(draw_hands(place_hand((170, 160))), CAMERA)
    assert len(found) == 1


def test_what_the_finder_does_not_see_is_dropped(pose: HandPose) -> None:
    follow = Follower(pose, every=1)
    depth = draw_hands(place_hand((200, 150)))
    assert len(follow(depth, CAMERA)) == 1
    pose.finder = lambda depth_m: []
    found = [len(follow(depth, CAMERA)) for _ in range(MOST_MISSED + 1)]
    assert found == [1] * (MOST_MISSED - 1) + [0, 0]


def test_from_given_boxes_without_a_finder() -> None:
    follow = HandPose(CodedNet(), 128).follow()
    points = place_hand((200, 150))
    with pytest.raises(BadInput, match="nothing says where hands are"):
        follow(draw_hands(points), CAMERA)
    (hand,) = follow(draw_hands(points), CAMERA, [bound(points)])
    assert (hand.track, hand.found_by) == (0, "box")
    (hand,) = follow(draw_hands(place_hand((210, 155))), CAMERA)
    assert (hand.track, hand.found_by) == (0, "follow")
    # A box around a hand that is followed anyway adds none.
    assert len(follow(draw_hands(points), CAMERA, [bound(points)])) == 1
    assert follow(draw_hands(), CAMERA) == ()
    assert follow(draw_hands(points), CAMERA) == ()


def test_sides_are_remembered(pose: HandPose) -> None:
    """One frame in which a hand looks like the other does not turn it round."""
    follow = pose.follow(every=1000)
    for _ in range(6):
        follow(draw_hands(place_hand((200, 150))), CAMERA)
    assert isinstance(pose.net, CodedNet)
    forward = pose.net.forward
    pose.net.forward = lambda x: {**forward(x), "side": torch.full((len(x),), -3.0)}  # type: ignore[method-assign]
    (hand,) = follow(draw_hands(place_hand((200, 150))), CAMERA)
    assert hand.side == "right" and hand.right < 1
    for _ in range(20):
        (hand,) = follow(draw_hands(place_hand((200, 150))), CAMERA)
    assert hand.side == "left"
    assert hand.right == pytest.approx(1 / (1 + math.exp(3)), abs=0.2)


def test_a_new_sequence_begins_with_nothing(pose: HandPose) -> None:
    follow = pose.follow(every=1000)
    depth = draw_hands(place_hand((200, 150)))
    assert follow(depth, CAMERA)[0].track == 0
    follow.reset()
    assert follow(depth, CAMERA)[0].track == 1
    assert count_looks(pose) == 2


def test_bad_rhythm(pose: HandPose) -> None:
    with pytest.raises(BadInput, match="every and hands must be >= 1, got 0 and 2"):
        pose.follow(every=0)
