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

from synth.raster.keys import INVERSE_DEPTH_MIN, JIT
from synth.raster.lanes import LANES, shade_affine

SNAP_BITS: Final = 10
SNAP: Final = 1 << SNAP_BITS
GUARD_PX: Final = 1 << 14
"""Vertices farther than this from the first pixel are not snapped: products stay below 2^53."""

UNSNAPPED: Final = 1 << 30
"""Marks a vertex that has no snapped position."""

INSIDE: Final = 1
HOMOGENEOUS: Final = 2


@njit(**JIT)
def project_vertices(vertices, fx, fy, cx, cy, near, px, snapped):
    """Fill px (3, V) float64 with u, v, 1/z and snapped (2, V) int32 with the fixed-point u, v."""
    for i in range(vertices.shape[0]):
        z = np.float64(vertices[i, 2])
        w = 1.0 / z
        u = fx * np.float64(vertices[i, 0]) * w + cx
        v = fy * np.float64(vertices[i, 1]) * w + cy
        usable = (z > near) & (abs(u) < GUARD_PX) & (abs(v) < GUARD_PX)
        px[0, i] = u
        px[1, i] = v
        px[2, i] = w
        snapped[0, i] = (
            np.int32(np.floor((u if usable else 0.0) * SNAP + 0.5)) if usable else UNSNAPPED
        )
        snapped[1, i] = (
            np.int32(np.floor((v if usable else 0.0) * SNAP + 0.5)) if usable else UNSNAPPED
        )


@njit(**JIT)
def sort_faces(faces, snapped, width, height, closed, verdict):
    """Fill verdict (F,) uint8: 0 rejected, INSIDE to draw, HOMOGENEOUS left to the general path;
    return the number of the last.

    Rejects back faces of closed meshes, triangles without area, and those whose bounding box holds
    no pixel centre of the image. Straight-line code without branches, so that LLVM vectorises it.
    """
    right = np.int32(width - 1)
    bottom = np.int32(height - 1)
    specials = np.uint64(0)
    for f in range(faces.shape[0]):
        i = np.uint64(np.uint32(faces[f, 0]))
        j = np.uint64(np.uint32(faces[f, 1]))
        k = np.uint64(np.uint32(faces[f, 2]))
        x0, x1, x2 = snapped[0, i], snapped[0, j], snapped[0, k]
        y0, y1, y2 = snapped[1, i], snapped[1, j], snapped[1, k]
        area = np.int64(x1 - x0) * np.int64(y2 - y0) - np.int64(x2 - x0) * np.int64(y1 - y0)
        xmin = min(min(x0, x1), x2)
        xmax = max(max(x0, x1), x2)
        ymin = min(min(y0, y1), y2)
        ymax = max(max(y0, y1), y2)
        left = max(np.int32((xmin + np.int32(SNAP - 1)) >> np.int32(SNAP_BITS)), np.int32(0))
        top = max(np.int32((ymin + np.int32(SNAP - 1)) >> np.int32(SNAP_BITS)), np.int32(0))
        east = min(np.int32(xmax >> np.int32(SNAP_BITS)), right)
        south = min(np.int32(ymax >> np.int32(SNAP_BITS)), bottom)
        facing = (area < 0) | ((area > 0) & (not closed))
        keep = facing & (left <= east) & (top <= south)
        special = xmax == np.int32(UNSNAPPED)
        verdict[f] = np.uint8(HOMOGENEOUS) if special else np.uint8(keep)
        specials += np.uint64(special)
    return specials


@njit(**JIT)
def compact_faces(verdict, count, wanted, chosen):
    """Write which of `count` faces have this verdict to chosen (count + 1,) int32; count them."""
    n = np.uint64(0)
    for f in range(count):
        chosen[n] = f
        n += np.uint64(verdict[f] == wanted)
    return n


@njit(**JIT)
def fill_faces(chosen, count, faces, codes, base, px, snapped, width, height, keys, stride, dirty):
    """Draw the chosen faces into keys (flat uint32, rows of `stride`); widen dirty (4,) int64."""
    west, north, east, south = dirty[0], dirty[1], dirty[2], dirty[3]
    for n in range(np.uint64(count)):
        f = np.uint64(np.uint32(chosen[n]))
        i = np.uint64(np.uint32(faces[f, 0]))
        j = np.uint64(np.uint32(faces[f, 1]))
        k = np.uint64(np.uint32(faces[f, 2]))
        code = np.uint64(np.uint8(codes[f] + base))
        x0, x1, x2 = np.int64(snapped[0, i]), np.int64(snapped[0, j]), np.int64(snapped[0, k])
        y0, y1, y2 = np.int64(snapped[1, i]), np.int64(snapped[1, j]), np.int64(snapped[1, k])
        left = max((min(min(x0, x1), x2) + (SNAP - 1)) >> SNAP_BITS, 0)
        top = max((min(min(y0, y1), y2) + (SNAP - 1)) >> SNAP_BITS, 0)
        right = min(max(max(x0, x1), x2) >> SNAP_BITS, width - 1)
        bottom = min(max(max(y0, y1), y2) >> SNAP_BITS, height - 1)
        west, north = min(west, left), min(north, top)
        east, south = max(east, right), max(south, bottom)

        # Front faces turn clockwise in y-down pixels (negative area): flip so that inside is >= 0.
        # Integers below 2^53 are exact in float64.
        fx0, fx1, fx2 = np.float64(x0), np.float64(x1), np.float64(x2)
        fy0, fy1, fy2 = np.float64(y0), np.float64(y1), np.float64(y2)
        a0, b0 = fy1 - fy0, fx0 - fx1
        a1, b1 = fy2 - fy1, fx1 - fx2
        a2, b2 = fy0 - fy2, fx2 - fx0
        sign = np.float64(SNAP) if a2 * b0 < a0 * b2 else -np.float64(SNAP)
        a0, b0, a1, b1, a2, b2 = sign * a0, sign * b0, sign * a1, sign * b1, sign * a2, sign * b2
        xs, ys = np.float64(left * SNAP), np.float64(top * SNAP)
        e0 = (a0 * (xs - fx0) + b0 * (ys - fy0)) * (1.0 / SNAP)
        e1 = (a1 * (xs - fx1) + b1 * (ys - fy1)) * (1.0 / SNAP)
        e2 = (a2 * (xs - fx2) + b2 * (ys - fy2)) * (1.0 / SNAP)

        u0, v0, w0 = px[0, i], px[1, i], px[2, i]
        w1, w2 = px[2, j], px[2, k]
        du1, dv1, dw1 = px[0, j] - u0, px[1, j] - v0, w1 - w0
        du2, dv2, dw2 = px[0, k] - u0, px[1, k] - v0, w2 - w0
        det = du1 * dv2 - du2 * dv1
        inverse = 1.0 / det if det != 0.0 else 0.0
        gx = (dw1 * dv2 - dw2 * dv1) * inverse
        gy = (du1 * dw2 - du2 * dw1) * inverse
        lo = max(min(min(w0, w1), w2), INVERSE_DEPTH_MIN)
        hi = max(max(max(w0, w1), w2), INVERSE_DEPTH_MIN)
        w = w0 + gx * (np.float64(left) - u0) + gy * (np.float64(top) - v0)

        at = np.uint64(top * stride + left)
        blocks = np.uint64((right - left) // LANES + 1)
        for _ in range(np.uint64(bottom - top + 1)):
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
    dirty[0], dirty[1], dirty[2], dirty[3] = west, north, east, south
