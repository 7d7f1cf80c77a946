"""Warped frames against frames rendered anew by the virtual camera: two ways to the same picture.

The scene is rendered once by the real camera and warped, and once more by the rasteriser with the
camera turned, zoomed and cropped. Away from outlines, where a pixel's centre decides what it shows,
both must read the same; labels are those that the second rendering works out.
"""

from dataclasses import replace

import numpy as np
import pytest

from augment.geometry.crop import crop_camera, find_target
from augment.geometry.images import Images
from augment.geometry.labels import apply_to_sample
from augment.geometry.sample import Sample, make_hands
from augment.geometry.steps import (
    aim_camera,
    flip_camera,
    resize_camera,
    roll_camera,
    scale_depth,
    straighten_camera,
    zoom_camera,
)
from augment.geometry.virtual_camera import Geometry, compose
from frames.camera import Camera
from frames.parts import OBJECT_BASE
from synth.frame_renderer import Rendered, render_scenes
from synth.raster.canvas import Canvas
from synth.scene.scene import LAYERS, Scenes
from tests.synth.scene.witness import generator

CAMERAS = ("ego", "ahat", "azure-nfov")
FRAMES = 10


def render(name: str, turn: np.ndarray, camera: Camera) -> tuple[Scenes, Rendered]:
    """Frames of the generator called `name`, seen by another camera that is turned."""
    maker = generator(name)
    scenes = maker.sample(np.arange(FRAMES))
    T_camera_from_turned = np.eye(4)
    T_camera_from_turned[:3, :3] = turn.T
    seen = replace(scenes, T_world_from_camera=scenes.T_world_from_camera @ T_camera_from_turned)
    return scenes, render_scenes(seen, camera, maker.studio, Canvas(camera, LAYERS))


def read(camera: Camera, scenes: Scenes, rendered: Rendered, frame: int) -> Sample:
    own = np.flatnonzero(scenes.hands.frame == frame)
    hands, points = rendered.hands, rendered.hands.keypoints
    labels = make_hands(
        len(own),
        left=scenes.hands.left[own],
        keypoints_px=points.keypoints_px[own],
        keypoints_cam_m=hands.keypoints_cam_m[own],
        surface_depth_m=points.surface_depth_m[own],
        visibility=points.visibility[own],
        occlusion=points.occlusion[own],
        provenance=np.zeros((len(own), 21)),
        visible_fraction=hands.visible_fraction[own],
        box_px=hands.box_px[own],
        box_amodal_px=hands.box_amodal_px[own],
        T_camera_from_wrist=hands.T_camera_from_wrist[own],
    )
    return Sample(camera, Images(rendered.depth[frame], rendered.codes[frame]), labels, 1e4)


def find_interior(depth: np.ndarray, codes: np.ndarray, reach: int = 2) -> np.ndarray:
    """Pixels around which the code is the same and depth changes by less than 3 % a pixel."""
    inner = np.zeros(codes.shape, bool)
    inner[reach:-reach, reach:-reach] = True
    z = depth.astype(np.float64)
    for dv in range(-reach, reach + 1):
        for du in range(-reach, reach + 1):
            other = np.roll(z, (dv, du), (0, 1))
            inner &= np.roll(codes, (dv, du), (0, 1)) == codes
            inner &= np.abs(other - z) <= 0.03 * z * max(abs(dv), abs(du))
    return inner


def draw_crops(name: str) -> list[tuple[Sample, Sample, Sample, Geometry]]:
    """Before, warped, rendered anew, and the geometry, a frame each."""
    camera = generator(name).camera
    scenes, first = render(name, np.eye(3), camera)
    rng = np.random.default_rng(4)
    out = []
    for frame in range(FRAMES):
        before = read(camera, scenes, first, frame)
        if not len(before.hands) or (before.hands.visibility[0] > 0).sum() < 10:
            continue
        target = find_target(before, 0)
        geometry = crop_camera(
            camera, target, (128, 96), 1.3 * rng.uniform(0.6, 1.6), rng.uniform(-3, 3)
        )
        warped = apply_to_sample(geometry, before)
        _, anew = render(name, geometry.turn, geometry.camera)
        out.append((before, warped, read(geometry.camera, scenes, anew, frame), geometry))
    assert len(out) >= 3
    return out


@pytest.fixture(scope="module", params=CAMERAS)
def crops(request: pytest.FixtureRequest) -> list[tuple[Sample, Sample, Sample, Geometry]]:
    return draw_crops(request.param)


def test_warped_depth_is_rendered_depth(crops: list) -> None:  # type: ignore[type-arg]
    on_hands, all_over, recoded, pixels = [], [], 0, 0
    for _, warped, anew, _ in crops:
        depth, codes = anew.images.depth, anew.images.parts
        reached = find_interior(depth, codes) & (warped.images.depth > 0) & (depth > 0)
        pixels += int(reached.sum())
        recoded += int((warped.images.parts != codes)[reached].sum())
        reached &= warped.images.parts == codes
        error = np.abs(warped.images.depth.astype(np.float64) - depth)[reached] / 10
        hand = ((codes > 0) & (codes < OBJECT_BASE))[reached]
        on_hands.append(error[hand])
        all_over.append(error)
    hands, every = np.concatenate(on_hands), np.concatenate(all_over)
    assert len(hands) > 5000
    # Millimetres. The images' own steps are 0.1 mm; the rest is curvature within a source pixel.
    assert np.median(hands) <= 0.1
    assert np.quantile(hands, 0.95) <= 0.4
    assert np.quantile(hands, 0.99) <= 1.0
    assert np.median(every) <= 0.1
    assert recoded <= 2e-3 * pixels


def test_nothing_is_missing_and_nothing_made_up(crops: list) -> None:  # type: ignore[type-arg]
    for before, warped, anew, geometry in crops:
        # What the source's image holds of the new view, by rays alone.
        v, u = np.mgrid[: geometry.camera.height, : geometry.camera.width]
        rays = geometry.camera.unproject(np.stack([u, v], -1)) @ geometry.turn
        held = before.camera.contains(before.camera.project(rays))
        read_both = (warped.images.depth > 0) & (anew.images.depth > 0)
        either = held & ((warped.images.depth > 0) | (anew.images.depth > 0))
        assert (read_both & held).sum() >= 0.97 * either.sum()
        assert not warped.images.depth[~held].any() and not warped.images.parts[~held].any()


def test_labels_are_those_of_the_new_rendering(crops: list) -> None:  # type: ignore[type-arg]
    same, count = 0, 0
    for before, warped, anew, geometry in crops:
        ours, theirs = warped.hands, anew.hands
        np.testing.assert_allclose(ours.keypoints_cam_m, theirs.keypoints_cam_m, atol=1e-6)
        np.testing.assert_allclose(ours.T_camera_from_wrist, theirs.T_camera_from_wrist, atol=1e-6)
        near = (np.abs(theirs.keypoints_px) < 1000).all(-1)
        np.testing.assert_allclose(ours.keypoints_px[near], theirs.keypoints_px[near], atol=1e-3)
        inside = geometry.camera.contains(theirs.keypoints_px)
        # A keypoint that the real camera did not see is not judged.
        seen = before.hands.visibility > 0
        assert ((ours.visibility > 0) == (inside & seen)).all()
        same += int((ours.visibility == theirs.visibility)[inside & seen].sum())
        count += int((inside & seen).sum())
    # At outlines the nearest pixel's centre decides, and pixels lie elsewhere now.
    assert same >= 0.94 * count


@pytest.mark.parametrize("factor", [0.5, 0.3])
def test_a_shrunk_frame_is_a_frame_of_fewer_pixels(factor: float) -> None:
    """Averaged over surfaces, against points: the same within a pixel's curvature."""
    camera = generator("ego").camera
    small = resize_camera(camera, round(320 * factor), round(240 * factor))
    whole = compose(small, roll_camera(small.camera, 0.4))
    scenes, first = render("ego", np.eye(3), camera)
    _, anew = render("ego", whole.turn, whole.camera)
    errors = []
    for frame in range(FRAMES):
        warped = apply_to_sample(whole, read(camera, scenes, first, frame)).images
        depth, codes = anew.depth[frame], anew.codes[frame]
        inner = find_interior(depth, codes) & (warped.depth > 0) & (codes > 0)
        inner &= (codes < OBJECT_BASE) & (warped.parts == codes)
        errors.append((warped.depth.astype(np.float64) - depth)[inner] / 10)
    error = np.concatenate(errors)
    assert len(error) > 300
    assert abs(np.median(error)) <= 0.2
    assert np.quantile(np.abs(error), 0.9) <= 1.5


def test_a_mirrored_and_grown_frame() -> None:
    """Flip and factor on top of a turn: the rendering mirrored and multiplied."""
    camera = generator("ego").camera
    turned = compose(aim_camera(camera, (180.0, 130.0)), zoom_camera(camera, 1.3))
    whole = compose(turned, flip_camera(turned.camera))
    whole = compose(whole, scale_depth(whole.camera, 1.1))
    scenes, first = render("ego", np.eye(3), camera)
    _, anew = render("ego", turned.turn, turned.camera)
    for frame in range(FRAMES):
        out = apply_to_sample(whole, read(camera, scenes, first, frame))
        depth, codes = anew.depth[frame][:, ::-1], anew.codes[frame][:, ::-1]
        inner = find_interior(depth, codes) & (out.images.depth > 0) & (depth > 0)
        error = np.abs(out.images.depth[inner] - 1.1 * depth[inner]) / 10
        assert np.median(error) <= 0.1 and np.quantile(error, 0.95) <= 0.8
        own = scenes.hands.frame == frame
        mirrored = anew.hands.keypoints_cam_m[own] * [-1.1, 1.1, 1.1]
        np.testing.assert_allclose(out.hands.keypoints_cam_m, mirrored, atol=1e-6)


def test_a_straightened_fisheye_is_a_pinhole_frame() -> None:
    camera = generator("ahat").camera
    whole = straighten_camera(camera)
    scenes, first = render("ahat", np.eye(3), camera)
    _, anew = render("ahat", np.eye(3), whole.camera)
    for frame in range(2):
        out = apply_to_sample(whole, read(camera, scenes, first, frame))
        depth, codes = anew.depth[frame], anew.codes[frame]
        inner = find_interior(depth, codes) & (out.images.depth > 0) & (depth > 0)
        error = np.abs(out.images.depth[inner].astype(np.float64) - depth[inner]) / 10
        assert inner.mean() > 0.3
        assert np.median(error) <= 0.1 and np.quantile(error, 0.95) <= 0.5
