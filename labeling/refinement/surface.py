"""Which readings the model's skin is compared with: correspondences without derivatives.

The posed mesh is drawn by the project's own rasteriser; of a fixed selection of vertices those that
it shows are compared with the image. Where the reading at a vertex's pixel is near, the residual is
its distance from the vertex along the skin's normal (point to plane, Chen and Medioni 1992). Where
the image shows something farther away, the model reaches over the hand's outline: the residual is
the distance to the nearest reading that is near in depth. Where something nearer is read, the hand
is hidden, and the image says nothing.
"""

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NONE: Final = 0
PLANE: Final = 1
OUTLINE: Final = 2
HIDDEN: Final = 3
OVERHANG: Final = 4
UNREAD: Final = 5
"""What becomes of a vertex: not shown by the model; compared along its normal; pulled to the
outline; something nearer is read; background is read and no outline is near; nothing is read."""

FACING: Final = 0.25
"""Skin whose normal makes a smaller cosine with the ray is not compared."""

OUTLINE_PX: Final = 12
"""Farthest search for the outline."""


@numba.njit(cache=True, nogil=True, error_model="numpy")
def find_normals(vertices, faces, wanted, incident, out):  # type: ignore[no-untyped-def]
    """Unit outward normals of some vertices, out (N, 3): the sum over their faces by area.

    vertices (V, 3), faces (F, 3) seen counter-clockwise from outside, wanted (N,), incident (N, D)
    faces of each, -1 for none.
    """
    for i in range(wanted.shape[0]):
        x = y = z = 0.0
        for k in range(incident.shape[1]):
            f = incident[i, k]
            if f < 0:
                break
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            px = vertices[b, 0] - vertices[a, 0]
            py = vertices[b, 1] - vertices[a, 1]
            pz = vertices[b, 2] - vertices[a, 2]
            qx = vertices[c, 0] - vertices[a, 0]
            qy = vertices[c, 1] - vertices[a, 1]
            qz = vertices[c, 2] - vertices[a, 2]
            x += py * qz - pz * qy
            y += pz * qx - px * qz
            z += px * qy - py * qx
        size = max((x * x + y * y + z * z) ** 0.5, 1e-30)
        out[i, 0], out[i, 1], out[i, 2] = x / size, y / size, z / size


@numba.njit(cache=True, nogil=True, error_model="numpy")
def match_surface(  # type: ignore[no-untyped-def]
    points, normals, px, model_m, left, top, depth_m, rays, gate_m, kind, direction, target
):
    """Correspondences of one hand's selected vertices.

    points, normals (N, 3) in camera axes, px (N, 2); model_m (h, w) the model's own depth image, 0
    where it is not, whose first pixel is (left, top) of depth_m (H, W); rays (H, W, 2). gate_m:
    depth within which a reading is the hand's. Writes kind (N,) uint8, direction (N, 3) unit and
    target (N,): the residual is target - direction . (moved point).
    """
    height, width = depth_m.shape
    rows, columns = model_m.shape
    for i in range(points.shape[0]):
        kind[i] = NONE
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        if not (z > 0.0) or not (abs(px[i, 0]) < 1e6 and abs(px[i, 1]) < 1e6):
            continue
        away = (x * x + y * y + z * z) ** 0.5
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        if -(nx * x + ny * y + nz * z) < FACING * away:
            continue
        u, v = int(np.floor(px[i, 0] + 0.5)), int(np.floor(px[i, 1] + 0.5))
        if not (0 <= u < width and 0 <= v < height):
            continue
        if not (0 <= u - left < columns and 0 <= v - top < rows):
            continue
        # At the outline a vertex's own pixel may not be covered, or show a farther face.
        front = model_m[v - top, u - left]
        if front > 0.0 and front < z - 0.004:
            continue
        read = depth_m[v, u]
        if read <= 0.0:
            kind[i] = UNREAD
            continue
        gap = read - z
        if abs(gap) <= gate_m:
            qx, qy = rays[v, u, 0] * read, rays[v, u, 1] * read
            kind[i] = PLANE
            direction[i, 0], direction[i, 1], direction[i, 2] = nx, ny, nz
            target[i] = nx * qx + ny * qy + nz * read
            continue
        if gap < 0.0:
            kind[i] = HIDDEN
            continue
        kind[i] = OVERHANG
        nearest = 1e9
        bu, bv = -1, -1
        for dv in range(-OUTLINE_PX, OUTLINE_PX + 1):
            for du in range(-OUTLINE_PX, OUTLINE_PX + 1):
                far = du * du + dv * dv
                if far >= nearest or far > OUTLINE_PX * OUTLINE_PX:
                    continue
                if 0 <= u + du < width and 0 <= v + dv < height:
                    there = depth_m[v + dv, u + du]
                    if there > 0.0 and abs(there - z) <= gate_m:
                        nearest = far
                        bu, bv = u + du, v + dv
        if bu < 0:
            continue
        # Sideways only: what is read at the outline says little about depth.
        qx, qy = rays[bv, bu, 0] * z - x, rays[bv, bu, 1] * z - y
        size = (qx * qx + qy * qy) ** 0.5
        if size < 1e-6:
            continue
        kind[i] = OUTLINE
        direction[i, 0], direction[i, 1], direction[i, 2] = qx / size, qy / size, 0.0
        target[i] = (qx * (x + qx) + qy * (y + qy)) / size
