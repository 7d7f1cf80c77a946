"""Grouping of maps in which it is known what is there."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from drawn_frames import make_maps  # noqa: E402

from train_tiny.finding.grouping import Grouping, Instance, group, merge_maps  # noqa: E402

SIZE = 96, 64


def find(maps: list[torch.Tensor], **options: object) -> list[Instance]:
    """The instances of one frame."""
    return group(*merge_maps(maps), Grouping(**options))[0]  # type: ignore[arg-type]


def scatter(seed: int, joints: int = 21) -> np.ndarray:
    """Joints anywhere in the frame."""
    rng = np.random.default_rng(seed)
    return rng.uniform((3, 3), (SIZE[0] - 4, SIZE[1] - 4), (joints, 2)).astype(np.float32)


def pair_up(found: list[Instance], hands: list[np.ndarray]) -> list[np.ndarray]:
    """Errors (J,) of the instance that is nearest to each hand, each instance once."""
    free, out = list(found), []
    for hand in hands:
        error = [np.linalg.norm(one.keypoints_px - hand, axis=-1) for one in free]
        best = int(np.argmin([np.nanmean(e) for e in error]))
        out.append(error[best])
        del free[best]
    return out


@pytest.mark.parametrize("joints", [1, 14, 17, 21, 133])
def test_one_instance_of_any_number_of_joints(joints: int) -> None:
    hand = scatter(joints, joints)
    (one,) = find(make_maps([hand], [1.5], *SIZE))
    assert one.keypoints_px.shape == (joints, 2) and one.scores.shape == (joints,)
    # A quarter of a cell of two pixels, both ways, once the nearer quarter was chosen.
    assert np.abs(one.keypoints_px - hand).max() <= 0.5 + 0.1
    assert one.score > 0.75 and one.scores.min() > 0.5


@pytest.mark.parametrize("count", [2, 3, 4])
def test_hands_that_are_mixed_up_are_told_apart_by_tags(count: int) -> None:
    """Joints of all hands lie anywhere: nothing but tags says whose they are."""
    hands = [scatter(10 * count + k) for k in range(count)]
    # Where two of a joint meet, one Gaussian hides the other: keep them apart.
    for joint in range(21):
        for k in range(count):
            column = (k + joint) % count
            hands[k][joint, 0] = 6 + (column + 0.5) * (SIZE[0] - 12) / count
    tags = [2.5 * k - 3 for k in range(count)]
    found = find(make_maps(hands, tags, *SIZE, spread=0.1))
    assert len(found) == count
    for error in pair_up(found, hands):
        assert error.max() < 1.5


def test_crossing_hands() -> None:
    """Two rows of joints that cross in the middle; where they meet, one of both has the peak."""
    x = np.linspace(8, 88, 21)
    hands = [np.stack([x, y], 1).astype(np.float32) for y in (x * 0.6, 58 - x * 0.6)]
    found = find(make_maps(hands, [-1.0, 1.0], *SIZE))
    assert len(found) == 2
    for error in pair_up(found, hands):
        assert np.median(error) < 0.6 and (error < 1.5).mean() > 0.8


def test_hands_of_one_tag_are_told_apart_by_where_they_are() -> None:
    hands = [scatter(1) * (0.4, 1), scatter(2) * (0.4, 1) + (50, 0)]
    found = find(make_maps(hands, [1.0, 1.2], *SIZE))
    assert len(found) == 2
    for error in pair_up(found, hands):
        assert error.max() < 1.5


def test_joints_that_are_missing_are_filled_from_the_heatmap() -> None:
    hand, other = scatter(3) * (0.4, 1), scatter(4) * (0.4, 1) + (50, 0)
    maps = make_maps([hand, other], [0.0, 3.0], *SIZE)
    for place in (maps[0][:, 7], maps[1][:, 7]):
        place[..., : place.shape[-1] // 2] *= 0.05  # below the threshold in the hand's half
    found = find(maps)
    assert len(found) == 2
    mine = min(found, key=lambda one: float(np.abs(one.keypoints_px - hand).mean()))
    theirs = max(found, key=lambda one: float(np.abs(one.keypoints_px - hand).mean()))
    assert np.abs(mine.keypoints_px[7] - hand[7]).max() < 1.5, "its own tag says where"
    assert mine.scores[7] < 0.1 <= theirs.scores[7]
    # Twenty of its 21 joints have a peak.
    assert mine.score == pytest.approx(np.delete(mine.scores, 7).sum() / 21, rel=1e-5)


def test_a_missing_joint_is_not_taken_from_elsewhere() -> None:
    """Both hands have the same tag, but the other hand's joint is out of reach."""
    hand, other = scatter(3) * (0.3, 1), scatter(4) * (0.3, 1) + (64, 0)
    maps = make_maps([hand, other], [0.0, 0.4], *SIZE)
    for place in (maps[0][:, 7], maps[1][:, 7]):
        place[..., : place.shape[-1] // 2] = 0
    found = group(*merge_maps(maps), Grouping(order=tuple(range(21)), reach=0.3))[0]
    assert len(found) == 2
    assert min(one.scores[7] for one in found) < 1e-3
    far = group(*merge_maps(maps), Grouping(order=tuple(range(21)), reach=9.0))[0]
    assert min(one.scores[7] for one in far) > 0.5


def test_a_joint_that_nobody_sees_scores_nothing() -> None:
    hand = scatter(5)
    hand[[2, 9]] = np.nan
    (one,) = find(make_maps([hand], [1.0], *SIZE))
    assert (one.scores[[2, 9]] < 1e-3).all() and (np.delete(one.scores, [2, 9]) > 0.5).all()


def test_nothing_is_found_in_nothing() -> None:
    maps = [torch.zeros(3, 42, 16, 24), torch.zeros(3, 21, 32, 48)]
    assert group(*merge_maps(maps)) == [[], [], []]


def test_equal_neighbours_are_one_peak() -> None:
    """A joint between two cells has two that are equally high."""
    hand = np.stack([np.arange(21) * 4 + 6.5, np.full(21, 30.5)], 1)  # 2 i + 0.5 is a cell
    hand[::2, 0] += 1
    (one,) = find(make_maps([hand.astype(np.float32)], [0.0], *SIZE))
    assert np.abs(one.keypoints_px - hand).max() <= 1.0


def test_as_many_peaks_as_asked_for() -> None:
    hands = [scatter(k) for k in range(3)]
    maps = make_maps(hands, [0.0, 3.0, 6.0], *SIZE)
    assert len(find(maps, peaks=1, tag_distance=1e9)) == 1


def test_a_mirror_sees_the_same() -> None:
    """Heatmaps are averaged; tags stay two numbers, of which either may tell hands apart."""
    hands = [scatter(1) * (0.4, 1), scatter(2) * (0.4, 1) + (50, 0)]
    maps = make_maps(hands, [0.0, 0.4], *SIZE)
    mixed = pair_up(find(maps, nearness=0.0), hands)
    assert max(error.max() for error in mixed) > 10, "tags that are alike"
    turned = [hand * (-1, 1) + (SIZE[0] - 1, 0) for hand in hands]
    mirrored = make_maps([h.astype(np.float32) for h in turned], [-3.0, 3.0], *SIZE)
    heat, tags = merge_maps(maps, mirrored)
    assert torch.allclose(heat, merge_maps(maps)[0], atol=1e-5)
    assert tags.shape[:2] == (1, 2)
    found = group(heat, tags, Grouping(nearness=0.0))[0]
    assert len(found) == 2
    for error in pair_up(found, hands):
        assert error.max() < 1.5
