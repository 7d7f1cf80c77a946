"""Hands in a scene: who, which side, what pose, where; never one through another."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import BodyConfig, PoseConfig
from synth.hand.bones import FINGER_START, FOREARM_BONE, PALM, THUMB
from synth.hand.collision import CAPSULE_BONES, Capsules, mutual_penetration, place_capsules
from synth.hand.kinematics import bone_transforms
from synth.hand.rig import Rig
from synth.pose.flesh import Flesh
from synth.pose.sampler import sample_poses
from synth.scene import upper_arm
from synth.scene.body import place_arms
from synth.scene.upper_arm import arm_poses, shoulders

ROUNDS: Final = (2, 6, 24)
"""Places that are tried at once for a hand; the first free one counts. A first hand without any
takes the neutral place, a second one is left out."""

HAND_GAP_M: Final = 0.004
"""The capsules of two hands keep at least this far apart."""

_GIRTH: Final = np.array(
    [
        1.8 if b in FINGER_START else 1.5 if b == FOREARM_BONE else 1.3 if b == THUMB else 1.1
        for b in CAPSULE_BONES
    ]
)
"""A capsule's radius is the median of its flesh; the palm between the metacarpals, the thenar and
the forearm's thick end stand out farther. So much thicker, capsules hold the skin."""

FAR_M: Final = 1e3
"""Where capsules of absent things are put."""

Spans = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Capsules of N hands: start (N, C, 3), end (N, C, 3), radius (N, C)."""


@dataclass(frozen=True)
class Hands:
    """N posed hands of B frames, in the order of frame and slot."""

    frame: np.ndarray
    """(N,) index into the batch."""
    slot: np.ndarray
    """(N,) number of the hand within its frame."""
    left: np.ndarray
    """(N,) bool"""
    identity: np.ndarray
    """(N,) index into the rig's people."""
    angles: np.ndarray
    """(N, 29) rad"""
    preset: np.ndarray
    """(N,) named pose shown, -1 for none."""
    T_world_from_wrist: np.ndarray
    """(N, 4, 4)"""
    T_world_from_upper_arm: np.ndarray
    """(N, 4, 4) affine maps of the tube of `synth.scene.upper_arm`."""
    spans: Spans
    """Capsules in the world frame; the last one of each hand is its upper arm, the one before it
    its forearm."""


def place_hands(
    body: BodyConfig,
    pose: PoseConfig,
    two_hands_share: float,
    field: np.ndarray,
    rig: Rig,
    capsules: Capsules,
    flesh: Flesh,
    seed: int,
    frame_ids: np.ndarray,
    T_world_from_camera: np.ndarray,
) -> Hands:
    """One or two hands a frame, reached by the wearer's arms, apart from each other."""
    count = len(frame_ids)
    u = uniform(seed, frame_ids, "hands/who", 3)
    identity = np.minimum((u[:, 0] * len(rig.shape)).astype(np.int64), len(rig.shape) - 1)
    two = u[:, 1] < two_hands_share
    first_left = u[:, 2] < 0.5
    groups = []
    everyone = np.arange(count)
    other: Spans | None = None
    for slot, rows in ((0, everyone), (1, everyone[two])):
        ids = frame_ids[rows]
        poses = sample_poses(pose, seed, ids, f"hand{slot}/pose", flesh, identity[rows])
        obstacle = None if other is None else tuple(part[rows] for part in other)
        placed = _place(
            body,
            field,
            rig,
            capsules,
            seed,
            ids,
            f"hand{slot}/place",
            T_world_from_camera[rows],
            first_left[rows] == (slot == 0),
            identity[rows],
            poses.angles,
            obstacle,
        )
        other = placed.spans
        keep = placed.found if slot else np.ones(len(rows), bool)
        groups.append(
            Hands(
                frame=rows[keep],
                slot=np.full(keep.sum(), slot),
                left=(first_left[rows] == (slot == 0))[keep],
                identity=identity[rows][keep],
                angles=placed.angles[keep],
                preset=poses.preset[keep],
                T_world_from_wrist=placed.T_world_from_wrist[keep],
                T_world_from_upper_arm=_upper_arms(placed.spans)[keep],
                spans=(placed.spans[0][keep], placed.spans[1][keep], placed.spans[2][keep]),
            )
        )
    return _interleave(groups)


@dataclass(frozen=True)
class _Placed:
    found: np.ndarray
    angles: np.ndarray
    T_world_from_wrist: np.ndarray
    spans: Spans


def _place(
    body: BodyConfig,
    field: np.ndarray,
    rig: Rig,
    capsules: Capsules,
    seed: int,
    ids: np.ndarray,
    stage: str,
    T_world_from_camera: np.ndarray,
    left: np.ndarray,
    identity: np.ndarray,
    angles: np.ndarray,
    obstacle: tuple[np.ndarray, ...] | None,
) -> _Placed:
    """The first place that the arm reaches and that is free; else the neutral one, not `found`."""
    count = len(ids)
    length = rig.hand_length[identity]
    forearm = _forearm_length(rig)[identity]
    still, middle = np.zeros((count, 7)), np.full(count, 0.5)
    neutral = place_arms(body, field, T_world_from_camera, left, length, forearm, still, middle)
    posed = angles.copy()
    posed[:, :2] = neutral.wrist_angles
    pose = neutral.T_world_from_wrist.copy()
    found = np.zeros(count, bool)
    start = 0
    for size in ROUNDS:
        rest = np.flatnonzero(~found)
        rows = np.repeat(rest, size)
        attempt = np.tile(np.arange(start, start + size), len(rest))
        u = uniform(seed, ids[rows], stage, 15, attempt)
        tries = place_arms(
            body,
            field,
            T_world_from_camera[rows],
            left[rows],
            length[rows],
            forearm[rows],
            normal(u[:, :14]),
            u[:, 14],
        )
        free = tries.fits.reshape(len(rest), size)
        pending = np.flatnonzero(free.any(1))
        while len(pending):
            pick = pending * size + free[pending].argmax(1)
            at = rest[pending]
            posed[at, :2] = tries.wrist_angles[pick]
            pose[at] = tries.T_world_from_wrist[pick]
            found[at] = True
            if obstacle is None:
                break
            spans = hand_spans(rig, capsules, identity[at], posed[at], pose[at], left[at])
            hit = mutual_penetration(*spans, *obstacle, at) > -HAND_GAP_M
            found[at[hit]] = False
            free.reshape(-1)[pick[hit]] = False
            pending = pending[hit]
            pending = pending[free[pending].any(1)]
        start += size
        if found.all():
            break
    return _Placed(found, posed, pose, hand_spans(rig, capsules, identity, posed, pose, left))


def _forearm_length(rig: Rig) -> np.ndarray:
    """(I,) metres from wrist to elbow."""
    arm = rig.rest_joints[:, FOREARM_BONE].astype(np.float64) - rig.rest_joints[:, PALM]
    return np.asarray(np.sqrt(arm[:, 0] ** 2 + arm[:, 1] ** 2 + arm[:, 2] ** 2))


def hand_spans(
    rig: Rig,
    capsules: Capsules,
    identity: np.ndarray,
    angles: np.ndarray,
    pose: np.ndarray,
    left: np.ndarray,
) -> Spans:
    """Capsules (N, C + 1) that hold the skin of posed hands and their upper arms, in the world.

    pose (N, 4, 4) T_world_from_wrist.
    """
    transforms, _ = bone_transforms(rig, identity, angles, pose, left)
    start, end, radius = place_capsules(capsules, identity, transforms)
    elbow, forearm = end[:, -1:], radius[:, -1:]
    return (
        np.concatenate([start, elbow], axis=1),
        np.concatenate([end, shoulders(left)[:, None]], axis=1),
        np.concatenate([radius * _GIRTH, upper_arm.GIRTH * upper_arm.WIDEST * forearm], axis=1),
    )


def _upper_arms(spans: Spans) -> np.ndarray:
    """(N, 4, 4) T_world_from_upper_arm from the last capsules of `hand_spans`."""
    start, end, radius = spans
    return arm_poses(start[:, -1], end[:, -1], radius[:, -1] / upper_arm.WIDEST)


def _interleave(groups: list[Hands]) -> Hands:
    frame = np.concatenate([g.frame for g in groups])
    slot = np.concatenate([g.slot for g in groups])
    order = np.lexsort((slot, frame))

    def join(name: str) -> np.ndarray:
        return np.asarray(np.concatenate([getattr(g, name) for g in groups])[order])

    spans = [np.concatenate([g.spans[k] for g in groups])[order] for k in range(3)]
    return Hands(
        frame=frame[order],
        slot=slot[order],
        left=join("left"),
        identity=join("identity"),
        angles=join("angles"),
        preset=join("preset"),
        T_world_from_wrist=join("T_world_from_wrist"),
        T_world_from_upper_arm=join("T_world_from_upper_arm"),
        spans=(spans[0], spans[1], spans[2]),
    )
