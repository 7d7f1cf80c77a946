#!/usr/bin/env python3
"""Draw people as scenes have them, from their own eyes and from aside: docs/pictures/body.png.

    python tools/draw_body.py docs/pictures/body.png [SEED [FIRST]]

Ten scenes with arms and what they wear, each above as the wearer sees it and below from the right
or the left. Rendered by our own rasteriser and shaded by the normals of its depth; hands, arms with
their clothes, and bodies have a colour each.
"""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from frames.camera import Camera
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.sheet import write_picture
from synth.config import OutfitConfig, RoomConfig, SceneConfig, SituationConfig, SynthConfig
from synth.frame_renderer import render_scenes
from synth.generator import Generator
from synth.raster.canvas import Canvas
from synth.scene.outfit import name_worn
from synth.scene.scene import LAYERS

WIDTH, HEIGHT, SAMPLES = 256, 208, 3
"""Size of a cell; each of its pixels is the mean of so many by so many rendered ones."""
COLUMNS, GAP, CAPTION = 5, 10, 20
LIGHT = np.array([0.35, -0.6, -0.72])
SKIN, OTHER, ARM, THING, BODY = (
    np.array(c)
    for c in ((236, 188, 160), (176, 204, 226), (120, 150, 190), (226, 196, 90), (190, 190, 196))
)

SCENE = SceneConfig(
    two_hands_share=0.85,
    others_share=0.15,
    object_share=0.0,
    situation=SituationConfig(touch_share=0.0),
    outfit=OutfitConfig(
        sleeve_share=0.6, watch_share=0.4, ring_share=0.4, glove_share=0.1, seated_share=0.6
    ),
    room=RoomConfig(empty_share=1.0, table_share=0.0, close_share=0.0),
)


def look_at(eye: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(4, 4) T_world_from_camera of an upright camera at `eye`."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    out = np.eye(4)
    out[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    out[:3, 3] = eye
    return out


def shade(camera: Camera, depth: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(H, W, 3) float64 picture of one frame; depth in 0.1 mm, codes of its parts."""
    z = depth / 1e4
    points = np.dstack([camera.ray_table(), np.ones_like(z)]) * z[..., None]
    normal = np.cross(_slope(points, 0), _slope(points, 1))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    bright = 0.3 + 0.7 * np.clip(normal @ LIGHT, 0, 1)
    part, slot = codes % 32, codes // 32
    color = np.broadcast_to(BODY, (*z.shape, 3)).copy()
    color[part > 0] = SKIN
    color[(part > 0) & (slot > 0)] = OTHER
    color[part == 17] = ARM
    color[codes >= 224] = THING
    return np.where((depth > 0)[..., None], color * bright[..., None], palette.PAPER)


def _slope(points: np.ndarray, axis: int) -> np.ndarray:
    """Differences to the nearer in depth of both neighbours: no slope runs over an outline."""
    ahead = np.roll(points, -1, axis) - points
    behind = points - np.roll(points, 1, axis)
    nearer = np.abs(ahead[..., 2:]) <= np.abs(behind[..., 2:])
    return np.where(nearer, ahead, behind)


def draw_body(seed: int = 0, first: int = 0) -> np.ndarray:
    """The whole picture, (H, W, 3) uint8."""
    wide, high = WIDTH * SAMPLES, HEIGHT * SAMPLES
    focal = 0.52 * wide
    eyes = Camera("pinhole", wide, high, focal, focal, (wide - 1) / 2, (high - 1) / 2)
    aside = replace(eyes, fx=1.15 * wide, fy=1.15 * wide)
    maker = Generator(SynthConfig(seed=seed, identities=64, scene=SCENE), eyes)
    scenes = maker.sample(np.arange(first, first + 2 * COLUMNS))
    rows = []
    for camera in (eyes, aside):
        if camera is aside:
            side = np.where(np.arange(2 * COLUMNS) % 2, -1.0, 1.0)
            pose = [
                look_at(np.array([1.25 * s, 0.95, 0.15]), np.array([0, 0.16, -0.34])) for s in side
            ]
            scenes = replace(scenes, T_world_from_camera=np.array(pose))
        image = render_scenes(scenes, camera, maker.studio, Canvas(camera, LAYERS))
        rows.append([shade(camera, d, c) for d, c in zip(image.depth, image.codes, strict=True)])
    step_x, step_y = WIDTH + GAP, 2 * HEIGHT + CAPTION + GAP
    picture = draw.new_canvas(2 * step_y + GAP, COLUMNS * step_x + GAP, palette.PAPER)
    worn = name_worn(scenes.worn)
    for k in range(2 * COLUMNS):
        x, y = GAP + k % COLUMNS * step_x, GAP + k // COLUMNS * step_y
        words = [w or "bare" for w in worn[scenes.hands.frame == k]]
        draw.draw_text(picture, " | ".join(words), (x, y + 14), palette.TEXT, 14)
        for row, images in enumerate(rows):
            small = cv2.resize(images[k], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
            top = y + CAPTION + row * HEIGHT
            picture[top : top + HEIGHT, x : x + WIDTH] = np.clip(small, 0, 255)
    return picture


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3, 4):
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    write_picture(draw_body(*(int(word) for word in sys.argv[2:])), out)
