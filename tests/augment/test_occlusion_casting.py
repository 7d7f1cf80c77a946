"""Bodies cast ray by ray, against the same bodies found by other means."""

import math
from functools import cache

import numpy as np
import pytest
import trimesh

from augment.occlusion.bodies import NUMBERS, load_bodies, make_sphere, shape_lump
from augment.occlusion.casting import cast_rows, cast_triangles
from augment.occlusion.config import KINDS, Occlusion
from augment.occlusion.occluders import NUMBERS as ROW_NUMBERS
from augment.occlusion.occluders import fill_rows
from augment.occlusion.sightlines import find_sightlines
from augment.occlusion.solids import BLOB, BOX, CAPSULE, ELLIPSOID, SHEET, meet_row
from frames.camera import CAMERAS, Camera
from frames.errors import BadInput

NEAR_M = 0.05
ROW_KINDS = [k for k in KINDS if k not in ("body", "cut_finger", "cut_hand")]
SMALL = {
    "pinhole": Camera("pinhole", 61, 43, 40.0, 42.0, 29.7, 20.4),
    "fisheye": Camera("kannala-brandt", 64, 64, 29.0, 29.0, 31.5, 31.5, (0.0,) * 4, 1.31),
    "bent": Camera("brown-conrady", 50, 40, 30.0, 30.0, 24.0, 19.0, (-0.2, 0.05, 0.001, -0.002)),
    "one pixel": Camera("pinhole", 1, 1, 10.0, 10.0, 0.0, 0.0),
}


def _draw_row(kind: str, rng: np.random.Generator, point: np.ndarray) -> np.ndarray:
    u = rng.random(ROW_NUMBERS)
    return fill_rows(KINDS.index(kind), point, 0.02, Occlusion().sizes, u)[0]


def _draw_point(rng: np.random.Generator) -> np.ndarray:
    return np.array([*rng.uniform(-0.15, 0.15, 2), rng.uniform(0.3, 0.8)])


def _inside(row: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Whether points (n, 3) lie in a solid row's body: by its definition, not by rays."""
    if row[0] == CAPSULE:
        a, b = row[1:4], row[4:7]
        t = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        return np.linalg.norm(points - a - t[:, None] * (b - a), axis=1) < row[7]
    local = (points - row[1:4]) @ row[4:13].reshape(3, 3).T
    if row[0] == BOX:
        return (np.abs(local) < row[13:16]).all(1)
    return np.square(local / row[13:16]).sum(1) < 1


@pytest.mark.parametrize("kind", ["stick", "cable", "fingers", "clutter"])
def test_first_point_within_a_solid_is_where_the_ray_meets_it(kind: str) -> None:
    rng = np.random.default_rng(1)
    met = 0
    z = np.arange(0.01, 1.3, 2e-4)
    for _ in range(20):
        point = _draw_point(rng)
        for row in _draw_row(kind, rng, point):
            end = row[4:7] if row[0] == CAPSULE else row[1:4]
            aim = row[1:4] + rng.random() * (end - row[1:4]) + rng.normal(0, 0.006, 3)
            x, y = aim[:2] / aim[2]
            within = _inside(row, z[:, None] * (x, y, 1))
            t = meet_row(tuple(row), x, y)
            if within.any():
                met += 1
                # The march may step over the first grazing bit, never come before the surface.
                assert t <= z[np.argmax(within)] + 1e-9
            assert not within[z < t - 1e-9].any()
            if math.isfinite(t):
                eps = 1e-7
                surface = t * np.array([x, y, 1.0])
                around = surface + eps * np.random.default_rng(0).normal(size=(60, 3))
                assert len(set(_inside(row, around))) == 2
    assert met > 10


@pytest.mark.parametrize("kind", ["strap", "paper", "board"])
def test_ray_meets_a_sheet_where_it_first_passes_through_it(kind: str) -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(150):
        point = _draw_point(rng)
        row = _draw_row(kind, rng, point)[0]
        assert row[0] == SHEET
        x, y = point[:2] / point[2] + rng.normal(0, 0.03, 2)
        z = np.linspace(0.001, 2.0, 40001)
        local = (z[:, None] * (x, y, 1) - row[1:4]) @ row[4:13].reshape(3, 3).T
        half, width, bend, cosine = row[13:17]
        assert half * abs(bend) <= np.pi / 2 + 1e-9 and cosine == pytest.approx(np.cos(half * bend))
        if abs(bend) < 1e-4:
            beyond, s = local[:, 2], local[:, 0]
        else:
            # Signed distance to the cylinder, arc length from the sheet's middle.
            to_axis = np.stack([local[:, 0], 1 / bend - local[:, 2]], 1)
            beyond = np.linalg.norm(to_axis, axis=1) - 1 / abs(bend)
            side = np.sign(bend)
            s = np.arctan2(to_axis[:, 0], side * to_axis[:, 1]) / abs(bend)
        crossing = np.flatnonzero(np.diff(np.sign(beyond)) != 0)
        on = (np.abs(s[crossing]) < half) & (np.abs(local[crossing, 1]) < width)
        t = meet_row(tuple(row), x, y)
        rim = (np.abs(np.abs(s[crossing]) - half) < 2e-4).any()
        rim |= (np.abs(np.abs(local[crossing, 1]) - width) < 2e-4).any()
        if rim:
            continue
        wanted = z[crossing[on]]
        if len(wanted):
            hits += 1
            assert wanted[0] - 1e-9 <= t <= wanted[0] + 6e-5
        else:
            assert t == math.inf or t > 1.99
    assert hits > 25


def test_blob_is_a_pillow_with_its_outline() -> None:
    rng = np.random.default_rng(3)
    point = np.array([0.05, -0.08, 0.5])
    for _ in range(20):
        row = _draw_row("blob", rng, point)[0]
        assert row[0] == BLOB
        axes, radius, height = row[4:13].reshape(3, 3), row[13], row[14]
        away = np.linalg.norm(row[1:4])
        for _ in range(50):
            angle, r = rng.uniform(-np.pi, np.pi), rng.uniform(0, 1.6) * radius
            k = np.arange(2, 5)
            waves = row[15:21:2] @ np.cos(k * angle) + row[16:21:2] @ np.sin(k * angle)
            edge = radius * max(0.1, 1 + waves)
            plane = row[1:4] + r * (np.cos(angle) * axes[0] + np.sin(angle) * axes[1])
            t = meet_row(tuple(row), plane[0] / plane[2], plane[1] / plane[2])
            if r > edge * (1 + 1e-9):
                assert t == math.inf
            elif r < edge * (1 - 1e-9):
                wanted = plane[2] * (1 - height / away * (1 - (r / edge) ** 2))
                assert t == pytest.approx(wanted, rel=1e-9)


def test_ray_along_a_capsule_meets_its_cap() -> None:
    row = np.zeros(21)
    row[:8] = CAPSULE, 0, 0, 0.5, 0, 0, 0.9, 0.01
    assert meet_row(tuple(row), 0.0, 0.0) == pytest.approx(0.49)
    row[1:7] = 0, 0, 0.9, 0, 0, 0.5
    assert meet_row(tuple(row), 0.0, 0.0) == pytest.approx(0.49)
    row[1:7] = 0, 0, 0.5, 0, 0, 0.5  # no length: a ball
    assert meet_row(tuple(row), 0.0, 0.0) == pytest.approx(0.49)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("kind", ROW_KINDS)
def test_tiles_leave_nothing_out(name: str, kind: str) -> None:
    """The window holds exactly what testing every pixel of the image finds."""
    lines = find_sightlines(SMALL[name])
    rng = np.random.default_rng(4)
    for _ in range(12):
        point = _draw_point(rng) * (2.5, 2.5, 1)
        rows = _draw_row(kind, rng, point)
        top, left, z = cast_rows(lines.rays, lines.centres, lines.spreads, rows, NEAR_M)
        wanted = np.full(lines.rays.shape[:2], np.inf)
        for v, u in np.ndindex(wanted.shape):
            x, y = lines.rays[v, u]
            hits = [meet_row(tuple(row), x, y) for row in rows] if x == x else []
            wanted[v, u] = min([t for t in hits if t >= NEAR_M], default=np.inf)
        got = np.full(wanted.shape, np.inf)
        got[top : top + z.shape[0], left : left + z.shape[1]] = z
        assert np.array_equal(got, wanted)


def _cast_slowly(rays: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Moller and Trumbore's test of every ray with every triangle."""
    ray = np.concatenate([rays, np.ones((*rays.shape[:-1], 1))], -1)[..., None, :]
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    p = np.cross(ray, c - a)
    volume = (p * (b - a)).sum(-1)
    with np.errstate(all="ignore"):
        u = (p * -a).sum(-1) / volume
        q = np.cross(-a, b - a)
        v = (ray * q).sum(-1) / volume
        t = (q * (c - a)).sum(-1) / volume
        hit = (u >= -1e-12) & (v >= -1e-12) & (u + v <= 1 + 1e-12) & (t > 0)
    return np.where(hit, t, np.inf).min(-1)


@pytest.mark.parametrize("name", SMALL)
def test_lumps_are_cast_as_triangle_by_triangle(name: str) -> None:
    lines = find_sightlines(SMALL[name])
    sphere, faces = make_sphere()
    rng = np.random.default_rng(5)
    seen = 0
    for _ in range(6):
        lump = shape_lump(sphere, rng.random(NUMBERS), 0.8)
        assert np.linalg.norm(lump, axis=1).max() <= 1 + 1e-12
        placed = 0.08 * lump + _draw_point(rng)
        top, left, z = cast_triangles(
            lines.rays, lines.centres, lines.spreads, placed, faces, NEAR_M
        )
        got = np.full(lines.rays.shape[:2], np.inf)
        got[top : top + z.shape[0], left : left + z.shape[1]] = z
        wanted = _cast_slowly(lines.rays, placed, faces)
        seen += int(np.isfinite(wanted).sum())
        assert np.array_equal(np.isfinite(got), np.isfinite(wanted))
        both = np.isfinite(wanted)
        assert np.allclose(got[both], wanted[both], rtol=1e-9, atol=0)
    assert seen > 50 or name == "one pixel"


def test_body_around_the_camera_is_cut_away() -> None:
    lines = find_sightlines(CAMERAS["ego-small"])
    row = np.zeros((1, 21))
    row[0, 0], row[0, 4:13], row[0, 13:16] = ELLIPSOID, np.eye(3).ravel(), 0.3
    assert not np.isfinite(
        cast_rows(lines.rays, lines.centres, lines.spreads, row, NEAR_M)[2]
    ).any()
    row[0, 3] = 0.31  # its front is 1 cm away
    assert not np.isfinite(
        cast_rows(lines.rays, lines.centres, lines.spreads, row, NEAR_M)[2]
    ).any()


@cache
def _ring() -> trimesh.Trimesh:
    return trimesh.creation.torus(0.03, 0.008, 24, 12)


def test_meshes_of_a_folder(tmp_path) -> None:  # type: ignore[no-untyped-def]
    _ring().export(tmp_path / "ring.ply")
    trimesh.creation.box((0.1, 0.02, 0.02)).export(tmp_path / "bar.stl")
    (tmp_path / "notes.txt").write_text("no mesh")
    bar, ring = load_bodies(tmp_path)
    assert (bar.name, ring.name) == ("bar", "ring")
    assert bar.half_side_m == pytest.approx(0.05)
    assert ring.half_side_m == pytest.approx(0.038, rel=0.01)
    assert np.abs(ring.vertices).max() == pytest.approx(1)


def test_folder_without_meshes_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadInput, match="has no mesh"):
        load_bodies(tmp_path)
    (tmp_path / "broken.ply").write_bytes(b"ply\nnothing")
    with pytest.raises(BadInput, match=r"cannot be read as a mesh|faces"):
        load_bodies(tmp_path)
    (tmp_path / "broken.ply").unlink()
    trimesh.creation.icosphere(subdivisions=4).export(tmp_path / "fine.ply")
    with pytest.raises(BadInput, match=r"1 to 2000 faces.*simplify"):
        load_bodies(tmp_path)
