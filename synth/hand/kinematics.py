"""Forward kinematics and linear blend skinning, batched over hands.

Compiled, with a fixed order of summation and no fused operations, so that a hand has the same bits
whatever the batch or the machine.
"""

import numba
import numpy as np

from frames.kernels import BORROWING
from synth.hand.angles import joint_rotations
from synth.hand.bones import KEYPOINT_BONE, PARENT, TIP_BONES
from synth.hand.rig import Rig


def bone_transforms(
    rig: Rig,
    identity: np.ndarray,
    angles: np.ndarray,
    T_camera_from_wrist: np.ndarray,
    left: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Forward kinematics: where each bone's rest frame goes.

    identity (B,) int, angles (B, 29) rad, T_camera_from_wrist (B, 4, 4), left (B,) bool ->
    transforms (B, 21, 3, 4) float32 taking rest positions to the camera, joints (B, 21, 3) float32.
    """
    return turn_bones(rig, identity, joint_rotations(angles), T_camera_from_wrist, left)


def turn_bones(
    rig: Rig,
    identity: np.ndarray,
    rotations: np.ndarray,
    T_camera_from_wrist: np.ndarray,
    left: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """`bone_transforms` for any rotations, anatomical or not.

    rotations (B, 21, 3, 3): of each bone in its own zero frame, as `joint_rotations` gives them.
    """
    return _forward(
        rotations,
        rig.rest_joints[identity].astype(np.float64),
        rig.frames,
        rig.zero,
        np.ascontiguousarray(T_camera_from_wrist, dtype=np.float64),
        np.asarray(left, dtype=np.bool_),
        PARENT,
    )


@numba.njit(**BORROWING)
def _multiply(a, b, out):  # type: ignore[no-untyped-def]
    for i in range(3):
        for j in range(3):
            out[i, j] = (a[i, 0] * b[0, j] + a[i, 1] * b[1, j]) + a[i, 2] * b[2, j]


@numba.njit(cache=True, nogil=True)
def _forward(local, joints, frames, zero, root, left, parent):  # type: ignore[no-untyped-def]
    count, bones = local.shape[0], local.shape[1]
    transforms = np.empty((count, bones, 3, 4), np.float32)
    posed = np.empty((count, bones, 3), np.float32)
    rotation = np.empty((bones, 3, 3))
    skin = np.empty((bones, 3, 3))
    position = np.empty((bones, 3))
    scratch = (rotation, skin, position, np.empty((3, 3)))
    _carry_bones(local, joints, frames, zero, root, left, parent, scratch, transforms, posed)
    return transforms, posed


@numba.njit(**BORROWING)
def _carry_bones(  # type: ignore[no-untyped-def]
    local, joints, frames, zero, root, left, parent, scratch, transforms, posed
):
    rotation, skin, position, step = scratch
    bones = local.shape[1]
    for h in range(local.shape[0]):
        for b in range(bones):
            p = parent[b]
            _multiply(zero[b], local[h, b], step)
            if p < 0:
                for i in range(3):
                    position[b, i] = joints[h, b, i]
                    for j in range(3):
                        rotation[b, i, j] = step[i, j]
            else:
                _multiply(rotation[p], step, rotation[b])
            _multiply(rotation[b], frames[b].T, skin[b])
            if p >= 0:
                # The forearm ends where the hand begins: its own turn moves its elbow.
                carrier = b if b == 1 else p
                for i in range(3):
                    total = position[p, i]
                    for j in range(3):
                        total += skin[carrier, i, j] * (joints[h, b, j] - joints[h, p, j])
                    position[b, i] = total
        sign = -1.0 if left[h] else 1.0
        for b in range(bones):
            for i in range(3):
                row0 = root[h, i, 0] * sign
                row1 = root[h, i, 1]
                row2 = root[h, i, 2]
                shift = (row0 * position[b, 0] + row1 * position[b, 1]) + row2 * position[b, 2]
                shift += root[h, i, 3]
                posed[h, b, i] = shift
                for j in range(3):
                    entry = (row0 * skin[b, 0, j] + row1 * skin[b, 1, j]) + row2 * skin[b, 2, j]
                    transforms[h, b, i, j] = entry
                    shift -= entry * joints[h, b, j]
                transforms[h, b, i, 3] = shift


@numba.njit(**BORROWING)
def skin_hand(rest, bone, weight, transforms, out):  # type: ignore[no-untyped-def]
    """Linear blend skinning of one hand: sum over bones of weight * transform * rest.

    rest (V, 3) float32, bone (V, K) int32, weight (V, K) float32 with zeros last,
    transforms (21, 3, 4) float32; writes out (V, 3) float32.
    """
    for v in range(rest.shape[0]):
        x, y, z = rest[v, 0], rest[v, 1], rest[v, 2]
        ox = oy = oz = np.float32(0.0)
        for k in range(bone.shape[1]):
            w = weight[v, k]
            if w == 0.0:
                break
            t = transforms[bone[v, k]]
            ox += w * (((t[0, 0] * x + t[0, 1] * y) + t[0, 2] * z) + t[0, 3])
            oy += w * (((t[1, 0] * x + t[1, 1] * y) + t[1, 2] * z) + t[1, 3])
            oz += w * (((t[2, 0] * x + t[2, 1] * y) + t[2, 2] * z) + t[2, 3])
        out[v, 0] = ox
        out[v, 1] = oy
        out[v, 2] = oz


def keypoints(joints: np.ndarray, vertices: np.ndarray, tip_vertices: np.ndarray) -> np.ndarray:
    """(B, 21, 3) joints, (B, V, 3) vertices -> (B, 21, 3) keypoints in OpenPose order."""
    out = joints[:, KEYPOINT_BONE].copy()
    tips = [int(k) for k in np.flatnonzero(np.diff(KEYPOINT_BONE, prepend=-1) == 0)]
    assert len(tips) == len(TIP_BONES)
    out[:, tips] = vertices[:, tip_vertices]
    return out


def pose_hands(
    rig: Rig,
    identity: np.ndarray,
    angles: np.ndarray,
    T_camera_from_wrist: np.ndarray,
    left: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Posed vertices (B, V, 3) and keypoints (B, 21, 3), float32, in the camera frame.

    Arguments as for `bone_transforms`.
    """
    transforms, joints = bone_transforms(rig, identity, angles, T_camera_from_wrist, left)
    vertices = skin_hands(rig, identity, transforms)
    return vertices, keypoints(joints, vertices, rig.tip_vertices)


def skin_hands(rig: Rig, identity: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Posed vertices (B, V, 3) float32 in the camera frame, pose blend shapes included.

    identity (B,) int, transforms (B, 21, 3, 4) as from `bone_transforms`.
    """
    vertices = np.empty((len(identity), rig.rest_vertices.shape[1], 3), np.float32)
    rest, rows = rig.rest_vertices, identity
    if rig.correctives is not None:
        offsets = [pose_offsets(rig, transform) for transform in transforms]
        rest, rows = rest[identity] + np.array(offsets, np.float32), np.arange(len(identity))
    _skin(rest, rows, rig.skin_bone, rig.skin_weight, transforms, vertices)
    return vertices


@numba.njit(**BORROWING)
def _skin(rest, rows, bone, weight, transforms, out):  # type: ignore[no-untyped-def]
    for h in range(rows.shape[0]):
        skin_hand(rest[rows[h]], bone, weight, transforms[h], out[h])


CORRECTIVE_BONES = np.array([2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15, 16, 18, 19, 20], dtype=np.int64)
"""The 15 bones whose rotation drives `Rig.correctives`, nine entries each, row by row."""


def pose_offsets(rig: Rig, transforms: np.ndarray) -> np.ndarray:
    """Pose blend shapes of MANO (Romero et al. 2017, equation 4): (V, 3) float32 offsets at rest.

    transforms (21, 3, 4) of one hand. The feature is each of the 15 finger rotations, against its
    parent and the rest pose, less the identity.
    """
    assert rig.correctives is not None
    feature = _corrective_feature(transforms.astype(np.float64), CORRECTIVE_BONES, PARENT)
    return _blend(rig.correctives, feature)


@numba.njit(cache=True, nogil=True)
def _corrective_feature(transforms, bones, parent):  # type: ignore[no-untyped-def]
    # Where the hand is, and on which side, cancels in parent' * bone.
    feature = np.empty(9 * bones.shape[0])
    for k in range(bones.shape[0]):
        a, b = transforms[parent[bones[k]]], transforms[bones[k]]
        for i in range(3):
            for j in range(3):
                entry = (a[0, i] * b[0, j] + a[1, i] * b[1, j]) + a[2, i] * b[2, j]
                feature[9 * k + 3 * i + j] = entry - (1.0 if i == j else 0.0)
    return feature


@numba.njit(cache=True, nogil=True)
def _blend(basis, feature):  # type: ignore[no-untyped-def]
    out = np.zeros(basis.shape[1:], np.float64)
    for k in range(basis.shape[0]):
        value = feature[k]
        if value != 0.0:
            for v in range(basis.shape[1]):
                for i in range(3):
                    out[v, i] += value * basis[k, v, i]
    return out.astype(np.float32)
