"""Two hands of one person that meet: clasped, palms together, one pointing into the other, apart.

Signatures first; the solver follows.
"""

from dataclasses import dataclass

import numpy as np

from synth.config import TogetherConfig
from synth.contact.flesh import Flesh
from synth.hand.collision import Capsules
from synth.hand.rig import Rig


@dataclass(frozen=True)
class Pairs:
    """N pairs of hands, one first (the other side is the second)."""

    angles: np.ndarray
    """(N, 2, 29) rad of the first and the second hand; the wrists' are 0."""
    T_first_from_second: np.ndarray
    """(N, 4, 4) between the hands' own wrist frames, a left hand's mirrored in its own."""
    kind: np.ndarray
    """(N,) index into `synth.contact.together_kinds.KINDS`."""
    gap_m: np.ndarray
    """(N, 2, 17) float32 signed gap of each part to the other hand, NaN beyond 10 mm."""
    ok: np.ndarray
    """(N,) bool: contact as the kind demands, and no overlap beyond the limit."""


def solve_together(
    config: TogetherConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    rig: Rig,
    capsules: Capsules,
    flesh: Flesh,
    identity: np.ndarray,
    first_left: np.ndarray,
) -> Pairs:
    """One pair of hands for each of N frames.

    frame_ids, identity (N,) int64, first_left (N,) bool: which side the first hand is.
    """
    raise NotImplementedError


def draw_pair_pose(kind: np.ndarray, u: np.ndarray, first_left: np.ndarray) -> np.ndarray:
    """(N,) kinds, (N, 6) uniforms -> (N, 3, 3) R_body_from_first: how such pairs are held.

    Body axes: x right, y forward, z up.
    """
    raise NotImplementedError


def measure_pairs(
    rig: Rig,
    flesh: Flesh,
    identity: np.ndarray,
    angles: np.ndarray,
    T_world_from_wrist: np.ndarray,
    left: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Gaps of both hands once their arms are known: (N, 2, 17) float32 and (N,) deepest overlap, m.

    angles (N, 2, 29) with the wrists', T_world_from_wrist (N, 2, 4, 4), left (N, 2).
    """
    raise NotImplementedError
