"""Both hands of a person on one solid: pressed between the palms, or held by two edges.

Each hand takes its hold beside or under the solid, slides up until it touches, and closes its
digits on it (`synth.contact.together_shares` lists the ways). Both hands are solved alike, the left
as the mirror image of a right one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import TogetherConfig
from synth.contact.flesh import Balls, Flesh
from synth.contact.together_closing import (
    OWN_LIMIT_M,
    close_digits,
    jitter_holds,
    pose_flesh,
    self_depth,
)
from synth.contact.together_gaps import FAR_M, PARTS, measure_pairs, part_vertices
from synth.contact.together_holds import DIGITS, closing_angles, hold_angles
from synth.contact.together_meeting import TOUCH_M, carry_tips
from synth.contact.together_shares import APPROACH, HELD_DEG, SIDES, Shares
from synth.contact.together_slide import DIGIT_BONES
from synth.contact.together_solid import digit_solid_gaps, part_solid_gaps, slide_to_solid
from synth.contact.together_table import spot_weights, wrist_frame
from synth.hand.angles import DOFS, rotation
from synth.hand.bones import BONES, FOREARM_BONE, THUMB
from synth.hand.collision import Capsules
from synth.hand.kinematics import bone_transforms, skin_hands
from synth.hand.rig import Rig
from synth.rigid import invert_rigid, multiply
from synth.things.distance import DistancePack

ROUNDS: Final = (1, 3, 8)
CLOSE_STEPS: Final = 12
PARTS_EACH: Final = 3
"""Each hand touches with at least so many parts."""
BEYOND_M: Final = 0.25
"""So far away a hand begins to slide, and no farther than twice that."""

_MIRROR: Final = np.diag([-1.0, 1.0, 1.0, 1.0])
_NOISE: Final = 4 * len(DOFS)


@dataclass(frozen=True)
class SharedHolds:
    """N pairs of hands with a solid between them; the first is the left one where asked for."""

    angles: np.ndarray
    """(N, 2, 29) rad; the wrists' are 0."""
    T_first_from_second: np.ndarray
    """(N, 4, 4)"""
    T_first_from_object: np.ndarray
    """(N, 4, 4) of the solid's own model, never mirrored."""
    R_body_from_first: np.ndarray
    """(N, 3, 3) how the pair is held: body x right, y forward, z up."""
    kind: np.ndarray
    """(N,) index into `synth.contact.together_shares.SHARE_KINDS`, -1: no way to hold the solid."""
    gap_m: np.ndarray
    """(N, 2, 17) float32 signed gap of each part to the solid, NaN beyond 10 mm."""
    ok: np.ndarray
    """(N,) bool: each hand touches with three parts, nothing overlaps beyond the limit."""


def solve_shared(
    config: TogetherConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    rig: Rig,
    capsules: Capsules,
    flesh: Flesh,
    shares: Shares,
    pack: DistancePack,
    identity: np.ndarray,
    solid: np.ndarray,
    first_left: np.ndarray,
) -> SharedHolds:
    """Both hands on `solid` (N,) for each of N frames.

    shares from `list_shares` and pack from `pack_grids` of the same solids; frame_ids, identity
    (N,) int64, first_left (N,) bool. A solid without a way to hold it gives not ok.
    """
    count = len(frame_ids)
    angles = np.zeros((count, 2, len(DOFS)))
    T = np.tile(np.eye(4), (count, 2, 1, 1))
    turn = np.tile(np.eye(3), (count, 1, 1))
    kind = np.full(count, -1)
    gap = np.full((count, 2, PARTS), np.nan, np.float32)
    ok = np.zeros(count, bool)
    choices = shares.start[solid + 1] - shares.start[solid]
    start = 0
    for size in ROUNDS:
        rest = np.flatnonzero(~ok & (choices > 0))
        if not len(rest):
            break
        rows = np.repeat(rest, size)
        attempt = np.tile(np.arange(start, start + size), len(rest))
        u = uniform(seed, frame_ids[rows], stage + "/shared", _NOISE + 24, attempt)
        way = shares.start[solid[rows]] + (u[:, -1] * choices[rows]).astype(np.int64)
        tries = _try(
            config, rig, capsules, flesh, shares, pack, identity[rows], solid[rows], way, u
        )
        pick = np.arange(len(rest)) * size + tries[3].reshape(len(rest), size).argmax(1)
        angles[rest], T[rest], gap[rest] = tries[0][pick], tries[1][pick], tries[2][pick]
        ok[rest], turn[rest], kind[rest] = (
            tries[3][pick],
            tries[4][pick],
            shares.kind[way[pick]],
        )
        start += size

    # From right and left, in the tray's frame, to first and second.
    order = np.where(first_left[:, None], [1, 0], [0, 1])
    each = np.arange(count)[:, None]
    angles, T, gap = angles[each, order], T[each, order], gap[each, order]
    back = invert_rigid(T[:, 0])
    pose = np.tile(np.eye(4), (count, 1, 1))
    pose[:, :3, :3] = turn
    u = uniform(seed, frame_ids, stage + "/shared held", 6)
    lean = np.radians(np.array(HELD_DEG)[np.maximum(kind, 0)]) + np.radians(10.0) * np.clip(
        normal(u), -2.0, 2.0
    )
    held = multiply(rotation("z", lean[:, 2]), rotation("y", lean[:, 1]), rotation("x", lean[:, 0]))
    return SharedHolds(
        angles=angles,
        T_first_from_second=multiply(back, T[:, 1]),
        T_first_from_object=multiply(back, pose),
        R_body_from_first=multiply(held, np.ascontiguousarray(T[:, 0, :3, :3])),
        kind=kind,
        gap_m=gap,
        ok=ok,
    )


def _try(
    config: TogetherConfig,
    rig: Rig,
    capsules: Capsules,
    flesh: Flesh,
    shares: Shares,
    pack: DistancePack,
    identity: np.ndarray,
    solid: np.ndarray,
    way: np.ndarray,
    u: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """Angles (N, 2, 29), T_tray_from_wrist (N, 2, 4, 4), gaps (N, 2, 17), ok (N,) and turn
    (N, 3, 3) R_tray_from_solid of one attempt: the right and the left hand."""
    count = len(way)
    kind = shares.kind[way]
    noise = normal(u[:, :_NOISE]).reshape(count, 2, len(DOFS))
    place = normal(u[:, _NOISE : _NOISE + 20])
    # The solid may as well be the other way round: half a turn about the tray's z.
    flip = np.where(u[:, -2] < 0.5, -1.0, 1.0)
    turn = shares.turn[way].copy()
    turn[:, :2] *= flip[:, None, None]
    inward = np.ascontiguousarray(np.swapaxes(turn, 1, 2))
    hold = np.stack([hold_angles(s.hold) for s in SIDES])[kind]
    closing = np.stack([closing_angles(s.closing) for s in SIDES])[kind]
    angles = jitter_holds(config.jitter_deg, np.repeat(hold[:, None], 2, axis=1), noise)
    T = np.tile(np.eye(4), (count, 2, 1, 1))
    met = np.ones(count, bool)
    gaps, skins = [], []
    order, start = part_vertices(rig)
    for h in (0, 1):
        left = np.full(count, h == 1)
        T[:, h], approach = _offer(config, rig, shares, identity, way, angles[:, h], h, place)
        bones = np.ones((2, len(BONES)), bool)
        bones[:, FOREARM_BONE] = False
        bones[1, THUMB + 1 : THUMB + 3] = False  # it goes over the edge
        T[:, h, :3, 3] -= BEYOND_M * approach
        balls = pose_flesh(rig, flesh, identity, angles[:, h], T[:, h], left)
        for k in range(len(SIDES)):
            rows = np.flatnonzero(kind == k)
            if len(rows):
                moved = slide_to_solid(
                    balls.ball[rows],
                    flesh.group,
                    bones[k],
                    inward[rows],
                    approach[rows],
                    np.full(len(rows), -0.0004),
                    pack,
                    solid[rows],
                    2 * BEYOND_M,
                )
                met[rows] &= np.isfinite(moved)
                T[rows, h, :3, 3] += (
                    np.where(np.isfinite(moved), moved, 0.0)[:, None] * approach[rows]
                )

        def measure(own: Balls, active: np.ndarray, far: np.ndarray) -> np.ndarray:
            return np.asarray(
                digit_solid_gaps(own.ball, flesh.group, DIGIT_BONES, active, inward, pack, solid)
            )

        angles[:, h], _ = close_digits(
            rig,
            flesh,
            identity,
            angles[:, h],
            T[:, h],
            left,
            closing,
            np.zeros((count, DIGITS)),
            CLOSE_STEPS,
            measure,
        )
        transforms, _ = bone_transforms(rig, identity, angles[:, h], T[:, h], left)
        skins.append(skin_hands(rig, identity, transforms))
        gaps.append(part_solid_gaps(skins[h], order, start, inward, pack, solid, FAR_M))
        met &= self_depth(rig, capsules, identity, angles[:, h], left) <= OWN_LIMIT_M
    gap = np.stack(gaps, axis=1)
    _, depth = measure_pairs(
        *(rig, flesh, identity, angles, T, np.tile([False, True], (count, 1))),
        forearms=False,
        far_m=0.0,
    )
    limit = config.max_penetration_mm / 1000
    enough = ((gap <= TOUCH_M).sum(2) >= PARTS_EACH).all(1)
    ok = met & enough & (gap.reshape(count, -1).min(1) >= -limit) & (depth <= limit)
    shown = np.where(gap < FAR_M, gap, np.nan).astype(np.float32)
    return angles, T, shown, ok, turn


def _offer(
    config: TogetherConfig,
    rig: Rig,
    shares: Shares,
    identity: np.ndarray,
    way: np.ndarray,
    angles: np.ndarray,
    h: int,
    place: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """T_tray_from_wrist (N, 4, 4) of hand h (0 right, 1 left) with its spot where it is to touch,
    but for the way along its approach (N, 3)."""
    count = len(way)
    kind = shares.kind[way]
    frame = np.stack([wrist_frame(side) for side in SIDES])[kind]
    lean = np.radians(config.turn_deg) * place[:, 3 * h : 3 * h + 3]
    lean[:, :2] *= np.where(kind == 1, 0.4, 1.0)[:, None]
    frame = multiply(
        rotation("z", lean[:, 2]), rotation("y", lean[:, 1]), rotation("x", lean[:, 0]), frame
    )
    T = np.tile(np.eye(4), (count, 1, 1))
    T[:, :3, :3] = frame
    right = np.zeros(count, bool)
    transforms, joints = bone_transforms(rig, identity, angles, T, right)
    points = np.concatenate([joints, carry_tips(rig, identity, transforms)], 1).astype(np.float64)
    weights = np.stack([spot_weights(side.at) for side in SIDES])[kind]
    spot = np.zeros((count, 3))
    for k in range(points.shape[1]):  # in order: the same sum in any batch
        spot += weights[:, k, None] * points[:, k]
    half = shares.half_m[way]
    size = rig.hand_length[identity] / 0.19
    goal = np.zeros((count, 3))
    edges = kind == 1
    goal[:, 0] = np.where(
        edges,
        half[:, 0] + np.clip(0.1 * size - half[:, 0], -0.012, 0.016) + 0.005 * place[:, 6 + h],
        0.0,
    )
    goal[:, 1] = np.where(
        edges,
        -0.02 * size + 0.25 * half[:, 1] * np.clip(place[:, 8], -1.5, 1.5),
        -0.02 * size + 0.2 * half[:, 1] * np.clip(place[:, 8 + h], -1.5, 1.5),
    )
    goal[:, 2] = np.where(edges, 0.0, 0.25 * half[:, 2] * np.clip(place[:, 6 + h], -1.5, 1.5))
    T[:, :3, 3] = goal - spot
    approach = np.array(APPROACH)[kind]
    if h:
        T = multiply(_MIRROR, T, _MIRROR)
        approach = approach * np.array([-1.0, 1.0, 1.0])
    return T, approach
