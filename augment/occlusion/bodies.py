"""Closed triangle meshes to put before a hand: lumps made here, or the files of a folder."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from frames.errors import BadInput

MAX_FACES: Final = 2000
"""Of one mesh: each costs time in every tile that it may reach."""

WAVES: Final = 4
"""Waves on a lump's surface."""

NUMBERS: Final = 3 + 4 * WAVES
"""Uniform numbers that a lump takes."""

_SUFFIXES: Final = (".obj", ".ply", ".stl", ".off", ".glb")


@dataclass(frozen=True)
class Body:
    """A mesh of any size around its own origin."""

    name: str
    vertices: NDArray[np.float64]
    """(V, 3) in a cube of half side 1, centred."""

    faces: NDArray[np.int64]
    """(F, 3)"""

    half_side_m: float
    """Half its greatest extent as given, for meshes that come in metres; NaN: none of its own."""


def load_bodies(folder: str | Path) -> tuple[Body, ...]:
    """The meshes of a folder, by name: .obj, .ply, .stl, .off, .glb, in metres.

    Raises BadInput for a folder without any, a file that is no mesh, or one of over 2,000 faces.
    """
    paths = sorted(p for p in Path(folder).glob("*") if p.suffix.lower() in _SUFFIXES)
    if not paths:
        raise BadInput(f"{folder} has no mesh ({', '.join(_SUFFIXES)}): is it the right folder?")
    return tuple(_load_body(path) for path in paths)


def _load_body(path: Path) -> Body:
    import trimesh

    try:
        mesh = trimesh.load(path, force="mesh", process=True)
        vertices, faces = np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)
    except Exception as error:  # whatever a broken file makes a parser raise
        raise BadInput(f"{path} cannot be read as a mesh: {error}") from error
    if not 1 <= len(faces) <= MAX_FACES or not np.isfinite(vertices).all():
        raise BadInput(
            f"{path} must have 1 to {MAX_FACES} faces and finite vertices, got {len(faces)} faces:"
            f" simplify it, e.g. with trimesh's simplify_quadric_decimation"
        )
    low, high = vertices.min(0), vertices.max(0)
    half = float((high - low).max()) / 2
    if half <= 0:
        raise BadInput(f"{path} must have an extent, got all vertices in one place")
    return Body(path.stem, np.ascontiguousarray((vertices - (low + high) / 2) / half), faces, half)


@lru_cache(maxsize=1)
def make_sphere() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """162 vertices on the unit sphere and 320 triangles: an icosahedron, each face in sixteen."""
    import trimesh

    mesh = trimesh.creation.icosphere(subdivisions=2, radius=1.0)
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)


@njit(cache=True, nogil=True, error_model="numpy")
def shape_lump(sphere, u, roughness):  # type: ignore[no-untyped-def]
    """A lump with hollows: (V, 3) vertices within the unit ball, from uniform numbers u (NUMBERS,).

    The sphere's radius is waved in WAVES directions, by up to `roughness` in all; then it is
    squeezed along its axes, to 0.4 at the least.
    """
    out = np.empty_like(sphere)
    for i in range(len(sphere)):
        wave = 0.0
        for k in range(WAVES):
            a = 3 + 4 * k
            z, turn = 2.0 * u[a] - 1.0, 2.0 * math.pi * u[a + 1]
            flat = math.sqrt(1.0 - z * z)
            at = sphere[i, 0] * flat * math.cos(turn) + sphere[i, 1] * flat * math.sin(turn)
            at += sphere[i, 2] * z
            wave += math.cos((1.5 + 3.0 * u[a + 2]) * at + 2.0 * math.pi * u[a + 3])
        radius = (1.0 + roughness * wave / WAVES) / (1.0 + roughness)
        for c in range(3):
            out[i, c] = sphere[i, c] * radius * (0.4 + 0.6 * u[c])
    return out
