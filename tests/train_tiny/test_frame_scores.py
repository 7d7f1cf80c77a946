"""Average precision against cases worked out by hand, and against a plain computation."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("faster_coco_eval")

from train_tiny.evaluation.frame_scores import (
    SIGMAS,
    FrameLabels,
    bound_keypoints,
    choose_point,
    match_boxes,
    measure_box_precision,
    measure_precision,
    score_frames,
)
from train_tiny.finding.hand_finder import Found

NOTHING = np.zeros((0, 4), np.float32)


def place_hand(seed: int, at: tuple[float, float] = (0, 0)) -> np.ndarray:
    """21 keypoints in a square of 40 pixels."""
    rng = np.random.default_rng(seed)
    px = rng.uniform(0, 40, (21, 2))
    px[0], px[1] = (0, 0), (40, 40)
    return (px + at).astype(np.float32)


def see(px: np.ndarray, score: float = 0.9) -> Found:
    """A find with those keypoints."""
    return Found(score, bound_keypoints(px), px.astype(np.float32), np.full(len(px), score))


def label(*hands: np.ndarray, ignored: np.ndarray = NOTHING) -> FrameLabels:
    """A frame's labels."""
    return FrameLabels(np.array(hands, np.float32).reshape(-1, 21, 2), ignored)


def compute_similarity(found: np.ndarray, px: np.ndarray) -> float:
    """OKS by its definition."""
    known = np.isfinite(px).all(-1)
    box = bound_keypoints(px)
    area = float((box[2] - box[0]) * (box[3] - box[1]))
    square = ((found - px)[known] ** 2).sum(-1)
    return float(np.exp(-square / (2 * area * (2 * np.array(SIGMAS)[known]) ** 2)).mean())


def test_what_is_found_exactly_and_what_is_not() -> None:
    hands = [place_hand(k, (50 * k, 0)) for k in range(4)]
    labels = [label(*hands[:2]), label(*hands[2:])]
    exact = [[see(hands[0]), see(hands[1])], [see(hands[2]), see(hands[3])]]
    assert set(score_frames(exact, labels, 0.2).values()) == {1.0, 0.0}
    scores = score_frames(exact, labels, 0.2)
    assert scores["ap"] == scores["ar"] == scores["recall"] == scores["precision"] == 1
    nothing = score_frames([[], []], labels, 0.2)
    assert nothing["ap"] == nothing["recall"] == 0 and np.isnan(nothing["precision"])
    assert all(np.isnan(v) for k, v in score_frames([[]], [label()], 0.2).items() if k[0] != "f")


def test_half_of_the_hands() -> None:
    """One of two: precision 1 up to a recall of 0.5, which is 51 of 101 places."""
    hands = [place_hand(0), place_hand(1, (60, 0))]
    scores = score_frames([[see(hands[0])]], [label(*hands)], 0.2)
    assert scores["ap"] == pytest.approx(51 / 101)
    assert scores["ar"] == scores["recall"] == 0.5


def test_a_surer_false_find_costs_half_the_precision() -> None:
    hand = place_hand(0)
    wrong = see(place_hand(1, (200, 200)), 0.95)
    labels = [label(hand)]
    assert measure_precision([[wrong, see(hand)]], labels)["ap"] == pytest.approx(0.5)
    # Less sure than the right one, it costs nothing.
    late = see(place_hand(1, (200, 200)), 0.5)
    assert measure_precision([[see(hand), late]], labels)["ap"] == pytest.approx(1)
    assert match_boxes([[see(hand), late]], labels, 0.2) == {
        "recall": 1, "precision": 0.5, "false_finds": 1,
    }  # fmt: skip
    assert match_boxes([[see(hand), late]], labels, 0.6)["precision"] == 1


@pytest.mark.parametrize("wanted", [0.52, 0.68, 0.83, 0.97])
def test_similarity_decides_at_which_thresholds_a_hand_counts(wanted: float) -> None:
    """All keypoints moved so far that OKS is `wanted`: AP is the share of 0.50 ... 0.95 below."""
    hand = place_hand(0)
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        near = compute_similarity(hand + np.array([middle, 0]), hand) > wanted
        low, high = (middle, high) if near else (low, middle)
    scores = measure_precision([[see(hand + np.array([low, 0]))]], [label(hand)])
    thresholds = np.arange(0.5, 0.951, 0.05)
    assert scores["ap"] == pytest.approx((thresholds < wanted).mean())
    assert scores["ap50"] == 1 and scores["ap75"] == float(wanted > 0.75)


def test_keypoints_without_labels_and_hands_to_be_ignored_count_nowhere() -> None:
    hand, other = place_hand(0), place_hand(1, (100, 0))
    part = hand.copy()
    part[5:] = np.nan
    found = hand.copy()
    found[5:] += 300
    assert compute_similarity(found, part) == 1
    ignored = bound_keypoints(other)[None]
    labels = [label(part, ignored=ignored)]
    finds = [[see(found), see(other, 0.99), see(other + 1, 0.98)]]
    assert measure_precision(finds, labels)["ap"] == pytest.approx(1)
    boxes = [[Found(0.9, bound_keypoints(part), found, np.ones(21)), *finds[0][1:]]]
    assert match_boxes(boxes, labels, 0.2) == {"recall": 1, "precision": 1, "false_finds": 0}


def test_average_precision_of_many_frames_by_the_book() -> None:
    """Matching by score, 101 recalls, ten thresholds: a loop against the library."""
    rng = np.random.default_rng(8)
    labels, found = [], []
    for frame in range(30):
        hands = [place_hand(frame * 9 + k, (70 * k, 0)) for k in range(rng.integers(0, 4))]
        finds = []
        for hand in hands:
            if rng.random() < 0.8:
                away = hand + rng.normal(0, rng.uniform(0, 1.8), hand.shape)
                finds.append(see(away, float(rng.uniform(0.1, 1))))
        if rng.random() < 0.5:
            finds.append(see(place_hand(1000 + frame, (0, 90)), float(rng.uniform(0.1, 1))))
        labels.append(label(*hands))
        found.append(sorted(finds, key=lambda one: -one.score))
    total = sum(len(frame.keypoints_px) for frame in labels)
    values = []
    for threshold in np.arange(0.5, 0.951, 0.05):
        rows = []
        for finds, frame in zip(found, labels, strict=True):
            free = set(range(len(frame.keypoints_px)))
            for one in finds:
                near = {
                    k: compute_similarity(one.keypoints_px, frame.keypoints_px[k]) for k in free
                }
                best = max(near, key=lambda k: near[k], default=None)
                hit = best is not None and near[best] >= threshold
                if hit:
                    free.discard(best)
                rows.append((one.score, hit))
        rows.sort(key=lambda row: -row[0])
        hits = np.cumsum([hit for _, hit in rows])
        recall, precision = hits / total, hits / np.arange(1, len(rows) + 1)
        best = [max(precision[recall >= r], default=0.0) for r in np.linspace(0, 1, 101)]
        values.append(np.mean(best))
    scores = measure_precision(found, labels)
    assert scores["ap"] == pytest.approx(np.mean(values), abs=1e-6)
    assert scores["ap50"] == pytest.approx(values[0], abs=1e-6)
    assert 0.1 < scores["ap"] < scores["ap50"] < 1


def test_boxes_alone_have_no_similarity() -> None:
    hands = [place_hand(0), place_hand(1, (60, 0))]
    finds = [[Found(0.9, bound_keypoints(hands[0]))]]
    scores = score_frames(finds, [label(*hands)], 0.2)
    assert np.isnan([scores[k] for k in ("ap", "ap50", "ap75", "ar")]).all()
    assert scores["box_ap"] == scores["box_ap50"] == pytest.approx(51 / 101)


@pytest.mark.parametrize("wanted", [0.53, 0.68, 0.83, 0.97])
def test_overlap_decides_at_which_thresholds_a_box_counts(wanted: float) -> None:
    hand = place_hand(0)
    box = bound_keypoints(hand)
    # As wide, and lower by so much that the union has the same upper edge.
    other = box - np.array([0, 0, 0, (1 - wanted) * (box[3] - box[1])], np.float32)
    scores = measure_box_precision([[Found(0.9, other)]], [label(hand)])
    thresholds = np.arange(0.5, 0.951, 0.05)
    assert scores["box_ap"] == pytest.approx((thresholds < wanted).mean())
    assert scores["box_ap50"] == 1


def test_the_operating_point_is_the_best_of_all() -> None:
    """Against a search over every score there is."""
    rng = np.random.default_rng(3)
    labels, found = [], []
    for frame in range(60):
        hands = [place_hand(frame * 9 + k, (70 * k, 0)) for k in range(rng.integers(0, 3))]
        finds = [see(px, round(rng.beta(4, 3), 2)) for px in hands if rng.random() < 0.9]
        for k in range(rng.integers(0, 3)):
            finds.append(see(place_hand(999 + k, (0, 90 + 60 * k)), round(rng.beta(3, 5), 2)))
        labels.append(label(*hands))
        found.append(finds)

    def even(point: float) -> float:
        scores = match_boxes(found, labels, point)
        p, r = scores["precision"], scores["recall"]
        return 2 * p * r / (p + r) if p + r > 0 else 0.0

    chosen = choose_point(found, labels)
    every = sorted({one.score for frame in found for one in frame})
    assert even(chosen) == pytest.approx(max(even(point) for point in every))
    # Between two scores that there are, so that rounding does not move a hand across it.
    assert min(abs(chosen - point) for point in every) > 1e-3
    assert choose_point([[], []], labels[:2]) == 0.2


def test_what_counts_neither_way_does_not_move_the_operating_point() -> None:
    hand, other = place_hand(0), place_hand(1, (100, 0))
    labels = [label(hand, ignored=bound_keypoints(other)[None])]
    assert choose_point([[see(hand, 0.5), see(other, 0.9)]], labels) == 0.5
