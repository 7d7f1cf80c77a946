"""People and things to test contact with, built once."""

from functools import cache

import numpy as np

from synth.config import GraspConfig
from synth.contact.grasps import solve_grasps
from synth.contact.holds import Holds
from synth.contact.probes import Probes, build_probes
from synth.hand.collision import Capsules, build_capsules
from synth.hand.kinematics import pose_hands
from synth.things.catalogue import build_catalogue
from synth.things.distance import DistancePack, pack_grids
from synth.things.solid import Solid
from tests.synth.hand.rigs import people


@cache
def capsules() -> Capsules:
    return build_capsules(people())


@cache
def probes() -> Probes:
    return build_probes(people())


@cache
def solids() -> tuple[Solid, ...]:
    return build_catalogue(0, 1)


@cache
def pack() -> DistancePack:
    return pack_grids(solids())


def identities(count: int) -> np.ndarray:
    return np.arange(count) % len(people().rest_vertices)


def solid_of(count: int) -> np.ndarray:
    return np.arange(count) * 101 % len(solids())  # a prime: every solid has its turn


def left_of(count: int) -> np.ndarray:
    return np.arange(count) % 2 == 1


@cache
def holds(count: int = 160) -> Holds:
    """As many hands, of all people and both sides, with things of every kind."""
    return solve(GraspConfig(), np.arange(count))


def solve(config: GraspConfig, ids: np.ndarray, stage: str = "grasp") -> Holds:
    """Frames `ids`: what each shows depends on its number alone."""
    last = int(ids.max()) + 1
    return solve_grasps(
        config, 0, ids, stage, people(), capsules(), probes(), solids(), pack(),
        identities(last)[ids], solid_of(last)[ids], left_of(last)[ids],
    )  # fmt: skip


def skin(angles: np.ndarray, identity: np.ndarray, left: np.ndarray) -> np.ndarray:
    """(N, V, 3) posed in the wrist frame."""
    still = np.tile(np.eye(4), (len(angles), 1, 1))
    return pose_hands(people(), identity, angles, still, left)[0]
