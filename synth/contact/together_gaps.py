"""Every vertex of one hand against the flesh of the other: gaps of the parts, deepest overlap."""

from typing import Final

import numba
import numpy as np

from synth.contact.flesh import Flesh, flesh_distance, place_flesh
from synth.hand.bones import BONE_PART
from synth.hand.kinematics import bone_transforms, skin_hands
from synth.hand.rig import Rig

FAR_M: Final = 0.01
"""Gaps beyond this are not told."""

PARTS: Final = 17


def measure_pairs(
    rig: Rig,
    flesh: Flesh,
    identity: np.ndarray,
    angles: np.ndarray,
    T_world_from_wrist: np.ndarray,
    left: np.ndarray,
    forearms: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """How near two hands of one person are, their forearms included.

    identity (N,), angles (N, 2, 29) with the wrists', T_world_from_wrist (N, 2, 4, 4) in any common
    frame, left (N, 2) bool -> gap (N, 2, 17) float32 m of each part to the other hand, negative
    inside it, NaN beyond 10 mm; depth (N,) m of the deepest vertex in the other hand, 0 for none.
    forearms: whether one forearm counts against the other.
    """
    sides = []
    for h in (0, 1):
        transforms, _ = bone_transforms(
            rig, identity, angles[:, h], T_world_from_wrist[:, h], left[:, h]
        )
        sides.append((skin_hands(rig, identity, transforms), place_flesh(flesh, identity, transforms)))
    part = BONE_PART[rig.skin_bone[:, 0]].astype(np.int64) - 1
    gaps = [
        _part_gaps(
            sides[h][0],
            part,
            sides[1 - h][1].ball,
            sides[1 - h][1].bound,
            flesh.group,
            FAR_M,
            forearms,
        )
        for h in (0, 1)
    ]
    gap = np.stack(gaps, axis=1)
    depth = np.maximum(-gap.reshape(len(gap), 2 * PARTS).min(1), 0.0)
    return np.where(gap < FAR_M, gap, np.nan).astype(np.float32), depth


@numba.njit(cache=True, nogil=True)
def _part_gaps(vertices, part, ball, bound, group, far, forearms):  # type: ignore[no-untyped-def]
    """(N, V, 3), (V,) part of each vertex from 0 -> (N, 17) least distance to the flesh, m."""
    out = np.full((vertices.shape[0], 17), far)
    for h in range(vertices.shape[0]):
        low, high = np.full(3, np.inf), np.full(3, -np.inf)
        for g in range(bound.shape[1]):
            if bound[h, g, 3] >= 0.0:
                for i in range(3):
                    low[i] = min(low[i], bound[h, g, i] - bound[h, g, 3] - far)
                    high[i] = max(high[i], bound[h, g, i] + bound[h, g, 3] + far)
        bare = bound[h].copy()
        bare[1, 3] = -1.0
        for v in range(vertices.shape[1]):
            x, y, z = vertices[h, v, 0], vertices[h, v, 1], vertices[h, v, 2]
            if (
                x < low[0] or x > high[0] or y < low[1] or y > high[1] or z < low[2] or z > high[2]
            ):
                continue
            p = part[v]
            # A forearm may be asked about hands alone: the arms' way is not known yet.
            about = bare if p == 16 and not forearms else bound[h]
            out[h, p] = flesh_distance(ball[h], about, group, x, y, z, out[h, p])
    return out
