"""Shots from frames: what a sensor model gets, worked out from a frame's own columns.

The same from a batch as the reader gives it, from a `Frame`, and at generation, to the bit: all go
through `prepare_shots`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from augment.materials import fill_reflectance
from augment.shot import Keys, Shot
from augment.twist import fill_hands, fill_objects, fill_rest
from frames.camera import Camera
from frames.parts import HAND_STRIDE
from frames.record import Frame
from frames.stream import uniform

SHOT_COLUMNS: Final = (
    *("frame_id", "sequence_id", "time_s", "camera_velocity"),
    *("hands.part_base", "hands.identity", "hands.wearer", "hands.worn"),
    *("hands.keypoints_cam_m", "hands.keypoints_velocity_m_s"),
    *("objects.kind", "objects.name", "objects.part_code"),
    *("objects.T_camera_from_object", "objects.velocity"),
)
"""The labels that a shot depends on, by their names in a batch of `frames.store.dataset`."""

_WORD: Final = 2.0**53
_SINGLE: Final = np.uint64(1 << 63)


@dataclass(frozen=True)
class Shots:
    """All of B shots but their images."""

    reflectance: NDArray[np.float32]
    """(B, 256)"""
    twist: NDArray[np.float32] | None
    """(B, 256, 6); None if all stand still."""
    moving: NDArray[np.bool_]
    """(B,) which of them have a twist."""
    time_s: NDArray[np.float64]
    """(B,) 0 outside sequences."""
    frame_key: NDArray[np.int64]
    """(B,)"""
    sequence_key: NDArray[np.int64]
    """(B,)"""
    device_key: int

    def shot(
        self,
        b: int,
        camera: Camera,
        depth: NDArray[np.uint16],
        depth_scale: float,
        parts: NDArray[np.uint8] | None,
    ) -> Shot:
        """The b-th shot with its clean depth (H, W) and part codes (H, W), None for unknown."""
        return Shot(
            camera=camera,
            depth=depth,
            depth_scale=float(depth_scale),
            parts=np.zeros(depth.shape, np.uint8) if parts is None else parts,
            reflectance=self.reflectance[b],
            twist=self.twist[b] if self.twist is not None and self.moving[b] else None,
            time_s=float(self.time_s[b]),
            keys=Keys(int(self.frame_key[b]), int(self.sequence_key[b]), self.device_key),
        )


def prepare_shots(batch: Mapping[str, Any], seed: int) -> Shots:
    """What B shots need besides images, from a batch that has `SHOT_COLUMNS`, "hand_counts" and
    "object_counts" as `frames.store.dataset.Dataset.batches` gives them (nulls: NaN, -1, None).

    seed: of the sensor; every number depends on it and the frame's own columns alone.
    """
    frame_id = np.asarray(batch["frame_id"], np.int64)
    sequence = np.asarray(batch["sequence_id"], np.int64)
    time_s = np.asarray(batch["time_s"], np.float64)
    count = len(frame_id)
    rows = np.arange(count)
    hand_frame = np.repeat(rows, np.asarray(batch["hand_counts"], np.int64))
    hand_slot = np.asarray(batch["hands.part_base"], np.int64) // HAND_STRIDE
    object_frame = np.repeat(rows, np.asarray(batch["object_counts"], np.int64))
    code = np.asarray(batch["objects.part_code"], np.int64)
    scenes = mark_scenes(frame_id, sequence)
    reflectance = fill_reflectance(
        seed, scenes, hand_frame, hand_slot,
        np.asarray(batch["hands.identity"], np.int64),
        np.asarray(batch["hands.wearer"], bool),
        list(batch["hands.worn"]), object_frame, code,
        list(batch["objects.kind"]), list(batch["objects.name"]),
    )  # fmt: skip
    camera_velocity = np.asarray(batch["camera_velocity"], np.float64).reshape(count, 6)
    moving = np.asarray(np.isfinite(camera_velocity).all(1))
    twist = None
    if moving.any():
        twist = np.zeros((count, 256, 6), np.float32)
        fill_rest(camera_velocity, twist)
        fill_hands(
            hand_frame,
            hand_slot,
            _doubles(batch["hands.keypoints_cam_m"], 21, 3),
            _doubles(batch["hands.keypoints_velocity_m_s"], 21, 3),
            twist,
        )
        fill_objects(
            object_frame,
            code,
            _doubles(batch["objects.T_camera_from_object"], 4, 4),
            _doubles(batch["objects.velocity"], 6),
            twist,
        )
    return Shots(
        reflectance=reflectance,
        twist=twist,
        moving=moving,
        time_s=np.where(np.isnan(time_s), 0.0, time_s),
        frame_key=_draw_words(seed, frame_id, "sensor/frame"),
        sequence_key=draw_sequence_keys(seed, scenes),
        device_key=int(_draw_words(seed, np.zeros(1, np.int64), "sensor/unit")[0]),
    )


def mark_scenes(frame_id: NDArray[np.int64], sequence_id: NDArray[np.int64]) -> NDArray[np.uint64]:
    """(B,) words that are equal within a sequence (-1: none) and nowhere else.

    A frame outside sequences is one of its own; no sequence has such a number.
    """
    single = _SINGLE | np.asarray(frame_id, np.int64).astype(np.uint64)
    sequence = np.asarray(sequence_id, np.int64)
    return np.where(sequence >= 0, sequence.astype(np.uint64), single)


def draw_sequence_keys(seed: int, scenes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """(B,) `Keys.sequence` of frames from `mark_scenes`."""
    return _draw_words(seed, scenes, "sensor/sequence")


def batch_frame(frame: Frame) -> dict[str, Any]:
    """The labels of one frame as a batch of one, for `prepare_shots`."""
    return batch_frames([frame])


def batch_frames(frames: Sequence[Frame]) -> dict[str, Any]:
    """The labels of frames as a batch, for `prepare_shots`."""
    hands = [hand for frame in frames for hand in frame.hands]
    objects = [one for frame in frames for one in frame.objects]
    out: dict[str, Any] = {
        "frame_id": np.array([f.frame_id for f in frames], np.int64),
        "sequence_id": np.array([_number(f.sequence_id) for f in frames], np.int64),
        "time_s": np.array([np.nan if f.time_s is None else f.time_s for f in frames]),
        "camera_velocity": _stack([f.camera_velocity for f in frames], 6),
        "hand_counts": np.array([len(f.hands) for f in frames]),
        "object_counts": np.array([len(f.objects) for f in frames]),
        "hands.part_base": np.array([h.part_base for h in hands], np.int64),
        "hands.identity": np.array([_number(h.identity) for h in hands], np.int64),
        "hands.wearer": np.array([h.wearer for h in hands], bool),
        "hands.worn": [h.worn for h in hands],
        "hands.keypoints_cam_m": _stack([h.keypoints_cam_m for h in hands], 21, 3),
        "hands.keypoints_velocity_m_s": _stack([h.keypoints_velocity_m_s for h in hands], 21, 3),
        "objects.kind": [o.kind for o in objects],
        "objects.name": [o.name for o in objects],
        "objects.part_code": np.array([o.part_code for o in objects], np.int64),
        "objects.T_camera_from_object": _stack([o.T_camera_from_object for o in objects], 4, 4),
        "objects.velocity": _stack([o.velocity for o in objects], 6),
    }
    return out


def shot_of_frame(frame: Frame, seed: int) -> Shot:
    """The shot of a frame, which must have its clean depth."""
    assert frame.clean_depth is not None
    shots = prepare_shots(batch_frame(frame), seed)
    return shots.shot(0, frame.camera, frame.clean_depth, frame.depth_scale, frame.parts)


def _draw_words(seed: int, ids: NDArray[Any], stage: str) -> NDArray[np.int64]:
    """(B,) 53-bit words: all the bits of a uniform number."""
    return (uniform(seed, ids, stage, 1)[:, 0] * _WORD).astype(np.int64)


def _doubles(values: Any, *shape: int) -> NDArray[np.float64]:
    """Stored vectors as the kernels take them."""
    return np.ascontiguousarray(np.asarray(values, np.float64).reshape(-1, *shape))


def _stack(values: list[Any], *shape: int) -> NDArray[np.float32]:
    out = np.full((len(values), *shape), np.nan, np.float32)
    for i, value in enumerate(values):
        if value is not None:
            out[i] = value
    return out


def _number(value: int | None) -> int:
    return -1 if value is None else int(value)
