"""The fast path of cameras whose images bend straight lines: small triangles, bounded then tested.

Coverage is decided by homogeneous edge functions on the table of rays, which is exact for every
central camera. Where to look is decided by an approximate projection of the vertices, widened by
its error and by how far a straight edge of that length can bulge in this camera's image.
"""

# mypy: allow-untyped-defs

import numpy as np
from numba import njit

from synth.raster.grid import LONGEST_PX
from synth.raster.homogeneous import cross, dot, outcode, triangle_plane
from synth.raster.keys import JIT
from synth.raster.lanes import LANES, shade_table
from synth.raster.pinhole import HOMOGENEOUS, INSIDE


@njit(**JIT)
def locate_vertices(vertices, near, octagon, lookup, origin, px, outside):
    """Fill px (3, V) float64 with approximate u, v (NaN: unknown) and outside (V,) uint8 bits."""
    side = lookup.shape[1] - 1
    for i in range(vertices.shape[0]):
        x, y, z = np.float64(vertices[i, 0]), np.float64(vertices[i, 1]), np.float64(vertices[i, 2])
        outside[i] = outcode((x, y, z), octagon)
        forward = 1.0 / (z + np.sqrt(x * x + y * y + z * z))
        column = (x * forward - origin[0]) * origin[2]
        row = (y * forward - origin[1]) * origin[3]
        px[0, i] = np.nan
        px[1, i] = np.nan
        if z > near and 0 <= column < side and 0 <= row < side:
            m, n = np.uint64(column), np.uint64(row)
            s, t = column - np.float64(m), row - np.float64(n)
            for axis in range(2):
                upper = lookup[axis, n, m] * (1 - s) + lookup[axis, n, m + np.uint64(1)] * s
                n1 = n + np.uint64(1)
                lower = lookup[axis, n1, m] * (1 - s) + lookup[axis, n1, m + np.uint64(1)] * s
                px[axis, i] = upper * (1 - t) + lower * t


@njit(**JIT)
def sort_curved_faces(faces, px, outside, width, height, margin, bend, bounds, verdict):
    """Fill verdict (F,) uint8 as `pinhole.sort_faces` and bounds (F, 4) int32 of those INSIDE."""
    for f in range(faces.shape[0]):
        i = np.uint64(np.uint32(faces[f, 0]))
        j = np.uint64(np.uint32(faces[f, 1]))
        k = np.uint64(np.uint32(faces[f, 2]))
        verdict[f] = 0
        if outside[i] & outside[j] & outside[k]:
            continue
        u0, u1, u2 = px[0, i], px[0, j], px[0, k]
        v0, v1, v2 = px[1, i], px[1, j], px[1, k]
        umin, umax = min(min(u0, u1), u2), max(max(u0, u1), u2)
        vmin, vmax = min(min(v0, v1), v2), max(max(v0, v1), v2)
        known = (u0 + u1 + u2) == (u0 + u1 + u2)
        if not known or not (umax - umin + vmax - vmin < LONGEST_PX):
            verdict[f] = HOMOGENEOUS
            continue
        length = (umax - umin) * (umax - umin) + (vmax - vmin) * (vmax - vmin)
        slack = margin + bend * length
        left = max(np.int32(np.ceil(umin - slack)), np.int32(0))
        top = max(np.int32(np.ceil(vmin - slack)), np.int32(0))
        right = min(np.int32(np.floor(umax + slack)), np.int32(width - 1))
        bottom = min(np.int32(np.floor(vmax + slack)), np.int32(height - 1))
        bounds[f, 0] = left
        bounds[f, 1] = top
        bounds[f, 2] = right
        bounds[f, 3] = bottom
        verdict[f] = INSIDE if (left <= right) & (top <= bottom) else 0


@njit(**JIT)
def fill_curved_faces(
    chosen, count, vertices, faces, codes, base, closed, near, bounds, gx, gy, keys, stride, dirty
):
    """Draw the chosen faces within their bounds into keys (flat uint32); widen dirty (4,) int64."""
    west, north, east, south = dirty[0], dirty[1], dirty[2], dirty[3]
    for n in range(np.uint64(count)):
        f = np.uint64(np.uint32(chosen[n]))
        i = np.uint64(np.uint32(faces[f, 0]))
        j = np.uint64(np.uint32(faces[f, 1]))
        k = np.uint64(np.uint32(faces[f, 2]))
        a = (np.float64(vertices[i, 0]), np.float64(vertices[i, 1]), np.float64(vertices[i, 2]))
        b = (np.float64(vertices[j, 0]), np.float64(vertices[j, 1]), np.float64(vertices[j, 2]))
        c = (np.float64(vertices[k, 0]), np.float64(vertices[k, 1]), np.float64(vertices[k, 2]))
        ab = (b[0] - a[0], b[1] - a[1], b[2] - a[2])
        ac = (c[0] - a[0], c[1] - a[1], c[2] - a[2])
        volume = dot(cross(ab, ac), a)
        if not ((volume < 0) | ((volume > 0) & (not closed))):
            continue
        if volume < 0:
            b, c = c, b
        plane, lo, hi, limit = triangle_plane(a, b, c, near)
        edges = cross(a, b) + cross(b, c) + cross(c, a)
        code = np.uint64(np.uint8(codes[f] + base))
        left, top = np.int64(bounds[f, 0]), np.int64(bounds[f, 1])
        right, bottom = np.int64(bounds[f, 2]), np.int64(bounds[f, 3])
        west, north = min(west, left), min(north, top)
        east, south = max(east, right), max(south, bottom)
        blocks = np.uint64((right - left) // LANES + 1)
        at = np.uint64(top * stride + left)
        for _ in range(np.uint64(bottom - top + 1)):
            for block in range(blocks):
                here = at + block * np.uint64(LANES)
                shade_table(keys, here, gx, gy, edges, plane, lo, hi, limit, code)
            at += np.uint64(stride)
    dirty[0], dirty[1], dirty[2], dirty[3] = west, north, east, south
