"""A rigged hand, whatever its source: rest meshes of many people, bones, skin weights.

The canonical tree of 21 bones (`synth.hand.bones`) carries every model; a model without finger
metacarpals simply gives those bones no skin.
"""

from dataclasses import dataclass

import numpy as np

from synth.hand.angles import finger_zero, thumb_zero
from synth.hand.bones import (
    BONE_PART,
    BONES,
    FINGER_START,
    FOREARM_BONE,
    PALM,
    THUMB,
    TIP_BONES,
)
from synth.rigid import dot, multiply

_CHILD = {b: b + 1 for b in range(len(BONES)) if b not in (PALM, FOREARM_BONE, *TIP_BONES)}


@dataclass(frozen=True)
class Rig:
    """A right hand in its rest pose, in the wrist frame, for I identities."""

    name: str
    """Name of the source: builtin, mano, webxr."""
    rest_vertices: np.ndarray
    """(I, V, 3) float32, metres."""
    rest_joints: np.ndarray
    """(I, 21, 3) float32, where each bone starts; the forearm's is the elbow."""
    frames: np.ndarray
    """(21, 3, 3) float64 orientation of each bone at rest."""
    zero: np.ndarray
    """(21, 3, 3) float64 orientation of each bone in its parent at zero angles."""
    faces: np.ndarray
    """(F, 3) int32, outward."""
    face_parts: np.ndarray
    """(F,) uint8 part codes 1..17."""
    skin_bone: np.ndarray
    """(V, K) int32."""
    skin_weight: np.ndarray
    """(V, K) float32, descending, summing to 1."""
    tip_vertices: np.ndarray
    """(5,) int64, the skin's extreme points: thumb to pinky."""
    thickness: np.ndarray
    """(I, 21) float32, flesh between each keypoint and the skin, metres."""
    shape: np.ndarray
    """(I, S) float32 shape parameters, as they are stored with a frame."""
    hand_length: np.ndarray
    """(I,) wrist to middle fingertip along the straightened bones, metres."""
    correctives: np.ndarray | None = None
    """(135, V, 3) float32 pose blend shapes over the 15 finger rotations (MANO), or None."""


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def _frame(direction: np.ndarray, lateral: np.ndarray) -> np.ndarray:
    """(3, 3) with -Z along `direction` and +X as near to `lateral` as that allows."""
    z = -unit(direction)
    x = unit(lateral - dot(lateral, z) * z)
    return np.stack([x, np.cross(z, x), z], axis=1)


def bone_frames(joints: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """(21, 3) joints and (5, 3) tips in the wrist frame -> (21, 3, 3) rest frames."""
    joints, tips = joints.astype(np.float64), tips.astype(np.float64)
    frames = np.tile(np.eye(3), (len(BONES), 1, 1))
    frames[FOREARM_BONE] = _frame(joints[PALM] - joints[FOREARM_BONE], np.array([1.0, 0, 0]))
    lateral = {THUMB + k: thumb_zero()[:, 0] for k in range(3)}
    for start, zero in zip(FINGER_START, finger_zero(), strict=True):
        lateral |= {start + k: zero[:, 0] for k in range(4)}
    for bone, axis in lateral.items():
        end = tips[TIP_BONES.index(bone)] if bone in TIP_BONES else joints[_CHILD[bone]]
        frames[bone] = _frame(end - joints[bone], axis)
    return frames


def zero_frames(frames: np.ndarray) -> np.ndarray:
    """(21, 3, 3) rest frames -> orientation of each bone in its parent at zero angles.

    Metacarpals keep their place in the palm; a finger's zero is measured in the palm's plane.
    """
    zero = np.tile(np.eye(3), (len(BONES), 1, 1))
    zero[THUMB] = thumb_zero()
    for start, straight in zip(FINGER_START, finger_zero(), strict=True):
        zero[start] = frames[start]
        zero[start + 1] = multiply(frames[start].T, straight)
    return zero


def split_parts(faces: np.ndarray, skin_bone: np.ndarray, skin_weight: np.ndarray) -> np.ndarray:
    """(F,) part code of each face: the part with the most skin weight over its corners."""
    score = np.zeros((len(skin_bone), 18))
    rows = np.repeat(np.arange(len(skin_bone)), skin_bone.shape[1])
    np.add.at(score, (rows, BONE_PART[skin_bone.ravel()]), skin_weight.ravel())
    return score[faces].sum(1).argmax(1).astype(np.uint8)


def extreme_points(
    vertices: np.ndarray, directions: np.ndarray, skin_bone: np.ndarray
) -> np.ndarray:
    """(5,) the vertex of each distal bone's skin that reaches farthest along the bone."""
    tips = []
    for bone, direction in zip(TIP_BONES, directions, strict=True):
        own = np.nonzero(skin_bone[:, 0] == bone)[0]
        tips.append(own[np.argmax(dot(vertices[own], direction))])
    return np.array(tips, dtype=np.int64)
