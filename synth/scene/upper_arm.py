"""Upper arms: from each elbow to the wearer's shoulder, so that no forearm ends in mid-air.

A rounded, tapering tube. It belongs to the hand's layer and carries the forearm's code: to a hand
tracker both are arm.
"""

from functools import cache
from typing import Final

import numpy as np

from synth.rigid import dot
from synth.scene.elbow import SHOULDER
from synth.scene.revolve import revolve

PROFILE: Final = (
    *((-0.17, 0.0), (-0.16, 0.3), (-0.11, 0.75), (-0.04, 0.97), (0.06, 1.0), (0.5, 1.1)),
    *((0.85, 1.25), (1.0, 1.3), (1.13, 0.8), (1.18, 0.0)),
)
"""(way from elbow to shoulder, radius against the elbow's) of the tube's rings: a ball about the
elbow, then ANSUR II's circumferences (men: elbow 0.30 m, biceps 0.36), then the shoulder's cap."""

SIDES: Final = 14
GIRTH: Final = 1.2
"""Radius of the elbow against the forearm's median."""
WIDEST: Final = 1.3
"""Radius of the tube's thickest ring against the elbow's."""


@cache
def tube() -> tuple[np.ndarray, np.ndarray]:
    """Closed mesh of a unit upper arm along +z: (V, 3) float32 vertices, (F, 3) int32 faces."""
    vertices, faces = revolve(PROFILE, SIDES)
    return vertices.astype(np.float32), faces


def shoulders(left: np.ndarray) -> np.ndarray:
    """(N, 3) the shoulder of each hand's arm, in the world."""
    return SHOULDER * np.where(left[:, None], [-1.0, 1.0, 1.0], 1.0)


def arm_poses(elbow: np.ndarray, shoulder: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """(N, 4, 4) affine maps of the unit tube: elbow and shoulder (N, 3), elbow's radius (N,) m."""
    z = shoulder - elbow
    side = np.cross(np.array([0.0, 1.0, 0.0]), z)
    x = side / np.sqrt(dot(side, side))[:, None]
    y = np.cross(z, x)
    y /= np.sqrt(dot(y, y))[:, None]
    out = np.tile(np.eye(4), (len(elbow), 1, 1))
    out[:, :3, 0], out[:, :3, 1] = x * radius[:, None], y * radius[:, None]
    out[:, :3, 2], out[:, :3, 3] = z, elbow
    return out
