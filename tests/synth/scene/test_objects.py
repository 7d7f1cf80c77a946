"""User meshes: written by trimesh, read back whole and outward, or refused in one line."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from frames.errors import BadInput
from synth.scene.objects import MAX_FACES, load_objects, primitives
from synth.scene.orientation import orient_outward


def _bottle() -> trimesh.Trimesh:
    """A closed body of three different extents, away from the origin, wide below."""
    profile = [[0, 0], [0.04, 0], [0.04, 0.12], [0.015, 0.16], [0.015, 0.2], [0, 0.2]]
    body = trimesh.creation.revolve(np.array(profile), sections=24)
    body.apply_scale([1.0, 0.6, 1.0])
    return body.apply_translation([0.3, -0.1, 0.05])


def _volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    corners = np.asarray(vertices, np.float64)[faces]
    return float((corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6)


@pytest.mark.parametrize("suffix", ["obj", "ply", "stl", "glb", "off"])
def test_meshes_come_back_as_they_were_written(tmp_path: Path, suffix: str) -> None:
    bottle = _bottle()
    bottle.export(tmp_path / f"bottle.{suffix}")
    (solid,) = load_objects(tmp_path)
    assert solid.kind == "bottle" and not solid.codes.any()
    # One size: that of the file, in metres.
    np.testing.assert_allclose(solid.size_range_m[:, 0], bottle.extents, rtol=1e-5)
    np.testing.assert_array_equal(solid.size_range_m[:, 0], solid.size_range_m[:, 1])
    np.testing.assert_allclose(solid.vertices.min(0), -0.5, atol=1e-6)
    np.testing.assert_allclose(solid.vertices.max(0), 0.5, atol=1e-6)
    placed = solid.vertices * solid.size_range_m[:, 0] + bottle.bounds.mean(0)
    assert _volume(placed, solid.faces) == pytest.approx(bottle.volume, rel=1e-4)
    # The same surface: every vertex of one is a vertex of the other.
    away = np.linalg.norm(placed[:, None] - bottle.vertices[None], axis=-1)
    assert away.min(0).max() < 1e-5 and away.min(1).max() < 1e-5
    assert solid.vertices.dtype == np.float32 and solid.faces.dtype == np.int32


def _cube(shift: float = 0.0, side: float = 0.1) -> trimesh.Trimesh:
    return trimesh.creation.box((side,) * 3).apply_translation((shift, 0, 0))


@pytest.mark.parametrize("kind", ["inward", "mixed", "one of two", "larger of two"])
def test_faces_are_turned_outward(tmp_path: Path, kind: str) -> None:
    near, far = _cube(), _cube(0.4, 0.2 if kind == "larger of two" else 0.1)
    if kind == "inward":
        near.invert()
    elif kind == "mixed":
        near.faces[[0, 3, 4]] = near.faces[[0, 3, 4], ::-1]
    else:
        far.invert()
    mesh = trimesh.util.concatenate([near, far])
    mesh.export(tmp_path / "blocks.ply")
    (solid,) = load_objects(tmp_path)
    middle = solid.vertices[solid.faces].astype(np.float64)
    normal = np.cross(middle[:, 1] - middle[:, 0], middle[:, 2] - middle[:, 0])
    first = middle.mean(1)[:, 0] < 0
    for piece in (first, ~first):
        outward = middle[piece].mean(1) - middle[piece].mean((0, 1))
        assert piece.sum() == 12 and ((normal[piece] * outward).sum(1) > 0).all()


def test_orientation_does_not_care_how_faces_are_listed() -> None:
    rng = np.random.default_rng(0)
    ball = trimesh.creation.icosphere(2, 0.1)
    ball.apply_translation([3.0, -2.0, 1.0])
    for _ in range(5):
        faces = ball.faces[rng.permutation(len(ball.faces))].copy()
        turned = rng.random(len(faces)) < 0.5
        faces[turned] = faces[turned, ::-1]
        mended = orient_outward(ball.vertices, faces)
        assert _volume(ball.vertices - ball.centroid, mended) == pytest.approx(ball.volume)
        np.testing.assert_array_equal(np.sort(mended, 1), np.sort(faces, 1))


def test_a_torus_turns_too() -> None:
    ring = trimesh.creation.torus(0.1, 0.03)
    for faces in (ring.faces, ring.faces[:, ::-1]):
        mended = orient_outward(ring.vertices, faces)
        assert _volume(ring.vertices, mended) == pytest.approx(ring.volume)


def test_several_meshes_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, side in (("b", 0.1), ("c", 0.2), ("a", 0.3)):
        _cube(side=side).export(tmp_path / f"{name}.stl")
    (tmp_path / "readme.txt").write_text("not a mesh")
    solids = load_objects(tmp_path)
    assert [s.kind for s in solids] == ["a", "b", "c"]
    np.testing.assert_allclose([s.size_range_m[0, 0] for s in solids], [0.3, 0.1, 0.2], rtol=1e-6)


def _write_bad(kind: str, folder: Path) -> None:
    cube = _cube()
    if kind == "hole":
        cube.update_faces(np.arange(11))
        cube.export(folder / "bad.ply")
    elif kind == "millimetres":
        cube.apply_scale(1000).export(folder / "bad.stl")
    elif kind == "empty":
        (folder / "bad.obj").write_bytes(b"")
    elif kind == "points":
        (folder / "bad.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    elif kind == "nan":
        vertices = cube.vertices.copy()
        vertices[3, 1] = np.nan
        trimesh.Trimesh(vertices, cube.faces, process=False).export(folder / "bad.ply")
    elif kind == "faces":
        trimesh.creation.icosphere(6, 0.1).export(folder / "bad.ply")
    elif kind == "flat":
        text = "v 0 0 0\nv .1 0 0\nv 0 .1 0\nf 1 2 3\nf 1 3 2\n"
        (folder / "bad.obj").write_text(text)
    elif kind == "junk":
        (folder / "bad.glb").write_bytes(b"no mesh at all " * 20)
    elif kind == "a folder":
        (folder / "bad.obj").mkdir()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("hole", "not closed"),
        ("millimetres", "is it in millimetres"),
        ("empty", "holds no triangles"),
        ("points", "holds no triangles"),
        ("nan", "not finite"),
        ("faces", f"at most {MAX_FACES}"),
        ("flat", "is flat"),
        ("junk", "cannot be read"),
        ("a folder", "cannot be read"),
        ("nothing", "holds no mesh"),
    ],
)
def test_bad_meshes_are_refused_in_one_line(tmp_path: Path, kind: str, words: str) -> None:
    _write_bad(kind, tmp_path)
    with pytest.raises(BadInput, match=words) as caught:
        load_objects(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "bad" if kind != "nothing" else tmp_path) in str(caught.value)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        load_objects(tmp_path / "nowhere")


def test_primitives_are_closed_and_fill_the_unit_cube() -> None:
    for solid in primitives():
        mesh = trimesh.Trimesh(solid.vertices, solid.faces, process=False)
        assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0.3
        np.testing.assert_allclose(mesh.bounds, [[-0.5] * 3, [0.5] * 3], atol=2e-2)
        assert (solid.size_range_m[:, 0] < solid.size_range_m[:, 1]).all()
