"""Capsules: distances against brute force, symmetry, and what counts as a collision."""

import numpy as np

from synth.hand.collision import (
    CAPSULE_BONES,
    build_capsules,
    mutual_penetration,
    place_capsules,
    segment_distance,
    self_penetration,
)
from synth.hand.kinematics import bone_transforms
from tests.synth.hand.rigs import people, random_angles, random_placement


def brute_distance(a0: np.ndarray, a1: np.ndarray, b0: np.ndarray, b1: np.ndarray) -> float:
    """Least distance over a grid of both segments, refined around its best point."""
    s = t = 0.5
    width = 0.5
    for _ in range(6):
        grid_s = np.clip(s + width * np.linspace(-1, 1, 41), 0, 1)
        grid_t = np.clip(t + width * np.linspace(-1, 1, 41), 0, 1)
        p = a0 + grid_s[:, None] * (a1 - a0)
        q = b0 + grid_t[:, None] * (b1 - b0)
        d = np.linalg.norm(p[:, None] - q[None], axis=-1)
        i, j = np.unravel_index(d.argmin(), d.shape)
        s, t, width = float(grid_s[i]), float(grid_t[j]), width / 8
    return float(d.min())


def test_segment_distance_equals_brute_force() -> None:
    rng = np.random.default_rng(0)
    for kind in range(300):
        a0, a1, b0, b1 = rng.normal(size=(4, 3))
        if kind % 5 == 1:  # parallel
            b1 = b0 + (a1 - a0) * rng.normal()
        if kind % 5 == 2:  # crossing in the plane
            a0[2] = a1[2] = b0[2] = b1[2] = 0.0
        if kind % 5 == 3:  # a point
            b1 = b0.copy()
        expected = brute_distance(a0, a1, b0, b1)
        found = segment_distance(a0, a1, b0, b1)
        assert found <= expected + 1e-9
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_segment_distance_is_symmetric() -> None:
    rng = np.random.default_rng(1)
    for a0, a1, b0, b1 in rng.normal(size=(300, 4, 3)):
        d = segment_distance(a0, a1, b0, b1)
        for other in ((b0, b1, a0, a1), (a1, a0, b0, b1), (a0, a1, b1, b0)):
            np.testing.assert_allclose(segment_distance(*other), d, atol=1e-12)


def test_segment_distance_of_points_is_their_distance() -> None:
    a, b = np.array([1.0, 2.0, 3.0]), np.array([1.0, 5.0, 7.0])
    assert segment_distance(a, a, b, b) == 5.0


def _placed(angles: np.ndarray, place: np.ndarray):  # type: ignore[no-untyped-def]
    rig = people()
    capsules = build_capsules(rig)
    identity = np.arange(len(angles)) % len(rig.rest_vertices)
    transforms, _ = bone_transforms(rig, identity, angles, place, np.zeros(len(angles), bool))
    return capsules, place_capsules(capsules, identity, transforms)


def test_capsules_have_the_size_of_fingers() -> None:
    rig = people()
    capsules = build_capsules(rig)
    assert (capsules.radius > 0.003).all() and (capsules.radius < 0.06).all()
    for k, bone in enumerate(CAPSULE_BONES):
        length = np.linalg.norm(capsules.end[:, k] - capsules.start[:, k], axis=1)
        assert (length > 0.008).all(), bone


def test_penetration_is_that_of_each_pair() -> None:
    rng = np.random.default_rng(2)
    angles = random_angles(rng, 5)
    capsules, (start, end, radius) = _placed(angles, random_placement(rng, 5))
    found = self_penetration(start, end, radius, capsules.pairs)
    for h in range(5):
        worst = max(
            radius[h, i]
            + radius[h, j]
            - brute_distance(start[h, i], end[h, i], start[h, j], end[h, j])
            for i, j in capsules.pairs
        )
        np.testing.assert_allclose(found[h], max(worst, 0.0), atol=2e-5)


def test_penetration_does_not_depend_on_the_place() -> None:
    rng = np.random.default_rng(3)
    angles = random_angles(rng, 8)
    depths = []
    for place in (np.tile(np.eye(4), (8, 1, 1)), random_placement(rng, 8)):
        capsules, placed = _placed(angles, place)
        depths.append(self_penetration(*placed, capsules.pairs))
    np.testing.assert_allclose(depths[0], depths[1], atol=1e-6)


def test_hands_apart_do_not_touch_and_hands_in_one_place_do() -> None:
    angles = np.zeros((3, 29))
    here = np.tile(np.eye(4), (3, 1, 1))
    away = here.copy()
    away[:, 0, 3] = [0.0, 0.03, 0.5]
    _, first = _placed(angles, here)
    _, second = _placed(angles, away)
    against = np.arange(3)
    depth = mutual_penetration(*first, *second, against)
    assert depth[0] > depth[1] > 0.01 and depth[2] == -0.01
    np.testing.assert_allclose(mutual_penetration(*second, *first, against), depth, atol=1e-12)
    # By brute force: the deepest of all pairs of capsules.
    (a0, a1, ra), (b0, b1, rb) = first, second
    every = max(
        ra[1, i] + rb[1, j] - brute_distance(a0[1, i], a1[1, i], b0[1, j], b1[1, j])
        for i in range(a0.shape[1])
        for j in range(b0.shape[1])
    )
    np.testing.assert_allclose(depth[1], every, atol=2e-5)


def test_flat_hand_is_clear_and_a_crushed_one_is_not() -> None:
    angles = np.zeros((2, 29))
    angles[1] = random_angles(np.random.default_rng(4), 1)[0]
    angles[1, [9, 14, 19, 24]] = np.radians(90)
    angles[1, [12, 17, 22, 27]] = np.radians(105)
    angles[1, [13, 18, 23, 28]] = np.radians(80)
    capsules, placed = _placed(angles, np.tile(np.eye(4), (2, 1, 1)))
    flat, crushed = self_penetration(*placed, capsules.pairs)
    assert flat < 0.002 < crushed
