"""Who does what where: a scene before its surroundings."""

from dataclasses import dataclass

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
from synth.scene.spans import FAR_M, FOREARM_SPAN, SLOT_SPANS, SPANS, UPPER_ARM_SPAN, Spans
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

    extents (S, 3) of the solids.
    """
    # Things are held by their boxes below, and the lap may well be under a table.
    own = [s + k for s in SLOT_SPANS for k in range(UPPER_ARM_SPAN + 1)]
    limbs = [k for k, at in enumerate(own) if (at % SPANS) in (FOREARM_SPAN, UPPER_ARM_SPAN)]
    start, end, radius = (part[:, own] for part in scene.spans)
    # Bones are short against a room, arms are not: these get balls on their way, too.
    ways = [w * start[:, limbs] + (1 - w) * end[:, limbs] for w in (0.75, 0.5, 0.25)]
    points = np.concatenate([start, end, *ways], axis=1)
    radii = np.concatenate([radius, radius, *[radius[:, limbs]] * 3], axis=1)
    corner = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    count, pose = len(start), scene.objects.T_world_from_object
    box = rotate(pose[:, :, None, :3, :3], corner * extents[scene.objects.solid][:, :, None])
    box = box + pose[:, :, None, :3, 3]
    boxes = np.where(scene.objects.present[:, :, None, None], box, np.nan).reshape(count, -1, 3)
    boards = np.full((count, len(SLOT_SPANS), 8, 3), np.nan)
    corners = rotate(scene.boards[:, None, :3, :3], corner) + scene.boards[:, None, :3, 3]
    boards[scene.hands.frame, scene.hands.slot] = corners
    points = np.where(points > FAR_M / 10, np.nan, points)
    points = np.concatenate([points, boxes, boards.reshape(count, -1, 3)], axis=1)
    extra = np.zeros((count, points.shape[1] - radii.shape[1]))
    return points, np.concatenate([radii, extra], axis=1)
