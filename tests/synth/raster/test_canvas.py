"""Layers, statistics, reuse of buffers, and the edges of what may be drawn."""

import numpy as np
import pytest
from raycaster import camera_rays, cast
from scenes import Mesh, articulated_body, icosphere, room_mesh, room_planes, triangle_soup

from frames.camera import CAMERAS, Camera
from frames.errors import BadInput
from synth.raster import Canvas

SMALL = Camera("pinhole", 160, 120, 84.25, 84.25, 79.5, 59.5)
FISHEYE = Camera("kannala-brandt", 150, 130, 68.0, 68.0, 74.0, 66.0, (0.02, 0.0, 0.0, 0.0), 1.25)
BOTH = pytest.mark.parametrize("camera", [SMALL, FISHEYE], ids=["pinhole", "fisheye"])

Image = tuple[np.ndarray, np.ndarray]


def blank(camera: Camera) -> Image:
    shape = (camera.height, camera.width)
    return np.full(shape, 7, np.uint16), np.full(shape, 7, np.uint8)


def two_bodies(seed: int) -> list[Mesh]:
    rng = np.random.default_rng(seed)
    centres = rng.uniform([-0.15, -0.15, 0.25], [0.15, 0.15, 0.45], (2, 3))
    return [articulated_body(rng, centre) for centre in centres]


def draw_all(canvas: Canvas, bodies: list[Mesh], planes: np.ndarray | None = None) -> None:
    canvas.begin()
    for slot, (vertices, faces, parts) in enumerate(bodies):
        canvas.draw(slot, vertices, faces, parts, base=32 * slot)
    ball = icosphere(np.array([0.0, 0.02, 0.35]), 0.05, 2)
    canvas.draw(2, ball[0], ball[1], np.zeros(len(ball[1]), np.uint8), base=224)
    if planes is not None:
        canvas.draw_room(planes)


def box_of(mask: np.ndarray) -> list[int]:
    if not mask.any():
        return [-1] * 4
    v, u = np.nonzero(mask)
    return [int(u.min()), int(v.min()), int(u.max()), int(v.max())]


@BOTH
def test_statistics_equal_a_recount_from_the_layers(camera: Camera) -> None:
    canvas = Canvas(camera, layers=4)
    depth, codes = blank(camera)
    for seed in range(12):
        draw_all(canvas, two_bodies(seed), room_planes(np.random.default_rng(seed)))
        layers = canvas.composite(depth, codes)
        for slot in range(4):
            own, _ = canvas.layer(slot)
            counted = (own >= 224) | ((own % 32 >= 1) & (own % 32 <= 16))
            seen = counted & (codes == own)
            assert layers.amodal_pixels[slot] == counted.sum()
            assert layers.visible_pixels[slot] == seen.sum()
            assert layers.amodal_box[slot].tolist() == box_of(counted)
            assert layers.visible_box[slot].tolist() == box_of(seen)


@BOTH
def test_the_image_is_the_nearest_layer(camera: Camera) -> None:
    canvas = Canvas(camera, layers=3)
    depth, codes = blank(camera)
    draw_all(canvas, two_bodies(5), room_planes(np.random.default_rng(5)))
    canvas.composite(depth, codes)
    layers = [canvas.layer(slot) for slot in range(4)]
    z = np.array([np.where(d > 0, d, np.inf) for _, d in layers])
    front = z.argmin(0)
    nearest = np.take_along_axis(z, front[None], 0)[0]
    assert np.array_equal(
        codes, np.take_along_axis(np.array([c for c, _ in layers]), front[None], 0)[0]
    )
    steps = np.floor(np.where(np.isfinite(nearest), nearest, 0) * 1e4 + 0.5)
    expected = np.where(steps < 65536, steps, 0)
    assert np.abs(depth - expected).max() <= 1
    assert (depth != expected).mean() < 1e-3


@BOTH
def test_a_reused_canvas_draws_what_a_new_one_does(camera: Camera) -> None:
    reused = Canvas(camera, layers=3)
    for seed in range(8):
        planes = room_planes(np.random.default_rng(seed)) if seed % 3 else None
        images = []
        for canvas in (reused, Canvas(camera, layers=3)):
            image = blank(camera)
            draw_all(canvas, two_bodies(seed), planes)
            if seed % 2:
                box = icosphere(np.array([0.3, 0.2, 1.0]), 0.3, 1)
                canvas.draw_background(box[0], box[1])
            canvas.composite(*image)
            images.append(image)
        for a, b in zip(*images, strict=True):
            assert np.array_equal(a, b)


@BOTH
def test_the_order_of_triangles_and_calls_does_not_matter(camera: Camera) -> None:
    rng = np.random.default_rng(3)
    vertices, faces, parts = triangle_soup(rng)
    planes = room_planes(rng)
    images = []
    for order in (np.arange(len(faces)), rng.permutation(len(faces)), np.arange(len(faces))[::-1]):
        canvas, image = Canvas(camera, layers=2), blank(camera)
        canvas.begin()
        if len(images) % 2:
            canvas.draw_room(planes)
        half = len(order) // 2
        for piece in (order[:half], order[half:]):
            shuffled = np.ascontiguousarray(faces[piece])
            canvas.draw(1, vertices, shuffled, parts[piece], closed=False)
        if not len(images) % 2:
            canvas.draw_room(planes)
        canvas.composite(*image)
        images.append(image)
    for image in images[1:]:
        assert np.array_equal(image[0], images[0][0])
        assert np.array_equal(image[1], images[0][1])


@BOTH
def test_the_room_is_its_planes_and_its_triangles(camera: Camera) -> None:
    canvas, rays = Canvas(camera, layers=1), camera_rays(camera)
    field = ~np.isnan(rays[..., 0])
    for seed in range(6):
        planes = room_planes(np.random.default_rng(seed))
        canvas.begin()
        canvas.draw_room(planes)
        _, depth = canvas.layer(1)
        z, _ = cast(rays, *room_mesh(planes), closed=True)
        assert np.array_equal(depth > 0, field)
        inner = field & np.isfinite(z)
        assert (field & ~inner).sum() <= 2  # rays that slip between the caster's triangles
        np.testing.assert_allclose(depth[inner], z[inner], rtol=2e-6)


def test_an_open_room_leaves_pixels_empty() -> None:
    canvas = Canvas(SMALL, layers=1)
    canvas.begin()
    canvas.draw_room(np.array([[0.0, 1.0, 0.0, 1.2]]))
    _, depth = canvas.layer(1)
    assert not depth[:59].any() and depth[61:].all()
    canvas.begin()
    canvas.draw_room(np.zeros((0, 4)))
    assert not canvas.layer(1)[1].any()


def test_depth_out_of_range_reads_zero_and_keeps_its_code() -> None:
    canvas, (depth, codes) = Canvas(SMALL, layers=1), blank(SMALL)
    canvas.begin()
    vertices, faces, parts = icosphere(np.array([0.0, 0.0, 9.0]), 1.0, 3)
    canvas.draw(0, vertices, faces, parts)
    canvas.composite(depth, codes)
    assert codes[60, 80] == 1 and depth[60, 80] == 0
    canvas.composite(depth, codes, depth_scale=1000.0)
    assert abs(int(depth[60, 80]) - 8000) < 20


@BOTH
def test_what_cannot_be_seen_draws_nothing(camera: Camera) -> None:
    canvas, image = Canvas(camera, layers=1), blank(camera)
    ball = icosphere(np.array([0.0, 0.0, 0.5]), 0.1, 2)
    degenerate = np.array([[0, 0, 0.5], [0.1, 0.1, 0.5], [0.2, 0.2, 0.5], [0.1, 0.1, 0.5]])
    nothing = [
        (np.zeros((0, 3)), np.zeros((0, 3), np.int32)),
        (ball[0] - [0, 0, 2.0], ball[1]),
        (ball[0] + [40.0, 0, 0], ball[1]),
        (ball[0] * 0.01, ball[1]),  # between the camera and the near plane
        (degenerate, np.array([[0, 1, 2], [0, 1, 3], [1, 1, 2]], np.int32)),
        (np.zeros((3, 3)), np.array([[0, 1, 2]], np.int32)),
        (np.full((3, 3), np.nan), np.array([[0, 1, 2]], np.int32)),
        (ball[0], np.ascontiguousarray(ball[1][:, ::-1])[:0]),
    ]
    for closed in (True, False):
        for vertices, faces in nothing:
            canvas.begin()
            canvas.draw(0, vertices, faces, np.ones(len(faces), np.uint8), closed=closed)
            layers = canvas.composite(*image)
            assert not image[0].any() and not image[1].any()
            assert layers.amodal_pixels[0] == 0


def test_bad_canvases_and_meshes_are_refused() -> None:
    with pytest.raises(BadInput, match="layers"):
        Canvas(SMALL, layers=0)
    for near in (0.0, -1.0, float("nan"), 1e-3):
        with pytest.raises(BadInput, match="near_m"):
            Canvas(SMALL, layers=1, near_m=near)
    canvas = Canvas(SMALL, layers=1)
    vertices, faces, codes = icosphere(np.array([0.0, 0.0, 0.5]), 0.1, 1)
    with pytest.raises(ValueError, match="slot"):
        canvas.draw(1, vertices, faces, codes)
    for bad in (
        (vertices[:, :2], faces, codes),
        (vertices, faces.astype(np.int64), codes),
        (vertices, faces, codes[:-1]),
    ):
        with pytest.raises(ValueError, match="must be"):
            canvas.draw(0, *bad)


@BOTH
def test_strided_arrays_and_large_meshes_draw_as_plain_ones_do(camera: Camera) -> None:
    canvas = Canvas(camera, layers=2)
    vertices, faces, codes = icosphere(np.array([0.02, 0.01, 0.5]), 0.15, 5)  # beyond the scratch
    canvas.begin()
    canvas.draw(0, vertices, faces, codes)
    wide = np.zeros((len(vertices), 6))
    wide[:, ::2] = vertices
    canvas.draw(1, wide[:, ::2], np.asfortranarray(faces), codes)
    for one, other in zip(canvas.layer(0), canvas.layer(1), strict=True):
        assert one.any() and np.array_equal(one, other)


@pytest.mark.parametrize("name", CAMERAS)
def test_every_preset_draws(name: str) -> None:
    camera = CAMERAS[name]
    canvas, image = Canvas(camera, layers=3), blank(camera)
    draw_all(canvas, two_bodies(0), room_planes(np.random.default_rng(0)))
    layers = canvas.composite(*image)
    assert (layers.visible_pixels > 0).all()
    assert np.array_equal(image[0] > 0, ~np.isnan(camera.ray_table()[..., 0]))
