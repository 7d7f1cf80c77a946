"""How far each part of a posed hand is from a solid or a plane: what labels of contact tell."""

# mypy: allow-untyped-defs

import numpy as np
from numba import njit

from frames.parts import FOREARM
from synth.contact.closing import FREE
from synth.contact.feeling import (
    ARM_SEEN_M,
    NONE_KNOWN,
    SEEN_M,
    State,
    feel_parts,
    feel_skin,
    make_state,
)
from synth.contact.holds import PARTS
from synth.contact.placing import turn_in
from synth.contact.posture import JIT, blend_point, bone_gap, distance_at, pose_hand
from synth.contact.probes import Probes
from synth.hand.bones import FOREARM_BONE
from synth.things.distance import DistancePack


def measure_gaps(
    probes: Probes,
    pack: DistancePack,
    identity: np.ndarray,
    angles: np.ndarray,
    T_wrist_from_object: np.ndarray,
    solid: np.ndarray,
    left: np.ndarray,
) -> np.ndarray:
    """(N, 17) float32 signed gap of parts 1..17 to a solid, metres; NaN beyond 10 mm.

    identity, solid, left (N,), angles (N, 29) with the wrist's, T_wrist_from_object (N, 4, 4) of
    the real hand. Negative: the deepest vertex of the skin is so deep inside.
    """
    out = np.full((len(identity), PARTS), np.nan)
    _solid_gaps(
        probes, pack, *_rows(identity, angles), _mirror_solids(T_wrist_from_object, left),
        np.asarray(solid, np.int64), np.asarray(left, np.bool_),
        make_state(probes.bone.shape[0]), out,
    )  # fmt: skip
    return out.astype(np.float32)


def measure_plane_gaps(
    probes: Probes, identity: np.ndarray, angles: np.ndarray, plane: np.ndarray, left: np.ndarray
) -> np.ndarray:
    """(N, 17) float32 signed gap of parts 1..17 to a plane, metres; NaN beyond 10 mm.

    plane (N, 4) in the wrist frame of the real hand: n.x = d, n unit, towards the hand.
    """
    out = np.full((len(identity), PARTS), np.nan)
    seen = _mirror_planes(plane, left)
    _plane_gaps(probes, *_rows(identity, angles), seen, make_state(probes.bone.shape[0]), out)
    return out.astype(np.float32)


def measure_arm_gaps(
    probes: Probes,
    pack: DistancePack,
    identity: np.ndarray,
    angles: np.ndarray,
    T_wrist_from_object: np.ndarray,
    solid: np.ndarray,
    left: np.ndarray,
) -> np.ndarray:
    """(N,) float32: what `measure_gaps` tells of the forearm, at a tenth of its cost."""
    out = np.full(len(identity), np.nan)
    _arm_solid_gaps(
        probes, pack, *_rows(identity, angles), _mirror_solids(T_wrist_from_object, left),
        np.asarray(solid, np.int64), np.asarray(left, np.bool_),
        make_state(probes.bone.shape[0]), out,
    )  # fmt: skip
    return out.astype(np.float32)


def measure_arm_plane_gaps(
    probes: Probes, identity: np.ndarray, angles: np.ndarray, plane: np.ndarray, left: np.ndarray
) -> np.ndarray:
    """(N,) float32: what `measure_plane_gaps` tells of the forearm."""
    out = np.full(len(identity), np.nan)
    seen = _mirror_planes(plane, left)
    _arm_plane_gaps(probes, *_rows(identity, angles), seen, make_state(probes.bone.shape[0]), out)
    return out.astype(np.float32)


def _mirror_solids(T_wrist_from_object: np.ndarray, left: np.ndarray) -> np.ndarray:
    """(N, 3, 4): left hands are measured as right ones in a mirrored world."""
    T = np.array(T_wrist_from_object[:, :3], np.float64)
    T[left, 0] *= -1.0
    T[left, :, 0] *= -1.0
    return T


def _mirror_planes(plane: np.ndarray, left: np.ndarray) -> np.ndarray:
    seen = np.array(plane, np.float64)
    seen[left, 0] *= -1.0
    return seen


def _rows(identity: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.ascontiguousarray(identity, np.int64), np.ascontiguousarray(angles, np.float64)


@njit(**JIT)
def _solid_gaps(hand, pack, identity, angles, T, solid, left, state: State, out):
    for n in range(identity.shape[0]):
        who = identity[n]
        pose_hand(hand, who, angles[n], state.turn, state.origin, state.bones)
        turn_in(T[n], left[n], state.inward)
        feel_parts(
            hand, who, state.inward, pack, solid[n], state, NONE_KNOWN, out[n], state.normals
        )
        feel_skin(hand, who, state.inward, pack, solid[n], state, out[n], FREE)


@njit(**JIT)
def _plane_gaps(hand, identity, angles, plane, state: State, out):
    for n in range(identity.shape[0]):
        who = identity[n]
        pose_hand(hand, who, angles[n], state.turn, state.origin, state.bones)
        plane_gaps(hand, who, state.bones, plane[n], out[n])


@njit(**JIT)
def plane_gaps(hand, who, bones, plane, gaps):
    """gaps (17,) of the parts of a posed hand to plane (4,), by all vertices of the skin."""
    gaps[:] = FREE
    for v in range(hand.skin.shape[1]):
        p = hand.skin_part[v] - 1
        x, y, z = blend_point(bones, hand.skin[who, v], hand.skin_bone[v], hand.skin_weight[v])
        away = ((plane[0] * x + plane[1] * y) + plane[2] * z) - plane[3]
        gaps[p] = min(gaps[p], away)
    for p in range(17):
        if gaps[p] > SEEN_M:
            gaps[p] = np.nan


@njit(**JIT)
def _arm_solid_gaps(hand, pack, identity, angles, T, solid, left, state: State, out):
    for n in range(identity.shape[0]):
        who = identity[n]
        pose_hand(hand, who, angles[n], state.turn, state.origin, state.bones)
        turn_in(T[n], left[n], state.inward)
        for p in range(hand.first[FOREARM_BONE], hand.first[FOREARM_BONE + 1]):
            state.bound[p] = -1.0
        # Probes first, then all vertices of the skin, as `feel_parts` and `feel_skin` do.
        gap, _ = bone_gap(
            hand, who, state.bones, FOREARM_BONE, state.inward, pack, solid[n], state.bound,
            0.0, 1.0, -1,
        )  # fmt: skip
        if gap > ARM_SEEN_M:
            continue
        for v in range(hand.skin.shape[1]):
            if hand.skin_part[v] == FOREARM:
                x, y, z = blend_point(
                    state.bones, hand.skin[who, v], hand.skin_bone[v], hand.skin_weight[v]
                )
                gap = min(gap, distance_at(pack, solid[n], state.inward, x, y, z))
        if gap <= SEEN_M:
            out[n] = gap


@njit(**JIT)
def _arm_plane_gaps(hand, identity, angles, plane, state: State, out):
    for n in range(identity.shape[0]):
        who, gap = identity[n], FREE
        pose_hand(hand, who, angles[n], state.turn, state.origin, state.bones)
        for v in range(hand.skin.shape[1]):
            if hand.skin_part[v] == FOREARM:
                x, y, z = blend_point(
                    state.bones, hand.skin[who, v], hand.skin_bone[v], hand.skin_weight[v]
                )
                away = ((plane[n, 0] * x + plane[n, 1] * y) + plane[n, 2] * z) - plane[n, 3]
                gap = min(gap, away)
        if gap <= SEEN_M:
            out[n] = gap
