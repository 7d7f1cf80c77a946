"""Hands on and over a flat surface."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.config import GraspConfig
from synth.contact.holds import PARTS
from synth.contact.probes import Probes
from synth.hand.collision import Capsules
from synth.hand.rig import Rig

REST_KINDS: Final = (
    "flat",
    "fingertips",
    "fist",
    "ulnar side",
    "back",
    "one finger",
    "edge",
    "hover",
)


@dataclass(frozen=True)
class Rests:
    """N hands on a surface; everything in the wrist frame of a right hand (see `solve_rests`)."""

    angles: np.ndarray
    """(N, 29) rad; the wrist's are zero."""
    plane: np.ndarray
    """(N, 4) n, d of the surface n.x = d: unit n points out of it, towards the hand; metres."""
    edge: np.ndarray
    """(N, 4) m, e of the plane that ends the surface, for kind "edge": the slab is n.x <= d,
    m.x <= e and n.x >= d - thickness. NaN for the other kinds."""
    thickness_m: np.ndarray
    """(N,) thickness of the slab, for kind "edge"; NaN for the others."""
    kind: np.ndarray
    """(N,) int64 index into REST_KINDS."""
    hover_m: np.ndarray
    """(N,) how far above the surface the hand's nearest point is; 0 in contact."""
    gap_m: np.ndarray
    """(N, 17) float32 signed gap of each part to the surface; NaN beyond 10 mm."""
    ok: np.ndarray
    """(N,) bool"""


def solve_rests(
    config: GraspConfig,
    seed: int,
    frame_ids: np.ndarray,
    stage: str,
    rig: Rig,
    capsules: Capsules,
    probes: Probes,
    identity: np.ndarray,
    angles: np.ndarray,
) -> Rests:
    """A hand on or over a surface, solved as a right hand; for a left hand mirror plane and edge.

    angles (N, 29): the free pose that a hovering hand shows.
    """
    count = len(frame_ids)
    return Rests(
        angles.copy(),
        np.tile([0.0, 1.0, 0.0, -0.1], (count, 1)),
        np.full((count, 4), np.nan),
        np.full(count, np.nan),
        np.full(count, REST_KINDS.index("hover")),
        np.full(count, 0.05),
        np.full((count, PARTS), np.nan, np.float32),
        np.zeros(count, bool),
    )
