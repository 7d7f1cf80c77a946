"""The hand in a depth image, when nobody marked it: the nearest thing that stands out."""

from typing import Final

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_JUMP_M: Final = 0.008
_JUMP_SHARE: Final = 0.015
"""Neighbouring pixels of one surface differ by less than the larger of these, the second of z."""

_LEAST_AREA: Final = 0.004
_MOST_AREA: Final = 0.35
"""Of the image: less is a speck, more is the room."""

_LEAST_OUTLINE: Final = 0.6
"""Share of the outline (image border excepted) beyond which it is much farther, or unread."""

_STAND_OUT_M: Final = 0.03
_REACH_PX: Final = 15
"""How far a silhouette may have grown."""

_PINHOLE: Final = 40
"""Pixels of a hole, enclosed by the hand, that counts as a hole in it."""


def find_hand(depth: NDArray[np.uint16], depth_scale: float) -> Mask | None:
    """(H, W) where the nearest blob is, pinholes filled; None if nothing stands out.

    A blob is a set of pixels connected without a jump of depth. It may be an arm with what the hand
    holds, or a cup: where that matters, masks must be given.
    """
    labels = label_surfaces(depth, _JUMP_M * depth_scale, _JUMP_SHARE)
    counts = np.bincount(labels[labels >= 0], minlength=1)
    best, nearest = None, np.inf
    for label in np.nonzero(counts >= _LEAST_AREA * depth.size)[0]:
        if counts[label] > _MOST_AREA * depth.size:
            continue
        mask = labels == label
        near = float(np.percentile(depth[mask], 10))
        if near < nearest and _stands_out(mask, depth, depth_scale):
            best, nearest = mask, near
    return None if best is None else fill_pinholes(best, depth)


def follow_hand(depth: NDArray[np.uint16], known: Mask, depth_scale: float) -> Mask:
    """(H, W) the blob that a hand, known to be about at `known`, is in this depth image."""
    size = 2 * _REACH_PX + 1
    around = cv2.dilate(known.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    near = np.where(around, depth, 0).astype(np.uint16)
    labels = label_surfaces(near, _JUMP_M * depth_scale, _JUMP_SHARE)
    there = labels[known & (labels >= 0)]
    if not there.size:
        return np.zeros_like(known)
    return fill_pinholes(labels == int(np.argmax(np.bincount(there))), depth)


def fill_pinholes(mask: Mask, depth: NDArray[np.uint16]) -> Mask:
    """The mask with the small holes of the reading that it encloses."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    filled = mask | ((closed > 0) & (depth == 0))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (~filled).astype(np.uint8), connectivity=4
    )
    for k in range(1, count):
        if stats[k, cv2.CC_STAT_AREA] <= _PINHOLE:
            piece = labels == k
            if not depth[piece].any():
                filled |= piece
    return filled


def _stands_out(mask: Mask, depth: NDArray[np.uint16], depth_scale: float) -> bool:
    kernel = np.ones((3, 3), np.uint8)
    rim = (cv2.dilate(mask.astype(np.uint8), kernel) > 0) & ~mask
    # What the outline has for a depth on its inner side, spread one pixel outwards.
    inner = cv2.dilate(np.where(mask, depth, 0).astype(np.uint16), kernel)
    clear = (depth == 0) | (depth > inner + _STAND_OUT_M * depth_scale)
    total = int(np.count_nonzero(rim))
    return bool(total and np.count_nonzero(rim & clear) >= _LEAST_OUTLINE * total)


def label_surfaces(depth: NDArray[np.uint16], jump: float, jump_share: float) -> NDArray[np.int32]:
    """(H, W) int32 number of each pixel's connected surface, -1 where there is no reading.

    Four-connected; neighbours belong together if they differ by at most the larger of `jump` (steps
    of depth) and `jump_share` of the depth.
    """
    parents = np.arange(depth.size, dtype=np.int32)
    labels = np.full(depth.shape, -1, np.int32)
    _label(depth, jump, jump_share, parents, labels)
    return labels


@njit(cache=True, nogil=True, error_model="numpy")
def _find_root(parents, i):  # type: ignore[no-untyped-def]
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@njit(cache=True, nogil=True, error_model="numpy")
def _label(depth, jump, jump_share, parents, labels):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    for v in range(height):
        for u in range(width):
            d = float(depth[v, u])
            if d == 0.0:
                continue
            limit = max(jump, jump_share * d)
            here = v * width + u
            if u and depth[v, u - 1] and abs(float(depth[v, u - 1]) - d) <= limit:
                a, b = _find_root(parents, here - 1), _find_root(parents, here)
                parents[max(a, b)] = min(a, b)
            if v and depth[v - 1, u] and abs(float(depth[v - 1, u]) - d) <= limit:
                a, b = _find_root(parents, here - width), _find_root(parents, here)
                parents[max(a, b)] = min(a, b)
    count = 0
    for v in range(height):
        for u in range(width):
            here = v * width + u
            if depth[v, u]:
                root = _find_root(parents, here)
                if root == here:
                    labels[v, u] = count
                    count += 1
                else:
                    labels[v, u] = labels[root // width, root % width]
