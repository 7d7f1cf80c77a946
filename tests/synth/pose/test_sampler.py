"""Sampled poses: possible, varied, labelled truly, and the same in any batch."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from synth.config import PoseConfig
from synth.hand.angles import DOF, DOFS, LIMITS, clamp
from synth.pose.library import PART_START, PARTS, PRESETS, fit_presets, key_rows, preset_table
from synth.pose.likeness import nearest_key
from synth.pose.sampler import NEAR_KEY_DEG, Poses, sample_poses
from synth.pose.synergy import FOLDED_RAD, HABIT, couple, unfold
from tests.synth.hand.rigs import people
from tests.synth.hand.winding import cut_solids, deepest
from tests.synth.pose.fitted import COUNT, flesh, skins

FRAMES = 6000
FLEXION = [DOF[f"{f}_mcp_flexion"] for f in ("index", "middle", "ring", "pinky")]
NOTHING = PoseConfig(0, 0, 0, 0, 0, 0, 0)
"""Synergies alone."""


def _identity(frames: np.ndarray) -> np.ndarray:
    return frames * 7 % COUNT


def _sample(
    frames: np.ndarray, config: PoseConfig | None = None, seed: int = 1, stage: str = "test"
) -> Poses:
    return sample_poses(config or PoseConfig(), seed, frames, stage, flesh(), _identity(frames))


@cache
def poses() -> Poses:
    return _sample(np.arange(FRAMES))


def test_poses_are_within_limits_and_the_wrist_is_left_to_the_arm() -> None:
    angles = poses().angles
    assert (angles >= LIMITS[:, 0]).all() and (angles <= LIMITS[:, 1]).all()
    np.testing.assert_array_equal(clamp(angles), angles)
    assert not angles[:, :2].any()


def test_shares_of_parts_are_those_of_the_options() -> None:
    """Within four standard errors, less the few that no attempt fits: those are not labelled."""
    config = PoseConfig()
    part = np.searchsorted(PART_START, poses().preset, side="right") - 1
    for k, name in enumerate(PARTS):
        share = getattr(config, f"{name}_share")
        error = 4 * np.sqrt(share * (1 - share) / FRAMES)
        assert share - error - 0.05 * share < (part == k).mean() < share + error, name
        # All names of a part alike.
        count = np.bincount(poses().preset[part == k] - PART_START[k], minlength=len(PARTS[name]))
        p = share / len(PARTS[name])
        slack = 4.5 * np.sqrt(p * FRAMES) + 0.3 * p * FRAMES
        assert np.abs(count - p * FRAMES).max() < slack, name


def test_key_poses_are_labelled_and_nothing_else_shows_one() -> None:
    preset = poses().preset
    keys = np.array([*(p.key_pose for p in PRESETS), "none"])
    table = preset_table()[key_rows()]
    away = nearest_key(poses().angles, table)
    unnamed = preset == -1
    assert (away[unnamed] > np.radians(NEAR_KEY_DEG)).mean() > 0.998
    # And what carries a label looks like its class rather than like another one.
    shown = np.flatnonzero(keys[preset] != "none")
    classes = np.unique(keys[key_rows()])
    gaps = np.stack(
        [nearest_key(poses().angles[shown], table[keys[key_rows()] == c]) for c in classes]
    )
    assert (classes[gaps.argmin(0)] == keys[preset[shown]]).mean() > 0.97
    assert np.quantile(gaps.min(0), 0.99) < np.radians(14)


def test_named_poses_look_like_their_names() -> None:
    named = np.flatnonzero(poses().preset >= 0)
    table = fit_presets(flesh(), _identity(named), poses().preset[named])
    away = np.degrees(poses().angles[named] - table)[:, 2:]
    assert np.sqrt((away**2).mean()) < 1.6 * PoseConfig().jitter_deg
    assert np.quantile(np.abs(away), 0.999) < 8 * PoseConfig().jitter_deg


def test_without_jitter_the_tables_are_shown_exactly() -> None:
    frames = np.arange(300)
    config = replace(NOTHING, key_share=0.5, asl_share=0.5, jitter_deg=0.0)
    still = _sample(frames, config)
    named = np.flatnonzero(still.preset >= 0)
    assert len(named) > 290
    table = fit_presets(flesh(), _identity(named), still.preset[named])
    np.testing.assert_allclose(still.angles[named], table, atol=1e-12)
    assert HABIT[[0, 1]].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("part", list(PARTS))
def test_all_of_one_part(part: str) -> None:
    preset = _sample(np.arange(300), replace(NOTHING, **{f"{part}_share": 1.0})).preset
    k = list(PARTS).index(part)
    shown = preset[preset >= 0]
    assert len(shown) > 0.95 * 300
    assert (shown >= PART_START[k]).all() and (shown < PART_START[k + 1]).all()


def test_none_of_the_library() -> None:
    frames = np.arange(300)
    assert (_sample(frames, NOTHING).preset == -1).all()
    assert (_sample(frames, replace(NOTHING, between_share=1.0)).preset == -1).all()


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
    np.testing.assert_array_equal(tame[alone][:, FLEXION], wild[alone][:, FLEXION])
    np.testing.assert_allclose(tame.sum(1), wild.sum(1), atol=1e-9)
    tips, middles = [i + 4 for i in FLEXION], [i + 3 for i in FLEXION]
    folded = unfold(wild)
    assert (folded[:, tips] + folded[:, middles] <= FOLDED_RAD + 1e-9).all()


def test_synergy_draws_move_fingers_together() -> None:
    """A few components explain most of the variance of 15 flexions, as in people's hands."""
    angles = _sample(np.arange(3000), NOTHING).angles
    flexion = [i for i, name in enumerate(DOFS) if name.endswith("flexion") and i > 5]
    values = np.linalg.svd(angles[:, flexion] - angles[:, flexion].mean(0), compute_uv=False)
    explained = (values**2).cumsum() / (values**2).sum()
    assert explained[1] > 0.6 and explained[3] > 0.8
    pip, dip = angles[:, DOF["middle_pip_flexion"]], angles[:, DOF["middle_dip_flexion"]]
    assert abs(np.polyfit(pip, dip, 1)[0] - 2 / 3) < 0.08


def test_poses_run_through_themselves_nowhere_deep() -> None:
    """On the mesh; of 3,000 poses none goes beyond 3 mm (docs/pose.md)."""
    frames = np.arange(150)
    angles = _sample(frames, stage="mesh").angles
    vertices, _ = skins(_identity(frames), angles)
    parts = cut_solids(people(COUNT))
    depth = np.array([deepest(people(COUNT), parts, v).depth_m for v in vertices])
    assert depth.max() <= 0.003
    assert np.quantile(depth, 0.95) < 0.0022 and np.median(depth) < 0.001
