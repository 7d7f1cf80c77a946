"""Crops: the hand in the middle, of the asked size, from keypoints, boxes or masks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.geometry.crop import Target, crop_camera, find_target, target_box
from augment.geometry.images import Images
from augment.geometry.labels import apply_to_pixels, apply_to_points, apply_to_sample
from augment.geometry.sample import Sample, make_hands
from frames.camera import CAMERAS, Camera
from frames.errors import BadInput
from tests.augment.cameras import LENSES, PINHOLE, PRESETS

EGO = CAMERAS["ego"]


def scatter(camera: Camera, seed: int = 0, tilt: float = 0.4) -> np.ndarray:
    """(21, 3) points of a hand's size, off the axis by up to `tilt` times their distance."""
    rng = np.random.default_rng(seed)
    middle = np.array([*rng.uniform(-tilt, tilt, 2), 1.0]) * rng.uniform(0.3, 0.6)
    return middle + rng.uniform(-0.07, 0.07, (21, 3))


def sample_of(camera: Camera, seed: int = 0, **given_: object) -> Sample:
    points = scatter(camera, seed)
    px = camera.project(points)
    labels: dict[str, object] = {"keypoints_px": px[None], "keypoints_cam_m": points[None]}
    seen = camera.contains(px)
    labels |= {"visibility": 2 * seen[None], "occlusion": 4 * ~seen[None]}
    return Sample(camera, Images(None), make_hands(1, **{**labels, **given_}), 1e4)


@pytest.mark.parametrize("name", PRESETS)
@given(st.integers(0, 10_000), st.floats(-4, 4), st.sampled_from([(128, 128), (96, 64), (50, 80)]))
@settings(max_examples=25, deadline=None)
def test_keypoints_fill_the_crop_up_to_the_margin(
    name: str, seed: int, roll: float, size: tuple[int, int]
) -> None:
    camera = PRESETS[name]
    sample = sample_of(camera, seed)
    seen = sample.hands.visibility[0] > 0
    if seen.sum() < 4:
        return
    whole = crop_camera(camera, find_target(sample, 0), size, 1.25, roll)
    assert whole.camera.model == "pinhole" and (whole.camera.width, whole.camera.height) == size
    px = whole.camera.project(apply_to_points(whole, sample.hands.keypoints_cam_m[0][seen]))
    middle = (px.min(0) + px.max(0)) / 2
    np.testing.assert_allclose(middle, (np.array(size) - 1) / 2, atol=1e-3)
    extent = (px.max(0) - px.min(0)) / size
    assert extent.max() == pytest.approx(0.8, abs=1e-4)


def test_a_crop_looks_at_the_hand() -> None:
    """Its axis passes through the hand's middle, its picture has no distortion left."""
    for camera in PRESETS.values():
        sample = sample_of(camera, 3)
        whole = crop_camera(camera, find_target(sample, 0), (64, 64))
        assert whole.camera.cx == whole.camera.cy == 31.5
        middle = apply_to_points(whole, sample.hands.keypoints_cam_m[0]).mean(0)
        assert np.hypot(*middle[:2]) < 0.1 * middle[2]


def test_boxes_alone_are_enough() -> None:
    box = np.float32([100, 60, 180, 110])
    for field in ("box_px", "box_amodal_px"):
        sample = Sample(EGO, Images(None), make_hands(1, **{field: box[None]}), 1e4)
        target = find_target(sample, 0)
        whole = crop_camera(EGO, target, (96, 96), 1.0)
        corners = apply_to_pixels(whole, [[100, 85], [180, 85], [140, 60], [140, 110]])
        # The box's longer side fills the crop; the turn bends it by less than a pixel.
        np.testing.assert_allclose(corners[:2, 0], [-0.5, 95.5], atol=1.0)
        np.testing.assert_allclose(corners[2:, 1].mean(), 47.5, atol=1.0)
        assert np.isnan(target.middle_m).all()


def test_a_roll_does_not_widen_a_box() -> None:
    target = target_box(PINHOLE, [20, 12, 44, 36])
    focal = [crop_camera(PINHOLE, target, (64, 64), 1.25, r).camera.fx for r in (0, 0.4, 0.8, 2)]
    np.testing.assert_allclose(focal, focal[0], rtol=0.03)


def test_masks_alone_are_enough() -> None:
    parts = np.zeros((240, 320), np.uint8)
    parts[80:120, 60:100] = 32 + 4
    parts[80:120, 100:200] = 32 + 17
    depth = np.full((240, 320), 9000, np.uint16)
    depth[80:120, 60:100] = 4000
    sample = Sample(EGO, Images(depth, parts), make_hands(2), 1e4)
    target = find_target(sample, 1)
    whole = crop_camera(EGO, target, (40, 40), 1.0)
    corners = apply_to_pixels(whole, [[60, 80], [99, 80], [60, 119], [99, 119]])
    # Seen from beside, a square is none any more, but its bounds lie in the middle and fill it.
    low, high = corners.min(0), corners.max(0)
    np.testing.assert_allclose((low + high) / 2, 19.5, atol=1e-3)
    assert (high - low).max() == pytest.approx(40, abs=1e-3)
    assert target.middle_m[2] == pytest.approx(0.4)
    with pytest.raises(BadInput, match="hand 0 has no mask in view"):
        find_target(sample, 0, "mask")


@pytest.mark.parametrize("name", PRESETS)
def test_a_crop_by_metres_shows_them(name: str) -> None:
    camera = PRESETS[name]
    sample = sample_of(camera, 1)
    target = find_target(sample, 0)
    whole = crop_camera(camera, target, (128, 96), side_m=0.25)
    depth = (whole.turn @ target.middle_m)[2]
    rows = whole.camera.project([[0.0, -0.125, depth], [0.0, 0.125, depth]])[:, 1]
    np.testing.assert_allclose(rows, [-0.5, 95.5], atol=1e-6)


def test_depth_comes_of_the_box_where_nothing_else_tells_it() -> None:
    depth = np.full((240, 320), 20000, np.uint16)
    depth[70:100, 110:170] = 5000
    hands = make_hands(1, box_px=[[105, 65, 175, 105]])
    sample = Sample(EGO, Images(depth), hands, 1e4)
    assert find_target(sample, 0).middle_m[2] == pytest.approx(0.5)
    labelled = replace(hands, surface_depth_m=np.full((1, 21), 0.45, np.float32))
    labelled_sample = Sample(EGO, Images(depth), labelled, 1e4)
    assert find_target(labelled_sample, 0).middle_m[2] == pytest.approx(0.45)
    empty = Sample(EGO, Images(np.zeros((240, 320), np.uint16)), hands, 1e4)
    assert np.isnan(find_target(empty, 0).middle_m).all()


def test_pixels_alone_are_enough() -> None:
    full = sample_of(EGO)
    flat = Sample(EGO, Images(None), make_hands(1, keypoints_px=full.hands.keypoints_px), 1e4)
    a = crop_camera(EGO, find_target(full, 0), (64, 64))
    b = crop_camera(EGO, find_target(flat, 0), (64, 64))
    np.testing.assert_allclose(a.turn, b.turn, atol=1e-6)
    assert a.camera.fx == pytest.approx(b.camera.fx, rel=1e-5)


def test_keypoints_out_of_the_image_do_not_count() -> None:
    points = scatter(EGO)
    points[5] = [3.0, 0.0, 0.5]
    px = EGO.project(points)
    seen = EGO.contains(px)
    labels = {"keypoints_px": px[None], "keypoints_cam_m": points[None]}
    far = make_hands(1, **labels, visibility=2 * seen[None])
    whole = crop_camera(EGO, find_target(Sample(EGO, Images(None), far), 0), (64, 64))
    assert whole.camera.fx > 100


def test_one_keypoint_in_view_is_not_enlarged_without_end() -> None:
    sample = sample_of(EGO)
    visibility = np.zeros((1, 21), np.uint8)
    visibility[0, 3] = 2
    one = Sample(EGO, Images(None), replace(sample.hands, visibility=visibility))
    whole = crop_camera(EGO, find_target(one, 0), (64, 64), least_px=16)
    assert whole.camera.fx == pytest.approx(EGO.fx * 64 / 16)


def test_a_cropped_sample_keeps_its_hand_in_view() -> None:
    sample = sample_of(EGO)
    whole = crop_camera(EGO, find_target(sample, 0), (96, 96), 1.25, 0.7)
    out = apply_to_sample(whole, sample)
    assert (out.hands.visibility == sample.hands.visibility).all()


def crop(
    size: tuple[int, int] = (64, 64),
    margin: float = 1.25,
    target: Target | None = None,
    **options: float,
) -> object:
    target = find_target(sample_of(EGO), 0) if target is None else target
    return crop_camera(EGO, target, size, margin, **options)


NOTHING = np.full(3, np.nan)
UNSEEN = {"visibility": np.zeros((1, 21))}
POINT = Target(np.array([[0.0, 0.0, 1.0]]), NOTHING)
WIDE = Target(np.array([[-9.0, 0.0, 1.0], [9.0, 0.0, 1.0]]), NOTHING)
BAD = {
    "crop's width must be >= 1 px, got 0": lambda: crop((0, 64)),
    "crop's height must be >= 1 px, got -1": lambda: crop((64, -1)),
    "margin must be > 0, got nan": lambda: crop(margin=np.nan),
    "the crop has no size": lambda: crop(target=POINT, least_px=0),
    "the crop has a half width of": lambda: crop(target=WIDE),
    "needs a hand with 3D keypoints or depth": lambda: crop(target=POINT, side_m=0.3),
    "there is no hand 4: the frame has 1": lambda: find_target(sample_of(EGO), 4),
    "there is no hand -1": lambda: find_target(sample_of(EGO), -1),
    "around must be auto, keypoints, box, mask, got 'hand'": lambda: find_target(
        sample_of(EGO), 0, "hand"
    ),
    "hand 0 has no keypoint, box or pixel in view": lambda: find_target(
        sample_of(EGO, **UNSEEN), 0
    ),
    "hand 0 has no keypoints in view": lambda: find_target(
        sample_of(EGO, **UNSEEN), 0, "keypoints"
    ),
    "hand 0 has no box in view": lambda: find_target(sample_of(EGO), 0, "box"),
    "a box must be x0 < x1": lambda: target_box(EGO, [10, 10, 10, 20]),
    "a box must be x0 < x1, y0 < y1 in pixels, got \\[nan": lambda: target_box(EGO, [np.nan] * 4),
    "outside the camera's field": lambda: target_box(LENSES["kannala-brandt"], [900, 0, 910, 9]),
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_is_one_clear_line(message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        BAD[message]()
    assert "\n" not in str(error.value)
