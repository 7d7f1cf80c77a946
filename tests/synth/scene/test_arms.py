"""Arms that a person could have: limits, lengths, distances, sides."""

import numpy as np
import pytest

from frames.camera import CAMERAS, Camera
from frames.parts import FOREARM
from synth.config import BodyConfig
from synth.hand.angles import ABDUCTION_LOSS, DOF, FLEXED_ULNAR_DEG, LIMITS
from synth.hand.bones import FOREARM_BONE, PALM
from synth.scene.body import PITCH_LIMITS, half_field, head_pose
from synth.scene.elbow import GIVE_M, MEAN_HAND_M, SHOULDER, UPPER_ARM
from synth.scene.upper_arm import tube
from tests.synth.hand.winding import winding_numbers
from tests.synth.scene.witness import world

FINGERS = ("index", "middle", "ring", "pinky")


def test_joint_angles_stay_within_their_limits() -> None:
    angles = world().scenes.hands.angles
    assert len(angles) > 2500
    assert (angles >= LIMITS[:, 0]).all() and (angles <= LIMITS[:, 1]).all()
    # And they use them: no degree of freedom is forgotten.
    reached = np.ptp(angles, axis=0) / np.ptp(LIMITS, axis=1)
    assert (reached > 0.6).all()


@pytest.mark.parametrize("finger", FINGERS)
def test_flexed_fingers_spread_less(finger: str) -> None:
    angles = world().scenes.hands.angles
    bent = np.clip(angles[:, DOF[f"{finger}_mcp_flexion"]] / np.radians(90), 0, 1)
    low, high = LIMITS[DOF[f"{finger}_mcp_abduction"]]
    room = 1 - ABDUCTION_LOSS * bent
    left = np.radians(FLEXED_ULNAR_DEG[FINGERS.index(finger)])
    spread = angles[:, DOF[f"{finger}_mcp_abduction"]]
    assert (spread >= low * room - 1e-12).all()
    assert (spread <= high + bent * (left - high) + 1e-12).all()
    assert (bent > 0.8).mean() > 0.02


def test_arms_reach_from_the_shoulder_to_the_wrist() -> None:
    here = world()
    hands = here.scenes.hands
    side = np.where(hands.left[:, None], [-1.0, 1.0, 1.0], 1.0)
    wrist, elbow = (side * here.joints[:, bone] for bone in (PALM, FOREARM_BONE))
    length = here.maker.rig.hand_length[hands.identity]
    rest = here.maker.rig.rest_joints[hands.identity].astype(np.float64)
    fore = np.linalg.norm(rest[:, FOREARM_BONE] - rest[:, PALM], axis=1)
    np.testing.assert_allclose(np.linalg.norm(elbow - wrist, axis=1), fore, atol=1e-6)
    shoulder = SHOULDER * (length / MEAN_HAND_M)[:, None]
    give = (GIVE_M * length / MEAN_HAND_M).max()
    reach = np.linalg.norm(wrist - shoulder, axis=1)
    assert (reach <= UPPER_ARM * length + fore + give).all()
    upper = np.linalg.norm(elbow - shoulder, axis=1) - UPPER_ARM * length
    # The shoulder gives way to a far reach, and a person's forearm leaves the wrist up to a few
    # degrees beside the mean one's.
    assert abs(np.median(upper)) < 0.02
    assert upper.min() > -0.06 and upper.max() < give + 0.06


def test_elbows_bend_as_far_as_elbows_do() -> None:
    here = world()
    elbow = here.joints[:, FOREARM_BONE]
    fore = here.joints[:, PALM] - elbow
    upper = SHOULDER * np.where(here.scenes.hands.left[:, None], [-1, 1, 1], 1) - elbow
    cosine = (fore * upper).sum(1) / np.linalg.norm(fore, axis=1) / np.linalg.norm(upper, axis=1)
    flexion = 180 - np.degrees(np.arccos(cosine))
    assert flexion.max() < 155 and flexion.min() > 0  # 145, and the elbow's place of the person
    assert np.quantile(flexion, 0.1) < 60 and np.quantile(flexion, 0.9) > 80


def test_hands_keep_out_of_their_own_upper_arms() -> None:
    here = world()
    rig, tube_faces = here.maker.rig, tube()[1]
    hand = np.unique(rig.faces[rig.face_parts < FOREARM])
    near = 0
    for skin, arm in zip(here.skin[:, hand], here.upper_arms, strict=True):
        points = skin[((skin > arm.min(0)) & (skin < arm.max(0))).all(1)].astype(np.float64)
        if len(points):
            near += 1
            assert (winding_numbers(points, arm[tube_faces]) < 0.5).all()
    assert near > 30


def test_elbows_hang_rather_than_cross_the_body() -> None:
    here = world()
    side = np.where(here.scenes.hands.left, -1.0, 1.0)
    elbow = here.joints[:, FOREARM_BONE]
    assert (elbow[:, 2] < 0.1).all()  # below the eyes
    assert (side * elbow[:, 0] > -0.05).mean() > 0.99


def test_hands_keep_their_distance_from_the_camera() -> None:
    here = world()
    hands = here.scenes.hands
    length = here.maker.rig.hand_length[hands.identity]
    pose = hands.T_world_from_wrist
    eye = here.scenes.T_world_from_camera[hands.frame, :3, 3]
    wrist = pose[:, :3, 3] - eye
    middle = np.linalg.norm(wrist - 0.5 * length[:, None] * pose[:, :3, 2], axis=1)
    near, far = BodyConfig().distance_m
    assert (middle > near).all() and (middle < far).all()
    assert np.quantile(middle, 0.1) < 0.28 and np.quantile(middle, 0.9) > 0.5
    assert np.linalg.norm(here.upper_arms - eye[:, None], axis=-1).min() > 0.08
    nearest = np.linalg.norm(here.skin - eye[:, None], axis=-1).min(1)
    assert nearest.min() > 0.05
    assert (nearest < 0.1).mean() < 0.01


def test_hands_are_partly_out_of_view_at_times() -> None:
    here = world()
    hands, camera = here.scenes.hands, here.maker.camera
    view = np.linalg.inv(here.scenes.T_world_from_camera)[hands.frame]
    points = np.einsum("nij,nkj->nki", view[:, :3, :3], here.joints) + view[:, None, :3, 3]
    seen = camera.contains(camera.project(np.delete(points, FOREARM_BONE, 1))).sum(1)
    assert 0.1 < ((seen > 0) & (seen < 20)).mean() < 0.4
    assert 0.005 < (seen == 0).mean() < 0.08
    assert (seen == 20).mean() > 0.6


def test_head_looks_down_at_the_hands() -> None:
    config = BodyConfig()
    pose = head_pose(config, np.random.default_rng(0).random((20_000, 8)))
    np.testing.assert_allclose(
        pose[:, :3, :3] @ pose[:, :3, :3].transpose(0, 2, 1),
        np.broadcast_to(np.eye(3), (20_000, 3, 3)),
        atol=1e-12,
    )
    assert np.allclose(np.linalg.det(pose[:, :3, :3]), 1)
    pitch = np.degrees(np.arcsin(-pose[:, 2, 2]))
    mean, sd = config.pitch_deg
    # The clipped tails, beyond three deviations, move the mean by less than the tolerance.
    assert abs(pitch.mean() - mean) < 4 * sd / np.sqrt(20_000) + 0.05
    assert pitch.min() >= PITCH_LIMITS[0] - 0.01 and pitch.max() <= PITCH_LIMITS[1] + 0.01
    # Right of the image is right of the wearer, its lower edge is down.
    assert (pose[:, 0, 0] > 0.5).all() and (pose[:, 2, 1] < -0.2).all()


def test_half_field_of_known_cameras() -> None:
    square = Camera("pinhole", 101, 101, 50.0, 50.0, 50.0, 50.0)
    np.testing.assert_allclose(half_field(square), np.radians(45), atol=1e-9)
    ahat = CAMERAS["ahat"]
    assert ahat.max_theta_rad is not None
    assert (half_field(ahat) <= ahat.max_theta_rad).all() and (half_field(ahat) > 0.8).all()
    for name, camera in CAMERAS.items():
        assert (half_field(camera) > 0.3).all() and (half_field(camera) < 1.4).all(), name
