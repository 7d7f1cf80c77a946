"""A structured-light sensor as simkinect has it, in whole-image numpy: something to time ours by.

From its published equations (Handa, Whelan, McDonald and Davison 2014; Barron and Malik 2013; Bohg
et al. 2014): the image is read at places shifted by normal noise of half a pixel, disparities are
kept at the dots of the projected pattern where enough of a 9 x 9 window agrees, spread to the
pixels around them in steps of an eighth, and depth is rounded in disparity. Its `+ 0.5` within the
rounding, which biases by -1.4 mm at 1 m, is left out.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

BASELINE_M = 0.075
AGREE_PX = 0.1
"""Disparities of a window that differ by no more agree with its middle."""
HALF = 4
DOTS = 1 / 9


def sense_simkinect(
    depth_m: NDArray[np.float32], focal_px: float, dots: NDArray[np.bool_], rng: Any
) -> NDArray[np.float32]:
    """Depth (H, W) in metres as such a sensor reads it, 0 for nothing. dots: (H, W) the pattern."""
    height, width = depth_m.shape
    v, u = np.mgrid[:height, :width].astype(np.float32)
    shift = rng.normal(0, 0.5, (2, height, width)).astype(np.float32)
    shifted = cv2.remap(depth_m, u + shift[0], v + shift[1], cv2.INTER_LINEAR)
    with np.errstate(divide="ignore"):
        disparity = np.where(shifted > 0, focal_px * BASELINE_M / shifted, 0).astype(np.float32)
    agreeing = np.zeros(depth_m.shape, np.int32)
    padded = np.pad(disparity, HALF)
    for i in range(2 * HALF + 1):
        for j in range(2 * HALF + 1):
            other = padded[i : i + height, j : j + width]
            agreeing += (np.abs(other - disparity) < AGREE_PX) & (other > 0)
    good = dots & (disparity > 0) & (agreeing > (2 * HALF + 1) ** 2 // 2)
    kept = np.where(good, np.round(8 * disparity) / 8, 0).astype(np.float32)
    kept = cv2.dilate(kept, np.ones((3, 3), np.uint8))
    with np.errstate(divide="ignore", invalid="ignore"):
        coarse = np.where(kept > 0, focal_px * BASELINE_M / kept, 0)
        steps = np.round(351.30 / coarse + rng.normal(0, 1 / 6, coarse.shape))
        return np.where(coarse > 0, 351.30 / steps, 0).astype(np.float32)


def draw_dots(height: int, width: int, rng: Any) -> NDArray[np.bool_]:
    """A pattern: one dot somewhere in every 3 x 3 pixels."""
    out = np.zeros((height, width), bool)
    rows, columns = np.mgrid[0 : height - 2 : 3, 0 : width - 2 : 3]
    shift = rng.integers(0, 3, (2, *rows.shape))
    out[rows + shift[0], columns + shift[1]] = True
    return out
