"""Layers to one image: the nearest layer at each pixel, quantised depth, statistics of layers."""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from frames.parts import HAND_PARTS, HAND_STRIDE, OBJECT_BASE
from synth.raster.keys import JIT, unpack_inverse_depth

AMODAL, AMODAL_BOX, VISIBLE, VISIBLE_BOX, COLUMNS = 0, 1, 5, 6, 10
"""Columns of the statistics table: counts, and boxes (left, top, right, bottom), inclusive."""

_CODE: Final = np.uint32(0xFF)


@njit(**JIT)
def clear_layer(keys, dirty, stride, pad):
    """Zero the dirty rectangle of one layer and `pad` columns beyond its right edge."""
    for y in range(dirty[1], dirty[3] + 1):
        start = np.uint64(y * stride + dirty[0])
        for x in range(np.uint64(max(dirty[2] + 1 + pad - dirty[0], 0))):
            keys[start + x] = 0


@njit(**JIT)
def _tally(row, start, merged, left, count, table, y):
    """Add one row of a layer to its statistics: pixels of labelled parts, seen and amodal."""
    amodal = np.uint32(0)
    visible = np.uint32(0)
    low = np.int32(1 << 20)
    high = np.int32(-1)
    seen_low = np.int32(1 << 20)
    seen_high = np.int32(-1)
    for x in range(np.uint64(count)):
        key = row[start + x]
        code = key & _CODE
        part = (code & np.uint32(HAND_STRIDE - 1)) - np.uint32(1)
        counted = (key != 0) & ((part < np.uint32(HAND_PARTS)) | (code >= np.uint32(OBJECT_BASE)))
        seen = counted & (merged[np.uint64(left) + x] == key)
        at = np.int32(x) + np.int32(left)
        amodal += np.uint32(counted)
        visible += np.uint32(seen)
        low = min(low, at if counted else np.int32(1 << 20))
        high = max(high, at if counted else np.int32(-1))
        seen_low = min(seen_low, at if seen else np.int32(1 << 20))
        seen_high = max(seen_high, at if seen else np.int32(-1))
    for part_count, least, most, column in (
        (amodal, low, high, AMODAL),
        (visible, seen_low, seen_high, VISIBLE),
    ):
        if part_count > 0:
            if table[column] == 0:
                table[column + 1] = least
                table[column + 2] = y
                table[column + 3] = most
            table[column + 1] = min(table[column + 1], least)
            table[column + 3] = max(table[column + 3], most)
            table[column + 4] = y
            table[column] += np.int32(part_count)


@njit(**JIT)
def composite_layers(keys, dirty, stride, merged, depth_scale, depth, codes, table):
    """Write depth (H, W) uint16 = floor(z * depth_scale + 0.5), codes (H, W) uint8, table (K, 10)
    int32.

    keys (K+1, N) uint32, the last layer being the background; merged (W,) uint32 is scratch. Depths
    that do not fit into uint16 read 0.
    """
    layers = keys.shape[0] - 1
    height, width = depth.shape
    scale = np.float32(depth_scale)
    table[:, :] = 0
    for k in range(layers):
        for column in (AMODAL_BOX, VISIBLE_BOX):
            table[k, column : column + 4] = -1
    for y in range(height):
        row = np.uint64(y * stride)
        background = keys[layers]
        if dirty[layers, 1] <= y <= dirty[layers, 3]:
            for x in range(np.uint64(width)):
                merged[x] = background[row + x]
        else:
            merged[:] = 0
        for k in range(layers):
            if dirty[k, 1] <= y <= dirty[k, 3]:
                layer = keys[k]
                for x in range(np.uint64(dirty[k, 0]), np.uint64(dirty[k, 2] + 1)):
                    merged[x] = max(merged[x], layer[row + x])
        depth_row, codes_row = depth[y], codes[y]
        for x in range(np.uint64(width)):
            key = merged[x]
            steps = scale / unpack_inverse_depth(key) + np.float32(0.5)
            reads = (key != 0) & (steps < np.float32(65536))
            depth_row[x] = np.uint16(np.int32(steps)) if reads else np.uint16(0)
            codes_row[x] = np.uint8(key & _CODE)
        for k in range(layers):
            if dirty[k, 1] <= y <= dirty[k, 3]:
                left = dirty[k, 0]
                count = dirty[k, 2] + 1 - left
                start = row + np.uint64(left)
                _tally(keys[k], start, merged, left, count, table[k], y)


@njit(**JIT)
def probe_layers(keys, dirty, stride, width, height, pixels, found):
    """Keys of every layer at pixels (n, 2) int (u, v) to found (K+1, n) uint32; 0 outside."""
    for k in range(keys.shape[0]):
        for i in range(pixels.shape[0]):
            u, v = pixels[i, 0], pixels[i, 1]
            inside = (u >= 0) & (v >= 0) & (u < width) & (v < height)
            touched = (u >= dirty[k, 0]) & (u <= dirty[k, 2]) & (v >= dirty[k, 1])
            touched = touched & (v <= dirty[k, 3])
            hit = inside & touched
            found[k, i] = keys[k, np.uint64(v * stride + u)] if hit else np.uint32(0)
