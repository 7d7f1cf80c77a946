"""A scene: a wearer's hands, objects and surroundings, drawn up for a batch of frames at once."""

from dataclasses import dataclass

import numpy as np

from frames.camera import Camera
from frames.stream import uniform
from synth.config import SceneConfig
from synth.hand.bones import FINGER_START
from synth.hand.collision import CAPSULE_BONES, Capsules
from synth.hand.rig import Rig
from synth.pose.flesh import Flesh
from synth.rigid import rotate
from synth.scene.body import half_field, head_pose
from synth.scene.hands import FAR_M, Hands, Spans, place_hands
from synth.scene.objects import Solid
from synth.scene.placement import Objects, place_objects
from synth.scene.room import Rooms, build_rooms


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
    flesh: Flesh,
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
        flesh,
        seed,
        frame_ids,
        head,
    )
    spans = _spans_by_frame(hands, len(frame_ids))
    # The middle of the first hand: half way along the middle finger's metacarpal.
    first, metacarpal = hands.slot == 0, CAPSULE_BONES.index(FINGER_START[1])
    centre = ((hands.spans[0] + hands.spans[1]) / 2)[first, metacarpal]
    objects = place_objects(
        config.object_share, config.max_objects, solids, centre, spans, seed, frame_ids
    )
    points, radius = _occupied(spans, objects)
    rooms = build_rooms(config.room, points, radius, uniform(seed, frame_ids, "room", 40))
    return Scenes(frame_ids, head, hands, objects, rooms)


def _spans_by_frame(hands: Hands, count: int) -> Spans:
    """Capsules of all hands of each frame, (B, 2C, ...); absent hands are far away and thin."""
    start, end, radius = hands.spans
    capsules = radius.shape[1]
    starts = np.full((count, 2, capsules, 3), FAR_M)
    ends = np.full((count, 2, capsules, 3), FAR_M)
    radii = np.zeros((count, 2, capsules))
    starts[hands.frame, hands.slot] = start
    ends[hands.frame, hands.slot] = end
    radii[hands.frame, hands.slot] = radius
    return (
        starts.reshape(count, -1, 3),
        ends.reshape(count, -1, 3),
        radii.reshape(count, -1),
    )


def _occupied(spans: Spans, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
    """Balls that fill hands, forearms and objects: (B, P, 3) and (B, P); NaN for none."""
    start, end, radius = spans
    # Bones are short against a room, arms are not: these get balls on their way, too.
    count, half = len(start), radius.shape[1] // 2
    arms = [half - 2, half - 1, 2 * half - 2, 2 * half - 1]
    ways = [0.75 * start[:, arms] + 0.25 * end[:, arms], 0.5 * (start[:, arms] + end[:, arms])]
    ways.append(0.25 * start[:, arms] + 0.75 * end[:, arms])
    points = np.concatenate([start, end, *ways], axis=1)
    radii = np.concatenate([radius, radius, *[radius[:, arms]] * 3], axis=1)
    corner = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    turn = objects.T_world_from_object[:, :, None, :3, :3]
    box = rotate(turn, corner * objects.size_m[:, :, None])
    box = box + objects.T_world_from_object[:, :, None, :3, 3]
    box = np.where(objects.present[:, :, None, None], box, np.nan).reshape(count, -1, 3)
    points = np.concatenate([np.where(points > FAR_M / 10, np.nan, points), box], axis=1)
    return points, np.concatenate([radii, np.zeros(box.shape[:2])], axis=1)
