"""What sensors need to know of scenes before they are drawn, as a batch of a dataset has it.

The same numbers as `synth.tabulation` stores, in the same precision: a sensor must read the same of
a frame while it is made as of the dataset later.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from frames.parts import HAND_STRIDE, OBJECT_BASE
from synth.scene.clip import Rates
from synth.scene.outfit import name_worn
from synth.scene.scene import Scenes
from synth.things.solid import Solid


def list_shot_labels(
    scenes: Scenes,
    rates: Rates | None,
    solids: Sequence[Solid],
    keypoints_cam_m: np.ndarray,
    T_camera_from_object: np.ndarray,
) -> dict[str, Any]:
    """The columns `augment.shots.SHOT_COLUMNS` of scenes with these keypoints (N, 21, 3) and poses
    (B, OBJECTS, 4, 4).
    """
    hands, placed = scenes.hands, scenes.objects.present
    count, total = len(scenes.frame_ids), len(hands.frame)
    number = placed.cumsum(1) - 1
    chosen = [solids[i] for i in scenes.objects.solid[placed]]
    camera, points, poses = _nothing(count, 6), _nothing(total, 21, 3), _nothing(len(chosen), 6)
    if rates is not None:
        camera, points, poses = rates.camera, rates.keypoints, rates.objects[placed]
    return {
        "frame_id": scenes.frame_ids,
        "sequence_id": np.full(count, -1) if scenes.sequence is None else scenes.sequence,
        "time_s": np.full(count, np.nan) if scenes.time_s is None else scenes.time_s,
        "camera_velocity": _round(camera),
        "hand_counts": np.bincount(hands.frame, minlength=count),
        "hands.part_base": HAND_STRIDE * hands.number,
        "hands.identity": hands.identity,
        "hands.wearer": hands.wearer,
        "hands.worn": list(name_worn(scenes.worn)),
        "hands.keypoints_cam_m": _round(keypoints_cam_m),
        "hands.keypoints_velocity_m_s": _round(points),
        "object_counts": placed.sum(1),
        "objects.kind": [solid.kind for solid in chosen],
        "objects.name": [solid.name for solid in chosen],
        "objects.part_code": OBJECT_BASE + number[placed],
        "objects.T_camera_from_object": _round(T_camera_from_object[placed]),
        "objects.velocity": _round(poses),
    }


def _nothing(*shape: int) -> np.ndarray:
    return np.full(shape, np.nan)


def _round(values: np.ndarray) -> np.ndarray:
    """As stored."""
    return values.astype(np.float32)
