"""Where annotators see joints: a shift of each keypoint within its bone, the same in all hands.

People agree on where a fingertip is, less on where in the flesh a wrist or the thumb's base lies; a
person's bones lie otherwise in the flesh than the model's, too. Labels of one hand do not tell such
a shift from noise. Labels of many hands do: every hand looks at it from another side. Keypoint j of
hand b is labelled at

    r = pi(p + R o) + noise,  o ~ N(0, (s sigma_j)^2 I)

with R the bone's rotation and o one shift for all hands. The scale s is the one that makes the
labels likeliest (type II maximum likelihood, MacKay 1992): 0 where they show no shift, and then
nothing moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from frames.camera import Camera
from frames.skeleton import KEYPOINTS
from labeling.answers import HIDDEN, PLACED, DrawnHand
from labeling.refinement.evidence import Evidence, state_sigma
from labeling.refinement.fitting import Fit, build_solver
from labeling.refinement.hand_model import pose_hands, shape_hands
from labeling.refinement.state import State
from synth.hand.bones import KEYPOINT_BONE

Floats = NDArray[np.float64]

SIGMA_M: Final = np.array([8.0, 8.0, 5.0, 4.0, 3.0, *(4 * (5.0, 3.5, 3.0, 3.0))]) / 1e3
"""(21,) how far joints are seen from the model's, before the labels are asked: most at the wrist
and at the thumb's base, least at fingertips. A choice; its scale is estimated."""

SCALES: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)

LEAST_HANDS: Final = 8
"""Of fewer hands nothing is said."""

STEP_M: Final = 0.0005
"""Shifts are rounded to this: a label more or less does not change all hands."""

REACH: Final = 4.0
"""c of Geman and McClure's function, in standard deviations."""

_ROUNDS: Final = 4


@dataclass(frozen=True, eq=False)
class Sight:
    """A fitted hand and its labels."""

    fit: Fit
    rays: Floats
    """(21, 2) x and y of each label's ray (x, y, 1); NaN for none."""
    sigma_rays: Floats
    """(21,) standard deviation of a label along each axis, as a ray."""


def see(evidence: Evidence, fit: Fit) -> Sight:
    """A fitted hand as its labels see it."""
    return Sight(fit, evidence.rays, evidence.sigma_px / evidence.camera.fx)


def see_drawn(hand: DrawnHand, camera: Camera, fit: Fit) -> Sight:
    """The same from a label alone."""
    there = np.isin(hand.marks, (PLACED, HIDDEN))
    rays = camera.unproject(np.where(there[:, None], hand.keypoints_px, np.nan))[:, :2]
    return Sight(fit, rays, state_sigma(hand.marks == PLACED) / camera.fx)


def turn_keypoints(fits: Sequence[Fit]) -> Floats:
    """(B, 21, 3, 3) rotations from the rest hand's axes to the camera's, of each keypoint's bone; a
    left hand's mirror it."""
    solver = build_solver()

    def tensor(values: object) -> torch.Tensor:
        return torch.from_numpy(np.array(values, np.float64)).to(solver.model.dtype)

    mirror = tensor([-1.0 if f.left else 1.0 for f in fits])
    with torch.no_grad():
        state = State(
            tensor([f.T_camera_from_wrist[:3] for f in fits]),
            tensor([f.angles for f in fits]),
            tensor([f.z for f in fits]),
            mirror,
        )
        rest = shape_hands(solver.model, solver.shapes.to_shape(state.z))
        posed = pose_hands(solver.model, rest.joints, state.angles, state.root, mirror)
        turns = posed.affine[:, list(KEYPOINT_BONE), :, :3]
    return np.asarray(turns.numpy(), np.float64)


def estimate_centres(sights: Sequence[Sight]) -> Floats:
    """(21, 3) metres in the rest hand's axes: zeros where the labels show no shift."""
    out = np.zeros((KEYPOINTS, 3))
    if len(sights) < LEAST_HANDS:
        return out
    turns = turn_keypoints([s.fit for s in sights])[:, :, :2]
    points = np.array([s.fit.keypoints_m for s in sights])
    rays = np.array([s.rays for s in sights])
    z = points[..., 2]
    known = np.isfinite(rays).all(-1) & (z > 0.02)
    off = np.where(known[..., None], np.nan_to_num(rays) * z[..., None] - points[..., :2], 0.0)
    sigma = np.array([s.sigma_rays for s in sights]) * np.where(known, z, 1.0)
    normal, right = np.zeros((KEYPOINTS, 3, 3)), np.zeros((KEYPOINTS, 3))
    for _ in range(_ROUNDS):
        rest = off - (turns @ out[None, :, :, None])[..., 0]
        square = (rest**2).sum(-1) / sigma**2
        weight = np.where(known, (REACH**2 / (REACH**2 + square)) ** 2 / sigma**2, 0.0)
        normal = np.einsum("bj,bjxy,bjxz->jyz", weight, turns, turns)
        right = np.einsum("bj,bjxy,bjx->jy", weight, turns, off)
        out = _solve(normal, right, 1.0)
    scale = max(SCALES, key=lambda s: _measure_likelihood(normal, right, s))
    return np.round(_solve(normal, right, scale) / STEP_M) * STEP_M


def _solve(normal: Floats, right: Floats, scale: float) -> Floats:
    if scale == 0:
        return np.zeros_like(right)
    prior = np.eye(3) / (scale * SIGMA_M[:, None, None]) ** 2
    return np.asarray(np.linalg.solve(normal + prior, right[..., None])[..., 0])


def _measure_likelihood(normal: Floats, right: Floats, scale: float) -> float:
    """Twice the log of the labels' likelihood with the shifts integrated out, but for what does not
    depend on their scale."""
    if scale == 0:
        return 0.0
    variance = (scale * SIGMA_M[:, None, None]) ** 2
    gain = (right * _solve(normal, right, scale)).sum()
    return float(gain - np.linalg.slogdet(np.eye(3) + variance * normal)[1].sum())


def shift_keypoints(fits: Sequence[Fit | None], centres: Floats) -> list[Fit | None]:
    """The fits with their keypoints where annotators see them."""
    there = [fit for fit in fits if fit is not None]
    if not there or not centres.any():
        return list(fits)
    moved = iter((turn_keypoints(there) @ centres[None, :, :, None])[..., 0])
    return [
        None if fit is None else replace(fit, keypoints_m=fit.keypoints_m + next(moved))
        for fit in fits
    ]
