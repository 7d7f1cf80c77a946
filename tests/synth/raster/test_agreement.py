"""The raster against the float64 ray caster, on every camera model."""

import numpy as np
import pytest
from raycaster import camera_rays, cast, cast_all
from scenes import Mesh, articulated_body, triangle_soup

from frames.camera import Camera
from synth.raster import Canvas

CAMERAS = {
    "pinhole": Camera("pinhole", 320, 240, 168.5, 168.5, 159.5, 119.5),
    "pinhole, off centre": Camera("pinhole", 203, 151, 240.0, 180.0, 60.2, 110.7),
    "brown-conrady": Camera(
        "brown-conrady", 240, 200, 150.0, 151.0, 118.3, 101.6, (-0.21, 0.05, 1e-3, -2e-3, 0.01)
    ),
    "kannala-brandt": Camera(
        "kannala-brandt", 256, 256, 115.0, 117.0, 127.0, 126.0, (0.05, -0.02, 3e-3, -5e-4), 1.3
    ),
}


def scene(kind: str, seed: int) -> tuple[Mesh, bool]:
    rng = np.random.default_rng(seed)
    if kind == "body":
        return articulated_body(rng, np.array([0.02, 0.01, 0.35])), True
    if kind == "crossing the near plane":
        return articulated_body(rng, np.array([0.06, 0.02, 0.05]), bones=6), True
    return triangle_soup(rng), False


def interior(mask: np.ndarray) -> np.ndarray:
    """Pixels whose four neighbours are also in the mask."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return inner


@pytest.mark.parametrize("kind", ["body", "crossing the near plane", "soup"])
@pytest.mark.parametrize("name", CAMERAS)
def test_depth_coverage_and_codes_agree_with_the_ray_caster(name: str, kind: str) -> None:
    camera = CAMERAS[name]
    canvas, rays = Canvas(camera, layers=1), camera_rays(camera)
    depth = np.zeros((camera.height, camera.width), np.uint16)
    codes = np.zeros(depth.shape, np.uint8)
    pixels = missed = recoded = 0
    errors, steps = [], []
    for seed in range(4):
        (vertices, faces, parts), closed = scene(kind, seed)
        canvas.begin()
        canvas.draw(0, vertices, faces, parts, closed=closed)
        canvas.composite(depth, codes)
        z, face = cast(rays, vertices, faces, closed, near=canvas.near_m)
        truth = np.isfinite(z)
        true_codes = np.where(truth, parts[face], 0)
        drawn = codes > 0
        assert np.array_equal(depth > 0, drawn & (np.where(drawn, canvas.layer(0)[1], 0) < 6.5536))
        inner = interior(truth & drawn) & (z < 6.55)
        errors.append(np.abs(canvas.layer(0)[1][inner] - z[inner]))
        steps.append(depth[inner] - np.floor(z[inner] * 1e4 + 0.5))
        pixels += depth.size
        missed += int((truth != drawn).sum())
        recoded += int((true_codes != codes).sum())
    assert sum(e.size for e in errors) > 1000
    assert np.median(np.concatenate(errors)) <= 1e-5
    assert np.mean(np.concatenate(steps) != 0) <= 5e-3  # within a hair of the rounding boundary
    assert missed <= 5e-4 * pixels
    assert recoded <= 5e-4 * pixels


@pytest.mark.parametrize("name", CAMERAS)
def test_unquantised_depth_is_exact_to_micrometres(name: str) -> None:
    camera = CAMERAS[name]
    canvas, rays = Canvas(camera, layers=1), camera_rays(camera)
    for seed in range(3):
        (vertices, faces, parts), _ = scene("body", seed)
        canvas.begin()
        canvas.draw(0, vertices, faces, parts)
        z, _ = cast(rays, vertices, faces)
        layer_depth = canvas.layer(0)[1]
        inner = interior(np.isfinite(z) & (layer_depth > 0))
        error = np.abs(layer_depth[inner] - z[inner])
        assert np.median(error) < 1e-6
        assert np.quantile(error, 0.999) < 1e-5


def test_float32_vertices_give_the_same_picture_as_float64_ones() -> None:
    camera = CAMERAS["pinhole"]
    (vertices, faces, parts), _ = scene("body", 3)
    vertices = vertices.astype(np.float32)
    canvas = Canvas(camera, layers=2)
    canvas.begin()
    canvas.draw(0, vertices, faces, parts)
    canvas.draw(1, vertices.astype(np.float64), faces, parts)
    for single, double in zip(canvas.layer(0), canvas.layer(1), strict=True):
        assert np.array_equal(single, double)


def test_the_ray_caster_meets_a_triangle_where_the_plane_says() -> None:
    rng = np.random.default_rng(0)
    triangle = np.array([[-1.0, -1.0, 2.0], [0.0, 1.5, 2.5], [1.0, -1.0, 3.0]])
    weights = rng.dirichlet(np.ones(3), 500)
    points = weights @ triangle
    rays = points / points[:, 2:]
    for corners in ([0, 1, 2], [0, 2, 1]):
        z, face = cast(rays, triangle, np.array([corners]), closed=False)
        assert np.all(face == 0)
        np.testing.assert_allclose(z, points[:, 2], rtol=1e-12)
    front = [cast(rays, triangle, np.array([f]))[1].max() for f in ([0, 1, 2], [0, 2, 1])]
    assert sorted(front) == [-1, 0]


def test_the_ray_caster_finds_every_hit_through_a_ball() -> None:
    from scenes import icosphere

    vertices, faces, _ = icosphere(np.array([0, 0, 1.0]), 0.3, 3)
    rays = np.array([[0.01, 0.02, 1.0], [0.9, 0.0, 1.0], [np.nan, np.nan, np.nan]])
    hits = cast_all(rays, vertices, faces, closed=False)
    assert hits.ray.tolist() == [0, 0]
    np.testing.assert_allclose(hits.z, [0.7, 1.3], atol=0.01)
