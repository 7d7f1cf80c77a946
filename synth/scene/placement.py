"""Things in a scene: those that hands hold or touch, and loose ones about them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.hand.angles import rotation
from synth.hand.collision import mutual_penetration
from synth.rigid import dot, multiply
from synth.scene.hands import Hands
from synth.scene.situation import SLOTS
from synth.scene.spans import Spans, empty_spans, join_spans, nearest_to_plane, object_span
from synth.scene.studio import Studio

LOOSE: Final = 2
"""At most so many loose things in a frame."""
OBJECTS: Final = SLOTS + LOOSE
"""Places of a frame: the thing of each hand's slot, then loose ones."""
ROUNDS: Final = (1, 3, 6)
"""Places that are tried at once for a loose thing; it is left out if none is free."""
BEFORE: Final = 2.0
"""How strongly a thing before a hand is drawn towards the eye, against a normal direction."""
OBJECT_GAP_M: Final = 0.003
NEAREST_M: Final = 0.10
"""Nothing comes closer to the camera than this."""
ON_TABLE: Final = 0.6
"""Share of the loose things that stand on the table, where there is one."""


@dataclass(frozen=True)
class Objects:
    """Labelled things of a batch, OBJECTS places a frame."""

    present: np.ndarray
    """(B, OBJECTS) bool"""
    solid: np.ndarray
    """(B, OBJECTS) index of the solid."""
    T_world_from_object: np.ndarray
    """(B, OBJECTS, 4, 4)"""


def hold_objects(hands: Hands, count: int) -> Objects:
    """The things that the hands of `count` frames hold or touch, at their hands' slots."""
    holds = (hands.solid >= 0) & (hands.thing == hands.slot)
    frame, slot = hands.frame[holds], hands.slot[holds]
    present = np.zeros((count, OBJECTS), bool)
    solid = np.zeros((count, OBJECTS), np.int64)
    pose = np.tile(np.eye(4), (count, OBJECTS, 1, 1))
    present[frame, slot] = True
    solid[frame, slot] = hands.solid[holds]
    pose[frame, slot] = multiply(hands.T_world_from_wrist[holds], hands.T_wrist_from_object[holds])
    return Objects(present, solid, pose)


def add_loose_objects(
    object_share: float,
    max_objects: int,
    studio: Studio,
    objects: Objects,
    hands: Hands,
    spans: Spans,
    table: np.ndarray,
    board: np.ndarray,
    split: np.ndarray,
    eye: np.ndarray,
    seed: int,
    ids: np.ndarray,
) -> tuple[Objects, Spans]:
    """Things about a hand, clear of hands, arms, each other and the camera.

    spans (U, C) capsules of all that is in the way, table (U,) height or NaN, board (U, 4)
    plane or NaN, split (U,), eye (U, 3). Returns the objects with these, and the spans with theirs.
    """
    present, solid = objects.present.copy(), objects.solid.copy()
    poses = objects.T_world_from_object.copy()
    centre = np.full((len(ids), 3), np.nan)
    middle = hands.T_world_from_wrist[:, :3, 3] - 0.09 * hands.T_world_from_wrist[:, :3, 2]
    # Backwards, so that the first hand of a frame has the last word.
    centre[hands.frame[::-1]] = middle[::-1]
    spans = join_spans(spans, empty_spans(len(ids), max_objects))
    for k in range(max_objects):
        u = uniform(seed, ids, f"object{k}/what", 6)
        place = SLOTS + k
        solid[:, place] = studio.pools.pick_solid(split, u[:, 0])
        before = np.where(u[:, 5] < 0.5, BEFORE, 0.0)
        stands = ~np.isnan(table) & (u[:, 1] < ON_TABLE)
        pending = np.flatnonzero((u[:, 4] < object_share) & ~np.isnan(centre[:, 0]))
        start = 0
        for tries in ROUNDS:
            if not len(pending):
                break
            rows = np.repeat(pending, tries)
            attempt = np.tile(np.arange(start, start + tries), len(pending))
            v = uniform(seed, ids[rows], f"object{k}/place", 8, attempt)
            pose = _draw_places(centre[rows], eye[rows], before[rows], v)
            size = studio.extents[solid[rows, place]]
            pose = _stand(pose, stands[rows], table[rows], size, v[:, 7])
            capsule = object_span(pose, size, np.ones(len(rows), bool))
            gap = -mutual_penetration(*capsule, *spans, rows)
            away = pose[:, :3, 3] - eye[rows]
            reach = np.sqrt(dot(size, size)) / 2
            clear = (gap > OBJECT_GAP_M) & (np.sqrt(dot(away, away)) - reach > NEAREST_M)
            over = pose[:, 2, 3] - reach > table[rows]
            clear &= np.isnan(table[rows]) | stands[rows] | over
            clear &= nearest_to_plane(capsule, board[rows]) > OBJECT_GAP_M
            clear = clear.reshape(-1, tries)
            found = clear.any(1)
            pick = (np.arange(len(pending)) * tries + clear.argmax(1))[found]
            at = pending[found]
            present[at, place] = True
            poses[at, place] = pose[pick]
            for whole, part in zip(spans, capsule, strict=True):
                whole[at, k - max_objects] = part[pick, 0]
            pending, start = pending[~found], start + tries
    return Objects(present, solid, poses), spans


def _draw_places(
    centre: np.ndarray, eye: np.ndarray, before: np.ndarray, v: np.ndarray
) -> np.ndarray:
    """(N, 4, 4) poses about `centre`, mostly upright."""
    n = normal(v[:, :6])
    view = centre - eye
    n -= (before / np.sqrt(dot(view, view)))[:, None] * view
    direction = n / np.sqrt(dot(n, n))[:, None]
    pose = np.tile(np.eye(4), (len(v), 1, 1))
    pose[:, :3, 3] = centre + direction * (0.05 + 0.25 * v[:, 6, None])
    pose[:, :3, :3] = multiply(
        rotation("z", 2 * np.pi * v[:, 7]),
        rotation("x", 0.6 * n[:, 1]),
        rotation("y", 0.6 * n[:, 0]),
    )
    return pose


def _stand(
    pose: np.ndarray, stands: np.ndarray, table: np.ndarray, size: np.ndarray, turn: np.ndarray
) -> np.ndarray:
    """Upright on the table, where a thing stands on one."""
    out = pose.copy()
    upright = rotation("z", 2 * np.pi * turn)
    out[:, :3, :3] = np.where(stands[:, None, None], upright, pose[:, :3, :3])
    out[:, 2, 3] = np.where(stands, table + size[:, 2] / 2 + 1e-4, pose[:, 2, 3])
    return out
