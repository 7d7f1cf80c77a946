"""Arms solved from a wrist's pose: forward kinematics agrees, limits hold, sides mirror."""

from functools import cache

import numpy as np
import pytest

from frames.camera import CAMERAS
from frames.stream import normal, uniform
from synth.config import BodyConfig
from synth.hand.angles import DOF, LIMITS, rotation
from synth.hand.bones import FOREARM_BONE, PALM
from synth.hand.builtin import builtin_rig
from synth.hand.kinematics import bone_transforms
from synth.hand.rig import Rig
from synth.hand.webxr import webxr_rig
from synth.scene.arm import NEAREST_M, PRONATION, Arms, reach, reach_best, straight_elbows
from synth.scene.body import PlacedArms, half_field, head_pose, place_arms
from synth.scene.elbow import ELBOW_FLEXION, GIVE_M, MEAN_HAND_M, SHOULDER, UPPER_ARM
from synth.scene.facing import bystander_capsules, facing_body, place_bystanders

COUNT = 3000
MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])


@cache
def rig() -> Rig:
    return builtin_rig(seed=3, identities=16)


def wrists(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Any poses (N, 4, 4) before the body, sides and people."""
    u = uniform(seed, np.arange(COUNT), "test/wrists", 8)
    pose = np.tile(np.eye(4), (COUNT, 1, 1))
    pose[:, :3, :3] = (
        rotation("z", 6.3 * u[:, 0]) @ rotation("y", 6.3 * u[:, 1]) @ rotation("x", 6.3 * u[:, 2])
    )
    pose[:, :3, 3] = [-0.35, 0.1, -0.6] + u[:, 3:6] * [0.7, 0.5, 0.7]
    return pose, u[:, 6] < 0.5, (u[:, 7] * 16).astype(int)


def solve(seed: int = 0, swivels: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray, Arms]:
    pose, left, person = wrists(seed)
    swivel = np.radians(-10 + 110 * uniform(seed, np.arange(COUNT), "test/swivel", swivels))
    size = rig().hand_length[person]
    return pose, left, person, reach_best(pose, left, size, straight_elbows(rig())[person], swivel)


@pytest.mark.parametrize("other", [False, True])
def test_forward_kinematics_puts_the_elbow_where_the_arm_has_it(other: bool) -> None:
    model = webxr_rig(seed=3, identities=16) if other else rig()
    pose, left, person = wrists()
    swivel = np.full(COUNT, 0.6)
    bones = straight_elbows(model)[person]
    arms = reach(pose, left, model.hand_length[person], bones, swivel)
    angles = np.zeros((COUNT, 29))
    angles[:, :2] = arms.wrist_angles
    _, joints = bone_transforms(model, person, angles, pose, left)
    off = np.linalg.norm(joints[:, FOREARM_BONE] - arms.elbow, axis=1)
    # Elbows nearly straight beside the palm are beyond what both angles reach.
    assert off[arms.fits].max() < 1e-6 and np.mean(off > 1e-6) < 0.01
    assert arms.fits.mean() > 0.02


def test_bones_keep_their_length_and_joints_their_limits() -> None:
    pose, left, person, arms = solve()
    fit = arms.fits
    assert fit.mean() > 0.1
    size = rig().hand_length[person]
    upper = np.linalg.norm(arms.elbow - arms.shoulder, axis=1)
    np.testing.assert_allclose(upper[fit], UPPER_ARM * size[fit], rtol=1e-9)
    rest = rig().rest_joints[person].astype(np.float64)
    fore = np.linalg.norm(rest[:, FOREARM_BONE] - rest[:, PALM], axis=1)
    np.testing.assert_allclose(
        np.linalg.norm(arms.elbow - pose[:, :3, 3], axis=1)[fit], fore[fit], rtol=1e-6
    )
    wrist = LIMITS[[DOF["wrist_flexion"], DOF["wrist_deviation"]]]
    assert (arms.wrist_angles[fit] >= wrist[:, 0] - 1e-9).all()
    assert (arms.wrist_angles[fit] <= wrist[:, 1] + 1e-9).all()
    assert (arms.pronation[fit] >= PRONATION[0]).all()
    assert (arms.pronation[fit] <= PRONATION[1]).all()
    to_wrist, to_shoulder = pose[:, :3, 3] - arms.elbow, arms.shoulder - arms.elbow
    cosine = (to_wrist * to_shoulder).sum(1) / upper / fore
    assert (np.pi - np.arccos(np.clip(cosine, -1, 1)))[fit].max() <= ELBOW_FLEXION + 1e-6
    home = SHOULDER * (size / MEAN_HAND_M)[:, None] * np.where(left[:, None], [-1, 1, 1], 1)
    moved = np.linalg.norm(arms.shoulder - home, axis=1)
    assert (moved <= GIVE_M * size / MEAN_HAND_M + 1e-9).all()
    assert (np.linalg.norm(pose[:, :3, 3], axis=1)[fit] > NEAREST_M).all()


def test_cost_is_zero_within_the_limits_and_grows_beyond() -> None:
    pose, left, person, arms = solve()
    assert (arms.cost[arms.fits] < 1e-9).all() and (arms.cost >= 0).all()
    far = pose.copy()
    far[:, :3, 3] *= 3.0
    size, bones = rig().hand_length[person], straight_elbows(rig())[person]
    beyond = reach(far, left, size, bones, np.full(COUNT, 0.5))
    assert beyond.cost.mean() > arms.cost.mean() and not beyond.fits[far[:, 1, 3] > 0.9].any()


def test_left_arms_mirror_right_ones_to_the_bit() -> None:
    pose, _, person = wrists()
    size, bones = rig().hand_length[person], straight_elbows(rig())[person]
    swivel = np.full((COUNT, 2), [0.3, 0.9])
    right = reach_best(pose, np.zeros(COUNT, bool), size, bones, swivel)
    left = reach_best(MIRROR @ pose @ MIRROR, np.ones(COUNT, bool), size, bones, swivel)
    np.testing.assert_array_equal(left.wrist_angles, right.wrist_angles)
    np.testing.assert_array_equal(left.elbow, right.elbow * [-1, 1, 1])
    np.testing.assert_array_equal(left.shoulder, right.shoulder * [-1, 1, 1])
    np.testing.assert_array_equal(left.fits, right.fits)


def test_the_best_swivel_is_chosen() -> None:
    pose, left, person = wrists()
    size, bones = rig().hand_length[person], straight_elbows(rig())[person]
    swivels = np.radians(np.tile([0.0, 25.0, 50.0, 75.0], (COUNT, 1)))
    best = reach_best(pose, left, size, bones, swivels)
    each = [reach(pose, left, size, bones, swivels[:, k]) for k in range(4)]
    np.testing.assert_array_equal(best.fits, np.any([a.fits for a in each], axis=0))
    cost = np.min([np.where(a.fits | ~best.fits, a.cost, np.inf) for a in each], axis=0)
    np.testing.assert_array_equal(best.cost, cost)


def test_palm_down_with_the_elbow_at_the_side_is_full_pronation() -> None:
    down = np.eye(4)
    down[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    down[:3, 3] = [SHOULDER[0], 0.25, -0.45]
    thumb_up = down.copy()
    thumb_up[:3, :3] = down[:3, :3] @ rotation("z", np.array(-np.pi / 2))
    arms = reach(
        np.stack([down, thumb_up]), np.zeros(2, bool), np.full(2, 0.187), np.full(2, 0.253),
        np.zeros(2),
    )  # fmt: skip
    np.testing.assert_allclose(np.degrees(arms.pronation), [90, 0], atol=1.0)
    assert arms.fits.all()


def placed(others: bool = False, count: int = COUNT) -> tuple[np.ndarray, PlacedArms]:
    config, ids = BodyConfig(), np.arange(count)
    head = head_pose(config, uniform(1, ids, "test/head", 14))
    u = uniform(1, ids, "test/place", 17)
    left, person = u[:, 15] < 0.5, (u[:, 16] * 16).astype(int)
    body = facing_body(config, uniform(1, ids, "test/other", 8)) if others else None
    arms = place_arms(
        config, half_field(CAMERAS["ego"]), head, left, rig().hand_length[person],
        straight_elbows(rig())[person], normal(u[:, :14]), u[:, 14], body,
    )  # fmt: skip
    return head, arms


def test_most_draws_of_a_place_fit_and_use_the_whole_wrist() -> None:
    _, arms = placed()
    assert arms.fits.mean() > 0.8
    angles = np.degrees(arms.wrist_angles[arms.fits])
    assert np.quantile(angles[:, 0], 0.05) < -40 and np.quantile(angles[:, 0], 0.95) > 20
    assert np.quantile(angles[:, 1], 0.05) < -8 and np.quantile(angles[:, 1], 0.95) > 20
    assert not np.any(np.ptp(arms.T_world_from_wrist[:, :3, 2], axis=0) < 1.5)


def test_a_place_alone_equals_the_place_in_a_batch() -> None:
    _, many = placed()
    _, few = placed(count=7)
    np.testing.assert_array_equal(many.T_world_from_wrist[:7], few.T_world_from_wrist)
    np.testing.assert_array_equal(many.wrist_angles[:7], few.wrist_angles)
    np.testing.assert_array_equal(many.elbow[:7], few.elbow)


def test_other_people_reach_in_from_ahead() -> None:
    _, arms = placed(others=True)
    fit = arms.fits
    assert fit.mean() > 0.25
    wrist = arms.T_world_from_wrist[fit, :3, 3]
    assert (arms.shoulder[fit, 1] > wrist[:, 1]).mean() > 0.9  # they come from ahead
    assert np.median(-arms.T_world_from_wrist[fit, 1, 2]) < -0.2  # and point to the wearer
    assert (np.linalg.norm(wrist, axis=1) < 1.2).all()


def test_bystanders_stand_behind_their_arms_and_before_the_camera() -> None:
    config = BodyConfig()
    body = facing_body(config, uniform(1, np.arange(500), "test/other", 8))
    away = np.hypot(body[:, 0, 3], body[:, 1, 3])
    assert away.min() >= config.other_away_m[0] and away.max() <= config.other_away_m[1]
    toward = -body[:, :2, 3] / away[:, None]
    turn = np.degrees(np.arccos((body[:, :2, 1] * toward).sum(1)))
    assert turn.max() <= config.other_turn_deg + 1e-6
    pieces = place_bystanders(body, np.full(500, 0.187))
    assert (np.linalg.det(pieces[:, :, :3, :3]) > 0).all()
    start, end, radius = bystander_capsules(body, np.full(500, 0.187))
    for share in (0.0, 0.5, 1.0):
        point = start + share * (end - start)
        assert (np.linalg.norm(point, axis=-1) - radius > 0.4).all()


def test_gaze_turns_the_camera_to_what_it_looks_at() -> None:
    config, count = BodyConfig(), 4000
    u = uniform(1, np.arange(count), "test/gaze", 14)
    point = np.array([0.1, 0.35, -0.4]) + 0.1 * uniform(2, np.arange(count), "test/point", 3)
    pose = head_pose(config, u, point)
    ray = point - pose[:, :3, 3]
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    miss = np.degrees(np.arccos((ray * pose[:, :3, 2]).sum(1)))
    assert np.median(miss) < 2.2 * config.gaze_error_deg
    nowhere = head_pose(config, u, np.full((count, 3), np.nan))
    np.testing.assert_array_equal(nowhere, head_pose(config, u))
    # Without a sway the eyes turn about the neck, and never far.
    still = head_pose(config, u[:, :8])
    assert 0 < np.linalg.norm(still[:, :3, 3], axis=1).max() < 0.16
