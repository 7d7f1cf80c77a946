"""The palm of a hand model without metacarpal bones: where they start, and which skin they move.

MANO's palm is one rigid piece. Ours cups: the ring and pinky metacarpals flex (`palm_arch`), so
each takes its share of the palm's skin. While they rest, the skin is exactly what it was.
"""

from typing import Final

import numpy as np

from synth.hand.bones import FINGER_START, PALM

_BASE_ALONG: Final = 0.35
"""Carpometacarpal joint on the way from the wrist to the knuckles (the embedded hand's mean)."""
_BASE_SPREAD: Final = 0.5
"""Spread of those joints against the knuckles' spread."""


def metacarpal_bases(joints: np.ndarray) -> np.ndarray:
    """(I, 21, 3) joints in the wrist frame, knuckles set -> (I, 4, 3) where the metacarpals
    start."""
    knuckles = joints[:, [s + 1 for s in FINGER_START]]
    centre = (knuckles[:, :1] + knuckles[:, 1:2] + knuckles[:, 2:3] + knuckles[:, 3:]) / 4
    return (
        joints[:, :1] + _BASE_ALONG * (centre - joints[:, :1]) + _BASE_SPREAD * (knuckles - centre)
    )


def share_palm(dense: np.ndarray, vertices: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(V, 21) weights with part of the palm's passed to the ring and pinky metacarpals.

    vertices (V, 3) and joints (21, 3) of the mean hand in the wrist frame. Across the palm the
    shares run linearly from the middle knuckle over the ring's to the pinky's, along it they rise
    smoothly from the metacarpals' bases to the knuckles.
    """
    middle, ring, pinky = (joints[s + 1] for s in FINGER_START[1:])
    across = (vertices[:, 0] - middle[0]) / (pinky[0] - middle[0])
    at_ring = (ring[0] - middle[0]) / (pinky[0] - middle[0])
    to_ring = np.interp(across, [0.0, at_ring, 1.0], [0.0, 1.0, 0.0])
    to_pinky = np.interp(across, [at_ring, 1.0], [0.0, 1.0])
    base = joints[FINGER_START[2], 2]
    rise = np.clip((base - vertices[:, 2]) / (base - ring[2]), 0.0, 1.0)
    rise = rise * rise * (3.0 - 2.0 * rise)
    out = dense.copy()
    for start, share in ((FINGER_START[2], to_ring), (FINGER_START[3], to_pinky)):
        passed = dense[:, PALM] * share * rise
        out[:, start] += passed
        out[:, PALM] -= passed
    return out
