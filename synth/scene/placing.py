"""Where a hand with what it does goes: into view, within the arm's reach, through nothing.

Places are tried in rounds; the first that suits counts.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from frames.stream import uniform
from synth.config import SceneConfig
from synth.hand.collision import mutual_penetration
from synth.rigid import invert_rigid, multiply, rotate
from synth.scene.action import Actions, take_actions
from synth.scene.arm import Arms, reach_best
from synth.scene.body import WRIST_DRAWS, draw_wrists
from synth.scene.fitting import (
    arm_dips,
    arm_is_clear,
    faces_eye,
    is_in_range,
    set_down,
    stand_up,
)
from synth.scene.spans import (
    OBJECT_SPAN,
    Spans,
    hand_spans,
    lowest,
    nearest_to_plane,
    object_span,
)
from synth.scene.studio import Studio

ROUNDS: Final = (1, 6, 24)
"""Places that are tried at once for a hand."""

WIDTH: Final = 3
PASSES: Final = 2
"""So many of a round's places that an arm reaches are looked at closely at once, and so often."""

GAP_M: Final = 0.004
"""The capsules of two hands, and of a hand and another's thing, keep at least this far apart."""


@dataclass(frozen=True)
class Setting:
    """What N hands find."""

    ids: np.ndarray
    """(N,) int64 number of each hand's scene: keys its random streams."""
    left: np.ndarray
    """(N,) bool"""
    identity: np.ndarray
    """(N,) whose hand."""
    T_world_from_body: np.ndarray
    """(N, 4, 4) of the person; the wearer's is the identity."""
    T_world_from_camera: np.ndarray
    """(N, 4, 4)"""
    table: np.ndarray
    """(N,) height of the table that stands there already, NaN for none."""
    board: np.ndarray
    """(N, 4) the surface n . x = d that stands there already and is no table, NaN for none."""
    obstacles: Spans
    """Capsules of scenes (U, ...) in the world."""
    scene: np.ndarray
    """(N,) which of these is each hand's."""


def take_setting(setting: Setting, rows: np.ndarray) -> Setting:
    """What some of the hands find."""
    own = {f.name: getattr(setting, f.name) for f in fields(Setting)}
    return Setting(**{k: v if k == "obstacles" else v[rows] for k, v in own.items()})


@dataclass(frozen=True)
class Placed:
    """N hands in the world."""

    found: np.ndarray
    """(N,) bool: a place that suits; the rest of a row means nothing without."""
    angles: np.ndarray
    """(N, 29) rad with the wrist's."""
    T_world_from_wrist: np.ndarray
    """(N, 4, 4)"""
    elbow: np.ndarray
    """(N, 3) world."""
    shoulder: np.ndarray
    """(N, 3) world."""
    swivel: np.ndarray
    """(N,) rad, the elbow's turn."""
    table: np.ndarray
    """(N,) height of the table that the action stands or rests on, NaN for none."""
    spans: Spans
    """(N, SPANS) capsules in the world."""


@dataclass(frozen=True)
class Bids:
    """T places that are tried."""

    T_world_from_wrist: np.ndarray
    table: np.ndarray
    arms: Arms
    fits: np.ndarray


def place_hands(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    stage: str,
    setting: Setting,
    actions: Actions,
) -> Placed:
    """A place for each of N hands and what it holds."""
    count = len(setting.ids)
    placed = Placed(
        found=np.zeros(count, bool),
        angles=actions.angles.copy(),
        T_world_from_wrist=np.tile(np.eye(4), (count, 1, 1)),
        elbow=np.zeros((count, 3)),
        shoulder=np.zeros((count, 3)),
        swivel=np.zeros(count),
        table=np.full(count, np.nan),
        spans=tuple(np.zeros(s) for s in _span_shapes(count)),  # type: ignore[arg-type]
    )
    start = 0
    for size in ROUNDS:
        rest = np.flatnonzero(~placed.found)
        if not len(rest):
            break
        rows = np.repeat(rest, size)
        attempt = np.tile(np.arange(start, start + size), len(rest))
        bids = _bid(config, studio, seed, stage, setting, actions, rows, attempt)
        _choose(studio, setting, actions, placed, rest, size, bids)
        start += size
    return placed


def _span_shapes(count: int) -> tuple[tuple[int, ...], ...]:
    size = OBJECT_SPAN + 1
    return (count, size, 3), (count, size, 3), (count, size)


def _bid(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    stage: str,
    setting: Setting,
    actions: Actions,
    rows: np.ndarray,
    attempt: np.ndarray,
) -> Bids:
    """Draw a place for each of `rows` and see whether it suits hand, arm and eye."""
    length = studio.rig.hand_length[setting.identity[rows]]
    left, camera = setting.left[rows], setting.T_world_from_camera[rows]
    T_body_from_world = invert_rigid(setting.T_world_from_body[rows])
    elbows = studio.elbows[setting.identity[rows]]
    u = uniform(seed, setting.ids[rows], stage, WRIST_DRAWS, attempt)
    wanted, swivels = draw_wrists(
        config.body, studio.field, multiply(T_body_from_world, camera), left, length, elbows, u
    )
    pose = stand_up(multiply(setting.T_world_from_body[rows], wanted), actions.up[rows], length)
    doing, eye = take_actions(actions, rows), camera[:, :3, 3]
    pose, table, fits = set_down(studio, pose, doing, setting.table[rows], eye)
    arms = reach_best(multiply(T_body_from_world, pose), left, length, elbows, swivels)
    body = setting.T_world_from_body[rows]
    elbow = rotate(body[:, :3, :3], arms.elbow) + body[:, :3, 3]
    fits &= arms.fits & is_in_range(config, pose, eye, length)
    fits &= faces_eye(studio, pose, doing, eye)
    fits &= arm_is_clear(studio, pose, doing, setting.identity[rows], elbow, table)
    return Bids(pose, table, arms, fits)


def _choose(
    studio: Studio,
    setting: Setting,
    actions: Actions,
    placed: Placed,
    rest: np.ndarray,
    size: int,
    bids: Bids,
) -> None:
    """For each row of `rest` the first of its `size` bids that fits and runs through nothing."""
    free = bids.fits.reshape(len(rest), size)
    for _ in range(PASSES):
        pending = np.flatnonzero(free.any(1))
        if not len(pending):
            return
        # A few bids at once: one by one, some hand of a batch would always be last.
        first = np.argsort(~free[pending], axis=1, kind="stable")[:, :WIDTH]
        row, column = np.nonzero(np.take_along_axis(free[pending], first, axis=1))
        own, bid = pending[row], first[row, column]
        free[own, bid] = False
        tried = _try(studio, setting, actions, rest[own], bids, own * size + bid)
        good = np.flatnonzero(tried.found)
        row, index = np.unique(row[good], return_index=True)
        take = good[index]
        for f in fields(Placed):
            if f.name != "spans":
                getattr(placed, f.name)[rest[own[take]]] = getattr(tried, f.name)[take]
        for whole, part in zip(placed.spans, tried.spans, strict=True):
            whole[rest[own[take]]] = part[take]
        free[own[take]] = False


def _try(
    studio: Studio,
    setting: Setting,
    actions: Actions,
    at: np.ndarray,
    bids: Bids,
    pick: np.ndarray,
) -> Placed:
    """Hands `at` (T,) at the places `pick` of the bids: `found` where they run through nothing."""
    body, pose = setting.T_world_from_body[at], bids.T_world_from_wrist[pick]
    identity, left, table = setting.identity[at], setting.left[at], bids.table[pick]
    angles = actions.angles[at].copy()
    angles[:, :2] = bids.arms.wrist_angles[pick]
    shoulder = rotate(body[:, :3, :3], bids.arms.shoulder[pick]) + body[:, :3, 3]
    elbow = rotate(body[:, :3, :3], bids.arms.elbow[pick]) + body[:, :3, 3]
    thing = object_span(
        multiply(pose, actions.T_wrist_from_object[at]),
        studio.extents[actions.solid[at]],
        actions.solid[at] >= 0,
    )
    spans = hand_spans(studio.rig, studio.capsules, identity, angles, pose, left, shoulder, thing)
    hit = mutual_penetration(*spans, *setting.obstacles, setting.scene[at]) > -GAP_M
    # What neither rests nor stands on a table that is there stays above it.
    apart = np.isnan(table) & ~np.isnan(setting.table[at])
    hit |= apart & (lowest(spans) < setting.table[at] + 0.002)
    hit |= nearest_to_plane(spans, setting.board[at]) < 0.002
    hit |= arm_dips(
        studio, identity, left, angles, actions.solid[at], actions.T_wrist_from_object[at],
        actions.plane[at], rotate(np.swapaxes(pose[:, :3, :3], 1, 2), elbow - pose[:, :3, 3]),
    )  # fmt: skip
    return Placed(~hit, angles, pose, elbow, shoulder, bids.arms.swivel[pick], table, spans)
