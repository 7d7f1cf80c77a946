"""User meshes: written by trimesh, read back whole and outward, or refused in one line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from frames.errors import BadInput
from synth.things.distance import pack_grids, solid_distances
from synth.things.mesh_folder import MAX_FACES, load_objects
from tests.synth.things.oracle import measure_union, sample_skin

create = trimesh.creation


def _bottle() -> trimesh.Trimesh:
    """A closed body of three different extents, away from the origin, wide below."""
    profile = [[0, 0], [0.04, 0], [0.04, 0.12], [0.015, 0.16], [0.015, 0.2], [0, 0.2]]
    body = create.revolve(np.array(profile), sections=24)
    body.apply_scale([1.0, 0.6, 1.0])
    return body.apply_translation([0.3, -0.1, 0.05])


def _cube(side: float = 0.1) -> trimesh.Trimesh:
    return create.box((side,) * 3)


@pytest.mark.parametrize("suffix", ["obj", "ply", "stl", "glb", "off"])
def test_meshes_come_back_as_they_were_written(tmp_path: Path, suffix: str) -> None:
    bottle = _bottle()
    bottle.export(tmp_path / f"bottle.{suffix}")
    (solid,) = load_objects(tmp_path)
    assert solid.kind == solid.name == solid.model.name == "bottle"
    assert not solid.model.codes.any() and not solid.upright
    np.testing.assert_allclose(solid.extent_m, bottle.extents, rtol=1e-5)
    placed = solid.model.vertices + bottle.bounds.mean(0)
    mesh = trimesh.Trimesh(placed, solid.model.faces, process=False)
    assert mesh.is_watertight and mesh.volume == pytest.approx(bottle.volume, rel=1e-4)
    # The same surface: every vertex of one is a vertex of the other.
    away = np.linalg.norm(placed[:, None] - bottle.vertices[None], axis=-1)
    assert away.min(0).max() < 1e-5 and away.min(1).max() < 1e-5
    assert solid.model.vertices.dtype == np.float32 and solid.model.faces.dtype == np.int32


def test_distance_is_to_the_mesh_of_the_file(tmp_path: Path) -> None:
    bottle = _bottle()
    bottle.export(tmp_path / "bottle.ply")
    (solid,) = load_objects(tmp_path)
    skin, normal = sample_skin(np.random.default_rng(0), bottle.vertices, bottle.faces, 400)
    points = skin + normal * np.linspace(-0.003, 0.01, 400)[:, None]
    exact = measure_union(points, bottle.vertices, bottle.faces)
    here = points - bottle.bounds.mean(0)
    got = solid_distances(pack_grids([solid]), np.zeros(400, np.int64), here)
    assert np.abs(got - exact).max() < 0.0012 and np.abs(got - exact).mean() < 0.00015


def _turn(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    return mesh.apply_transform(trimesh.transformations.rotation_matrix(0.7, [1, 0.4, 0.2]))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("mesh", "half", "is_round"),
    [
        (create.cylinder(0.02, 0.2, sections=48), (0.02, 0.02, 0.1), True),
        (create.icosphere(3, 0.04), (0.04, 0.04, 0.04), True),
        (create.cylinder(0.05, 0.012, sections=48), (0.05, 0.05, 0.006), True),
        (create.box((0.1, 0.02, 0.2)), (0.01, 0.05, 0.1), False),
        (create.capsule(0.12, 0.015), (0.015, 0.015, 0.075), True),
    ],
    ids=["rod", "ball", "disk", "plate", "capsule"],
)
def test_handles_follow_from_the_shape(
    tmp_path: Path, mesh: trimesh.Trimesh, half: tuple, is_round: bool, turned: bool
) -> None:
    mesh = _turn(mesh.copy()) if turned else mesh.copy()
    mesh.export(tmp_path / "thing.ply")
    (solid,) = load_objects(tmp_path)
    (handle,) = solid.handles
    assert handle.round == is_round
    np.testing.assert_allclose(handle.half_m, half, rtol=0.04)
    # All of the mesh is in its handle.
    T = handle.T_solid_from_handle
    local = (solid.model.vertices - T[:3, 3]) @ T[:3, :3]
    assert (np.abs(local) < handle.half_m * 1.05 + 1e-4).all()


@pytest.mark.parametrize("kind", ["inward", "mixed", "one of two", "larger of two"])
def test_faces_are_turned_outward(tmp_path: Path, kind: str) -> None:
    near = _cube()
    far = _cube(0.2 if kind == "larger of two" else 0.1).apply_translation((0.4, 0, 0))
    if kind == "inward":
        near.invert()
    elif kind == "mixed":
        near.faces[[0, 3, 4]] = near.faces[[0, 3, 4], ::-1]
    else:
        far.invert()
    mesh = trimesh.util.concatenate([near, far])
    mesh.export(tmp_path / "blocks.ply")
    (solid,) = load_objects(tmp_path)
    corners = solid.model.vertices[solid.model.faces].astype(np.float64)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    first = corners.mean(1)[:, 0] < 0
    for piece in (first, ~first):
        outward = corners[piece].mean(1) - corners[piece].mean((0, 1))
        assert piece.sum() == 12 and ((normal[piece] * outward).sum(1) > 0).all()


def test_several_meshes_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, side in (("b", 0.1), ("c", 0.2), ("a", 0.3)):
        _cube(side).export(tmp_path / f"{name}.stl")
    (tmp_path / "readme.txt").write_text("not a mesh")
    solids = load_objects(tmp_path)
    assert [solid.name for solid in solids] == ["a", "b", "c"]
    np.testing.assert_allclose([solid.extent_m[0] for solid in solids], [0.3, 0.1, 0.2], rtol=1e-6)


def test_doubled_corners_and_slivers_do_not_open_a_mesh(tmp_path: Path) -> None:
    cube = _cube()
    soup = cube.vertices[cube.faces].reshape(-1, 3) + np.random.default_rng(0).normal(
        scale=2e-9, size=(36, 3)
    )
    faces = np.concatenate([np.arange(36).reshape(-1, 3), [[0, 0, 1]]])
    trimesh.Trimesh(soup, faces, process=False).export(tmp_path / "soup.off")
    (solid,) = load_objects(tmp_path)
    assert len(solid.model.vertices) == 8 and len(solid.model.faces) == 12


def _write_bad(kind: str, folder: Path) -> None:
    cube = _cube()
    texts = {
        "empty": b"",
        "points": b"v 0 0 0\nv 1 0 0\nv 0 1 0\n",
        "flat": b"v 0 0 0\nv .1 0 0\nv 0 .1 0\nf 1 2 3\nf 1 3 2\n",
        "folded": b"v 0 0 0\nv .1 0 .1\nv 0 .1 .05\nf 1 2 3\nf 1 3 2\n",
        "index": b"v 0 0 0\nv .1 0 .1\nv 0 .1 .05\nf 1 2 9\n",
        "junk text": b"no mesh at all " * 20,
    }
    if kind in texts:
        (folder / "bad.obj").write_bytes(texts[kind])
    elif kind == "hole":
        cube.update_faces(np.arange(11))
        cube.export(folder / "bad.ply")
    elif kind in ("millimetres", "centimetres", "light years", "twice"):
        scale = {"millimetres": 1e3, "centimetres": 50, "light years": 1e16, "twice": 1e-3}[kind]
        cube.apply_scale(scale).export(folder / "bad.stl")
    elif kind == "doubled":
        twin = trimesh.util.concatenate([cube, _cube().apply_translation((0.1, 0.1, 0))])
        twin.export(folder / "bad.ply")
    elif kind == "nan":
        vertices = cube.vertices.copy()
        vertices[3, 1] = np.nan
        trimesh.Trimesh(vertices, cube.faces, process=False).export(folder / "bad.ply")
    elif kind == "faces":
        create.icosphere(6, 0.1).export(folder / "bad.ply")
    elif kind == "junk":
        (folder / "bad.glb").write_bytes(b"no mesh at all " * 20)
    elif kind in ("cut ply", "cut stl", "cut glb"):
        suffix = kind[4:]
        whole = create.icosphere(2, 0.1).export(file_type=suffix)
        (folder / f"bad.{suffix}").write_bytes(whole[:-1000])
    elif kind == "a folder":
        (folder / "bad.obj").mkdir()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("hole", r"not closed \(watertight\): 3 open edges"),
        ("doubled", "1 edges join more than two faces"),
        ("millimetres", "is 100 m long, .*looks like millimetres: scale it by 0.001"),
        ("centimetres", "is 5 m long, .*centimetres"),
        ("light years", "no common unit"),
        ("twice", "is 0.0001 m long, .*scale it by 1000"),
        ("empty", "is empty"),
        ("points", "holds no triangles"),
        ("junk text", "holds no triangles"),
        ("index", "cannot be read as a mesh"),
        ("nan", "not finite"),
        ("faces", f"at most {MAX_FACES}"),
        ("flat", "no extent along z"),
        ("folded", "next to no volume"),
        ("junk", "cannot be read as a mesh"),
        ("cut ply", "cannot be read as a mesh"),
        # By what trimesh finds installed, it reads none or fails.
        ("cut stl", "cannot be read as a mesh|holds no triangles"),
        ("cut glb", "cannot be read as a mesh"),
        ("a folder", "Is a directory"),
        ("nothing", "is empty: expected files ending in .obj"),
    ],
)
def test_bad_meshes_are_refused_in_one_line(tmp_path: Path, kind: str, words: str) -> None:
    _write_bad(kind, tmp_path)
    with pytest.raises(BadInput, match=words) as caught:
        load_objects(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "bad" if kind != "nothing" else tmp_path) in str(caught.value)


def test_bad_folders_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        load_objects(tmp_path / "nowhere")
    for name in ("a.fbx", "b.blend", "c.txt", "d.md"):
        (tmp_path / name).write_text("")
    with pytest.raises(BadInput, match=r"no mesh, only a.fbx, b.blend, c.txt, \.\.\.: expected"):
        load_objects(tmp_path)
    with pytest.raises(BadInput, match="is a file"):
        load_objects(tmp_path / "c.txt")
    for name in ("twin.obj", "twin.stl"):
        _cube().export(tmp_path / name)
    with pytest.raises(BadInput, match=r"twin.obj and twin.stl have one name, 'twin'"):
        load_objects(tmp_path)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_read_is_named(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cube().export(tmp_path / "locked.ply")

    def refuse(self: Path, *args: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    # By hand, for a test that runs as root may read everything.
    monkeypatch.setattr(Path, "open" if what == "file" else "iterdir", refuse)
    words = "locked.ply cannot be read" if what == "file" else "cannot be listed"
    with pytest.raises(BadInput, match=f"{words}: Permission denied"):
        load_objects(tmp_path)


def test_only_the_core_packages_are_needed(tmp_path: Path) -> None:
    for suffix in ("obj", "ply", "stl", "glb", "off"):
        _bottle().export(tmp_path / f"{suffix}.{suffix}")
    code = f"""
import sys
from pathlib import Path

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("scipy", "networkx", "rtree", "shapely", "torch"):
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
from synth.things.mesh_folder import load_objects
assert len(load_objects(Path({str(tmp_path)!r}))) == 5
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
