"""Labels of hands under a geometry: keypoints, visibility, boxes, wrists."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from augment.geometry.boxes import enclose_boxes, measure_boxes
from augment.geometry.images import Images
from augment.geometry.labels import apply_to_hands, apply_to_pixels, apply_to_sample
from augment.geometry.sample import HandLabels, Sample, make_hands
from augment.geometry.steps import (
    aim_camera,
    cut_window,
    flip_camera,
    offset_depth,
    roll_camera,
    scale_depth,
    zoom_camera,
)
from augment.geometry.virtual_camera import compose, keep_camera
from frames.camera import CAMERAS, Camera
from frames.errors import BadInput
from frames.parts import CAUSE_NONE, CAUSE_OUTSIDE, CAUSE_SELF
from synth.hand.builtin import builtin_rig
from synth.hand.kinematics import pose_hands
from tests.augment.cameras import BROWN, FISHEYE, LENSES, PINHOLE, change, shares, steps

EGO = CAMERAS["ego"]


def draw_hands(camera: Camera, count: int = 3, seed: int = 0) -> HandLabels:
    """Hands scattered before a camera, labelled in full."""
    rng = np.random.default_rng(seed)
    wrist = np.tile(np.eye(4), (count, 1, 1))
    wrist[:, :3, :3] = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0]
    wrist[:, :3, :3] *= np.linalg.det(wrist[:, :3, :3])[:, None, None]
    middle = np.stack([*rng.uniform(-0.1, 0.1, (2, count)), rng.uniform(0.3, 0.5, count)], -1)
    points = middle[:, None] + rng.uniform(-0.08, 0.08, (count, 21, 3))
    wrist[:, :3, 3] = points[:, 0]
    px = camera.project(points)
    inside = camera.contains(px)
    boxes = np.concatenate([px.min(1), px.max(1)], 1)
    size = (camera.width - 0.5, camera.height - 0.5)
    boxes = np.clip(boxes, -0.5, [*size, *size])
    return make_hands(
        count,
        left=np.arange(count) % 2 == 0,
        keypoints_px=px,
        keypoints_cam_m=points,
        surface_depth_m=np.where(inside, points[..., 2] - 0.005, np.nan),
        visibility=np.where(inside, 1 + rng.integers(0, 2, px.shape[:2]), 0),
        occlusion=np.where(inside, CAUSE_NONE, CAUSE_OUTSIDE),
        provenance=np.zeros((count, 21)),
        visible_fraction=rng.uniform(0.1, 1, count),
        box_px=boxes,
        box_amodal_px=boxes,
        T_camera_from_wrist=wrist,
    )


def assert_equal(a: HandLabels, b: HandLabels, lens: bool) -> None:
    """Up to float32: pixels are projected anew. Boxes follow a bent lens by its table of rays."""
    for field in fields(HandLabels):
        one, other = getattr(a, field.name), getattr(b, field.name)
        atol = 0.03 if lens and "box" in field.name else 2e-5
        np.testing.assert_allclose(one, other, atol=atol, rtol=2e-5, err_msg=field.name)
        assert one.dtype == other.dtype, field.name


@pytest.mark.parametrize("name", LENSES)
def test_no_change_changes_no_label(name: str) -> None:
    camera = LENSES[name]
    hands = draw_hands(camera)
    out = apply_to_hands(keep_camera(camera), hands)
    assert_equal(out, hands, camera.model != "pinhole")


@pytest.mark.parametrize("name", LENSES)
def test_two_flips_leave_every_label(name: str) -> None:
    camera = LENSES[name]
    hands = draw_hands(camera)
    flip = flip_camera(camera)
    once = apply_to_hands(flip, hands)
    np.testing.assert_array_equal(once.left, ~hands.left)
    np.testing.assert_array_equal(
        once.keypoints_cam_m, hands.keypoints_cam_m * np.float32([-1, 1, 1])
    )
    assert_equal(apply_to_hands(flip_camera(flip.camera), once), hands, camera.model != "pinhole")


@given(st.lists(steps, min_size=1, max_size=4), shares)
@settings(max_examples=60, deadline=None)
def test_labels_project_onto_themselves(turns: list, seed: float) -> None:  # type: ignore[type-arg]
    """The tolerance of a dataset's checks, 1e-3 px, beside the rounding of far pixels."""
    whole = keep_camera(PINHOLE)
    for step in turns:
        whole = compose(whole, change(whole.camera, *step))
    whole = compose(whole, offset_depth(whole.camera, 0.05, 0.4 * whole.depth_factor))
    out = apply_to_hands(whole, draw_hands(PINHOLE, seed=int(1000 * seed) + 2000))
    again = whole.camera.project(out.keypoints_cam_m.astype(np.float64))
    seen = np.isfinite(again).all(-1) & (np.abs(again) < 1000).all(-1)
    np.testing.assert_allclose(out.keypoints_px[seen], again[seen], atol=1e-3)
    # The wrist's place is its keypoint's.
    np.testing.assert_allclose(
        out.T_camera_from_wrist[:, :3, 3], out.keypoints_cam_m[:, 0], rtol=1e-5, atol=1e-6
    )
    inside = whole.camera.contains(out.keypoints_px.astype(np.float64))
    assert not out.visibility[~inside].any()
    assert (out.occlusion[~inside] == CAUSE_OUTSIDE).all()
    assert np.isnan(out.surface_depth_m[~inside]).all()


@pytest.mark.parametrize("mirror", [False, True])
def test_wrists_stay_with_their_hands(mirror: bool) -> None:
    """The hand posed at the new wrist, as the new side, is the old hand's labels moved."""
    rig = builtin_rig(0, 4)
    rng = np.random.default_rng(5)
    count = 6
    angles = rng.uniform(-0.1, 0.4, (count, 29))
    who, left = np.arange(count) % 4, np.arange(count) % 2 == 0
    before = draw_hands(EGO, count)
    T = before.T_camera_from_wrist.astype(np.float64)
    _, points = pose_hands(rig, who, angles, T, left)
    hands = replace(before, left=left, keypoints_cam_m=points.astype(np.float32))
    whole = compose(aim_camera(EGO, (200.0, 90.0)), roll_camera(EGO, 0.8))
    whole = compose(whole, flip_camera(EGO)) if mirror else whole
    out = apply_to_hands(whole, hands)
    _, posed = pose_hands(rig, who, angles, out.T_camera_from_wrist.astype(np.float64), out.left)
    np.testing.assert_allclose(out.keypoints_cam_m, posed, atol=2e-6)
    assert (out.left != left).all() == mirror
    np.testing.assert_allclose(np.linalg.det(out.T_camera_from_wrist), 1, atol=1e-5)


def test_a_keypoint_that_leaves_is_outside_and_one_that_comes_back_is_not_visible() -> None:
    hands = draw_hands(EGO)
    hands = replace(
        hands,
        visibility=np.where(hands.visibility > 0, 2, 0).astype(np.uint8),
        occlusion=np.where(hands.visibility > 0, CAUSE_NONE, CAUSE_OUTSIDE).astype(np.uint8),
    )
    window = cut_window(EGO, 130, 90, 60, 60)
    out = apply_to_hands(window, hands)
    inside = window.camera.contains(out.keypoints_px)
    assert inside.any() and not inside.all()
    assert (out.visibility == np.where(inside, 2, 0)).all()
    assert (out.occlusion == np.where(inside, CAUSE_NONE, CAUSE_OUTSIDE)).all()
    # What the first camera did not see, a wider one does not know either.
    wide = apply_to_hands(cut_window(window.camera, -130, -90, 320, 240), out)
    assert (wide.visibility == out.visibility).all() and (wide.occlusion == out.occlusion).all()
    np.testing.assert_allclose(wide.keypoints_px, hands.keypoints_px, atol=1e-4)


def test_causes_and_provenance_stay() -> None:
    hands = draw_hands(EGO)
    hands = replace(hands, occlusion=np.full((3, 21), CAUSE_SELF, np.uint8))
    hands = replace(hands, visibility=np.ones((3, 21), np.uint8))
    out = apply_to_hands(zoom_camera(EGO, 0.5), hands)
    assert (out.occlusion == CAUSE_SELF).all() and (out.visibility == 1).all()
    np.testing.assert_array_equal(out.provenance, hands.provenance)


@pytest.mark.parametrize("name", LENSES)
def test_pixels_alone_are_enough(name: str) -> None:
    camera = LENSES[name]
    full = draw_hands(camera)
    flat = make_hands(3, keypoints_px=full.keypoints_px)
    whole = compose(aim_camera(camera, (30.0, 20.0)), roll_camera(camera, 0.5))
    a, b = apply_to_hands(whole, full), apply_to_hands(whole, flat)
    seen = np.isfinite(b.keypoints_px).all(-1)
    assert seen.any()
    np.testing.assert_allclose(b.keypoints_px[seen], a.keypoints_px[seen], atol=5e-4)
    assert np.isnan(b.keypoints_cam_m).all() and (b.provenance[seen] == 1).all()


@pytest.mark.parametrize("camera", [PINHOLE, BROWN, FISHEYE])
def test_pixels_labelled_apart_from_3d_keep_their_own_way(camera: Camera) -> None:
    hands = draw_hands(camera)
    off = replace(hands, keypoints_px=hands.keypoints_px + np.float32([1.5, -1.0]))
    whole = roll_camera(camera, 0.4)
    out = apply_to_hands(whole, off)
    wanted = apply_to_pixels(whole, off.keypoints_px)
    seen = np.isfinite(wanted).all(-1) & np.isfinite(out.keypoints_px).all(-1)
    assert seen.any()
    np.testing.assert_allclose(out.keypoints_px[seen], wanted[seen], atol=1e-3)
    moved = apply_to_hands(whole, hands)
    np.testing.assert_array_equal(out.keypoints_cam_m, moved.keypoints_cam_m)


def test_nan_keypoints_stay_nan_and_outside() -> None:
    hands = draw_hands(EGO)
    px, cam = hands.keypoints_px.copy(), hands.keypoints_cam_m.copy()
    px[0, 3] = np.nan
    cam[0, 3] = np.nan
    cam[1, 4, 2] = -0.5
    px[1, 4] = np.nan
    out = apply_to_hands(
        roll_camera(EGO, 0.3), replace(hands, keypoints_px=px, keypoints_cam_m=cam)
    )
    assert np.isnan(out.keypoints_px[0, 3]).all() and np.isnan(out.keypoints_cam_m[0, 3]).all()
    assert out.visibility[0, 3] == out.visibility[1, 4] == 0
    np.testing.assert_allclose(out.keypoints_cam_m[1, 4, 2], -0.5)


def test_surface_depth_follows_the_new_axis() -> None:
    """A wall is read where the rays meet it, from any side."""
    hands = draw_hands(EGO)
    wall = np.full((3, 21), 0.5, np.float32)
    inside = EGO.contains(hands.keypoints_px)
    hands = replace(hands, surface_depth_m=np.where(inside, wall, np.nan).astype(np.float32))
    whole = compose(aim_camera(EGO, (220.0, 100.0)), scale_depth(EGO, 1.2))
    whole = compose(whole, offset_depth(EGO, 0.07, 0.6))
    out = apply_to_hands(whole, hands)
    rays = EGO.unproject(EGO.project(hands.keypoints_cam_m))
    points = 0.5 * rays @ whole.turn.T
    seen = np.isfinite(out.surface_depth_m)
    assert seen.sum() > 30
    np.testing.assert_allclose(out.surface_depth_m[seen], (1.2 * points[..., 2] + 0.07)[seen], 1e-5)


def test_boxes_are_those_of_the_new_pixels() -> None:
    parts = np.zeros((240, 320), np.uint8)
    parts[50:90, 100:160] = 32 + 5
    parts[60:70, 150:220] = 32 + 17
    hands = make_hands(2, box_px=[[np.nan] * 4, [99.5, 49.5, 159.5, 89.5]])
    hands = replace(hands, box_amodal_px=np.float32([[np.nan] * 4, [99.5, 49.5, 170.5, 89.5]]))
    hands = replace(hands, visible_fraction=np.float32([np.nan, 0.8]))
    sample = Sample(EGO, Images(None, parts), hands)
    out = apply_to_sample(cut_window(EGO, 90, 60, 100, 100), sample).hands
    assert np.isnan(out.box_px[0]).all() and np.isnan(out.box_amodal_px[0]).all()
    np.testing.assert_allclose(out.box_px[1], [9.5, -0.5, 69.5, 29.5])
    np.testing.assert_allclose(out.box_amodal_px[1], [9.5, -0.5, 80.5, 29.5])
    # Cut off, so the share of all its pixels is not known any more.
    assert np.isnan(out.visible_fraction[1])
    whole = apply_to_sample(cut_window(EGO, 90, 40, 100, 100), sample).hands
    assert whole.visible_fraction[1] == np.float32(0.8)
    gone = apply_to_sample(cut_window(EGO, 200, 40, 100, 100), sample).hands
    assert np.isnan(gone.box_px).all() and np.isnan(gone.box_amodal_px).all()


@given(st.lists(steps, min_size=1, max_size=3), shares, st.sampled_from(sorted(LENSES)))
@example([("shift", 0.0, -1.0)], 0.00390625, "brown-conrady")  # 8 px beyond the image
@settings(max_examples=60, deadline=None)
def test_boxes_hold_all_that_the_old_ones_held(turns: list, seed: float, name: str) -> None:  # type: ignore[type-arg]
    camera = LENSES[name]
    rng = np.random.default_rng(int(1000 * seed) + 2000)
    corner = rng.uniform(0, 40, 2)
    box = np.concatenate([corner, corner + rng.uniform(1, 20, 2)]).astype(np.float32)
    whole = keep_camera(camera)
    for step in turns:
        whole = compose(whole, change(whole.camera, *step))
    out, contained = enclose_boxes(whole, box[None])
    px = box[:2] + (box[2:] - box[:2]) * rng.random((50, 2))
    moved = apply_to_pixels(whole, px)
    inside = whole.camera.contains(moved)
    # Between the nine points of an edge a bent one bulges: by less than a tenth of a pixel.
    held = (moved >= out[0, :2] - 0.1).all(1) & (moved <= out[0, 2:] + 0.1).all(1)
    assert held[inside].all()
    if contained[0] and name == "pinhole":
        assert inside.all() or np.abs(out).max() > 0


def test_measured_boxes_leave_forearms_out() -> None:
    parts = np.zeros((20, 30), np.uint8)
    parts[3, 4], parts[7, 9], parts[15, 20] = 1, 16, 17
    np.testing.assert_array_equal(
        measure_boxes(parts, np.uint8([0, 32])), [[3.5, 2.5, 9.5, 7.5], [np.nan] * 4]
    )


def test_no_hands() -> None:
    sample = Sample(EGO, Images(np.zeros((240, 320), np.uint16)), make_hands(0), 1e4)
    out = apply_to_sample(roll_camera(EGO, 0.3), sample)
    assert len(out.hands) == 0 and out.hands.keypoints_px.shape == (0, 21, 2)
    assert out.K[0, 0] == EGO.fx


BAD = {
    "another camera than the sample's": lambda: apply_to_sample(
        keep_camera(PINHOLE), Sample(EGO, Images(None), make_hands(0))
    ),
    "hands have no box: left, ": lambda: make_hands(1, box=0),
    "keypoints_px of 2 hands must be \\(2, 21, 2\\), got \\(1, 21, 2\\)": lambda: make_hands(
        2, keypoints_px=np.zeros((1, 21, 2))
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_is_one_clear_line(message: str) -> None:
    with pytest.raises(BadInput, match=message):
        BAD[message]()
