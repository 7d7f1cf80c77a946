"""Scores against values worked out by hand."""

import math

import numpy as np
import pytest

from train_tiny.evaluation.metrics import (
    THRESHOLDS,
    measure_auc,
    measure_error,
    measure_mean,
    measure_palm,
    measure_pck,
    score_binary,
    score_classes,
)

NAN = math.nan


def test_palm_is_wrist_to_middle_mcp_in_the_picture() -> None:
    px = np.full((3, 21, 2), NAN)
    px[0, 0], px[0, 9] = (10, 10), (13, 14)
    px[1, 0] = 5, 5
    px[2, 0], px[2, 9] = (5, 5), (5.5, 5)
    found = measure_palm(px)
    assert found[0] == 5.0
    # Without its other end, and seen end on: no palm.
    assert np.isnan(found[1:]).all()


def test_error_is_a_distance() -> None:
    found = np.array([[0.0, 0], [3, 4], [1, 1]])
    labels = np.array([[0.0, 1], [0, 0], [NAN, NAN]])
    assert np.array_equal(measure_error(found, labels), [1, 5, NAN], equal_nan=True)


def test_pck_counts_what_is_known() -> None:
    error = [[0.1, 0.2, NAN], [0.3, 0.05, NAN]]
    assert measure_pck(error) == 0.75
    assert measure_pck(error, [0.0, 0.05, 0.1, 0.3, 9]).tolist() == [0, 0.25, 0.5, 1, 1]
    assert measure_pck(np.float32([0.2, 0.20001])) == 0.5
    assert np.isnan(measure_pck([NAN]))
    assert np.isnan(measure_pck([], [0.1, 0.2])).all()


def test_area_under_pck() -> None:
    assert measure_auc([0.0, 0.0]) == 1.0
    assert measure_auc([0.6, 1.0, 2.0]) == 0.0
    # A step at a quarter of a palm: half the range, and the half cell of the trapezoid.
    cell = 1 / (len(THRESHOLDS) - 1)
    assert measure_auc([0.25]) == pytest.approx(0.5 + cell / 2)
    # Errors spread evenly over the range: a straight line from 0 to 1.
    assert measure_auc(np.linspace(0, 0.5, 10_001)) == pytest.approx(0.5, abs=1e-3)
    assert np.isnan(measure_auc([NAN]))


def test_mean_leaves_out_what_is_not_known() -> None:
    assert measure_mean([1, NAN, 3]) == 2
    assert np.isnan(measure_mean([NAN]))


def test_yes_and_no() -> None:
    likely = [0.9, 0.8, 0.3, 0.6, 0.2, 0.7]
    truth = [1, 1, 1, 0, 0, NAN]
    found = score_binary(likely, truth)
    assert found["count"] == 5
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["balanced"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    # Pairs of a yes above a no: 2 for 0.9, 2 for 0.8, 1 for 0.3; of six.
    assert found["auc"] == pytest.approx(5 / 6)
    assert score_binary([0.5, 0.5], [1, 0])["auc"] == 0.5
    only = score_binary([0.7], [1])
    assert (only["accuracy"], only["balanced"]) == (1, 1) and np.isnan(only["auc"])
    assert score_binary([0.5], [NAN])["count"] == 0


def test_classes() -> None:
    found = score_classes([0, 0, 1, 2, 2, 1], [0, 0, 0, 2, 1, -1], 4)
    assert found["count"] == 5
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["balanced"] == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert found["confusion"] == [[2, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert score_classes([0], [-1], 2)["count"] == 0
