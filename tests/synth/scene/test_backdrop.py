"""Backdrops against rays followed one by one, and against all that must be before them."""

import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from frames.camera import CAMERAS, Camera
from synth.config import SynthConfig
from synth.generator import Generator
from synth.scene.backdrop import CLEARANCE_M
from synth.scene.backdrop_view import show_backdrop
from synth.scene.background_folder import Background, make_background
from synth.scene.composition import compose, occupied

TOOK = Camera("pinhole", 320, 200, 180.0, 185.0, 158.0, 101.0)
NORMAL, OFFSET = np.array([0.1, -0.5, 0.86]), 1.1


@cache
def slope() -> Background:
    """A plane n . p = d, seen whole."""
    rays = np.concatenate([TOOK.ray_table(), np.ones((200, 320, 1))], axis=-1)
    return make_background("slope", TOOK, OFFSET / (rays @ NORMAL))


def turn(angles: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    out = np.eye(4)
    out[:3, :3] = cv2.Rodrigues(np.array(angles))[0]
    out[:3, 3] = shift
    return out


@pytest.mark.parametrize("camera", ["ego", "ahat"])
@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (0.02, -0.015, 0.01)])
def test_a_plane_stays_a_plane(camera: str, shift: tuple[float, float, float]) -> None:
    """Mirrored, turned, stretched, enlarged, and seen from elsewhere: each ray's depth."""
    ours = CAMERAS[camera]
    T = np.diag([-1 / 1.3, 1 / 1.2, 1.0, 1.0]) @ turn((0.05, -0.08, 0.06), shift)
    T[:3] /= 1.4
    seen = show_backdrop(ours, slope(), T)
    table = ours.ray_table()
    rays = np.concatenate([table, np.ones((*table.shape[:2], 1))], axis=-1)
    q = rays @ T[:3, :3].T
    z = (OFFSET - NORMAL @ T[:3, 3]) / (q @ NORMAL)
    p = z[..., None] * q + T[:3, 3]
    px = TOOK.project(p)
    inside = TOOK.contains(px)
    assert inside.mean() > 0.35
    rim = np.abs(px - np.array([159.5, 99.5])) > np.array([159.0, 99.0])
    sure = inside & ~rim.any(-1)
    assert np.abs(seen - z)[sure].max() < (2e-5 if shift[0] == 0 else 1e-3)
    assert (seen[~inside & ~rim.any(-1)] == 0).all()
    beyond = ~inside & (np.nan_to_num(np.abs(px - 160), nan=999).max(-1) > 200)
    assert (seen[beyond] == 0).all()


def test_edges_are_not_blended() -> None:
    depth = np.full((200, 320), 2.0)
    depth[:, 160:] = 0.7
    room = make_background("step", TOOK, depth)
    T = np.eye(4)
    T[0, 0] = 0.77
    seen = show_backdrop(CAMERAS["ego"], room, T)
    seen = seen[seen > 0]
    assert np.minimum(np.abs(seen - 2.0), np.abs(seen - 0.7)).max() < 1e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six made-up rooms."""
    out = tmp_path_factory.mktemp("rooms")
    fields = {k: v for k, v in TOOK.to_dict().items() if k != "model"}
    (out / "camera.json").write_text(json.dumps({**fields, "depth_scale_per_m": 5000}))
    v, u = np.mgrid[:200, :320]
    for k in range(6):
        depth = 0.5 + 0.15 * k + 0.001 * (200 - v) + 0.2 * (np.sin(u / 25 + k) > 0)
        assert cv2.imwrite(str(out / f"{k}.png"), (5000 * depth).astype(np.uint16))
    return out


def test_everything_is_before_the_backdrop(folder: Path) -> None:
    """Every ball, at every pixel that it covers, is nearer than the backdrop by the clearance."""
    maker = Generator(SynthConfig(seed=4, backgrounds=str(folder)))
    ids = np.arange(64)
    scenes = maker.sample(ids)
    around = scenes.surroundings
    shown = np.flatnonzero(around.backdrops.image >= 0)
    assert 0.5 < len(shown) / 64 < 0.9
    studio = maker.studio
    scene = compose(maker.config.scene, studio, 4, ids)
    points, radius = occupied(scene, studio.extents)
    camera = maker.camera
    table = camera.ray_table()
    rays = np.concatenate([table, np.ones((*table.shape[:2], 1))], axis=-1)
    unit = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    checked = 0
    for b in shown[:12]:
        T = around.backdrops.T_background_from_world[b] @ scenes.T_world_from_camera[b]
        room = show_backdrop(camera, around.backgrounds[around.backdrops.image[b]], T)
        away = np.where(room > 0, room, np.inf)
        pose = np.linalg.inv(scenes.T_world_from_camera[b])
        for k in np.flatnonzero((radius[b] >= 0) & ~np.isnan(points[b, :, 0])):
            p = pose[:3, :3] @ points[b, k] + pose[:3, 3]
            if p[2] < 0.1:
                continue
            along = unit @ p
            off2 = p @ p - along**2
            hit = (off2 < radius[b, k] ** 2) & (along > 0)
            if hit.any():
                near = (along - np.sqrt(np.maximum(radius[b, k] ** 2 - off2, 0))) * unit[..., 2]
                assert (away - near)[hit].min() > CLEARANCE_M * 0.9
                checked += 1
    assert checked > 200


def test_names_splits_and_alone(folder: Path) -> None:
    config = SynthConfig(
        seed=4, backgrounds=str(folder), split="a:0.5,b:0.5", frames=64, frames_per_shard=8
    )
    maker = Generator(config)
    scenes = maker.sample(np.arange(64))
    image = scenes.surroundings.backdrops.image
    used = [set(image[(scenes.split == s) & (image >= 0)].tolist()) for s in (0, 1)]
    assert used[0] and used[1] and not used[0] & used[1]
    names = scenes.surroundings.names()
    assert all(names[b] == str(image[b]) for b in np.flatnonzero(image >= 0))
    rendered = maker.render(scenes)
    for b in (3, 17, 40):
        alone = maker.render(maker.sample(np.array([b])))
        assert np.array_equal(alone.depth[0], rendered.depth[b])


def test_frames_of_a_sequence_see_one_room(folder: Path) -> None:
    maker = Generator(SynthConfig(seed=4, backgrounds=str(folder), sequence_length=8, frames=64))
    scenes = maker.sample(np.arange(64))
    backdrops = scenes.surroundings.backdrops
    for first in range(0, 64, 8):
        assert len(set(backdrops.image[first : first + 8])) == 1
        own = backdrops.T_background_from_world[first : first + 8]
        assert np.array_equal(own, np.repeat(own[:1], 8, axis=0))
    maker.render(scenes)
