"""The parameters of hands that are being fitted, and which of their points are looked at."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from labeling.refinement.hand_model import (
    HandModel,
    Posed,
    pose_hands,
    shape_hands,
    skin,
)
from labeling.refinement.prior import ShapePrior, Slopes
from labeling.refinement.slopes import ANGLE, FORM, SHIFT, TURN
from synth.hand.bones import BONES, KEYPOINT_BONE, TIP_KEYPOINTS


@dataclass(frozen=True, eq=False)
class State:
    """Parameters of B hands."""

    root: Tensor
    """(B, 3, 4) T_camera_from_wrist."""
    angles: Tensor
    """(B, 29) rad."""
    z: Tensor
    """(B, 17) standard shape coordinates."""
    mirror: Tensor
    """(B,) -1 left, 1 right: no parameter, but always needed."""

    def take(self, rows: Tensor) -> "State":
        """Some of the hands."""
        return State(self.root[rows], self.angles[rows], self.z[rows], self.mirror[rows])


def retract(state: State, move: Tensor) -> State:
    """The state after a step (B, 52) in the parameters of `labeling.refinement.slopes`."""
    turned = turn_about(move[:, TURN]) @ state.root[..., :3]
    shifted = state.root[..., 3] + move[:, SHIFT]
    return replace(
        state,
        root=torch.cat([turned, shifted[..., None]], -1),
        angles=state.angles + move[:, ANGLE],
        z=state.z + move[:, FORM],
    )


def turn_about(vector: Tensor) -> Tensor:
    """Rotation vectors (B, 3) -> (B, 3, 3) (Rodrigues)."""
    angle = vector.norm(dim=-1)[:, None, None]
    x, y, z = vector.unbind(-1)
    none = torch.zeros_like(x)
    k = torch.stack([none, -z, y, z, none, -x, -y, x, none], -1).view(-1, 3, 3)
    small = angle < 1e-6
    safe = torch.where(small, torch.ones_like(angle), angle)
    first = torch.where(small, torch.ones_like(angle), torch.sin(safe) / safe)
    second = torch.where(small, 0.5 * torch.ones_like(angle), (1 - torch.cos(safe)) / safe**2)
    return torch.eye(3, dtype=vector.dtype) + first * k + second * (k @ k)


@dataclass(frozen=True, eq=False)
class Points:
    """The 21 keypoints, then N vertices, as skinned points of the rest hand."""

    vertices: tuple[int, ...]
    """Of the mesh: five tips, then the selection."""
    weights: Tensor
    """(21 + N, 21) skin weights; a joint goes with its own bone alone."""
    rows: Tensor
    """(21 + N,) where each point is among the 21 joints followed by `vertices`."""
    slopes: Tensor
    """(21 + N, 3, 17) change of rest positions with the shape coordinates."""
    joint_slopes: Tensor
    """(21, 3, 17)"""

    def pose(self, model: HandModel, shapes: ShapePrior, state: State) -> "PosedPoints":
        """Where the points of B hands are."""
        rest = shape_hands(model, shapes.to_shape(state.z), only=self.vertices)
        posed = pose_hands(model, rest.joints, state.angles, state.root, state.mirror)
        points = torch.cat([rest.joints, rest.vertices], 1)[:, self.rows]
        return PosedPoints(posed, points, skin(self.weights, posed.affine, points))


@dataclass(frozen=True, eq=False)
class PosedPoints:
    """Points of B hands, at rest and posed."""

    posed: Posed
    rest: Tensor
    """(B, 21 + N, 3)"""
    places: Tensor
    """(B, 21 + N, 3) in camera axes."""


def build_points(model: HandModel, slopes: Slopes, selection: tuple[int, ...]) -> Points:
    """The keypoints and these vertices."""
    weights = torch.zeros(21, len(BONES), dtype=model.dtype)
    rows = []
    for k, bone in enumerate(KEYPOINT_BONE.tolist()):
        if k in TIP_KEYPOINTS:
            tip = TIP_KEYPOINTS.index(k)
            weights[k] = model.weights[model.tips[tip]]
            rows.append(len(BONES) + tip)
        else:
            weights[k, bone] = 1.0
            rows.append(bone)
    rows += [len(BONES) + 5 + i for i in range(len(selection))]
    vertices = (*model.tips, *selection)
    index = torch.tensor(rows)
    return Points(
        vertices,
        torch.cat([weights, model.weights[list(selection)]]),
        index,
        torch.cat([slopes.joints, slopes.vertices[list(vertices)]])[index],
        slopes.joints,
    )


def select_vertices(model: HandModel, count: int, bones_out: tuple[int, ...]) -> tuple[int, ...]:
    """`count` vertices spread evenly over the skin of all bones but some: each next one is the
    farthest from those before it, over the template at rest."""
    owner = model.weights.argmax(-1)
    open_ = torch.ones(len(owner), dtype=torch.bool)
    for bone in bones_out:
        open_ &= owner != bone
    candidates = open_.nonzero()[:, 0]
    places = model.template[candidates]
    first = int(places[:, 2].argmin())
    chosen = [first]
    away = (places - places[first]).norm(dim=-1)
    while len(chosen) < min(count, len(candidates)):
        following = int(away.argmax())
        chosen.append(following)
        away = torch.minimum(away, (places - places[following]).norm(dim=-1))
    return tuple(int(v) for v in candidates[chosen])
