"""Two hands of one person that meet: clasped, palms together, one pointing into the other, apart.

Each pair starts from its kind's prototype (`synth.contact.together_kinds`): both hands take their
hold, with jitter; the second slides along the kind's approach until its flesh touches the first's
(or comes as near as it should); then digits close until they touch. What overlaps too deeply, or
touches with too few parts, is drawn again.
"""

from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import TogetherConfig
from synth.contact.flesh import Flesh
from synth.contact.together_closing import jitter_holds
from synth.contact.together_gaps import PARTS
from synth.contact.together_meeting import Pairs, hand_spots, judge, meet
from synth.contact.together_table import kind_table
from synth.hand.angles import DOFS, rotation
from synth.hand.collision import Capsules
from synth.hand.rig import Rig
from synth.rigid import dot, multiply

ROUNDS: Final = (1, 3, 8)
"""Tries of a pair that are made at once; the first good one counts."""

_JITTER: Final = 4 * len(DOFS)
_MIRROR: Final = np.diag([-1.0, 1.0, 1.0, 1.0])


def solve_together(
    config: TogetherConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    rig: Rig,
    capsules: Capsules,
    flesh: Flesh,
    identity: np.ndarray,
    first_left: np.ndarray,
    kind: np.ndarray | None = None,
) -> Pairs:
    """One pair of hands for each of N frames.

    frame_ids, identity (N,) int64, first_left (N,) bool: which side the first hand is.
    kind (N,): instead of drawn ones.
    """
    count = len(frame_ids)
    kind = draw_kinds(config, seed, frame_ids, stage) if kind is None else kind
    out = Pairs(
        angles=np.zeros((count, 2, len(DOFS))),
        T_first_from_second=np.tile(np.eye(4), (count, 1, 1)),
        kind=kind,
        gap_m=np.full((count, 2, PARTS), np.nan, np.float32),
        ok=np.zeros(count, bool),
    )
    start = 0
    for size in ROUNDS:
        rest = np.flatnonzero(~out.ok)
        if not len(rest):
            break
        rows = np.repeat(rest, size)
        attempt = np.tile(np.arange(start, start + size), len(rest))
        tries = _try(
            config,
            seed,
            frame_ids[rows],
            stage,
            attempt,
            rig,
            capsules,
            flesh,
            identity[rows],
            kind[rows],
        )
        fine = tries.ok.reshape(len(rest), size)
        pick = np.arange(len(rest)) * size + fine.argmax(1)
        out.angles[rest] = tries.angles[pick]
        out.T_first_from_second[rest] = tries.T_first_from_second[pick]
        out.gap_m[rest], out.ok[rest] = tries.gap_m[pick], tries.ok[pick]
        start += size
    out.T_first_from_second[:] = _mirror(out.T_first_from_second, first_left)
    return out


def draw_kinds(config: TogetherConfig, seed: int, frame_ids: np.ndarray, stage: str) -> np.ndarray:
    """(N,) kinds: apart or touching by the configured share, evenly within either."""
    u = uniform(seed, frame_ids, stage + "/kind", 2)
    apart = kind_table().parts == 0
    out = np.empty(len(frame_ids), np.int64)
    wanted = u[:, 0] < config.apart_share
    for keep in (True, False):
        rows = wanted == keep
        members = np.flatnonzero(apart == keep)
        weight = np.cumsum(kind_table().weight[members])
        out[rows] = members[np.searchsorted(weight, u[rows, 1] * weight[-1], side="right")]
    return out


def _try(
    config: TogetherConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    attempt: np.ndarray,
    rig: Rig,
    capsules: Capsules,
    flesh: Flesh,
    identity: np.ndarray,
    kind: np.ndarray,
) -> Pairs:
    """One attempt a row, with a right hand first."""
    table = kind_table()
    count = len(kind)
    u = uniform(seed, frame_ids, stage + "/pair", _JITTER + 13, attempt)
    noise = normal(u[:, :_JITTER]).reshape(count, 2, len(DOFS))
    noise[:, 1] = np.where(table.mirrored[kind][:, None], noise[:, 0], noise[:, 1])
    angles = jitter_holds(config.jitter_deg, table.hold[kind], noise)
    rest = u[:, _JITTER:]
    place = normal(rest[:, :12])

    turn = np.radians(config.turn_deg) * table.turn[kind][:, None] * place[:, :3]
    T = np.tile(np.eye(4), (count, 1, 1))
    T[:, :3, :3] = multiply(
        rotation("z", turn[:, 2]),
        rotation("y", turn[:, 1]),
        rotation("x", turn[:, 0]),
        table.turn_between[kind],
    )
    spot, own = hand_spots(rig, identity, angles, T, kind)
    size = (rig.hand_length[identity] / 0.19)[:, None]
    shift = table.offset_m[kind] * size + table.shift_m[kind][:, None] * place[:, 3:6]
    approach = table.approach[kind]
    # The shift along the approach is the slide's.
    shift = shift - dot(shift, approach)[:, None] * approach
    T[:, :3, 3] = spot - own + shift
    low, high = table.gap_m[kind, 0], table.gap_m[kind, 1]
    floor, ceiling = (x / 1000 for x in config.apart_mm)
    apart = table.parts[kind] == 0
    low = np.where(apart, np.clip(low, floor, ceiling), low)
    high = np.where(apart, np.clip(high, floor, ceiling), high)
    gap = low + rest[:, 12] * (high - low)
    angles, T, meets = meet(rig, flesh, identity, angles, T, kind, gap, arms=False)
    return judge(config, rig, capsules, flesh, identity, angles, T, kind, meets, arms=False)


def meet_again(
    config: TogetherConfig,
    rig: Rig,
    capsules: Capsules,
    flesh: Flesh,
    identity: np.ndarray,
    pairs: Pairs,
    wrist_angles: np.ndarray,
    first_left: np.ndarray,
) -> Pairs:
    """Pairs whose arms are placed; a hand on a forearm (`Kind.on_arm`) finds it where it now is.

    wrist_angles (N, 2, 2) rad of both hands; they are put into the angles. Where a second hand
    moves along, by some millimetres, its arm is to be placed anew and the pair measured.
    """
    angles = pairs.angles.copy()
    angles[:, :, :2] = wrist_angles
    out = Pairs(
        angles, pairs.T_first_from_second.copy(), pairs.kind, pairs.gap_m.copy(), pairs.ok.copy()
    )
    rows = np.flatnonzero(kind_table().on_arm[pairs.kind])
    if len(rows):
        T = _mirror(pairs.T_first_from_second[rows], first_left[rows])
        gap = np.full(len(rows), -0.0005)
        who, kind = identity[rows], pairs.kind[rows]
        # Bent wrists carry the spots on the forearms away: the second hand follows.
        spots = [hand_spots(rig, who, posed[rows], T, kind) for posed in (angles, pairs.angles)]
        T[:, :3, 3] += (spots[0][0] - spots[0][1]) - (spots[1][0] - spots[1][1])
        posed, T, meets = meet(rig, flesh, who, angles[rows], T, kind, gap, arms=True)
        again = judge(config, rig, capsules, flesh, who, posed, T, kind, meets, arms=True)
        out.angles[rows], out.gap_m[rows], out.ok[rows] = again.angles, again.gap_m, again.ok
        out.T_first_from_second[rows] = _mirror(again.T_first_from_second, first_left[rows])
    return out


def _mirror(T: np.ndarray, left: np.ndarray) -> np.ndarray:
    return np.where(left[:, None, None], multiply(_MIRROR, T, _MIRROR), T)
