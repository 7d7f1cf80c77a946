"""Thin gloves: the skin, moved outward."""

from dataclasses import replace
from typing import Final

import numba
import numpy as np

from synth.hand.bones import FOREARM_BONE, PALM
from synth.hand.rig import Rig

THICKNESS_M: Final = 0.0013
"""Of a work or winter glove's cloth (choice)."""
CUFF: Final = (0.05, 0.12)
"""A glove ends between these shares of the way from wrist to elbow: smoothly, not with a step."""


def glove_rig(rig: Rig) -> Rig:
    """The same people with gloves on: skin THICKNESS_M farther out along its normals.

    Bones, weights and faces stay; thickness, the flesh between keypoint and surface, grows.
    """
    rest = rig.rest_vertices.astype(np.float64)
    joint = rig.rest_joints.astype(np.float64)
    axis = joint[:, FOREARM_BONE] - joint[:, PALM]
    offset = rest - joint[:, None, PALM]
    way = (offset * axis[:, None]).sum(-1) / (axis**2).sum(-1)[:, None]
    t = np.clip((way - CUFF[0]) / (CUFF[1] - CUFF[0]), 0.0, 1.0)
    out = THICKNESS_M * (1.0 - t * t * (3.0 - 2.0 * t))
    moved = rest + out[..., None] * vertex_normals(rest, rig.faces)
    return replace(
        rig,
        name=f"{rig.name} gloved",
        rest_vertices=moved.astype(np.float32),
        thickness=(rig.thickness + THICKNESS_M).astype(np.float32),
    )


@numba.njit(cache=True, nogil=True)
def vertex_normals(vertices, faces):  # type: ignore[no-untyped-def]
    """(I, V, 3) unit normals: sums of the faces' areas about each vertex, in the faces' order."""
    out = np.zeros(vertices.shape)
    for i in range(vertices.shape[0]):
        for f in range(faces.shape[0]):
            a, b, c = vertices[i, faces[f, 0]], vertices[i, faces[f, 1]], vertices[i, faces[f, 2]]
            ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
            vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
            for k in range(3):
                out[i, faces[f, k], 0] += uy * vz - uz * vy
                out[i, faces[f, k], 1] += uz * vx - ux * vz
                out[i, faces[f, k], 2] += ux * vy - uy * vx
        for v in range(vertices.shape[1]):
            n = out[i, v]
            size = np.sqrt((n[0] * n[0] + n[1] * n[1]) + n[2] * n[2])
            if size > 0:
                for k in range(3):
                    out[i, v, k] = n[k] / size
    return out
