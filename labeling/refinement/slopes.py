"""How points of a posed hand move with each parameter of a fit, in closed form.

52 parameters a hand, in this order: a turn about the wrist (rotation vector in camera axes, applied
from the left), a shift (metres, camera axes), 29 angles (radians), 17 shape coordinates (standard
normal, `labeling.refinement.prior`). A turn about the unit axis a through o moves what it carries
by a x (p - o) per radian; blended skin moves by the blend of its bones' moves.
"""

from typing import Final

import torch
from torch import Tensor

from labeling.refinement.hand_model import (
    ANGLES,
    LEVELS,
    SHAPE,
    HandModel,
    Posed,
)
from synth.hand.bones import FOREARM_BONE, PALM, PARENT

TURN: Final = slice(0, 3)
SHIFT: Final = slice(3, 6)
ANGLE: Final = slice(6, 6 + ANGLES)
FORM: Final = slice(6 + ANGLES, 6 + ANGLES + SHAPE)
PARAMETERS: Final = 6 + ANGLES + SHAPE


def slope_affine(model: HandModel, posed: Posed, root: Tensor, joint_slopes: Tensor) -> Tensor:
    """(B, 21, 3, 4, 52) derivatives of `Posed.affine`.

    root (B, 3, 4); joint_slopes (21, 3, 17) of the rest joints by the shape coordinates.
    """
    affine = posed.affine
    count = len(affine)
    out = affine.new_zeros(count, 21, 3, 4, PARAMETERS)
    # The turns in use, bone by bone, each about its axis through its pivot.
    used = model.from_angles.abs().sum(0).nonzero()[:, 0]
    axes = posed.axes.flatten(1, 2)[:, used]
    pivots = posed.pivots[:, used // 3]
    moved = model.moves[used // 3]
    crossed = _cross(axes[:, :, None, :, None], affine[:, None])
    about = torch.linalg.cross(axes, pivots)
    crossed[..., 3] -= about[:, :, None]
    crossed *= moved[:, :, None, None]
    flat = model.from_angles[:, used] @ crossed.flatten(2)
    out[..., ANGLE] = flat.unflatten(-1, (21, 3, 4)).permute(0, 2, 3, 4, 1)
    # The whole hand about its wrist.
    eye = torch.eye(3, dtype=affine.dtype)
    whole = _cross(eye[:, None, :, None], affine[:, None])
    whole[..., 3] -= torch.linalg.cross(
        eye.expand(count, 3, 3), root[:, None, :, 3].expand(count, 3, 3)
    )[:, :, None]
    out[..., TURN] = whole.permute(0, 2, 3, 4, 1)
    out[..., 3, SHIFT] = eye
    # Shape moves where bones begin; it turns nothing.
    rotation = affine[..., :3]
    place: list[Tensor] = [rotation[:, 0] @ joint_slopes[0]] + [out.new_empty(0)] * 20
    for level in LEVELS[1:]:
        for bone in level:
            parent = int(PARENT[bone])
            carrier = bone if bone == FOREARM_BONE else parent
            offset = joint_slopes[bone] - joint_slopes[parent]
            place[bone] = place[parent] + rotation[:, carrier] @ offset
    out[..., 3, FORM] = torch.stack(place, 1) - rotation @ joint_slopes
    assert LEVELS[0] == (PALM,)
    return out


def slope_points(
    weights: Tensor, points: Tensor, affine: Tensor, affine_slopes: Tensor, point_slopes: Tensor
) -> Tensor:
    """(B, N, 3, 52) derivatives of blended points.

    weights (N, 21), points (B, N, 3) at rest, affine (B, 21, 3, 4) with its slopes, point_slopes
    (N, 3, 17) of the points at rest.
    """
    homogeneous = torch.cat([points, torch.ones_like(points[..., :1])], -1)
    features = (weights[:, :, None] * homogeneous[:, :, None]).flatten(2)
    table = affine_slopes.permute(0, 1, 3, 2, 4).flatten(3).flatten(1, 2)
    out = (features @ table).unflatten(-1, (3, PARAMETERS))
    blended = (weights @ affine.flatten(2)).unflatten(-1, (3, 4))[..., :3]
    out[..., FORM] += blended @ point_slopes
    return out


def _cross(axis: Tensor, columns: Tensor) -> Tensor:
    """Cross products over the second last axis."""
    a, b, c = axis.unbind(-2)
    x, y, z = columns.unbind(-2)
    return torch.stack([b * z - c * y, c * x - a * z, a * y - b * x], -2)
