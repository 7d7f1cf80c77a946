"""Whole frames against the ray caster; a mirrored scene against a mirrored picture."""

from dataclasses import fields, replace

import numpy as np
import pytest

from frames.camera import Camera
from synth.drawing import planes_in_camera
from synth.frame_renderer import render_scenes
from synth.generator import Generator
from synth.raster.canvas import Canvas
from synth.scene.props import Props
from synth.scene.scene import LAYERS, Scenes
from synth.scene.studio import Studio
from tests.synth.raster.raycaster import camera_rays
from tests.synth.scene.witness import FARTHEST_M, Truth, assemble, draw_image, generator, shoot

SAMPLES = {"ego": range(8), "ahat": range(2)}


def _interior(codes: np.ndarray) -> np.ndarray:
    """Pixels whose four neighbours show the same."""
    inner = np.zeros(codes.shape, bool)
    middle = codes[1:-1, 1:-1]
    inner[1:-1, 1:-1] = (
        (middle == codes[:-2, 1:-1])
        & (middle == codes[2:, 1:-1])
        & (middle == codes[1:-1, :-2])
        & (middle == codes[1:-1, 2:])
    )
    return inner


@pytest.mark.parametrize("name", SAMPLES)
def test_frames_agree_with_the_ray_caster(name: str) -> None:
    maker = generator(name)
    camera = maker.camera
    canvas = Canvas(camera, LAYERS)
    errors, pixels, recoded, missed, restepped = [], 0, 0, 0, 0
    for frame in SAMPLES[name]:
        scenes = maker.sample(np.array([frame]))
        images = render_scenes(scenes, camera, maker.studio, canvas)
        z, code = draw_image(assemble(maker, scenes, 0), camera)
        layers = np.stack([canvas.layer(k)[1] for k in range(LAYERS + 1)])
        drawn = np.where(layers > 0, layers, np.inf).min(0)
        pixels += z.size
        recoded += int((code != images.codes[0]).sum())
        reads = z < FARTHEST_M - 1e-4
        missed += int((reads != (images.depth[0] > 0))[np.abs(z - FARTHEST_M) > 2e-4].sum())
        inner = reads & (code == images.codes[0]) & _interior(code) & np.isfinite(drawn)
        errors.append(np.abs(drawn[inner] - z[inner]))
        restepped += int((images.depth[0] != np.floor(z * 1e4 + 0.5))[inner].sum())
    error = np.concatenate(errors)
    assert len(error) > 0.5 * pixels
    assert np.median(error) <= 1e-5
    assert np.quantile(error, 0.99) <= 1e-4
    # Rounding falls to the other side only within a hair of the middle between two steps.
    assert restepped <= 0.01 * len(error)
    assert recoded <= 5e-4 * pixels
    assert missed <= 5e-4 * pixels


def test_surface_depth_is_the_image_at_the_nearest_pixel() -> None:
    maker = generator("ego")
    scenes = maker.sample(np.arange(64))
    images = maker.render(scenes)
    labels = images.hands.keypoints
    checked = 0
    for n, frame in enumerate(scenes.hands.frame):
        for k in range(21):
            u, v = np.floor(labels.keypoints_px[n, k].astype(np.float64) + 0.5)
            surface = labels.surface_depth_m[n, k]
            if 0 <= u < maker.camera.width and 0 <= v < maker.camera.height:
                reading = int(images.depth[frame, int(v), int(u)])
                expected = reading / 1e4 if reading else np.nan
                np.testing.assert_allclose(surface, expected, rtol=1e-6)
                checked += 1
            else:
                assert np.isnan(surface)
    assert checked > 1000


def test_fractions_and_boxes_equal_each_hand_drawn_alone() -> None:
    maker = generator("ego-small")
    scenes = maker.sample(np.arange(32))
    hands, labels = scenes.hands, maker.render(scenes).hands
    partly = outside = same_boxes = boxes = 0
    for b in range(len(scenes.frame_ids)):
        truth = assemble(maker, scenes, b)
        for n in np.flatnonzero(hands.frame == b):
            slot = int(hands.number[n])
            rays = _rays_about(maker.camera, truth, slot)
            amodal = _is_hand(shoot(_only(truth, slot), rays).code, slot)
            seen = amodal.copy()
            seen[amodal] = _is_hand(shoot(truth, rays[amodal]).code, slot)
            for mask, box in ((seen, labels.box_px[n]), (amodal, labels.box_amodal_px[n])):
                expected = _box(mask)
                assert np.isnan(expected).all() == np.isnan(box).all()
                if mask.any():
                    assert np.abs(expected - box).max() <= 1.0
                    boxes, same_boxes = boxes + 1, same_boxes + int((expected == box).all())
            if not amodal.any():
                assert np.isnan(labels.visible_fraction[n])
                outside += 1
                continue
            fraction = seen.sum() / amodal.sum()
            # An outline's pixel more or less, on either count.
            slack = 2 * max(1.0, 1e-3 * amodal.sum()) / amodal.sum()
            assert abs(labels.visible_fraction[n] - fraction) <= slack
            partly += 0.01 < fraction < 0.99
    assert partly >= 3 and boxes > 80
    assert same_boxes >= 0.97 * boxes


def _rays_about(camera: Camera, truth: Truth, slot: int) -> np.ndarray:
    """(H, W, 3) the camera's rays, NaN away from where the hand can be."""
    rays = camera_rays(camera)
    vertices = truth.vertices[np.unique(truth.faces[_is_hand(truth.codes, slot)])]
    if (vertices[:, 2] > 0.02).all():
        flat = vertices[:, :2] / vertices[:, 2:]
        away = (rays[..., :2] < flat.min(0) - 0.05) | (rays[..., :2] > flat.max(0) + 0.05)
        rays[away.any(-1)] = np.nan
    return rays


def _only(truth: Truth, slot: int) -> Truth:
    mine = truth.codes // 32 == slot
    mine &= truth.codes > 0
    return Truth(truth.vertices, truth.faces[mine], truth.codes[mine], np.zeros((0, 4)))


def _is_hand(codes: np.ndarray, slot: int) -> np.ndarray:
    return (codes > 32 * slot) & (codes <= 32 * slot + 16)


def _box(mask: np.ndarray) -> np.ndarray:
    """Outer edges of the mask's pixels, NaN for none."""
    if not mask.any():
        return np.full(4, np.nan)
    v, u = np.nonzero(mask)
    return np.array([u.min() - 0.5, v.min() - 0.5, u.max() + 0.5, v.max() + 0.5])


MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])


def _mirror(maker: Generator, scenes: Scenes) -> tuple[Studio, Scenes]:
    """The scene in a mirror at the plane x = 0, and the stock with every model mirrored."""
    hands, objects, props = scenes.hands, scenes.objects, scenes.props
    stock, around = maker.studio.stock, scenes.surroundings
    side = np.array([-1.0, 1.0, 1.0, 1.0])
    mirrored = replace(
        scenes,
        T_world_from_camera=MIRROR @ scenes.T_world_from_camera @ MIRROR,
        hands=replace(
            hands,
            left=~hands.left,
            T_world_from_wrist=MIRROR @ hands.T_world_from_wrist @ MIRROR,
            solid=np.full_like(hands.solid, -1),
            plane=hands.plane * side,
        ),
        objects=replace(objects, T_world_from_object=MIRROR @ objects.T_world_from_object @ MIRROR),
        props=replace(props, T_world_from_model=MIRROR @ props.T_world_from_model @ MIRROR),
        surroundings=replace(around, planes=around.planes * side),
    )
    vertices = stock.vertices * np.array([-1, 1, 1], np.float32)
    turned = replace(stock, vertices=vertices, faces=stock.faces[:, ::-1].copy())
    return replace(maker.studio, stock=turned), mirrored


def test_left_is_the_mirror_of_right() -> None:
    maker = generator("ego")
    camera = maker.camera
    assert camera.cx == (camera.width - 1) / 2
    scenes = maker.sample(np.arange(64))
    there, here = (
        render_scenes(s, camera, studio, Canvas(camera, LAYERS))
        for studio, s in (_mirror(maker, scenes), (maker.studio, scenes))
    )
    flipped = there.codes[:, :, ::-1]
    same = flipped == here.codes
    assert (~same).mean() <= 5e-4
    step = np.abs(there.depth[:, :, ::-1].astype(int) - here.depth)
    assert (step[same] > 1).mean() <= 5e-4
    a, b = here.hands, there.hands
    np.testing.assert_allclose(
        b.keypoints_cam_m, a.keypoints_cam_m * np.array([-1.0, 1.0, 1.0]), atol=1e-6
    )
    assert (a.keypoints.occlusion == b.keypoints.occlusion).mean() >= 0.995
    fraction = np.abs(a.visible_fraction - b.visible_fraction)
    assert np.nanquantile(fraction, 0.95) <= 0.005


def test_planes_of_the_world_in_the_camera() -> None:
    rng = np.random.default_rng(0)
    pose = np.tile(np.eye(4), (6, 1, 1))
    for k in range(6):
        q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        pose[k, :3, :3] = q * np.linalg.det(q)
        pose[k, :3, 3] = rng.normal(size=3)
    normal = rng.normal(size=(6, 5, 3))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    planes = np.concatenate([normal, rng.uniform(0.5, 2, (6, 5, 1))], -1)
    moved = planes_in_camera(planes, pose)
    point = rng.normal(size=(6, 3))
    world = np.einsum("bij,bj->bi", pose[:, :3, :3], point) + pose[:, :3, 3]
    before = np.einsum("bpi,bi->bp", planes[..., :3], world) - planes[..., 3]
    after = np.einsum("bpi,bi->bp", moved[..., :3], point) - moved[..., 3]
    np.testing.assert_allclose(before, after, atol=1e-12)


def test_nothing_in_view_leaves_an_empty_image() -> None:
    """A camera that looks at a corner of the sky: no pixel, no box, no fraction."""
    maker = generator("ego")
    scenes = maker.sample(np.arange(16))
    around = replace(scenes.surroundings, present=np.zeros(16, bool))
    none = Props(*(getattr(scenes.props, f.name)[:0] for f in fields(Props)))
    off = replace(scenes, surroundings=around, props=none)
    tiny = Camera("pinhole", 4, 4, 4000.0, 4000.0, 40_000.0, 1.5)
    images = render_scenes(off, tiny, maker.studio, Canvas(tiny, LAYERS))
    assert not images.depth.any() and not images.codes.any()
    assert np.isnan(images.hands.visible_fraction).all()
    assert np.isnan(images.hands.box_px).all() and np.isnan(images.hands.box_amodal_px).all()
    assert (images.hands.keypoints.visibility == 0).all()
