"""Does a posed hand run through itself, or through another hand? Capsules about the bones answer.

A capsule has the length of a bone and the girth of its flesh. Against the skin itself it errs on
the side of rejecting, so a hand that passes here is clean to the eye and to an exact mesh test.
"""

import math
from dataclasses import dataclass

import numba
import numpy as np

from frames.kernels import BORROWING
from synth.hand.bones import FINGER_START, FOREARM_BONE, PALM, PARENT, THUMB, TIP_BONES
from synth.hand.rig import Rig

PHALANGES = (THUMB, THUMB + 1, THUMB + 2, *(s + k for s in FINGER_START for k in (1, 2, 3)))
CAPSULE_BONES = (*PHALANGES, *FINGER_START, FOREARM_BONE)
"""15 phalanges, the 4 metacarpals in the palm, the forearm."""
GIRTH_SPAN = {s + 1: (0.4, 1.0) for s in FINGER_START} | dict.fromkeys(TIP_BONES, (-0.2, 0.7))
"""Where along a bone its girth is measured: off the knuckle's web, and before the tip's taper."""

PALM_UP = np.array([0.0, 1.0, 0.0])
PALM_STRIP_M = 0.008
"""Skin this near to a metacarpal's line, side to side, tells how deep the palm is there."""
PALM_FILL = 0.75
"""Radius of a metacarpal's capsule against the flesh below it."""


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


def _palm_depth(rig: Rig, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(I,) flesh below the middle of a metacarpal (I, 3), towards the palm, metres."""
    skin = rig.rest_vertices[:, np.isin(rig.skin_bone[:, 0], [PALM, *FINGER_START])]
    axis = (end - start)[:, None]
    t = ((skin - start[:, None]) * axis).sum(-1) / (axis**2).sum(-1)
    below = start[:, None] + t[..., None] * axis - skin
    near = (t > 0.3) & (t < 0.9) & (below[..., 1] > 0) & (np.abs(below[..., 0]) < PALM_STRIP_M)
    depth = np.nanmedian(np.where(near, below[..., 1], np.nan), axis=1)
    return np.asarray(np.nan_to_num(depth))


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
            t = ((skin - a[:, None]) * axis[:, None]).sum(-1) / length2[:, None]
            held = np.clip(t, 0.1, 0.9)[..., None] * axis[:, None]
            away = np.linalg.norm(skin - a[:, None] - held, axis=-1)
            low, high = GIRTH_SPAN.get(bone, (-np.inf, np.inf))
            radius = np.nanmedian(np.where((t >= low) & (t <= high), away, np.nan), axis=1)
        else:  # a bone without skin of its own (a metacarpal of MANO): as thick as the knuckle
            radius = rig.thickness[:, 5].astype(np.float64) * 0.6
        if bone in FINGER_START:
            # Together the four make the palm: wide enough to leave no groove between them, and
            # lowered until they touch the skin that fingertips meet.
            depth = _palm_depth(rig, a, b)
            radius = PALM_FILL * depth
            a, b = (e - (depth - radius)[:, None] * PALM_UP for e in (a, b))
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
            # The thumb's ends never meet, and in a short finger those of the flesh always do.
            thumb = {a, b} <= {THUMB, THUMB + 1, THUMB + 2}
            finger = b == a + 2 and a in [s + 1 for s in FINGER_START]
            if not (palm or joined or roots or web or base or thenar or thumb or finger):
                keep.append((i, j))
    return np.array(keep, dtype=np.int64)


def place_capsules(
    capsules: Capsules, identity: np.ndarray, transforms: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Capsules of B posed hands in the camera frame: start and end (B, C, 3), radius (B, C).

    transforms (B, 21, 3, 4) as from `synth.hand.kinematics.bone_transforms`.
    """
    start = _carry(capsules.start, identity, capsules.bone, transforms)
    end = _carry(capsules.end, identity, capsules.bone, transforms)
    return start, end, capsules.radius[identity]


@numba.njit(cache=True, nogil=True)
def _carry(points, identity, bone, transforms):  # type: ignore[no-untyped-def]
    out = np.empty((identity.shape[0], bone.shape[0], 3))
    for h in range(identity.shape[0]):
        for c in range(bone.shape[0]):
            p = points[identity[h], c]
            for i in range(3):
                t = transforms[h, bone[c], i]
                out[h, c, i] = ((t[0] * p[0] + t[1] * p[1]) + t[2] * p[2]) + t[3]
    return out


@numba.njit(**BORROWING)
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
    if e <= 1e-18:  # the other segment is a point
        s = min(max(-c / max(a, 1e-18), 0.0), 1.0)
    elif denom > 1e-18:
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


@numba.njit(**BORROWING)
def _spheres(start, end, radius, out):  # type: ignore[no-untyped-def]
    """Fill out (C, 4) with bounding spheres of capsules: centre and radius."""
    for c in range(start.shape[0]):
        length2 = 0.0
        for k in range(3):
            out[c, k] = 0.5 * (start[c, k] + end[c, k])
            length2 += (end[c, k] - start[c, k]) ** 2
        out[c, 3] = radius[c] + 0.5 * math.sqrt(length2)


@numba.njit(**BORROWING)
def _near(spheres, i, others, j, worst):  # type: ignore[no-untyped-def]
    """Can capsules i and j overlap by more than `worst`?"""
    x = spheres[i, 0] - others[j, 0]
    y = spheres[i, 1] - others[j, 1]
    z = spheres[i, 2] - others[j, 2]
    reach = spheres[i, 3] + others[j, 3] - worst
    return reach > 0.0 and x * x + y * y + z * z < reach * reach


@numba.njit(cache=True, nogil=True)
def self_penetration(start, end, radius, pairs):  # type: ignore[no-untyped-def]
    """(B, C, 3), (B, C, 3), (B, C), (P, 2) -> (B,) deepest overlap in one hand, m; 0 for none."""
    out = np.empty(start.shape[0])
    _overlap_selves(start, end, radius, pairs, np.empty((start.shape[1], 4)), out)
    return out


@numba.njit(**BORROWING)
def _overlap_selves(start, end, radius, pairs, spheres, out):  # type: ignore[no-untyped-def]
    for h in range(start.shape[0]):
        a0, a1, r = start[h], end[h], radius[h]
        _spheres(a0, a1, r, spheres)
        worst = 0.0
        for p in range(pairs.shape[0]):
            i, j = pairs[p, 0], pairs[p, 1]
            if _near(spheres, i, spheres, j, worst):
                gap = segment_distance(a0[i], a1[i], a0[j], a1[j])
                worst = max(worst, r[i] + r[j] - gap)
        out[h] = worst


@numba.njit(cache=True, nogil=True)
def mutual_penetration(  # type: ignore[no-untyped-def]
    start, end, radius, other_start, other_end, other_radius, against
):
    """Deepest overlap between set h of capsules and set against[h] of others, (B,), metres.

    Negative: their gap; gaps beyond 1 cm all read as -0.01.
    """
    out = np.empty(start.shape[0])
    spheres = np.empty((start.shape[1], 4)), np.empty((other_start.shape[1], 4))
    others = (other_start, other_end, other_radius)
    _overlap_others(start, end, radius, others, against, spheres, out)
    return out


@numba.njit(**BORROWING)
def _overlap_others(start, end, radius, against, which, spheres, out):  # type: ignore[no-untyped-def]
    other_start, other_end, other_radius = against
    mine, others = spheres
    for h in range(start.shape[0]):
        o = which[h]
        _spheres(start[h], end[h], radius[h], mine)
        _spheres(other_start[o], other_end[o], other_radius[o], others)
        worst = -0.01
        for i in range(start.shape[1]):
            for j in range(other_start.shape[1]):
                if _near(mine, i, others, j, worst):
                    gap = segment_distance(
                        start[h, i], end[h, i], other_start[o, j], other_end[o, j]
                    )
                    worst = max(worst, radius[h, i] + other_radius[o, j] - gap)
        out[h] = worst
