"""MANO: equal to smplx on the same file; whole with a forearm; left files; broken files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from frames.errors import BadInput
from synth.hand.angles import DOF, DOFS
from synth.hand.bones import BONES, FINGER_START, FOREARM_BONE, PALM, PARENT
from synth.hand.kinematics import keypoints, pose_hands, skin_hands, turn_bones
from synth.hand.mano import MANO_BONE, mano_rig, shaped_rig, wrist_axes
from synth.hand.mano_file import read_model
from synth.hand.rig import Rig
from tests.synth.hand.mano_format import TIPS, make_fields, mirror_fields, write_pickle

FIELDS = make_fields()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "MANO_RIGHT.pkl").write_bytes(write_pickle(FIELDS, monkeypatch))
    return tmp_path


def random_rotations(rng: np.random.Generator, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Axis-angle vectors (..., 3) up to 1.2 rad, and their matrices by Rodrigues' formula."""
    axis = rng.normal(size=(*shape, 3))
    vector = axis / np.linalg.norm(axis, axis=-1, keepdims=True) * rng.uniform(0, 1.2, (*shape, 1))
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vector / angle[..., 0], -1, 0)
    o = np.zeros_like(x)
    k = np.stack([o, -z, y, z, o, -x, -y, x, o], -1).reshape(*shape, 3, 3)
    return vector, np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def bone_rotations(rig: Rig, about_parent: np.ndarray) -> np.ndarray:
    """Rotations (B, 21, 3, 3) of bones about their parents, in the wrist's axes, as ours."""
    out = np.empty_like(about_parent)
    for bone in range(len(BONES)):
        parent = PARENT[bone] if bone != PALM else PALM
        carried = rig.frames[parent].T if bone != PALM else np.eye(3)
        out[:, bone] = rig.zero[bone].T @ carried @ about_parent[:, bone] @ rig.frames[bone]
    return out


@pytest.mark.parametrize("shift_m", [0.0, 0.6])
def test_skinning_equals_smplx(folder: Path, shift_m: float) -> None:
    torch = pytest.importorskip("torch")
    smplx = pytest.importorskip("smplx")
    hands = 24
    rng = np.random.default_rng(3)
    betas = np.clip(rng.normal(size=(hands, 10)), -2.5, 2.5)
    vectors, matrices = random_rotations(rng, hands, 16)
    shift = shift_m * rng.normal(size=(hands, 3))

    theirs = smplx.MANO(
        model_path="",
        data_struct=smplx.utils.Struct(**FIELDS),
        is_rhand=True,
        use_pca=False,
        flat_hand_mean=True,
        batch_size=hands,
        dtype=torch.float64,
    )(
        betas=torch.tensor(betas),
        global_orient=torch.tensor(vectors[:, 0]),
        hand_pose=torch.tensor(vectors[:, 1:].reshape(hands, 45)),
        transl=torch.tensor(shift),
    )

    model = read_model(folder)
    rig = shaped_rig(model, betas)
    turn = wrist_axes(model)
    local = np.tile(np.eye(3), (hands, len(BONES), 1, 1))
    local[:, MANO_BONE[1:]] = turn @ matrices[:, 1:] @ turn.T
    place = np.tile(np.eye(4), (hands, 1, 1))
    place[:, :3, :3] = matrices[:, 0] @ turn.T
    # smplx turns the hand about its wrist joint, which stays where the shape puts it.
    place[:, :3, 3] = theirs.joints.detach().numpy()[:, 0]
    identity, left = np.arange(hands), np.zeros(hands, bool)
    transforms, joints = turn_bones(rig, identity, bone_rotations(rig, local), place, left)
    vertices = skin_hands(rig, identity, transforms)

    their_vertices = theirs.vertices.detach().numpy()
    error = np.abs(vertices[:, : len(model.template)] - their_vertices).max()
    joint_error = np.abs(joints[:, MANO_BONE] - theirs.joints.detach().numpy()).max()
    assert error < 1e-6 and joint_error < 1e-6, (error, joint_error)
    tips = keypoints(joints, vertices, rig.tip_vertices)[:, [4, 8, 12, 16, 20]]
    np.testing.assert_allclose(tips, their_vertices[:, list(TIPS)], atol=1e-6)


def test_hand_is_closed_and_reaches_the_elbow(folder: Path) -> None:
    rig = mano_rig(folder, seed=1, identities=6)
    for vertices, joints, length in zip(
        rig.rest_vertices, rig.rest_joints, rig.hand_length, strict=True
    ):
        mesh = trimesh.Trimesh(vertices, rig.faces, process=False)
        assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
        assert mesh.euler_number == 2
        forearm = np.linalg.norm(joints[FOREARM_BONE] - joints[PALM])
        assert forearm == pytest.approx(0.146 / 0.108 * length, rel=1e-5)
        assert vertices[:, 2].max() == pytest.approx(forearm, rel=0.05)
    np.testing.assert_allclose(rig.skin_weight.sum(1), 1.0, atol=1e-6)
    assert set(rig.face_parts.tolist()) == set(range(1, 18))


def test_wrist_bends_smoothly(folder: Path) -> None:
    """Full flexion and extension stretch no edge near the wrist twofold and keep the volume."""
    rig = mano_rig(folder, seed=1, identities=1)
    angles = np.zeros((3, len(DOFS)))
    angles[:, DOF["wrist_flexion"]] = np.radians([0, 75, -70])
    still = np.tile(np.eye(4), (3, 1, 1))
    vertices, _ = pose_hands(rig, np.zeros(3, int), angles, still, np.zeros(3, bool))
    edges = np.unique(np.sort(rig.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)), axis=0)
    near = np.abs(rig.rest_vertices[0][edges].mean(1)[:, 2]) < 0.04
    lengths = np.linalg.norm(vertices[:, edges[:, 0]] - vertices[:, edges[:, 1]], axis=-1)
    ratio = lengths[1:, near] / lengths[0, near]
    assert np.quantile(ratio, 0.01) > 0.33 and ratio.max() < 2.0
    volumes = [trimesh.Trimesh(v, rig.faces, process=False).volume for v in vertices]
    np.testing.assert_allclose(volumes[1:], volumes[0], rtol=0.05)


def test_palm_cups_without_tearing(folder: Path) -> None:
    rig = mano_rig(folder, seed=1, identities=1)
    angles = np.zeros((2, len(DOFS)))
    angles[1, DOF["palm_arch"]] = np.radians(15)
    still = np.tile(np.eye(4), (2, 1, 1))
    (flat, cupped), _ = pose_hands(rig, np.zeros(2, int), angles, still, np.zeros(2, bool))
    moved = np.linalg.norm(cupped - flat, axis=-1)
    palm = np.isin(rig.skin_bone[:, 0], [PALM, *FINGER_START])
    edges = np.unique(np.sort(rig.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)), axis=0)
    edges = edges[palm[edges].all(1)]
    lengths = [np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=-1) for v in (flat, cupped)]
    assert np.abs(lengths[1] - lengths[0]).max() < 0.003
    index_and_thumb = np.isin(rig.skin_bone[:, 0], [2, 3, 4, 5, 6, 7, 8])
    assert moved[index_and_thumb].max() < 0.002
    assert moved[rig.tip_vertices[4]] > 0.01


def test_person_does_not_depend_on_the_count(folder: Path) -> None:
    few, many = (mano_rig(folder, seed=5, identities=n) for n in (3, 8))
    for name in ("rest_vertices", "rest_joints", "shape", "thickness", "hand_length"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:3])
    assert np.abs(many.shape).max() <= 2.5
    assert not np.array_equal(many.shape, mano_rig(folder, seed=6, identities=8).shape)


@pytest.mark.parametrize("faulty_shapes", [True, False])
def test_left_file_gives_the_same_right_hand(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, faulty_shapes: bool
) -> None:
    right = mano_rig(folder, seed=2, identities=4)
    alone = tmp_path / "left"
    alone.mkdir()
    data = write_pickle(mirror_fields(FIELDS, faulty_shapes), monkeypatch)
    (alone / "MANO_LEFT.pkl").write_bytes(data)
    left = mano_rig(alone, seed=2, identities=4)
    assert right.correctives is not None and left.correctives is not None
    np.testing.assert_allclose(left.rest_vertices, right.rest_vertices, atol=1e-7)
    np.testing.assert_allclose(left.rest_joints, right.rest_joints, atol=1e-7)
    np.testing.assert_allclose(left.correctives, right.correctives, atol=1e-9)
    volume = trimesh.Trimesh(left.rest_vertices[0], left.faces, process=False).volume
    assert volume > 0


def test_any_vertex_count_runs(folder: Path) -> None:
    """One face is split in three: 779 vertices, and the tips are the skin's extreme points."""
    model = read_model(folder)
    corners = model.faces[100]
    a, b, c = corners

    def split(values: np.ndarray, axis: int) -> np.ndarray:
        return np.concatenate(
            [values, np.take(values, corners, axis).mean(axis, keepdims=True)], axis
        )

    bigger = type(model)(
        template=split(model.template, 0),
        shape_basis=split(model.shape_basis, 1),
        pose_basis=split(model.pose_basis, 3),
        joint_regressor=np.pad(model.joint_regressor, ((0, 0), (0, 1))),
        weights=split(model.weights, 0),
        faces=np.concatenate(
            [np.delete(model.faces, 100, 0), [[a, b, 778], [b, c, 778], [c, a, 778]]]
        ).astype(np.int32),
    )
    rig, was = shaped_rig(bigger, np.zeros((1, 10))), shaped_rig(model, np.zeros((1, 10)))
    assert trimesh.Trimesh(rig.rest_vertices[0], rig.faces, process=False).is_watertight
    reach = np.linalg.norm(
        rig.rest_vertices[0, rig.tip_vertices] - was.rest_vertices[0, was.tip_vertices], axis=-1
    )
    assert reach.max() < 0.004


BROKEN: dict[str, dict[str, Any]] = {
    "v_template": {"v_template": FIELDS["v_template"][:, :2]},
    "posedirs": {"posedirs": FIELDS["posedirs"][:, :, :100]},
    "J_regressor": {"J_regressor": FIELDS["J_regressor"][:, :-1]},
    "weights": {"weights": 2 * FIELDS["weights"]},
    "f names vertex": {"f": FIELDS["f"] + 3},
    "kintree_table": {"kintree_table": FIELDS["kintree_table"][:, ::-1]},
    "not finite": {"v_template": np.full((778, 3), np.nan)},
    "has no shapedirs": {"shapedirs": None},
    "several openings": {"f": np.delete(FIELDS["f"], np.arange(300, 310), 0)},
}


@pytest.mark.parametrize("word", BROKEN)
def test_broken_model_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    fields = FIELDS | BROKEN[word]
    shapes = fields["shapedirs"]
    data = write_pickle(fields | {"shapedirs": FIELDS["shapedirs"]}, monkeypatch)
    if shapes is None:
        data = data.replace(b"shapedirs", b"shapeless")
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=word) as error:
        mano_rig(path, seed=0, identities=1)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_missing_files_say_what_is_expected(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere", tmp_path / "MANO_RIGHT.pkl"):
        with pytest.raises(BadInput, match=r"MANO_RIGHT\.pkl"):
            mano_rig(place, seed=0, identities=1)


def test_metacarpals_lie_between_wrist_and_knuckles(folder: Path) -> None:
    rig = mano_rig(folder, seed=1, identities=5)
    for start in FINGER_START:
        along = rig.rest_joints[:, start, 2] / rig.rest_joints[:, start + 1, 2]
        assert (along > 0.2).all() and (along < 0.5).all()
