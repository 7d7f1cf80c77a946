"""The angle of incidence against planes and a sphere, where it is known exactly."""

import numpy as np
import pytest

from augment.effects.incidence import measure_incidence
from augment.shot import Keys, Shot
from frames.camera import CAMERAS, Camera


def _shot(camera: Camera, depth_m: np.ndarray) -> Shot:
    depth = np.where(np.isfinite(depth_m), np.round(depth_m * 1e4), 0).astype(np.uint16)
    parts = np.zeros(depth.shape, np.uint8)
    return Shot(camera, depth, 1e4, parts, np.full(256, 0.5, np.float32), None, 0.0, Keys(1, 2, 3))


def _plane(camera: Camera, normal: np.ndarray, at_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Depth of the plane through (0, 0, at_m), and the cosine at each pixel."""
    rays = np.concatenate([camera.ray_table(), np.ones((camera.height, camera.width, 1))], -1)
    dot = rays @ normal
    with np.errstate(all="ignore"):
        z = normal[2] * at_m / dot
        cos = np.abs(dot) / np.linalg.norm(rays, axis=-1) / np.linalg.norm(normal)
    return np.where((z > 0.1) & (z < 6.5), z, np.nan), cos


@pytest.mark.parametrize("name", ["ego", "d435", "ahat"])
@pytest.mark.parametrize("tilt", [(0.0, 0.0), (0.6, 0.0), (0.0, -1.0), (0.8, 0.8), (-2.0, 0.5)])
def test_planes_are_exact(name: str, tilt: tuple[float, float]) -> None:
    camera = CAMERAS[name]
    z, cos = _plane(camera, np.array([*tilt, 1.0]), 0.5)
    got = measure_incidence(_shot(camera, z))
    near = np.isfinite(z) & (z < 1.0)
    # Depth is rounded to 0.1 mm, 0.05 mm of error in steps of z / f: 3 mm at the coarsest here; the
    # flatter of two slopes is a little too flat, hence not the deviation but the bound.
    step = 1e-4 * camera.fx / np.where(near, z, 1.0)
    assert near.sum() > 1000
    assert np.abs(got - cos)[near].max() < 1.5 * step[near].max()
    assert np.abs((got - cos)[near].mean()) < 0.5 * step[near].mean()


def test_a_sphere_falls_off_to_its_rim() -> None:
    camera = CAMERAS["ego"]
    rays = np.concatenate([camera.ray_table(), np.ones((240, 320, 1))], -1)
    centre, radius = np.array([0.0, 0.0, 0.5]), 0.1
    a, b = (rays**2).sum(-1), rays @ centre
    disc = b**2 - a * (centre @ centre - radius**2)
    with np.errstate(invalid="ignore"):
        z = (b - np.sqrt(disc)) / a
    normal = (rays * z[..., None] - centre) / radius
    cos = np.abs((normal * rays).sum(-1)) / np.sqrt(a)
    got = measure_incidence(_shot(camera, z))
    hit = np.isfinite(z) & (cos > 0.4)
    assert np.abs(got - cos)[hit].max() < 0.15  # one pixel is 3 mm of 100: the next is flatter
    assert np.abs(got - cos)[hit].mean() < 0.03
    assert (got[~np.isfinite(z)] == 1).all()


def test_an_outline_does_not_tilt_what_is_beside_it() -> None:
    depth = np.full((240, 320), 1.0)
    depth[60:180, 100:200] = 0.4
    cos = measure_incidence(_shot(CAMERAS["ego"], depth))
    flat = measure_incidence(_shot(CAMERAS["ego"], np.full((240, 320), 1.0)))
    assert np.abs(cos - flat).max() < 1e-5


def test_odd_images() -> None:
    for height, width in ((1, 1), (1, 9), (9, 1), (2, 2)):
        camera = Camera("pinhole", width, height, 100.0, 100.0, 0.0, 0.0)
        assert (measure_incidence(_shot(camera, np.zeros((height, width)))) == 1).all()
        ones = measure_incidence(_shot(camera, np.ones((height, width))))
        assert (ones > 0.98).all()
    empty = measure_incidence(_shot(Camera("pinhole", 1, 1, 9.0, 9.0, 0.0, 0.0), np.ones((0, 0))))
    assert empty.shape == (0, 0)
    rng = np.random.default_rng(3)
    for camera in (CAMERAS["ego"], CAMERAS["ahat"]):
        depth = rng.uniform(0, 6.5, (camera.height, camera.width)) * rng.integers(0, 2, (1, 1))
        depth[rng.random(depth.shape) < 0.5] = 0  # lone pixels, and depth where there is no ray
        cos = measure_incidence(_shot(camera, depth))
        assert (cos >= 1e-3).all() and (cos <= 1).all()
