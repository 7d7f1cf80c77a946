"""Random hand poses: named ones, the ways between them, and synergies; free of self-penetration.

Grasping moves the fingers together: two components explain more than 80 % of the variance of 15
joints (Santello, Flanders and Soechting 1998). A synergy draw is therefore one shared curl, a
gradient from index to pinky, and small deviations of each finger; a DIP follows its PIP by about
two thirds, and neighbouring knuckles differ by 45 degrees at most.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import PoseConfig
from synth.hand.angles import DOF, DOFS, FINGER_DOF_START, LIMITS, clamp
from synth.hand.collision import Capsules
from synth.hand.rig import Rig
from synth.pose.presets import PRESETS
from synth.pose.relaxation import penetration

ROUNDS: Final = (1, 2, 3, 6, 12)
"""Attempts that are tried at once in each round; the first accepted one counts."""
ATTEMPTS: Final = sum(ROUNDS)
"""After half of them a draw is pulled towards the relaxed hand, so that one is accepted."""

MAX_NEIGHBOUR_RAD: Final = np.radians(45.0)
DIP_FOLLOWS_PIP: Final = 2.0 / 3.0

_FLEXION = [FINGER_DOF_START + 5 * f for f in range(4)]
_RELAXED = next(i for i, p in enumerate(PRESETS) if p.name == "relaxed")


@dataclass(frozen=True)
class Poses:
    """B sampled poses."""

    angles: np.ndarray
    """(B, 29) rad; the wrist's are zero: the arm decides them."""
    preset: np.ndarray
    """(B,) index into PRESETS of the named pose shown, -1 for none."""


def sample_poses(
    config: PoseConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    rig: Rig,
    capsules: Capsules,
    presets: np.ndarray,
    identity: np.ndarray,
) -> Poses:
    """One pose a frame, without self-penetration; stream `stage`, new attempt after a rejection.

    presets (I, P, 29) from `synth.pose.relaxation`, identity (B,) whose hand it is.
    """
    angles = np.zeros((len(frame_ids), len(DOFS)))
    preset = np.full(len(frame_ids), -1, dtype=np.int64)
    pending = np.arange(len(frame_ids))
    start = 0
    for size in ROUNDS:
        rows = np.repeat(pending, size)
        attempt = np.tile(np.arange(start, start + size), len(pending))
        drawn = _draw(config, seed, frame_ids[rows], stage, attempt, presets, identity[rows])
        depth = penetration(rig, capsules, identity[rows], drawn.angles)
        fine = (depth <= config.max_penetration_mm / 1000).reshape(-1, size)
        chosen = np.where(fine.any(1), fine.argmax(1), size - 1) + size * np.arange(len(pending))
        angles[pending], preset[pending] = drawn.angles[chosen], drawn.preset[chosen]
        pending = pending[~fine.any(1)]
        start += size
        if not len(pending):
            break
    return Poses(angles, preset)


def _draw(
    config: PoseConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    attempt: np.ndarray,
    presets: np.ndarray,
    person: np.ndarray,
) -> Poses:
    # What kind of pose a frame shows does not change with its attempts: rejection would otherwise
    # favour the kinds that are seldom rejected.
    kind = uniform(seed, frame_ids, stage + "/kind", 4)
    pull = np.clip((attempt + 1 - ATTEMPTS // 2) / (ATTEMPTS // 2), 0.0, 1.0)
    n = len(DOFS)
    u = uniform(seed, frame_ids, stage + "/angles", 2 * n, attempt)
    noise = normal(u)
    poses = presets.shape[1]
    first = np.minimum((kind[:, 1] * poses).astype(np.int64), poses - 1)
    # Another pose, and never all the way: a pose on the way must not show a named one unlabelled.
    step = np.minimum((kind[:, 2] * (poses - 1)).astype(np.int64), poses - 2)
    second = (first + 1 + step) % poses
    start, end = presets[person, first], presets[person, second]
    named = kind[:, 0] < config.preset_share
    between = ~named & (kind[:, 0] < config.preset_share + config.between_share)

    # Fingers move at slightly different times: a step per finger about the common one.
    t = 0.2 + 0.6 * kind[:, 3, None] + 0.12 * noise[:, FINGER_DOF_START : FINGER_DOF_START + 5]
    t = np.repeat(np.clip(t, 0, 1), [4, 5, 5, 5, 5], axis=1)
    way = start.copy()
    way[:, 5:] = (1 - t) * start[:, 5:] + t * end[:, 5:]
    way[:, :5] = (1 - t[:, :1]) * start[:, :5] + t[:, :1] * end[:, :5]

    base = np.where(named[:, None], start, way)
    flexible = LIMITS[:, 1] - LIMITS[:, 0]
    spread = np.minimum(np.radians(config.jitter_deg), 0.12 * flexible)
    # A tight pose (a fist) that is rejected comes back nearer to its table.
    base = base + np.where(named, 0.85**attempt, 1.6)[:, None] * spread * noise
    angles = np.where((named | between)[:, None], base, _synergy(noise, kind))
    angles = (1 - pull)[:, None] * angles + pull[:, None] * presets[person, _RELAXED]
    angles[:, :2] = 0.0
    return Poses(clamp(couple(clamp(angles))), np.where(named & (pull == 0.0), first, -1))


def _synergy(noise: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Shared curl, gradient across the hand, and deviations of each finger."""
    deg = np.radians(1.0)
    out = 0.35 * (LIMITS[:, 1] - LIMITS[:, 0]) / 2 * noise
    out[:, DOF["palm_arch"]] = np.abs(noise[:, 2]) * 5 * deg
    curl = kind[:, 1]
    gradient = 22 * (kind[:, 2] - 0.5)
    for f, i in enumerate(_FLEXION):
        own = np.clip(curl + 0.13 * noise[:, i], 0, 1)
        out[:, i] = (-12 + 88 * own + gradient * (f - 1.5) + 7 * noise[:, i + 2]) * deg
        out[:, i + 1] = (3.0 * (f - 1.3) * (1.3 - 2 * curl) + 4.0 * noise[:, i + 1]) * deg
        out[:, i + 2] = 1.5 * noise[:, i + 2] * deg
        out[:, i + 3] = (4 + 88 * own ** (0.6 + 1.2 * kind[:, 3]) + 9 * noise[:, i + 3]) * deg
        out[:, i + 4] = DIP_FOLLOWS_PIP * out[:, i + 3] + 8 * noise[:, i + 4] * deg
    # The thumb opposes the more, the more the fingers curl.
    out[:, DOF["thumb_cmc_abduction"]] += 10 * (curl - 0.3) * deg
    out[:, DOF["thumb_cmc_rotation"]] += 6 * (curl - 0.4) * deg
    out[:, DOF["thumb_mcp_flexion"]] = (12 + 18 * curl + 9 * noise[:, 6]) * deg
    out[:, DOF["thumb_ip_flexion"]] = (10 + 26 * curl + 14 * noise[:, 8]) * deg
    return out


def couple(angles: np.ndarray) -> np.ndarray:
    """Neighbouring knuckles stay within 45 degrees of each other, unless one finger points.

    A finger that is straight against curled neighbours (point, peace, horns) is held so by its own
    extensor, and is left alone: the limit acts on knuckles that are both in mid range.
    """
    out = angles.copy()
    for a, b in pairwise(_FLEXION):
        free = (out[:, a] > np.radians(12)) & (out[:, b] > np.radians(12))
        excess = np.abs(out[:, a] - out[:, b]) - MAX_NEIGHBOUR_RAD
        shift = np.where(free & (excess > 0), np.sign(out[:, a] - out[:, b]) * excess / 2, 0.0)
        out[:, a] -= shift
        out[:, b] += shift
    return out
