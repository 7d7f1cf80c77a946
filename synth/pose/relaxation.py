"""Named poses made to fit every hand: a table of angles that suits one runs another into itself.

For each person and named pose whose flesh overlaps, angles near the table's are tried until the
overlap is gone: fingers spread, curl a little less, and the thumb backs out.
"""

from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.hand.angles import DOF, DOFS, FINGER_DOF_START, clamp
from synth.hand.bones import FINGERS
from synth.hand.collision import Capsules, place_capsules, self_penetration
from synth.hand.kinematics import bone_transforms
from synth.hand.rig import Rig
from synth.pose.presets import preset_table

ROUNDS: Final = (16, 16)
"""Tries about the table's angles, then about the best of those with half the spread."""

WANTED_M: Final = 0.001
"""Overlap at which a pose is left as it is: less than a sampled pose may have."""

COST_PER_M: Final = 1e6
"""How many squared degrees of deviation an overlap of a metre outweighs."""


def _spread_deg() -> np.ndarray:
    """(29,) how far each angle may stray, standard deviation in degrees."""
    out = np.zeros(len(DOFS))
    out[3:FINGER_DOF_START] = [6, 6, 4, 6, 0, 7]
    for finger in FINGERS:
        start = DOF[f"{finger}_mcp_flexion"]
        out[start : start + 5] = [4, 4, 1.5, 4, 5]
    return out


def penetration(
    rig: Rig, capsules: Capsules, identity: np.ndarray, angles: np.ndarray
) -> np.ndarray:
    """(B,) deepest overlap of the capsules of each posed hand, metres."""
    still = np.broadcast_to(np.eye(4), (len(angles), 4, 4))
    transforms, _ = bone_transforms(rig, identity, angles, still, np.zeros(len(angles), bool))
    return np.asarray(
        self_penetration(*place_capsules(capsules, identity, transforms), capsules.pairs)
    )


CHUNK: Final = 256
"""Overlapping poses that are fitted at once: bounds the memory."""


def relax_presets(rig: Rig, capsules: Capsules, seed: int) -> np.ndarray:
    """(I, P, 29) rad: every named pose for every person; those that fit keep the table's angles."""
    table = preset_table()
    people, poses = len(rig.shape), len(table)
    out = np.tile(table, (people, 1, 1)).reshape(people * poses, -1)
    person = np.repeat(np.arange(people), poses)
    depth = penetration(rig, capsules, person, out)
    tight = np.flatnonzero(depth > WANTED_M)
    for start in range(0, len(tight), CHUNK):
        rows = tight[start : start + CHUNK]
        out[rows] = _fit(rig, capsules, seed, rows, person[rows], out[rows])
    return out.reshape(people, poses, -1)


def _fit(
    rig: Rig,
    capsules: Capsules,
    seed: int,
    keys: np.ndarray,
    person: np.ndarray,
    target: np.ndarray,
) -> np.ndarray:
    """(N, 29) angles near `target` that overlap least; keys (N,) name the random streams."""
    best, spread = target.copy(), np.radians(_spread_deg())
    for k, count in enumerate(ROUNDS):
        rows = np.repeat(np.arange(len(keys)), count)
        # Keyed by person and pose, so that a person is the same in whatever company.
        tries = np.tile(np.arange(count), len(keys))
        noise = normal(uniform(seed, keys[rows], f"relax/{k}", 2 * len(DOFS), tries))
        noise[tries == 0] = 0.0
        trial = clamp(best[rows] + noise * spread / (k + 1))
        over = np.maximum(penetration(rig, capsules, person[rows], trial) - WANTED_M, 0.0)
        away = np.degrees(trial - target[rows])
        cost = (COST_PER_M * over + (away * away).sum(1)).reshape(-1, count)
        best = trial[cost.argmin(1) + count * np.arange(len(keys))]
    return best
