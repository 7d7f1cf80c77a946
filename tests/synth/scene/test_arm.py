"""Arms by inverse kinematics: they agree with forward kinematics, limits, sides and batches."""

from dataclasses import fields

import numpy as np
import pytest

from synth.hand.angles import DOF, DOFS, LIMITS
from synth.hand.bones import FOREARM_BONE, PALM
from synth.hand.kinematics import bone_transforms
from synth.rigid import multiply
from synth.scene.arm import NEAREST_M, PRONATION, Arms, reach, reach_best, straight_elbows
from synth.scene.body import MIRROR_X
from synth.scene.elbow import ELBOW_FLEXION, GIVE_M, MEAN_HAND_M, SHOULDER, STRAIGHTEST, UPPER_ARM
from tests.synth.hand.rigs import people, random_placement

COUNT = 4000


def bids(left: bool | None = None) -> tuple[np.ndarray, ...]:
    """Random wrists before a body: pose, left, who, hand length, elbow at rest, swivels."""
    rng = np.random.default_rng(3)
    rig = people(16)
    pose = random_placement(rng, COUNT)
    side = rng.random(COUNT) < 0.5 if left is None else np.full(COUNT, left)
    pose[:, :3, 3] = rng.uniform([-0.1, 0.1, -0.5], [0.4, 0.5, 0.1], (COUNT, 3))
    pose[side, 0, 3] *= -1
    who = rng.integers(0, 16, COUNT)
    swivels = np.radians(rng.uniform(-20, 110, (COUNT, 6)))
    return pose, side, who, rig.hand_length[who], straight_elbows(rig)[who], swivels


def solve() -> tuple[Arms, tuple[np.ndarray, ...]]:
    case = bids()
    pose, left, _, length, elbows, swivels = case
    return reach_best(pose, left, length, elbows, swivels), case


def test_forward_kinematics_brings_the_elbow_where_the_arm_has_it() -> None:
    arms, (pose, left, who, *_) = solve()
    assert arms.fits.sum() > 100
    angles = np.zeros((COUNT, len(DOFS)))
    angles[:, :2] = arms.wrist_angles
    _, joints = bone_transforms(people(16), who, angles, pose, left)
    away = np.linalg.norm(joints[:, FOREARM_BONE] - arms.elbow, axis=1)
    # Where the deviation is out of reach altogether, the arm does not fit.
    assert away[arms.fits].max() < 1e-4
    within = arms.cost < 1.0
    assert away[within].max() < 1e-4 and within.sum() > arms.fits.sum()
    np.testing.assert_allclose(joints[:, PALM], pose[:, :3, 3], atol=1e-6)


def test_arms_that_fit_are_within_their_limits() -> None:
    arms, (pose, left, _, length, elbows, _) = solve()
    good = arms.fits
    assert (arms.cost[good] < 1e-9).all()
    for k, name in enumerate(("wrist_flexion", "wrist_deviation")):
        low, high = LIMITS[DOF[name]]
        found = arms.wrist_angles[good, k]
        assert (found > low - 1e-9).all() and (found < high + 1e-9).all()
        assert np.ptp(found) > 0.7 * (high - low)  # and they use them
    assert (arms.pronation[good] >= PRONATION[0]).all()
    assert (arms.pronation[good] <= PRONATION[1]).all()
    upper = np.linalg.norm(arms.elbow - arms.shoulder, axis=1)[good]
    fore = np.linalg.norm(arms.elbow - pose[:, :3, 3], axis=1)[good]
    np.testing.assert_allclose(upper, UPPER_ARM * length[good], rtol=1e-9)
    np.testing.assert_allclose(fore, np.linalg.norm(elbows[good], axis=1), rtol=1e-9)
    span = np.linalg.norm(arms.shoulder - pose[:, :3, 3], axis=1)[good]
    bend = np.arccos((upper**2 + fore**2 - span**2) / (2 * upper * fore))
    assert bend.min() > np.pi - ELBOW_FLEXION - 1e-9
    assert (span <= STRAIGHTEST * (upper + fore) + 1e-9).all()
    # The shoulder gives way by so much at most.
    size = length[good] / MEAN_HAND_M
    mirror = np.where(left[good, None], [-1.0, 1.0, 1.0], 1.0)
    moved = np.linalg.norm(arms.shoulder[good] - size[:, None] * SHOULDER * mirror, axis=1)
    assert (moved <= GIVE_M * size + 1e-9).all() and (moved < 1e-9).any() and moved.max() > 0.04


def test_arms_keep_away_from_the_head() -> None:
    arms, (pose, _, _, length, *_) = solve()
    good = arms.fits
    wrist, elbow = pose[good, :3, 3], arms.elbow[good]
    tip = wrist - length[good, None] * pose[good, :3, 2]
    for t in np.linspace(0, 1, 21):
        for end in (elbow, tip):
            assert np.linalg.norm(wrist + t * (end - wrist), axis=1).min() > NEAREST_M - 1e-9


def test_a_left_arm_is_the_mirror_image() -> None:
    pose, _, _, length, elbows, swivels = bids(left=False)
    mirrored = pose.copy()
    mirrored[:, :3, :3] = multiply(MIRROR_X, pose[:, :3, :3], MIRROR_X)
    mirrored[:, 0, 3] *= -1
    right = reach_best(pose, np.zeros(COUNT, bool), length, elbows, swivels)
    left = reach_best(mirrored, np.ones(COUNT, bool), length, elbows, swivels)
    for field in fields(Arms):
        a, b = getattr(right, field.name), getattr(left, field.name)
        flip = np.array([-1.0, 1.0, 1.0]) if field.name in ("elbow", "shoulder") else 1.0
        np.testing.assert_array_equal(a * flip if a.dtype != bool else a, b)


def test_an_arm_alone_is_the_one_of_a_batch() -> None:
    arms, (pose, left, _, length, elbows, swivels) = solve()
    for k in (0, 17, COUNT - 1):
        row = slice(k, k + 1)
        alone = reach_best(pose[row], left[row], length[row], elbows[row], swivels[row])
        for field in fields(Arms):
            np.testing.assert_array_equal(
                getattr(alone, field.name), getattr(arms, field.name)[row]
            )


def test_the_best_of_several_swivels_is_one_of_them() -> None:
    arms, (pose, left, _, length, elbows, swivels) = solve()
    each = [reach(pose, left, length, elbows, swivels[:, k]) for k in range(swivels.shape[1])]
    fits = np.stack([a.fits for a in each], axis=1)
    np.testing.assert_array_equal(arms.fits, fits.any(1))
    cost = np.stack([a.cost for a in each], axis=1)
    none = ~arms.fits
    np.testing.assert_array_equal(arms.cost[none], cost[none].min(1))
    strain = np.where(fits, np.stack([a.strain for a in each], axis=1), np.inf)
    np.testing.assert_array_equal(arms.strain[arms.fits], strain[arms.fits].min(1))
    assert all((arms.swivel[:, None] == swivels).any(1))


@pytest.mark.parametrize("turn", [0.0, 30.0, 90.0])
def test_swivel_turns_the_elbow_outward(turn: float) -> None:
    pose = np.eye(4)[None].repeat(1, 0)
    pose[0, :3, 3] = [0.175, 0.30, -0.235]
    arms = reach(
        pose, np.array([False]), np.array([MEAN_HAND_M]), np.array([0.25]), np.radians([turn])
    )
    down = arms.elbow[0] - [0.175, arms.elbow[0, 1], -0.235]
    assert abs(np.degrees(np.arctan2(down[0], -down[2])) - turn) < 1e-6
