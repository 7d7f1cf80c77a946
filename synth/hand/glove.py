"""Gloves: a second skin for every person, so that a gloved hand costs no more to draw."""

import math

import numba
import numpy as np

from frames.stream import uniform
from synth.hand.bones import FOREARM_BONE, PALM
from synth.hand.rig import Rig
from synth.rigid import dot


def glove_skins(rig: Rig, thickness_mm: tuple[float, float], seed: int) -> np.ndarray:
    """(I, V, 3) float32 rest vertices of each person's gloved hand.

    The skin moved outward along its normals by the person's glove, between thinnest and thickest;
    the cuff thins out somewhere between the wrist and a third of the forearm. Keypoints stay those
    of the hand inside.
    """
    count = len(rig.rest_vertices)
    u = uniform(seed, np.arange(count), "glove", 2)
    skin = rig.rest_vertices.astype(np.float64)
    thick = (thickness_mm[0] + u[:, 0] * (thickness_mm[1] - thickness_mm[0])) / 1000
    joints = rig.rest_joints.astype(np.float64)
    bone = joints[:, FOREARM_BONE] - joints[:, PALM]
    along = dot(skin - joints[:, None, PALM], bone[:, None]) / dot(bone, bone)[:, None]
    cuff = 0.03 + 0.27 * u[:, 1:]
    fade = np.clip((cuff - along) / 0.03, 0.0, 1.0)
    offset = (thick[:, None] * fade * fade * (3 - 2 * fade))[..., None] * vertex_normals(
        skin, rig.faces
    )
    return (skin + offset).astype(np.float32)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(I, V, 3) float64, (F, 3) -> (I, V, 3) unit normals, faces weighted by their area."""
    return np.asarray(_normals(vertices, faces))


@numba.njit(cache=True, nogil=True)
def _normals(vertices, faces):  # type: ignore[no-untyped-def]
    out = np.zeros_like(vertices)
    for i in range(vertices.shape[0]):
        p, total = vertices[i], out[i]
        for f in range(faces.shape[0]):
            a, b, c = faces[f]
            ux, uy, uz = p[b, 0] - p[a, 0], p[b, 1] - p[a, 1], p[b, 2] - p[a, 2]
            vx, vy, vz = p[c, 0] - p[a, 0], p[c, 1] - p[a, 1], p[c, 2] - p[a, 2]
            nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            for v in (a, b, c):
                total[v, 0] += nx
                total[v, 1] += ny
                total[v, 2] += nz
        for v in range(total.shape[0]):
            n = math.sqrt((total[v, 0] ** 2 + total[v, 1] ** 2) + total[v, 2] ** 2)
            for k in range(3):
                total[v, k] /= max(n, 1e-12)
    return out
