#!/usr/bin/env python3
"""Draw what occlusion augmentation does: every kind before and behind hands, borders, dropout.

    python tools/draw_occlusion.py docs/pictures/occlusion.png

Depth is shaded by its slope; hands are tinted, what was put in is a little lighter than the rest.
Visible keypoints are dots, occluded ones rings.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from augment.occlusion.border import cut_frame
from augment.occlusion.config import BEFORE, BEHIND, KINDS, Occlusion
from augment.occlusion.dropout import drop_readings
from augment.occlusion.insertion import insert_occluders
from augment.occlusion.sprites import Sprite, cut_sprites
from frames.parts import FOREARM, HAND_STRIDE, OBJECT_BASE, VISIBILITY_VISIBLE
from frames.reasons import DROPOUT
from frames.record import Frame
from frames.skeleton import KEYPOINT_COLORS
from frames.store.rows import Rows
from frames.viewing import canvas
from frames.viewing.palette import shade_relief
from synth.config import SynthConfig
from synth.generator import Generator

FRAMES, EXAMPLES = 400, 3
WIDTH, HEIGHT, GAP, HEAD = 140, 104, 3, 20
COLUMNS = 7
HAND_TINTS = np.array([[214, 160, 122], [122, 186, 140], [186, 130, 196], [150, 140, 214]])
THING = np.array([190, 190, 198])
NEAR_M, FAR_M = 0.2, 2.2
OTHERS = {"border": "cut by the border", "dropout": "dropout", "random": "as drawn"}


def settings(kind: str) -> Occlusion:
    """A draw of one kind alone."""
    if kind == "random":
        return Occlusion(share_before=1, share_behind=0.5)
    return Occlusion(
        share_before=float(kind in BEFORE),
        share_behind=float(kind in BEHIND),
        share_cut=float(kind == "border"),
        share_dropout=float(kind == "dropout"),
        number_before=(1, 1),
        dropout_number=(2, 4),
        **{name: float(name == kind) for name in KINDS},
    )


def find_examples(
    kind: str, frames: list[Frame], sprites: list[Sprite]
) -> Iterator[tuple[Frame, int]]:
    """Frames that changed, and the hand that lost most: some of it, not all."""
    config = settings(kind)
    for old in frames:
        new = drop_readings(cut_frame(old, config, 3), config, 3)
        new = insert_occluders(new, config, 3, sprites=sprites)
        lost = [
            np.sum(a.visibility < b.visibility) for a, b in zip(new.hands, old.hands, strict=False)
        ]
        least = {"cable": 2, "board": 0, "clutter": 0}.get(kind, 4)
        if not lost or not least <= max(lost) <= 15:
            continue
        hand = int(np.argmax(lost))
        if kind in BEHIND and len(new.objects) == len(old.objects):
            continue
        box = old.hands[hand].box_amodal_px
        if not 34 <= np.max(box[2:] - box[:2]) <= 90:
            continue
        yield new, hand


def draw(frame: Frame, hand: int, known: int) -> np.ndarray:
    """A window around a hand, magnified; known: objects that were there before."""
    assert frame.parts is not None and frame.reading is not None
    depth, codes = frame.reading, frame.parts
    z = depth / frame.depth_scale
    tone = np.clip(np.log(np.maximum(z, 1e-3) / NEAR_M) / np.log(FAR_M / NEAR_M), 0, 1)
    image = np.repeat((205 - 160 * tone)[..., None], 3, axis=2)
    skin = (codes > 0) & (codes < OBJECT_BASE)
    tint = HAND_TINTS[np.minimum(codes // HAND_STRIDE, 3)]
    arm = (codes % HAND_STRIDE == FOREARM)[..., None]
    image = np.where(skin[..., None], np.where(arm, 0.78, 1.0) * tint, image)
    image = np.where((codes >= OBJECT_BASE + known)[..., None], 0.4 * image + 0.6 * THING, image)
    image = image * shade_relief(z, 1 / frame.camera.fx, 0.9)[..., None]
    image[depth == 0] = 14, 14, 18
    if frame.invalid is not None:
        image[frame.invalid == DROPOUT] = 84, 30, 48
    panel = np.clip(image, 0, 255).astype(np.uint8)
    for one in frame.hands:
        for k in np.flatnonzero(one.visibility):
            color = KEYPOINT_COLORS[k]
            at = one.keypoints_px[k].astype(np.float64)
            if one.visibility[k] == VISIBILITY_VISIBLE:
                canvas.draw_dot(panel, at, 2.0, color)
            else:
                canvas.draw_ring(panel, at, 2.0, color, 1)
    px = frame.hands[hand].keypoints_px
    middle = np.nanmean(px[np.isfinite(px).all(1)], axis=0)
    height, width = depth.shape
    left = int(np.clip(middle[0] - WIDTH / 2, 0, width - WIDTH))
    top = int(np.clip(middle[1] - HEIGHT / 2, 0, height - HEIGHT))
    return panel[top : top + HEIGHT, left : left + WIDTH]


def main(out: str) -> None:
    """Write the picture."""
    maker = Generator(SynthConfig(seed=1, camera="ego"))
    rows = Rows(maker.make_table(0, FRAMES))
    frames = [rows.frame(i) for i in range(FRAMES)]
    frames = [f for f in frames if any((h.visibility > 0).sum() > 15 for h in f.hands)]
    sprites = cut_sprites(frames)
    names = [*KINDS, *OTHERS]
    bands = -(-len(names) // COLUMNS)
    cell_w, cell_h = WIDTH + GAP, EXAMPLES * (HEIGHT + GAP) + HEAD
    sheet = canvas.new_canvas(bands * cell_h, COLUMNS * cell_w - GAP, (24, 28, 35))
    for n, name in enumerate(names):
        y, x = (n // COLUMNS) * cell_h, (n % COLUMNS) * cell_w
        title = OTHERS.get(name, name.replace("_", " ") + (", behind" if name in BEHIND else ""))
        canvas.draw_text(sheet, title, (x + 4, y + 15), (226, 232, 240), 14, True)
        # Each column from elsewhere in the dataset.
        turned = frames[23 * n :] + frames[: 23 * n]
        known = {f.frame_id: len(f.objects) for f in frames}
        for k, (frame, hand) in zip(
            range(EXAMPLES), find_examples(name, turned, sprites), strict=False
        ):
            panel = draw(frame, hand, known[frame.frame_id])
            top = y + HEAD + k * (HEIGHT + GAP)
            sheet[top : top + len(panel), x : x + panel.shape[1]] = panel
    # Packed as tightly as PNG goes.
    options = [cv2.IMWRITE_PNG_COMPRESSION, 9]
    data = cv2.imencode(".png", np.ascontiguousarray(sheet[..., ::-1]), options)[1]
    Path(out).write_bytes(data.tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
