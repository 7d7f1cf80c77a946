"""Points on the skin of a hand where contact is felt."""

from dataclasses import dataclass

import numpy as np

from synth.hand.rig import Rig


@dataclass(frozen=True)
class Probes:
    """Probes of a rig: the same vertices for all its people."""

    vertex: np.ndarray
    """(P,) int64 vertices of the skin."""
    part: np.ndarray
    """(P,) part code 1..17 of each."""


def build_probes(rig: Rig) -> Probes:
    """Choose the probes of a rig."""
    part = np.zeros(rig.rest_vertices.shape[1], np.int64)
    part[rig.faces] = rig.face_parts[:, None]
    return Probes(np.arange(len(part)), part)
