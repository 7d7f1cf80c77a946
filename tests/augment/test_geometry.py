"""Geometries as a whole: composition, and points that stay where their pixels say."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from augment.geometry.labels import apply_to_pixels, apply_to_points
from augment.geometry.steps import (
    aim_camera,
    cut_window,
    flip_camera,
    offset_depth,
    resize_camera,
    roll_camera,
    scale_depth,
    shift_camera,
    straighten_camera,
    zoom_camera,
)
from augment.geometry.virtual_camera import (
    Geometry,
    camera_matrix,
    compose,
    determinant,
    keep_camera,
    look_along,
    roll_matrix,
    turn_camera,
)
from frames.camera import CAMERAS
from frames.errors import BadInput
from tests.augment.cameras import (
    FISHEYE,
    LENSES,
    PINHOLE,
    PRESETS,
    change,
    draw_points,
    level_steps,
    shares,
    steps,
)

Step = tuple[str, float, float]


def chain(camera, given_steps: list[Step]) -> list[Geometry]:  # type: ignore[no-untyped-def]
    out = []
    for step in given_steps:
        out.append(change(camera, *step))
        camera = out[-1].camera
    return out


def fold(geometries: list[Geometry]) -> Geometry:
    whole = geometries[0]
    for one in geometries[1:]:
        whole = compose(whole, one)
    return whole


def assert_same(a: Geometry, b: Geometry) -> None:
    assert a.source == b.source and a.camera == b.camera
    np.testing.assert_allclose(a.turn, b.turn, atol=1e-12)
    assert a.depth_factor == pytest.approx(b.depth_factor, rel=1e-12)
    assert a.depth_offset_m == pytest.approx(b.depth_offset_m, rel=1e-12, abs=1e-15)
    assert a.stretch == pytest.approx(b.stretch, rel=1e-12)


@given(st.lists(steps, min_size=1, max_size=5), st.lists(level_steps, max_size=3), shares)
@settings(max_examples=150, deadline=None)
def test_new_points_project_to_new_pixels(
    turns: list[Step], level: list[Step], seed: float
) -> None:
    whole = fold(chain(PINHOLE, turns + level))
    points = draw_points(int(1000 * seed) + 2000)
    moved = apply_to_points(whole, points)
    by_point = whole.camera.project(moved)
    by_pixel = apply_to_pixels(whole, PINHOLE.project(points))
    seen = np.isfinite(by_point).all(1) & (np.abs(by_point) < 1e4).all(1)
    np.testing.assert_allclose(by_pixel[seen], by_point[seen], atol=1e-5)
    # What the camera cannot show has no pixel by either way.
    assert np.array_equal(np.isnan(by_pixel), np.isnan(by_point))


@pytest.mark.parametrize("name", PRESETS)
@given(st.lists(steps, min_size=1, max_size=4), shares)
@settings(max_examples=25, deadline=None)
def test_lenses_keep_points_on_their_pixels(name: str, turns: list[Step], seed: float) -> None:
    camera = PRESETS[name]
    whole = fold(chain(camera, turns))
    points = draw_points(int(1000 * seed) + 2000)
    old = camera.project(points)
    by_point = whole.camera.project(apply_to_points(whole, points))
    by_pixel = apply_to_pixels(whole, old)
    seen = np.isfinite(by_point).all(1) & np.isfinite(old).all(1)
    np.testing.assert_allclose(by_pixel[seen], by_point[seen], atol=1e-4)


@given(st.lists(steps, min_size=3, max_size=3))
@settings(max_examples=80, deadline=None)
def test_composition_is_associative(turns: list[Step]) -> None:
    a, b, c = chain(PINHOLE, turns)
    assert_same(compose(compose(a, b), c), compose(a, compose(b, c)))


@given(steps, st.lists(level_steps, min_size=2, max_size=2))
@settings(max_examples=80, deadline=None)
def test_composition_is_associative_with_offsets(turn: Step, level: list[Step]) -> None:
    a, b, c = chain(PINHOLE, [turn, *level])
    assert_same(compose(compose(a, b), c), compose(a, compose(b, c)))


@given(st.lists(steps, min_size=2, max_size=4), st.lists(level_steps, max_size=2), shares)
@settings(max_examples=80, deadline=None)
def test_composition_is_one_after_the_other(
    turns: list[Step], level: list[Step], seed: float
) -> None:
    links = chain(PINHOLE, turns + level)
    points = draw_points(int(1000 * seed) + 2000)
    step_by_step = points
    for one in links:
        step_by_step = apply_to_points(one, step_by_step)
    whole = fold(links)
    ahead = (whole.turn @ points.T)[2] > 1e-3
    np.testing.assert_allclose(
        apply_to_points(whole, points)[ahead], step_by_step[ahead], rtol=1e-9, atol=1e-9
    )


@given(st.lists(steps, min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_turns_stay_orthogonal_and_mirrors_count(turns: list[Step]) -> None:
    whole = fold(chain(PINHOLE, turns))
    np.testing.assert_allclose(whole.turn @ whole.turn.T, np.eye(3), atol=1e-12)
    flips = sum(kind == "flip" for kind, _, _ in turns)
    assert whole.mirrored == bool(flips % 2)
    assert determinant(whole.turn) == pytest.approx((-1) ** flips)


def test_a_full_roll_is_none() -> None:
    whole = roll_camera(PINHOLE, 2 * np.pi)
    np.testing.assert_allclose(whole.turn, np.eye(3), atol=1e-15)
    quarter = roll_camera(PINHOLE, np.pi / 2)
    four = fold([quarter] * 4)
    np.testing.assert_allclose(four.turn, np.eye(3), atol=1e-15)


@pytest.mark.parametrize("name", LENSES)
def test_a_flip_is_its_own_inverse(name: str) -> None:
    camera = LENSES[name]
    once = flip_camera(camera)
    twice = compose(once, flip_camera(once.camera))
    assert twice.camera == camera and not twice.mirrored
    np.testing.assert_array_equal(twice.turn, np.eye(3))


@pytest.mark.parametrize("name", LENSES)
def test_a_flip_mirrors_pixels(name: str) -> None:
    camera = LENSES[name]
    px = np.stack(np.meshgrid(np.arange(8.0, 56, 6), np.arange(8.0, 40, 6)), -1)
    mirrored = apply_to_pixels(flip_camera(camera), px)
    np.testing.assert_allclose(mirrored[..., 0], camera.width - 1 - px[..., 0], atol=1e-8)
    np.testing.assert_allclose(mirrored[..., 1], px[..., 1], atol=1e-8)


def test_a_roll_turns_the_picture_clockwise_about_the_principal_point() -> None:
    camera = CAMERAS["ego"]
    moved = apply_to_pixels(roll_camera(camera, np.pi / 2), [camera.cx + 10, camera.cy])
    # Clockwise as seen: right goes down.
    np.testing.assert_allclose(moved, [camera.cx, camera.cy + 10], atol=1e-9)


def test_a_roll_keeps_depth() -> None:
    points = draw_points(0)
    np.testing.assert_array_equal(
        apply_to_points(roll_camera(PINHOLE, 0.7), points)[:, 2], points[:, 2]
    )


def test_zoom_shift_and_resize_change_k_alone() -> None:
    points = draw_points(1)
    for one in (
        zoom_camera(PINHOLE, 1.7),
        shift_camera(PINHOLE, 3.5, -2.0),
        resize_camera(PINHOLE, 100, 31),
        cut_window(PINHOLE, 5, -7, 20, 30),
    ):
        np.testing.assert_array_equal(apply_to_points(one, points), points)
        assert one.K[0, 0] == one.camera.fx and one.K[1, 2] == one.camera.cy
    np.testing.assert_allclose(camera_matrix(zoom_camera(PINHOLE, 2).camera)[0, 0], 80)
    centre = [(PINHOLE.width - 1) / 2, (PINHOLE.height - 1) / 2]
    np.testing.assert_allclose(apply_to_pixels(zoom_camera(PINHOLE, 3.0), centre), centre)
    corner = [-0.5, PINHOLE.height - 0.5]
    resized = resize_camera(PINHOLE, 100, 31)
    np.testing.assert_allclose(apply_to_pixels(resized, corner), [-0.5, 30.5], atol=1e-12)


@pytest.mark.parametrize("name", LENSES)
def test_aim_puts_a_pixel_on_the_axis_by_the_shortest_way(name: str) -> None:
    camera = LENSES[name]
    one = aim_camera(camera, (40.0, 20.0))
    np.testing.assert_allclose(
        apply_to_pixels(one, [40.0, 20.0]), [camera.cx, camera.cy], atol=1e-7
    )
    ray = camera.unproject([40.0, 20.0])
    angle = np.arccos(ray[2] / np.linalg.norm(ray))
    assert np.arccos((np.trace(one.turn) - 1) / 2) == pytest.approx(angle)
    assert determinant(one.turn) == pytest.approx(1)


def test_a_depth_factor_scales_the_world_and_no_pixel() -> None:
    points = draw_points(2)
    one = scale_depth(PINHOLE, 1.3)
    np.testing.assert_allclose(apply_to_points(one, points), 1.3 * points)
    np.testing.assert_allclose(
        apply_to_pixels(one, PINHOLE.project(points)), PINHOLE.project(points), atol=1e-9
    )
    assert one.camera == PINHOLE


def test_a_depth_offset_keeps_pixels_and_the_hands_size() -> None:
    z = 0.4
    flat = np.array([[0.0, 0.0, z], [0.08, 0.0, z], [0.0, -0.05, z]])
    one = offset_depth(PINHOLE, 0.06, z)
    moved = apply_to_points(one, flat)
    np.testing.assert_allclose(moved[:, 2], z + 0.06)
    np.testing.assert_allclose(moved[:, :2], flat[:, :2], atol=1e-15)
    np.testing.assert_allclose(apply_to_pixels(one, PINHOLE.project(flat)), PINHOLE.project(flat))
    assert one.camera.fx == pytest.approx(PINHOLE.fx * 0.46 / 0.4)


@given(shares, shares)
@settings(max_examples=50, deadline=None)
def test_a_depth_offset_bends_a_hand_as_documented(x: float, y: float) -> None:
    offset, z0, z = 0.1 * x, 0.4, 0.4 + 0.1 * y
    moved = apply_to_points(offset_depth(PINHOLE, offset, z0), [0.1, 0.02, z])
    factor = (1 + offset / z) / (1 + offset / z0)
    np.testing.assert_allclose(moved, [0.1 * factor, 0.02 * factor, z + offset], rtol=1e-12)
    # A hand 10 cm deep at 40 cm, moved by 3 cm, is bent by less than 1 %.
    if abs(offset) <= 0.03 and abs(z - z0) <= 0.05:
        assert abs(factor - 1) < 0.011


def test_points_behind_have_no_place_after_an_offset() -> None:
    one = offset_depth(PINHOLE, 0.1, 0.4)
    assert np.isnan(apply_to_points(one, [0.1, 0.1, -0.2])).all()
    assert np.isnan(apply_to_points(one, [np.nan, 0.1, 0.2])).any()


def test_straightening_makes_a_pinhole_of_the_same_axis() -> None:
    one = straighten_camera(FISHEYE)
    points = draw_points(3)
    np.testing.assert_array_equal(apply_to_points(one, points), points)
    assert one.camera.model == "pinhole" and one.camera.fx == FISHEYE.fx


@given(shares, shares, shares)
@settings(max_examples=50, deadline=None)
def test_look_along_is_a_rotation(x: float, y: float, z: float) -> None:
    ray = np.array([x, y, abs(z) + 0.01])
    assume(np.linalg.norm(ray) > 0)
    turn = look_along(ray)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(turn @ ray, [0, 0, np.linalg.norm(ray)], atol=1e-12)


BAD = {
    "geometries compose only end to end": lambda: compose(
        keep_camera(PINHOLE), keep_camera(FISHEYE)
    ),
    "must come after all turns": lambda: compose(
        offset_depth(PINHOLE, 0.1, 0.4), aim_camera(offset_depth(PINHOLE, 0.1, 0.4).camera, (5, 5))
    ),
    "orthogonal 3 x 3": lambda: turn_camera(PINHOLE, 2 * np.eye(3)),
    "orthogonal 3 x 3 matrix, got \\[\\[nan": lambda: turn_camera(PINHOLE, np.full((3, 3), np.nan)),
    "sees nothing at the pixel": lambda: aim_camera(FISHEYE, (500.0, 0.0)),
    "aim at": lambda: aim_camera(PINHOLE, (np.nan, 0.0)),
    "roll must be radians": lambda: roll_camera(PINHOLE, np.nan),
    "zoom must be a factor > 0, got 0": lambda: zoom_camera(PINHOLE, 0),
    "shift must be pixels, got inf": lambda: shift_camera(PINHOLE, np.inf, 0),
    "camera width must be .* got 0": lambda: cut_window(PINHOLE, 0, 0, 0, 5),
    "camera height must be .* got -3": lambda: resize_camera(PINHOLE, 5, -3),
    "depth factor must be a factor > 0, got -1": lambda: scale_depth(PINHOLE, -1),
    "stays before the camera, got one at nan m": lambda: offset_depth(PINHOLE, 0.1, np.nan),
    "stays before the camera, got one at 0.05 m": lambda: offset_depth(PINHOLE, -0.1, 0.05),
    "crop first": lambda: offset_depth(FISHEYE, 0.1, 0.4),
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_is_one_clear_line(message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        BAD[message]()
    assert "\n" not in str(error.value)


def test_rolls_of_every_lens_stay_a_camera() -> None:
    for camera in LENSES.values():
        turned = turn_camera(camera, roll_matrix(0.4))
        assert turned.camera == camera
