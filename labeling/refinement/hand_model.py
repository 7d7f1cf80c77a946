"""The embedded hand in torch: the same mesh as `synth.hand`, with derivatives.

Rest shape, forward kinematics and linear blend skinning follow `synth.hand.builtin.size_rig`,
`synth.hand.kinematics` and `synth.hand.shape.scale_bones`, operation by operation, for a batch of B
hands that each have a shape of their own. Every function can be differentiated by torch; what the
solver needs at every step is there in closed form (`labeling.refinement.slopes`).
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import torch
from torch import Tensor

from synth.hand.angles import DOFS, TURN_FACTORS, TURNS
from synth.hand.bones import (
    BONES,
    FINGER_START,
    FOREARM_BONE,
    KEYPOINT_BONE,
    PALM,
    PARENT,
    TIP_BONES,
    TIP_KEYPOINTS,
)
from synth.hand.builtin import load_asset
from synth.hand.rig import bone_frames, extreme_points, split_parts, unit, zero_frames
from synth.hand.shape import (
    BONE_SCALE_LIMITS,
    FOREARM_PER_HAND,
    GIRTH_LIMITS,
    PALM_SOLID,
    PHALANGES,
    breadth_extremes,
)

ANGLES: Final = len(DOFS)
SHAPE: Final = 17
"""Hand length and breadth (metres), five ratios of fingers, ten components: as `Hand.shape`."""

SLOTS: Final = 3
"""Elementary turns that a bone has at most."""

LEVELS: Final = (
    (PALM,),
    (FOREARM_BONE, 2, *FINGER_START),
    (3, *(s + 1 for s in FINGER_START)),
    (4, *(s + 2 for s in FINGER_START)),
    tuple(s + 3 for s in FINGER_START),
)
"""Bones by their distance from the palm: those of one level are turned together."""


@dataclass(frozen=True, eq=False)
class HandModel:
    """A right hand's arrays, all of one type of float."""

    template: Tensor
    """(V, 3) mean rest vertices at unit hand length, wrist frame."""
    joints: Tensor
    """(21, 3) where each bone starts."""
    shape_vertices: Tensor
    """(10, V, 3)"""
    shape_joints: Tensor
    """(10, 21, 3)"""
    weights: Tensor
    """(V, 21) skin weights, dense."""
    frames: Tensor
    """(21, 3, 3) rest frames."""
    zero: Tensor
    """(21, 3, 3) frames in the parent at zero angles."""
    spin: Tensor
    """(21, 3, 3, 3) cross product matrix of the axis of each bone's turns; zeros where it has
    fewer."""
    from_angles: Tensor
    """(29, 21 * 3) factors: angles times this are the turns."""
    moves: Tensor
    """(21, 21) does a turn of bone [b] move bone [c]? 1 or 0."""
    faces: np.ndarray
    """(F, 3) int32, outward."""
    face_parts: np.ndarray
    """(F,) uint8"""
    tips: tuple[int, ...]
    """Vertices that are the five tips."""
    breadth: tuple[int, int]
    """Vertices between which the hand's breadth is measured."""

    @property
    def dtype(self) -> torch.dtype:
        """Type of all arrays."""
        return self.template.dtype


@cache
def load_model(dtype: torch.dtype = torch.float64) -> HandModel:
    """The embedded hand with arrays of this type."""
    asset = load_asset()
    count = len(BONES)
    skin_bone = asset["skin_bone"].astype(np.int64)
    dense = np.zeros((len(skin_bone), count))
    np.put_along_axis(dense, skin_bone, asset["skin_weight"].astype(np.float64), axis=1)
    joints, ends = asset["joints"][:count], asset["joints"][count:]
    frames = bone_frames(joints, ends)
    tips = extreme_points(asset["template"], unit(ends - joints[list(TIP_BONES)]), skin_bone)
    spin, from_angles = _build_turns()
    faces = asset["faces"].astype(np.int32)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(values, np.float64)).to(dtype)

    return HandModel(
        template=tensor(asset["template"]),
        joints=tensor(joints),
        shape_vertices=tensor(asset["shape_vertices"]),
        shape_joints=tensor(asset["shape_joints"][:, :count]),
        weights=tensor(dense),
        frames=tensor(frames),
        zero=tensor(zero_frames(frames)),
        spin=tensor(spin),
        from_angles=tensor(from_angles),
        moves=tensor(_build_moves()),
        faces=faces,
        face_parts=split_parts(faces, skin_bone, asset["skin_weight"]),
        tips=tuple(int(v) for v in tips),
        breadth=breadth_extremes(asset["template"], joints, skin_bone),
    )


def _build_turns() -> tuple[np.ndarray, np.ndarray]:
    spin = np.zeros((len(BONES), SLOTS, 3, 3))
    from_angles = np.zeros((ANGLES, len(BONES), SLOTS))
    used = [0] * len(BONES)
    for (bone, axis, angle), factor in zip(TURNS.tolist(), TURN_FACTORS.tolist(), strict=True):
        slot = used[bone]
        used[bone] += 1
        i, j = (axis + 1) % 3, (axis + 2) % 3
        spin[bone, slot, j, i], spin[bone, slot, i, j] = 1.0, -1.0
        from_angles[angle, bone, slot] = factor
    return spin, from_angles.reshape(ANGLES, -1)


def _build_moves() -> np.ndarray:
    moves = np.eye(len(BONES))
    for bone in range(1, len(BONES)):
        moves[:, bone] = np.maximum(moves[:, bone], moves[:, PARENT[bone]])
    return moves


@dataclass(frozen=True, eq=False)
class Rest:
    """B hands at rest, in the wrist frame, metres."""

    vertices: Tensor
    """(B, V, 3)"""
    joints: Tensor
    """(B, 21, 3)"""


def shape_hands(
    model: HandModel,
    shape: Tensor,
    forearm_m: Tensor | None = None,
    only: tuple[int, ...] | None = None,
) -> Rest:
    """Rest meshes of B people: shape (B, 17) as `Hand.shape` has it.

    forearm_m: (B,) wrist to elbow; None: as long as the hand's length foretells. only: vertices
    that are wanted, None for all.
    """
    length, breadth, fingers = shape[:, 0], shape[:, 1], shape[:, 2:7]
    parts = shape[:, 7:]
    rows = torch.arange(len(model.template)) if only is None else torch.tensor(only)
    # Length and breadth are measured on three vertices before anything is scaled.
    measured = [model.tips[2], *model.breadth]
    probes = _blend(model.template, model.shape_vertices, parts, torch.tensor(measured))
    vertices = _blend(model.template, model.shape_vertices, parts, rows)
    joints = _blend(model.joints, model.shape_joints, parts, torch.arange(len(BONES)))
    one = torch.ones_like(length)
    middle, longer = scale_bones(
        model, probes[:, :1], joints, model.weights[[model.tips[2]]], fingers, one, one
    )
    start = FINGER_START[1]
    chain = torch.cat([longer[:, [PALM, start + 1, start + 2, start + 3]], middle], 1)
    size = length / (chain[:, 1:] - chain[:, :-1]).norm(dim=-1).sum(-1)
    across = (probes[:, 1, :2] - probes[:, 2, :2]).norm(dim=-1)
    girth = breadth / (size * across)
    arm = FOREARM_PER_HAND * length if forearm_m is None else forearm_m
    forearm = arm / (size * joints[:, FOREARM_BONE].norm(dim=-1))
    vertices, joints = scale_bones(
        model, vertices, joints, model.weights[rows], fingers, girth, forearm
    )
    return Rest(size[:, None, None] * vertices, size[:, None, None] * joints)


def _blend(mean: Tensor, basis: Tensor, parts: Tensor, rows: Tensor) -> Tensor:
    """(B, N, 3) some rows of mean (V, 3) + parts (B, 10) times basis (10, V, 3)."""
    return mean[rows] + (parts @ basis[:, rows].flatten(1)).unflatten(-1, (-1, 3))


def scale_bones(
    model: HandModel,
    vertices: Tensor,
    joints: Tensor,
    weights: Tensor,
    fingers: Tensor,
    girth: Tensor,
    forearm: Tensor,
) -> tuple[Tensor, Tensor]:
    """`synth.hand.shape.scale_bones`: vertices (B, N, 3) with weights (N, 21), and the joints."""
    along = torch.ones(len(joints), len(BONES), dtype=joints.dtype)
    columns = [along[:, b] for b in range(len(BONES))]
    for finger, chain in enumerate(PHALANGES):
        for bone in chain:
            columns[bone] = fingers[:, finger].clamp(*BONE_SCALE_LIMITS)
    columns[FOREARM_BONE] = forearm
    s = torch.stack(columns, 1)[..., None, None]
    t = girth.clamp(*GIRTH_LIMITS)[:, None, None, None]
    direction = model.frames[:, :, 2].clone()
    direction[list(PALM_SOLID)] = direction.new_tensor([0.0, 0.0, 1.0])
    line = direction[:, :, None] * direction[:, None, :]
    matrices = s * line + t * (torch.eye(3, dtype=joints.dtype) - line)
    moved: list[Tensor] = [joints[:, 0]]
    for bone in range(1, len(BONES)):
        parent = int(PARENT[bone])
        matrix = matrices[:, bone if bone == FOREARM_BONE else parent]
        offset = joints[:, bone] - joints[:, parent]
        moved.append(moved[parent] + (matrix @ offset[..., None])[..., 0])
    places = torch.stack(moved, 1)
    shift = places - (matrices @ joints[..., None])[..., 0]
    affine = torch.cat([matrices, shift[..., None]], -1)
    return skin(weights, affine, vertices), places


def skin(weights: Tensor, affine: Tensor, points: Tensor) -> Tensor:
    """Linear blend skinning: weights (N, 21) or (B, N, 21), affine (B, 21, 3, 4), points (B, N, 3)
    -> (B, N, 3)."""
    blended = (weights @ affine.flatten(2)).unflatten(-1, (3, 4))
    return (blended[..., :3] @ points[..., None])[..., 0] + blended[..., 3]


@dataclass(frozen=True, eq=False)
class Posed:
    """B hands posed, in the camera's axes."""

    affine: Tensor
    """(B, 21, 3, 4) takes rest positions to the camera."""
    joints: Tensor
    """(B, 21, 3)"""
    axes: Tensor
    """(B, 21, 3, 3) axis of each bone's turns [bone, slot], zero where it has none."""
    pivots: Tensor
    """(B, 21, 3) points through which those axes pass."""


def pose_hands(
    model: HandModel, rest_joints: Tensor, angles: Tensor, root: Tensor, mirror: Tensor
) -> Posed:
    """Forward kinematics: angles (B, 29), root (B, 3, 4) T_camera_from_wrist, mirror (B,) -1 for a
    left hand and 1 for a right one.
    """
    turns = (angles @ model.from_angles).unflatten(-1, (len(BONES), SLOTS))[..., None, None]
    step = (
        torch.eye(3, dtype=angles.dtype)
        + torch.sin(turns) * model.spin
        + (1 - torch.cos(turns)) * (model.spin @ model.spin)
    )
    first = step[:, :, 0]
    second = first @ step[:, :, 1]
    local = second @ step[:, :, 2]
    before = torch.stack([torch.eye(3, dtype=angles.dtype).expand_as(first), first, second], 2)
    # A turn's axis in the frame of its bone at zero angles.
    spun = torch.stack([model.spin[..., 2, 1], model.spin[..., 0, 2], model.spin[..., 1, 0]], -1)
    axis = (before @ spun[..., None])[..., 0]
    count = len(angles)
    turn: list[Tensor] = [angles.new_empty(0)] * len(BONES)
    zeroed: list[Tensor] = [angles.new_empty(0)] * len(BONES)
    place: list[Tensor] = [angles.new_empty(0)] * len(BONES)
    skins: list[Tensor] = [angles.new_empty(0)] * len(BONES)
    for level in LEVELS:
        bones = list(level)
        if level[0] == PALM:
            base = model.zero[bones].expand(count, 1, 3, 3)
        else:
            base = torch.stack([turn[int(PARENT[b])] for b in bones], 1) @ model.zero[bones]
        turned = base @ local[:, bones]
        skinned = turned @ model.frames[bones].mT
        for k, bone in enumerate(bones):
            zeroed[bone], turn[bone], skins[bone] = base[:, k], turned[:, k], skinned[:, k]
        for bone in bones:
            parent = int(PARENT[bone])
            if parent < 0:
                place[bone] = rest_joints[:, bone]
                continue
            # The forearm ends where the hand begins: its own turn moves its elbow.
            carrier = skins[bone] if bone == FOREARM_BONE else skins[parent]
            offset = rest_joints[:, bone] - rest_joints[:, parent]
            place[bone] = place[parent] + (carrier @ offset[..., None])[..., 0]
    frame = root[:, None, :, :3] * torch.stack(
        [mirror, torch.ones_like(mirror), torch.ones_like(mirror)], -1
    ).view(-1, 1, 1, 3)
    shift = root[:, None, :, 3]
    rotation = frame @ torch.stack(skins, 1)
    joints = (frame @ torch.stack(place, 1)[..., None])[..., 0] + shift
    fourth = joints - (rotation @ rest_joints[..., None])[..., 0]
    pivot = torch.cat([joints[:, :1], joints[:, :1], joints[:, 2:]], 1)
    axes = frame[:, :, None] @ torch.stack(zeroed, 1)[:, :, None] @ axis[..., None]
    # An axis is a pseudovector: in a mirrored hand it turns the other way.
    return Posed(
        torch.cat([rotation, fourth[..., None]], -1),
        joints,
        axes[..., 0] * mirror.view(-1, 1, 1, 1),
        pivot,
    )


def find_keypoints(model: HandModel, joints: Tensor, vertices: Tensor) -> Tensor:
    """(B, 21, 3) keypoints in OpenPose order from posed joints and vertices (B, V, 3)."""
    out = joints[:, list(KEYPOINT_BONE)]
    tips = vertices[:, list(model.tips)]
    return torch.stack(
        [
            tips[:, TIP_KEYPOINTS.index(k)] if k in TIP_KEYPOINTS else out[:, k]
            for k in range(len(KEYPOINT_BONE))
        ],
        1,
    )
