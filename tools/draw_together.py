#!/usr/bin/env python3
"""Draw every kind of pair of hands from the wearer's eyes and from the side.

    python tools/draw_together.py docs/pictures/together.png

Rendered by our own rasteriser and shaded by the normals of its depth; the second hand is darker.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from frames import canvas as draw
from frames import palette
from frames.camera import Camera
from frames.sheet import write_picture
from synth.config import TogetherConfig
from synth.contact.flesh import build_flesh
from synth.contact.together import Pairs, solve_together
from synth.contact.together_kinds import KINDS
from synth.contact.together_table import kind_table
from synth.hand.builtin import builtin_rig
from synth.hand.collision import build_capsules
from synth.hand.kinematics import pose_hands
from synth.hand.rig import Rig
from synth.raster.canvas import Canvas
from synth.rigid import multiply

PEOPLE = 8
VIEWS = ("from the eyes", "from the left", "from the front")
TURNS = np.array(
    [
        [[1.0, 0, 0], [0, -0.6, -0.8], [0, 0.8, -0.6]],
        [[0, -1.0, 0], [0.3, 0, -0.954], [0.954, 0, 0.3]],
        [[-0.9, -0.436, 0], [0.13, -0.27, -0.954], [0.416, -0.859, 0.3]],
    ]
)
"""Camera axes (right, down, forward) in the body's frame."""

WIDTH, HEIGHT = 260, 260
SAMPLES = 4
"""A picture's pixel is the mean of so many by so many rendered ones."""
DISTANCE_M, SPAN_M = 1.2, 0.30
COLUMNS, GAP, CAPTION = 2, 14, 26
TINTS = np.array([[0.96, 0.87, 0.80], [0.72, 0.80, 0.90]])
LIGHT = np.array([-0.35, -0.55, -0.76])


def draw_view(
    canvas: Canvas, meshes: list[tuple[np.ndarray, np.ndarray, np.ndarray]], turn: np.ndarray
) -> np.ndarray:
    """Meshes (vertices (V, 3) in the body's frame, faces, codes) -> (HEIGHT, WIDTH, 3) uint8."""
    middle = np.mean([v.mean(0) for v, _, _ in meshes[:2]], axis=0)
    canvas.begin()
    for vertices, faces, codes in meshes:
        seen = (vertices.astype(np.float64) - middle) @ turn.T + [0.0, 0.0, DISTANCE_M]
        canvas.draw(0, seen, faces, codes)
    codes, depth = canvas.layer(0)
    points = np.dstack([canvas.camera.ray_table(), np.ones_like(depth)]) * depth[..., None]
    normal = np.cross(_slope(points, 0), _slope(points, 1))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    bright = 0.26 + 0.74 * np.clip(normal @ LIGHT, 0, 1)
    tint = np.ones((256, 3)) * (0.85, 0.82, 0.6)
    for h in (0, 1):
        tint[32 * h : 32 * h + 18] = TINTS[h]
        tint[32 * h + 17] *= 0.85
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


def new_canvas() -> Canvas:
    width, height = WIDTH * SAMPLES, HEIGHT * SAMPLES
    focal = height * DISTANCE_M / SPAN_M
    return Canvas(
        Camera("pinhole", width, height, focal, focal, (width - 1) / 2, (height - 1) / 2), layers=1
    )


def pose_pairs(rig: Rig, identity: np.ndarray, pairs: Pairs) -> list[np.ndarray]:
    """Vertices of the first and the second hands (N, V, 3) in the body's frame, held as usual."""
    body = np.tile(np.eye(4), (len(identity), 1, 1))
    body[:, :3, :3] = kind_table().body_from_first[pairs.kind]
    places = (body, multiply(body, pairs.T_first_from_second))
    return [
        pose_hands(rig, identity, pairs.angles[:, h], places[h], np.full(len(identity), h == 1))[0]
        for h in (0, 1)
    ]


def draw_together(names: list[str]) -> np.ndarray:
    """The kinds whose names contain one of `names` (all, if there are none): (H, W, 3) uint8."""
    rig = builtin_rig(seed=0, identities=PEOPLE)
    kinds = [k for k, kind in enumerate(KINDS) if not names or any(n in kind.name for n in names)]
    kind = np.array(kinds)
    identity = np.arange(len(kind)) % PEOPLE
    pairs = solve_together(
        TogetherConfig(),
        0,
        np.arange(len(kind)),
        "picture",
        rig,
        build_capsules(rig),
        build_flesh(rig),
        identity,
        np.zeros(len(kind), bool),
        kind,
    )
    hands = pose_pairs(rig, identity, pairs)
    canvas = new_canvas()
    rows = -(-len(kind) // COLUMNS)
    cell_width, cell_height = len(VIEWS) * WIDTH + GAP, HEIGHT + CAPTION + GAP
    picture = draw.new_canvas(rows * cell_height + GAP, COLUMNS * cell_width + GAP, palette.PAPER)
    for n, k in enumerate(kind):
        left = GAP + n % COLUMNS * cell_width
        top = GAP + n // COLUMNS * cell_height
        touching = int((pairs.gap_m[n] < 0.002).sum())
        note = f"{touching} parts touch" if pairs.ok[n] else "no try was good"
        draw.draw_text(picture, KINDS[k].name, (left, top + 16), palette.TEXT, 16)
        draw.draw_text(picture, note, (left + 200, top + 16), palette.MUTED, 13)
        meshes = [
            (hands[h][n], rig.faces, (rig.face_parts + 32 * h).astype(np.uint8)) for h in (0, 1)
        ]
        for v, turn in enumerate(TURNS):
            x, y = left + v * WIDTH, top + CAPTION
            picture[y : y + HEIGHT, x : x + WIDTH] = draw_view(canvas, meshes, turn)
    return picture


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    write_picture(draw_together(sys.argv[2:]), out)
