"""Grasps: a hand closes about a solid along the way of one of the 33 classes until it touches."""

from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.config import GraspConfig
from synth.contact.choosing import list_handles
from synth.contact.closing import list_flesh
from synth.contact.feeling import make_state
from synth.contact.holds import PARTS, Holds
from synth.contact.probes import Probes
from synth.contact.solver import hold
from synth.contact.ways import list_ways
from synth.hand.collision import Capsules
from synth.hand.rig import Rig
from synth.things.distance import DistancePack
from synth.things.solid import Solid

ATTEMPTS: Final = 8
"""A hand tries so many handles, classes and places before it is given up."""
CHOICES: Final = 8
DEVIATIONS: Final = 20


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
    Every hand depends on its own row alone.
    """
    holds, _ = attempt_grasps(
        config, seed, frame_ids, stage, capsules, probes, solids, pack, identity, solid, left
    )
    return holds


def attempt_grasps(
    config: GraspConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    capsules: Capsules,
    probes: Probes,
    solids: tuple[Solid, ...],
    pack: DistancePack,
    identity: np.ndarray,
    solid: np.ndarray,
    left: np.ndarray,
) -> tuple[Holds, np.ndarray]:
    """`solve_grasps`, and (N, ATTEMPTS) why each attempt failed: see `synth.contact.solver`."""
    count = len(frame_ids)
    ids = np.repeat(np.asarray(frame_ids), ATTEMPTS)
    attempt = np.tile(np.arange(ATTEMPTS), count)
    u = uniform(seed, ids, stage + "/place", CHOICES, attempt).reshape(count, ATTEMPTS, -1)
    noise = normal(uniform(seed, ids, stage + "/angles", 2 * DEVIATIONS, attempt))
    angles, T = np.zeros((count, 29)), np.tile(np.eye(4), (count, 1, 1))
    grasp, ok = np.full(count, -1), np.zeros(count, bool)
    gaps = np.full((count, PARTS), np.nan)
    why = np.full((count, ATTEMPTS), -1)
    hold(
        list_ways(config.favour),
        probes,
        list_flesh(capsules),
        list_handles(solids),
        pack,
        np.ascontiguousarray(identity, np.int64),
        np.ascontiguousarray(solid, np.int64),
        np.ascontiguousarray(left, np.bool_),
        u,
        noise.reshape(count, ATTEMPTS, -1),
        np.radians(config.jitter_deg),
        config.press_mm / 1000,
        make_state(probes.bone.shape[0]),
        angles,
        T,
        grasp,
        gaps,
        ok,
        why,
    )
    return Holds(angles, T, grasp, gaps.astype(np.float32), ok), why
