"""Cameras against OpenCV's projections, exact round trips, and what lies outside the field."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames.camera import CAMERAS, Camera, load_camera
from frames.errors import BadInput
from frames.lens import find_brown_limit

BROWN = (
    (-0.28, 0.07, 0.0002, -0.0004),
    (0.12, -0.25, 0.001, -0.0007, 0.09),
    CAMERAS["azure-nfov"].distortion,
    (0.0, 0.0, 0.0, 0.0),
)
FISHEYE = ((0.0, 0.0, 0.0, 0.0), (-0.01, 0.04, -0.03, 0.006), (0.08, -0.02, 0.0, 0.0))


def draw_points(camera: Camera, n: int = 500) -> np.ndarray:
    """Points whose rays cover the image and a little around it, 0.1 to 3 m away."""
    rng = np.random.default_rng(5)
    tan_x, tan_y = 0.55 * camera.width / camera.fx, 0.55 * camera.height / camera.fy
    xy = rng.uniform((-tan_x, -tan_y), (tan_x, tan_y), (n, 2))
    return np.concatenate([xy, np.ones((n, 1))], 1) * rng.uniform(0.1, 3.0, (n, 1))


@pytest.mark.parametrize("k", [(), *BROWN])
def test_projects_as_opencv(k: tuple[float, ...]) -> None:
    model = "brown-conrady" if k else "pinhole"
    camera = Camera(model, 320, 288, 252.0, 251.0, 160.3, 164.1, k)
    points = draw_points(camera)
    K = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
    wanted = cv2.projectPoints(
        points[:, None], np.zeros(3), np.zeros(3), K, np.array(k or [0.0] * 4)
    )[0]
    np.testing.assert_allclose(camera.project(points), wanted[:, 0], atol=1e-9)


@pytest.mark.parametrize("k", FISHEYE)
def test_projects_as_opencv_fisheye(k: tuple[float, ...]) -> None:
    camera = Camera("kannala-brandt", 512, 512, 231.0, 229.0, 255.0, 250.5, k)
    points = draw_points(camera)
    K = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
    wanted = cv2.fisheye.projectPoints(points[:, None], np.zeros(3), np.zeros(3), K, np.array(k))[0]
    np.testing.assert_allclose(camera.project(points), wanted[:, 0], atol=1e-9)


@pytest.mark.parametrize("name", CAMERAS)
def test_every_pixel_of_a_preset_comes_back(name: str) -> None:
    camera = CAMERAS[name]
    v, u = np.mgrid[-0.5 : camera.height, -0.5 : camera.width]
    px = np.stack([u, v], -1)
    rays = camera.unproject(px)
    inside = np.isfinite(rays).all(-1)
    assert inside.mean() > (0.93 if name == "ahat" else 0.9999)
    back = camera.project(rays * 0.37)
    np.testing.assert_allclose(back[inside], px[inside], atol=1e-6)
    assert np.isnan(rays[~inside]).all()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_unproject_inverts_project_for_any_lens(data: st.DataObject) -> None:
    """Every pixel with a ray comes back, and every ray with a pixel in the image is found."""
    if data.draw(st.booleans(), label="fisheye"):
        k = tuple(data.draw(st.floats(-0.3, 0.3)) for _ in range(4))
        camera = Camera("kannala-brandt", 160, 120, 80.0, 75.0, 78.0, 61.0, k)
    else:
        radial = tuple(data.draw(st.floats(-0.6, 0.6)) for _ in range(6))
        p = tuple(data.draw(st.floats(-0.02, 0.02)) for _ in range(2))
        k = (*radial[:2], *p, *radial[2:])[: data.draw(st.sampled_from((4, 5, 8)))]
        camera = Camera("brown-conrady", 160, 120, 100.0, 95.0, 78.0, 61.0, k)
    v, u = np.mgrid[-0.5:120:4, -0.5:160:4]
    px = np.stack([u, v], -1)
    rays = camera.unproject(px)
    seen = np.isfinite(rays).all(-1)
    assert seen[15, 20]
    np.testing.assert_allclose(camera.project(rays * 0.4)[seen], px[seen], atol=1e-6)
    xy = np.stack(np.meshgrid(np.linspace(-1.3, 1.3, 41), np.linspace(-1.3, 1.3, 41)), -1)
    points = np.concatenate([xy, np.ones((41, 41, 1))], -1)
    hit = camera.project(points)
    inside = camera.contains(hit)
    np.testing.assert_allclose(camera.unproject(hit[inside]), points[inside], atol=1e-6)


@pytest.mark.parametrize("k", [BROWN[0], BROWN[1], BROWN[2]])
def test_rays_come_back_themselves(k: tuple[float, ...]) -> None:
    camera = Camera("brown-conrady", 320, 288, 252.0, 251.0, 160.3, 164.1, k)
    points = draw_points(camera)
    rays = camera.unproject(camera.project(points))
    np.testing.assert_allclose(rays, points / points[:, 2:], atol=1e-9)


def test_nothing_folds_back_into_the_image() -> None:
    # r (1 - 0.5 r^2) turns at r = sqrt(2 / 3): beyond, OpenCV folds the world back onto the image.
    camera = Camera("brown-conrady", 320, 240, 200.0, 200.0, 159.5, 119.5, (-0.5, 0.0, 0.0, 0.0))
    turn = np.sqrt(2 / 3)
    assert find_brown_limit(camera.distortion) == pytest.approx(turn, abs=0.002)
    assert np.isfinite(camera.project([turn - 0.01, 0.0, 1.0])).all()
    assert np.isnan(camera.project([turn + 0.01, 0.0, 1.0])).all()
    edge = 159.5 + 200 * turn * (1 - 0.5 * turn**2)
    assert np.isnan(camera.unproject([edge + 0.5, 119.5])).all()
    assert np.isfinite(camera.unproject([edge - 0.5, 119.5])).all()


def test_behind_and_beyond_are_nan() -> None:
    for camera in CAMERAS.values():
        assert np.isnan(camera.project([[0.1, 0.0, 0.0], [0.1, 0.0, -1.0], [0.0, 0.0, 0.0]])).all()
        assert np.isnan(camera.project([np.nan, 0.0, 1.0])).all()
        np.testing.assert_allclose(
            camera.project([0.0, 0.0, 2.0]), (camera.cx, camera.cy), atol=1e-12
        )
    ahat = CAMERAS["ahat"]
    assert np.isfinite(ahat.project([np.tan(np.radians(74.9)), 0.0, 1.0])).all()
    assert np.isnan(ahat.project([np.tan(np.radians(75.1)), 0.0, 1.0])).all()


def test_the_ray_table_is_unprojected_pixel_centres() -> None:
    camera = CAMERAS["azure-nfov"]
    table = camera.ray_table()
    assert table.shape == (288, 320, 2)
    assert not table.flags.writeable
    np.testing.assert_allclose(table[17, 200], camera.unproject([200.0, 17.0])[:2], atol=1e-13)
    assert camera.ray_table() is table


def test_the_image_ends_half_a_pixel_outside_its_last_centre() -> None:
    camera = CAMERAS["ego"]
    px = [[-0.5, -0.5], [319.49, 239.49], [319.5, 100.0], [10.0, -0.51], [np.nan, 5.0]]
    assert camera.contains(px).tolist() == [True, True, False, False, False]


def test_presets_have_the_fields_of_view_they_claim() -> None:
    wanted = {"ego": (87, 71), "ego-small": (87, 71), "ahat": (127, 127), "d435": (88.8, 58)}
    wanted["azure-nfov"] = (73.2, 65.8)
    for name, angles in wanted.items():
        camera = CAMERAS[name]
        ends = [[-0.5, camera.cy], [camera.width - 0.5, camera.cy]]
        ends += [[camera.cx, -0.5], [camera.cx, camera.height - 0.5]]
        theta = np.degrees(np.arctan(np.hypot(*camera.unproject(ends)[:, :2].T)))
        np.testing.assert_allclose((theta[0] + theta[1], theta[2] + theta[3]), angles, atol=0.1)


def test_an_unknown_preset_lists_the_known() -> None:
    with pytest.raises(BadInput, match="ego, ego-small, ahat, d435, azure-nfov"):
        load_camera("egoo")
    assert load_camera("ahat") is CAMERAS["ahat"]


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (2, 5)])
def test_any_leading_shape_is_kept(shape: tuple[int, ...]) -> None:
    points = np.full((*shape, 3), 0.5)
    for camera in CAMERAS.values():
        px = camera.project(points)
        assert px.shape == (*shape, 2)
        assert camera.unproject(px).shape == (*shape, 3)
