"""Upper arms: from each elbow to the wearer's shoulder, so that no forearm ends in mid-air.

A tapering tube that begins with a ball about the elbow, and a piece that carries a bare forearm on
to the joint: together they are smooth however the elbow is bent. Both belong to the hand's layer
and carry the forearm's code: to a hand tracker all of it is arm.
"""

from functools import cache
from typing import Final

import numpy as np

from frames.parts import FOREARM
from synth.scene.limb import build_tube
from synth.things.model import Model

GIRTH: Final = 1.42
"""Radius of the ball about the elbow against the forearm's median, at most: 46 mm for the mean
person (elbow circumference 0.29 m, ANSUR II: forearm circumference flexed 0.30 m)."""
WIDEST: Final = 1.2
"""Radius of the tube's thickest ring against the elbow's: 55 mm, relaxed biceps of 0.34 m."""

PROFILE: Final = (
    *((-0.134, 0.5), (-0.078, 0.86), (0.0, 1.0), (0.14, 0.97), (0.35, 1.03), (0.7, 1.14)),
    *((1.0, WIDEST), (1.1, 0.96)),
)
"""(way from elbow to shoulder, radius against the elbow's) of the tube's rings."""
ENDS: Final = (-0.155, 1.15)


@cache
def arm_model() -> Model:
    """A unit upper arm along +z."""
    return build_tube("arm", [(z, r, r) for z, r in PROFILE], ENDS, FOREARM)


@cache
def elbow_model() -> Model:
    """The elbow behind a bare forearm: a unit oval of skin that rounds off, z from the wrist (0) to
    the elbow joint (1). A forearm's mesh ends a little before the joint, with an edge.
    """
    profile = [(0.78, 0.85), (0.86, 1.0), (0.94, 1.02), (1.02, 0.97), (1.1, 0.78), (1.15, 0.5)]
    return build_tube("elbow", [(z, r, r) for z, r in profile], (0.74, 1.17), FOREARM)


def tube() -> tuple[np.ndarray, np.ndarray]:
    """Its mesh: (V, 3) float32 vertices, (F, 3) int32 faces."""
    model = arm_model()
    return model.vertices, model.faces
