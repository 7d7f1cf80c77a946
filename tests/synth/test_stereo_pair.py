"""Rendered pairs: the left eye is the clean frame, the right one its exact counterpart."""

from dataclasses import replace

import numpy as np
import pytest

from augment.matched_stereo.pair import native_camera
from frames.camera import Camera, load_camera
from frames.errors import BadInput
from frames.parts import HAND_PARTS, HAND_STRIDE, OBJECT_BASE
from synth.scene.scene import slice_scenes
from synth.stereo_pair import find_windows, render_pairs
from tests.synth.scene.witness import FARTHEST_M, assemble, generator, shoot

FOCAL_PX, BASELINE_M, NEAR_M = 424.0, 0.05, 0.168
FRAMES = 6
FB = FOCAL_PX * BASELINE_M


def _render(whole: bool = False):  # type: ignore[no-untyped-def]
    maker = generator("ego")
    scenes = maker.sample(np.arange(FRAMES))
    pairs = render_pairs(
        scenes, maker.camera, maker.studio, FOCAL_PX, BASELINE_M, NEAR_M, whole=whole
    )
    return maker, scenes, pairs


def test_a_camera_of_the_same_field() -> None:
    camera = load_camera("ego")
    native = native_camera(camera, FOCAL_PX)
    assert native.fx == pytest.approx(FOCAL_PX)
    # Outer edges coincide: the same ray through the images' corners, to the last pixel's rounding.
    corner = np.array([-0.5, -0.5])
    assert native.unproject(corner) == pytest.approx(camera.unproject(corner))
    ours = native.unproject(np.array([native.width - 0.5, native.height - 0.5]))
    theirs = camera.unproject(np.array([camera.width - 0.5, camera.height - 0.5]))
    assert (ours - theirs)[:2] == pytest.approx(0.0, abs=1 / FOCAL_PX)


def test_the_left_eye_is_the_clean_frame() -> None:
    maker, scenes, pairs = _render(whole=True)
    clean = maker.render(scenes)
    agree, total = 0, 0
    for b, pair in enumerate(pairs):
        eye = pair.windows[0].left_eye
        scale = pair.camera.fx / maker.camera.fx
        v, u = np.mgrid[: maker.camera.height, : maker.camera.width]
        y, x = np.floor((v + 0.5) * scale).astype(int), np.floor((u + 0.5) * scale).astype(int)
        z = eye.depth_m[y, x]
        same = (np.abs(z - clean.depth[b] / 1e4) < 0.02 * z + 1e-3) & (
            eye.parts[y, x] == clean.codes[b]
        )
        agree, total = agree + int(same.sum()), total + same.size
    # What differs are outlines, half a native pixel apart.
    assert agree > 0.96 * total


@pytest.mark.parametrize("whole", [True, False])
def test_the_right_eye_is_the_left_moved_by_the_disparity(whole: bool) -> None:
    _, _, pairs = _render(whole)
    checked = 0
    for pair in pairs:
        for window in pair.windows:
            one, two = window.left_eye, window.right_eye
            assert two.left == one.left - window.reach
            assert two.depth_m.shape[1] == one.depth_m.shape[1] + window.reach
            z = one.depth_m.astype(float)
            with np.errstate(divide="ignore"):
                d = FB / z
            v, u = np.nonzero((z > 0) & (FB / np.maximum(z, 1e-3) < window.reach - 1))
            # Projected on its own: X' = (u - cx) z / f - B.
            x = ((u + one.left - pair.camera.cx) * z[v, u] / FOCAL_PX - BASELINE_M) / z[v, u]
            px = x * FOCAL_PX + pair.camera.cx - two.left
            assert px == pytest.approx(u + window.reach - d[v, u], abs=1e-6)
            i = np.floor(px).astype(int)
            inside = (i >= 1) & (i < two.depth_m.shape[1] - 2) & (i + two.left >= 1)
            v, i, px, z = v[inside], i[inside], px[inside], z[v, u][inside]
            around = np.stack([two.depth_m[v, i + k] for k in (0, 1)]).astype(float)
            smooth = (around > 0).all(0) & (np.abs(1 / around[0] - 1 / around[1]) * FB < 0.5)
            with np.errstate(divide="ignore", invalid="ignore"):
                between = 1 / (1 / around[0] + (px - i) * (1 / around[1] - 1 / around[0]))
            # Nothing stands behind what the right eye sees there, and most is just that.
            gap = FB / between[smooth] - FB / z[smooth]
            assert (gap > -0.6).mean() > 0.998
            same = np.abs(gap) < 0.05
            assert same.mean() > 0.6
            assert np.median(np.abs(gap[same])) < 2e-3
            checked += int(same.sum())
    assert checked > 50_000


def test_the_right_eye_agrees_with_the_ray_caster() -> None:
    maker, scenes, pairs = _render(whole=True)
    for b in range(2):
        pair = pairs[b]
        moved = scenes.T_world_from_camera.copy()
        moved[:, :3, 3] += BASELINE_M * moved[:, :3, 0]
        truth = assemble(maker, replace(scenes, T_world_from_camera=moved), b)
        eye = pair.windows[0].right_eye
        rng = np.random.default_rng(b)
        v = rng.integers(0, pair.camera.height, 400)
        u = rng.integers(0, pair.camera.width, 400)
        z = shoot(truth, pair.camera.unproject(np.stack([u, v], 1))).z
        got = eye.depth_m[v, u - eye.left]
        near = z < FARTHEST_M
        assert (np.abs(got - z)[near] < 1e-3 * z[near]).mean() > 0.98


def test_windows_hold_the_hands() -> None:
    maker, scenes, pairs = _render()
    clean = maker.render(scenes)
    for b, pair in enumerate(pairs):
        codes = clean.codes[b]
        part = codes % HAND_STRIDE
        v, u = np.nonzero((codes < OBJECT_BASE) & (part >= 1) & (part <= HAND_PARTS))
        scale = pair.camera.fx / maker.camera.fx
        held = np.zeros(len(v), bool)
        for w in pair.windows:
            height, width = w.left_eye.depth_m.shape
            x, y = (u + 0.5) * scale, (v + 0.5) * scale
            held |= (
                (x >= w.left_eye.left) & (x <= w.left_eye.left + width)
                & (y >= w.top) & (y <= w.top + height)
            )  # fmt: skip
        assert held.all()


def test_windows_do_not_overlap() -> None:
    rng = np.random.default_rng(3)
    camera = Camera("pinhole", 800, 600, 424.0, 424.0, 399.5, 299.5)
    for _ in range(50):
        centres = rng.uniform([-0.4, -0.3, 0.2], [0.4, 0.3, 0.8], (4, 1, 3))
        skins = centres + rng.uniform(-0.08, 0.08, (4, 60, 3))
        cover = np.zeros((600, 800), np.int64)
        for x0, y0, x1, y1 in find_windows(skins, camera):
            assert 0 <= x0 < x1 <= 800
            assert 0 <= y0 < y1 <= 600
            cover[y0:y1, x0:x1] += 1
        assert cover.max() <= 1


def test_hands_out_of_sight_have_no_window() -> None:
    camera = Camera("pinhole", 800, 600, 424.0, 424.0, 399.5, 299.5)
    behind = np.tile([0.0, 0.0, -0.5], (1, 10, 1))
    aside = np.tile([5.0, 0.0, 0.5], (1, 10, 1))
    assert find_windows(behind, camera) == []
    assert find_windows(aside, camera) == []
    assert find_windows(np.zeros((0, 10, 3)), camera) == []


def test_a_pair_does_not_depend_on_the_batch() -> None:
    maker, scenes, pairs = _render()
    alone = render_pairs(
        slice_scenes(scenes, 3, 4), maker.camera, maker.studio, FOCAL_PX, BASELINE_M, NEAR_M
    )[0]
    assert len(alone.windows) == len(pairs[3].windows)
    for a, b in zip(alone.windows, pairs[3].windows, strict=True):
        assert (a.top, a.reach) == (b.top, b.reach)
        for mine, its in ((a.left_eye, b.left_eye), (a.right_eye, b.right_eye)):
            assert mine.left == its.left
            assert mine.depth_m.tobytes() == its.depth_m.tobytes()
            assert mine.parts.tobytes() == its.parts.tobytes()


def test_a_lens_is_refused() -> None:
    maker = generator("ahat")
    with pytest.raises(BadInput, match="needs a pinhole camera, got kannala-brandt"):
        render_pairs(
            maker.sample(np.arange(1)), maker.camera, maker.studio, FOCAL_PX, BASELINE_M, NEAR_M
        )


def test_an_image_too_large_is_refused() -> None:
    with pytest.raises(BadInput, match="choose a smaller focal_px"):
        native_camera(load_camera("ego"), 40000.0)
