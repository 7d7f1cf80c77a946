"""Triangles through any central camera, or across the near plane: homogeneous edge functions.

A ray r meets the inside of a triangle (a, b, c) if r.(a x b), r.(b x c) and r.(c x a) have one sign
(Olano and Greer, "Triangle scan conversion using 2D homogeneous coordinates", 1997). Vertices
behind the camera need no clipping, curved images of edges need no subdivision, and the two
triangles of a shared edge compute exactly negated functions, so no pixel falls between them. In a
pinhole's image an edge between two snapped vertices keeps its snapped function, so these triangles
also meet the ones of `pinhole.py` without cracks.
"""

# mypy: allow-untyped-defs

from typing import Final

import numpy as np
from numba import njit

from synth.raster.keys import INVERSE_DEPTH_MAX, INVERSE_DEPTH_MIN, LEAN_JIT
from synth.raster.lanes import TILE, shade_covered, shade_table
from synth.raster.pinhole import SNAP, UNSNAPPED

COVERED: Final = 2
"""Mask of a tile that lies within all three edges; 1 is one that they may reach."""


@njit(**LEAN_JIT)
def cross(a, b):
    """a x b of tuples; cross(b, a) is its exact negation, bit for bit."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


@njit(**LEAN_JIT)
def dot(a, b):
    """a . b of tuples."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(**LEAN_JIT)
def vertex_in_table(vertices, i, matrix):
    """Homogeneous table coordinates of vertex i."""
    x, y, z = np.float64(vertices[i, 0]), np.float64(vertices[i, 1]), np.float64(vertices[i, 2])
    return (
        matrix[0, 0] * x + matrix[0, 2] * z,
        matrix[1, 1] * y + matrix[1, 2] * z,
        z,
    )


@njit(**LEAN_JIT)
def outcode(point, octagon):
    """Bits of the image's octagon that a homogeneous point lies beyond.

    Linear in the point: if three vertices share a bit, nothing of their triangle is in the image.
    """
    x, y, z = point
    bits = np.uint8(0)
    for n, value in enumerate((x, -x, y, -y, x + y, -x - y, x - y, y - x)):
        bits |= np.uint8(np.uint8(value > octagon[n] * z) << np.uint8(n))
    return bits


@njit(**LEAN_JIT)
def triangle_plane(a, b, c, near):
    """Plane (3,) of 1/z over table coordinates; its lowest, highest and allowed value."""
    ab = (b[0] - a[0], b[1] - a[1], b[2] - a[2])
    ac = (c[0] - a[0], c[1] - a[1], c[2] - a[2])
    normal = cross(ab, ac)
    scale = 1.0 / dot(normal, a)
    lo = 1.0 / max(max(a[2], b[2]), c[2])
    nearest = min(min(a[2], b[2]), c[2])
    crossing = nearest <= near
    hi = 1.0 / (near if crossing else nearest)
    limit = 1.0 / near if crossing else np.inf
    plane = (normal[0] * scale, normal[1] * scale, normal[2] * scale)
    return (
        plane,
        max(lo, INVERSE_DEPTH_MIN),
        min(max(hi, INVERSE_DEPTH_MIN), INVERSE_DEPTH_MAX),
        limit,
    )


@njit(**LEAN_JIT)
def snapped_edge(points, i, j, homogeneous):
    """Edge function from vertex i to j: exact where both are snapped, else the homogeneous one.

    points as `pinhole.project_vertices` fills it, or empty for cameras that do not snap.
    """
    if points.shape[0] == 0:
        return homogeneous
    halves = points.view(np.int32)
    if halves[i, 6] == UNSNAPPED or halves[j, 6] == UNSNAPPED:
        return homogeneous
    x, y = np.float64(halves[i, 6]), np.float64(halves[i, 7])
    a = y - np.float64(halves[j, 7])
    b = np.float64(halves[j, 6]) - x
    return (a * SNAP, b * SNAP, -(a * x + b * y))


@njit(**LEAN_JIT)
def _mark_tiles(edges, tiles, plane, row, columns, mask):
    """Fill mask (columns,) uint8 for one row of tiles: 0 beyond an edge, 1 reached, 2 COVERED.

    tiles is flat, four tables of `plane` tiles; an edge function is highest at one corner of a
    tile's bounds and lowest at the opposite one. Rounding is monotonic, so no pixel of the tile has
    a computed value outside them.
    """
    a0, b0, c0, a1, b1, c1, a2, b2, c2 = edges
    x0 = np.uint64(row + (plane if a0 > 0 else 0))
    x1 = np.uint64(row + (plane if a1 > 0 else 0))
    x2 = np.uint64(row + (plane if a2 > 0 else 0))
    y0 = np.uint64(row + (3 * plane if b0 > 0 else 2 * plane))
    y1 = np.uint64(row + (3 * plane if b1 > 0 else 2 * plane))
    y2 = np.uint64(row + (3 * plane if b2 > 0 else 2 * plane))
    across, down = np.uint64(2 * row + plane), np.uint64(2 * row + 5 * plane)
    any_tile = False
    for i in range(np.uint64(columns)):
        reached = (
            (a0 * tiles[x0 + i] + b0 * tiles[y0 + i] + c0 >= 0)
            & (a1 * tiles[x1 + i] + b1 * tiles[y1 + i] + c1 >= 0)
            & (a2 * tiles[x2 + i] + b2 * tiles[y2 + i] + c2 >= 0)
        )
        covered = (
            (a0 * tiles[across - x0 + i] + b0 * tiles[down - y0 + i] + c0 >= 0)
            & (a1 * tiles[across - x1 + i] + b1 * tiles[down - y1 + i] + c1 >= 0)
            & (a2 * tiles[across - x2 + i] + b2 * tiles[down - y2 + i] + c2 >= 0)
        )
        mask[i] = np.uint8(reached) + np.uint8(reached & covered)
        any_tile |= reached
    return any_tile


@njit(**LEAN_JIT)
def fill_tiled(
    chosen,
    count,
    vertices,
    faces,
    codes,
    base,
    closed,
    points,
    near,
    matrix,
    octagon,
    tiles,
    gx,
    gy,
    height,
    keys,
    stride,
    dirty,
    mask,
):
    """Draw faces by testing every tile of the image, then the pixels of the tiles they may reach.

    Exact for triangles of any size, across the near plane and across the border of the field.
    points is (V, 4) for a pinhole and (0, 4) otherwise; mask (tile columns,) uint8 is
    scratch.
    """
    rows, columns = tiles.shape[1], tiles.shape[2]
    flat = tiles.reshape(tiles.size)
    for n in range(np.uint64(count)):
        f = np.uint64(np.uint32(chosen[n]))
        i = np.uint64(np.uint32(faces[f, 0]))
        j = np.uint64(np.uint32(faces[f, 1]))
        k = np.uint64(np.uint32(faces[f, 2]))
        a = vertex_in_table(vertices, i, matrix)
        b = vertex_in_table(vertices, j, matrix)
        c = vertex_in_table(vertices, k, matrix)
        if not (max(max(a[2], b[2]), c[2]) > near):
            continue
        if outcode(a, octagon) & outcode(b, octagon) & outcode(c, octagon):
            continue
        ab = (b[0] - a[0], b[1] - a[1], b[2] - a[2])
        ac = (c[0] - a[0], c[1] - a[1], c[2] - a[2])
        volume = dot(cross(ab, ac), a)
        if not ((volume < 0) | ((volume > 0) & (not closed))):
            continue
        if volume < 0:
            b, c, j, k = c, b, k, j
        plane, lo, hi, limit = triangle_plane(a, b, c, near)
        edges = (
            snapped_edge(points, i, j, cross(a, b))
            + snapped_edge(points, j, k, cross(b, c))
            + snapped_edge(points, k, i, cross(c, a))
        )
        code = np.uint64(np.uint8(codes[f] + base))
        west, north, east, south = dirty[0], dirty[1], dirty[2], dirty[3]
        for tile_row in range(rows):
            if not _mark_tiles(edges, flat, rows * columns, tile_row * columns, columns, mask):
                continue
            top = tile_row * TILE
            bottom = min(top + TILE, height)
            north, south = min(north, top), max(south, bottom - 1)
            for tile in range(columns):
                if mask[tile] == 0:
                    continue
                west, east = min(west, tile * TILE), max(east, tile * TILE + TILE - 1)
                at = np.uint64(top * stride + tile * TILE)
                if mask[tile] == COVERED:
                    for _ in range(np.uint64(bottom - top)):
                        shade_covered(keys, at, gx, gy, plane, lo, hi, limit, code)
                        at += np.uint64(stride)
                else:
                    for _ in range(np.uint64(bottom - top)):
                        shade_table(keys, at, gx, gy, edges, plane, lo, hi, limit, code)
                        at += np.uint64(stride)
        dirty[0], dirty[1], dirty[2], dirty[3] = west, north, east, south
