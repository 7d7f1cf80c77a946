"""Hands put into scenes one after another, each clear of those before it."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from frames.stream import uniform
from synth.config import SceneConfig
from synth.rigid import invert_rigid, multiply
from synth.scene.action import (
    NOTHING,
    Actions,
    draw_actions,
    free_actions,
    lift_off,
    replace_actions,
    take_actions,
)
from synth.scene.board import board_planes
from synth.scene.body import facing_body
from synth.scene.couples import solve_couples
from synth.scene.hands import Hands, join_hands, none_of_hands
from synth.scene.pairing import place_pairs
from synth.scene.placing import Placed, Setting, place_hands, take_setting
from synth.scene.situation import FREE, GRASP, SLOTS, TOGETHER, TOUCH, Cast
from synth.scene.spans import SPANS, Spans, empty_spans, join_spans, take_spans
from synth.scene.studio import Studio


@dataclass(frozen=True)
class Population:
    """The hands of U scenes and the room that they take."""

    hands: Hands
    situation: np.ndarray
    """(U,) what came of the situation that was wanted: of the first hand that is there."""
    table: np.ndarray
    """(U,) height of the table that something stands or rests on, NaN for none."""
    spans: Spans
    """(U, C) capsules of all hands, arms and held things, and of the wearer's lap."""


def populate(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    ids: np.ndarray,
    cast: Cast,
    T_world_from_camera: np.ndarray,
    lap: Spans,
) -> Population:
    """Bring the hands of U scenes into the world; one that finds no place is left out.

    lap: (U, L) capsules of the wearer's own body.
    """
    count = len(ids)
    taken = join_spans(empty_spans(count, SLOTS * SPANS), lap)
    table, board = np.full(count, np.nan), np.full((count, 4), np.nan)
    pairs = _place_pairs(config, studio, seed, ids, cast, T_world_from_camera, taken)
    placed = np.zeros((count, SLOTS), bool)
    placed[pairs.frame, pairs.slot] = True
    groups = [pairs]
    for slot in range(SLOTS):
        rows = np.flatnonzero(cast.present[:, slot] & ~placed[:, slot])
        if not len(rows):
            continue
        hands, heights, spans = _place_slot(
            config, studio, seed, ids, cast, T_world_from_camera, taken, table, board, slot, rows
        )  # fmt: skip
        table[hands.frame] = np.where(np.isnan(table[hands.frame]), heights, table[hands.frame])
        if not slot:
            board = board_planes(hands, count)
        _occupy(taken, hands.frame, slot, spans)
        groups.append(hands)
    hands = join_hands(groups)
    situation = np.full(count, FREE)
    situation[hands.frame[::-1]] = hands.action[::-1]
    return Population(hands, situation, table, taken)


def _occupy(taken: Spans, scenes: np.ndarray, slot: int, spans: Spans) -> None:
    for whole, part in zip(taken, spans, strict=True):
        whole[scenes, slot * SPANS : (slot + 1) * SPANS] = part


def _place_pairs(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    ids: np.ndarray,
    cast: Cast,
    T_world_from_camera: np.ndarray,
    taken: Spans,
) -> Hands:
    """Both hands of the scenes in which they do something with each other."""
    rows = np.flatnonzero(cast.situation == TOGETHER)
    if not len(rows):
        return none_of_hands()
    first_left, identity = cast.left[rows, 0], cast.identity[rows, 0]
    thing = _pick_shared(config, studio, seed, ids[rows], cast.split[rows])
    couples = solve_couples(config, studio, seed, ids[rows], identity, first_left, thing)
    placed = place_pairs(
        config, studio, seed, ids[rows], T_world_from_camera[rows], first_left, identity, couples,
        take_spans(taken, rows),
    )  # fmt: skip
    good = np.flatnonzero(placed.found)
    groups = []
    for slot in (0, 1):
        spans = placed.spans[slot]
        _occupy(taken, rows[good], slot, take_spans(spans, good))
        actions = free_actions(placed.angles[good, slot], np.full(len(good), NOTHING))
        place = couples.T_first_from_object[good]
        if slot:
            place = multiply(invert_rigid(couples.T_first_from_second[good]), place)
        actions = replace(actions, solid=couples.solid[good], T_wrist_from_object=place)
        groups.append(
            _gather(
                rows[good], slot, cast, np.full(len(good), TOGETHER), actions,
                placed.angles[good, slot], placed.T_world_from_wrist[good, slot],
                np.tile(np.eye(4), (len(good), 1, 1)), placed.elbow[good, slot],
                placed.shoulder[good, slot], placed.swivel[good, slot],
            )
        )  # fmt: skip
    return join_hands(groups)


def _pick_shared(
    config: SceneConfig, studio: Studio, seed: int, ids: np.ndarray, split: np.ndarray
) -> np.ndarray:
    """(N,) the thing that both hands are to hold, -1 for none: not everything is large enough."""
    u = uniform(seed, ids, "pair/thing", 1 + SHARED_DRAWS)
    ways = np.diff(studio.shares.start)
    thing = np.full(len(ids), NOTHING)
    for k in range(SHARED_DRAWS, 0, -1):
        drawn = studio.pools.pick_solid(split, u[:, k])
        thing = np.where(ways[drawn] > 0, drawn, thing)
    return np.where(u[:, 0] < config.situation.shared_share, thing, NOTHING)


def _place_slot(
    config: SceneConfig,
    studio: Studio,
    seed: int,
    ids: np.ndarray,
    cast: Cast,
    T_world_from_camera: np.ndarray,
    taken: Spans,
    table: np.ndarray,
    board: np.ndarray,
    slot: int,
    rows: np.ndarray,
) -> tuple[Hands, np.ndarray, Spans]:
    """One hand of the scenes `rows`: those that found a place, tables' heights, capsules."""
    stage = f"hand{slot}"
    body = np.tile(np.eye(4), (len(rows), 1, 1))
    if slot >= 2:
        body = facing_body(config.body, uniform(seed, ids[rows], "other/body", 6))
    setting = Setting(
        ids[rows], cast.left[rows, slot], cast.identity[rows, slot], body,
        T_world_from_camera[rows], table[rows], board[rows], taken, rows,
    )  # fmt: skip
    wanted = cast.situation[rows]
    if slot:
        wanted = _second_action(config, uniform(seed, ids[rows], f"{stage}/action", 2), table[rows])
    actions = draw_actions(
        config, studio, seed, ids[rows], stage, np.where(wanted == TOGETHER, FREE, wanted),
        setting.identity, setting.left, cast.split[rows],
    )  # fmt: skip
    if slot:
        actions = _without_tables(actions, np.isnan(table[rows]))
    placed = place_hands(config, studio, seed, f"{stage}/place", setting, actions)
    # Where no arm reaches over a table, the same is done without one; else the hand stays free.
    for step in ("bare", "free"):
        again = np.flatnonzero(~placed.found & (actions.kind != FREE))
        if not len(again):
            break
        if step == "bare":
            other = lift_off(take_actions(actions, again))
            if slot:
                other = _without_tables(other, np.full(len(again), True))
        else:
            other = draw_actions(
                config, studio, seed, ids[rows[again]], stage, np.full(len(again), FREE),
                setting.identity[again], setting.left[again], cast.split[rows[again]],
            )  # fmt: skip
        some = take_setting(setting, again)
        second = place_hands(config, studio, seed, f"{stage}/{step}", some, other)
        actions = replace_actions(actions, again, other)
        placed = _merge(placed, again, second)
    keep = np.flatnonzero(placed.found)
    hands = _gather(
        rows[keep], slot, cast, actions.kind[keep], take_actions(actions, keep),
        placed.angles[keep], placed.T_world_from_wrist[keep], body[keep], placed.elbow[keep],
        placed.shoulder[keep], placed.swivel[keep],
    )  # fmt: skip
    return hands, placed.table[keep], take_spans(placed.spans, keep)


SHARED_DRAWS: Final = 4
"""Things that are drawn until one is large enough for two hands."""
SECOND_AT_TABLE: Final = 0.5
"""How often a hand beside one at a table is on the table, too."""
SECOND_GRASPS: Final = 0.5
"""How often a second hand holds something, against the first."""


def _second_action(config: SceneConfig, u: np.ndarray, table: np.ndarray) -> np.ndarray:
    """(N,) what hands beside the first one are to do."""
    grasps = u[:, 0] < SECOND_GRASPS * config.situation.grasp_share
    rests = ~np.isnan(table) & (u[:, 1] < SECOND_AT_TABLE) & (config.situation.touch_share > 0)
    return np.where(grasps, GRASP, np.where(rests, TOUCH, FREE))


def _without_tables(actions: Actions, bare: np.ndarray) -> Actions:
    """A second hand never brings a table or board: the first one may be where it would be."""
    out = take_actions(actions, np.arange(len(bare)))
    rests = ~np.isnan(out.plane[:, 0])
    rests &= bare | np.isnan(out.up[:, 0]) | ~np.isnan(out.edge[:, 0])
    rows = np.flatnonzero(rests)
    out = replace_actions(out, rows, free_actions(out.angles[rows], out.preset[rows]))
    out.stands[bare] = False
    return out


def _merge(placed: Placed, rows: np.ndarray, other: Placed) -> Placed:
    for name in ("found", "angles", "T_world_from_wrist", "elbow", "shoulder", "swivel", "table"):
        getattr(placed, name)[rows] = getattr(other, name)
    for whole, part in zip(placed.spans, other.spans, strict=True):
        whole[rows] = part
    return placed


def _gather(
    scenes: np.ndarray,
    slot: int,
    cast: Cast,
    action: np.ndarray,
    actions: Actions,
    angles: np.ndarray,
    pose: np.ndarray,
    body: np.ndarray,
    elbow: np.ndarray,
    shoulder: np.ndarray,
    swivel: np.ndarray,
) -> Hands:
    return Hands(
        frame=scenes,
        slot=np.full(len(scenes), slot),
        left=cast.left[scenes, slot],
        identity=cast.identity[scenes, slot],
        action=action,
        angles=angles,
        preset=actions.preset,
        grasp=actions.grasp,
        solid=actions.solid,
        # Of a thing between both hands, the first has charge.
        thing=np.where(action == TOGETHER, 0, slot),
        T_wrist_from_object=actions.T_wrist_from_object,
        plane=actions.plane,
        edge=actions.edge,
        thickness=actions.thickness,
        stands=actions.stands,
        on_table=~np.isnan(actions.up[:, 0]) & np.isnan(actions.edge[:, 0]),
        T_world_from_wrist=pose,
        T_world_from_body=body,
        elbow=elbow,
        shoulder=shoulder,
        swivel=swivel,
    )
