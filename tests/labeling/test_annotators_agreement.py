"""Agreement of annotators against numbers worked out by hand."""

import numpy as np
import pytest

from frames.camera import CAMERAS
from labeling.agreement import (
    collect_ratings,
    measure_agreement,
    measure_kappa,
    measure_pairs,
)
from labeling.agreement_pictures import draw_disagreement
from labeling.answers import DELETED, HIDDEN, PLACED, Answer, DrawnHand

CAMERA = CAMERAS["ego"]


def draw_hand(shift: float = 0.0, side: str = "left", marks: int = PLACED) -> DrawnHand:
    """A grid of joints, moved to the right."""
    px = np.stack([100.0 + 4 * (np.arange(21) % 5), 80.0 + 6 * (np.arange(21) // 5)], -1)
    return DrawnHand(side, True, px + np.array([shift, 0.0]), np.full(21, marks, np.uint8))


def give(annotator: int, *hands: DrawnHand, number: int = 0, **more: bool) -> Answer:
    words = {"skipped": False, "unusable": False, "unsure": False, **more}
    return Answer(
        number or annotator, annotator, f"2026-01-{number or annotator:02d}", words["skipped"],
        False, 10.0, hands, words["unusable"], words["unsure"], "",
    )  # fmt: skip


def test_distances_in_px_and_mm() -> None:
    depth = np.full((CAMERA.height, CAMERA.width), 0.5, np.float32)
    answers = {4: [give(1, draw_hand()), give(2, draw_hand(3.0))]}
    found = measure_agreement(answers, {4: (depth, CAMERA)})
    assert (found.frames, found.hands, found.pairs, found.split_hands) == (1, 1, 1, 0)
    assert np.allclose(found.median_px, 3.0) and np.allclose(found.p90_px, 3.0)
    # 3 px at half a metre, and the flesh behind the skin: 3 * (500 + 2..30) / 168.5.
    assert (found.median_mm > 3 * 500 / 168.5).all()
    assert (found.median_mm < 3 * 530 / 168.5).all()
    assert (found.p90_mm >= found.median_mm).all()
    assert found.all_px == pytest.approx((3.0, 3.0))
    worst = found.worst[0]
    assert (worst.rated.frame, worst.rated.side) == (4, "left") and worst.px == pytest.approx(3.0)
    assert worst.mm == pytest.approx(found.median_mm[worst.joint])


def test_without_depth_there_are_no_mm() -> None:
    found = measure_agreement({0: [give(1, draw_hand()), give(2, draw_hand(1.0))]})
    assert np.isnan(found.median_mm).all() and np.isfinite(found.median_px).all()


def test_three_annotators_make_three_pairs() -> None:
    hands = [draw_hand(s) for s in (0.0, 1.0, 3.0)]
    found = measure_agreement({0: [give(i + 1, h) for i, h in enumerate(hands)]})
    assert found.pairs == 3 and found.raters == 3 and found.kappa_kind == "Fleiss"
    assert np.allclose(found.median_px, 2.0)
    # Each against both others: 1 and 3, 1 and 2, 3 and 2 px.
    assert found.annotators == {1: (1, 2.0), 2: (1, 1.5), 3: (1, 2.5)}


def test_only_the_latest_usable_answers_count() -> None:
    answers = {
        0: [give(1, draw_hand(50.0), number=1), give(1, draw_hand(), number=3),
            give(2, draw_hand(1.0), number=2)],
        1: [give(1, draw_hand()), give(2, draw_hand(), skipped=True)],
        2: [give(1, draw_hand()), give(2, draw_hand(), unsure=True)],
        3: [give(1, draw_hand()), give(2)],
    }  # fmt: skip
    rated, split = collect_ratings(answers)
    assert [one.frame for one in rated] == [0] and split == 1
    assert np.allclose(measure_pairs(rated[0]), 1.0)


def test_deleted_joints_have_no_distance() -> None:
    gone = draw_hand()
    gone.marks[7] = DELETED
    found = measure_agreement({0: [give(1, gone), give(2, draw_hand(2.0))]})
    assert np.isnan(found.median_px[7]) and np.isfinite(np.delete(found.median_px, 7)).all()


def test_cohens_kappa() -> None:
    # Cohen: 20 both yes, 15 both no, 5 and 10 apart: p_o = 0.7, p_e = 0.5, kappa = 0.4.
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    assert measure_kappa(np.array(pairs, np.int8)) == pytest.approx(0.4)
    unrated = np.array([*pairs, (1, -1), (-1, 0)], np.int8)
    assert measure_kappa(unrated) == pytest.approx(0.4)


def test_fleiss_kappa() -> None:
    # Four items, three raters, yes counts 3, 2, 1, 0. P_i = 1, 1/3, 1/3, 1: mean 2/3. Shares are
    # 1/2 each: p_e = 1/2, kappa = 1/3.
    ratings = np.array([[1, 1, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0]], np.int8)
    assert measure_kappa(ratings) == pytest.approx(1 / 3)
    # An item that one alone rated tells nothing.
    assert measure_kappa(np.vstack([ratings, [[1, -1, -1]]]).astype(np.int8)) == pytest.approx(
        1 / 3
    )


def test_kappa_of_chance_alone_is_none() -> None:
    assert np.isnan(measure_kappa(np.ones((9, 2), np.int8)))
    assert np.isnan(measure_kappa(np.empty((0, 3), np.int8)))
    rng = np.random.default_rng(0)
    # Independent raters: 0 with a standard error of about 1 / sqrt(20,000).
    assert abs(measure_kappa(rng.integers(0, 2, (20_000, 2)).astype(np.int8))) < 0.03
    assert abs(measure_kappa(rng.integers(0, 2, (20_000, 4)).astype(np.int8))) < 0.03


def test_visibility_kappa_of_answers() -> None:
    seen, hidden = draw_hand(), draw_hand(marks=HIDDEN)
    agree = {0: [give(1, seen), give(2, seen)], 1: [give(1, hidden), give(2, hidden)]}
    assert measure_agreement(agree).kappa_all == pytest.approx(1.0)
    against = {0: [give(1, seen), give(2, hidden)], 1: [give(1, hidden), give(2, seen)]}
    assert measure_agreement(against).kappa_all == pytest.approx(-1.0)
    # Three people, two a frame: who is first in a pair must not matter.
    mixed = {0: [give(1, seen), give(2, seen)], 1: [give(3, hidden), give(1, hidden)]}
    assert measure_agreement(mixed).kappa_all == pytest.approx(1.0)


def test_nothing_to_compare() -> None:
    found = measure_agreement({0: [give(1, draw_hand())]})
    assert found.hands == 0 and found.worst == () and np.isnan(found.kappa_all)


@pytest.mark.parametrize("shift", [0.0, -99.0, 215.0])
def test_picture_of_a_disagreement(shift: float) -> None:
    rated, _ = collect_ratings({0: [give(1, draw_hand(shift)), give(2, draw_hand(shift + 4.0))]})
    depth = np.full((CAMERA.height, CAMERA.width), 0.5, np.float32)
    picture = draw_disagreement(rated[0], depth, CAMERA)
    assert picture.ndim == 3 and picture.dtype == np.uint8
    assert (picture == (255, 93, 143)).all(-1).any() and (picture == 255).all(-1).any()
