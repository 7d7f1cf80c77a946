"""Named poses on people, for the tests of this folder."""

from functools import cache

import numpy as np

from synth.hand.collision import build_capsules
from synth.hand.kinematics import pose_hands
from synth.pose.flesh import Flesh, build_flesh
from synth.pose.library import NUMBER_OF, fit_presets
from tests.synth.hand.rigs import people

COUNT = 48
"""People that poses are tried on."""


@cache
def flesh() -> Flesh:
    return build_flesh(people(COUNT), build_capsules(people(COUNT)))


def skins(identity: np.ndarray, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, V, 3) and keypoints (N, 21, 3) in the wrist frame."""
    still = np.tile(np.eye(4), (len(angles), 1, 1))
    return pose_hands(people(COUNT), identity, angles, still, np.zeros(len(angles), bool))


@cache
def named(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and keypoints of all people in a named pose (-z to the fingers, +y dorsal)."""
    who = np.arange(COUNT)
    return skins(who, fit_presets(flesh(), who, np.full(COUNT, NUMBER_OF[name])))


def points_of(name: str) -> np.ndarray:
    """(COUNT, 21, 3) keypoints, metres."""
    return named(name)[1].astype(np.float64)
