"""Damped least squares for many hands at once (Levenberg 1944, Marquardt 1963).

Every hand has 52 parameters of its own (`labeling.refinement.slopes`), its own damping, and its own
verdict on each step. Residuals are in units of their standard deviation; those of labels and
surfaces go through Geman and McClure's (1987) function c^2 r^2 / (c^2 + r^2), so that what is not
the hand stops pulling.
"""

from dataclasses import dataclass, fields, replace
from typing import Final

import torch
from torch import Tensor

from labeling.refinement.hand_model import HandModel
from labeling.refinement.prior import PosePrior, ShapePrior, bound_angles
from labeling.refinement.slopes import (
    ANGLE,
    FORM,
    PARAMETERS,
    slope_affine,
    slope_points,
)
from labeling.refinement.state import Points, PosedPoints, State, retract

LABEL_REACH: Final = 4.0
"""c of a label, in standard deviations."""

SURFACE_REACH: Final = 3.0
"""c of a reading against the skin, and of a lifted joint."""

LIMIT_RAD: Final = 0.01
"""An angle so far beyond its limit costs as much as a residual of one standard deviation."""

NEAREST_M: Final = 0.02
"""A keypoint that a step puts nearer to the camera is projected as if it were here."""

DAMPING: Final = (1e-6, 1e6)


@dataclass(frozen=True, eq=False)
class Terms:
    """What B hands are held to. A weight is 1 / standard deviation; 0 for what there is not."""

    rays: Tensor
    """(B, 21, 2) of labels."""
    px_per_ray: Tensor
    """(B, 21, 2, 2)"""
    label_weight: Tensor
    """(B, 21) per px."""
    depth: Tensor
    """(B, 21) of joints that were lifted, metres."""
    depth_weight: Tensor
    """(B, 21) per metre."""
    direction: Tensor
    """(B, N, 3) of the surface: its residuals are direction . point - target."""
    target: Tensor
    """(B, N)"""
    surface_weight: Tensor
    """(B, N) per metre."""
    surface_share: Tensor
    """(B,) what one surface residual counts: readings side by side err alike."""
    cluster: Tensor
    """(B,) component of the pose prior."""
    near_angles: Tensor
    """(B, 29) of the neighbours in time."""
    near_z: Tensor
    """(B, 17) of other hands of the same person."""
    near_weight: Tensor
    """(B, 2) per rad, and per unit of shape."""

    def take(self, rows: Tensor) -> "Terms":
        """Some of the hands."""
        return Terms(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Solver:
    """All that stays the same from hand to hand."""

    model: HandModel
    points: Points
    poses: PosePrior
    shapes: ShapePrior

    def pose(self, state: State) -> PosedPoints:
        """Where keypoints and selected vertices are."""
        return self.points.pose(self.model, self.shapes, state)

    def step(self, state: State, terms: Terms, damping: Tensor) -> tuple[State, Tensor, Tensor]:
        """One step, taken by the hands that it does good: state, damping (B,) and cost (B,)."""
        placed = self.pose(state)
        normal, gradient, before = self._linearise(state, terms, placed)
        scale = normal.diagonal(dim1=-2, dim2=-1)
        damped = normal + torch.diag_embed(damping[:, None] * scale + 1e-9)
        factor, broken = torch.linalg.cholesky_ex(damped)
        move = -torch.cholesky_solve(gradient[..., None], factor)[..., 0]
        usable = (broken == 0) & move.isfinite().all(-1)
        move = torch.where(usable[:, None], move, torch.zeros_like(move))
        tried = retract(state, move)
        after = self.cost(tried, terms)
        better = after < before
        state = replace(
            state,
            root=torch.where(better[:, None, None], tried.root, state.root),
            angles=torch.where(better[:, None], tried.angles, state.angles),
            z=torch.where(better[:, None], tried.z, state.z),
        )
        damping = torch.where(better, damping / 5, damping * 5).clamp(*DAMPING)
        return state, damping, torch.where(better, after, before)

    def cost(self, state: State, terms: Terms) -> Tensor:
        """(B,) sum of squared residuals, robust ones through their function."""
        places = self.pose(state).places
        label, depth, surface = measure_points(places, terms)
        return (
            bend(label, LABEL_REACH)
            + bend(depth, SURFACE_REACH)
            + terms.surface_share * bend(surface, SURFACE_REACH)
            + sum(r.square().sum(-1) for r, _ in self._hold(state, terms))
        )

    def _linearise(
        self, state: State, terms: Terms, placed: PosedPoints
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 52, 52) normal matrix, (B, 52) gradient, (B,) cost."""
        affine_slopes = slope_affine(self.model, placed.posed, state.root, self.points.joint_slopes)
        slopes = slope_points(
            self.points.weights, placed.rest, placed.posed.affine, affine_slopes,
            self.points.slopes,
        )  # fmt: skip
        label, depth, surface = measure_points(placed.places, terms)
        joints = slopes[:, :21]
        x, y, z = placed.places[:, :21].unbind(-1)
        z = z.clamp_min(NEAREST_M)
        rays = torch.stack(
            [
                joints[..., 0, :] / z[..., None] - joints[..., 2, :] * (x / z**2)[..., None],
                joints[..., 1, :] / z[..., None] - joints[..., 2, :] * (y / z**2)[..., None],
            ],
            -2,
        )
        label_slopes = terms.px_per_ray @ rays * terms.label_weight[..., None, None]
        depth_slopes = joints[..., 2, :] * terms.depth_weight[..., None]
        skin_slopes = (terms.direction[..., None, :] @ slopes[:, 21:])[..., 0, :]
        skin_slopes = skin_slopes * terms.surface_weight[..., None]
        rows = [label_slopes.flatten(1, 2), depth_slopes, skin_slopes]
        weights = [
            ease(label, LABEL_REACH)[..., None].expand(-1, -1, 2).flatten(1),
            ease(depth[..., None], SURFACE_REACH),
            ease(surface[..., None], SURFACE_REACH) * terms.surface_share[:, None],
        ]
        residuals = [label.flatten(1), depth, surface]
        normal = state.angles.new_zeros(len(x), PARAMETERS, PARAMETERS)
        gradient = state.angles.new_zeros(len(x), PARAMETERS)
        slope = torch.cat(rows, 1)
        weighted = slope * torch.cat(weights, 1)[..., None]
        normal += weighted.mT @ slope
        gradient += (weighted.mT @ torch.cat(residuals, 1)[..., None])[..., 0]
        cost = (
            bend(label, LABEL_REACH)
            + bend(depth, SURFACE_REACH)
            + terms.surface_share * bend(surface, SURFACE_REACH)
        )
        for (residual, slope), span in zip(
            self._hold(state, terms), (ANGLE, ANGLE, FORM, ANGLE, FORM), strict=True
        ):
            cost = cost + residual.square().sum(-1)
            if slope.dim() == 2:  # diagonal
                normal[:, span, span] += torch.diag_embed(slope.square())
                gradient[:, span] += slope * residual
            else:
                normal[:, span, span] += slope.mT @ slope
                gradient[:, span] += (slope.mT @ residual[..., None])[..., 0]
        return normal, gradient, cost

    def _hold(self, state: State, terms: Terms) -> list[tuple[Tensor, Tensor]]:
        """Residuals and slopes (diagonal or full) of pose prior, limits, shape prior, and of the
        neighbours' angles and shape."""
        root = self.poses.root[terms.cluster]
        away = state.angles - self.poses.mean[terms.cluster]
        low, high = bound_angles(state.angles)
        beyond = (state.angles - high).clamp_min(0.0) + (state.angles - low).clamp_max(0.0)
        near = terms.near_weight
        return [
            ((root @ away[..., None])[..., 0], root),
            (beyond / LIMIT_RAD, (beyond != 0) / LIMIT_RAD),
            (state.z, torch.ones_like(state.z)),
            (
                near[:, :1] * (state.angles - terms.near_angles),
                near[:, :1].expand_as(state.angles),
            ),
            (near[:, 1:] * (state.z - terms.near_z), near[:, 1:].expand_as(state.z)),
        ]


def measure_points(places: Tensor, terms: Terms) -> tuple[Tensor, Tensor, Tensor]:
    """Residuals (B, 21, 2) of labels, (B, 21) of lifted depths, (B, N) of the surface."""
    joints = places[:, :21]
    z = joints[..., 2:].clamp_min(NEAREST_M)
    off = joints[..., :2] / z - terms.rays
    label = (terms.px_per_ray @ off[..., None])[..., 0] * terms.label_weight[..., None]
    depth = (joints[..., 2] - terms.depth) * terms.depth_weight
    along = (terms.direction * places[:, 21:]).sum(-1)
    return label, depth, (along - terms.target) * terms.surface_weight


def bend(residual: Tensor, reach: float) -> Tensor:
    """(B,) sum of c^2 r^2 / (c^2 + r^2); r (B, N), or (B, N, D) with the length of D numbers."""
    square = residual.square()
    if residual.dim() == 3:
        square = square.sum(-1)
    return (reach**2 * square / (reach**2 + square)).sum(-1)


def ease(residual: Tensor, reach: float) -> Tensor:
    """Weights (B, N) of iteratively reweighted least squares for residuals (B, N, D)."""
    square = residual.square().sum(-1)
    return (reach**2 / (reach**2 + square)).square()
