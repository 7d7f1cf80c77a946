"""Images under a geometry: exact where they can be, and never of two surfaces."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.geometry.images import Images, apply_to_images, measure_span
from augment.geometry.lens import map_pixels
from augment.geometry.steps import (
    aim_camera,
    cut_window,
    flip_camera,
    offset_depth,
    resize_camera,
    roll_camera,
    scale_depth,
    straighten_camera,
    zoom_camera,
)
from augment.geometry.virtual_camera import Geometry, compose, keep_camera
from frames.camera import CAMERAS, Camera
from frames.errors import BadInput
from frames.reasons import NOTHING, OUT_OF_RANGE, SHADOW
from tests.augment.cameras import FISHEYE, LENSES, PINHOLE, change, shares, steps

SQUARE = Camera("pinhole", 48, 48, 40.0, 40.0, 23.5, 23.5)


def noise(camera: Camera, seed: int = 0, kind: type = np.uint16) -> Images:
    rng = np.random.default_rng(seed)
    size = camera.height, camera.width
    depth = rng.integers(0, 9000, size).astype(np.uint16)
    parts = rng.integers(0, 256, size).astype(np.uint8)
    invalid = np.where(depth == 0, SHADOW, 0).astype(np.uint8)
    return Images(depth if kind is np.uint16 else (depth / 1e4).astype(kind), parts, invalid)


def plane_depth(camera: Camera, normal: np.ndarray, distance: float) -> np.ndarray:
    """(H, W) float64 z of the plane normal . p = distance; 0 where it is not seen."""
    rays = np.concatenate([camera.ray_table(), np.ones((camera.height, camera.width, 1))], -1)
    along = rays @ normal
    with np.errstate(divide="ignore", invalid="ignore"):
        z = distance / along
    return np.where((along > 1e-6) & np.isfinite(z), z, 0.0)


def same(a: Images, b: Images) -> None:
    for name in ("depth", "parts", "invalid"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
@pytest.mark.parametrize("name", LENSES)
def test_no_change_changes_no_byte(name: str, kind: type) -> None:
    camera = LENSES[name]
    images = noise(camera, kind=kind)
    out = apply_to_images(keep_camera(camera), images)
    seen = np.isfinite(camera.ray_table()).all(-1)
    np.testing.assert_array_equal(out.depth[seen], images.depth[seen])
    np.testing.assert_array_equal(out.parts[seen], images.parts[seen])
    # Outside a lens's field is nothing.
    assert not out.depth[~seen].any() and not out.parts[~seen].any()
    assert out.depth.dtype == kind


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
@pytest.mark.parametrize("resampling", ["surface", "nearest"])
def test_a_full_roll_and_two_flips_change_no_byte(kind: type, resampling: str) -> None:
    images = noise(PINHOLE, kind=kind)
    roll = roll_camera(PINHOLE, 2 * np.pi)
    same(apply_to_images(roll, images, resampling=resampling), images)
    flip = flip_camera(PINHOLE)
    once = apply_to_images(flip, images, resampling=resampling)
    np.testing.assert_array_equal(once.depth, images.depth[:, ::-1])
    np.testing.assert_array_equal(once.parts, images.parts[:, ::-1])
    same(apply_to_images(flip_camera(flip.camera), once, resampling=resampling), images)


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_a_quarter_roll_is_a_turned_array(kind: type) -> None:
    images = noise(SQUARE, kind=kind)
    out = apply_to_images(roll_camera(SQUARE, np.pi / 2), images)
    np.testing.assert_array_equal(out.depth, np.rot90(images.depth, -1))
    np.testing.assert_array_equal(out.parts, np.rot90(images.parts, -1))


def test_a_window_is_a_slice_and_beyond_the_image_is_nothing() -> None:
    images = noise(PINHOLE)
    out = apply_to_images(cut_window(PINHOLE, 10, 5, 20, 12), images)
    np.testing.assert_array_equal(out.depth, images.depth[5:17, 10:30])
    wide = apply_to_images(cut_window(PINHOLE, -3, -2, 70, 60), images)
    np.testing.assert_array_equal(wide.depth[2:50, 3:67], images.depth)
    edge = np.ones((60, 70), bool)
    edge[2:50, 3:67] = False
    assert not wide.depth[edge].any() and not wide.parts[edge].any()
    assert (wide.invalid[edge] == NOTHING).all()
    np.testing.assert_array_equal(wide.invalid[2:50, 3:67], images.invalid)


@given(st.lists(steps, min_size=1, max_size=4), shares, shares)
@settings(max_examples=60, deadline=None)
def test_planes_stay_planes(turns: list, a: float, b: float) -> None:  # type: ignore[type-arg]
    """A plane's image is the image that the new camera has of the moved plane."""
    normal = np.array([0.5 * a, 0.5 * b, 1.0])
    normal /= np.linalg.norm(normal)
    depth = plane_depth(PINHOLE, normal, 0.4).astype(np.float32)
    whole = keep_camera(PINHOLE)
    for step in turns:
        whole = compose(whole, change(whole.camera, *step))
    out = apply_to_images(whole, Images(depth)).depth
    truth = plane_depth(whole.camera, whole.turn @ normal, 0.4 * whole.depth_factor)
    both = out > 0
    np.testing.assert_allclose(out[both], truth[both], rtol=5e-5)
    # Nothing that the source saw is lost.
    places = map_pixels(whole)
    inside = (places[0] >= -0.5) & (places[0] < 63.5) & (places[1] >= -0.5) & (places[1] < 47.5)
    assert (both | ~inside | (truth <= 0)).all()


@pytest.mark.parametrize("name", ["ahat", "azure-nfov"])
def test_planes_stay_planes_through_a_lens(name: str) -> None:
    camera = CAMERAS[name]
    normal = np.array([0.3, -0.2, 0.93])
    depth = plane_depth(camera, normal, 0.4).astype(np.float32)
    turned = aim_camera(camera, (0.3 * camera.width, 0.6 * camera.height))
    whole = compose(turned, straighten_camera(camera))
    whole = compose(whole, roll_camera(whole.camera, 0.5))
    whole = compose(whole, cut_window(whole.camera, camera.width // 2 - 64, 100, 128, 128))
    out = apply_to_images(whole, Images(depth)).depth
    truth = plane_depth(whole.camera, whole.turn @ normal, 0.4)
    both = out > 0
    assert both.mean() > 0.9
    # At the very corners of the field a pixel has no neighbours that give its slope.
    off = np.abs(out - truth)[both] > 5e-5 * truth[both]
    assert off.mean() < 5e-4


def test_depth_offsets_and_factors_reach_the_pixels() -> None:
    depth = np.full((48, 64), 4000, np.uint16)
    depth[10, 10] = 0
    out = apply_to_images(scale_depth(PINHOLE, 1.25), Images(depth), 1e4).depth
    assert set(np.unique(out)) == {0, 5000} and out[10, 10] == 0
    out = apply_to_images(offset_depth(PINHOLE, -0.1, 0.4), Images(depth), 1e4).depth
    assert set(np.unique(out)) == {0, 3000} and out[10, 10] == 0


def test_depths_that_do_not_fit_are_no_readings() -> None:
    depth = np.full((48, 64), 40000, np.uint16)
    depth[:, 32:] = 500
    images = Images(depth, None, np.zeros((48, 64), np.uint8))
    far = apply_to_images(scale_depth(PINHOLE, 2.0), images, 1e4)
    assert not far.depth[:, :32].any() and (far.depth[:, 32:] == 1000).all()
    assert (far.invalid[:, :32] == OUT_OF_RANGE).all() and not far.invalid[:, 32:].any()
    near = apply_to_images(offset_depth(PINHOLE, -0.1, 0.4), images, 1e4)
    assert not near.depth[:, 32:].any() and (near.depth[:, :32] == 39000).all()


def two_surfaces(camera: Camera, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Blobs at 0.3 m of hand 0 before a wall at 0.302 m, hardly a step behind."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((camera.height // 6 + 1, camera.width // 6 + 1)) < 0.5
    hand = np.kron(coarse, np.ones((6, 6), bool))[: camera.height, : camera.width]
    return np.where(hand, 0.3, 0.302).astype(np.float32), np.where(hand, 5, 0).astype(np.uint8)


@given(st.lists(steps, min_size=1, max_size=3), shares, st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_depth_is_of_two_surfaces(turns: list, seed: float, shrink: bool) -> None:  # type: ignore[type-arg]
    """Two planes a step apart stay two: part codes tell them apart where depth hardly does."""
    depth, parts = two_surfaces(PINHOLE, int(1000 * seed) + 2000)
    whole = keep_camera(PINHOLE)
    if shrink:
        whole = compose(whole, resize_camera(PINHOLE, 24, 18))
    for step in turns:
        whole = compose(whole, change(whole.camera, *step))
    out = apply_to_images(whole, Images(depth, parts))
    axis = np.array([0.0, 0.0, 1.0])
    for code, z in ((5, 0.3), (0, 0.302)):
        truth = plane_depth(whole.camera, whole.turn @ axis, z * whole.depth_factor)
        mine = (out.parts == code) & (out.depth > 0)
        np.testing.assert_allclose(out.depth[mine], truth[mine], rtol=1e-4)


@pytest.mark.parametrize("factor", [0.7, 0.31])
def test_without_codes_a_step_in_depth_is_an_edge(factor: float) -> None:
    depth, _ = two_surfaces(PINHOLE, 1)
    depth = np.where(depth < 0.301, 0.3, 0.4).astype(np.float32)
    small = resize_camera(PINHOLE, round(64 * factor), round(48 * factor))
    whole = compose(small, roll_camera(small.camera, 0.3))
    out = apply_to_images(whole, Images(depth)).depth
    near = np.minimum(np.abs(out - 0.3), np.abs(out - 0.4))
    assert (near[out > 0] < 1e-6).all() and (out > 0).mean() > 0.5


def test_nearest_makes_no_new_depth() -> None:
    images = noise(PINHOLE)
    whole = compose(roll_camera(PINHOLE, 0.4), zoom_camera(PINHOLE, 1.6))
    out = apply_to_images(whole, images, resampling="nearest").depth
    assert set(np.unique(out)) <= set(np.unique(images.depth)) | {0}


@pytest.mark.parametrize("factor", [1.5, 2.0, 3.0, 4.5])
def test_shrinking_averages_noise_without_bias(factor: float) -> None:
    """A noisy wall, shrunk: its noise falls by nearly the factor (that many pixels a mean)."""
    camera = CAMERAS["ego"]
    rng = np.random.default_rng(3)
    depth = (0.5 + rng.normal(0, 0.002, (240, 320))).astype(np.float32)
    small = resize_camera(camera, round(320 / factor), round(240 / factor))
    out = apply_to_images(small, Images(depth)).depth.astype(np.float64)
    count = out.size
    # 1 / z of noise of sigma has the mean 1 / z (1 + sigma^2 / z^2): 8 um here.
    assert abs(out.mean() - 0.5) < 4 * 0.002 / np.sqrt(320 * 240) * 2 + 2e-5
    assert out.std() < 1.25 * 0.002 / factor
    assert out.std() > 0.7 * 0.002 / factor * (1 - 4 / np.sqrt(2 * count))


def test_enlarging_leaves_no_stairs() -> None:
    """A slanted wall, three times as large: each pixel at its own depth, not in blocks."""
    normal = np.array([0.5, 0.0, 0.866])
    depth = np.round(plane_depth(PINHOLE, normal, 0.4) * 1e4).astype(np.uint16)
    whole = zoom_camera(PINHOLE, 3.0)
    out = apply_to_images(whole, Images(depth), 1e4).depth / 1e4
    truth = plane_depth(whole.camera, normal, 0.4)
    assert np.abs(out - truth)[out > 0].max() < 1.1e-4


def test_holes_stay_holes_and_do_not_grow() -> None:
    depth = np.full((48, 64), 0.4, np.float32)
    depth[20:24, 30:34] = 0
    whole = zoom_camera(PINHOLE, 2.0)
    out = apply_to_images(whole, Images(depth)).depth
    assert (out == 0).sum() == 64
    np.testing.assert_allclose(out[out > 0], 0.4, rtol=1e-6)


def test_nan_and_negative_depths_are_no_readings() -> None:
    depth = np.full((48, 64), 0.4, np.float32)
    depth[5] = np.nan
    depth[9] = -1.0
    depth[13] = np.inf
    for whole in (keep_camera(PINHOLE), roll_camera(PINHOLE, 0.1), resize_camera(PINHOLE, 20, 20)):
        for resampling in ("surface", "nearest"):
            out = apply_to_images(whole, Images(depth), resampling=resampling).depth
            assert np.isfinite(out).all() and (out >= 0).all() and (out > 0).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1)])
def test_tiny_images(size: tuple[int, int]) -> None:
    tiny = Camera("pinhole", *size, 5.0, 5.0, 0.0, 0.0)
    images = Images(np.full(size[::-1], 4000, np.uint16), np.full(size[::-1], 3, np.uint8))
    same_ = apply_to_images(keep_camera(tiny), images, 1e4)
    assert (same_.depth == 4000).all()
    out = apply_to_images(compose(roll_camera(tiny, 0.3), resize_camera(tiny, 4, 4)), images, 1e4)
    assert ((out.depth == 4000) == (out.parts == 3)).all()
    small = apply_to_images(resize_camera(PINHOLE, 1, 1), Images(np.ones((48, 64), np.float32)))
    assert small.depth == pytest.approx(1.0)


def test_all_holes_and_no_images() -> None:
    zeros = Images(np.zeros((48, 64), np.uint16), np.zeros((48, 64), np.uint8))
    out = apply_to_images(roll_camera(PINHOLE, 0.3), zeros)
    assert not out.depth.any() and not out.parts.any() and out.invalid is None
    nothing = apply_to_images(roll_camera(PINHOLE, 0.3), Images(None))
    assert nothing.depth is nothing.parts is nothing.invalid is None


def test_a_view_that_looks_away_is_empty() -> None:
    away = compose(keep_camera(PINHOLE), cut_window(PINHOLE, 500, 0, 16, 16))
    out = apply_to_images(away, noise(PINHOLE))
    assert not out.depth.any() and (out.invalid == NOTHING).all()


def test_corners_beyond_a_fisheye_are_nothing() -> None:
    images = noise(FISHEYE)
    out = apply_to_images(roll_camera(FISHEYE, 0.4), images)
    outside = np.isnan(FISHEYE.ray_table()[..., 0])
    assert outside.any() and not out.depth[outside].any()


def test_span_counts_source_pixels() -> None:
    assert measure_span(map_pixels(zoom_camera(PINHOLE, 2.0))) == pytest.approx(0.5)
    assert measure_span(map_pixels(resize_camera(PINHOLE, 16, 12))) == pytest.approx(4.0)
    assert measure_span(map_pixels(cut_window(PINHOLE, 0, 0, 1, 1))) == 1.0


def run(depth: object = None, parts: object = None, **options: object) -> Images:
    images = Images(depth, parts)  # type: ignore[arg-type]
    geometry: Geometry = keep_camera(PINHOLE)
    return apply_to_images(geometry, images, **options)  # type: ignore[arg-type]


GOOD = np.zeros((48, 64), np.uint16)
BAD = {
    "depth must be \\(48, 64\\) as its camera, got \\(10, 10\\)": lambda: run(
        np.zeros((10, 10), np.uint16)
    ),
    "depth must be an array of uint16 or float32, got float64": lambda: run(GOOD.astype(float)),
    "depth must be an array of uint16 or float32, got list": lambda: run([[1]]),
    "parts must be an array of uint8, got uint16": lambda: run(GOOD, GOOD),
    "steps_per_m must be > 0, got 0": lambda: run(GOOD, steps_per_m=0),
    "resampling must be surface or nearest, got 'linear'": lambda: run(GOOD, resampling="linear"),
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_is_one_clear_line(message: str) -> None:
    with pytest.raises(BadInput, match=message):
        BAD[message]()
