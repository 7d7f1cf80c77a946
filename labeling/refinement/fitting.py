"""Labelled hands in, fitted hands out.

First the labels and the readings under them, from several poses of the bank; then, from the best of
these, the whole surface: the mesh is drawn, compared with the image, and moved, some times over
(iterated closest points, with the pixels' own correspondences: Blais and Levine 1995).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from frames.camera import Camera
from labeling.refinement.evidence import Evidence, lift_joints
from labeling.refinement.hand_model import (
    HandModel,
    load_model,
    pose_hands,
    shape_hands,
    skin,
)
from labeling.refinement.prior import load_pose_prior, load_shape_prior, load_shape_slopes
from labeling.refinement.solving import Solver, Terms
from labeling.refinement.start import choose_starts
from labeling.refinement.state import State, build_points, select_vertices
from labeling.refinement.surface import (
    OUTLINE,
    PLANE,
    find_normals,
    match_surface,
)
from synth.hand.angles import clamp
from synth.hand.bones import FOREARM_BONE
from synth.raster.canvas import Canvas

BATCH: Final = 64
"""Hands that are fitted together."""

VERTICES: Final = 400
"""Vertices of the skin that are compared with the image."""


@dataclass(frozen=True)
class FitOptions:
    """How hands are fitted."""

    starts: int = 3
    """Poses of the bank from which each hand is tried."""
    first_steps: int = 10
    """Steps on labels alone."""
    rounds: int = 8
    """How often the surface is compared anew."""
    steps: int = 2
    """Steps a round."""
    gates_m: tuple[float, float] = (0.03, 0.012)
    """Depth between skin and reading within which they are compared, in the first and in the last
    round."""
    lifted_sd_m: float = 0.012
    """Standard deviation of a joint that was lifted, against the truth."""
    skin_sd_m: float = 0.002
    """Standard deviation of the model's skin against a person's; the sensor's noise comes on
    top."""
    outline_sd_px: float = 1.0
    """Standard deviation of an outline in the image."""
    surface_share: float = 0.5
    """What one of the surface's residuals counts against a label."""
    vertices: int = VERTICES
    """Vertices that are compared, of all sides of the hand."""
    time_sd_rad: float = 0.12
    """Standard deviation of an angle against the mean of the frames before and after."""
    person_sd: float = 0.2
    """Standard deviation of a shape coordinate against the mean of the same person's hands."""


@dataclass(frozen=True, eq=False)
class Fit:
    """One hand as the model has it."""

    left: bool
    angles: NDArray[np.float64]
    """(29,) rad, within their limits."""
    shape: NDArray[np.float64]
    """(17,) as `Hand.shape`."""
    T_camera_from_wrist: NDArray[np.float64]
    """(4, 4)"""
    keypoints_m: NDArray[np.float64]
    """(21, 3) camera axes."""
    vertices_m: NDArray[np.float32]
    """(V, 3) posed mesh."""
    z: NDArray[np.float64]
    """(17,) shape in standard deviations from the mean person's."""
    cost: float
    """Sum of squared residuals after the first part, per label."""


@cache
def build_solver(vertices: int = VERTICES, dtype: torch.dtype = torch.float64) -> Solver:
    """The solver for so many compared vertices."""
    model = load_model(dtype)
    selection = select_vertices(model, vertices, (FOREARM_BONE,))
    points = build_points(model, load_shape_slopes(model), selection)
    return Solver(model, points, load_pose_prior(dtype), load_shape_prior(dtype))


@cache
def list_incident(selection: tuple[int, ...]) -> NDArray[np.int64]:
    """(N, D) faces that meet in each vertex, -1 for no more."""
    faces = load_model().faces
    found = [np.flatnonzero((faces == v).any(1)) for v in selection]
    out = np.full((len(found), max(map(len, found))), -1, np.int64)
    for i, own in enumerate(found):
        out[i, : len(own)] = own
    return out


def fit_hands(
    hands: Sequence[Evidence],
    options: FitOptions | None = None,
    before: Sequence[int] | None = None,
    person: Sequence[int] | None = None,
) -> list[Fit]:
    """Fit every hand; each needs at least one joint that could be lifted.

    before: for each hand the place in `hands` of the same hand one frame earlier, -1 for none.
    person: for each hand whose it is, -1 for not known; hands of one person share a shape. Either
    makes all hands one batch.
    """
    options = options or FitOptions()
    tied = before is not None or person is not None
    size = len(hands) if tied else BATCH
    out: list[Fit] = []
    for first in range(0, len(hands), max(size, 1)):
        part = hands[first : first + size]
        out += _fit_batch(part, options, before, person)
    return out


def _fit_batch(
    hands: Sequence[Evidence],
    options: FitOptions,
    before: Sequence[int] | None,
    person: Sequence[int] | None,
) -> list[Fit]:
    solver = build_solver(options.vertices)
    dtype = solver.model.dtype
    with torch.no_grad():
        lifted = [lift_joints(hand) for hand in hands]
        points = np.array([p for p, _ in lifted])
        sure = np.array([s for _, s in lifted])
        left = np.array([h.left for h in hands])
        terms = begin_terms(hands, points, sure, options, dtype)
        angles, roots = choose_starts(solver.model, points, sure, left, options.starts)
        many = angles.shape[1]
        every = torch.arange(len(hands)).repeat_interleave(many)
        mirror = torch.from_numpy(np.where(left, -1.0, 1.0)).to(dtype)
        state = State(
            roots.flatten(0, 1),
            angles.flatten(0, 1),
            torch.zeros(len(every), 17, dtype=dtype),
            mirror[every],
        )
        state, cost = _descend(solver, state, terms.take(every), options.first_steps)
        best = cost.view(-1, many).argmin(1) + many * torch.arange(len(hands))
        state, cost = state.take(best), cost[best]
        noise = [estimate_noise(hand.depth_m) for hand in hands]
        canvases: dict[Camera, Canvas] = {}
        damping = torch.full((len(hands),), 1e-3, dtype=dtype)
        gates = np.geomspace(*options.gates_m, options.rounds)
        # The reading under a label has told its depth; from here on the whole surface does.
        terms = replace(terms, depth_weight=0.3 * terms.depth_weight)
        for gate in gates:
            terms = match_surfaces(
                solver, state, terms, hands, canvases, noise, float(gate), options
            )
            terms = _tie(state, terms, options, before, person)
            for _ in range(options.steps):
                state, damping, _ = solver.step(state, terms, damping)
        held = torch.from_numpy(clamp(state.angles.numpy().astype(np.float64))).to(dtype)
        state = replace(state, angles=held)
        labels = np.array([max(int(h.labelled.sum()), 1) for h in hands])
        return build_fits(solver, state, (cost.numpy() / labels).tolist(), left.tolist())


def begin_terms(
    hands: Sequence[Evidence],
    points: NDArray[np.float64],
    sure: NDArray[np.float64],
    options: FitOptions,
    dtype: torch.dtype,
) -> Terms:
    """What hands are held to before the surface is compared: labels, and joints that were lifted.

    points (B, 21, 3), sure (B, 21): as `labeling.refinement.evidence.lift_joints` gives them.
    """
    count, many = len(hands), options.vertices

    def tensor(values: object) -> Tensor:
        return torch.from_numpy(np.array(values, np.float64)).to(dtype)

    there = np.array([h.labelled for h in hands])
    sigma = np.array([h.sigma_px for h in hands])
    weight = np.where(there, 1.0 / sigma, 0.0)
    depth = np.nan_to_num(points[..., 2])
    return Terms(
        rays=tensor(np.nan_to_num([h.rays for h in hands])),
        px_per_ray=tensor([h.px_per_ray for h in hands]),
        label_weight=tensor(weight),
        depth=tensor(depth),
        depth_weight=tensor((sure == 1.0) / options.lifted_sd_m),
        direction=torch.zeros(count, many, 3, dtype=dtype),
        target=torch.zeros(count, many, dtype=dtype),
        surface_weight=torch.zeros(count, many, dtype=dtype),
        surface_share=torch.full((count,), options.surface_share, dtype=dtype),
        cluster=torch.zeros(count, dtype=torch.int64),
        near_angles=torch.zeros(count, 29, dtype=dtype),
        near_z=torch.zeros(count, 17, dtype=dtype),
        near_weight=torch.zeros(count, 2, dtype=dtype),
    )


def _descend(solver: Solver, state: State, terms: Terms, steps: int) -> tuple[State, Tensor]:
    damping = torch.full((len(state.z),), 1e-2, dtype=state.z.dtype)
    cost = torch.zeros(len(state.z), dtype=state.z.dtype)
    for k in range(steps):
        if k % 3 == 0:
            terms = replace(terms, cluster=solver.poses.choose(state.angles))
        state, damping, cost = solver.step(state, terms, damping)
    return state, cost


def estimate_noise(depth_m: NDArray[np.float32]) -> float:
    """Standard deviation of an image's readings about their neighbours', metres.

    From the second differences along rows, median of their absolute values: edges and slopes do not
    count. At least 0.3 mm, at most 2 cm.
    """
    mid, near = depth_m[:, 1:-1], (depth_m[:, :-2], depth_m[:, 2:])
    read = (mid > 0) & (near[0] > 0) & (near[1] > 0) & (mid < 1.2)
    if not read.any():
        return 0.003
    second = np.abs(near[0] - 2 * mid + near[1])[read]
    return float(np.clip(np.median(second) / 0.6745 / np.sqrt(6.0), 3e-4, 0.02))


def match_surfaces(
    solver: Solver,
    state: State,
    terms: Terms,
    hands: Sequence[Evidence],
    canvases: dict[Camera, Canvas],
    noise: Sequence[float],
    gate_m: float,
    options: FitOptions,
) -> Terms:
    """The terms with the surface compared anew."""
    model = solver.model
    selection = solver.points.vertices[5:]
    meshes = _pose_meshes(solver, state)
    incident = list_incident(selection)
    chosen = np.array(selection, np.int64)
    count, many = len(hands), len(selection)
    direction, target = np.zeros((count, many, 3)), np.zeros((count, many))
    kind = np.zeros((count, many), np.uint8)
    weight = np.zeros((count, many))
    normals = np.zeros((many, 3))
    for b, hand in enumerate(hands):
        mesh = meshes[b]
        if not np.isfinite(mesh).all():
            continue
        faces = model.faces[:, ::-1] if hand.left else model.faces
        find_normals(mesh, faces, chosen, incident, normals)
        points = mesh[chosen]
        px = hand.camera.project(points)
        model_m, left, top = draw_hand(canvases, hand.camera, mesh, faces, model, px)
        match_surface(
            points, normals, np.nan_to_num(px, nan=1e9), model_m, left, top, hand.depth_m,
            hand.camera.ray_table(), gate_m, kind[b], direction[b], target[b],
        )  # fmt: skip
        skin_m = np.hypot(options.skin_sd_m, noise[b])
        edge_m = np.hypot(options.skin_sd_m, options.outline_sd_px * points[:, 2] / hand.camera.fx)
        weight[b] = np.where(kind[b] == PLANE, 1 / skin_m, 0.0)
        weight[b] = np.where(kind[b] == OUTLINE, 1 / edge_m, weight[b])
    dtype = model.dtype
    return replace(
        terms,
        direction=torch.from_numpy(direction).to(dtype),
        target=torch.from_numpy(target).to(dtype),
        surface_weight=torch.from_numpy(weight).to(dtype),
        cluster=solver.poses.choose(state.angles),
    )


def draw_hand(
    canvases: dict[Camera, Canvas],
    camera: Camera,
    mesh: NDArray[np.float64],
    faces: NDArray[np.int32],
    model: HandModel,
    px: NDArray[np.float64],
) -> tuple[NDArray[np.float32], int, int]:
    """The model's own depth within the box of some of its pixels, and the box's first pixel."""
    if camera not in canvases:
        canvases[camera] = Canvas(camera, 1)
    canvas = canvases[camera]
    canvas.begin()
    canvas.draw(0, mesh, np.ascontiguousarray(faces), model.face_parts)
    with np.errstate(invalid="ignore"):
        seen = np.isfinite(px).all(-1)
    if not seen.any():
        return np.zeros((0, 0), np.float32), 0, 0
    low = np.clip(np.floor(px[seen].min(0)) - 2, 0, (camera.width, camera.height)).astype(int)
    high = np.clip(np.ceil(px[seen].max(0)) + 3, 0, (camera.width, camera.height)).astype(int)
    if (high <= low).any():
        return np.zeros((0, 0), np.float32), 0, 0
    box = int(low[0]), int(low[1]), int(high[0]), int(high[1])
    return canvas.layer(0, box)[1], box[0], box[1]


def _pose_meshes(solver: Solver, state: State) -> NDArray[np.float64]:
    """(B, V, 3) whole posed meshes."""
    model = solver.model
    rest = shape_hands(model, solver.shapes.to_shape(state.z))
    posed = pose_hands(model, rest.joints, state.angles, state.root, state.mirror)
    return np.asarray(skin(model.weights, posed.affine, rest.vertices).numpy(), np.float64)


def _tie(
    state: State,
    terms: Terms,
    options: FitOptions,
    before: Sequence[int] | None,
    person: Sequence[int] | None,
) -> Terms:
    """The terms with neighbours in time, and hands of one person, as they are now."""
    weight = torch.zeros_like(terms.near_weight)
    angles, z = state.angles.clone(), state.z.clone()
    if before is not None:
        around: list[list[int]] = [[] for _ in before]
        for b, earlier in enumerate(before):
            if earlier >= 0:
                around[b].append(earlier)
                around[earlier].append(b)
        for b, near in enumerate(around):
            if near:
                angles[b] = state.angles[near].mean(0)
                weight[b, 0] = (len(near) / 2) ** 0.5 / options.time_sd_rad
    if person is not None:
        owner = torch.tensor(list(person))
        for who in set(person) - {-1}:
            own = (owner == who).nonzero()[:, 0]
            if len(own) > 1:
                # Their prior counts once for the person, not once a hand.
                z[own] = state.z[own].sum(0) / (len(own) - 1 + 1.0)
                weight[own, 1] = 1 / options.person_sd
    return replace(terms, near_angles=angles, near_z=z, near_weight=weight)


def build_fits(
    solver: Solver, state: State, cost: Sequence[float], left: Sequence[bool]
) -> list[Fit]:
    """The hands of a state, posed."""
    meshes = _pose_meshes(solver, state)
    keypoints = solver.pose(state).places[:, :21].numpy()
    shape = solver.shapes.to_shape(state.z).numpy()
    out = []
    for b in range(len(left)):
        root = np.eye(4)
        root[:3] = state.root[b].numpy()
        out.append(
            Fit(
                left=bool(left[b]),
                angles=state.angles[b].numpy().copy(),
                shape=shape[b].copy(),
                T_camera_from_wrist=root,
                keypoints_m=keypoints[b].copy(),
                vertices_m=meshes[b].astype(np.float32),
                z=state.z[b].numpy().copy(),
                cost=float(cost[b]),
            )
        )
    return out
