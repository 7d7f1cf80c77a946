"""How deep two hands are in each other, and how near their parts: exact, on the meshes alone."""

from dataclasses import dataclass

import numpy as np

from synth.hand.rig import Rig
from tests.synth.hand.winding import surface_distance, winding_numbers

NEAR_M = 0.002
REACH_M = 0.012
"""Deeper than half a finger is not looked for."""


@dataclass(frozen=True)
class Meeting:
    """Two hands."""

    depth_m: float
    """Of the deepest vertex of one inside the other's skin; 0 for none."""
    touching: int
    """Parts of both hands whose skin is within 2 mm of the other's, or in it."""
    gap_m: float
    """Least distance between the skins, as far as `REACH_M`; 0 where they overlap."""


def witness_meeting(rig: Rig, first: np.ndarray, second: np.ndarray, arms: bool) -> Meeting:
    """Vertices (V, 3) of two posed hands in one frame. arms: do forearms' vertices count?

    A vertex is inside a closed mesh if its generalised winding number is above one half; a vertex
    and a face that are near make both their parts near.
    """
    meshes = [first.astype(np.float64), second.astype(np.float64)]
    vertex_part = np.zeros(len(first), np.int64)
    vertex_part[rig.faces.ravel()] = np.repeat(rig.face_parts, 3)
    depth, nearest = 0.0, REACH_M
    touching = set()
    for h in (0, 1):
        own, corners = meshes[h], meshes[1 - h][rig.faces]
        low, high = corners.min((0, 1)) - NEAR_M, corners.max((0, 1)) + NEAR_M
        near = ((own > low) & (own < high)).all(1) & ((vertex_part < 17) | arms)
        centre = corners.mean(1)
        reach = np.sqrt(((corners - centre[:, None]) ** 2).sum(2).max(1)) + REACH_M
        for row in np.flatnonzero(near):
            faces = np.flatnonzero(((centre - own[row]) ** 2).sum(1) < reach**2)
            if not len(faces):
                continue
            away = np.array(
                [surface_distance(own[row][None], corners[f : f + 1])[0] for f in faces]
            )
            if away.min() > REACH_M:
                continue
            inside = winding_numbers(own[row][None], corners)[0] > 0.5
            depth = max(depth, float(away.min()) if inside else 0.0)
            nearest = min(nearest, 0.0 if inside else float(away.min()))
            if inside or away.min() <= NEAR_M:
                touching.add((h, int(vertex_part[row])))
                beside = faces[away <= max(NEAR_M, away.min())]
                touching |= {(1 - h, int(part)) for part in rig.face_parts[beside]}
    return Meeting(depth, len(touching), nearest)
