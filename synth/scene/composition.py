"""Who does what where: a scene before its surroundings."""

from dataclasses import dataclass
from typing import Final

import numba
import numpy as np

from frames.stream import uniform
from synth.config import SceneConfig
from synth.rigid import rotate
from synth.scene.board import board_planes, place_boards
from synth.scene.body import HEAD_DRAWS, head_pose
from synth.scene.hands import Hands
from synth.scene.lap import lap_spans
from synth.scene.placement import Objects, add_loose_objects, hold_objects
from synth.scene.population import populate
from synth.scene.situation import draw_cast
from synth.scene.spans import FAR_M, FOREARM_SPAN, SLOT_SPANS, UPPER_ARM_SPAN, Spans
from synth.scene.studio import Studio


@dataclass(frozen=True)
class Composition:
    """U scenes."""

    ids: np.ndarray
    """(U,) int64 number of each: keys its random streams."""
    split: np.ndarray
    """(U,) index of the split it belongs to."""
    situation: np.ndarray
    """(U,)"""
    T_world_from_camera: np.ndarray
    """(U, 4, 4)"""
    hands: Hands
    objects: Objects
    boards: np.ndarray
    """(N, 4, 4) affine map of the unit cube under each hand that touches one, NaN for none."""
    table: np.ndarray
    """(U,) height of the table that something stands or rests on, NaN for none."""
    table_point: np.ndarray
    """(U, 3) what stands there: the table is about it. NaN for none."""
    seated: np.ndarray
    """(U,) bool: the wearer's lap is below."""
    spans: Spans
    """(U, C) capsules of hands, arms, things and the lap."""


def compose(config: SceneConfig, studio: Studio, seed: int, ids: np.ndarray) -> Composition:
    """Draw scenes `ids` (U,) int64: each depends on (seed, id) and the options only."""
    cast = draw_cast(config, studio.pools, seed, ids)
    head = head_pose(config.body, uniform(seed, ids, "head", HEAD_DRAWS), cast.works)
    seated, lap = lap_spans(config.outfit, seed, ids)
    people = populate(config, studio, seed, ids, cast, head, lap)
    hands, eye = people.hands, head[:, :3, 3]
    objects, spans = add_loose_objects(
        config.object_share, config.max_objects, studio, hold_objects(hands, len(ids)), hands,
        people.spans, people.table, board_planes(hands, len(ids)), cast.split, eye, seed, ids,
    )  # fmt: skip
    point = np.full((len(ids), 3), np.nan)
    middle = hands.T_world_from_wrist[:, :3, 3] - 0.09 * hands.T_world_from_wrist[:, :3, 2]
    point[hands.frame[::-1]] = middle[::-1]
    point[:, 2] = people.table
    point[np.isnan(people.table)] = np.nan
    return Composition(
        ids, cast.split, people.situation, head, hands, objects, place_boards(hands, seed, ids),
        people.table, point, seated, spans,
    )  # fmt: skip


def occupied(scene: Composition, extents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Balls that fill hands, arms, things and boards: (U, P, 3) and (U, P); NaN for none.

    extents (S, 3) of the solids. Things and boards are the eight corners of their boxes each.
    """
    count, places = scene.objects.present.shape
    balls = len(SLOT_SPANS) * (2 * (UPPER_ARM_SPAN + 1) + 2 * len(WAYS))
    points = np.full((count, balls + 8 * (places + len(SLOT_SPANS)), 3), np.nan)
    radii = np.zeros(points.shape[:2])
    radii[:, :balls] = -1.0
    _fill_limbs(*scene.spans, np.array(WAYS), points, radii)
    frame, place = np.nonzero(scene.objects.present)
    pose = scene.objects.T_world_from_object[frame, place]
    size = extents[scene.objects.solid[frame, place]]
    box = rotate(pose[:, None, :3, :3], CORNERS * size[:, None]) + pose[:, None, :3, 3]
    for corner in range(8):
        points[frame, balls + 8 * place + corner] = box[:, corner]
    row = np.flatnonzero(~np.isnan(scene.boards[:, 0, 0]))
    board = rotate(scene.boards[row, None, :3, :3], CORNERS) + scene.boards[row, None, :3, 3]
    for corner in range(8):
        at = balls + 8 * (places + scene.hands.slot[row]) + corner
        points[scene.hands.frame[row], at] = board[:, corner]
    return points, radii


WAYS: Final = (0.25, 0.5, 0.75)
"""Bones are short against a room, arms are not: these get balls on their way, too."""
CORNERS: Final = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2


@numba.njit(cache=True, nogil=True)
def _fill_limbs(start, end, radius, ways, points, radii):  # type: ignore[no-untyped-def]
    """Balls at both ends of the capsules of hands and arms, and along the arms. Things have their
    boxes, and the lap may well be under a table.
    """
    for b in range(start.shape[0]):
        k = 0
        for slot in SLOT_SPANS:
            for c in range(slot, slot + UPPER_ARM_SPAN + 1):
                there = start[b, c, 0] < FAR_M / 10
                steps = len(ways) if c >= slot + FOREARM_SPAN else 0
                for w in range(2 + steps):
                    t = 0.0 if w == 0 else 1.0 if w == 1 else ways[w - 2]
                    if there:
                        for i in range(3):
                            points[b, k, i] = (1.0 - t) * start[b, c, i] + t * end[b, c, i]
                        radii[b, k] = radius[b, c]
                    k += 1
