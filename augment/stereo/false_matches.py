"""Islands of wrong disparity: where the right match is hidden or unsure, another place fits."""

import math

import numpy as np
from numba import njit

from augment.effects.noise_hash import hash_uniform
from augment.stereo.marks import BESIDE, HIDDEN, NO_DISPARITY, TORN, mix_pixel

__all__ = ["paint_islands"]

_UNSURE = BESIDE | HIDDEN | TORN
_LEAST, _MOST = 0.6, 1.3
"""A wrong disparity lies evenly between these times the far and the near one of the place."""

_RAGGED = 0.35
"""Of an island's half-width: what its edge is moved by, per deviation of the patches."""

_NEARER = np.float32(2.0)
"""Disparities by which what casts a shadow is nearer."""


@njit(cache=True, nogil=True, error_model="numpy")
def paint_islands(key, share, size_px, depth, ring, scale, right, patches, state, disparity):  # type: ignore[no-untyped-def]
    """Puts islands into `disparity` (H, W) float32 and clears `state` (H, W) uint8 there.

    key: uint64, of the frame. share: of the pixels with a mark of `window_matching`, those that
    become islands. size_px: mean width and height, of 1/2 to 3/2 of it and 2 px at least. depth:
    (H, W) uint16, 0 nothing, of which the nearest within `ring` px counts; scale: disparity times
    depth. right: whether the second eye is at +x. patches: `Patches` that fray the islands' edges.

    Centres are drawn evenly over the image and kept where the place is marked, so that the share
    holds whatever is in the image; what of an island lies on unmarked pixels is left out. The band
    that the second image does not reach has none.
    """
    height, width = disparity.shape
    if share <= 0 or height == 0 or width == 0:
        return
    mean = max(size_px, 2.0)
    wanted = share * height * width / (mean * mean)
    count = int(wanted + hash_uniform(key, 0))
    for i in range(count):
        first = 5 * i + 1
        u = int(hash_uniform(key, first) * width)
        v = int(hash_uniform(key, first + 1) * height)
        if state[v, u] & _UNSURE == 0 or disparity[v, u] == NO_DISPARITY:
            continue
        far = disparity[v, u]
        if state[v, u] == HIDDEN and not _is_behind(state[v], disparity[v], u, right):
            continue
        low, high = _LEAST * far, _MOST * max(scale / _find_nearest(depth, v, u, ring), far)
        d = np.float32(low + (high - low) * hash_uniform(key, first + 2))
        wide = max(int(mean * (0.5 + hash_uniform(key, first + 3)) + 0.5), 2)
        tall = max(int(mean * (0.5 + hash_uniform(key, first + 4)) + 0.5), 2)
        for y in range(max(v - tall // 2, 0), min(v - tall // 2 + tall, height)):
            for x in range(max(u - wide // 2, 0), min(u - wide // 2 + wide, width)):
                a = (2.0 * (x - u + wide // 2) + 1.0 - wide) / wide
                b = (2.0 * (y - v + tall // 2) + 1.0 - tall) / tall
                ragged = _RAGGED * mix_pixel(patches, y, x)
                inside = math.sqrt(a * a + b * b) + ragged < 1.1
                if inside and state[y, x] & _UNSURE and disparity[y, x] != NO_DISPARITY:
                    disparity[y, x] = d
                    state[y, x] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _find_nearest(depth, v, u, ring):  # type: ignore[no-untyped-def]
    """The nearest depth within `ring` pixels of a place; beyond all for nothing there."""
    nearest = 65535.0
    for y in range(max(v - ring, 0), min(v + ring + 1, depth.shape[0])):
        for x in range(max(u - ring, 0), min(u + ring + 1, depth.shape[1])):
            if depth[y, x] != 0:
                nearest = min(nearest, float(depth[y, x]))
    return np.float32(nearest)


@njit(cache=True, nogil=True, error_model="numpy")
def _is_behind(state, disparity, u, right):  # type: ignore[no-untyped-def]
    """Whether the shadow around u ends at a nearer surface: the border's band does not."""
    step = 1 if right else -1
    w = u
    while 0 <= w < state.shape[0] and state[w] & HIDDEN:
        w += step
    return 0 <= w < state.shape[0] and disparity[w] - disparity[u] > _NEARER
