"""Where a hand with what it does goes: into view, within the arm's reach, through nothing.

Places are tried in rounds; the first that suits counts.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from frames.parts import FOREARM
from frames.stream import uniform
from synth.config import SceneConfig
from synth.contact.gaps import measure_gaps, measure_plane_gaps
from synth.hand.collision import mutual_penetration
from synth.rigid import dot, invert_rigid, multiply, rotate
from synth.scene.action import Actions, take_actions
from synth.scene.arm import Arms, reach_best
from synth.scene.body import WRIST_DRAWS, draw_wrists
from synth.scene.spans import (
    FOREARM_SPAN,
    OBJECT_SPAN,
    Spans,
    hand_spans,
    lowest,
    nearest_to_plane,
    object_span,
)
from synth.scene.studio import Studio
from synth.things.distance import solid_distances

ROUNDS: Final = (1, 6, 24)
"""Places that are tried at once for a hand."""

WIDTH: Final = 3
PASSES: Final = 2
"""So many of a round's places that an arm reaches are looked at closely at once, and so often."""

GAP_M: Final = 0.004
"""The capsules of two hands, and of a hand and another's thing, keep at least this far apart."""

TABLE_M: Final = (-0.75, -0.17)
"""Heights of table tops against the eyes: nobody works higher, or lower."""

ARM_GIRTHS: Final = (1.3, 1.4, 1.7, 1.9, 1.9, 1.9)
"""Skin of a forearm against its capsule's radius, at most: at the wrist and at each of these."""
ARM_STEP_M: Final = 0.028
"""Half the way from one of them to the next."""
THICKEST: Final = 1.9
"""Skin of a forearm against the radius of its capsule, at most."""
ARM_DIP_M: Final = 0.002
"""So deep may the skin of a forearm be pressed in."""

ARM_WAYS: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Where along a forearm it is tested against the thing that its hand holds."""

THICK_END: Final = 1.6
"""A forearm stands out so far about its axis by the elbow, against its capsule's radius."""

NEAREST_OBJECT_M: Final = 0.10
"""No thing comes closer to the camera than this."""


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


def stand_up(pose: np.ndarray, up: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Turn hands about their middle by the least angle that brings `up` to the world's z.

    pose (T, 4, 4), up (T, 3) in the wrist frame, NaN for any; length (T,) m.
    """
    asked = ~np.isnan(up[:, 0])
    a = rotate(pose[:, :3, :3], np.where(asked[:, None], up, [0.0, 0.0, 1.0]))
    a = np.where(asked[:, None], a, [0.0, 0.0, 1.0])
    # Rodrigues: I + [v] + [v]^2 / (1 + c) for v = a x z, c = a . z.
    vx, vy, c = a[:, 1], -a[:, 0], np.maximum(a[:, 2], -1 + 1e-6)
    turn = np.zeros((len(pose), 3, 3))
    turn[:, 0, 0] = 1 - vy * vy / (1 + c)
    turn[:, 0, 1] = turn[:, 1, 0] = vx * vy / (1 + c)
    turn[:, 1, 1] = 1 - vx * vx / (1 + c)
    turn[:, 2, 2] = 1 - (vx * vx + vy * vy) / (1 + c)
    turn[:, 0, 2], turn[:, 2, 0] = vy, -vy
    turn[:, 1, 2], turn[:, 2, 1] = -vx, vx
    out = pose.copy()
    half = -0.5 * length[:, None]
    middle = pose[:, :3, 3] + half * pose[:, :3, 2]
    out[:, :3, :3] = multiply(turn, pose[:, :3, :3])
    out[:, :3, 3] = middle - half * out[:, :3, 2]
    return out


def set_down(
    studio: Studio, pose: np.ndarray, actions: Actions, there: np.ndarray, eye: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tables under what stands or rests on one; a hand moves along its view to one that is `there`.

    Returns the poses (T, 4, 4), the heights of tables (T,) that are needed, NaN for none, and (T,)
    whether that can be.
    """
    rests = ~np.isnan(actions.plane[:, 0]) & ~np.isnan(actions.up[:, 0])
    rests &= np.isnan(actions.edge[:, 0])  # an edge has a board of its own
    thing = multiply(pose, actions.T_wrist_from_object)
    bottom = thing[:, 2, 3] - studio.extents[actions.solid, 2] / 2
    surface = actions.plane[:, 3] + pose[:, 2, 3]
    height = np.where(rests, surface, np.where(actions.stands, bottom, np.nan))
    joins = ~np.isnan(height) & ~np.isnan(there)
    drop = pose[:, 2, 3] - eye[:, 2]
    stretch = np.where(joins, 1 + (there - height) / np.where(drop < -0.05, drop, np.inf), 1.0)
    near = (stretch > 0.6) & (stretch < 1.6)
    out = pose.copy()
    out[:, :3, 3] = eye + np.where(near, stretch, 1.0)[:, None] * (pose[:, :3, 3] - eye)
    height = np.where(joins, there, height)
    fits = np.isnan(height) | ((height > TABLE_M[0]) & (height < TABLE_M[1]))
    # A stretch of 1 where there is a difference means that the view does not lead down to it.
    return out, height, fits & near & ~(joins & (drop >= -0.05))


def is_in_range(
    config: SceneConfig, pose: np.ndarray, eye: np.ndarray, length: np.ndarray
) -> np.ndarray:
    """(T,) is the hand's middle as far from the camera as it may be?"""
    away = pose[:, :3, 3] - 0.5 * length[:, None] * pose[:, :3, 2] - eye
    distance = np.sqrt(dot(away, away))
    return (distance > config.body.distance_m[0]) & (distance < config.body.distance_m[1])


def faces_eye(studio: Studio, pose: np.ndarray, actions: Actions, eye: np.ndarray) -> np.ndarray:
    """(T,) is the surface seen from the hand's side, and the thing not right before the eye?"""
    local = rotate(np.swapaxes(pose[:, :3, :3], 1, 2), eye - pose[:, :3, 3])
    over = dot(actions.plane[:, :3], local) - actions.plane[:, 3]
    seen = np.isnan(over) | (over > 0.12)
    away = multiply(pose, actions.T_wrist_from_object)[:, :3, 3] - eye
    clear = np.sqrt(dot(away, away)) - studio.reaches[actions.solid] > NEAREST_OBJECT_M
    return seen & (clear | (actions.solid < 0))


def arm_is_clear(
    studio: Studio,
    pose: np.ndarray,
    actions: Actions,
    identity: np.ndarray,
    elbow: np.ndarray,
    table: np.ndarray,
) -> np.ndarray:
    """(T,) does the forearm stay over the surface or table, and out of the thing?"""
    radius = studio.capsules.radius[identity, FOREARM_SPAN]
    thick = THICK_END * radius
    local = rotate(np.swapaxes(pose[:, :3, :3], 1, 2), elbow - pose[:, :3, 3])
    over = dot(actions.plane[:, :3], local) - actions.plane[:, 3]
    clear = (np.isnan(over) | (over > thick)) & (np.isnan(table) | (elbow[:, 2] - thick > table))
    T_object_from_wrist = invert_rigid(actions.T_wrist_from_object)
    for way in ARM_WAYS:
        spot = rotate(T_object_from_wrist[:, :3, :3], way * local) + T_object_from_wrist[:, :3, 3]
        gap = solid_distances(studio.stock.distances, np.maximum(actions.solid, 0), spot)
        clear &= (actions.solid < 0) | (gap > 0.96 * radius)
    return clear


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


def arm_dips(
    studio: Studio,
    identity: np.ndarray,
    left: np.ndarray,
    angles: np.ndarray,
    solid: np.ndarray,
    T_wrist_from_object: np.ndarray,
    plane: np.ndarray,
    elbow: np.ndarray,
) -> np.ndarray:
    """(T,) does the skin of the forearm enter the thing or the surface that its hand is at?

    Hands were closed before their wrists were bent: angles (T, 29) have these now, and elbow (T, 3)
    is where it is in the wrist frame.
    """
    out = np.zeros(len(identity), bool)
    reach = THICKEST * studio.capsules.radius[identity, FOREARM_SPAN]
    over = np.minimum(0.0, dot(plane[:, :3], elbow)) - plane[:, 3]
    rows = np.flatnonzero(over < reach)
    gap = measure_plane_gaps(studio.probes, identity[rows], angles[rows], plane[rows], left[rows])
    out[rows] = gap[:, FOREARM - 1] < -ARM_DIP_M
    near = np.zeros(len(identity), bool)
    holds = np.flatnonzero(solid >= 0)
    girth = studio.capsules.radius[identity[holds], FOREARM_SPAN]
    T_object_from_wrist = invert_rigid(T_wrist_from_object[holds])
    for way, thick in zip((0.0, *ARM_WAYS), ARM_GIRTHS, strict=True):
        spot = rotate(T_object_from_wrist[:, :3, :3], way * elbow[holds])
        gap = solid_distances(
            studio.stock.distances, solid[holds], spot + T_object_from_wrist[:, :3, 3]
        )
        near[holds] |= gap < thick * girth + ARM_STEP_M
    rows = np.flatnonzero(near)
    gap = measure_gaps(
        studio.probes, studio.stock.distances, identity[rows], angles[rows],
        T_wrist_from_object[rows], solid[rows], left[rows],
    )  # fmt: skip
    out[rows] |= gap[:, FOREARM - 1] < -ARM_DIP_M
    return out
