"""How one attempt at a pair goes: the second hand slides up, digits close, the skin judges."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.config import TogetherConfig
from synth.contact.flesh import Balls, Flesh
from synth.contact.together_closing import OWN_LIMIT_M, close_digits, pose_flesh, self_depth
from synth.contact.together_gaps import measure_pairs
from synth.contact.together_holds import DIGITS
from synth.contact.together_slide import DIGIT_BONES, digit_gaps, slide
from synth.contact.together_table import kind_table
from synth.hand.collision import Capsules
from synth.hand.kinematics import bone_transforms
from synth.hand.rig import Rig
from synth.rigid import rotate

TOUCH_M: Final = 0.0015
"""A part touches if its skin is so near to the other hand's flesh."""

ARM_SHARE: Final = 0.75
"""Share of the allowed overlap for hands on forearms."""

CLOSE_STEPS: Final = (7, 6, 3)
"""Steps in which digits close: the second hand's, the first's, the second's again."""


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


def meet(
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
        pose_flesh(rig, flesh, identity, angles[:, h], pose, np.full(count, h == 1))
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


def _close(
    rig: Rig,
    flesh: Flesh,
    identity: np.ndarray,
    angles: np.ndarray,
    T: np.ndarray,
    closing: np.ndarray,
) -> np.ndarray:
    """Digits of both hands move until they touch the other hand: (N, 2, 29)."""
    count = len(identity)
    poses = (np.broadcast_to(np.eye(4), (count, 4, 4)), T)
    way = [np.zeros((count, DIGITS)), np.zeros((count, DIGITS))]
    out = angles.copy()
    for h, steps in zip((1, 0, 1), CLOSE_STEPS, strict=True):
        if not closing[:, h].any():
            continue
        other = pose_flesh(
            rig, flesh, identity, out[:, 1 - h], poses[1 - h], np.full(count, h == 0)
        )

        def measure(
            own: Balls, active: np.ndarray, far: np.ndarray, other: Balls = other
        ) -> np.ndarray:
            return np.asarray(
                digit_gaps(
                    own.ball,
                    own.bound,
                    other.ball,
                    other.bound,
                    flesh.group,
                    DIGIT_BONES,
                    active,
                    far,
                )
            )

        out[:, h], way[h] = close_digits(
            rig,
            flesh,
            identity,
            angles[:, h],
            poses[h],
            np.full(count, h == 1),
            closing[:, h],
            way[h],
            steps,
            measure,
        )
    return out


def judge(
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
        self_depth(rig, capsules, identity, angles[:, 0], left[:, 0]),
        self_depth(rig, capsules, identity, angles[:, 1], left[:, 1]),
    )
    # The forearm's mesh is coarse, and the flesh errs more there.
    limit = config.max_penetration_mm / 1000 * np.where(kind_table().on_arm[kind], ARM_SHARE, 1.0)
    ok = meets & enough & keeps & (depth <= limit) & (own <= OWN_LIMIT_M)
    return Pairs(angles, T, kind, gap_m, ok)


def hand_spots(
    rig: Rig, identity: np.ndarray, angles: np.ndarray, T: np.ndarray, kind: np.ndarray
) -> list[np.ndarray]:
    """(N, 3) spots of the first and the second hand that are to meet, in the first's frame."""
    out = []
    for h, pose in ((0, np.broadcast_to(np.eye(4), T.shape)), (1, T)):
        left = np.full(len(kind), h == 1)
        transforms, joints = bone_transforms(rig, identity, angles[:, h], pose, left)
        tips = carry_tips(rig, identity, transforms)
        points = np.concatenate([joints, tips], axis=1).astype(np.float64)
        at = np.zeros((len(kind), 3))
        for k in range(points.shape[1]):  # in order: the same sum in any batch
            at += kind_table().spot[kind, h, k, None] * points[:, k]
        out.append(at)
    return out


def carry_tips(rig: Rig, identity: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """(N, 5, 3) the tips, each carried by its distal bone."""
    bones = rig.skin_bone[rig.tip_vertices, 0]
    rest = rig.rest_vertices[identity][:, rig.tip_vertices].astype(np.float64)
    carried = transforms[:, bones].astype(np.float64)
    return rotate(carried[..., :3], rest) + carried[..., 3]
