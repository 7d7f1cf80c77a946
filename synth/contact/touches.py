"""Hands on or near the face of a solid that they do not hold."""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from frames.stream import normal, uniform
from synth.config import GraspConfig
from synth.contact.feeling import ALL_KNOWN, MAX_PRESS_M, feel_parts, feel_skin, make_state
from synth.contact.holds import PARTS, Holds
from synth.contact.placing import FAR_M, bring, turn_in
from synth.contact.posture import JIT, mark_point, pose_hand
from synth.contact.probes import Probes
from synth.hand.collision import Capsules
from synth.hand.rig import Rig
from synth.things.distance import DistancePack
from synth.things.solid import Solid

ATTEMPTS: Final = 4
TOUCHING: Final = 0.3
"""Share of hands that touch the solid; the others are anywhere within `GraspConfig.hover_m`."""
MARKS: Final = np.array([0, 1, 2, 3, 5, 6, 17, 18, 19, 20])
"""Places of the hand that a solid comes near to: pads and the palmar sides of phalanges."""
EVERY_BONE: Final = np.arange(21)
UPRIGHT: Final = np.array([0.0, 1.0, 0.0])


def solve_touches(
    config: GraspConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    rig: Rig,
    capsules: Capsules,
    probes: Probes,
    solids: tuple[Solid, ...],
    pack: DistancePack,
    identity: np.ndarray,
    solid: np.ndarray,
    left: np.ndarray,
    angles: np.ndarray,
) -> Holds:
    """The free pose `angles` (N, 29) beside a solid, 0-50 mm away; grasp is -1 throughout.

    The solid comes along a straight line towards a place on the hand, until it is as near as
    wanted: from the palm's side in most frames, from any side in the others.
    """
    count = len(frame_ids)
    choice = uniform(seed, frame_ids, stage + "/near", 2)
    span = config.hover_m[1] - config.hover_m[0]
    away = np.where(
        choice[:, 0] < TOUCHING, -config.press_mm / 1000, config.hover_m[0] + span * choice[:, 1]
    )
    ids = np.repeat(np.asarray(frame_ids), ATTEMPTS)
    attempt = np.tile(np.arange(ATTEMPTS), count)
    u = uniform(seed, ids, stage + "/from", 8, attempt)
    turn = _turns(normal(uniform(seed, ids, stage + "/turn", 8, attempt)))
    toward = normal(u[:, :6])
    toward = np.where(u[:, 6:7] < 0.65, 0.4 * toward - UPRIGHT, toward)
    toward /= np.sqrt((toward * toward).sum(1, keepdims=True))
    radius = np.array([np.sqrt((s.extent_m * s.extent_m).sum()) / 2 for s in solids])
    posed = np.array(angles, np.float64)
    posed[:, :2] = 0.0
    T, gaps = np.tile(np.eye(4), (count, 1, 1)), np.full((count, PARTS), np.nan)
    ok = np.zeros(count, bool)
    _approach(
        probes, pack, np.ascontiguousarray(identity, np.int64),
        np.ascontiguousarray(solid, np.int64), np.ascontiguousarray(left, np.bool_), posed,
        turn.reshape(count, ATTEMPTS, 3, 3), toward.reshape(count, ATTEMPTS, 3),
        u[:, 7].reshape(count, ATTEMPTS), radius[solid], away,
        make_state(probes.bone.shape[0]), T, gaps, ok,
    )  # fmt: skip
    return Holds(posed, T, np.full(count, -1), gaps.astype(np.float32), ok)


def _turns(q: np.ndarray) -> np.ndarray:
    """(N, 4) normal numbers -> (N, 3, 3) uniform rotations, by unit quaternions."""
    w, x, y, z = (q / np.sqrt((q * q).sum(1, keepdims=True))).T
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, -1) for row in rows], 1)


@njit(**JIT)
def _approach(hand, pack, identity, solid, left, angles, turn, toward, pick, radius, away, state,
              out_T, out_gaps, out_ok):  # fmt: skip
    T, inward, gaps = state.T, state.inward, state.gaps
    point, direction = state.vectors[0], state.vectors[1]
    for n in range(identity.shape[0]):
        who = identity[n]
        pose_hand(hand, who, angles[n], state.turn, state.origin, state.bones)
        for a in range(turn.shape[1]):
            mark = MARKS[min(int(pick[n, a] * MARKS.shape[0]), MARKS.shape[0] - 1)]
            mark_point(hand, who, mark, state.bones, point)
            far = radius[n] + FAR_M
            for i in range(3):
                direction[i] = -toward[n, a, i]
                for j in range(3):
                    T[i, j] = turn[n, a, i, j]
                T[i, 3] = point[i] + far * toward[n, a, i]
            turn_in(T, left[n], inward)
            met = bring(hand, who, state, EVERY_BONE, EVERY_BONE.shape[0], T, left[n], inward,
                        direction, 2 * far, -away[n], pack, solid[n])  # fmt: skip
            if met != 1:
                continue
            feel_parts(hand, who, inward, pack, solid[n], state, ALL_KNOWN, gaps, state.normals)
            if not feel_skin(hand, who, inward, pack, solid[n], state, gaps, MAX_PRESS_M):
                continue
            m = -1.0 if left[n] else 1.0
            for i in range(3):
                for j in range(4):
                    out_T[n, i, j] = (m if i == 0 else 1.0) * (m if j == 0 else 1.0) * T[i, j]
            for p in range(17):
                out_gaps[n, p] = gaps[p]
            out_ok[n] = True
            break
