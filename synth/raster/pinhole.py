"""Triangles through a pinhole: snapped vertices, exact integer edges, one SIMD block of pixels at a
time.

Vertices are snapped to 1/1024 pixel. Edge functions of snapped vertices are exact in int64, pixels
on an edge belong to both its triangles, so shared edges cannot crack. 1/z is affine in pixels; its
plane comes from the unsnapped vertices and is clamped to the triangle's own range, which tames
slivers. Triangles with a vertex behind the near plane or far outside the image are left to
`homogeneous.py`. (Pineda, "A parallel algorithm for polygon rasterization", SIGGRAPH 1988.)
"""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from synth.raster.keys import INVERSE_DEPTH_MIN, LEAN_JIT
from synth.raster.lanes import LANES, shade_affine

SNAP_BITS: Final = 10
SNAP: Final = 1 << SNAP_BITS
GUARD_PX: Final = 1 << 14
"""Vertices farther than this from the first pixel are not snapped: products stay below 2^53."""

UNSNAPPED: Final = 1 << 30
"""Marks a vertex that has no snapped position."""

CHUNK: Final = 128
"""Faces gathered at a time: their corners stay in the nearest cache."""

PLAN: Final = 14
"""Rows of a plan (PLAN * CHUNK,): edges at the first pixel, their steps in x and in y, 1/z and its
steps, its range."""

SPANS: Final = 5
"""Rows of spans (SPANS * CHUNK,) int32: first index, rows, blocks, left, top."""

_ROW1, _ROW2, _ROW3, _ROW4, _ROW5, _ROW6, _ROW7, _ROW8, _ROW9, _ROW10, _ROW11, _ROW12, _ROW13 = (
    np.uint64(k * CHUNK) for k in range(1, PLAN)
)
# Constant offsets, because LLVM proves rows disjoint only if it knows where they begin.
_AT0, _AT1, _AT2 = (np.uint64(2 * (4 * k + 3) * CHUNK) for k in range(3))

INSIDE: Final = 1
HOMOGENEOUS: Final = 2


@njit(**LEAN_JIT)
def project_vertices(vertices, fx, fy, cx, cy, near, points):
    """Fill points (V, 4) float64: u, v, 1/z, and the bits of the snapped u, v (int32 each)."""
    xyz, out = vertices.reshape(vertices.size), points.reshape(points.size)
    for i in range(np.uint64(vertices.shape[0])):
        at, to = np.uint64(3) * i, np.uint64(4) * i
        w = 1.0 / np.float64(xyz[at + np.uint64(2)])
        u = fx * np.float64(xyz[at]) * w + cx
        v = fy * np.float64(xyz[at + np.uint64(1)]) * w + cy
        usable = (
            (np.float64(xyz[at + np.uint64(2)]) > near) & (abs(u) < GUARD_PX) & (abs(v) < GUARD_PX)
        )
        x = np.int64(np.floor((u if usable else 0.0) * SNAP + 0.5))
        y = np.int64(np.floor((v if usable else 0.0) * SNAP + 0.5))
        x = x if usable else np.int64(UNSNAPPED)
        y = y if usable else np.int64(UNSNAPPED)
        out[to] = u
        out[to + np.uint64(1)] = v
        out[to + np.uint64(2)] = w
        packed = np.int64((y << np.int64(32)) | (x & np.int64(0xFFFFFFFF)))
        out[to + np.uint64(3)] = packed.view(np.float64)


@njit(inline="always", **LEAN_JIT)
def _pixel_range(low, high, size):
    """First and last pixel whose centre lies between two snapped coordinates, within the image."""
    first = max(np.int32((low + np.int32(SNAP - 1)) >> np.int32(SNAP_BITS)), np.int32(0))
    return first, min(np.int32(high >> np.int32(SNAP_BITS)), np.int32(size - 1))


@njit(**LEAN_JIT)
def sort_faces(faces, points, width, height, closed, corners, verdict):
    """Fill verdict (F,) uint8: 0 rejected, INSIDE to draw, HOMOGENEOUS left to the general path;
    return the number of the last.

    Rejects back faces of closed meshes, triangles without area, and those whose bounding box holds
    no pixel centre of the image. corners (12 * CHUNK,) float64 is scratch: vertices are gathered
    first, then judged in a loop without branches, which LLVM vectorises.
    """
    specials = np.uint64(0)
    bits, corner_of = points.reshape(points.size).view(np.int64), faces.reshape(faces.size)
    gathered, halves = corners.view(np.int64), corners.view(np.int32)
    second, third = np.uint64(2 * CHUNK), np.uint64(4 * CHUNK)
    for start in range(0, faces.shape[0], CHUNK):
        count = np.uint64(min(CHUNK, faces.shape[0] - start))
        first = np.uint64(start)
        for n in range(count):
            for k in range(np.uint64(3)):
                vertex = np.uint64(np.uint32(corner_of[np.uint64(3) * (first + n) + k]))
                gathered[k * np.uint64(CHUNK) + n] = bits[np.uint64(4) * vertex + np.uint64(3)]
        for n in range(count):
            x, y = np.uint64(2) * n, np.uint64(2) * n + np.uint64(1)
            x0, x1, x2 = halves[x], halves[second + x], halves[third + x]
            y0, y1, y2 = halves[y], halves[second + y], halves[third + y]
            area = np.int64(np.int32(x1 - x0)) * np.int64(np.int32(y2 - y0))
            area -= np.int64(np.int32(x2 - x0)) * np.int64(np.int32(y1 - y0))
            farthest = max(max(x0, x1), x2)
            left, right = _pixel_range(min(min(x0, x1), x2), farthest, width)
            top, bottom = _pixel_range(min(min(y0, y1), y2), max(max(y0, y1), y2), height)
            facing = (area < 0) | ((area > 0) & (not closed))
            keep = facing & (left <= right) & (top <= bottom)
            special = farthest == np.int32(UNSNAPPED)
            verdict[first + n] = np.uint8(HOMOGENEOUS) if special else np.uint8(keep)
            specials += np.uint64(special)
    return specials


@njit(**LEAN_JIT)
def compact_faces(verdict, count, wanted, chosen):
    """Write which of `count` faces have this verdict to chosen (count + 1,) int32; count them."""
    n = np.uint64(0)
    for f in range(np.uint64(count)):
        chosen[n] = np.int32(f)
        n += np.uint64(verdict[f] == wanted)
    return n


@njit(**LEAN_JIT, inline="always")
def _plan_edges(corners, count, width, height, stride, plan, spans, dirty):
    """Fill rows 0..8 of plan (edges at the first pixel, steps in x, in y) and spans; see PLAN.

    corners (12 * CHUNK,) float64 holds rows u, v, 1/z and snapped of each of three corners.
    """
    halves = corners.view(np.int32)
    west, north, east, south = dirty[0], dirty[1], dirty[2], dirty[3]
    for n in range(np.uint64(count)):
        x, y = np.uint64(2) * n, np.uint64(2) * n + np.uint64(1)
        x0, x1, x2 = halves[_AT0 + x], halves[_AT1 + x], halves[_AT2 + x]
        y0, y1, y2 = halves[_AT0 + y], halves[_AT1 + y], halves[_AT2 + y]
        left, right = _pixel_range(min(min(x0, x1), x2), max(max(x0, x1), x2), width)
        top, bottom = _pixel_range(min(min(y0, y1), y2), max(max(y0, y1), y2), height)
        west, north = min(west, left), min(north, top)
        east, south = max(east, right), max(south, bottom)
        # Front faces turn clockwise in y-down pixels (negative area): flip so that inside is >= 0.
        # Integers below 2^53 are exact in float64.
        a0, b0 = np.float64(np.int32(y1 - y0)), np.float64(np.int32(x0 - x1))
        a1, b1 = np.float64(np.int32(y2 - y1)), np.float64(np.int32(x1 - x2))
        a2, b2 = np.float64(np.int32(y0 - y2)), np.float64(np.int32(x2 - x0))
        sign = 1.0 if a2 * b0 < a0 * b2 else -1.0
        a0, b0, a1, b1, a2, b2 = sign * a0, sign * b0, sign * a1, sign * b1, sign * a2, sign * b2
        px, py = np.int32(left * np.int32(SNAP)), np.int32(top * np.int32(SNAP))
        plan[n] = a0 * np.float64(np.int32(px - x0)) + b0 * np.float64(np.int32(py - y0))
        plan[_ROW1 + n] = a1 * np.float64(np.int32(px - x1)) + b1 * np.float64(np.int32(py - y1))
        plan[_ROW2 + n] = a2 * np.float64(np.int32(px - x2)) + b2 * np.float64(np.int32(py - y2))
        plan[_ROW3 + n], plan[_ROW4 + n], plan[_ROW5 + n] = a0 * SNAP, a1 * SNAP, a2 * SNAP
        plan[_ROW6 + n], plan[_ROW7 + n], plan[_ROW8 + n] = b0 * SNAP, b1 * SNAP, b2 * SNAP
        spans[n] = np.int32(top * np.int32(stride) + left)
        spans[_ROW1 + n] = np.int32(bottom - top + np.int32(1))
        spans[_ROW2 + n] = np.int32(((right - left) >> np.int32(3)) + np.int32(1))
        spans[_ROW3 + n] = left
        spans[_ROW4 + n] = top
    dirty[0], dirty[1], dirty[2], dirty[3] = west, north, east, south


@njit(**LEAN_JIT, inline="always")
def _plan_depths(corners, count, plan, spans):
    """Fill rows 9..13 of plan: 1/z at the first pixel, its steps in x and y, its range."""
    for n in range(np.uint64(count)):
        u0, v0, w0 = corners[n], corners[_ROW1 + n], corners[_ROW2 + n]
        u1, v1, w1 = corners[_ROW4 + n], corners[_ROW5 + n], corners[_ROW6 + n]
        u2, v2, w2 = corners[_ROW8 + n], corners[_ROW9 + n], corners[_ROW10 + n]
        du1, dv1, dw1 = u1 - u0, v1 - v0, w1 - w0
        du2, dv2, dw2 = u2 - u0, v2 - v0, w2 - w0
        det = du1 * dv2 - du2 * dv1
        inverse = 0.0 if det == 0.0 else 1.0 / det
        gx = (dw1 * dv2 - dw2 * dv1) * inverse
        gy = (du1 * dw2 - du2 * dw1) * inverse
        left, top = np.float64(spans[_ROW3 + n]), np.float64(spans[_ROW4 + n])
        plan[_ROW9 + n] = w0 + gx * (left - u0) + gy * (top - v0)
        plan[_ROW10 + n] = gx
        plan[_ROW11 + n] = gy
        plan[_ROW12 + n] = max(min(min(w0, w1), w2), INVERSE_DEPTH_MIN)
        plan[_ROW13 + n] = max(max(max(w0, w1), w2), INVERSE_DEPTH_MIN)


@njit(**LEAN_JIT)
def fill_faces(
    chosen,
    count,
    faces,
    codes,
    base,
    points,
    width,
    height,
    keys,
    stride,
    dirty,
    corners,
    plan,
    spans,
):
    """Draw the chosen faces into keys (flat uint32, rows of `stride`); widen dirty (4,) int32."""
    flat, corner_of = points.reshape(points.size), faces.reshape(faces.size)
    for start in range(np.uint64(0), np.uint64(count), np.uint64(CHUNK)):
        here = min(np.uint64(CHUNK), np.uint64(count) - start)
        for n in range(here):
            f = np.uint64(np.uint32(chosen[start + n]))
            for k in range(np.uint64(3)):
                vertex = np.uint64(4) * np.uint64(np.uint32(corner_of[np.uint64(3) * f + k]))
                for c in range(np.uint64(4)):
                    corners[(np.uint64(4) * k + c) * np.uint64(CHUNK) + n] = flat[vertex + c]
        _plan_edges(corners, here, width, height, stride, plan, spans, dirty)
        _plan_depths(corners, here, plan, spans)
        for n in range(here):
            code = np.uint64(np.uint8(codes[np.uint64(np.uint32(chosen[start + n]))] + base))
            e0, e1, e2 = plan[n], plan[_ROW1 + n], plan[_ROW2 + n]
            a0, a1, a2 = plan[_ROW3 + n], plan[_ROW4 + n], plan[_ROW5 + n]
            b0, b1, b2 = plan[_ROW6 + n], plan[_ROW7 + n], plan[_ROW8 + n]
            w, gx, gy = plan[_ROW9 + n], plan[_ROW10 + n], plan[_ROW11 + n]
            lo, hi = plan[_ROW12 + n], plan[_ROW13 + n]
            at = np.uint64(np.uint32(spans[n]))
            blocks = np.uint64(np.uint32(spans[_ROW2 + n]))
            for _ in range(np.uint64(np.uint32(spans[_ROW1 + n]))):
                x = 0.0
                for block in range(blocks):
                    shade_affine(
                        keys,
                        at + block * np.uint64(LANES),
                        e0 + a0 * x,
                        e1 + a1 * x,
                        e2 + a2 * x,
                        a0,
                        a1,
                        a2,
                        w + gx * x,
                        gx,
                        lo,
                        hi,
                        code,
                    )
                    x += LANES
                at += np.uint64(stride)
                e0 += b0
                e1 += b1
                e2 += b2
                w += gy
