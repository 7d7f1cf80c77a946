"""From a window's disparities at a device's own resolution to the dataset's pixels.

As a device's decimation filter does it (librealsense's: the median of the block's readings), holes
staying holes; and why a hole is one.
"""

import numpy as np
from numba import njit

from frames.reasons import LOW_SIGNAL, MISMATCH, NOTHING, OUT_OF_RANGE, SATURATED, SHADOW

_GLARE = np.uint8(250)
_ONE_SURFACE = 1.0  # px of disparity within a footprint


@njit(cache=True, nogil=True, error_model="numpy")
def explain_holes(  # type: ignore[no-untyped-def]
    disparity, image, depth, hidden, scale, left, least, reach, low_level, window_px, reason
):
    """Fill reason (h, w) uint8, 0 where a disparity was found; drop what cannot be one.

    disparity: (h, w) float32, < 0 for none; dropped are those beyond the range `least` ... `reach`,
    those whose match would lie left of the right image, and those where it is too dark. image:
    (h, w) uint8 of the left eye. depth: (h, w) float32 true m. hidden: (h, w) uint8, not seen by
    the right eye. scale: f B, px m.
    left: column of the window in the whole image. low_level: mean of the image over a window of
    window_px below which it is.
    """
    height, width = disparity.shape
    half = window_px // 2
    sums = np.zeros(width + 1, np.int64)
    columns = np.zeros(width, np.int64)
    glare = np.zeros(width, np.int64)
    bright = np.zeros(width + 1, np.int64)
    for v in range(height):
        # Sums over windows, cut off at the border: columns first, then along the row.
        for j in range(-half, half + 1):
            if v == 0 and 0 <= j < height:
                for u in range(width):
                    columns[u] += image[j, u]
                    glare[u] += image[j, u] >= _GLARE
        if v > 0:
            if v + half < height:
                for u in range(width):
                    columns[u] += image[v + half, u]
                    glare[u] += image[v + half, u] >= _GLARE
            if v - half - 1 >= 0:
                for u in range(width):
                    columns[u] -= image[v - half - 1, u]
                    glare[u] -= image[v - half - 1, u] >= _GLARE
        for u in range(width):
            sums[u + 1] = sums[u] + columns[u]
            bright[u + 1] = bright[u] + glare[u]
        rows = min(v + half, height - 1) - max(v - half, 0) + 1
        for u in range(width):
            d = disparity[v, u]
            a, b = max(u - half, 0), min(u + half, width - 1) + 1
            count = rows * (b - a)
            dim = sums[b] - sums[a] < low_level * count
            if not dim and d >= least and d < reach and left + u - d >= np.float32(-0.5):
                reason[v, u] = 0
                continue
            disparity[v, u] = np.float32(-1.0)
            z = depth[v, u]
            if z == 0:
                reason[v, u] = NOTHING
                continue
            truth = scale / z
            if truth < least or truth >= reach:
                reason[v, u] = OUT_OF_RANGE
            elif hidden[v, u] != 0 or left + u - truth < np.float32(-0.5):
                reason[v, u] = SHADOW
            elif 3 * (bright[b] - bright[a]) > count:
                reason[v, u] = SATURATED
            elif dim:
                reason[v, u] = LOW_SIGNAL
            else:
                reason[v, u] = MISMATCH


@njit(cache=True, nogil=True, error_model="numpy")
def decimate(  # type: ignore[no-untyped-def]
    disparity, reason, top, left, per_pixel, keep, inset, whole, values, whys, shares
):
    """Fill the dataset's pixels that lie in a window; all others keep what they have.

    disparity (h, w) float32 (< 0 for none), reason (h, w) uint8: of the window at row `top`, column
    `left` of an image of `whole` (height, width). per_pixel: its pixels per pixel of the dataset.
    A pixel takes the mean over its footprint, or the median where that holds more than one surface,
    if `keep` of it has readings. inset: pixels at the window's border (not at the image's) that are
    left out. values (H, W) float32: disparity, < 0 for none; whys (H, W) uint8: reason; shares
    (H, W) float32: 0 at the inset's end, 1 three times as far in.
    """
    height, width = values.shape
    h, w = disparity.shape
    room = int(per_pixel) + 3
    block = np.empty(room * room, np.float32)
    counts = np.zeros(256, np.int64)
    last_v = min(int((top + h) / per_pixel) + 1, height)
    first_u, last_u = max(int(left / per_pixel), 0), min(int((left + w) / per_pixel) + 1, width)
    for v in range(max(int(top / per_pixel), 0), last_v):
        r0, r1 = _cover(v, per_pixel, whole[0])
        if r0 < top or r1 > top + h:
            continue
        near_v = 1e9 if top <= 0 else r0 - top
        near_v = near_v if top + h >= whole[0] else min(near_v, top + h - r1)
        for u in range(first_u, last_u):
            c0, c1 = _cover(u, per_pixel, whole[1])
            if c0 < left or c1 > left + w:
                continue
            near = near_v if left <= 0 else min(near_v, c0 - left)
            near = near if left + w >= whole[1] else min(near, left + w - c1)
            share = min((near - inset + 0.5) / (2.0 * inset + 0.5), 1.0)
            if share <= 0.0:
                continue
            shares[v, u] = share
            found, area, total = 0.0, 0.0, 0.0
            low, high = np.float32(1e9), np.float32(0.0)
            for y in range(r0, r1):
                tall = min(y + 0.5, (v + 1) * per_pixel - 0.5) - max(y - 0.5, v * per_pixel - 0.5)
                for x in range(c0, c1):
                    wide = min(x + 0.5, (u + 1) * per_pixel - 0.5)
                    wide = tall * (wide - max(x - 0.5, u * per_pixel - 0.5))
                    area += wide
                    d = disparity[y - top, x - left]
                    if d > 0:
                        total += wide * d
                        found += wide
                        low, high = min(low, d), max(high, d)
            if found > 0.0 and found >= keep * area:
                smooth = high - low < _ONE_SURFACE
                where = r0 - top, r1 - top, c0 - left, c1 - left
                values[v, u] = total / found if smooth else _median(disparity, where, block)
                whys[v, u] = 0
                continue
            values[v, u] = np.float32(-1.0)
            best, why = 0, MISMATCH
            for y in range(r0 - top, r1 - top):
                for x in range(c0 - left, c1 - left):
                    code = reason[y, x]
                    counts[code] += 1
                    if code and counts[code] > best:
                        best, why = counts[code], code
            for y in range(r0 - top, r1 - top):
                for x in range(c0 - left, c1 - left):
                    counts[reason[y, x]] = 0
            whys[v, u] = why


@njit(cache=True, nogil=True, error_model="numpy")
def _median(disparity, where, block):  # type: ignore[no-untyped-def]
    """Of the readings in rows and columns (first, stop, first, stop); the nearer of two."""
    n = 0
    for y in range(where[0], where[1]):
        for x in range(where[2], where[3]):
            d = disparity[y, x]
            if d > 0:
                at = n
                while at > 0 and block[at - 1] > d:
                    block[at] = block[at - 1]
                    at -= 1
                block[at] = d
                n += 1
    return block[n // 2]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _cover(at, per_pixel, whole):  # type: ignore[no-untyped-def]
    """First and last + 1 native pixel that pixel `at` touches."""
    first = int(np.floor(at * per_pixel + 1e-6))
    stop = int(np.ceil((at + 1) * per_pixel - 1e-6))
    first = min(max(first, 0), whole - 1)
    return first, min(max(stop, first + 1), whole)
