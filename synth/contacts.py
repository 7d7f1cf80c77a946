"""How near each part of a hand is to what it touches, measured on the posed skin: for labels."""

from typing import Final

import numba
import numpy as np

from frames.parts import FOREARM
from synth.contact.together_gaps import measure_pairs
from synth.rigid import invert_rigid, multiply
from synth.scene.scene import Scenes
from synth.scene.situation import TOGETHER
from synth.scene.studio import Studio
from synth.things.distance import solid_distance

NEAR_M: Final = 0.010
"""Gaps beyond this are not stored."""


def measure_contacts(
    studio: Studio, scenes: Scenes, vertices: np.ndarray, T_camera_from_wrist: np.ndarray
) -> np.ndarray:
    """(N, 17) float32 signed gap between parts 1..17 and the thing, surface or other hand that each
    hand has to do with; negative where the skin is pressed in, NaN beyond 1 cm.

    vertices (N, V, 3) float32 of the hands in the camera's axes, T_camera_from_wrist (N, 4, 4).
    """
    hands = scenes.hands
    T_wrist_from_camera = invert_rigid(T_camera_from_wrist)
    T_object_from_camera = multiply(invert_rigid(hands.T_wrist_from_object), T_wrist_from_camera)
    gap = np.full((len(hands.frame), FOREARM), np.inf)
    _measure(
        *(vertices, studio.probes.skin_part, hands.solid, T_object_from_camera),
        *(studio.stock.distances, hands.plane, hands.edge, hands.thickness),
        *(T_wrist_from_camera, gap),
    )
    first = np.flatnonzero((hands.action == TOGETHER) & (hands.slot == 0))
    if len(first):
        both = np.stack([first, first + 1], axis=1)
        each, _ = measure_pairs(
            studio.rig, studio.flesh, hands.identity[first], hands.angles[both],
            hands.T_world_from_wrist[both], hands.left[both],
        )  # fmt: skip
        gap[both] = np.fmin(gap[both], each)
    return np.where(gap < NEAR_M, gap, np.nan).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _measure(  # type: ignore[no-untyped-def]
    vertices, part, solid, T_object, pack, plane, edge, thickness, T_wrist, gap
):
    for h in range(vertices.shape[0]):
        flat = not np.isnan(plane[h, 0])
        slab = not np.isnan(edge[h, 0])
        if solid[h] < 0 and not flat:
            continue
        T = T_object[h] if solid[h] >= 0 else T_wrist[h]
        if solid[h] >= 0:
            s = solid[h]
            west, south, low = pack.origin[s, 0], pack.origin[s, 1], pack.origin[s, 2]
            east = west + (pack.shape[s, 0] - 1) * pack.spacing[s, 0]
            north = south + (pack.shape[s, 1] - 1) * pack.spacing[s, 1]
            high = low + (pack.shape[s, 2] - 1) * pack.spacing[s, 2]
        for k in range(part.shape[0]):
            v = vertices[h, k]
            x, y, z = np.float64(v[0]), np.float64(v[1]), np.float64(v[2])
            px = ((T[0, 0] * x + T[0, 1] * y) + T[0, 2] * z) + T[0, 3]
            py = ((T[1, 0] * x + T[1, 1] * y) + T[1, 2] * z) + T[1, 3]
            pz = ((T[2, 0] * x + T[2, 1] * y) + T[2, 2] * z) + T[2, 3]
            if solid[h] >= 0:
                # The grid ends 2.5 cm beyond the solid: nothing is told of what is outside it.
                if px < west or px > east or py < south or py > north or pz < low or pz > high:
                    continue
                d = solid_distance(pack, solid[h], px, py, pz)
            else:
                d = ((plane[h, 0] * px + plane[h, 1] * py) + plane[h, 2] * pz) - plane[h, 3]
                if slab:
                    # Half a slab: one face or the other, and its end.
                    face = max(d, -thickness[h] - d)
                    end = ((edge[h, 0] * px + edge[h, 1] * py) + edge[h, 2] * pz) - edge[h, 3]
                    d = max(face, end)
                    if face > 0 and end > 0:
                        d = np.sqrt(face * face + end * end)
            gap[h, part[k] - 1] = min(gap[h, part[k] - 1], d)
