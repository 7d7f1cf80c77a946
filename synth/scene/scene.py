"""A scene: a wearer's hands, objects and surroundings, drawn for a batch of frames at once."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.camera import Camera
from frames.stream import normal, uniform
from synth.config import SceneConfig
from synth.hand.angles import rotation
from synth.hand.collision import Capsules, mutual_penetration
from synth.hand.rig import Rig
from synth.rigid import multiply, rotate
from synth.scene.body import half_field, head_pose
from synth.scene.hands import Hands, Spans, place_hands
from synth.scene.objects import Solid
from synth.scene.room import Rooms, build_rooms

OBJECTS: Final = 2
"""At most so many objects in a frame."""
OBJECT_ATTEMPTS: Final = 10
OBJECT_GAP_M: Final = 0.003
NEAREST_M: Final = 0.10
"""No object comes closer to the camera than this."""


@dataclass(frozen=True)
class Objects:
    """Objects of a batch, OBJECTS places a frame."""

    present: np.ndarray
    """(B, OBJECTS) bool"""
    solid: np.ndarray
    """(B, OBJECTS) index of the solid."""
    size_m: np.ndarray
    """(B, OBJECTS, 3)"""
    T_world_from_object: np.ndarray
    """(B, OBJECTS, 4, 4)"""


@dataclass(frozen=True)
class Scenes:
    """B scenes in their world frames."""

    frame_ids: np.ndarray
    """(B,) int64"""
    T_world_from_camera: np.ndarray
    """(B, 4, 4)"""
    hands: Hands
    """All hands."""
    objects: Objects
    """All objects."""
    rooms: Rooms
    """All surroundings."""


def sample_scenes(
    config: SceneConfig,
    camera: Camera,
    rig: Rig,
    capsules: Capsules,
    presets: np.ndarray,
    solids: tuple[Solid, ...],
    seed: int,
    frame_ids: np.ndarray,
) -> Scenes:
    """Draw a scene for every frame id; it depends on (seed, id) and the options only."""
    head = head_pose(config.body, uniform(seed, frame_ids, "head", 8))
    hands = place_hands(
        config.body,
        config.pose,
        config.two_hands_share,
        half_field(camera),
        rig,
        capsules,
        presets,
        seed,
        frame_ids,
        head,
    )
    spans = _spans_by_frame(hands, len(frame_ids))
    objects = _place_objects(config, solids, hands, spans, seed, frame_ids)
    points, radius = _occupied(spans, objects)
    rooms = build_rooms(config.room, points, radius, uniform(seed, frame_ids, "room", 40))
    return Scenes(frame_ids, head, hands, objects, rooms)


def _spans_by_frame(hands: Hands, count: int) -> Spans:
    """Capsules of all hands of each frame, (B, 2C, ...); absent hands are far away and thin."""
    start, end, radius = hands.spans
    capsules = radius.shape[1]
    starts = np.full((count, 2, capsules, 3), 1e3)
    ends = np.full((count, 2, capsules, 3), 1e3)
    radii = np.zeros((count, 2, capsules))
    starts[hands.frame, hands.slot] = start
    ends[hands.frame, hands.slot] = end
    radii[hands.frame, hands.slot] = radius
    return (
        starts.reshape(count, -1, 3),
        ends.reshape(count, -1, 3),
        radii.reshape(count, -1),
    )


def _place_objects(
    config: SceneConfig,
    solids: tuple[Solid, ...],
    hands: Hands,
    spans: Spans,
    seed: int,
    frame_ids: np.ndarray,
) -> Objects:
    """Objects about the first hand, clear of hands, forearms, each other and the camera."""
    count = len(frame_ids)
    present = np.zeros((count, OBJECTS), bool)
    solid = np.zeros((count, OBJECTS), np.int64)
    sizes = np.ones((count, OBJECTS, 3))
    poses = np.tile(np.eye(4), (count, OBJECTS, 1, 1))
    first = hands.slot == 0
    # The middle of the first hand: half way along its third metacarpal.
    centre = ((hands.spans[0] + hands.spans[1]) / 2)[first, 16]
    obstacles = spans
    for k in range(OBJECTS):
        u = uniform(seed, frame_ids, f"object{k}/what", 5)
        solid[:, k] = np.minimum((u[:, 0] * len(solids)).astype(np.int64), len(solids) - 1)
        limits = np.stack([s.size_range_m for s in solids])[solid[:, k]]
        sizes[:, k] = limits[..., 0] + u[:, 1:4] * (limits[..., 1] - limits[..., 0])
        wanted = np.flatnonzero(u[:, 4] < config.object_share)
        rows = np.repeat(wanted, OBJECT_ATTEMPTS)
        attempt = np.tile(np.arange(OBJECT_ATTEMPTS), len(wanted))
        v = uniform(seed, frame_ids[rows], f"object{k}/place", 8, attempt)
        n = normal(v[:, :6])
        # Half of the objects come between the hand and the eye; the others lie anywhere about it.
        before = u[rows, 0] * len(solids) % 1 < 0.5
        sight = -centre[rows] / np.linalg.norm(centre[rows], axis=1, keepdims=True)
        n += np.where(before[:, None], 2.0, 0.0) * sight
        direction = n / np.linalg.norm(n, axis=1, keepdims=True)
        spot = centre[rows] + direction * (0.05 + 0.22 * v[:, 6, None])
        turn = multiply(
            rotation("z", 2 * np.pi * v[:, 7]),
            rotation("x", 0.6 * n[:, 1]),
            rotation("y", 0.6 * n[:, 0]),
        )
        span = _object_capsule(spot, turn, sizes[rows, k])
        gap = -mutual_penetration(*span, *(part[rows] for part in obstacles))
        reach = np.linalg.norm(sizes[rows, k], axis=1) / 2
        clear = (gap > OBJECT_GAP_M) & (np.linalg.norm(spot, axis=1) - reach > NEAREST_M)
        clear = clear.reshape(-1, OBJECT_ATTEMPTS)
        found = clear.any(1)
        pick = (np.arange(len(wanted)) * OBJECT_ATTEMPTS + clear.argmax(1))[found]
        at = wanted[found]
        present[at, k] = True
        poses[at, k, :3, :3], poses[at, k, :3, 3] = turn[pick], spot[pick]
        mine = [np.full((count, 1, 3), 1e3), np.full((count, 1, 3), 1e3), np.zeros((count, 1))]
        for whole, part in zip(mine, span, strict=True):
            whole[at] = part[pick]
        obstacles = tuple(
            np.concatenate([a, b], axis=1) for a, b in zip(obstacles, mine, strict=True)
        )  # type: ignore[assignment]
    return Objects(present, solid, sizes, poses)


def _object_capsule(spot: np.ndarray, turn: np.ndarray, size: np.ndarray) -> Spans:
    """A capsule around a box of extent `size` (N, 3): along its longest side."""
    longest = size.argmax(1)
    rows = np.arange(len(size))
    axis = turn[rows, :, longest]
    half = size[rows, longest][:, None] / 2
    across2 = (size**2).sum(1) - size[rows, longest] ** 2
    return (
        (spot - half * axis)[:, None],
        (spot + half * axis)[:, None],
        (np.sqrt(across2) / 2)[:, None],
    )


def _occupied(spans: Spans, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
    """Balls that fill hands, forearms and objects: (B, P, 3) and (B, P); NaN for none."""
    start, end, radius = spans
    # Bones are short against a room, forearms are not: these get balls on their way, too.
    count, half = len(start), radius.shape[1] // 2
    arms = [half - 1, 2 * half - 1]
    ways = [0.75 * start[:, arms] + 0.25 * end[:, arms], 0.5 * (start[:, arms] + end[:, arms])]
    ways.append(0.25 * start[:, arms] + 0.75 * end[:, arms])
    points = np.concatenate([start, end, *ways], axis=1)
    radii = np.concatenate([radius, radius, *[radius[:, arms]] * 3], axis=1)
    corner = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    turn = objects.T_world_from_object[:, :, None, :3, :3]
    box = rotate(turn, corner * objects.size_m[:, :, None])
    box = box + objects.T_world_from_object[:, :, None, :3, 3]
    box = np.where(objects.present[:, :, None, None], box, np.nan).reshape(count, -1, 3)
    points = np.concatenate([np.where(points > 1e2, np.nan, points), box], axis=1)
    return points, np.concatenate([radii, np.zeros(box.shape[:2])], axis=1)
