#!/usr/bin/env python3
"""Real depth frames beside synthetic ones, in random order: which is which?

    python tools/draw_likeness.py --captures DIR OUT.png [--profile zed] [--seed 1]

DIR: 16-bit depth images of one camera with its camera.json, as `handloom calibrate` takes them; the
synthetic frames have the same camera, hands that grip or touch things over tables, and the
profile's sensor. All go through one colour map, whose range is that of each frame's nearest blob.
OUT.txt tells which are which.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.calibrate.hands import find_hands
from augment.calibrate.reading import read_capture
from augment.calibrate.silhouette import find_hand
from bench.sensed_hands import AT_WORK, sense_hands
from frames.camera import Camera
from frames.stream import generator
from frames.viewing import canvas, palette
from frames.viewing.sheet import write_picture
from synth.raster.canvas import DEPTH_SCALE

COLUMNS: Final = 4
GAP: Final = 6
SPARE_M: Final = 0.02
SEEN: Final = 0.02
"""Of the image: the least that hands cover in a frame that is shown."""

Picture = NDArray[np.uint8]


def color(depth: NDArray[np.uint16], blob: NDArray[np.bool_], scale: float, fx: float) -> Picture:
    """(H, W, 3) uint8 of a depth image (H, W) whose nearest blob is known."""
    depth_m = depth.astype(np.float32) / np.float32(scale)
    near, far = np.percentile(depth_m[blob & (depth > 0)], (1, 99))
    return palette.color_depth_m(depth_m, float(near) - SPARE_M, float(far) + SPARE_M, 1 / fx)


def draw_real(folder: Path) -> tuple[list[tuple[Picture, str]], Camera]:
    """Frames of a folder in which a hand stands out."""
    capture = read_capture(folder)
    frames, _ = find_hands(capture)
    scale, camera = capture.depth_scale, capture.camera
    named = [(color(f.depth, f.hand, scale, camera.fx), f"real {k}") for k, f in enumerate(frames)]
    return named, camera


def draw_made(profile: str, camera: Camera, seed: int) -> Iterator[tuple[Picture, str]]:
    """Synthetic frames without end in which a hand stands out; nothing else is chosen."""
    first = 0
    while True:
        for one in sense_hands(profile, camera, 32, AT_WORK, seed, first=first):
            blob = find_hand(one.depth, DEPTH_SCALE)
            if blob is None or (blob & one.arm).mean() < SEEN or one.hand.mean() < SEEN / 2:
                continue
            name = f"synthetic, seed {seed}, frame {one.shot.keys.frame}"
            yield color(one.depth, blob, DEPTH_SCALE, camera.fx), name
        first += 32


def tile(pictures: Sequence[Picture]) -> Picture:
    """Numbered pictures of one size in rows."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // COLUMNS)
    sheet = canvas.new_canvas(rows * (height + GAP), COLUMNS * (width + GAP), palette.INK)
    for k, picture in enumerate(pictures):
        y, x = (k // COLUMNS) * (height + GAP), (k % COLUMNS) * (width + GAP)
        sheet[y : y + height, x : x + width] = picture
        canvas.draw_text(sheet, str(k + 1), (x + 8, y + 24), palette.TEXT, 20, True)
    return sheet


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page and its key."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--captures", type=Path, required=True)
    parser.add_argument("--profile", default="zed")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    real, camera = draw_real(given.captures)
    made = draw_made(given.profile, camera, given.seed)
    # The last row is filled up, so that the number of real frames tells nothing.
    total = -(-2 * len(real) // COLUMNS) * COLUMNS
    all_ = [*real, *(next(made) for _ in range(total - len(real)))]
    order = generator(given.seed, 0, "likeness/order").permutation(total)
    write_picture(tile([all_[k][0] for k in order]), given.out)
    key = "".join(f"{i + 1}: {all_[k][1]}\n" for i, k in enumerate(order))
    given.out.with_suffix(".txt").write_text(key, "utf-8")


if __name__ == "__main__":
    main()
