"""Capsules that hold what is in a scene: cheap to test against each other."""

from typing import Final

import numpy as np

from synth.hand.bones import FINGER_START, FOREARM_BONE, THUMB
from synth.hand.collision import CAPSULE_BONES, Capsules, place_capsules
from synth.hand.kinematics import bone_transforms
from synth.hand.rig import Rig
from synth.rigid import dot
from synth.scene import upper_arm
from synth.scene.situation import SLOTS

_GIRTH: Final = np.array(
    [
        1.8 if b in FINGER_START else 1.5 if b == FOREARM_BONE else 1.3 if b == THUMB else 1.1
        for b in CAPSULE_BONES
    ]
)
"""A capsule's radius is the median of its flesh; the palm between the metacarpals, the thenar and
the forearm's thick end stand out farther. So much thicker, capsules hold the skin."""

FAR_M: Final = 1e3
"""Where capsules of absent things are put, with a radius of -1 m: they meet nothing, nor each
other."""

FOREARM_SPAN: Final = len(CAPSULE_BONES) - 1
UPPER_ARM_SPAN: Final = FOREARM_SPAN + 1
OBJECT_SPAN: Final = FOREARM_SPAN + 2
SPANS: Final = OBJECT_SPAN + 1
"""Capsules of a hand with its arm and the thing it holds."""
SLOT_SPANS: Final = tuple(slot * SPANS for slot in range(SLOTS))
"""Where the capsules of each slot's hand begin among those of a scene."""

Spans = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Capsules of N sets: start (N, C, 3), end (N, C, 3), radius (N, C)."""


def hand_spans(
    rig: Rig,
    capsules: Capsules,
    identity: np.ndarray,
    angles: np.ndarray,
    pose: np.ndarray,
    left: np.ndarray,
    shoulder: np.ndarray,
    thing: Spans,
) -> Spans:
    """Capsules (N, SPANS) that hold the skin of posed hands, their upper arms, and their things.

    pose (N, 4, 4) T_world_from_wrist, shoulder (N, 3), thing: (N, 1) capsules from `object_span`.
    """
    transforms, _ = bone_transforms(rig, identity, angles, pose, left)
    start, end, radius = place_capsules(capsules, identity, transforms)
    elbow, forearm = end[:, -1:], radius[:, -1:]
    return (
        np.concatenate([start, elbow, thing[0]], axis=1),
        np.concatenate([end, shoulder[:, None], thing[1]], axis=1),
        np.concatenate(
            [radius * _GIRTH, upper_arm.GIRTH * upper_arm.WIDEST * forearm, thing[2]], axis=1
        ),
    )


def object_span(pose: np.ndarray, size: np.ndarray, present: np.ndarray) -> Spans:
    """A capsule (N, 1) around a box of extent `size` (N, 3) at `pose` (N, 4, 4), along its longest
    side; far away where not `present` (N,).
    """
    longest = size.argmax(1)
    rows = np.arange(len(size))
    spot = np.where(present[:, None], pose[:, :3, 3], FAR_M)
    axis = pose[rows, :3, longest]
    half = size[rows, longest][:, None] / 2
    across2 = dot(size, size) - size[rows, longest] ** 2
    radius = np.where(present, np.sqrt(across2) / 2, -1.0)
    return (spot - half * axis)[:, None], (spot + half * axis)[:, None], radius[:, None]


def empty_spans(count: int, size: int) -> Spans:
    """Room for `size` capsules each, far away."""
    return (
        np.full((count, size, 3), FAR_M),
        np.full((count, size, 3), FAR_M),
        np.full((count, size), -1.0),
    )


def join_spans(spans: Spans, others: Spans) -> Spans:
    """The capsules of both, set by set."""
    starts, ends, radii = (np.concatenate(pair, axis=1) for pair in zip(spans, others, strict=True))
    return starts, ends, radii


def take_spans(spans: Spans, rows: np.ndarray) -> Spans:
    """Some of the sets."""
    return spans[0][rows], spans[1][rows], spans[2][rows]


def lowest(spans: Spans) -> np.ndarray:
    """(N,) height of the lowest point of each set; those far away do not count."""
    bottom = np.minimum(spans[0][..., 2], spans[1][..., 2]) - spans[2]
    return np.where(spans[0][..., 2] > FAR_M / 2, np.inf, bottom).min(1)


def nearest_to_plane(spans: Spans, plane: np.ndarray) -> np.ndarray:
    """(N,) height of the nearest point of each set above its plane n . x = d (N, 4); inf for NaN.

    Those far away do not count.
    """
    n = plane[:, None, :3]
    height = np.minimum(dot(spans[0], n), dot(spans[1], n)) - spans[2] - plane[:, 3:]
    there = (spans[0][..., 2] < FAR_M / 2) & ~np.isnan(plane[:, 3:])
    return np.where(there, height, np.inf).min(1)
