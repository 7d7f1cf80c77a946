"""Sampled poses: possible, varied, labelled when named, and the same in any batch."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from synth.config import PoseConfig
from synth.hand.angles import DOF, DOFS, LIMITS, clamp
from synth.hand.kinematics import pose_hands
from synth.pose.presets import PRESETS
from synth.pose.relaxation import penetration
from synth.pose.sampler import Poses, couple, sample_poses
from tests.synth.hand.winding import cut_solids, deepest
from tests.synth.scene.witness import generator

COUNT = 6000
FLEXION = [DOF[f"{f}_mcp_flexion"] for f in ("index", "middle", "ring", "pinky")]


def _identity(frames: np.ndarray) -> np.ndarray:
    return frames * 7 % len(generator().rig.shape)


def _sample(
    frames: np.ndarray, config: PoseConfig | None = None, seed: int = 1, stage: str = "test"
) -> Poses:
    maker = generator()
    return sample_poses(
        config or PoseConfig(),
        seed,
        frames,
        stage,
        maker.rig,
        maker.capsules,
        maker.presets,
        _identity(frames),
    )


@cache
def poses() -> Poses:
    return _sample(np.arange(COUNT))


def test_poses_are_within_limits_and_the_wrist_is_left_to_the_arm() -> None:
    angles = poses().angles
    assert (angles >= LIMITS[:, 0]).all() and (angles <= LIMITS[:, 1]).all()
    np.testing.assert_array_equal(clamp(angles), angles)
    assert not angles[:, :2].any()


def test_accepted_poses_are_free_of_penetration() -> None:
    maker = generator()
    depth = penetration(maker.rig, maker.capsules, _identity(np.arange(COUNT)), poses().angles)
    limit = PoseConfig().max_penetration_mm / 1000
    # When all attempts fail the relaxed hand is shown; on a stocky one in a hundred people its
    # fingers' capsules are longer than their bones and overlap even so, the skin does not.
    assert (depth > limit).mean() < 0.01
    assert depth.max() < limit + 0.0015


def test_stricter_limits_are_kept_but_for_a_few_people() -> None:
    maker = generator()
    frames = np.arange(500)
    config = PoseConfig(max_penetration_mm=1.0)
    angles = _sample(frames, config).angles
    depth = penetration(maker.rig, maker.capsules, _identity(frames), angles)
    assert (depth > 0.001).mean() < 0.1


def test_shares_of_kinds_are_those_of_the_options() -> None:
    """Within four standard errors; a named pose that no attempt fits is not labelled."""
    config = PoseConfig()
    error = 4 * np.sqrt(0.25 / COUNT)
    named = (poses().preset >= 0).mean()
    assert config.preset_share - error - 0.01 < named < config.preset_share + error
    # All names alike.
    count = np.bincount(poses().preset[poses().preset >= 0], minlength=len(PRESETS))
    p = config.preset_share / len(PRESETS)
    assert np.abs(count - p * COUNT).max() < 4.5 * np.sqrt(p * (1 - p) * COUNT) + 0.1 * p * COUNT


def test_named_poses_look_like_their_names() -> None:
    maker = generator()
    preset = poses().preset
    named = np.flatnonzero(preset >= 0)
    table = maker.presets[_identity(named), preset[named]]
    away = np.degrees(poses().angles[named] - table)[:, 2:]
    jitter = PoseConfig().jitter_deg
    assert np.abs(away).max() < 5.5 * jitter
    assert np.sqrt((away**2).mean()) < jitter
    # And like no other name: the nearest table is the pose's own, or one of the same key pose.
    gap = np.linalg.norm(
        poses().angles[named, None, 2:] - maker.presets[_identity(named)][..., 2:], axis=-1
    )
    nearest = gap.argmin(1)
    keys = np.array([p.key_pose for p in PRESETS])
    assert (keys[nearest] == keys[preset[named]]).mean() > 0.98


def test_poses_on_the_way_do_not_show_a_named_one() -> None:
    """Without synergies, whatever is not labelled stays away from every named pose."""
    frames = np.arange(1500)
    between = _sample(frames, PoseConfig(preset_share=0.0, between_share=1.0))
    assert (between.preset == -1).all()
    table = generator().presets[_identity(frames)][..., 2:]
    gap = np.linalg.norm(between.angles[:, None, 2:] - table, axis=-1).min(1)
    named = _sample(frames, PoseConfig(preset_share=1.0))
    own = table[frames, named.preset]
    jitter = np.linalg.norm(named.angles[:, 2:] - own, axis=-1)[named.preset >= 0]
    assert (gap < np.median(jitter)).mean() < 0.02


def test_none_and_all_shares() -> None:
    frames = np.arange(300)
    assert (_sample(frames, PoseConfig(preset_share=1.0)).preset >= 0).mean() > 0.98
    assert (_sample(frames, PoseConfig(preset_share=0.0)).preset == -1).all()
    still = _sample(frames, PoseConfig(preset_share=1.0, jitter_deg=0.0))
    named = still.preset >= 0
    table = generator().presets[_identity(frames), still.preset]
    np.testing.assert_allclose(still.angles[named], table[named], atol=1e-12)


@pytest.mark.parametrize("size", [1, 7, 128])
def test_pose_follows_from_seed_and_frame_alone(size: int) -> None:
    frames = np.arange(1000, 1128)
    whole = _sample(frames)
    for start in range(0, 128, size) if size > 1 else (0, 5, 127):
        part = _sample(frames[start : start + size])
        np.testing.assert_array_equal(part.angles, whole.angles[start : start + size])
        np.testing.assert_array_equal(part.preset, whole.preset[start : start + size])


def test_order_of_frames_does_not_matter_but_seed_and_stage_do() -> None:
    frames = np.arange(200)
    shuffled = np.random.default_rng(0).permutation(200)
    np.testing.assert_array_equal(_sample(shuffled).angles, _sample(frames).angles[shuffled])
    for other in (_sample(frames, seed=2), _sample(frames, stage="other")):
        assert (other.angles != _sample(frames).angles).any(1).mean() > 0.98


def test_jitter_does_not_choose_the_kind() -> None:
    frames = np.arange(500)
    wild = _sample(frames, replace(PoseConfig(), jitter_deg=8.0)).preset
    calm = _sample(frames, replace(PoseConfig(), jitter_deg=1.0)).preset
    both = (wild >= 0) & (calm >= 0)
    np.testing.assert_array_equal(wild[both], calm[both])
    assert both.sum() > 0.95 * max((wild >= 0).sum(), (calm >= 0).sum())


def test_knuckles_stay_together_unless_a_finger_points() -> None:
    rng = np.random.default_rng(0)
    wild = clamp(LIMITS[:, 0] + rng.random((4000, len(DOFS))) * np.ptp(LIMITS, axis=1))
    tame = couple(wild)
    curled = wild[:, FLEXION] > np.radians(12)
    gap = np.abs(np.diff(tame[:, FLEXION], axis=1))
    # The last pair is settled last; the others may be pulled apart again by their next neighbour.
    assert (gap[curled.all(1), -1] <= np.radians(45) + 1e-9).all()
    assert (gap[curled.all(1)] <= np.radians(60)).all()
    alone = ~(curled[:, 1:] & curled[:, :-1]).any(1)
    assert alone.sum() > 20
    np.testing.assert_array_equal(tame[alone], wild[alone])
    np.testing.assert_allclose(tame.sum(1), wild.sum(1), atol=1e-9)


def test_synergy_draws_move_fingers_together() -> None:
    """Two components of 15 flexions explain most of the variance, as people's grasps do."""
    angles = _sample(np.arange(3000), PoseConfig(preset_share=0.0, between_share=0.0)).angles
    flexion = [i for i, name in enumerate(DOFS) if name.endswith("flexion") and i > 5]
    values = np.linalg.svd(angles[:, flexion] - angles[:, flexion].mean(0), compute_uv=False)
    explained = (values**2)[:2].sum() / (values**2).sum()
    assert explained > 0.7
    pip, dip = angles[:, DOF["middle_pip_flexion"]], angles[:, DOF["middle_dip_flexion"]]
    assert abs(np.polyfit(pip, dip, 1)[0] - 2 / 3) < 0.08


def test_poses_run_through_themselves_nowhere_deep() -> None:
    """On the mesh: at most a few of 100 hands beyond 3 mm, none beyond 6 mm."""
    maker = generator()
    frames = np.arange(100)
    angles = _sample(frames, stage="mesh").angles
    still = np.tile(np.eye(4), (len(frames), 1, 1))
    side = np.zeros(len(frames), bool)
    vertices, _ = pose_hands(maker.rig, _identity(frames), angles, still, side)
    parts = cut_solids(maker.rig)
    depth = np.array([deepest(maker.rig, parts, v).depth_m for v in vertices])
    # About 1 % of poses press flesh into flesh by 3 to 5 mm; four of 100 are a chance of 1 in 250.
    assert (depth > 0.003).sum() <= 4
    assert depth.max() < 0.006
    assert np.median(depth) < 0.001
