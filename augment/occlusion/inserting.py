"""A body's depth image put into a frame's: how near it may come, and what it then covers.

A body is moved along the lines of sight, that is scaled about the camera's centre, which leaves its
image as it is: with the least ratio by which nothing of it comes nearer than a clearance to the
hands that it covers. So no occluder runs through a hand, and its clearance is the one drawn.
"""

import math
from typing import Final

import numpy as np
from numba import njit

from frames.parts import HAND_PARTS, HAND_STRIDE, OBJECT_BASE

STEPS: Final = 65535
"""Farthest step of a depth image."""


@njit(cache=True, nogil=True, error_model="numpy")
def settle_before(top, left, z, depth, parts, solid, far, step_m, clearance_m):  # type: ignore[no-untyped-def]
    """Ratio, at most 1, that brings a body (window z) a clearance before all solid pixels.

    solid (256,): which codes count. far: pixels of more steps do not. Not above 0 if it cannot be.
    """
    ratio = 1.0
    for v in range(z.shape[0]):
        for u in range(z.shape[1]):
            d = depth[top + v, left + u]
            if z[v, u] < math.inf and 0 < d <= far and solid[parts[top + v, left + u]]:
                ratio = min(ratio, (d * step_m - clearance_m) / z[v, u])
    return ratio


@njit(cache=True, nogil=True, error_model="numpy")
def settle_behind(top, left, z, depth, parts, solid, far, step_m, clearance_m):  # type: ignore[no-untyped-def]
    """Ratio, at least 1, that brings a body a clearance behind all solid pixels."""
    ratio = 1.0
    for v in range(z.shape[0]):
        for u in range(z.shape[1]):
            d = depth[top + v, left + u]
            if z[v, u] < math.inf and 0 < d <= far and solid[parts[top + v, left + u]]:
                ratio = max(ratio, (d * step_m + clearance_m) / z[v, u])
    return ratio


@njit(cache=True, nogil=True, error_model="numpy")
def nearest(z):  # type: ignore[no-untyped-def]
    """The least depth of a window, inf for an empty one."""
    out = math.inf
    for v in range(z.shape[0]):
        for u in range(z.shape[1]):
            out = min(out, z[v, u])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def put_body(top, left, z, ratio, code, codes, depth_scale, fill, depth, parts, removed):  # type: ignore[no-untyped-def]
    """Write a body where it is nearer than what is there; how many pixels that are.

    Depth is floor(z * depth_scale + 0.5), as rendered. codes (h, w): each pixel's code plus `code`,
    or (0, 0) for `code` throughout. fill: holes take only what is nearer than so many steps.
    removed (MAX_HANDS,) int64 counts the hands' own pixels that vanish.
    """
    covered = 0
    own = codes.shape[0] > 0
    for v in range(z.shape[0]):
        for u in range(z.shape[1]):
            if not z[v, u] < math.inf:
                continue
            steps = math.floor(z[v, u] * ratio * depth_scale + 0.5)
            d = depth[top + v, left + u]
            if not 1 <= steps <= STEPS or steps >= (d if d > 0 else fill):
                continue
            old = parts[top + v, left + u]
            if 1 <= old % HAND_STRIDE <= HAND_PARTS and old < OBJECT_BASE:
                removed[old // HAND_STRIDE] += 1
            depth[top + v, left + u] = steps
            parts[top + v, left + u] = code + (codes[v, u] if own else 0)
            covered += 1
    return covered


@njit(cache=True, nogil=True, error_model="numpy")
def measure_hand(parts, base, x0, y0, x1, y1):  # type: ignore[no-untyped-def]
    """Pixels of a hand (forearm excluded) among columns x0 ... x1 - 1 and rows y0 ... y1 - 1, and
    their first column and row, last column and row."""
    out = np.array([0, 1 << 30, 1 << 30, -1, -1])
    for v in range(y0, y1):
        first, last = -1, -1
        for u in range(x0, x1):
            if 1 <= np.int64(parts[v, u]) - base <= HAND_PARTS:
                out[0] += 1
                last = u
                if first < 0:
                    first = u
        if last >= 0:
            out[1], out[3] = min(out[1], first), max(out[3], last)
            out[2], out[4] = min(out[2], v), v
    return out
