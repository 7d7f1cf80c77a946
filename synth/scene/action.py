"""What a hand does: a free pose, a grasp, a hand on or over a surface or a thing.

Everything here is in the hand's own wrist frame; `synth.scene.placing` brings it into the world.
"""

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from frames.parts import FOREARM
from frames.stream import uniform
from synth.config import SceneConfig
from synth.contact.gaps import measure_plane_gaps
from synth.contact.grasps import solve_grasps
from synth.contact.holds import Holds
from synth.contact.rests import REST_KINDS, solve_rests
from synth.contact.touches import solve_touches
from synth.hand.angles import DOFS
from synth.pose.sampler import sample_poses
from synth.rigid import dot
from synth.scene.situation import FREE, GRASP, TOUCH
from synth.scene.studio import Studio

NOTHING: Final = -1
TABLE_DIP_M: Final = 0.002
"""So deep may skin be pressed into a table's top."""
SOLID_DRAWS: Final = 4
"""So often is another thing drawn in place of one that no single hand can hold."""
HOVER: Final = REST_KINDS.index("hover")


@dataclass(frozen=True)
class Actions:
    """What N hands do."""

    kind: np.ndarray
    """(N,) FREE, GRASP, TOUCH or TOGETHER."""
    angles: np.ndarray
    """(N, 29) rad; the wrist's are the arm's to decide."""
    preset: np.ndarray
    """(N,) named pose shown, -1 for none."""
    grasp: np.ndarray
    """(N,) index of the grasp, -1 for none."""
    solid: np.ndarray
    """(N,) the thing held or touched, -1 for none."""
    T_wrist_from_object: np.ndarray
    """(N, 4, 4) where it is."""
    plane: np.ndarray
    """(N, 4) the surface n . x = d, n out of it towards the hand; NaN for none."""
    edge: np.ndarray
    """(N, 4) plane m . x = e where the surface ends; NaN for none near."""
    thickness: np.ndarray
    """(N,) metres of the slab whose edge is gripped, NaN for none."""
    up: np.ndarray
    """(N, 3) direction that must point up in the world; NaN for any."""
    stands: np.ndarray
    """(N,) bool: the thing stands on a table."""


def free_actions(angles: np.ndarray, preset: np.ndarray) -> Actions:
    """Hands in the air, in these poses (N, 29)."""
    count = len(angles)
    return Actions(
        kind=np.full(count, FREE),
        angles=angles,
        preset=preset,
        grasp=np.full(count, NOTHING),
        solid=np.full(count, NOTHING),
        T_wrist_from_object=np.tile(np.eye(4), (count, 1, 1)),
        plane=np.full((count, 4), np.nan),
        edge=np.full((count, 4), np.nan),
        thickness=np.full(count, np.nan),
        up=np.full((count, 3), np.nan),
        stands=np.zeros(count, bool),
    )


def take_actions(actions: Actions, rows: np.ndarray) -> Actions:
    """Some of them."""
    return Actions(*(getattr(actions, f.name)[rows] for f in fields(Actions)))


def replace_actions(actions: Actions, rows: np.ndarray, others: Actions) -> Actions:
    """With `others` in place of `rows`."""
    out = []
    for f in fields(Actions):
        values = getattr(actions, f.name).copy()
        values[rows] = getattr(others, f.name)
        out.append(values)
    return Actions(*out)


def lift_off(actions: Actions) -> Actions:
    """The same away from tables: surfaces lean any way, and things are in the air."""
    return replace(
        actions, up=np.full_like(actions.up, np.nan), stands=np.zeros_like(actions.stands)
    )


def draw_actions(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    ids: np.ndarray,
    stage: str,
    wanted: np.ndarray,
    identity: np.ndarray,
    left: np.ndarray,
    split: np.ndarray,
) -> Actions:
    """One action a hand: of the kind `wanted` (N,) if that can be had, else a free pose."""
    out = free_actions(np.zeros((len(ids), len(DOFS))), np.full(len(ids), NOTHING))
    # What holds a thing shows no other pose, unless it fails to.
    _pose_freely(config, studio, seed, ids, stage, identity, out, wanted != GRASP)
    u = uniform(seed, ids, f"{stage}/what", 5 + SOLID_DRAWS)
    solid = studio.pools.pick_solid(split, u[:, 0])
    for k in range(5, 5 + SOLID_DRAWS):
        other = studio.pools.pick_solid(split, u[:, k])
        solid = np.where((wanted == GRASP) & ~studio.holdable[solid], other, solid)
    flat = u[:, 3] < config.situation.surface_share
    for rows, draw in (
        (wanted == GRASP, _grasp),
        ((wanted == TOUCH) & flat, _rest),
        ((wanted == TOUCH) & ~flat, _approach),
    ):
        at = np.flatnonzero(rows)
        if len(at):
            task = _Task(
                ids[at], stage, identity[at], left[at], solid[at], take_actions(out, at), u[at]
            )
            done, ok = draw(config, studio, seed, task)
            out = replace_actions(out, at[ok], take_actions(done, np.flatnonzero(ok)))
    failed = (wanted == GRASP) & (out.kind == FREE)
    _pose_freely(config, studio, seed, ids, stage, identity, out, failed)
    return out


def _pose_freely(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    ids: np.ndarray,
    stage: str,
    identity: np.ndarray,
    actions: Actions,
    wanted: np.ndarray,
) -> None:
    """Give the hands that are `wanted` (N,) bool a free pose each."""
    rows = np.flatnonzero(wanted)
    poses = sample_poses(
        config.pose, seed, ids[rows], f"{stage}/pose", studio.fingers, identity[rows]
    )
    actions.angles[rows], actions.preset[rows] = poses.angles, poses.preset


@dataclass(frozen=True)
class _Task:
    """N hands to find an action for."""

    ids: np.ndarray
    stage: str
    identity: np.ndarray
    left: np.ndarray
    solid: np.ndarray
    free: Actions
    """The free poses that they show else."""
    u: np.ndarray
    """(N, 5 ...) uniforms."""


def _grasp(
    config: SceneConfig, studio: Studio, seed: int, task: _Task
) -> tuple[Actions, np.ndarray]:
    """Hands that hold things; some of these stand on a table."""
    holds = solve_grasps(
        config.grasp, seed, task.ids, f"{task.stage}/grasp", studio.rig, studio.capsules,
        studio.probes, studio.stock.solids, studio.stock.distances, task.identity, task.solid,
        task.left,
    )  # fmt: skip
    up = holds.T_wrist_from_object[:, :3, 2]
    stands = task.u[:, 1] < config.situation.standing_share
    stands &= _is_above(studio, task, holds)
    level = stands | (studio.upright[task.solid] & (task.u[:, 2] < config.situation.upright_share))
    done = replace(
        task.free,
        kind=np.full(len(task.ids), GRASP),
        angles=holds.angles,
        preset=np.full(len(task.ids), NOTHING),
        grasp=holds.grasp,
        solid=task.solid,
        T_wrist_from_object=holds.T_wrist_from_object,
        up=np.where(level[:, None], up, np.nan),
        stands=stands,
    )
    return done, holds.ok


def _is_above(studio: Studio, task: _Task, holds: Holds) -> np.ndarray:
    """(N,) is all of the hand above the table on which its thing would stand?"""
    pose = holds.T_wrist_from_object
    up = pose[:, :3, 2]
    bottom = dot(up, pose[:, :3, 3]) - studio.extents[task.solid, 2] / 2
    gap = measure_plane_gaps(
        studio.probes, task.identity, holds.angles, np.column_stack([up, bottom]), task.left
    )
    # The arm is not there yet.
    return np.asarray(~(gap[:, : FOREARM - 1] < -TABLE_DIP_M).any(1))


def _rest(
    config: SceneConfig, studio: Studio, seed: int, task: _Task
) -> tuple[Actions, np.ndarray]:
    """Hands on or over a surface: mostly a table, else one of any direction."""
    rests = solve_rests(
        config.grasp, seed, task.ids, f"{task.stage}/rest", studio.rig, studio.capsules,
        studio.probes, task.identity, task.free.angles,
    )  # fmt: skip
    side = np.where(task.left[:, None], [-1.0, 1.0, 1.0, 1.0], 1.0)
    plane = rests.plane * side
    level = task.u[:, 4] < config.situation.level_share
    done = replace(
        task.free,
        kind=np.full(len(task.ids), TOUCH),
        angles=rests.angles,
        preset=np.where(rests.kind == HOVER, task.free.preset, NOTHING),
        plane=plane,
        edge=rests.edge * side,
        thickness=rests.thickness_m,
        up=np.where(level[:, None], plane[:, :3], np.nan),
    )
    return done, rests.ok


def _approach(
    config: SceneConfig, studio: Studio, seed: int, task: _Task
) -> tuple[Actions, np.ndarray]:
    """Hands on or near the face of a thing that they do not hold."""
    near = solve_touches(
        config.grasp, seed, task.ids, f"{task.stage}/touch", studio.rig, studio.capsules,
        studio.probes, studio.stock.solids, studio.stock.distances, task.identity, task.solid,
        task.left, task.free.angles,
    )  # fmt: skip
    stands = task.u[:, 1] < config.situation.standing_share
    stands &= _is_above(studio, task, near)
    level = stands | (task.u[:, 2] < config.situation.upright_share)
    done = replace(
        task.free,
        kind=np.full(len(task.ids), TOUCH),
        angles=near.angles,
        solid=task.solid,
        T_wrist_from_object=near.T_wrist_from_object,
        up=np.where(level[:, None], near.T_wrist_from_object[:, :3, 2], np.nan),
        stands=stands,
    )
    return done, near.ok
