"""A folder of the user's own meshes as solids, or one line that says what is wrong with which."""

from pathlib import Path
from typing import Final

import numpy as np

from frames.errors import BadInput
from synth.things.pieces import count_edges, orient_outward
from synth.things.principal import find_handles
from synth.things.solid import Solid, make_solid

MESH_SUFFIXES: Final = (".obj", ".ply", ".stl", ".glb", ".off")
MAX_FACES: Final = 20_000
MAX_EXTENT_M: Final = 1.5
MIN_EXTENT_M: Final = 0.005
LISTED: Final = 3
"""Names of other files that a message shows."""


def load_objects(folder: Path) -> tuple[Solid, ...]:
    """Every mesh of a folder that trimesh reads, in the order of their names, in metres.

    Each is called after its file, centred on its bounding box, and its handles follow from its
    shape. Raises BadInput for a folder that is missing, unreadable or without a mesh, for two files
    of one name, and for a mesh that cannot be read, is not closed, has too many faces, encloses
    nothing, or is longer than 1.5 m or shorter than 5 mm (a sign of other units than metres).
    """
    paths = list_meshes(folder)
    return tuple(_load(path) for path in paths)


def list_meshes(folder: Path) -> list[Path]:
    """The mesh files of a folder, by their names. Raises BadInput as `load_objects` does."""
    if not folder.exists():
        raise BadInput(f"objects folder {folder} does not exist: give a folder of meshes")
    if not folder.is_dir():
        raise BadInput(f"objects folder {folder} is a file: give the folder that holds the meshes")
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise BadInput(
            f"objects folder {folder} cannot be listed: {error.strerror}: allow reading it"
        ) from error
    paths = [path for path in found if path.suffix.lower() in MESH_SUFFIXES]
    if not paths:
        wanted = ", ".join(MESH_SUFFIXES)
        others = ", ".join(path.name for path in found[:LISTED])
        more = ", ..." if len(found) > LISTED else ""
        holds = f"holds no mesh, only {others}{more}" if found else "is empty"
        raise BadInput(f"objects folder {folder} {holds}: expected files ending in {wanted}")
    first: dict[str, Path] = {}
    for path in paths:
        if first.setdefault(path.stem, path) != path:
            raise BadInput(
                f"objects {first[path.stem]} and {path.name} have one name, {path.stem!r}, but"
                " labels and splits tell things apart by it: rename or remove one"
            )
    return paths


def _load(path: Path) -> Solid:
    vertices, faces = _read(path)
    if len(faces) > MAX_FACES:
        raise BadInput(
            f"object {path} has {len(faces)} faces, at most {MAX_FACES} are rendered at speed:"
            " simplify it"
        )
    if not np.isfinite(vertices).all():
        raise BadInput(f"object {path} has vertices that are not finite numbers: repair the file")
    vertices, faces = _merge(vertices, faces)
    if not len(faces):
        raise BadInput(f"object {path} has only triangles without area: give a triangle mesh")
    extent = np.ptp(vertices[np.unique(faces)], axis=0)
    _check_size(path, float(extent.max()))
    if extent.min() <= 0:
        axis = "xyz"[int(extent.argmin())]
        raise BadInput(f"object {path} is flat: it has no extent along {axis}: give it thickness")
    once, more = count_edges(faces)
    if once:
        raise BadInput(
            f"object {path} is not closed (watertight): {once} open edges: fill its holes, or"
            " back faces show through and inside and outside cannot be told apart"
        )
    if more:
        raise BadInput(
            f"object {path} is not a simple surface: {more} edges join more than two faces:"
            " remove inner walls and doubled faces"
        )
    faces = orient_outward(vertices, faces)
    corners = vertices[faces] - vertices.mean(0)
    volume = (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    if volume <= 1e-6 * extent.max() ** 3:
        raise BadInput(
            f"object {path} encloses next to no volume ({1e6 * volume:.3g} cm^3): is it a sheet"
            " folded on itself? give it thickness"
        )
    return make_solid(path.stem, path.stem, vertices, faces, find_handles(vertices, faces), False)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) float64 vertices and (F, 3) faces as the file lists them."""
    import trimesh

    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise BadInput(
            f"object {path} cannot be read: {error.strerror}: give a file that you may read"
        ) from error
    if empty:
        raise BadInput(f"object {path} is empty (0 bytes): export it again")
    try:
        # Unprocessed, for processing drops what is not finite without a word.
        mesh = trimesh.load(path, force="mesh", process=False)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, ImportError):  # trimesh then guesses at encodings
            reason = "neither binary nor text of this format"
        raise BadInput(
            f"object {path} cannot be read as a mesh ({reason}): is it whole, and what its name"
            f" says, {path.suffix}? export it again"
        ) from error
    if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
        raise BadInput(f"object {path} holds no triangles: give a triangle mesh")
    first, last, count = int(mesh.faces.min()), int(mesh.faces.max()), len(mesh.vertices)
    if first < 0 or last >= count:
        raise BadInput(
            f"object {path} has faces of vertices {first} to {last}, and {count} vertices: is it"
            " whole? export it again"
        )
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)


def _merge(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners at one place made one, and faces without area left out.

    Only positions count: texture seams and the triangle soup of STL would split a closed mesh.
    """
    # A millionth of its size: files in single precision do not repeat a corner more exactly.
    grain = max(float(np.ptp(vertices, axis=0).max()), 1e-9) * 1e-6
    _, first, index = np.unique(
        np.round(vertices / grain).astype(np.int64), axis=0, return_index=True, return_inverse=True
    )
    joined = index.reshape(-1)[faces]
    a, b, c = joined.T
    return vertices[first], joined[(a != b) & (b != c) & (c != a)]


def _check_size(path: Path, longest: float) -> None:
    if longest > MAX_EXTENT_M:
        if longest > 1000 * MAX_EXTENT_M:
            guess = "no common unit fits: scale it to metres"
        elif longest >= 10 * MAX_EXTENT_M:
            guess = "it looks like millimetres: scale it by 0.001"
        else:
            guess = "is it in centimetres? then scale it by 0.01; hands hold smaller things"
        raise BadInput(
            f"object {path} is {longest:.4g} m long, expected metres and at most"
            f" {MAX_EXTENT_M} m: {guess}"
        )
    if longest < MIN_EXTENT_M:
        raise BadInput(
            f"object {path} is {longest:.4g} m long, expected metres and at least {MIN_EXTENT_M} m:"
            " was it scaled from millimetres twice? then scale it by 1000"
        )
