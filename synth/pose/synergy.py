"""Hands that are nowhere named: synergies of the fingers, and the way they deviate together.

Two components explain more than 80 % of the variance of 15 joints while people grasp (Santello,
Flanders and Soechting 1998), twelve over 80 % of all joints over 77 people (Jarque-Bou et al.
2019). So a hand has one curl, a gradient from index to pinky, and neighbours that follow each
other; one or two digits may leave the rest, as in gestures. A DIP follows its PIP. Knuckles differ
by 45 degrees at most, unless a finger points.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from synth.hand.angles import DOF, DOFS, FINGER_DOF_START

MAX_NEIGHBOUR_RAD: Final = np.radians(45.0)
FOLDED_RAD: Final = np.radians(163.0)
"""PIP and DIP together: then a fingertip meets the base of its own finger."""
CLENCHED_RAD: Final = np.radians([226.0, 238.0, 238.0, 236.0])
"""All three joints of a finger together, index to pinky: then its tip meets the palm. Recorded
fists reach 226, 240, 243 and 217 degrees."""
RING_LAG_RAD: Final = np.radians(64.0)
"""How far the ring finger's knuckle flexes beside a straight pinky: their tendons are joined."""
DIP_FOLLOWS_PIP: Final = 2.0 / 3.0

FLEXION: Final = [FINGER_DOF_START + 5 * f for f in range(4)]
"""The MCP flexion of each finger; abduction, twist, PIP and DIP follow it."""

DRIFT_DEG: Final = np.array([5.0, 7.0, 10.0, 12.5])
"""Fingers incline towards ulnar at the knuckles (Hakstian and Tubiana 1967); these are the means of
the recorded hands (`synth.pose.recorded`), index to pinky."""

ULNAR_LIFT_DEG: Final = (0.0, 0.0, 4.0, 8.0)
"""How much farther than the index a straight finger extends, where the palm's arch lifts it."""


def _habit() -> np.ndarray:
    out = np.zeros(len(DOFS))
    out[[DOF["palm_arch"], DOF["thumb_mcp_flexion"], DOF["thumb_ip_flexion"]]] = [3.5, 4.0, -2.0]
    out[[i + 1 for i in FLEXION]] = 0.7 * DRIFT_DEG
    return np.radians(out)


HABIT: Final = _habit()
"""(29,) rad: what recorded hands do and authored tables leave out, the mean difference between the
recordings and the tables of the same names."""

JITTER_DEG: Final = 4.0
"""The jitter for which `deviations` states its spreads."""


def deviations(noise: np.ndarray) -> np.ndarray:
    """(N, 29) standard normal -> (N, 29) rad: how one person's version of a pose differs.

    Fingers curl and spread more or less together, and each a little by itself.
    """
    out = np.zeros_like(noise)
    z = noise
    out[:, 2] = 2.0 * z[:, 2]
    for k, spread in zip(range(3, 9), (5.5, 5.0, 4.0, 6.5, 3.0, 7.0), strict=True):
        out[:, k] = spread * z[:, k]
    curl, bend, fan = z[:, 0], z[:, 1], z[:, 11]
    drift = 0.7 * z[:, 16] + 0.7 * z[:, 21]
    for f, i in enumerate(FLEXION):
        own = z[:, i]
        out[:, i] = 5.0 * curl + 3.5 * own
        out[:, i + 1] = 4.0 * drift + 2.5 * (f - 1.5) / 1.5 * fan + 1.5 * z[:, i + 1]
        out[:, i + 2] = 1.0 * z[:, i + 2]
        out[:, i + 3] = 2.0 * curl + 4.0 * bend + 3.0 * z[:, i + 3]
        out[:, i + 4] = DIP_FOLLOWS_PIP * out[:, i + 3] + 4.0 * z[:, 26] + 2.5 * z[:, i + 4]
    return np.radians(out)


def draw_synergies(noise: np.ndarray, u: np.ndarray) -> np.ndarray:
    """(N, 29) standard normal and (N, 8) uniform numbers -> (N, 29) rad, not yet within limits."""
    z = noise
    out = np.zeros_like(noise)
    curl, gradient, shape = u[:, 0], 0.5 * (u[:, 1] - 0.5), 0.55 * z[:, 0]
    out[:, DOF["palm_arch"]] = 7.0 + 4.0 * z[:, 2]
    # One or two neighbours leave the others: fingers first .. last towards straight or curled.
    apart = u[:, 2] < 0.45
    first = np.floor(4.0 * u[:, 3])
    last = first + np.floor(2.2 * u[:, 4])
    goal = np.where(u[:, 5] < 0.6, 0.06, 0.85)
    # Neighbours follow each other: an autoregressive walk from index to pinky.
    walk = z[:, FLEXION[0]]
    drift = 0.7 * z[:, 16] + 0.7 * z[:, 21]
    for f, i in enumerate(FLEXION):
        if f:
            walk = 0.6 * walk + 0.8 * z[:, i]
        own = curl + gradient * (f - 1.5) + 0.12 * walk
        leaves = apart & (first <= f) & (f <= last)
        own = np.clip(np.where(leaves, goal + 0.06 * z[:, i], own), 0.0, 1.0)
        # A knuckle before its PIP, or after: a flat table top to a hook.
        out[:, i] = (
            -10.0
            - ULNAR_LIFT_DEG[f] * (1.0 - own)
            + 84.0 * own ** np.exp(shape)
            + 7.0 * z[:, i + 2]
        )
        out[:, i + 3] = 2.0 + 102.0 * own ** np.exp(-shape) + 7.0 * z[:, i + 3]
        out[:, i + 4] = DIP_FOLLOWS_PIP * (out[:, i + 3] - 6.0) + 7.0 * z[:, i + 4]
        fan = (3.5 * (1.2 - own) + 2.5 * z[:, 11]) * (f - 1.5)
        out[:, i + 1] = DRIFT_DEG[f] + 4.0 * drift + fan + 2.5 * z[:, i + 1]
        out[:, i + 2] = 1.5 * z[:, i + 4]
    # The thumb opposes the more, the more the fingers curl; recorded tips are straight or bent back
    # as often as they are flexed.
    closed = curl - 0.4
    out[:, DOF["thumb_cmc_flexion"]] = 2.0 + 8.0 * closed + 12.0 * z[:, 3]
    out[:, DOF["thumb_cmc_abduction"]] = 3.0 + 8.0 * closed + 11.0 * z[:, 4]
    out[:, DOF["thumb_cmc_rotation"]] = 4.0 * closed + 9.0 * z[:, 5]
    out[:, DOF["thumb_mcp_flexion"]] = 22.0 + 8.0 * closed + 12.0 * z[:, 6]
    out[:, DOF["thumb_mcp_abduction"]] = 4.0 * z[:, 7]
    out[:, DOF["thumb_ip_flexion"]] = 3.0 + 14.0 * closed + 0.5 * 13.0 * z[:, 6] + 17.0 * z[:, 8]
    return np.radians(out)


def unfold(angles: np.ndarray) -> np.ndarray:
    """(N, 29): no tip goes into its own finger or the palm, no ring finger far from its pinky."""
    out = angles.copy()
    for i, most in zip(FLEXION, CLENCHED_RAD, strict=True):
        out[:, i + 4] = np.minimum(out[:, i + 4], FOLDED_RAD - out[:, i + 3])
        out[:, i] = np.minimum(out[:, i], most - out[:, i + 3] - out[:, i + 4])
    ring, pinky = FLEXION[2:]
    out[:, ring] = np.minimum(out[:, ring], RING_LAG_RAD + np.maximum(out[:, pinky], 0.0))
    return out


def couple(angles: np.ndarray) -> np.ndarray:
    """Neighbouring knuckles stay within 45 degrees of each other, unless one finger points.

    A finger that is straight against curled neighbours (point, peace, horns) is held so by its own
    extensor, and is left alone: the limit acts on knuckles that are both in mid range.
    """
    out = angles.copy()
    for a, b in pairwise(FLEXION):
        free = (out[:, a] > np.radians(12)) & (out[:, b] > np.radians(12))
        excess = np.abs(out[:, a] - out[:, b]) - MAX_NEIGHBOUR_RAD
        shift = np.where(free & (excess > 0), np.sign(out[:, a] - out[:, b]) * excess / 2, 0.0)
        out[:, a] -= shift
        out[:, b] += shift
    return out
