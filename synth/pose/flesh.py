"""What the solver of poses knows of each person: capsules and skin, each in its bone's frame.

A point x of bone b at rest lies at frame_b' (x - joint_b) in the bone's own axes (-Z along it, +Y
dorsal), and stays there however the hand is posed. What blends between bones at the joints is left
out: contact is made by pads and phalanges.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.hand.angles import TURN_FACTORS, TURNS
from synth.hand.bones import BONES, FINGER_START, FOREARM_BONE, PALM, PARENT, TIP_BONES
from synth.hand.collision import PHALANGES, Capsules
from synth.hand.rig import Rig
from synth.rigid import dot

OWN_WEIGHT: Final = 0.9
"""Skin that follows a bone at least so much counts as rigid with it."""
PALM_MARGIN_M: Final = 0.001
"""Kept between phalanges and the capsules of the palm, from which its skin stands out."""
TIP_MARGIN_M: Final = 0.0025
"""The same for fingertips, which meet the palm where it is thickest."""
LEAST_SKIN: Final = 12
"""A bone with less rigid skin takes all that follows it most."""


@dataclass(frozen=True)
class Flesh:
    """I people's hands, taken apart into rigid bones with their flesh."""

    offset: np.ndarray
    """(I, 21, 3) where a bone starts in the axes of its parent, metres."""
    zero: np.ndarray
    """(21, 3, 3) orientation of each bone in its parent at zero angles."""
    turns: np.ndarray
    """(T, 3) int64 bone, axis and angle of each elementary turn (`synth.hand.angles`), by bone."""
    factors: np.ndarray
    """(T,) how the angle enters the turn."""
    moves: np.ndarray
    """(21, T) bool: does the turn move the bone?"""
    start: np.ndarray
    """(I, C, 3) capsules in their bones' axes."""
    end: np.ndarray
    """(I, C, 3)"""
    radius: np.ndarray
    """(I, C)"""
    capsule_bone: np.ndarray
    """(C,) int64"""
    pairs: np.ndarray
    """(P, 2) int64 capsules that can meet."""
    margin: np.ndarray
    """(P,) metres that a pair keeps apart: the palm's skin stands out between its capsules."""
    skin: np.ndarray
    """(I, S, 3) skin of the phalanges, phalanx by phalanx."""
    skin_start: np.ndarray
    """(22,) int64: the skin of bone b is skin_start[b]:skin_start[b + 1]."""
    length: np.ndarray
    """(I, 21) from a phalanx's joint to the next one, of a distal one to the end of its skin."""


def build_flesh(rig: Rig, capsules: Capsules) -> Flesh:
    """Take the hands of a rig apart."""
    joints = rig.rest_joints.astype(np.float64)
    parent = np.maximum(PARENT, 0)
    offset = _local(joints, rig.frames[parent], joints[:, parent])
    offset[:, 0] = joints[:, 0]
    # The forearm ends where the hand begins: its own turn moves its elbow.
    own = [FOREARM_BONE]
    offset[:, own] = _local(joints[:, own], rig.frames[own], joints[:, [PALM]])
    bone = capsules.bone
    origin, frames = joints[:, bone], rig.frames[bone]

    order, start = [], np.zeros(len(BONES) + 1, np.int64)
    for b in range(len(BONES)):
        if b in PHALANGES:
            at = np.flatnonzero((rig.skin_bone[:, 0] == b) & (rig.skin_weight[:, 0] > OWN_WEIGHT))
            if len(at) < LEAST_SKIN:
                at = np.flatnonzero(rig.skin_bone[:, 0] == b)
            order.append(at)
            start[b + 1] = len(at)
    start = start.cumsum()
    vertex = np.concatenate(order)
    owner = np.repeat(np.arange(len(BONES)), np.diff(start))
    skin = _local(
        rig.rest_vertices[:, vertex].astype(np.float64), rig.frames[owner], joints[:, owner]
    )
    length = np.zeros(joints.shape[:2])
    for b in PHALANGES:
        part = slice(start[b], start[b + 1])
        length[:, b] = -skin[:, part, 2].min(1) if b in TIP_BONES else norm(offset[:, b + 1])
    by_bone = np.argsort(TURNS[:, 0], kind="stable")
    return Flesh(
        offset=offset,
        zero=rig.zero,
        turns=TURNS[by_bone],
        factors=TURN_FACTORS[by_bone],
        moves=_moves(TURNS[by_bone]),
        start=_local(capsules.start, frames, origin),
        end=_local(capsules.end, frames, origin),
        radius=capsules.radius,
        capsule_bone=bone,
        pairs=capsules.pairs,
        margin=_margins(bone[capsules.pairs]),
        skin=skin,
        skin_start=start,
        length=length,
    )


def norm(v: np.ndarray) -> np.ndarray:
    """(..., 3) -> (...,)"""
    return np.asarray(np.sqrt(dot(v, v)))


def _local(points: np.ndarray, frames: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """(I, N, 3) points in the axes (N, 3, 3) at the origins (I, N, 3)."""
    away = points - origin
    return np.ascontiguousarray(
        (away[..., :1] * frames[:, 0] + away[..., 1:2] * frames[:, 1])
        + away[..., 2:] * frames[:, 2]
    )


def _margins(pairs: np.ndarray) -> np.ndarray:
    """(P,) for the bones (P, 2) of each pair."""
    palm = np.isin(pairs, FINGER_START).any(1)
    tips = np.isin(pairs, TIP_BONES).any(1)
    return np.where(palm, np.where(tips, TIP_MARGIN_M, PALM_MARGIN_M), 0.0)


def _moves(turns: np.ndarray) -> np.ndarray:
    out = np.zeros((len(BONES), len(turns)), bool)
    for b in range(len(BONES)):
        chain, at = [], b
        while at >= 0:
            chain.append(at)
            at = int(PARENT[at])
        out[b] = np.isin(turns[:, 0], chain)
    return out
