"""Grasps: a hand closes about a solid along the way of one of the 33 classes until it touches."""

import numpy as np

from synth.config import GraspConfig
from synth.contact.holds import PARTS, Holds
from synth.contact.probes import Probes
from synth.hand.collision import Capsules
from synth.hand.rig import Rig
from synth.things.distance import DistancePack
from synth.things.solid import Solid


def solve_grasps(
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
) -> Holds:
    """One held solid a hand; `ok` tells where that worked.

    frame_ids, identity, solid (indices into `solids`), left: (N,). pack: `pack_grids(solids)`.
    """
    count = len(frame_ids)
    return Holds(
        np.zeros((count, 29)),
        np.tile(np.eye(4), (count, 1, 1)),
        np.full(count, -1),
        np.full((count, PARTS), np.nan, np.float32),
        np.zeros(count, bool),
    )
