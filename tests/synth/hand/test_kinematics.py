"""Angles in, posed bones and skin out: what must hold for any hand, person and place."""

import numpy as np
import pytest

from synth.hand.angles import DOF, DOFS, FLEXED_ULNAR_DEG, LIMITS, clamp, joint_rotations
from synth.hand.bones import (
    BONES,
    FINGER_START,
    FINGERS,
    FOREARM_BONE,
    PALM,
    PARENT,
    THUMB,
    TIP_BONES,
    TIP_KEYPOINTS,
)
from synth.hand.kinematics import bone_transforms, keypoints, pose_hands, skin_hands, turn_bones
from synth.hand.rig import Rig, unit
from tests.synth.hand.rigs import (
    people,
    random_angles,
    random_placement,
    rest_rotations,
    template,
)

CHAINS = [(THUMB, THUMB + 1, THUMB + 2), *((s + 1, s + 2, s + 3) for s in FINGER_START)]


def pose(rig: Rig, angles: np.ndarray, place: np.ndarray | None = None, left: bool = False):  # type: ignore[no-untyped-def]
    """(B, 21, 3) joints and (B, V, 3) vertices of person 0."""
    count = len(angles)
    place = np.tile(np.eye(4), (count, 1, 1)) if place is None else place
    identity, sides = np.zeros(count, int), np.full(count, left)
    transforms, joints = bone_transforms(rig, identity, angles, place, sides)
    return joints, skin_hands(rig, identity, transforms)


def test_rest_rotations_leave_the_skin_alone() -> None:
    rig = people()
    count = len(rig.rest_vertices)
    still = np.tile(np.eye(4), (count, 1, 1))
    rotations = np.repeat(rest_rotations(rig)[None], count, 0)
    transforms, joints = turn_bones(rig, np.arange(count), rotations, still, np.zeros(count, bool))
    np.testing.assert_allclose(
        transforms, np.broadcast_to(np.eye(3, 4), transforms.shape), atol=1e-7
    )
    np.testing.assert_allclose(joints, rig.rest_joints, atol=1e-7)
    vertices = skin_hands(rig, np.arange(count), transforms)
    np.testing.assert_allclose(vertices, rig.rest_vertices, atol=2e-7)


def test_zero_angles_straighten_the_fingers() -> None:
    joints, _ = pose(template(), np.zeros((1, len(DOFS))))
    for start in FINGER_START:
        first = unit(joints[0, start + 2] - joints[0, start + 1])
        second = unit(joints[0, start + 3] - joints[0, start + 2])
        assert np.arccos(min(1.0, first @ second)) < 2e-3
        assert abs(first[1]) < 1e-3, "in the palm's plane"


def test_distal_bone_points_on_at_zero() -> None:
    """By frames, tips included: all bones of a finger have one direction, in every person."""
    rig = people()
    count = len(rig.rest_vertices)
    still = np.tile(np.eye(4), (count, 1, 1))
    transforms, _ = bone_transforms(
        rig, np.arange(count), np.zeros((count, len(DOFS))), still, np.zeros(count, bool)
    )
    axes = transforms[..., :3] @ rig.frames
    for chain in CHAINS:
        for bone in chain[1:]:
            np.testing.assert_allclose(axes[:, bone], axes[:, chain[0]], atol=1e-6)
    fingers = axes[..., 2][:, [s + 1 for s in FINGER_START]]
    spread = np.degrees(np.arctan2(-fingers[..., 0], fingers[..., 2]))
    np.testing.assert_allclose(spread, np.tile([-4.0, 0.0, 3.0, 7.0], (count, 1)), atol=1e-3)


@pytest.mark.parametrize("finger", range(4))
def test_finger_angles_come_back_from_the_joints(finger: int) -> None:
    """Measured on joint positions by vectors alone: flexion, abduction and PIP flexion."""
    rng = np.random.default_rng(finger)
    angles = random_angles(rng, 200)
    angles[:, [DOF["palm_arch"], DOF["wrist_flexion"], DOF["wrist_deviation"]]] = 0.0
    flexion, abduction, pip = (9 + 5 * finger + k for k in (0, 1, 3))
    angles[:, flexion] = np.clip(angles[:, flexion], -0.4, np.radians(80))
    rig = template()
    joints, _ = pose(rig, angles)
    start = FINGER_START[finger]
    zero, _ = pose(rig, np.zeros((1, len(DOFS))))
    forward = unit(zero[0, start + 2] - zero[0, start + 1])
    # The finger's own plane: its axes at zero, from the finger that only flexes.
    only = np.zeros((1, len(DOFS)))
    only[0, flexion] = np.pi / 2
    bent, _ = pose(rig, only)
    palmar = unit(bent[0, start + 2] - bent[0, start + 1])
    across = np.cross(palmar, forward)
    proximal, middle = (unit(joints[:, start + k + 1] - joints[:, start + k]) for k in (1, 2))
    np.testing.assert_allclose(np.arcsin(proximal @ palmar), angles[:, flexion], atol=1e-5)
    np.testing.assert_allclose(
        np.arctan2(proximal @ across, proximal @ forward), angles[:, abduction], atol=1e-5
    )
    cosine = (proximal * middle).sum(1)
    sine = np.linalg.norm(np.cross(proximal, middle), axis=1)
    np.testing.assert_allclose(np.arctan2(sine, cosine), angles[:, pip], atol=1e-4)


@pytest.mark.parametrize("finger", range(4))
def test_tip_turns_by_the_sum_of_the_flexions(finger: int) -> None:
    """In the finger's plane, whatever the tip's own place on the skin."""
    rig = template()
    flexion, pip, dip = (9 + 5 * finger + k for k in (0, 3, 4))
    angles = np.zeros((60, len(DOFS)))
    free = [flexion, pip, dip]
    angles[1:, free] = random_angles(np.random.default_rng(finger), 59)[:, free]
    joints, vertices = pose(rig, angles)
    start = FINGER_START[finger]
    forward = unit(joints[0, start + 2] - joints[0, start + 1])
    across = rig.zero[start] @ rig.zero[start + 1] @ np.array([1.0, 0, 0])
    palmar = np.cross(forward, across)
    end = vertices[:, rig.tip_vertices[finger + 1]] - joints[:, start + 3]
    turned = np.arctan2(end @ palmar, end @ forward)
    expected = angles[:, free].sum(1)
    error = (turned - turned[0] - expected + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(error, 0.0, atol=2e-3)


def test_flexion_goes_to_the_palm_and_abduction_to_the_pinky() -> None:
    rig = template()
    for finger in FINGERS:
        angles = np.zeros((3, len(DOFS)))
        angles[1, DOF[f"{finger}_mcp_flexion"]] = 0.5
        angles[2, DOF[f"{finger}_mcp_abduction"]] = 0.2
        _, vertices = pose(rig, angles)
        tip = vertices[:, rig.tip_vertices[1 + FINGERS.index(finger)]]
        assert tip[1, 1] < tip[0, 1] - 0.02
        assert tip[2, 0] > tip[0, 0] + 0.01


def test_wrist_angles_move_the_forearm_only() -> None:
    rig = template()
    angles = np.zeros((2, len(DOFS)))
    angles[1, DOF["wrist_flexion"]] = np.radians(40)
    angles[1, DOF["wrist_deviation"]] = np.radians(10)
    joints, vertices = pose(rig, angles)
    np.testing.assert_array_equal(
        np.delete(joints[0], FOREARM_BONE, 0), np.delete(joints[1], FOREARM_BONE, 0)
    )
    # Flexing the hand towards the palm shows as the elbow sinking below the palm's plane.
    assert joints[1, FOREARM_BONE, 1] < joints[0, FOREARM_BONE, 1] - 0.1
    tips = vertices[:, rig.tip_vertices]
    np.testing.assert_array_equal(tips[0], tips[1])


def test_left_is_the_mirror_of_right() -> None:
    rng = np.random.default_rng(1)
    angles, place = random_angles(rng, 12), random_placement(rng, 12)
    rig = people()
    mirrored = np.array([-1.0, 1.0, 1.0], np.float32)
    right, left = (pose(rig, angles, left=side) for side in (False, True))
    for a, b in zip(right, left, strict=True):
        np.testing.assert_array_equal(a * mirrored, b)
    joints, vertices = pose(rig, angles, place, left=True)
    for got, here in ((joints, left[0]), (vertices, left[1])):
        expected = here @ place[:, :3, :3].transpose(0, 2, 1) + place[:, None, :3, 3]
        np.testing.assert_allclose(got, expected, atol=3e-7)


def test_moving_the_wrist_moves_everything_rigidly() -> None:
    rng = np.random.default_rng(2)
    angles, place = random_angles(rng, 12), random_placement(rng, 12)
    for got, here in zip(pose(people(), angles, place), pose(people(), angles), strict=True):
        expected = here @ place[:, :3, :3].transpose(0, 2, 1) + place[:, None, :3, 3]
        np.testing.assert_allclose(got, expected, atol=3e-7)


def test_bones_keep_their_lengths() -> None:
    rig = people()
    joints, _ = pose(rig, random_angles(np.random.default_rng(3), 100))
    for bone in range(1, len(BONES)):
        rest = np.linalg.norm(rig.rest_joints[0, bone] - rig.rest_joints[0, PARENT[bone]])
        posed = np.linalg.norm(joints[:, bone] - joints[:, PARENT[bone]], axis=-1)
        np.testing.assert_allclose(posed, rest, atol=2e-7)


def test_a_hand_is_the_same_in_any_batch() -> None:
    rng = np.random.default_rng(4)
    rig = people()
    angles, place = random_angles(rng, 9), random_placement(rng, 9)
    identity, left = rng.integers(0, 16, 9), rng.random(9) < 0.5
    vertices, points = pose_hands(rig, identity, angles, place, left)
    for h in range(9):
        one = slice(h, h + 1)
        alone = pose_hands(rig, identity[one], angles[one], place[one], left[one])
        np.testing.assert_array_equal(alone[0][0], vertices[h])
        np.testing.assert_array_equal(alone[1][0], points[h])


def test_keypoints_are_joints_and_tips_on_the_skin() -> None:
    rig = people()
    angles = random_angles(np.random.default_rng(5), 6)
    joints, vertices = pose(rig, angles)
    points = keypoints(joints, vertices, rig.tip_vertices)
    np.testing.assert_array_equal(points[:, 0], joints[:, PALM])
    np.testing.assert_array_equal(points[:, list(TIP_KEYPOINTS)], vertices[:, rig.tip_vertices])
    chains = [[1, 2, 3], [5, 6, 7], [9, 10, 11], [13, 14, 15], [17, 18, 19]]
    for chain, bones in zip(chains, CHAINS, strict=True):
        np.testing.assert_array_equal(points[:, chain], joints[:, list(bones)])


def test_tips_reach_farthest() -> None:
    rig = people()
    for bone, tip in zip(TIP_BONES, rig.tip_vertices, strict=True):
        own = rig.skin_bone[:, 0] == bone
        assert own[tip]
        reach = rig.rest_vertices[:, own] @ -rig.frames[bone, :, 2]
        at_tip = rig.rest_vertices[:, tip] @ -rig.frames[bone, :, 2]
        # Of the mean hand it is the farthest; a person's own may lie a little beside it.
        assert (reach.max(1) - at_tip).max() < 0.0015


def test_rotations_are_rotations() -> None:
    turns = joint_rotations(random_angles(np.random.default_rng(6), 50))
    np.testing.assert_allclose(
        turns @ turns.transpose(0, 1, 3, 2), np.broadcast_to(np.eye(3), turns.shape), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(turns), 1.0, atol=1e-12)


def test_clamp_keeps_what_is_allowed_and_is_idempotent() -> None:
    rng = np.random.default_rng(7)
    wild = rng.normal(0, 2, (500, len(DOFS)))
    tame = clamp(wild)
    assert (tame >= LIMITS[:, 0]).all() and (tame <= LIMITS[:, 1]).all()
    np.testing.assert_array_equal(clamp(tame), tame)
    index = [DOF["index_mcp_flexion"], DOF["index_mcp_abduction"]]
    fist = np.zeros((3, len(DOFS)))
    fist[:, index] = [[np.pi / 2, 1.0], [0.0, 1.0], [np.pi / 2, -1.0]]
    low, high = LIMITS[index[1]]
    expected = [np.radians(FLEXED_ULNAR_DEG[0]), high, 0.15 * low]
    np.testing.assert_allclose(clamp(fist)[:, index[1]], expected)
