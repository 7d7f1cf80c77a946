#!/usr/bin/env python3
"""Draw what every profile makes of the same synthetic frames.

    python tools/draw_sensors.py docs/pictures/sensors.png

A column a frame, a row a sensor, one colour map a column; violet is without a reading.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from augment.profile import Profile, load_profile
from bench.sensed_hands import AT_WORK, MIXED, SensedHands, read_burst, render_shots
from frames.camera import load_camera
from frames.viewing import canvas, palette
from frames.viewing.sheet import write_picture

ROWS: Final = (
    "ideal",
    *("d435", "d435-matched", "zed", "sr300", "kinect-v1", "azure-kinect", "ahat"),
)
CAMERA: Final = "d435"
FRAMES: Final = 6
GAP, HEAD, SHADES = 4, 112, 32
SCALE: Final = 0.46
SPARE_M: Final = 0.03
SEEN: Final = (0.03, 0.25)
"""Of the image: how much hands cover in the frames that are shown."""


def choose_shots(device: Profile) -> list[SensedHands]:
    """Frames with hands of a fair size that all devices reach, with pairs; half of them at work."""
    out = []
    for scene in (AT_WORK, MIXED):
        found = []
        for shot in render_shots(device, load_camera(CAMERA), 48, scene, seed=3):
            one = SensedHands(shot, shot.depth[None], np.zeros_like(shot.parts))
            share = one.hand.mean()
            if SEEN[0] < share < SEEN[1] and np.percentile(shot.depth[one.hand], 5) > 3200:
                found.append(one)
            if len(found) == FRAMES // 2:
                break
        out += found
    return out


def main(out: str) -> None:
    """Write the picture."""
    matched = load_profile("d435-matched")
    assert isinstance(matched, Profile)
    shots = choose_shots(matched)
    height, width = shots[0].depth.shape
    shape = len(ROWS) * (height + GAP), len(shots) * (width + GAP)
    sheet = canvas.new_canvas(*shape, palette.INK)
    for r, name in enumerate(ROWS):
        top = r * (height + GAP)
        for k, one in enumerate(shots):
            shot = one.shot if name == matched.name else replace(one.shot, pair=None)
            depth = read_burst(load_profile(name), shot)[0][0]
            near, far = np.percentile(one.shot.depth[one.hand] / one.shot.depth_scale, (1, 99))
            picture = palette.color_depth_m(
                depth.astype(np.float32) / np.float32(one.shot.depth_scale),
                float(near) - SPARE_M, float(far) + SPARE_M, 1 / one.shot.camera.fx,
            )  # fmt: skip
            left = k * (width + GAP)
            sheet[top : top + height, left : left + width] = picture
    small = cv2.resize(sheet, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    page = canvas.new_canvas(len(small), HEAD + small.shape[1], palette.INK)
    page[:, HEAD:] = _reduce(small)
    for r, name in enumerate(ROWS):
        place = 6, (r + 0.5) * (height + GAP) * SCALE
        canvas.draw_text(page, name, place, palette.TEXT, 14, True)
    write_picture(page, Path(out))


def _reduce(picture: np.ndarray) -> np.ndarray:
    """Fewer shades, which a file stores in less."""
    step = 256 // SHADES
    return np.asarray(picture // step * step + step // 2, np.uint8)


if __name__ == "__main__":
    main(*sys.argv[1:])
