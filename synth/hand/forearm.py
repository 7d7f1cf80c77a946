"""A forearm for hands that end at the wrist: a tapered tube, closed at the elbow.

MANO's and WebXR's meshes stop at the wrist with an opening. Seen from the head, a hand without its
forearm looks wrong and casts no occlusion, so rings of new vertices continue the opening's rim to
the elbow; the last ring is closed by a shallow cap.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from frames.errors import BadInput
from synth.hand.bones import BONES, FOREARM_BONE, PALM
from synth.hand.shape import FOREARM_PER_HAND

_RINGS: Final = np.array([0.05, 0.13, 0.24, 0.38, 0.54, 0.70, 0.86, 0.97, 1.0])
_GIRTH: Final = np.array([1.0, 1.02, 1.12, 1.28, 1.44, 1.54, 1.56, 1.50, 1.2])
"""Girth along the forearm against the wrist's: about 1.6 at the thickest (ANSUR II: wrist and
flexed forearm circumference)."""

_BLEND: Final = (-0.12, 0.14)
"""Where palm gives way to forearm, in hand lengths from the wrist: as the embedded hand's skin."""


@dataclass(frozen=True)
class Opening:
    """The rim of a mesh that is open at the wrist."""

    rim: np.ndarray
    """(R,) int64 vertices in the order in which new faces run round it."""


def find_opening(faces: np.ndarray, name: str) -> Opening | None:
    """The one boundary loop of a mesh, or None if it is closed.

    faces (F, 3). Raises BadInput, naming `name`, if the boundary is not a single clean loop.
    """
    directed = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).astype(np.int64)
    edges = np.sort(directed, axis=1)
    _, inverse, count = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    if count.max() > 2:
        raise BadInput(f"{name}: an edge has {count.max()} faces, expected at most 2")
    open_edges = directed[count[inverse.ravel()] == 1]
    if not len(open_edges):
        return None
    follow = {int(b): int(a) for a, b in open_edges}
    rim = [int(open_edges[0, 1])]
    while follow[rim[-1]] != rim[0] and len(rim) <= len(open_edges):
        rim.append(follow[rim[-1]])
    if len(follow) != len(open_edges) or len(rim) != len(open_edges):
        raise BadInput(f"{name}: the mesh has several openings, expected one, at the wrist")
    return Opening(np.array(rim, dtype=np.int64))


def forearm_share(z: np.ndarray, length: float) -> np.ndarray:
    """(V,) share of the wrist's skin that goes with the forearm, at z metres behind the wrist."""
    t = np.clip((z / length - _BLEND[0]) / (_BLEND[1] - _BLEND[0]), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def blend_wrist(dense: np.ndarray, z: np.ndarray, length: float) -> np.ndarray:
    """(V, 21) weights with part of the palm's passed to the forearm, smoothly about the wrist."""
    out = dense.copy()
    passed = out[:, PALM] * forearm_share(z, length)
    out[:, PALM] -= passed
    out[:, FOREARM_BONE] += passed
    return out


def tube_faces(opening: Opening, first: int) -> np.ndarray:
    """(T, 3) faces from the rim over the rings to the cap; new vertices start at index `first`."""
    count = len(opening.rim)
    rings = [opening.rim, *(first + k * count + np.arange(count) for k in range(len(_RINGS)))]
    centre = first + len(_RINGS) * count
    faces = []
    for near, far in pairwise(rings):
        a, b = near, np.roll(near, -1)
        c, d = far, np.roll(far, -1)
        faces += [np.stack([a, b, d], 1), np.stack([a, d, c], 1)]
    last = rings[-1]
    faces.append(np.stack([last, np.roll(last, -1), np.full(count, centre)], 1))
    return np.concatenate(faces)


def tube_vertices(vertices: np.ndarray, opening: Opening, elbow: np.ndarray) -> np.ndarray:
    """(I, V, 3) meshes and (I, 3) elbows in the wrist frame -> (I, N, 3) new vertices.

    Rings run from the rim to the elbow, rounder and thicker as they go; the rim's unevenness along
    the arm fades over the first of them. The last vertex is the cap's centre.
    """
    rim = vertices[:, opening.rim]
    centre = _mean(rim)
    axis = elbow - centre
    length = np.sqrt(axis[:, 0] ** 2 + axis[:, 1] ** 2 + axis[:, 2] ** 2)
    axis = axis / length[:, None]
    offset = rim - centre[:, None]
    along = (
        offset[..., 0] * axis[:, None, 0]
        + offset[..., 1] * axis[:, None, 1]
        + offset[..., 2] * axis[:, None, 2]
    )
    across = offset - along[..., None] * axis[:, None]
    radius = np.sqrt(across[..., 0] ** 2 + across[..., 1] ** 2 + across[..., 2] ** 2)
    circle = across / radius[..., None] * _mean(radius[..., None])[:, None]
    start = along.max(1)
    rings = []
    for t, girth in zip(_RINGS, _GIRTH, strict=True):
        round_off = 0.6 * t
        section = girth * ((1 - round_off) * across + round_off * circle)
        # Beyond the rim's farthest vertex, so that no ring cuts through an uneven rim.
        place = start + t * (length - start)
        uneven = (along - start[:, None]) * max(0.0, 1.0 - t / 0.3) ** 2 * 0.8
        rings.append(
            centre[:, None] + section + (place[:, None] + uneven)[..., None] * axis[:, None]
        )
    cap = (centre + (length * 1.03)[:, None] * axis)[:, None]
    return np.concatenate([*rings, cap], axis=1)


def tube_weights(z: np.ndarray, length: float) -> np.ndarray:
    """(N, 21) weights of new vertices at z metres behind the wrist: palm and forearm only."""
    dense = np.zeros((len(z), len(BONES)))
    dense[:, PALM] = 1.0
    return blend_wrist(dense, z, length)


def elbow_joint(wrist: np.ndarray, length: np.ndarray) -> np.ndarray:
    """(I, 3) wrists and (I,) hand lengths -> (I, 3) elbows straight behind the hand."""
    elbow = wrist.copy()
    elbow[:, 2] += FOREARM_PER_HAND * length
    return elbow


def _mean(points: np.ndarray) -> np.ndarray:
    """Mean over axis 1, added in a fixed order."""
    total = np.zeros(points.shape[:1] + points.shape[2:])
    for k in range(points.shape[1]):
        total += points[:, k]
    return total / points.shape[1]
