#!/usr/bin/env python3
"""Draw what training geometry does to a frame: docs/pictures/geometry.png.

    python tools/draw_geometry.py docs/pictures/geometry.png

On the left rendered frames of a pinhole and of a fisheye camera, with the outlines of the virtual
cameras' images; on the right these images with the keypoints as they were carried along. One depth
ramp a row. The first row takes one step at a time, the others draw all of them at once.
"""

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from augment.geometry.labels import apply_to_sample
from augment.geometry.sample import Sample
from augment.geometry.training import TrainingGeometry, draw_geometry
from augment.geometry.virtual_camera import Geometry
from bench.geometry import render_samples
from frames.parts import HAND_STRIDE, OBJECT_BASE
from frames.skeleton import BONES
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.sheet import write_picture

SIDE, COLUMNS, GAP, CAPTION = 128, 5, 6, 18
STILL = TrainingGeometry(
    size=(SIDE, SIDE), margin=1.4, roll_range_rad=(0, 0), aim_range=(0, 0), zoom_range=(1, 1),
    flip_share=0, depth_factor_range=(1, 1), depth_offset_range_m=(0, 0),
)  # fmt: skip
STEPS = {
    "crop": {},
    "roll 0.6 rad": {"roll_range_rad": (0.6, 0.6)},
    "aim 0.15": {"aim_range": (0.15, 0.15)},
    "zoom 0.7": {"zoom_range": (0.7, 0.7)},
    "shift 0.15": {"shift_range": (0.15, 0.15)},
    "flip": {"flip_share": 1.0},
    "depth factor 1.15": {"depth_factor_range": (1.15, 1.15)},
    "depth offset 5 cm": {"depth_offset_range_m": (0.05, 0.05)},
    "half as high": {"size": (SIDE, SIDE // 2)},
    "25 cm a side": {"side_m": 0.25},
}
DRAWN = replace(
    STILL,
    roll_range_rad=(-1.2, 1.2),
    aim_range=(-0.12, 0.12),
    zoom_range=(0.75, 1.3),
    flip_share=0.5,
    depth_factor_range=(0.87, 1.15),
    depth_offset_range_m=(-0.04, 0.04),
)
OUTLINE = (240, 240, 240)
TONES = 16
"""Steps between the tones that are kept: a smaller file."""


def find_range(sample: Sample) -> tuple[float, float]:
    """Depths of the hands, with room for what the steps add."""
    z = sample.hands.keypoints_cam_m[..., 2]
    return 0.8 * float(np.nanmin(z)), 1.25 * float(np.nanmax(z))


def shade(sample: Sample, ends: tuple[float, float]) -> np.ndarray:
    """(H, W, 3) uint8: depth on the ramp, lit by its slopes, hands warmer."""
    depth = sample.images.depth.astype(np.float32) / 1e4
    tone = palette.tone_depth(depth, *ends)
    color = palette.DEPTH_RAMP[np.rint(tone * 255).astype(int)].astype(np.float32)
    parts = sample.images.parts
    hand = (parts > 0) & (parts < OBJECT_BASE) & (parts % HAND_STRIDE > 0)
    color = np.where(hand[..., None], 0.62 * color + 0.38 * np.float32([236, 170, 120]), color)
    color *= palette.shade_relief(depth, 1 / sample.camera.fx)[..., None]
    color[depth == 0] = palette.NO_READING
    return np.clip(color, 0, 255).astype(np.uint8)


def draw_keypoints(picture: np.ndarray, sample: Sample, scale: float = 1.0) -> None:
    """Bones of all hands; hidden keypoints as rings."""
    for n in range(len(sample.hands)):
        px = (sample.hands.keypoints_px[n] + 0.5) * scale - 0.5
        seen = sample.hands.visibility[n]
        for a, b in BONES:
            if seen[a] and seen[b]:
                draw.draw_line(picture, px[a], px[b], palette.color_joint(b, True), 1)
        for k in np.flatnonzero(seen):
            mark = draw.draw_dot if seen[k] == 2 else draw.draw_ring
            mark(picture, px[k], 2.0, palette.color_joint(int(k), True))


def draw_outline(picture: np.ndarray, geometry: Geometry, scale: float) -> None:
    """Where a virtual camera's image lies in the source's."""
    w, h = geometry.camera.width, geometry.camera.height
    t = np.linspace(0, 1, 25)[:, None]
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h], [0, 0]]) - 0.5
    rim = np.concatenate([a + (b - a) * t for a, b in itertools.pairwise(corners)])
    rays = geometry.camera.unproject(rim)
    rays[:, :2] *= geometry.stretch
    px = (geometry.source.project(rays @ geometry.turn) + 0.5) * scale - 0.5
    for a, b in itertools.pairwise(px):
        draw.draw_line(picture, a, b, OUTLINE, 1)


def draw_row(
    sample: Sample, drawn: dict[str, tuple[Sample, Geometry]], outlined: int
) -> np.ndarray:
    """One source and its virtual images in two lines."""
    high = 2 * (SIDE + CAPTION + GAP)
    scale = (high - GAP - CAPTION) / sample.camera.height
    wide = round(sample.camera.width * scale)
    picture = draw.new_canvas(high, 2 * GAP + wide + COLUMNS * (SIDE + GAP), palette.PAPER)
    ends = find_range(sample)
    large = enlarge(shade(sample, ends), scale)
    draw_keypoints(large, sample, scale)
    for _, geometry in list(drawn.values())[:outlined]:
        draw_outline(large, geometry, scale)
    picture[CAPTION : CAPTION + large.shape[0], GAP : GAP + large.shape[1]] = large
    name = f"{sample.camera.model}, {sample.camera.width} x {sample.camera.height}"
    draw.draw_text(picture, name, (GAP, 13), palette.TEXT, 13)
    for n, (title, (out, _)) in enumerate(drawn.items()):
        left = 2 * GAP + wide + n % COLUMNS * (SIDE + GAP)
        top = n // COLUMNS * (SIDE + CAPTION + GAP) + CAPTION
        small = shade(out, ends)
        draw_keypoints(small, out)
        picture[top : top + small.shape[0], left : left + small.shape[1]] = small
        draw.draw_text(picture, title, (left, top - 5), palette.TEXT, 13)
    return picture


def enlarge(picture: np.ndarray, scale: float) -> np.ndarray:
    """The nearest pixel each, by `scale`."""
    height, width = (round(n * scale) for n in picture.shape[:2])
    v = np.minimum(((np.arange(height) + 0.5) / scale).astype(int), picture.shape[0] - 1)
    u = np.minimum(((np.arange(width) + 0.5) / scale).astype(int), picture.shape[1] - 1)
    return picture[v[:, None], u]


def pick(camera: str) -> Sample:
    """A frame with a whole hand in view: far from the axis of a fisheye, near a pinhole's."""
    samples = [s for s in render_samples(camera, 64) if (s.hands.visibility[0] == 2).sum() >= 17]
    samples = [s for s in samples if (s.hands.visibility[0] > 0).all()]
    middle = [s.hands.keypoints_cam_m[0].mean(0) for s in samples]
    slant = [np.hypot(m[0], m[1]) / m[2] for m in middle]
    return samples[int(np.argmax(slant) if camera == "ahat" else np.argmin(slant))]


def change(sample: Sample, config: TrainingGeometry, index: int) -> tuple[Sample, Geometry]:
    """One draw."""
    geometry = draw_geometry(sample, config, 4, index)
    return apply_to_sample(geometry, sample), geometry


def draw_all() -> np.ndarray:
    """The picture, (H, W, 3) uint8."""
    flat, round_ = pick("ego"), pick("ahat")
    steps = {t: change(flat, replace(STILL, **c), 0) for t, c in STEPS.items()}
    drawn = [{f"draw {i}": change(s, DRAWN, i) for i in range(2 * COLUMNS)} for s in (flat, round_)]
    rows = [draw_row(flat, steps, 4), draw_row(flat, drawn[0], 5), draw_row(round_, drawn[1], 5)]
    width = max(r.shape[1] for r in rows)
    out = draw.new_canvas(sum(r.shape[0] for r in rows) + GAP, width + GAP, palette.PAPER)
    top = GAP
    for row in rows:
        out[top : top + row.shape[0], : row.shape[1]] = row
        top += row.shape[0]
    return out


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(draw_all() // TONES * TONES, path)
