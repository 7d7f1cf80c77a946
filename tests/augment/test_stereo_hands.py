"""Holes and residuals of the D435 on synthetic hands, beside what real frames of hands show."""

from functools import lru_cache

import cv2
import numpy as np
import pytest
from stereo_shots import NATIVE, load_model

from augment.shot import Keys, Reading, Shot
from augment.stereo.model import sense_stereo
from synth.config import SynthConfig
from synth.frame_renderer import render_scenes
from synth.generator import Generator
from synth.raster.canvas import Canvas
from synth.scene.scene import LAYERS

_FRAMES = 24


@lru_cache(maxsize=1)
def _read_hands() -> list[tuple[Shot, Reading, np.ndarray]]:
    """Shots at the device's own resolution, their readings, and where skin is in range."""
    maker = Generator(SynthConfig(frames=_FRAMES, seed=1), NATIVE)
    scenes = maker.sample(np.arange(_FRAMES))
    drawn = render_scenes(scenes, NATIVE, maker.studio, Canvas(NATIVE, LAYERS))
    out = []
    for b in range(_FRAMES):
        light = np.full(256, 0.55, np.float32)
        keys = Keys(b + 1, b + 1, 1)
        shot = Shot(NATIVE, drawn.depth[b], 1e4, drawn.codes[b], light, None, 0.0, keys)
        part = shot.parts % 32
        skin = (part >= 1) & (part <= 16) & (shot.parts < 224) & (shot.depth > 2000)
        if skin.sum() > 2000:
            out.append((shot, sense_stereo(load_model(), shot), skin))
    return out


def test_holes_sit_outside_the_silhouette() -> None:
    outside, inside = [], []
    square = np.ones((7, 7), np.uint8)
    for shot, reading, skin in _read_hands():
        hole = reading.depth_m == 0
        arm = (shot.parts % 32 > 0) & (shot.parts < 224)
        ring = (cv2.dilate(arm.astype(np.uint8), square) > 0) & ~arm
        outside.append(hole[ring].mean())
        inner = cv2.erode(skin.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        inside.append(hole[inner].mean())
    assert 0.2 <= np.median(outside) <= 0.95
    assert 0.002 <= np.median(inside) <= 0.02


@pytest.mark.parametrize(("z", "residual_mm"), [(0.3, 0.35), (0.5, 0.7)])
def test_plane_residual_of_hands(z: float, residual_mm: float) -> None:
    """The mean over 7 x 7 windows of the skin of the RMS distance to the plane through them."""
    grid = np.mgrid[-3:4, -3:4].reshape(2, -1).T
    basis = np.c_[np.ones(49), grid]
    keep = np.eye(49) - basis @ np.linalg.pinv(basis)
    found = []
    for shot, reading, skin in _read_hands():
        here = skin & (np.abs(shot.depth / 1e4 - z) < 0.05) & (reading.depth_m > 0)
        whole = cv2.erode(here.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        v, u = np.nonzero(whole[3:-3, 3:-3])
        windows = np.lib.stride_tricks.sliding_window_view(reading.depth_m, (7, 7))
        points = windows[v[::7], u[::7]].reshape(-1, 49).astype(float)
        found.append(np.sqrt(np.square(points @ keep).mean(1)))
    assert np.concatenate(found).mean() * 1e3 == pytest.approx(residual_mm, rel=0.25)
