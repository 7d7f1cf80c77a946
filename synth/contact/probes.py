"""Points on the skin of a hand where contact is felt, and what kernels need to move them.

Probes lie on vertices, edges and faces of the skin: dense on the palmar side of the digits, where
hands touch, sparse on the back and the forearm. They are blended like the skin itself.
"""

from typing import Final, NamedTuple

import numba
import numpy as np

from synth.hand.angles import LIMITS, TURN_FACTORS, TURNS
from synth.hand.bones import BONE_PART, BONES, FINGER_START, FOREARM_BONE, PALM, THUMB, TIP_BONES
from synth.hand.rig import Rig

PAD_STEP_M: Final = 0.0040
PALM_STEP_M: Final = 0.0065
BACK_STEP_M: Final = 0.011
FOREARM_STEP_M: Final = 0.03
"""Distance between probes: palmar side of the digits, of the palm; the back; the forearm."""

PALMAR: Final = -0.35
"""Skin whose normal leans this far towards the back still belongs to the palmar side."""

INFLUENCES: Final = 4
MEAN_LENGTH_M: Final = 0.19
"""Hand length to which sizes in the table of grasps refer."""


class Probes(NamedTuple):
    """Probes of a rig, sorted by the bone that they mostly follow, with the rig's own arrays."""

    rest: np.ndarray
    """(I, P, 3) float32, in the rest pose, metres."""
    bone: np.ndarray
    """(P, 4) int64 bones that move each probe, the strongest first."""
    weight: np.ndarray
    """(P, 4) float64, descending, summing to 1."""
    part: np.ndarray
    """(P,) int64 part code 1..17."""
    first: np.ndarray
    """(22,) int64: the probes of bone b are first[b] <= p < first[b + 1]."""
    skin: np.ndarray
    """(I, V, 3) float32 all vertices of the skin."""
    skin_bone: np.ndarray
    """(V, K) int32"""
    skin_weight: np.ndarray
    """(V, K) float32"""
    skin_part: np.ndarray
    """(V,) int64 part code of each vertex."""
    joints: np.ndarray
    """(I, 21, 3) float64 where each bone starts at rest."""
    frames: np.ndarray
    """(21, 3, 3) float64 orientation of each bone at rest."""
    zero: np.ndarray
    """(21, 3, 3) float64 orientation of each bone in its parent at zero angles."""
    turns: np.ndarray
    """(T, 3) int64 bone, axis, angle of each elementary turn, sorted by bone."""
    factors: np.ndarray
    """(T,) float64"""
    turn_first: np.ndarray
    """(22,) int64: the turns of bone b."""
    limits: np.ndarray
    """(29, 2) float64 rad."""
    mark: np.ndarray
    """(I, 21, 3) float32 landmarks at rest, numbered as in `_landmarks`."""
    mark_bone: np.ndarray
    """(M,) int64 the bone that carries each."""
    reach: np.ndarray
    """(I, 5, 3) float64 how far the skin of each digit's links reaches from the link's joint."""
    size: np.ndarray
    """(I,) float64 hand length against 0.19 m."""


def build_probes(rig: Rig) -> Probes:
    """The probes of a rig: the same for all its people, placed on the skin of the first ones."""
    order = np.argsort(TURNS[:, 0], kind="stable")
    turns, factors = TURNS[order], TURN_FACTORS[order]
    mean = rig.rest_vertices[:8].astype(np.float64).sum(0) / len(rig.rest_vertices[:8])
    mix, share = _candidates(rig)
    dense = np.zeros((len(mean), len(BONES)))
    rows = np.arange(len(mean))
    for k in range(rig.skin_bone.shape[1]):
        np.add.at(dense, (rows, rig.skin_bone[:, k]), rig.skin_weight[:, k])
    points, weights = _blend(mean, mix, share), _blend(dense, mix, share)
    normals = _blend(_normals(mean, rig.faces), mix, share)
    owner = weights.argmax(1)
    palmar = -rig.frames[owner][:, :, 1]
    facing = (normals * palmar).sum(1)
    step = np.where(facing > PALMAR, PAD_STEP_M, BACK_STEP_M)
    in_palm = np.isin(owner, [PALM, *FINGER_START])
    step = np.where(in_palm & (facing > PALMAR), PALM_STEP_M, step)
    step = np.where(owner == FOREARM_BONE, FOREARM_STEP_M, step)
    kept = _spread(points, step)
    kept = kept[np.argsort(owner[kept], kind="stable")]

    top = np.argsort(-weights[kept], axis=1, kind="stable")[:, :INFLUENCES]
    strength = np.take_along_axis(weights[kept], top, 1)
    strength = strength / strength.sum(1, keepdims=True)
    rest = np.zeros((len(rig.rest_vertices), len(kept), 3))
    for k in range(3):
        rest += share[kept, k, None] * rig.rest_vertices[:, mix[kept, k]].astype(np.float64)
    part = np.zeros(len(mean), np.int64)
    part[rig.faces] = rig.face_parts[:, None]
    marks, mark_bone = _landmarks(rig, mean, dense)
    return Probes(
        rest=rest.astype(np.float32),
        bone=top.astype(np.int64),
        weight=strength,
        part=BONE_PART[owner[kept]].astype(np.int64),
        first=np.searchsorted(owner[kept], np.arange(len(BONES) + 1)),
        skin=rig.rest_vertices,
        skin_bone=rig.skin_bone,
        skin_weight=rig.skin_weight,
        skin_part=part,
        joints=rig.rest_joints.astype(np.float64),
        frames=rig.frames,
        zero=rig.zero,
        turns=turns,
        factors=factors,
        turn_first=np.searchsorted(turns[:, 0], np.arange(len(BONES) + 1)),
        limits=LIMITS,
        mark=marks,
        mark_bone=mark_bone,
        reach=_reach(rig, rest, owner[kept]),
        size=rig.hand_length.astype(np.float64) / MEAN_LENGTH_M,
    )


def _reach(rig: Rig, rest: np.ndarray, owner: np.ndarray) -> np.ndarray:
    out = np.zeros((len(rest), 5, 3))
    for digit, start in enumerate((THUMB, *(s + 1 for s in FINGER_START))):
        for link in range(3):
            joint = rig.rest_joints[:, start + link].astype(np.float64)[:, None]
            away = rest[:, owner == start + link] - joint
            far = np.sqrt((away * away).sum(-1)).max(1)
            if link < 2:
                span = rig.rest_joints[:, start + link + 1] - joint[:, 0]
                far = np.maximum(far, np.sqrt((span * span).sum(-1)))
            out[:, digit, link] = far
    return out


def _candidates(rig: Rig) -> tuple[np.ndarray, np.ndarray]:
    """(C, 3) vertices and (C, 3) their shares: vertices, middles and thirds of edges, faces."""
    count = rig.rest_vertices.shape[1]
    edges = np.unique(
        np.sort(rig.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0
    )
    one = np.repeat(np.arange(count)[:, None], 3, axis=1)
    pair = edges[:, [0, 1, 1]]
    mixes = [one, pair, rig.faces]
    shares = [[1.0, 0, 0], [0.5, 0.25, 0.25], [1 / 3, 1 / 3, 1 / 3]]
    for a in (0.25, 0.75):
        mixes.append(pair)
        shares.append([a, (1 - a) / 2, (1 - a) / 2])
    for k in range(3):
        mixes.append(np.roll(rig.faces, k, axis=1))
        shares.append([2 / 3, 1 / 6, 1 / 6])
    sizes = [len(m) for m in mixes]
    return np.concatenate(mixes).astype(np.int64), np.repeat(np.array(shares), sizes, axis=0)


def _blend(values: np.ndarray, mix: np.ndarray, share: np.ndarray) -> np.ndarray:
    out = share[:, :1] * values[mix[:, 0]]
    for k in (1, 2):
        out = out + share[:, k, None] * values[mix[:, k]]
    return out


def _normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    out = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(out, faces[:, k], normal)
    return np.asarray(out / np.maximum(np.sqrt((out * out).sum(1, keepdims=True)), 1e-12))


@numba.njit(cache=True, nogil=True)
def _spread(points, step):  # type: ignore[no-untyped-def]
    """Indices of points, in their order, that keep their distance from all chosen before."""
    kept = np.empty(len(points), np.int64)
    count = 0
    for i in range(len(points)):
        near = False
        for k in range(count):
            j = kept[k]
            x = points[i, 0] - points[j, 0]
            y = points[i, 1] - points[j, 1]
            z = points[i, 2] - points[j, 2]
            limit = min(step[i], step[j])
            if x * x + y * y + z * z < limit * limit:
                near = True
                break
        if not near:
            kept[count] = i
            count += 1
    return kept[:count].copy()


def _landmarks(rig: Rig, mean: np.ndarray, dense: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(I, M, 3) and (M,): the skin's extreme vertices as seen from the middle of a phalanx.

    0-4: pads of thumb to pinky; 5-8: palmar side of each finger's middle phalanx; 9-12 its radial
    side, 13-16 its ulnar side; 17-20: palmar side of each finger's proximal phalanx.
    """
    wanted = [(bone, (0.0, -1.0), 0.45) for bone in TIP_BONES]
    wanted += [(s + 2, (0.0, -1.0), 0.5) for s in FINGER_START]
    wanted += [(s + 2, (-1.0, 0.0), 0.5) for s in FINGER_START]
    wanted += [(s + 2, (1.0, 0.0), 0.5) for s in FINGER_START]
    wanted += [(s + 1, (0.0, -1.0), 0.6) for s in FINGER_START]
    owner = dense.argmax(1)
    chosen, bones = [], []
    for bone, (side, up), along in wanted:
        frame = rig.frames[bone]
        own = np.flatnonzero(owner == bone)
        local = mean[own] - rig.rest_joints[0, bone]
        reach = -(local * frame[:, 2]).sum(1)
        middle = np.abs(reach - along * reach.max())
        score = (local * (side * frame[:, 0] + up * frame[:, 1])).sum(1) - 2.0 * middle
        chosen.append(own[int(score.argmax())])
        bones.append(bone)
    return rig.rest_vertices[:, chosen], np.array(bones, np.int64)
