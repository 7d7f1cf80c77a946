#!/usr/bin/env python3
"""Draw what stands around and behind the hands, three frames of each kind: docs/pictures/rooms.png.

    python tools/draw_rooms.py docs/pictures/rooms.png [BACKGROUNDS]

Depth as the generator renders it, shaded by its slopes; the nearer the lighter, hands in orange
and green, labelled things in yellow. With a folder of backgrounds, frames before these instead.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from frames.parts import HAND_STRIDE, OBJECT_BASE
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.sheet import write_picture
from synth.config import SynthConfig
from synth.generator import Generator
from synth.scene.arrangement import KINDS

EXAMPLES, KINDS_A_ROW, GAP, CAPTION = 3, 2, 10, 24
WIDTH, HEIGHT = 240, 180
NEAR_M, FAR_M = 0.15, 2.2
HANDS = np.array([[214, 140, 80], [120, 190, 130], [190, 120, 200], [190, 120, 200]])
THING = np.array([222, 200, 90])
TINT = np.array([214, 220, 232])


def shade(depth: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Depth (H, W) uint16 at 0.1 mm and codes (H, W) -> (H, W, 3) uint8."""
    z = np.where(depth > 0, depth / 10000.0, 2 * FAR_M)
    down, across = np.gradient(z)
    slope = (0.6 * across + 0.8 * down) / np.maximum(z, 0.2)
    light = np.clip(0.8 - 6 * slope, 0.35, 1.0)
    nearness = 1 - np.clip((z - NEAR_M) / (FAR_M - NEAR_M), 0, 1)
    color = np.broadcast_to(TINT, (*z.shape, 3)).astype(np.float64)
    hand = (codes > 0) & (codes < OBJECT_BASE)
    color = np.where(hand[..., None], HANDS[np.minimum(codes // HAND_STRIDE, 3)], color)
    color = np.where((codes >= OBJECT_BASE)[..., None], THING, color)
    bright = np.where(codes > 0, 1.0, 0.22 + 0.7 * nearness) * light
    out = np.where((depth > 0)[..., None], color * bright[..., None], 24.0)
    return np.clip(out, 0, 255).astype(np.uint8)


def draw_rooms(backgrounds: str = "", seed: int = 1) -> np.ndarray:
    """All kinds in a grid, (H, W, 3) uint8."""
    maker = Generator(SynthConfig(seed=seed, backgrounds=backgrounds))
    scenes = maker.sample(np.arange(256))
    rendered = maker.render(scenes)
    shown = scenes.surroundings.names()
    names = [b.name for b in maker.backgrounds] or list(KINDS)
    rows = -(-len(names) // KINDS_A_ROW)
    wide, high = EXAMPLES * (WIDTH + 4) + GAP, HEIGHT + CAPTION + GAP
    picture = draw.new_canvas(rows * high + GAP, KINDS_A_ROW * wide + GAP, palette.PAPER)
    for k, name in enumerate(names):
        left, top = GAP + k % KINDS_A_ROW * wide, GAP + k // KINDS_A_ROW * high
        draw.draw_text(picture, name, (left, top + 14), palette.TEXT, 16)
        for n, b in enumerate(np.flatnonzero(shown == name)[:EXAMPLES]):
            cell = shade(rendered.depth[b], rendered.codes[b])
            cell = cv2.resize(cell, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
            x, y = left + n * (WIDTH + 4), top + CAPTION
            picture[y : y + HEIGHT, x : x + WIDTH] = cell
    return picture


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    write_picture(draw_rooms(sys.argv[2] if len(sys.argv) == 3 else ""), out)
