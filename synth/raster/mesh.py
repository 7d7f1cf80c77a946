"""One mesh into one layer: the camera's fast path, then what that left to the general one."""

# mypy: allow-untyped-defs

import numpy as np
from numba import njit

from synth.raster.curved import fill_curved_faces, locate_vertices, sort_curved_faces
from synth.raster.homogeneous import fill_tiled
from synth.raster.keys import JIT, LEAN_JIT
from synth.raster.pinhole import (
    HOMOGENEOUS,
    INSIDE,
    compact_faces,
    fill_faces,
    project_vertices,
    sort_faces,
)


# fmt: off
@njit(**LEAN_JIT, inline="always")
def draw_pinhole_mesh(
    vertices, faces, codes, base, closed, near, width, height, matrix, octagon, tiles, gx, gy,
    stride, keys, dirty, verdict, chosen, mask, points, corners, plan, spans,
):
    """Draw a mesh through a pinhole; scratch arrays hold at least as many vertices and faces."""
    count = faces.shape[0]
    fx, fy, cx, cy = matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]
    project_vertices(vertices, fx, fy, cx, cy, near, points)
    special = sort_faces(faces, points, width, height, closed, corners, verdict)
    inside = compact_faces(verdict, count, INSIDE, chosen)
    fill_faces(
        chosen, inside, faces, codes, base, points, width, height, keys, stride, dirty,
        corners, plan, spans,
    )
    if special:
        left_over = compact_faces(verdict, count, HOMOGENEOUS, chosen)
        fill_tiled(
            chosen, left_over, vertices, faces, codes, base, closed, points, near,
            matrix, octagon, tiles, gx, gy, height, keys, stride, dirty, mask,
        )
        dirty[2] = min(dirty[2], width - 1)


@njit(**LEAN_JIT)
def _fits(jobs, vertices, faces):
    for j in range(jobs.shape[0]):
        if jobs[j, 2] - jobs[j, 1] > vertices or jobs[j, 4] - jobs[j, 3] > faces:
            return False
    return True


@njit(**LEAN_JIT)
def draw_pinhole_list(
    jobs, vertices, faces, codes, near, width, height, matrix, octagon, tiles, gx, gy, stride,
    keys, dirty, verdict, chosen, mask, points, corners, plan, spans,
):
    """Draw meshes one after another; jobs as in `Canvas.draw_list`, keys, dirty of all layers.

    Draws nothing and returns False if the scratch is too small for one of them.
    """
    if not _fits(jobs, points.shape[0], verdict.shape[0]):
        return False
    for j in range(jobs.shape[0]):
        layer, v, w, f, g, base, closed = jobs[j]
        draw_pinhole_mesh(
            vertices[v:w], faces[f:g], codes[f:g], base, closed != 0, near, width, height, matrix,
            octagon, tiles, gx, gy, stride, keys[layer], dirty[layer], verdict, chosen, mask,
            points, corners, plan, spans,
        )
    return True


@njit(**JIT)
def draw_curved_mesh(
    vertices, faces, codes, base, closed, near, width, height, matrix, octagon, tiles, gx, gy,
    stride, keys, dirty, verdict, chosen, mask, px, outside, bounds, lookup, origin, margin, bend,
):
    """Draw a mesh through a camera given by its ray table; see `curved.py`."""
    count = faces.shape[0]
    locate_vertices(vertices, near, octagon, lookup, origin, px, outside)
    sort_curved_faces(faces, px, outside, width, height, margin, bend, bounds, verdict)
    inside = compact_faces(verdict, count, INSIDE, chosen)
    fill_curved_faces(
        chosen, inside, vertices, faces, codes, base, closed, near, bounds, gx, gy, keys,
        stride, dirty,
    )
    left_over = compact_faces(verdict, count, HOMOGENEOUS, chosen)
    if left_over > 0:
        unsnapped = np.zeros((0, 4))
        fill_tiled(
            chosen, left_over, vertices, faces, codes, base, closed, unsnapped, near,
            matrix, octagon, tiles, gx, gy, height, keys, stride, dirty, mask,
        )
        dirty[2] = min(dirty[2], width - 1)


@njit(**JIT)
def draw_curved_list(
    jobs, vertices, faces, codes, near, width, height, matrix, octagon, tiles, gx, gy, stride,
    keys, dirty, verdict, chosen, mask, px, outside, bounds, lookup, origin, margin, bend,
):
    """The same for a camera given by its ray table."""
    if not _fits(jobs, outside.shape[0], verdict.shape[0]):
        return False
    for j in range(jobs.shape[0]):
        layer, v, w, f, g, base, closed = jobs[j]
        draw_curved_mesh(
            vertices[v:w], faces[f:g], codes[f:g], base, closed != 0, near, width, height, matrix,
            octagon, tiles, gx, gy, stride, keys[layer], dirty[layer], verdict, chosen, mask, px,
            outside, bounds, lookup, origin, margin, bend,
        )
    return True
