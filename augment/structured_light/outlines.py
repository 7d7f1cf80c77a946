"""Outlines under a projected pattern: they tremble, and the farther surface beside them is lost."""

import math
from functools import lru_cache

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.structured_light.reading import rate_slant
from frames.reasons import MIXED


def blur_outlines(
    depth: NDArray[np.uint16],
    strength: np.float32,
    cosine: NDArray[np.float32],
    field: NDArray[np.float32],
    widths: NDArray[np.float32],
    out: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]],
) -> None:
    """Change depth_m, sigma_m, reason = out, which `read_surfaces` filled, at outlines.

    strength / depth is the disparity. field: (H, W) float32 of unit variance. widths: jump of
    disparity that is an outline; then in pixels of the image: band, its spread, lateral noise on a
    surface seen squarely, and what a slant adds.

    A pixel at an outline is read from a place beside it, lateral noise away (Nguyen, Izadi and
    Lovell 2012; Barron's simkinect shifts likewise). If a nearer surface begins within the band
    from there, its window holds two disparities and nothing is read: the test that simkinect does
    on the dots of a window.
    """
    jump, band, band_spread, lateral, lateral_slant = widths
    reach = max(band + 2.5 * band_spread, 2.5 * lateral)
    radius = max(1, math.ceil(float(reach) + 0.5))
    height, width = depth.shape
    # A border saves looking whether a place is inside; the right one fills the last block.
    fronts = np.full((height + 2 * radius, width + 2 * radius + _BLOCK), _NO_FRONT, np.uint16)
    if not _list_fronts(depth, strength, jump, radius, fronts):
        return
    inner = fronts[radius : radius + height, radius : radius + width]
    nearest = cv2.erode(inner, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))
    half_jump = np.float32(0.5) * jump
    places = _sort_places(radius)
    limits = (strength, half_jump, band, band_spread)
    _lose_bands(depth, limits, field, fronts, radius, nearest, places, out)
    if lateral > 0:
        _read_beside((lateral, lateral_slant / lateral, float(radius)), cosine, field, nearest, out)


@lru_cache(maxsize=64)
def _sort_places(radius: int) -> NDArray[np.int64]:
    """(N, 3): (squared distance, dv, du) of the places in a disc but its centre, nearest first."""
    span = range(-radius, radius + 1)
    places = [(v * v + u * u, v, u) for v in span for u in span if 0 < v * v + u * u <= radius**2]
    return np.array(sorted(places), np.int64)


_NO_FRONT = 65535
_BLOCK = 32


@njit(cache=True, nogil=True, error_model="numpy")
def _list_fronts(depth, strength, jump, border, fronts):  # type: ignore[no-untyped-def]
    """Set fronts, an image with a border, to the depth where a neighbour is farther by a jump of
    disparity, or nothing. Whether there is any."""
    height, width = depth.shape
    rows = np.zeros((3, width + 2), np.float32)
    above, here, below = rows[0], rows[1], rows[2]
    for u in range(width):
        here[u + 1] = strength / np.float32(depth[0, u]) if depth[0, u] > 0 else np.float32(0.0)
    above[1:-1] = here[1:-1]
    any_front = 0
    for v in range(height):
        if v + 1 < height:
            for u in range(width):
                z = depth[v + 1, u]
                below[u + 1] = strength / np.float32(z) if z > 0 else np.float32(0.0)
        else:
            below[:] = here
        here[0], here[width + 1] = here[1], here[width]  # no outline at the image's border
        front = fronts[v + border, border : border + width]
        for u in range(width):
            d = here[u + 1]
            least = min(min(here[u], here[u + 2]), min(above[u + 1], below[u + 1]))
            mark = d - least > jump
            front[u] = depth[v, u] if mark else np.uint16(_NO_FRONT)
            any_front |= mark
        above, here, below = here, below, above
    return any_front != 0


@njit(cache=True, nogil=True, error_model="numpy")
def _lose_bands(depth, limits, field, fronts, radius, nearest, places, out):  # type: ignore[no-untyped-def]
    """Take away what lies in the band of a front. fronts: as `_list_fronts` gives them, within a
    border of radius; nearest: the nearest of them in reach of each pixel."""
    depth_m, sigma_m, reason = out
    height, width = depth.shape
    wide = _BLOCK * ((width + _BLOCK - 1) // _BLOCK)
    limit, most = np.zeros(wide, np.uint16), np.zeros(wide, np.uint16)
    lost = np.empty(_BLOCK, np.uint16)
    lost_words = lost.view(np.uint64)
    flat, words = fronts.ravel(), most.view(np.uint64)  # four pixels a word
    for v in range(height):
        _limit_row(depth[v], reason[v], nearest[v], field[height - 1 - v], limits, limit, most)
        for first in range(0, wide, _BLOCK):
            any_behind = np.uint64(0)
            for word in range(first // 4, (first + _BLOCK) // 4):
                any_behind |= words[word]
            if any_behind == 0:
                continue
            farthest = 0
            for u in range(first, first + _BLOCK):
                farthest = max(farthest, most[u])
            for word in range(lost_words.shape[0]):
                lost_words[word] = 0
            corner = (v + radius) * fronts.shape[1] + first + radius
            _mark_block(flat, corner, fronts.shape[1], places, farthest, limit, most, first, lost)
            for word in range(lost_words.shape[0]):
                if lost_words[word] != 0:
                    for u in range(4 * word, 4 * word + 4):
                        if lost[u] != 0:
                            depth_m[v, first + u] = sigma_m[v, first + u] = 0.0
                            reason[v, first + u] = MIXED


@njit(cache=True, nogil=True, error_model="numpy")
def _limit_row(depth, reason, nearest, field, limits, limit, most):  # type: ignore[no-untyped-def]
    """For each pixel of a row: the depth that a front must be nearer than, 0 if none in reach is or
    the pixel is not read anyway; the squared distance that it must be nearer than."""
    strength, half_jump, band, band_spread = limits
    half, ceiling = np.float32(0.5), np.float32(0.999)
    for u in range(depth.shape[0]):
        z = strength / (strength / np.float32(depth[u]) + half_jump)
        behind = (np.float32(nearest[u]) < z) & (reason[u] == 0)
        reach = band + band_spread * field[u] + half  # a front ends beyond its pixel's centre
        limit[u] = np.uint16(z) if behind else np.uint16(0)
        most[u] = np.uint16(reach * reach + ceiling) if behind & (reach > half) else np.uint16(0)


@njit(cache=True, nogil=True, error_model="numpy")
def _mark_block(fronts, corner, stride, places, farthest, limit, most, first, lost):  # type: ignore[no-untyped-def]
    """Mark the pixels of a block that have a front nearer than their limits, in depth and place."""
    for k in range(places.shape[0]):
        if places[k, 0] >= farthest:
            break
        distance = np.uint16(places[k, 0])
        # Unsigned places: numba then leaves out what counts negative ones from the end.
        start = np.uint64(corner + places[k, 1] * stride + places[k, 2])
        for u in range(np.uint64(_BLOCK)):
            here = np.uint64(first) + u
            lost[u] |= np.uint16((fronts[start + u] < limit[here]) & (distance < most[here]))


@njit(cache=True, nogil=True, error_model="numpy")
def _read_beside(widths, cosine, field, nearest, out):  # type: ignore[no-untyped-def]
    """Read what lies near a front from the place that lateral noise makes of its own."""
    lateral, slanting, radius = widths
    depth_m, sigma_m, reason = out
    height, width = cosine.shape
    across, down = np.empty(width, np.float32), np.empty(width, np.float32)
    moved = np.zeros(width // 8 * 8 + 8, np.uint8)
    words = moved.view(np.uint64)
    # What is read beside is what was there before any pixel moved: new values wait in a list.
    index, source = np.empty(height * width, np.int64), np.empty(height * width, np.int64)
    n = 0
    for v in range(height):
        # One field serves for both: mirrored, its pixels are independent.
        this, other = field[v], field[height - 1 - v]
        _move_row(nearest[v], cosine[v], this, other, lateral, slanting, across, down, moved)
        for word in range(words.shape[0]):
            if words[word] == 0:
                continue
            for u in range(8 * word, min(8 * word + 8, width)):
                if moved[u] != 0:
                    du = math.floor(min(max(across[u], -radius), radius) + 0.5)
                    dv = math.floor(min(max(down[u], -radius), radius) + 0.5)
                    at_u = min(max(u + int(du), 0), width - 1)
                    at_v = min(max(v + int(dv), 0), height - 1)
                    index[n], source[n] = v * width + u, at_v * width + at_u
                    n += 1
    flat_depth, flat_sigma, flat_reason = depth_m.ravel(), sigma_m.ravel(), reason.ravel()
    new_depth, new_sigma = np.empty(n, np.float32), np.empty(n, np.float32)
    new_reason = np.empty(n, np.uint8)
    for i in range(n):
        at = source[i]
        new_depth[i], new_sigma[i], new_reason[i] = flat_depth[at], flat_sigma[at], flat_reason[at]
    for i in range(n):
        at = index[i]
        flat_depth[at], flat_sigma[at], flat_reason[at] = new_depth[i], new_sigma[i], new_reason[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _move_row(nearest, cosine, this, other, lateral, slanting, across, down, moved):  # type: ignore[no-untyped-def]
    half, one = np.float32(0.5), np.float32(1.0)
    for u in range(nearest.shape[0]):
        away = lateral * (one + slanting * rate_slant(cosine[u]))
        across[u] = away * this[u]
        down[u] = away * other[u]
        far = (abs(across[u]) >= half) | (abs(down[u]) >= half)
        moved[u] = (nearest[u] != _NO_FRONT) & far
