"""Two hands of one person that meet: clasped, palms together, one pointing into the other, apart.

Each pair starts from its kind's prototype (`synth.contact.together_kinds`): both hands take their
hold, with jitter; the second slides along the kind's approach until its flesh touches the first's
(or comes as near as it should); then digits close until they touch. What overlaps too deeply, or
touches with too few parts, is drawn again.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import TogetherConfig
from synth.contact.flesh import Balls, Flesh, place_flesh
from synth.contact.together_gaps import PARTS, measure_pairs
from synth.contact.together_holds import DIGITS, digit_angles
from synth.contact.together_slide import DIGIT_BONES, digit_gaps, slide
from synth.contact.together_table import kind_table
from synth.hand.angles import DOFS, FINGER_DOF_START, clamp, rotation
from synth.hand.collision import Capsules, place_capsules, self_penetration
from synth.hand.kinematics import bone_transforms
from synth.hand.rig import Rig
from synth.rigid import dot, multiply, rotate

ROUNDS: Final = (1, 3, 8)
"""Tries of a pair that are made at once; the first good one counts."""

TOUCH_M: Final = 0.0015
"""A part touches if its skin is so near to the other hand's flesh."""

CLOSE_STEPS: Final = (7, 6, 3)
"""Steps in which digits close: the second hand's, the first's, the second's again."""

RELEASE: Final = -0.5
"""Digits that are pressed too deep open again, at most by this share of their closing."""

OWN_LIMIT_M: Final = 0.003
"""Deepest overlap of the capsules of one hand."""

CURLED: Final = np.radians(55.0)
"""A finger whose knuckle is bent farther than this has little room: half of the jitter."""

PRESS_M: Final = -0.0003
"""Gap at which digits stop."""

CLOSE_ENOUGH_M: Final = 0.0002
"""Error of that gap at which a digit is left where it is."""

_JITTER: Final = 4 * len(DOFS)
_MIRROR: Final = np.diag([-1.0, 1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Pairs:
    """N pairs of hands of one person; the second is of the other side than the first."""

    angles: np.ndarray
    """(N, 2, 29) rad of the first and the second hand; the wrists' are 0."""
    T_first_from_second: np.ndarray
    """(N, 4, 4) between the hands' own wrist frames (a left hand is mirrored within its own)."""
    kind: np.ndarray
    """(N,) index into `synth.contact.together_kinds.KINDS`."""
    gap_m: np.ndarray
    """(N, 2, 17) float32 signed gap of each part to the other hand, NaN beyond 10 mm."""
    ok: np.ndarray
    """(N,) bool: they touch as the kind demands and overlap no deeper than allowed."""


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
    angles = _jitter(config, table.hold[kind], noise)
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
    spot, own = _hand_spots(rig, identity, angles, T, kind)
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
    angles, T, meets = _meet(rig, flesh, identity, angles, T, kind, gap, arms=False)
    return _judge(config, rig, capsules, flesh, identity, angles, T, kind, meets, arms=False)


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
        spots = [_hand_spots(rig, who, posed[rows], T, kind) for posed in (angles, pairs.angles)]
        T[:, :3, 3] += (spots[0][0] - spots[0][1]) - (spots[1][0] - spots[1][1])
        posed, T, meets = _meet(rig, flesh, who, angles[rows], T, kind, gap, arms=True)
        again = _judge(config, rig, capsules, flesh, who, posed, T, kind, meets, arms=True)
        out.angles[rows], out.gap_m[rows], out.ok[rows] = again.angles, again.gap_m, again.ok
        out.T_first_from_second[rows] = _mirror(again.T_first_from_second, first_left[rows])
    return out


def _mirror(T: np.ndarray, left: np.ndarray) -> np.ndarray:
    return np.where(left[:, None, None], multiply(_MIRROR, T, _MIRROR), T)


def _meet(
    rig: Rig,
    flesh: Flesh,
    identity: np.ndarray,
    angles: np.ndarray,
    T: np.ndarray,
    kind: np.ndarray,
    gap: np.ndarray,
    arms: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The second hand slides to the gap, digits close: angles, T and whether they met at all."""
    table = kind_table()
    count = len(kind)
    still = np.broadcast_to(np.eye(4), T.shape)
    first, second = (
        place_flesh(
            flesh,
            identity,
            bone_transforms(rig, identity, angles[:, h], pose, np.full(count, h == 1))[0],
        )
        for h, pose in ((0, still), (1, T))
    )
    approach = table.approach[kind]
    way = slide(
        first.ball, first.bound, second.ball, second.bound, flesh.group, approach, gap, arms
    )
    meets = np.isfinite(way)
    T = T.copy()
    T[:, :3, 3] += np.where(meets, way, 0.0)[:, None] * approach
    return _close(rig, flesh, identity, angles, T, table.closing[kind]), T, meets


def _judge(
    config: TogetherConfig,
    rig: Rig,
    capsules: Capsules,
    flesh: Flesh,
    identity: np.ndarray,
    angles: np.ndarray,
    T: np.ndarray,
    kind: np.ndarray,
    meets: np.ndarray,
    arms: bool,
) -> Pairs:
    """Every vertex of both hands against the other's flesh, and each hand against itself."""
    count = len(kind)
    parts = kind_table().parts[kind]
    pose = np.stack([np.broadcast_to(np.eye(4), T.shape), T], axis=1)
    left = np.tile([False, True], (count, 1))
    gap_m, depth = measure_pairs(rig, flesh, identity, angles, pose, left, forearms=arms)
    touching = gap_m <= TOUCH_M
    enough = touching.sum((1, 2)) >= parts
    keeps = (parts > 0) | (depth == 0.0)
    own = np.maximum(
        _self_depth(rig, capsules, identity, angles[:, 0], left[:, 0]),
        _self_depth(rig, capsules, identity, angles[:, 1], left[:, 1]),
    )
    limit = config.max_penetration_mm / 1000
    ok = meets & enough & keeps & (depth <= limit) & (own <= OWN_LIMIT_M)
    return Pairs(angles, T, kind, gap_m, ok)


def _jitter(config: TogetherConfig, hold: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """(N, 2, 29) holds with jitter, within the limits."""
    spread = np.full(len(DOFS), np.radians(config.jitter_deg))
    spread[:2] = 0.0
    spread[2] *= 0.5
    abduction = np.arange(FINGER_DOF_START, len(DOFS), 5) + 1
    spread[abduction] *= 0.4
    spread[abduction + 1] *= 0.3
    tight = np.ones(hold.shape)
    for k in range(1, DIGITS):
        knuckle = FINGER_DOF_START + 5 * (k - 1)
        tight[..., digit_angles(k)] = np.where(hold[..., knuckle, None] > CURLED, 0.5, 1.0)
    return clamp((hold + tight * spread * noise).reshape(-1, len(DOFS))).reshape(hold.shape)


def _hand_spots(
    rig: Rig, identity: np.ndarray, angles: np.ndarray, T: np.ndarray, kind: np.ndarray
) -> list[np.ndarray]:
    """(N, 3) spots of the first and the second hand that are to meet, in the first's frame."""
    out = []
    for h, pose in ((0, np.broadcast_to(np.eye(4), T.shape)), (1, T)):
        left = np.full(len(kind), h == 1)
        transforms, joints = bone_transforms(rig, identity, angles[:, h], pose, left)
        tips = _tips(rig, identity, transforms)
        points = np.concatenate([joints, tips], axis=1).astype(np.float64)
        at = np.zeros((len(kind), 3))
        for k in range(points.shape[1]):  # in order: the same sum in any batch
            at += kind_table().spot[kind, h, k, None] * points[:, k]
        out.append(at)
    return out


def _tips(rig: Rig, identity: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """(N, 5, 3) the tips, each carried by its distal bone."""
    bones = rig.skin_bone[rig.tip_vertices, 0]
    rest = rig.rest_vertices[identity][:, rig.tip_vertices].astype(np.float64)
    carried = transforms[:, bones].astype(np.float64)
    return rotate(carried[..., :3], rest) + carried[..., 3]


def _close(
    rig: Rig,
    flesh: Flesh,
    identity: np.ndarray,
    angles: np.ndarray,
    T: np.ndarray,
    closing: np.ndarray,
) -> np.ndarray:
    """Digits move until they touch the other hand: (N, 2, 29).

    Conservative advancement (Mirtich 1996): a step never goes farther than the gap, divided by the
    greatest speed of the digit's skin; pressed digits go back the same way.
    """
    count = len(identity)
    poses = (np.broadcast_to(np.eye(4), (count, 4, 4)), T)
    size = rig.hand_length[identity] / 0.19
    way = np.zeros((2, count, DIGITS))
    active = np.stack([_moves(closing[:, h]) for h in (0, 1)])
    speed = np.stack([_speed(closing[:, h]) * size[:, None] for h in (0, 1)])
    out = angles.copy()

    def flesh_of(h: int) -> Balls:
        transforms, _ = bone_transforms(rig, identity, out[:, h], poses[h], np.full(count, h == 1))
        return place_flesh(flesh, identity, transforms)

    placed = [flesh_of(0), flesh_of(1)]
    for h, steps in zip((1, 0, 1), CLOSE_STEPS, strict=True):
        if not active[h].any():
            continue
        other = placed[1 - h]
        moving, far = active[h], np.full((count, DIGITS), 0.1)
        for _ in range(steps):
            own = placed[h]
            gap = digit_gaps(
                own.ball, own.bound, other.ball, other.bound, flesh.group, DIGIT_BONES, moving, far
            )
            over = gap - PRESS_M
            stuck = ((way[h] >= 1.0) & (over > 0)) | ((way[h] <= RELEASE) & (over < 0))
            moving = moving & ~stuck & (np.abs(over) > CLOSE_ENOUGH_M)
            if not moving.any():
                break
            step = np.where(moving, over / np.maximum(speed[h], 1e-9), 0.0)
            way[h] = np.clip(way[h] + step, RELEASE, 1.0)
            # A step moves the skin by no more than the gap was.
            far = np.where(moving, np.maximum(gap, 0.0) + np.abs(over) + 1e-4, 0.1)
            out[:, h] = clamp(angles[:, h] + _spread(way[h]) * closing[:, h])
            placed[h] = flesh_of(h)
    return out


def _moves(closing: np.ndarray) -> np.ndarray:
    """(N, 29) -> (N, 5) whether each digit closes."""
    return np.stack([(closing[:, digit_angles(k)] != 0).any(1) for k in range(DIGITS)], axis=1)


_ARM_M: Final = (0.0, 0.0, 0.0, *(0.11, 0.11, 0.02, 0.065, 0.065, 0.032)) + 4 * (
    *(0.095, 0.095, 0.012, 0.052, 0.028),
)
"""How far from each joint's axis the farthest skin that it moves is, on a hand of 0.19 m."""


def _speed(closing: np.ndarray) -> np.ndarray:
    """(N, 29) -> (N, 5) greatest way of each digit's skin over the whole closing, m."""
    out = np.zeros((len(closing), DIGITS))
    for k in range(DIGITS):
        span = digit_angles(k)
        for j in range(span.start, span.stop):
            out[:, k] += np.abs(closing[:, j]) * _ARM_M[j]
    return out


def _spread(way: np.ndarray) -> np.ndarray:
    """(N, 5) a number a digit -> (N, 29) a number an angle."""
    out = np.zeros((len(way), len(DOFS)))
    for k in range(DIGITS):
        out[:, digit_angles(k)] = way[:, k, None]
    return out


def _self_depth(
    rig: Rig, capsules: Capsules, identity: np.ndarray, angles: np.ndarray, left: np.ndarray
) -> np.ndarray:
    still = np.broadcast_to(np.eye(4), (len(angles), 4, 4))
    transforms, _ = bone_transforms(rig, identity, angles, still, left)
    return np.asarray(
        self_penetration(*place_capsules(capsules, identity, transforms), capsules.pairs)
    )
