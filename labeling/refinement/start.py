"""Where a fit begins: sampled poses laid onto the lifted joints.

Each pose of the bank is turned and shifted onto the joints (Kabsch 1976, weighted by how sure each
is); those that fit best are refined further. Several, since hidden fingers leave more than one way.
"""

import numpy as np
import torch
from torch import Tensor

from labeling.refinement.hand_model import HandModel
from labeling.refinement.prior import load_bank_keypoints

EVERY = 8
"""Of the bank's poses, one in so many is tried."""


def choose_starts(
    model: HandModel, points: np.ndarray, sure: np.ndarray, left: np.ndarray, keep: int
) -> tuple[Tensor, Tensor]:
    """(B, keep, 29) angles and (B, keep, 3, 4) wrist poses, the best first.

    points (B, 21, 3) lifted joints, sure (B, 21) their weights (0: ignored), left (B,) bool.
    """
    angles, shapes = load_bank_keypoints(model, EVERY)
    weight = torch.from_numpy(sure).to(model.dtype)
    weight = weight / weight.sum(-1, keepdim=True)
    goal = torch.from_numpy(np.nan_to_num(points)).to(model.dtype)
    mirror = torch.from_numpy(np.where(left, -1.0, 1.0)).to(model.dtype)
    goal_mean = (weight[..., None] * goal).sum(1)
    goal = goal - goal_mean[:, None]
    best_angles, best_roots = [], []
    for b in range(len(goal)):
        flip = torch.stack([mirror[b], torch.ones_like(mirror[b]), torch.ones_like(mirror[b])])
        own = shapes * flip
        mean = (weight[b, :, None] * own).sum(1)
        own = own - mean[:, None]
        cross = torch.einsum("j,cjx,jy->cxy", weight[b], own, goal[b])
        u, _, vt = torch.linalg.svd(cross)
        sign = torch.linalg.det(u @ vt)
        fix = torch.ones(len(own), 3, dtype=model.dtype)
        fix[:, 2] = sign
        turn = (vt.mT * fix[:, None]) @ u.mT
        off = (own @ turn.mT - goal[b]).norm(dim=-1)
        cost = (weight[b] * off.clamp(max=0.06).square()).sum(-1)
        first = cost.argsort()[:keep]
        shift = goal_mean[b] - (turn[first] @ mean[first, :, None])[..., 0]
        best_angles.append(angles[first])
        best_roots.append(torch.cat([turn[first], shift[..., None]], -1))
    return torch.stack(best_angles), torch.stack(best_roots)
