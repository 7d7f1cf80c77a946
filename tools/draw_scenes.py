#!/usr/bin/env python3
"""Draw frames as small pictures: a sheet of scenes, or sequences in rows.

    python tools/draw_scenes.py docs/pictures/scenes.png
    python tools/draw_scenes.py docs/pictures/sequences.png --sequences

Depth is shaded by its slope; hands, things and what is worn are tinted by their codes.
"""

import sys
from pathlib import Path

import numpy as np

from frames.parts import FOREARM, HAND_STRIDE, OBJECT_BASE
from frames.viewing.palette import shade_relief
from frames.viewing.sheet import write_picture
from synth.config import SynthConfig
from synth.generator import Generator

COLUMNS, ROWS = 10, 10
SEQUENCE_LENGTH, SHOWN = 40, 8
GAP = 2
HAND_TINTS = np.array([[214, 160, 122], [122, 186, 140], [186, 130, 196], [150, 140, 214]])
THING = np.array([216, 196, 104])
NEAR_M, FAR_M = 0.25, 2.5


def draw(depth: np.ndarray, codes: np.ndarray, focal_px: float) -> np.ndarray:
    """(H, W) uint16 depth, 0.1 mm, and (H, W) uint8 codes -> (H, W, 3) uint8."""
    z = depth / 1e4
    tone = np.clip((np.log(np.maximum(z, 1e-3)) - np.log(NEAR_M)) / np.log(FAR_M / NEAR_M), 0, 1)
    image = np.repeat((205 - 150 * tone)[..., None], 3, axis=2)
    hand = (codes > 0) & (codes < OBJECT_BASE)
    tint = HAND_TINTS[np.minimum(codes // HAND_STRIDE, 3)]
    arm = (codes % HAND_STRIDE == FOREARM)[..., None]
    image = np.where(hand[..., None], np.where(arm, 0.78, 1.0) * tint, image)
    image = np.where((codes >= OBJECT_BASE)[..., None], THING, image)
    image = image * shade_relief(z, 1 / focal_px, 0.9)[..., None]
    image[depth == 0] = 14
    return np.clip(image, 0, 255).astype(np.uint8)


def tile(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Pictures of one size in rows."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for k, picture in enumerate(pictures):
        y, x = (k // columns) * (height + GAP), (k % columns) * (width + GAP)
        sheet[y : y + height, x : x + width] = picture
    return sheet


def main(out: str, *flags: str) -> None:
    """Write one sheet."""
    moving = "--sequences" in flags
    length = SEQUENCE_LENGTH if moving else 1
    maker = Generator(SynthConfig(seed=1, camera="ego-small", sequence_length=length))
    columns, rows = (SHOWN, 8) if moving else (COLUMNS, ROWS)
    ids = np.arange(rows * length if moving else columns * rows)
    if moving:
        ids = ids[(ids % length) % (length // SHOWN) == 0]
    images = maker.render(maker.sample(ids))
    pictures = [
        draw(d, c, maker.camera.fx) for d, c in zip(images.depth, images.codes, strict=True)
    ]
    write_picture(tile(pictures, columns), Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
