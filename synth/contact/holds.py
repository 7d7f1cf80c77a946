"""Hands that hold things: the result of closing a hand about a solid."""

from dataclasses import dataclass

import numpy as np

PARTS = 17


@dataclass(frozen=True)
class Holds:
    """N hands, each with the solid that it holds."""

    angles: np.ndarray
    """(N, 29) rad; the wrist's are zero: the arm decides them."""
    T_wrist_from_object: np.ndarray
    """(N, 4, 4) of the real hand, left or right, and of the solid as it is, not mirrored."""
    grasp: np.ndarray
    """(N,) int64 index into `synth.pose.feix.GRASPS`, -1 where no grasp is meant."""
    gap_m: np.ndarray
    """(N, 17) float32 signed gap between parts 1..17 and the solid: negative where the skin is
    pressed in, NaN beyond 10 mm."""
    ok: np.ndarray
    """(N,) bool: holds within the promised penetration and gap."""
