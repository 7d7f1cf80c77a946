"""Priors of a fit: distributions of hand shapes and poses.

Shape: the people of `synth.hand.shape` (ANSUR II), as a normal distribution. Pose: the poses of
`synth.pose.sampler`, as a mixture of normal distributions over the 27 angles of the hand, so that
joints that move together are told together; and the limits of each angle.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import torch
from torch import Tensor

from labeling.refinement.hand_model import (
    ANGLES,
    SHAPE,
    HandModel,
    find_keypoints,
    pose_hands,
    shape_hands,
    skin,
)
from synth.config import PoseConfig
from synth.hand.angles import ABDUCTION_LOSS, FINGER_DOF_START, FLEXED_ULNAR_DEG, LIMITS
from synth.hand.builtin import builtin_rig
from synth.hand.collision import build_capsules
from synth.hand.shape import (
    FINGER_LENGTH_SD,
    HAND_BREADTH_M,
    HAND_LENGTH_M,
    LENGTH_BREADTH_CORRELATION,
)
from synth.pose.flesh import build_flesh
from synth.pose.sampler import sample_poses

WRIST_SD_DEG: Final = 30.0
"""Of flexion and deviation of the wrist, which the sampler leaves to the arm."""

POSES: Final = 4096
CLUSTERS: Final = 12
ROUNDS: Final = 12
SHRINK_DEG: Final = 6.0
"""Added to every direction of a cluster's spread: real hands stray from the sampler's."""

_PEOPLE: Final = 16
_SEED: Final = 2026


@dataclass(frozen=True, eq=False)
class ShapePrior:
    """shape = mean + scale @ z with z standard normal."""

    mean: Tensor
    """(17,)"""
    scale: Tensor
    """(17, 17)"""

    def to_shape(self, z: Tensor) -> Tensor:
        """(B, 17) standard coordinates -> (B, 17) as `Hand.shape`."""
        return self.mean + z @ self.scale.T


@dataclass(frozen=True, eq=False)
class PosePrior:
    """A mixture over the 29 angles, rad."""

    mean: Tensor
    """(K, 29)"""
    root: Tensor
    """(K, 29, 29) with root' root the inverse covariance: root @ (angles - mean) is standard
    normal."""
    penalty: Tensor
    """(K,) -2 log weight + log det: added to the squared distance, it tells the likeliest."""
    bank: Tensor
    """(C, 29) poses, to begin with."""

    def choose(self, angles: Tensor) -> Tensor:
        """(B,) the likeliest component of each pose (B, 29)."""
        away = angles[:, None] - self.mean
        distance = (self.root @ away[..., None])[..., 0].square().sum(-1)
        return (distance + self.penalty).argmin(1)


@cache
def load_shape_prior(dtype: torch.dtype = torch.float64) -> ShapePrior:
    """Women and men alike, as one normal distribution of the same mean and covariance."""
    mean, cov = [], []
    for sex in ("male", "female"):
        (m0, s0), (m1, s1) = HAND_LENGTH_M[sex], HAND_BREADTH_M[sex]
        r = LENGTH_BREADTH_CORRELATION[sex] * s0 * s1
        mean.append(np.array([m0, m1]))
        cov.append(np.array([[s0 * s0, r], [r, s1 * s1]]))
    centre = (mean[0] + mean[1]) / 2
    apart = (mean[0] - mean[1]) / 2
    scale = np.eye(SHAPE)
    scale[:2, :2] = np.linalg.cholesky((cov[0] + cov[1]) / 2 + np.outer(apart, apart))
    scale[range(2, 7), range(2, 7)] = FINGER_LENGTH_SD
    middle = np.concatenate([centre, np.ones(5), np.zeros(SHAPE - 7)])
    return ShapePrior(torch.from_numpy(middle).to(dtype), torch.from_numpy(scale).to(dtype))


@cache
def _sample_bank() -> np.ndarray:
    """(POSES, 29) rad of people with bare hands."""
    rig = builtin_rig(_SEED, _PEOPLE)
    flesh = build_flesh(rig, build_capsules(rig))
    ids = np.arange(POSES, dtype=np.int64)
    poses = sample_poses(PoseConfig(), _SEED, ids, "refinement/bank", flesh, ids % _PEOPLE)
    return np.asarray(poses.angles, np.float64)


@cache
def load_pose_prior(dtype: torch.dtype = torch.float64) -> PosePrior:
    """Clusters of sampled poses, each with its covariance; the same on every machine but for
    rounding."""
    bank = _sample_bank()
    body = bank[:, 2:]
    centre, spread = body.mean(0), body.std(0) + np.radians(3.0)
    scaled = (body - centre) / spread
    chosen = scaled[np.linspace(0, POSES - 1, CLUSTERS).astype(int)]
    owner = np.zeros(POSES, int)
    for _ in range(ROUNDS):
        owner = ((scaled[:, None] - chosen) ** 2).sum(-1).argmin(1)
        chosen = np.array(
            [
                scaled[owner == k].mean(0) if (owner == k).any() else chosen[k]
                for k in range(CLUSTERS)
            ]
        )
    mean, root, penalty = [], [], []
    for k in range(CLUSTERS):
        own = body[owner == k]
        if len(own) < 2 * ANGLES:
            continue
        cov = np.zeros((ANGLES, ANGLES))
        cov[:2, :2] = np.eye(2) * np.radians(WRIST_SD_DEG) ** 2
        cov[2:, 2:] = np.cov(own.T) + np.eye(ANGLES - 2) * np.radians(SHRINK_DEG) ** 2
        mean.append(np.concatenate([[0.0, 0.0], own.mean(0)]))
        root.append(np.linalg.inv(np.linalg.cholesky(cov)))
        penalty.append(np.linalg.slogdet(cov)[1] - 2 * np.log(len(own) / POSES))

    def tensor(values: object) -> Tensor:
        return torch.from_numpy(np.array(values)).to(dtype)

    return PosePrior(tensor(mean), tensor(root), tensor(penalty), tensor(bank))


def bound_angles(angles: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest and largest angles (B, 29) each; abduction's shrink as the finger flexes
    (`synth.hand.angles.clamp`)."""
    limits = torch.from_numpy(LIMITS).to(angles.dtype)
    low, high = limits[:, 0].repeat(len(angles), 1), limits[:, 1].repeat(len(angles), 1)
    for i in range(4):
        flexion = FINGER_DOF_START + 5 * i
        bent = (angles[:, flexion] / (np.pi / 2)).clamp(0.0, 1.0)
        least, most = limits[flexion + 1].tolist()
        low[:, flexion + 1] = (1.0 - ABDUCTION_LOSS * bent) * least
        high[:, flexion + 1] = most + bent * (np.radians(FLEXED_ULNAR_DEG[i]) - most)
    return low, high


@dataclass(frozen=True, eq=False)
class Slopes:
    """How the mean hand's rest shape changes with the 17 standard coordinates."""

    vertices: Tensor
    """(V, 3, 17) metres."""
    joints: Tensor
    """(21, 3, 17)"""


@cache
def load_shape_slopes(model: HandModel) -> Slopes:
    """Derivatives of `shape_hands` at the mean hand; other hands' differ by a few percent, and the
    shape itself is computed anew after every step."""
    prior = load_shape_prior(model.dtype)

    step = 1e-3
    z = step * torch.eye(SHAPE, dtype=model.dtype)
    ahead, behind = (shape_hands(model, prior.to_shape(way)) for way in (z, -z))
    vertices = (ahead.vertices - behind.vertices) / (2 * step)
    joints = (ahead.joints - behind.joints) / (2 * step)
    return Slopes(vertices.permute(1, 2, 0).contiguous(), joints.permute(1, 2, 0).contiguous())


@cache
def load_bank_keypoints(model: HandModel, every: int) -> tuple[Tensor, Tensor]:
    """Every `every`-th pose of the bank (C, 29) and its keypoints (C, 21, 3), the mean right hand
    in its wrist frame."""
    angles = load_pose_prior(model.dtype).bank[::every]
    prior = load_shape_prior(model.dtype)
    rest = shape_hands(model, prior.mean[None])
    count = len(angles)
    eye = torch.eye(3, 4, dtype=model.dtype).expand(count, 3, 4)
    posed = pose_hands(
        model, rest.joints.expand(count, -1, -1), angles, eye, torch.ones(count, dtype=model.dtype)
    )
    tips = list(model.tips)
    skinned = rest.vertices.new_zeros(count, rest.vertices.shape[1], 3)
    skinned[:, tips] = skin(
        model.weights[tips], posed.affine, rest.vertices[:, tips].expand(count, -1, -1)
    )
    return angles, find_keypoints(model, posed.joints, skinned)
