"""Closed surfaces stay closed: no pixel falls between two triangles that share an edge."""

import numpy as np
import pytest
from scenes import icosphere

from frames.camera import Camera
from synth.raster import Canvas

CAMERAS = {
    "pinhole": Camera("pinhole", 320, 240, 168.5, 168.5, 159.5, 119.5),
    "brown-conrady": Camera(
        "brown-conrady", 240, 200, 150.0, 151.0, 118.3, 101.6, (-0.21, 0.05, 1e-3, -2e-3, 0.01)
    ),
    "kannala-brandt": Camera(
        "kannala-brandt", 256, 256, 115.0, 117.0, 127.0, 126.0, (0.05, -0.02, 3e-3, -5e-4), 1.3
    ),
}


def sheet(rng: np.random.Generator, side: int, jitter: float) -> tuple[np.ndarray, np.ndarray]:
    """A wide, crumpled sheet at about 1 m of 2 * (side - 1)^2 triangles: vertices, faces."""
    axis = np.linspace(-4.5, 4.5, side)
    x, y = np.meshgrid(axis, axis)
    cell = axis[1] - axis[0]
    x = x + rng.uniform(-jitter, jitter, x.shape) * cell
    y = y + rng.uniform(-jitter, jitter, y.shape) * cell
    z = rng.uniform(0.9, 1.1, x.shape)
    vertices = np.stack([x * z, y * z, z], axis=-1).reshape(-1, 3)
    n = np.arange(side * side).reshape(side, side)
    a, b, c, d = n[:-1, :-1].ravel(), n[:-1, 1:].ravel(), n[1:, :-1].ravel(), n[1:, 1:].ravel()
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    return vertices, faces.astype(np.int32)


def covered(camera: Camera, vertices: np.ndarray, faces: np.ndarray, closed: bool) -> np.ndarray:
    canvas = Canvas(camera, layers=1)
    canvas.begin()
    canvas.draw(0, vertices, faces, np.ones(len(faces), np.uint8), closed=closed)
    return canvas.layer(0)[0] > 0


@pytest.mark.parametrize("side", [4, 30, 150, 400])
@pytest.mark.parametrize("name", CAMERAS)
def test_a_crumpled_sheet_has_no_holes(name: str, side: int) -> None:
    camera = CAMERAS[name]
    field = ~np.isnan(camera.ray_table()[..., 0])
    for seed in range(3):
        vertices, faces = sheet(np.random.default_rng(seed), side, jitter=0.3)
        hit = covered(camera, vertices, faces, closed=True)
        assert np.array_equal(hit, field)


@pytest.mark.parametrize("name", CAMERAS)
def test_a_ball_around_the_camera_has_no_holes(name: str) -> None:
    """Triangles cross the near plane, lie far outside the image and behind the camera."""
    camera = CAMERAS[name]
    field = ~np.isnan(camera.ray_table()[..., 0])
    rng = np.random.default_rng(0)
    for subdivisions in (0, 2, 4):
        centre = rng.uniform(-0.15, 0.15, 3)
        vertices, faces, _ = icosphere(centre, 0.4, subdivisions)
        hit = covered(camera, vertices, np.ascontiguousarray(faces[:, ::-1]), closed=True)
        assert np.array_equal(hit, field)


@pytest.mark.parametrize("name", CAMERAS)
def test_a_ball_ahead_is_a_filled_disc(name: str) -> None:
    camera = CAMERAS[name]
    for subdivisions in (2, 4, 5):
        vertices, faces, _ = icosphere(np.array([0.03, 0.02, 0.5]), 0.15, subdivisions)
        hit = covered(camera, vertices, faces, closed=True)
        for lines in (hit, hit.T):
            for line in lines:
                where = np.flatnonzero(line)
                assert where.size == 0 or np.ptp(where) + 1 == where.size
        assert hit.sum() > 1000


def test_edges_through_pixel_centres_leave_no_gap() -> None:
    """Vertices exactly on pixel centres: the pixels on an edge belong to both its triangles."""
    camera = Camera("pinhole", 64, 48, 64.0, 64.0, 32.0, 24.0)
    u, v = np.meshgrid(np.arange(4, 61, 4), np.arange(4, 45, 4))
    vertices = np.stack([(u - 32) / 64, (v - 24) / 64, np.ones(u.shape)], -1).reshape(-1, 3)
    n = np.arange(u.size).reshape(u.shape)
    a, b, c, d = n[:-1, :-1].ravel(), n[:-1, 1:].ravel(), n[1:, :-1].ravel(), n[1:, 1:].ravel()
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)
    expected = np.zeros((48, 64), bool)
    expected[4:45, 4:61] = True
    assert np.array_equal(covered(camera, vertices, faces, closed=True), expected)


@pytest.mark.parametrize("name", CAMERAS)
def test_fans_of_slivers_have_no_holes(name: str) -> None:
    """Many thin triangles round one vertex cover the same pixels as their outline."""
    camera = CAMERAS[name]
    rng = np.random.default_rng(1)
    for count in (5, 50, 1000):
        angles = np.sort(rng.uniform(0, 2 * np.pi, count))
        angles[:3] = 0.1, 2.2, 4.3
        angles = np.sort(angles)
        rim = np.stack([0.4 * np.cos(angles), 0.3 * np.sin(angles), np.full(count, 0.6)], 1)
        vertices = np.concatenate([[[0.02, 0.01, 0.6]], rim])
        k = np.arange(count)
        fan = np.stack([np.zeros(count, int), k + 1, (k + 1) % count + 1], 1).astype(np.int32)
        strip = np.stack([np.ones(count - 2, int), k[1:-1] + 1, k[1:-1] + 2], 1).astype(np.int32)
        spokes = covered(camera, vertices, fan, closed=False)
        outline = covered(camera, vertices, strip, closed=False)
        assert np.array_equal(spokes, outline)
        assert spokes.sum() > 500
