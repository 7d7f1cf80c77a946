#!/usr/bin/env python3
"""Draw every kind of thing in the catalogue with its handles: docs/pictures/objects.png.

    python tools/draw_objects.py docs/pictures/objects.png [SEED]

Rendered by our own rasteriser, each to fill its cell, and shaded by the normals of its depth.
Handles are drawn over it: the first, which hands use most, in orange, the others in blue.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from frames.camera import Camera
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.sheet import write_picture
from synth.raster.canvas import Canvas
from synth.things.catalogue import KINDS, VARIANTS, build_catalogue
from synth.things.solid import Handle, Solid

CELL = 100
SAMPLES = 4
"""A picture's pixel is the mean of so many by so many rendered ones."""
DISTANCE_M = 3.0
FILL = 0.9
"""Share of a cell's side that the thing's sphere takes."""
KINDS_A_ROW, GAP, CAPTION = 3, 16, 24
LIGHT = np.array([-0.35, -0.55, -0.76])
TINT = np.array([0.80, 0.84, 0.90])
FIRST, OTHER = (214, 104, 10), (40, 96, 190)


def look_from(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """(3, 3) camera axes (right, down, forward) of a camera that looks at the origin."""
    a, e = np.radians([azimuth_deg, elevation_deg])
    forward = -np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


VIEW = look_from(-62.0, 32.0)


def draw_solid(canvas: Canvas, solid: Solid) -> np.ndarray:
    """(CELL, CELL, 3) uint8: one thing as large as its cell."""
    reach = np.linalg.norm(solid.model.vertices, axis=1).max()
    camera = canvas.camera
    scale = FILL * camera.width / 2 / camera.fx * DISTANCE_M / reach
    seen = (scale * solid.model.vertices.astype(np.float64)) @ VIEW.T + [0.0, 0.0, DISTANCE_M]
    canvas.begin()
    canvas.draw(0, seen, solid.model.faces, solid.model.codes + 1)
    codes, depth = canvas.layer(0)
    points = np.dstack([camera.ray_table(), np.ones_like(depth)]) * depth[..., None]
    normal = np.cross(_slope(points, 0), _slope(points, 1))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    bright = 0.28 + 0.72 * np.clip(normal @ LIGHT, 0, 1)
    color = np.where((codes > 0)[..., None], 255 * TINT * bright[..., None], palette.PAPER)
    small = cv2.resize(color, (CELL, CELL), interpolation=cv2.INTER_AREA)
    picture = np.ascontiguousarray(np.clip(small, 0, 255).astype(np.uint8))
    for k, handle in reversed(list(enumerate(solid.handles))):
        for line in outline_handle(handle):
            along = (scale * line) @ VIEW.T + [0.0, 0.0, DISTANCE_M]
            pixels = camera.project(along) / SAMPLES
            cv2.polylines(
                picture,
                [np.round(pixels * 16).astype(np.int32)],
                False,
                FIRST if k == 0 else OTHER,
                1,
                cv2.LINE_AA,
                4,
            )
    return picture


def outline_handle(handle: Handle) -> list[np.ndarray]:
    """Lines (N, 3) in the solid's frame: both ends, the sides, and the axis."""
    angle = np.linspace(0, 2 * np.pi, 25)
    ends = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
    if not handle.round:
        ends = np.array([[1, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0], [1, 1, 0.0]])
    lines = [ends + np.array([0, 0, z]) for z in (-1, 1)]
    quarters = range(0, 24, 6) if handle.round else range(4)
    lines += [np.stack([ends[k] - [0, 0, 1], ends[k] + [0, 0, 1]]) for k in quarters]
    if handle.round and np.ptp(handle.half_m) < 1e-9:
        lines = [ends, ends[:, [0, 2, 1]], ends[:, [2, 0, 1]]]
    T = handle.T_solid_from_handle
    return [(line * handle.half_m) @ T[:3, :3].T + T[:3, 3] for line in lines]


def _slope(points: np.ndarray, axis: int) -> np.ndarray:
    """Differences to the nearer in depth of both neighbours: no slope runs over an outline."""
    ahead = np.roll(points, -1, axis) - points
    behind = points - np.roll(points, 1, axis)
    nearer = np.abs(ahead[..., 2:]) <= np.abs(behind[..., 2:])
    return np.where(nearer, ahead, behind)


def draw_objects(seed: int = 0, variants: int = VARIANTS) -> np.ndarray:
    """The whole catalogue in a grid, (H, W, 3) uint8."""
    solids = build_catalogue(seed, variants)
    side = CELL * SAMPLES
    focal = 0.5 * side * DISTANCE_M
    camera = Camera("pinhole", side, side, focal, focal, (side - 1) / 2, (side - 1) / 2)
    canvas = Canvas(camera, layers=1)
    rows = -(-len(KINDS) // KINDS_A_ROW)
    wide, high = variants * CELL + GAP, CELL + CAPTION + GAP
    picture = draw.new_canvas(rows * high + GAP, KINDS_A_ROW * wide + GAP, palette.PAPER)
    for k, kind in enumerate(KINDS):
        left, top = GAP + k % KINDS_A_ROW * wide, GAP + k // KINDS_A_ROW * high
        own = solids[k * variants : (k + 1) * variants]
        longest = [f"{1000 * solid.extent_m.max():.0f}" for solid in own]
        draw.draw_text(picture, kind, (left, top + 14), palette.TEXT, 16)
        draw.draw_text(
            picture, f"{', '.join(longest)} mm", (left + 110, top + 14), palette.MUTED, 14
        )
        for v, solid in enumerate(own):
            x, y = left + v * CELL, top + CAPTION
            picture[y : y + CELL, x : x + CELL] = draw_solid(canvas, solid)
    return picture


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    write_picture(draw_objects(int(sys.argv[2]) if len(sys.argv) == 3 else 0), out)
