"""Semi-global block matching of one window, and what a device's filters make of it.

OpenCV's StereoSGBM: Hirschmueller, "Stereo processing by semiglobal matching and mutual
information", PAMI 2008, on the sampling-insensitive costs of Birchfield and Tomasi (PAMI 1998)
summed over a window. All of it is integer arithmetic, so the bytes are the same everywhere.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

_SIXTEENTH: Final = 16  # disparities of OpenCV

NONE: Final = np.float32(-1.0)
"""A disparity that was not found."""


@dataclass(frozen=True)
class Matching:
    """How to match."""

    window_px: int
    """Side of the window, odd."""
    small_penalty: float
    """P1 per window pixel: of a change of disparity by one."""
    large_penalty: float
    """P2 per window pixel: of a larger one."""
    left_right_px: int
    """How far matching from right to left may differ; OpenCV knows nothing below 1."""
    uniqueness_percent: int
    """By how much the best match must beat the others."""
    speckle_px: int
    """Areas up to this size that differ from all around them are dropped; 0: none."""
    speckle_step: int
    """Step of disparity between such an area and what is around, px."""
    sobel_cap: int
    """Gradients are cut to this (OpenCV's preFilterCap)."""
    all_ways: bool
    """Eight directions (MODE_HH) in place of five."""


def match_window(
    left: NDArray[np.uint8], right: NDArray[np.uint8], lowest: int, how: Matching
) -> NDArray[np.float32]:
    """(h, w) float32 disparity of the left image, in sixteenths of a pixel, `NONE` for none.

    left: (h, w) uint8; right: (h, w + reach) uint8, whose first column lies `reach` columns left
    of the left image's. Searched are disparities from about `lowest` to below reach, a multiple of
    sixteen of them.
    """
    height, width = left.shape
    reach = right.shape[1] - width
    if min(height, width) < how.window_px or reach < 16:
        return np.full((height, width), NONE, np.float32)
    # The matcher leaves out the first `reach` columns, so whatever stands there is not looked at.
    wide = np.empty_like(right)
    wide[:, reach:] = left
    wide[:, :reach] = left[:, :1]
    number = 16 * max(1, -(-(reach - max(lowest, 0)) // 16))
    area = how.window_px * how.window_px
    matcher = cv2.StereoSGBM.create(
        minDisparity=reach - number,
        numDisparities=number,
        blockSize=how.window_px,
        P1=round(how.small_penalty * area),
        P2=max(round(how.large_penalty * area), round(how.small_penalty * area) + 1),
        disp12MaxDiff=how.left_right_px,
        preFilterCap=how.sobel_cap,
        uniquenessRatio=how.uniqueness_percent,
        speckleWindowSize=how.speckle_px,
        speckleRange=how.speckle_step,
        mode=cv2.StereoSGBM_MODE_HH if how.all_ways else cv2.StereoSGBM_MODE_SGBM,
    )
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        found = matcher.compute(wide, right)[:, reach:]
    finally:
        cv2.setNumThreads(threads)
    out = np.empty((height, width), np.float32)
    _read(np.ascontiguousarray(found), _SIXTEENTH * (reach - number), out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _read(found, least, out):  # type: ignore[no-untyped-def]
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            d = found[v, u]
            out[v, u] = np.float32(d) * np.float32(1.0 / _SIXTEENTH) if d >= least else NONE


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_disparity(disparity, half_px, step, out):  # type: ignore[no-untyped-def]
    """The mean of the found neighbours within `half_px` a side that differ by less than `step`.

    disparity, out: (h, w) float32, `NONE` for none, which stays none. Rows and columns that
    half_px reaches a part of count by that part. Symmetric, so planes stay; steps larger than
    `step` stay sharp.
    """
    height, width = disparity.shape
    reach = int(np.ceil(half_px))
    share = np.float32(half_px - (reach - 1))
    top, bottom = np.empty(width, np.float32), np.empty(width, np.float32)
    for v in range(height):
        own = disparity[v]
        top[:] = np.float32(0.0)
        bottom[:] = np.float32(0.0)
        for j in range(-reach, reach + 1):
            # A pair of neighbours counts only where both lie inside.
            if v + j < 0 or v + j >= height or v - j < 0 or v - j >= height:
                continue
            row = disparity[v + j]
            for i in range(-reach, reach + 1):
                weight = share if abs(j) == reach else np.float32(1.0)
                weight *= share if abs(i) == reach else np.float32(1.0)
                for u in range(abs(i), width - abs(i)):
                    d = row[u + i] - own[u]
                    near = (abs(d) < step) & (row[u + i] >= np.float32(0.0))
                    top[u] += weight * d if near else np.float32(0.0)
                    bottom[u] += weight if near else np.float32(0.0)
        for u in range(width):
            found = own[u] >= np.float32(0.0)
            out[v, u] = own[u] + top[u] / max(bottom[u], np.float32(1.0)) if found else NONE


@njit(cache=True, nogil=True, error_model="numpy")
def quantise(disparity, quantum):  # type: ignore[no-untyped-def]
    """Round found disparities (h, w) float32 to multiples of `quantum` > 0, in place."""
    for v in range(disparity.shape[0]):
        for u in range(disparity.shape[1]):
            d = disparity[v, u]
            if d >= np.float32(0.0):
                disparity[v, u] = np.floor(d / quantum + np.float32(0.5)) * quantum
