"""Hands on or near the face of a solid that they do not hold."""

import numpy as np

from synth.config import GraspConfig
from synth.contact.holds import PARTS, Holds
from synth.contact.probes import Probes
from synth.hand.collision import Capsules
from synth.hand.rig import Rig
from synth.things.distance import DistancePack
from synth.things.solid import Solid


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
    """The free pose `angles` (N, 29) beside a solid, 0-50 mm away; grasp is -1 throughout."""
    count = len(frame_ids)
    return Holds(
        angles.copy(),
        np.tile(np.eye(4), (count, 1, 1)),
        np.full(count, -1),
        np.full((count, PARTS), np.nan, np.float32),
        np.zeros(count, bool),
    )
