"""Rigs to test with."""

from dataclasses import replace
from functools import cache

import numpy as np

from synth.hand.angles import LIMITS, clamp
from synth.hand.bones import BONES, PALM, PARENT
from synth.hand.builtin import builtin_rig, load_asset
from synth.hand.rig import Rig


@cache
def people(count: int = 16) -> Rig:
    """The embedded hand of `count` people."""
    return builtin_rig(seed=0, identities=count)


@cache
def template() -> Rig:
    """The mean hand, 0.19 m long, whose joints agree with the frames exactly."""
    asset = load_asset()
    return replace(
        people(1),
        rest_vertices=0.19 * asset["template"][None],
        rest_joints=0.19 * asset["joints"][None, : len(BONES)],
    )


def rest_rotations(rig: Rig) -> np.ndarray:
    """(21, 3, 3) the rotations that leave every bone where it rests."""
    out = np.empty((len(BONES), 3, 3))
    for bone in range(len(BONES)):
        parent = rig.frames[PARENT[bone]] if bone != PALM else np.eye(3)
        out[bone] = rig.zero[bone].T @ parent.T @ rig.frames[bone]
    return out


def random_placement(rng: np.random.Generator, count: int) -> np.ndarray:
    """(B, 4, 4) proper rigid transforms with up to half a metre of shift."""
    out = np.tile(np.eye(4), (count, 1, 1))
    for place in out:
        q, r = np.linalg.qr(rng.normal(size=(3, 3)))
        q = q * np.sign(np.diag(r))
        place[:3, :3] = q * np.linalg.det(q)
        place[:3, 3] = rng.uniform(-0.5, 0.5, 3)
    return out


def random_angles(rng: np.random.Generator, count: int) -> np.ndarray:
    """(B, 29) angles uniform within their limits."""
    return clamp(LIMITS[:, 0] + rng.random((count, len(LIMITS))) * (LIMITS[:, 1] - LIMITS[:, 0]))
