"""Objects: simple solids of any size, and meshes of the user's own.

Every object is a closed mesh about its centre, with a capsule around its longest axis that tells
hands to keep clear.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from frames.errors import BadInput
from synth.scene.orientation import orient_outward
from synth.scene.revolve import revolve

MESH_SUFFIXES: Final = (".obj", ".ply", ".stl", ".glb", ".off")
MAX_FACES: Final = 20_000
MAX_EXTENT_M: Final = 1.5


@dataclass(frozen=True)
class Solid:
    """A closed triangle mesh that fills the unit cube [-1/2, 1/2]^3."""

    kind: str
    """Its name, as it is stored with a frame."""
    vertices: np.ndarray
    """(V, 3) float32"""
    faces: np.ndarray
    """(F, 3) int32, outward."""
    codes: np.ndarray
    """(F,) uint8 zeros: all of it is one part."""
    size_range_m: np.ndarray
    """(3, 2) smallest and largest extent along x, y, z."""


def make_solid(
    kind: str, vertices: np.ndarray, faces: np.ndarray, size_range_m: np.ndarray
) -> Solid:
    """Centre a closed mesh and scale it to the unit cube."""
    low, high = vertices.min(0), vertices.max(0)
    unit = (np.asarray(vertices, np.float64) - (low + high) / 2) / (high - low)
    return Solid(
        kind,
        np.ascontiguousarray(unit, np.float32),
        np.ascontiguousarray(faces, np.int32),
        np.zeros(len(faces), np.uint8),
        np.asarray(size_range_m, np.float64),
    )


def primitives() -> tuple[Solid, ...]:
    """Box, cylinder, ball and a rod, scaled at random when placed."""
    return (
        cube(),
        make_solid(
            "cylinder", *_cylinder(28), np.array([[0.03, 0.09], [0.03, 0.09], [0.06, 0.24]])
        ),
        make_solid("ball", *_ball(), np.array([[0.03, 0.16], [0.03, 0.16], [0.03, 0.16]])),
        make_solid("rod", *_cylinder(12), np.array([[0.008, 0.03], [0.008, 0.03], [0.10, 0.30]])),
    )


@cache
def cube() -> Solid:
    """The unit cube itself: a box, a table, a piece of furniture."""
    corner = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) - 0.5
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    size = np.array([[0.03, 0.14], [0.03, 0.14], [0.03, 0.22]])
    return make_solid("box", corner, np.array(faces), size)


def _cylinder(sides: int) -> tuple[np.ndarray, np.ndarray]:
    return revolve(((-0.5, 0.0), (-0.5, 0.5), (0.5, 0.5), (0.5, 0.0)), sides)


def _ball() -> tuple[np.ndarray, np.ndarray]:
    latitude = np.radians(np.linspace(-90, 90, 14))
    z, r = 0.5 * np.sin(latitude), 0.5 * np.cos(latitude)
    r[[0, -1]] = 0.0
    return revolve(list(zip(z.tolist(), r.tolist(), strict=True)), 24)


def load_objects(folder: Path) -> tuple[Solid, ...]:
    """Every mesh of a folder that trimesh reads, in the order of their names.

    Raises BadInput for a missing or empty folder and for a mesh that cannot be read, is not closed,
    has too many faces, or is larger than 1.5 m (a sign of other units than metres).
    """
    if not folder.is_dir():
        raise BadInput(f"objects folder {folder} does not exist: give a folder of meshes")
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in MESH_SUFFIXES)
    if not paths:
        wanted = ", ".join(MESH_SUFFIXES)
        raise BadInput(f"objects folder {folder} holds no mesh: expected files ending in {wanted}")
    return tuple(_load(path) for path in paths)


def _load(path: Path) -> Solid:
    import trimesh

    try:
        # Unprocessed, for processing drops what is not finite without a word.
        mesh = trimesh.load(path, force="mesh", process=False)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(f"object {path} cannot be read as a mesh: {reason}") from error
    if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
        raise BadInput(f"object {path} holds no triangles: give a triangle mesh")
    if len(mesh.faces) > MAX_FACES:
        raise BadInput(
            f"object {path} has {len(mesh.faces)} faces, at most {MAX_FACES} are rendered at speed:"
            " simplify it"
        )
    if not np.isfinite(mesh.vertices).all():
        raise BadInput(f"object {path} has vertices that are not finite numbers: repair the file")
    # Only positions: texture seams would split a closed mesh.
    mesh = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    mesh.merge_vertices()
    extent = np.asarray(mesh.extents, dtype=np.float64)
    if extent.max() > MAX_EXTENT_M:
        raise BadInput(
            f"object {path} is {extent.max():.4g} m long, expected at most {MAX_EXTENT_M} m:"
            " is it in millimetres? scale it to metres"
        )
    if extent.min() <= 0:
        raise BadInput(f"object {path} is flat: it has no extent along one axis")
    if not mesh.is_watertight:
        raise BadInput(
            f"object {path} is not closed (watertight): fill its holes, or back faces show through"
        )
    return make_solid(
        path.stem,
        np.asarray(mesh.vertices),
        orient_outward(mesh.vertices, np.asarray(mesh.faces)),
        np.repeat(extent[:, None], 2, axis=1),
    )
