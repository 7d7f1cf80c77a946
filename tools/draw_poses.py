#!/usr/bin/env python3
"""Draw every named pose from the palm and from the thumb's side: a picture for each part.

    python tools/draw_poses.py docs/pictures

Writes poses-key.png, poses-gesture.png, ... One person's right hand, rendered by our own rasteriser
and shaded by the normals of its depth.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from frames.camera import Camera
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.sheet import write_picture
from synth.hand.builtin import builtin_rig
from synth.hand.collision import build_capsules
from synth.hand.kinematics import pose_hands
from synth.hand.rig import Rig
from synth.pose.flesh import build_flesh
from synth.pose.library import PARTS, PRESETS, fit_presets
from synth.raster.canvas import Canvas

PERSON = 3
TURNS = np.array(
    [
        [[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]],
        [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
    ]
)
"""Camera axes (right, down, forward) in the wrist frame, before the palm and beside the thumb;
fingers point up in both."""

WIDTH, HEIGHT = 142, 168
SAMPLES = 5
"""A picture's pixel is the mean of so many by so many rendered ones."""
DISTANCE_M, SPAN_M = 1.2, 0.27
MIDDLE_M = np.array([-0.02, 0.0, -0.085])
COLUMNS, GAP, CAPTION = 4, 14, 40
TINTS = {"palm": (0.93, 0.83, 0.76), "finger": (0.96, 0.87, 0.80), "forearm": (0.62, 0.66, 0.72)}
LIGHT = np.array([-0.35, -0.55, -0.76])


def draw_view(canvas: Canvas, rig: Rig, vertices: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """(V, 3) in the wrist frame -> (HEIGHT, WIDTH, 3) uint8."""
    seen = (vertices.astype(np.float64) - MIDDLE_M) @ turn.T + [0.0, 0.0, DISTANCE_M]
    canvas.begin()
    canvas.draw(0, seen, rig.faces, rig.face_parts)
    codes, depth = canvas.layer(0)
    camera = canvas.camera
    points = np.dstack([camera.ray_table(), np.ones_like(depth)]) * depth[..., None]
    normal = np.cross(_slope(points, 0), _slope(points, 1))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    bright = 0.26 + 0.74 * np.clip(normal @ LIGHT, 0, 1)
    tint = np.full((18, 3), TINTS["finger"])
    tint[1], tint[17] = TINTS["palm"], TINTS["forearm"]
    paper = np.array(palette.PAPER, np.float64)
    color = np.where((codes > 0)[..., None], 255 * tint[codes] * bright[..., None], paper)
    small = cv2.resize(color, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.clip(small, 0, 255).astype(np.uint8)


def _slope(points: np.ndarray, axis: int) -> np.ndarray:
    """Differences to the nearer in depth of both neighbours: no slope runs over an outline."""
    ahead = np.roll(points, -1, axis) - points
    behind = points - np.roll(points, 1, axis)
    nearer = np.abs(ahead[..., 2:]) <= np.abs(behind[..., 2:])
    return np.where(nearer, ahead, behind)


def draw_part(canvas: Canvas, rig: Rig, part: str, vertices: np.ndarray) -> np.ndarray:
    """The poses of one part in a grid, (H, W, 3) uint8; vertices (P, V, 3) in their order."""
    count = len(vertices)
    rows = -(-count // COLUMNS)
    cell_width, cell_height = len(TURNS) * WIDTH + GAP, HEIGHT + CAPTION + GAP
    picture = draw.new_canvas(rows * cell_height + GAP, COLUMNS * cell_width + GAP, palette.PAPER)
    for k, preset in enumerate(PARTS[part]):
        left = GAP + k % COLUMNS * cell_width
        top = GAP + k // COLUMNS * cell_height
        note = "" if preset.key_pose == "none" else f"key pose: {preset.key_pose}"
        draw.draw_text(picture, preset.name, (left, top + 16), palette.TEXT, 15)
        draw.draw_text(picture, note, (left, top + 32), palette.MUTED, 12)
        for v, turn in enumerate(TURNS):
            x, y = left + v * WIDTH, top + CAPTION
            picture[y : y + HEIGHT, x : x + WIDTH] = draw_view(canvas, rig, vertices[k], turn)
    return picture


def main(folder: Path) -> None:
    rig = builtin_rig(seed=0, identities=PERSON + 1)
    count = len(PRESETS)
    people = np.full(count, PERSON)
    flesh = build_flesh(rig, build_capsules(rig))
    angles = fit_presets(flesh, people, np.arange(count))
    still = np.tile(np.eye(4), (count, 1, 1))
    vertices, _ = pose_hands(rig, people, angles, still, np.zeros(count, bool))
    width, height = WIDTH * SAMPLES, HEIGHT * SAMPLES
    focal = height * DISTANCE_M / SPAN_M
    camera = Camera("pinhole", width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
    canvas = Canvas(camera, layers=1)
    folder.mkdir(parents=True, exist_ok=True)
    start = 0
    for part, presets in PARTS.items():
        stop = start + len(presets)
        picture = draw_part(canvas, rig, part, vertices[start:stop])
        write_picture(picture, folder / f"poses-{part}.png")
        start = stop


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
