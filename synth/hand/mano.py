"""MANO as a `Rig`: 16 joints become 21 bones, the open wrist gets a forearm.

Skinning equals smplx's on the same file: shape and pose blend shapes, joints regressed from the
shaped template, linear blend skinning. What MANO does not have (a cupping palm, a bending wrist)
leaves it untouched at rest.
"""

from pathlib import Path
from typing import Final

import numpy as np

from frames.errors import BadInput
from frames.stream import normal, uniform
from synth.hand.bones import (
    BONES,
    FINGER_START,
    FOREARM_BONE,
    PALM,
    TIP_BONES,
    TIP_KEYPOINTS,
)
from synth.hand.builtin import measure_thickness
from synth.hand.forearm import (
    blend_wrist,
    elbow_joint,
    find_opening,
    tube_faces,
    tube_vertices,
    tube_weights,
)
from synth.hand.kinematics import CORRECTIVE_BONES
from synth.hand.mano_file import ManoModel, read_model
from synth.hand.palm import metacarpal_bases, share_palm
from synth.hand.rig import Rig, bone_frames, extreme_points, split_parts, unit, zero_frames
from synth.hand.shape import COMPONENT_LIMIT, hand_length

MANO_BONE: Final = np.array([0, 6, 7, 8, 10, 11, 12, 18, 19, 20, 14, 15, 16, 2, 3, 4])
"""Our bone for each of MANO's joints: wrist, index, middle, pinky, ring, thumb."""

_TIPS_OF_778: Final = np.array([744, 320, 443, 554, 671], dtype=np.int64)
"""Fingertips of MANO's own mesh, thumb to pinky (smplx, vertex_ids)."""

_NEGLIGIBLE: Final = 1e-7
"""Skin weights below this are dropped: they move a vertex by less than 0.1 micrometre."""


def mano_rig(place: Path | str, seed: int, identities: int) -> Rig:
    """The MANO hand for `identities` people; person i depends on (seed, i) alone.

    place: MANO_RIGHT.pkl or its folder (MANO_LEFT.pkl is mirrored if it is alone). Betas are
    normal, clipped to 2.5; sizes are MANO's own. Raises BadInput for a file that will not do.
    """
    model = read_model(Path(place))
    count = model.shape_basis.shape[0]
    draws = uniform(seed, np.arange(identities, dtype=np.int64), "identity/mano", 2 * count)
    betas = np.clip(normal(draws), -COMPONENT_LIMIT, COMPONENT_LIMIT)
    return shaped_rig(model, betas, str(place))


def shaped_rig(model: ManoModel, betas: np.ndarray, name: str = "MANO") -> Rig:
    """The rig of given people: betas (I, S). Raises BadInput, naming `name`, for a broken mesh."""
    turn = wrist_axes(model)
    # The mean hand leads the people: tips, frames, weights and thickness are measured on it.
    betas = np.concatenate([np.zeros((1, betas.shape[1])), betas])
    vertices, joints = _shape_people(model, betas, turn)
    weights = np.zeros((len(model.template), len(BONES)))
    weights[:, MANO_BONE] = model.weights
    weights[weights < _NEGLIGIBLE] = 0.0
    weights /= weights.sum(1, keepdims=True)
    tips = _tips(vertices[0], joints[0], weights)
    length = hand_length(joints, vertices[:, tips[2]])
    joints[:, FOREARM_BONE] = elbow_joint(joints[:, PALM], length)
    weights = share_palm(weights, vertices[0], joints[0])
    weights = blend_wrist(weights, vertices[0, :, 2], float(length[0]))

    faces, correctives = model.faces, _correctives(model, turn)
    opening = find_opening(faces, name)
    if opening is not None:
        added = tube_vertices(vertices, opening, joints[:, FOREARM_BONE])
        faces = np.concatenate([faces, tube_faces(opening, len(model.template))])
        vertices = np.concatenate([vertices, added], axis=1)
        weights = np.concatenate([weights, tube_weights(added[0, :, 2], float(length[0]))])
        still = np.zeros((len(correctives), added.shape[1], 3))
        correctives = np.concatenate([correctives, still], axis=1)

    skin_bone, skin_weight = sparse_weights(weights)
    frames = bone_frames(joints[0], vertices[0, tips])
    faces = faces.astype(np.int32)
    thickness = measure_thickness(vertices[0], joints[0], faces)
    if (thickness[[k for k in range(21) if k not in TIP_KEYPOINTS]] == 0).any():
        raise BadInput(f"{name}: a joint lies outside the mesh; are J_regressor and f intact?")
    scale = length[1:] / length[0]
    return Rig(
        name="mano",
        rest_vertices=vertices[1:].astype(np.float32),
        rest_joints=joints[1:].astype(np.float32),
        frames=frames,
        zero=zero_frames(frames),
        faces=faces,
        face_parts=split_parts(faces, skin_bone, skin_weight),
        skin_bone=skin_bone,
        skin_weight=skin_weight,
        tip_vertices=tips,
        thickness=(scale[:, None] * thickness).astype(np.float32),
        shape=betas[1:].astype(np.float32),
        hand_length=length[1:],
        correctives=correctives.astype(np.float32),
    )


def wrist_axes(model: ManoModel) -> np.ndarray:
    """(3, 3) whose rows are the wrist frame's axes in MANO's: wrist = rows @ model."""
    joints = _regress(model.joint_regressor, model.template[None])[0]
    at = dict(zip(MANO_BONE.tolist(), joints, strict=True))
    index, middle, pinky = (at[FINGER_START[k] + 1] for k in (0, 1, 3))
    z = unit(at[PALM] - middle)
    y = unit(np.cross(z, pinky - index))
    return np.stack([np.cross(y, z), y, z])


def turn_axis(turn: np.ndarray, values: np.ndarray, axis: int) -> np.ndarray:
    """Multiply (3, 3) along one axis of length 3, in a fixed order of summation."""
    x, y, z = (np.take(values, k, axis=axis) for k in range(3))
    rows = [(turn[i, 0] * x + turn[i, 1] * y) + turn[i, 2] * z for i in range(3)]
    return np.stack(rows, axis=axis)


def sparse_weights(dense: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(V, 21) weights -> bones (V, K) int32 and weights (V, K) float32, descending."""
    order = np.argsort(-dense, axis=1, kind="stable")[:, : int((dense > 0).sum(1).max())]
    return order.astype(np.int32), np.take_along_axis(dense, order, axis=1).astype(np.float32)


def _shape_people(
    model: ManoModel, betas: np.ndarray, turn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(I, S) betas -> vertices (I, V, 3) and joints (I, 21, 3) in the wrist frame."""
    shaped = np.repeat(model.template[None], len(betas), axis=0)
    for k in range(betas.shape[1]):
        shaped += betas[:, k, None, None] * model.shape_basis[k]
    regressed = _regress(model.joint_regressor, shaped)
    wrist = regressed[:, :1]
    joints = np.zeros((len(betas), len(BONES), 3))
    joints[:, MANO_BONE] = turn_axis(turn, regressed - wrist, 2)
    joints[:, list(FINGER_START)] = metacarpal_bases(joints)
    return turn_axis(turn, shaped - wrist, 2), joints


def _regress(regressor: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """(16, V), (I, V, 3) -> (I, 16, 3): each joint from the few vertices that define it."""
    out = np.zeros((len(vertices), len(regressor), 3))
    for joint, vertex in np.argwhere(regressor != 0):
        out[:, joint] += regressor[joint, vertex] * vertices[:, vertex]
    return out


def _tips(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> np.ndarray:
    if len(vertices) == 778:
        return _TIPS_OF_778
    ends = list(TIP_BONES)
    return extreme_points(
        vertices, unit(joints[ends] - joints[[b - 1 for b in ends]]), sparse_weights(weights)[0]
    )


def _correctives(model: ManoModel, turn: np.ndarray) -> np.ndarray:
    """(135, V, 3) pose blend shapes for rotations in the wrist frame, in our order of bones.

    MANO's feature is R - I in its own axes. With R = A' W A for our rotation W, each entry of R is
    a sum over the entries of W: the basis is turned once, so that the feature need not be.
    """
    basis = turn_axis(turn, model.pose_basis, 4)
    basis = turn_axis(turn, turn_axis(turn, basis, 1), 2)
    order = [int(np.flatnonzero(MANO_BONE[1:] == bone)[0]) for bone in CORRECTIVE_BONES]
    return basis[order].reshape(-1, len(model.template), 3)
