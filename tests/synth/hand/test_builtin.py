"""The embedded hand: a whole mesh, sized as people are."""

from importlib import resources
from itertools import pairwise

import numpy as np
import pytest
import trimesh

from frames.parts import FOREARM
from synth.hand.bones import BONE_PART, BONES, FINGER_START, FOREARM_BONE, PALM, THUMB
from synth.hand.builtin import builtin_rig, load_asset
from synth.hand.shape import (
    FINGER_LENGTH_SD,
    FOREARM_PER_HAND,
    HAND_BREADTH_M,
    HAND_LENGTH_M,
    LENGTH_BREADTH_CORRELATION,
    breadth_extremes,
    sample_bodies,
)
from tests.synth.hand.rigs import people


def test_asset_is_small() -> None:
    assert len(resources.files("synth.hand").joinpath("hand.npz").read_bytes()) < 400_000


def test_every_person_is_a_closed_right_hand() -> None:
    rig = builtin_rig(seed=3, identities=24)
    for vertices, joints in zip(rig.rest_vertices, rig.rest_joints, strict=True):
        mesh = trimesh.Trimesh(vertices, rig.faces, process=False)
        assert mesh.is_watertight and mesh.is_winding_consistent and mesh.is_volume
        assert mesh.euler_number == 2 and mesh.body_count == 1
        assert 0.3e-3 < mesh.volume < 3e-3  # hand and forearm displace a litre or so
        thumb, index, pinky = (joints[b] for b in (THUMB, FINGER_START[0] + 1, FINGER_START[3] + 1))
        # Palm down (+Y up), fingers ahead (-Z): a right thumb is to the left.
        assert thumb[0] < index[0] < pinky[0] and index[2] < thumb[2] < joints[FOREARM_BONE, 2]


def test_joints_lie_inside_the_flesh() -> None:
    rig = people()
    inner = [b for b in range(len(BONES)) if b not in (PALM, FOREARM_BONE)]
    for vertices, joints in zip(rig.rest_vertices[:6], rig.rest_joints[:6], strict=True):
        corners = vertices[rig.faces].astype(np.float64)
        for bone in inner:
            a, b, c = (corners[:, k] - joints[bone] for k in range(3))
            la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
            det = (a * np.cross(b, c)).sum(1)
            rest = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
            assert np.arctan2(det, rest).sum() / (2 * np.pi) == pytest.approx(1.0, abs=1e-6)


def test_weights_are_convex_combinations() -> None:
    rig = people()
    np.testing.assert_allclose(rig.skin_weight.sum(1), 1.0, atol=1e-6)
    assert (rig.skin_weight >= 0).all() and (np.diff(rig.skin_weight, axis=1) <= 0).all()
    assert rig.skin_bone.min() >= 0 and rig.skin_bone.max() < len(BONES)


def test_each_part_is_one_piece_around_its_bone() -> None:
    rig = people()
    assert set(rig.face_parts.tolist()) == set(range(1, 18))
    for part in range(1, 18):
        faces = rig.faces[rig.face_parts == part]
        pieces = trimesh.graph.connected_components(
            trimesh.graph.face_adjacency(faces), nodes=np.arange(len(faces))
        )
        assert len(pieces) == 1, part
    middle = rig.rest_vertices[0][rig.faces].mean(1)
    for bone in range(2, len(BONES)):
        if bone in FINGER_START:
            continue
        faces = rig.face_parts == BONE_PART[bone]
        beyond = (middle[faces] - rig.rest_joints[0, bone]) @ -rig.frames[bone, :, 2]
        assert np.median(beyond) > 0 and beyond.min() > -0.035
    forearm = middle[rig.face_parts == FOREARM]
    assert forearm[:, 2].min() > -0.03


def test_person_does_not_depend_on_the_count() -> None:
    few, many = builtin_rig(seed=9, identities=3), builtin_rig(seed=9, identities=40)
    for name in ("rest_vertices", "rest_joints", "thickness", "shape", "hand_length"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:3])
    assert not np.array_equal(few.shape, builtin_rig(seed=10, identities=3).shape)
    assert len(np.unique(many.shape[:, 0])) == 40


@pytest.mark.parametrize("sex", ["female", "male"])
def test_sizes_follow_ansur(sex: str) -> None:
    """Mean, spread and correlation of 20,000 people within four standard errors."""
    bodies = sample_bodies(seed=1, count=20_000, components=10)
    of_sex = bodies.female == (sex == "female")
    n = of_sex.sum()
    assert abs(n - 10_000) < 4 * np.sqrt(20_000 / 4)
    for values, table in (
        (bodies.length_m[of_sex], HAND_LENGTH_M[sex]),
        (bodies.breadth_m[of_sex], HAND_BREADTH_M[sex]),
    ):
        mean, sd = table
        assert abs(values.mean() - mean) < 4 * sd / np.sqrt(n)
        assert abs(values.std() - sd) < 4 * sd / np.sqrt(2 * n)
    expected = LENGTH_BREADTH_CORRELATION[sex]
    found = np.corrcoef(bodies.length_m[of_sex], bodies.breadth_m[of_sex])[0, 1]
    assert abs(found - expected) < 4 * (1 - expected**2) / np.sqrt(n)


def test_fingers_and_components_vary_on_their_own() -> None:
    bodies = sample_bodies(seed=2, count=20_000, components=10)
    drawn = np.column_stack([(bodies.finger_scale - 1) / FINGER_LENGTH_SD, bodies.components])
    assert np.abs(drawn).max() <= 2.5 + 1e-12
    # Clipping a normal at 2.5 leaves 0.9774 of its variance.
    np.testing.assert_allclose(drawn.mean(0), 0.0, atol=4 / np.sqrt(20_000))
    np.testing.assert_allclose(drawn.std(0), np.sqrt(0.9774), atol=4 / np.sqrt(40_000))
    others = np.column_stack([bodies.length_m, bodies.breadth_m, bodies.female])
    cross = np.corrcoef(np.column_stack([drawn, others]).T)[:15]
    cross[np.arange(15), np.arange(15)] = 0.0
    assert np.abs(cross).max() < 5 / np.sqrt(20_000)


def test_realised_length_and_breadth_are_the_sampled_ones() -> None:
    rig = builtin_rig(seed=4, identities=300)
    joints, vertices = (a.astype(np.float64) for a in (rig.rest_joints, rig.rest_vertices))
    start = FINGER_START[1]
    chain = [joints[:, PALM], *(joints[:, start + k] for k in (1, 2, 3))]
    chain.append(vertices[:, rig.tip_vertices[2]])
    length = sum(np.linalg.norm(b - a, axis=1) for a, b in pairwise(chain))
    asset = load_asset()
    left, right = breadth_extremes(asset["template"], asset["joints"][: len(BONES)], rig.skin_bone)
    breadth = np.linalg.norm((vertices[:, left] - vertices[:, right])[:, :2], axis=1)
    assert np.abs(length - rig.shape[:, 0]).max() <= 0.5e-3
    assert np.abs(breadth - rig.shape[:, 1]).max() <= 0.5e-3
    np.testing.assert_allclose(rig.hand_length, rig.shape[:, 0], atol=1e-7)


def test_forearms_have_human_length() -> None:
    rig = builtin_rig(seed=5, identities=300)
    ratio = np.linalg.norm(rig.rest_joints[:, FOREARM_BONE], axis=1) / rig.hand_length
    assert ratio.mean() == pytest.approx(FOREARM_PER_HAND, rel=0.015)
    assert ratio.std() < 0.06 and ratio.min() > 1.15 and ratio.max() < 1.55


def test_thickness_is_that_of_flesh() -> None:
    rig = people()
    assert rig.thickness.min() > 0.002 and rig.thickness.max() < 0.05
