"""Layers to one image: the nearest layer at each pixel, quantised depth, statistics of layers."""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from frames.parts import HAND_PARTS, HAND_STRIDE, OBJECT_BASE
from synth.raster.keys import JIT, LEAN_JIT, unpack_inverse_depth

AMODAL, AMODAL_BOX, VISIBLE, VISIBLE_BOX, COLUMNS = 0, 1, 5, 6, 10
"""Columns of the statistics table: counts, and boxes (left, top, right, bottom), inclusive."""

BLOCK: Final = 16
"""Columns are counted in whole blocks."""

WIDEST: Final = 8192 + 144
"""Widest image; the row length of column statistics, constant for the vectoriser's sake."""

_CODE: Final = np.uint32(0xFF)
_BEYOND: Final = np.int32(1 << 20)
_FIRST, _LAST, _SEEN, _SEEN_FIRST, _SEEN_LAST = (np.uint64(k * WIDEST) for k in range(1, 6))


@njit(**LEAN_JIT)
def clear_layers(keys, dirty, stride, pad):
    """Zero the dirty rectangles of layers, `pad` columns beyond their right edges, and forget them.

    keys (K, N) uint32, dirty (K, 4) int32; an empty rectangle is stride, N, -1, -1.
    """
    for k in range(keys.shape[0]):
        layer, box = keys[k], dirty[k]
        for y in range(box[1], box[3] + 1):
            start = np.uint64(y * stride + box[0])
            for x in range(np.uint64(max(box[2] + 1 + pad - box[0], 0))):
                layer[start + x] = 0
        box[0], box[1], box[2], box[3] = stride, keys.shape[1], -1, -1


@njit(**LEAN_JIT, inline="always")
def _tally(keys, start, merged, left, count, y, columns, at):
    """Add one row of a layer (keys from `start`) to its column statistics (from `at`)."""
    line = np.int32(y)
    for i in range(np.uint64(count)):
        x = left + i
        key = keys[start + x]
        code = key & _CODE
        part = (code & np.uint32(HAND_STRIDE - 1)) - np.uint32(1)
        counted = (key != 0) & ((part < np.uint32(HAND_PARTS)) | (code >= np.uint32(OBJECT_BASE)))
        seen = counted & (merged[x] == key)
        columns[at + x] += np.int32(counted)
        columns[at + _FIRST + x] = min(columns[at + _FIRST + x], line if counted else _BEYOND)
        columns[at + _LAST + x] = max(columns[at + _LAST + x], line if counted else np.int32(-1))
        columns[at + _SEEN + x] += np.int32(seen)
        columns[at + _SEEN_FIRST + x] = min(
            columns[at + _SEEN_FIRST + x], line if seen else _BEYOND
        )
        columns[at + _SEEN_LAST + x] = max(
            columns[at + _SEEN_LAST + x], line if seen else np.int32(-1)
        )


@njit(**LEAN_JIT, inline="always")
def _summarise(columns, left, right, table):
    """Counts and boxes of one layer: table (10,) int32 from its columns left ... right - 1.

    columns (6 * WIDEST,) int32: of each column how many pixels, the first and the last row; of all
    labelled parts, then of those in front.
    """
    for offset, column in ((0, AMODAL), (3 * WIDEST, VISIBLE)):
        total = 0
        west, north, east, south = 1 << 20, 1 << 20, -1, -1
        for x in range(left, right):
            count = columns[offset + x]
            if count > 0:
                total += count
                west = min(west, x)
                east = x
                north = min(north, columns[offset + WIDEST + x])
                south = max(south, columns[offset + 2 * WIDEST + x])
        table[column] = total
        table[column + 1] = west if total else -1
        table[column + 2] = north if total else -1
        table[column + 3] = east
        table[column + 4] = south


@njit(**JIT)
def composite_layers(keys, dirty, stride, merged, columns, depth_scale, depth, codes, table):
    """Write depth (H, W) uint16 = floor(z * depth_scale + 0.5), codes (H, W) uint8, table (K, 10)
    int32.

    keys (K+1, N) uint32, the last layer being the background; merged (W,) uint32 and columns
    (K, 6 * WIDEST) int32 are scratch. Depths that do not fit into uint16 read 0.
    """
    layers = keys.shape[0] - 1
    height, width = depth.shape
    scale = np.float32(depth_scale)
    # Whole blocks of columns, so that the vectorised loops have no remainder.
    lefts = dirty[:, 0] & ~(BLOCK - 1)
    rights = np.minimum((dirty[:, 2] + BLOCK) & ~(BLOCK - 1), width)
    for k in range(layers):
        for x in range(lefts[k], rights[k]):
            for n in range(6):
                columns[k, n * WIDEST + x] = 0 if n % 3 == 0 else (_BEYOND if n % 3 == 1 else -1)
    # Flat views, made once: taking one for every row would cost more than the row.
    flat, per_layer = keys.reshape(keys.size), np.uint64(keys.shape[1])
    tallies = columns.reshape(columns.size)
    for y in range(height):
        row = np.uint64(y * stride)
        if dirty[layers, 1] <= y <= dirty[layers, 3]:
            start = np.uint64(layers) * per_layer + row
            for x in range(np.uint64(width)):
                merged[x] = flat[start + x]
        else:
            merged[:] = 0
        for k in range(layers):
            if dirty[k, 1] <= y <= dirty[k, 3]:
                left = np.uint64(lefts[k])
                start = np.uint64(k) * per_layer + row + left
                for i in range(np.uint64(rights[k]) - left):
                    merged[left + i] = max(merged[left + i], flat[start + i])
        for x in range(np.uint64(width)):
            key = merged[x]
            steps = scale / unpack_inverse_depth(key) + np.float32(0.5)
            reads = (key != 0) & (steps < np.float32(65536))
            depth[y, x] = np.uint16(np.int32(steps)) if reads else np.uint16(0)
            codes[y, x] = np.uint8(key & _CODE)
        for k in range(layers):
            if dirty[k, 1] <= y <= dirty[k, 3]:
                left = np.uint64(lefts[k])
                start = np.uint64(k) * per_layer + row
                at = np.uint64(k * 6 * WIDEST)
                count = np.uint64(rights[k]) - left
                _tally(flat, start, merged, left, count, y, tallies, at)
    for k in range(layers):
        _summarise(columns[k], lefts[k], max(rights[k], lefts[k]), table[k])
