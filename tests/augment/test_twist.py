"""Twists against motions that are known exactly."""

import numpy as np
import pytest

from augment.twist import fill_hands, fill_objects, fill_rest
from frames.parts import FOREARM, HAND_STRIDE
from frames.skeleton import KEYPOINT_PARTS


@pytest.fixture
def points() -> np.ndarray:
    """A hand of some shape, (1, 21, 3)."""
    rng = np.random.default_rng(1)
    out = rng.normal(0, 0.01, (21, 3)) + np.array([0.1, -0.05, 0.4])
    for finger in range(5):
        for j in range(4):
            out[4 * finger + 1 + j] += (0.02 * (finger - 2), -0.04 - 0.03 * j, 0.01 * j)
    return out[None]


def new() -> np.ndarray:
    return np.zeros((1, 256, 6), np.float32)


def move(twist: np.ndarray, p: np.ndarray) -> np.ndarray:
    twist = twist.astype(np.float64)
    return twist[:3] + np.cross(twist[3:], p)


def test_what_rests_moves_against_the_camera() -> None:
    out = np.zeros((2, 256, 6), np.float32)
    velocity = np.array([[0.1, -0.2, 0.3, 0.4, 0.5, -0.6], [np.nan] * 6])
    fill_rest(velocity, out)
    p = np.array([0.1, 0.2, 0.5])
    for code in (0, 17, 224):
        wanted = -velocity[0, :3] - np.cross(velocity[0, 3:], p)
        np.testing.assert_allclose(move(out[0, code], p), wanted, atol=1e-6)
    assert not out[1].any()


def test_an_object_turns_about_its_origin() -> None:
    out, pose = new(), np.eye(4)[None].copy()
    pose[0, :3, 3] = (0.1, 0.2, 0.5)
    velocity = np.array([[0.3, 0.1, -0.2, 1.0, 2.0, -3.0]])
    fill_objects(np.array([0]), np.array([226]), pose, velocity, out)
    np.testing.assert_allclose(move(out[0, 226], pose[0, :3, 3]), velocity[0, :3], atol=1e-6)
    np.testing.assert_allclose(out[0, 226, 3:], velocity[0, 3:])
    assert not out[0, :226].any()


def test_a_hand_that_moves_as_a_whole_gives_that_motion_for_all_parts(points: np.ndarray) -> None:
    linear, angular = np.array([0.2, -0.4, 0.1]), np.array([1.5, -2.0, 0.7])
    velocity = linear + np.cross(angular, points)
    out = new()
    fill_hands(np.array([0]), np.array([2]), points, velocity, out)
    for part in range(1, FOREARM + 1):
        twist = out[0, 2 * HAND_STRIDE + part]
        np.testing.assert_allclose(twist[:3], linear, atol=1e-5)
        np.testing.assert_allclose(twist[3:], angular, atol=1e-5)
    assert not out[0, : 2 * HAND_STRIDE + 1].any()


def test_a_finger_that_bends_takes_its_keypoints_along(points: np.ndarray) -> None:
    """Each segment turns about its own joint: both ends of every segment move as labelled."""
    velocity = np.zeros((1, 21, 3))
    rng = np.random.default_rng(2)
    for finger in range(5):
        for j in range(1, 4):
            k = 4 * finger + 1 + j
            bone = points[0, k] - points[0, k - 1]
            velocity[0, k] = velocity[0, k - 1] + np.cross(rng.normal(0, 3, 3), bone)
    out = new()
    fill_hands(np.array([0]), np.array([0]), points, velocity, out)
    for k in range(1, 21):
        for part in KEYPOINT_PARTS[k]:
            if part == 1:
                continue
            np.testing.assert_allclose(
                move(out[0, part], points[0, k]), velocity[0, k], atol=2e-5, err_msg=str((k, part))
            )
    assert np.abs(out[0, 1]).max() == 0  # the palm rests


def test_the_palm_follows_its_five_points_best(points: np.ndarray) -> None:
    """No other rigid motion fits them better: gradients vanish."""
    velocity = np.random.default_rng(3).normal(0, 0.3, (1, 21, 3))
    out = new()
    fill_hands(np.array([0]), np.array([0]), points, velocity, out)
    chosen = [0, 5, 9, 13, 17]
    rest = velocity[0, chosen] - [move(out[0, 1], p) for p in points[0, chosen]]
    centre = points[0, chosen] - points[0, chosen].mean(0)
    np.testing.assert_allclose(rest.sum(0), 0, atol=1e-5)
    np.testing.assert_allclose(np.cross(centre, rest).sum(0), 0, atol=1e-6)


def test_hands_without_velocity_and_degenerate_ones_stay_finite(points: np.ndarray) -> None:
    out = np.full((1, 256, 6), 7, np.float32)
    fill_hands(np.array([0]), np.array([0]), points, np.full((1, 21, 3), np.nan), out)
    assert (out == 7).all()
    out = new()
    same = np.ones((1, 21, 3))
    fill_hands(np.array([0]), np.array([0]), same, same, out)
    assert np.isfinite(out).all()
