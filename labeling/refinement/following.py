"""A fitted hand followed into the next frame, where nobody has labelled anything yet.

The hand keeps its size. Its wrist begins where a coarse search finds the surface again, its angles
where they were; from there the mesh is drawn, compared with the new depth and moved as in
`labeling.refinement.fitting`, held by how far angles change from frame to frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from frames.camera import Camera
from frames.skeleton import KEYPOINTS
from labeling.refinement.evidence import Evidence
from labeling.refinement.fitting import (
    Fit,
    FitOptions,
    begin_terms,
    build_fits,
    build_solver,
    estimate_noise,
    match_surfaces,
)
from labeling.refinement.state import State
from synth.hand.angles import clamp
from synth.raster.canvas import Canvas

Floats = NDArray[np.float64]

ROUNDS: Final = 12
GATES_M: Final = (0.04, 0.012)
"""Depth between skin and reading within which they are compared, at first and at last."""

TURN_SD_RAD: Final = 0.15
"""How far an angle goes from one frame to the next."""

SIZE_SD: Final = 0.05
"""Of a shape coordinate: the hand is the same."""

SEARCH_M: Final = tuple(0.015 * k for k in range(-4, 5))
"""Steps of the coarse search, along the image and in depth."""

FAR_M: Final = 0.03
"""A reading so far from the skin counts as no match."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """A frame into which a hand is followed."""

    camera: Camera
    depth_m: NDArray[np.float32]
    """(H, W), 0 for no reading."""


def follow_hands(
    fits: Sequence[Fit], ahead: Sequence[Ahead], options: FitOptions | None = None
) -> list[Fit]:
    """Each hand as it is in the frame ahead of it, for better or worse: whether it agrees with the
    depth is for `labeling.refinement.checks.compare_depth` to say."""
    if not fits:
        return []
    options = options or FitOptions()
    solver = build_solver(options.vertices)
    dtype = solver.model.dtype
    nothing = np.full((KEYPOINTS, 2), np.nan)
    hands = [
        Evidence(
            one.camera, one.depth_m, fit.left, nothing, np.ones(KEYPOINTS, bool), np.ones(KEYPOINTS)
        )
        for fit, one in zip(fits, ahead, strict=True)
    ]
    roots = np.array([f.T_camera_from_wrist[:3] for f in fits])
    roots[:, :, 3] += np.array([find_shift(f, one) for f, one in zip(fits, ahead, strict=True)])

    def tensor(values: object) -> torch.Tensor:
        return torch.from_numpy(np.array(values, np.float64)).to(dtype)

    with torch.no_grad():
        none = np.full((len(fits), KEYPOINTS, 3), np.nan)
        terms = begin_terms(hands, none, np.zeros((len(fits), KEYPOINTS)), options, dtype)
        state = State(
            tensor(roots),
            tensor([f.angles for f in fits]),
            tensor([f.z for f in fits]),
            tensor([-1.0 if f.left else 1.0 for f in fits]),
        )
        terms = replace(
            terms,
            near_angles=state.angles,
            near_z=state.z,
            near_weight=tensor([[1 / TURN_SD_RAD, 1 / SIZE_SD]] * len(fits)),
        )
        noise = [estimate_noise(one.depth_m) for one in ahead]
        canvases: dict[Camera, Canvas] = {}
        damping = torch.full((len(fits),), 1e-3, dtype=dtype)
        for gate in np.geomspace(*GATES_M, ROUNDS):
            terms = match_surfaces(
                solver, state, terms, hands, canvases, noise, float(gate), options
            )
            for _ in range(options.steps):
                state, damping, _ = solver.step(state, terms, damping)
        held = torch.from_numpy(clamp(state.angles.numpy().astype(np.float64))).to(dtype)
        state = replace(state, angles=held)
        return build_fits(solver, state, [f.cost for f in fits], [f.left for f in fits])


def find_shift(fit: Fit, ahead: Ahead) -> Floats:
    """(3,) metres by which the hand's skin, as it is, lies best on the new readings.

    All shifts of a grid are tried on every eighth vertex that faces the camera; ties go to the
    shortest.
    """
    points = fit.vertices_m[::8].astype(np.float64)
    points = points[np.isfinite(points).all(-1)]
    # The nearer half of the skin is what is seen, more or less.
    points = points[points[:, 2] <= np.median(points[:, 2])]
    best, least = np.zeros(3), np.inf
    height, width = ahead.depth_m.shape
    steps = sorted(
        ((x, y, z) for x in SEARCH_M for y in SEARCH_M for z in SEARCH_M[1:-1:2]),
        key=lambda s: sum(v * v for v in s),
    )
    for step in steps:
        moved = points + step
        px = ahead.camera.project(moved)
        with np.errstate(invalid="ignore"):
            at = np.floor(px + 0.5)
            inside = np.asarray(((at >= 0) & (at < (width, height))).all(-1))
        u, v = np.where(inside[:, None], at, 0).astype(np.int64).T
        read = ahead.depth_m[v, u].astype(np.float64)
        off = np.where(inside & (read > 0), np.abs(read - moved[:, 2]), FAR_M)
        cost = float(np.minimum(off, FAR_M).mean())
        # A millimetre for a step of the grid: noise moves no hand.
        cost += 1e-3 * float(np.linalg.norm(step)) / 0.015
        if cost < least:
            best, least = np.array(step), cost
    return best
