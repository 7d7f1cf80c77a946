"""The WebXR hand: a whole mesh on our bones, sized as people are."""

from importlib import resources

import numpy as np
import trimesh

from synth.hand.bones import BONES, FINGER_START, FOREARM_BONE, PALM, THUMB
from synth.hand.builtin import builtin_rig, load_asset
from synth.hand.collision import build_capsules, place_capsules, self_penetration
from synth.hand.kinematics import bone_transforms
from synth.hand.shape import breadth_extremes, hand_length
from synth.hand.webxr import webxr_rig


def test_asset_is_small() -> None:
    assert len(resources.files("synth.hand").joinpath("webxr.npz").read_bytes()) < 150_000


def test_every_person_is_a_closed_right_hand() -> None:
    rig = webxr_rig(seed=3, identities=12)
    assert set(rig.face_parts.tolist()) == set(range(1, 18))
    np.testing.assert_allclose(rig.skin_weight.sum(1), 1.0, atol=1e-6)
    for vertices, joints in zip(rig.rest_vertices, rig.rest_joints, strict=True):
        mesh = trimesh.Trimesh(vertices, rig.faces, process=False)
        assert mesh.is_volume and mesh.euler_number == 2
        thumb, index, pinky = (joints[b] for b in (THUMB, FINGER_START[0] + 1, FINGER_START[3] + 1))
        assert (
            thumb[0] < index[0] < pinky[0] and index[2] < joints[PALM, 2] < joints[FOREARM_BONE, 2]
        )


def test_people_have_the_sizes_of_the_embedded_hands_people() -> None:
    rig, other = webxr_rig(seed=4, identities=100), builtin_rig(seed=4, identities=100)
    np.testing.assert_array_equal(rig.shape[:, :7], other.shape[:, :7])
    asset = load_asset("webxr.npz")
    left, right = breadth_extremes(asset["template"], asset["joints"][: len(BONES)], rig.skin_bone)
    across = (rig.rest_vertices[:, left] - rig.rest_vertices[:, right])[:, :2]
    breadth = np.linalg.norm(across, axis=1)
    length = hand_length(rig.rest_joints, rig.rest_vertices[:, rig.tip_vertices[2]])
    assert np.abs(breadth - rig.shape[:, 1]).max() <= 0.5e-3
    assert np.abs(length - rig.shape[:, 0]).max() <= 0.5e-3


def test_person_does_not_depend_on_the_count() -> None:
    few, many = webxr_rig(seed=9, identities=3), webxr_rig(seed=9, identities=20)
    for name in ("rest_vertices", "rest_joints", "thickness", "shape"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:3])


def test_flat_hand_is_clear() -> None:
    rig = webxr_rig(seed=1, identities=8)
    capsules = build_capsules(rig)
    still = np.tile(np.eye(4), (8, 1, 1))
    people = np.arange(8)
    transforms, _ = bone_transforms(rig, people, np.zeros((8, 29)), still, np.zeros(8, bool))
    placed = place_capsules(capsules, people, transforms)
    assert self_penetration(*placed, capsules.pairs).max() < 0.002
