"""Does a posed hand run through itself, or through another hand? Capsules about the bones answer.

A capsule has the length of a bone and the girth of its flesh. Against the skin itself it errs on the
side of rejecting, so a hand that passes here is clean to the eye and to an exact mesh test.
"""

import math
from dataclasses import dataclass

import numba
import numpy as np

from synth.hand.bones import FINGER_START, FOREARM_BONE, PALM, PARENT, THUMB, TIP_BONES
from synth.hand.rig import Rig

PHALANGES = (THUMB, THUMB + 1, THUMB + 2, *(s + k for s in FINGER_START for k in (1, 2, 3)))
CAPSULE_BONES = (*PHALANGES, *FINGER_START, FOREARM_BONE)
"""15 phalanges, the 4 metacarpals in the palm, the forearm."""


@dataclass(frozen=True)
class Capsules:
    """Capsules of a rig, in the order of CAPSULE_BONES."""

    start: np.ndarray
    """(I, C, 3) in the rest pose, metres; skinned rigidly with the bone."""
    end: np.ndarray
    """(I, C, 3)"""
    radius: np.ndarray
    """(I, C) metres"""
    bone: np.ndarray
    """(C,) int64"""
    pairs: np.ndarray
    """(P, 2) int64 capsules of one hand that can meet."""


def _ends(rig: Rig, bone: int) -> tuple[np.ndarray, np.ndarray]:
    start = rig.rest_joints[:, bone]
    if bone == FOREARM_BONE:
        return rig.rest_joints[:, PALM], start
    if bone in TIP_BONES:
        return start, rig.rest_vertices[:, rig.tip_vertices[TIP_BONES.index(bone)]]
    return start, rig.rest_joints[:, bone + 1]


def build_capsules(rig: Rig) -> Capsules:
    """Fit a capsule to the flesh of each bone: its radius is the median distance of the skin."""
    starts, ends, radii = [], [], []
    for bone in CAPSULE_BONES:
        a, b = (e.astype(np.float64) for e in _ends(rig, bone))
        own = rig.skin_bone[:, 0] == bone
        axis = b - a
        length2 = (axis**2).sum(-1)
        if own.sum() >= 6:
            skin = rig.rest_vertices[:, own].astype(np.float64)
            t = np.clip(((skin - a[:, None]) * axis[:, None]).sum(-1) / length2[:, None], 0.1, 0.9)
            away = np.linalg.norm(skin - a[:, None] - t[..., None] * axis[:, None], axis=-1)
            radius = np.median(away, axis=1)
        else:  # a bone without skin of its own (a metacarpal of MANO): as thick as the knuckle
            radius = rig.thickness[:, 5].astype(np.float64) * 0.6
        if bone in FINGER_START:
            # The palm's skin is far from the metacarpal's side; its thickness counts here.
            radius = np.minimum(radius, 0.5 * np.sqrt(length2) * 0.36)
        if bone in TIP_BONES:
            b = b - axis * (radius / np.sqrt(length2))[:, None]
        starts.append(a)
        ends.append(b)
        radii.append(radius)
    return Capsules(
        start=np.stack(starts, 1),
        end=np.stack(ends, 1),
        radius=np.stack(radii, 1),
        bone=np.array(CAPSULE_BONES, dtype=np.int64),
        pairs=_pairs(),
    )


def _pairs() -> np.ndarray:
    """Pairs of capsules of one hand, less neighbours, whose flesh is joined anyway."""
    keep = []
    for i, a in enumerate(CAPSULE_BONES):
        for j in range(i + 1, len(CAPSULE_BONES)):
            b = CAPSULE_BONES[j]
            palm = {a, b} <= {*FINGER_START, FOREARM_BONE, THUMB}
            joined = PARENT[a] == b or PARENT[b] == a
            roots = a in [s + 1 for s in FINGER_START] and b in [s + 1 for s in FINGER_START]
            web = FOREARM_BONE in (a, b) and THUMB in (a, b)
            base = b in FINGER_START and a in [s + 1 for s in FINGER_START]
            thenar = THUMB + 1 in (a, b) and FINGER_START[0] in (a, b)
            if not (palm or joined or roots or web or base or thenar):
                keep.append((i, j))
    return np.array(keep, dtype=np.int64)


def place_capsules(
    capsules: Capsules, identity: np.ndarray, transforms: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Capsules of B posed hands: start (B, C, 3), end (B, C, 3), radius (B, C), in the camera frame.

    transforms (B, 21, 3, 4) as from `synth.hand.kinematics.bone_transforms`.
    """
    carry = transforms[:, capsules.bone].astype(np.float64)
    turn, shift = carry[..., :3], carry[..., 3]

    def move(points: np.ndarray) -> np.ndarray:
        p = points[identity]
        return (
            turn[..., 0] * p[..., :1] + turn[..., 1] * p[..., 1:2] + turn[..., 2] * p[..., 2:]
        ) + shift

    return move(capsules.start), move(capsules.end), capsules.radius[identity]


@numba.njit(cache=True, nogil=True)
def segment_distance(a0, a1, b0, b1):  # type: ignore[no-untyped-def]
    """Distance between two segments (Ericson, Real-Time Collision Detection, 5.1.9)."""
    d1x, d1y, d1z = a1[0] - a0[0], a1[1] - a0[1], a1[2] - a0[2]
    d2x, d2y, d2z = b1[0] - b0[0], b1[1] - b0[1], b1[2] - b0[2]
    rx, ry, rz = a0[0] - b0[0], a0[1] - b0[1], a0[2] - b0[2]
    a = d1x * d1x + d1y * d1y + d1z * d1z
    e = d2x * d2x + d2y * d2y + d2z * d2z
    f = d2x * rx + d2y * ry + d2z * rz
    c = d1x * rx + d1y * ry + d1z * rz
    b = d1x * d2x + d1y * d2y + d1z * d2z
    denom = a * e - b * b
    s = 0.0
    if denom > 1e-18:
        s = min(max((b * f - c * e) / denom, 0.0), 1.0)
    t = (b * s + f) / max(e, 1e-18)
    if t < 0.0:
        t = 0.0
        s = min(max(-c / max(a, 1e-18), 0.0), 1.0)
    elif t > 1.0:
        t = 1.0
        s = min(max((b - c) / max(a, 1e-18), 0.0), 1.0)
    x = rx + d1x * s - d2x * t
    y = ry + d1y * s - d2y * t
    z = rz + d1z * s - d2z * t
    return math.sqrt(x * x + y * y + z * z)


FAR = -0.05
"""What the overlaps below report for flesh that is farther apart than this, metres."""


@numba.njit(cache=True, nogil=True)
def _overlap(a0, a1, a_radius, b0, b1, b_radius, worst):  # type: ignore[no-untyped-def]
    """Overlap of two capsules, or `worst` if their bounding spheres show that it is less."""
    reach = a_radius + b_radius
    x = (a0[0] + a1[0]) - (b0[0] + b1[0])
    y = (a0[1] + a1[1]) - (b0[1] + b1[1])
    z = (a0[2] + a1[2]) - (b0[2] + b1[2])
    apart2 = 0.25 * (x * x + y * y + z * z)
    ax, ay, az = a1[0] - a0[0], a1[1] - a0[1], a1[2] - a0[2]
    bx, by, bz = b1[0] - b0[0], b1[1] - b0[1], b1[2] - b0[2]
    a_half = 0.5 * math.sqrt(ax * ax + ay * ay + az * az)
    b_half = 0.5 * math.sqrt(bx * bx + by * by + bz * bz)
    bound = reach - worst + a_half + b_half
    if bound <= 0.0 or apart2 >= bound * bound:
        return worst
    return max(worst, reach - segment_distance(a0, a1, b0, b1))


@numba.njit(cache=True, nogil=True)
def self_penetration(start, end, radius, pairs):  # type: ignore[no-untyped-def]
    """(B, C, 3), (B, C, 3), (B, C), (P, 2) -> (B,) deepest overlap in one hand, m (< 0: apart)."""
    out = np.empty(start.shape[0])
    for h in range(start.shape[0]):
        worst = FAR
        for p in range(pairs.shape[0]):
            i, j = pairs[p, 0], pairs[p, 1]
            worst = _overlap(
                start[h, i], end[h, i], radius[h, i], start[h, j], end[h, j], radius[h, j], worst
            )
        out[h] = worst
    return out


@numba.njit(cache=True, nogil=True)
def mutual_penetration(  # type: ignore[no-untyped-def]
    start, end, radius, other_start, other_end, other_radius
):
    """Deepest overlap between capsule sets h of two bodies, (B,), metres (< 0: apart)."""
    out = np.empty(start.shape[0])
    for h in range(start.shape[0]):
        worst = FAR
        for i in range(start.shape[1]):
            for j in range(other_start.shape[1]):
                worst = _overlap(
                    start[h, i],
                    end[h, i],
                    radius[h, i],
                    other_start[h, j],
                    other_end[h, j],
                    other_radius[h, j],
                    worst,
                )
        out[h] = worst
    return out
