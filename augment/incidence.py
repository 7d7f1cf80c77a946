"""How slantingly each pixel's surface is seen."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.shot import Shot


def measure_incidence(shot: Shot) -> NDArray[np.float32]:
    """(H, W) float32 cosine between each pixel's ray and its surface's normal, in (0, 1].

    From the flatter of the two one-sided differences along each axis, so that the jump at an
    outline does not tilt the surface beside it. 1 where there is nothing.
    """
    out = np.empty(shot.depth.shape, np.float32)
    _fill_cosines(shot.depth, 1.0 / shot.depth_scale, shot.camera.ray_table(), out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_cosines(depth, step, rays, out):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    for v in range(height):
        for u in range(width):
            out[v, u] = 1.0
            d = int(depth[v, u])
            if d == 0:
                continue
            x, y = rays[v, u, 0], rays[v, u, 1]
            if math.isnan(x):
                continue
            # Gradient of z over normalised image coordinates (zx, zy).
            best, zx = 1 << 30, 0.0
            for a in (-1, 1):
                if 0 <= u + a < width and depth[v, u + a] != 0:
                    jump = int(depth[v, u + a]) - d
                    run = rays[v, u + a, 0] - x
                    if abs(jump) < best and run != 0.0:
                        best, zx = abs(jump), jump * step / run
            best, zy = 1 << 30, 0.0
            for a in (-1, 1):
                if 0 <= v + a < height and depth[v + a, u] != 0:
                    jump = int(depth[v + a, u]) - d
                    run = rays[v + a, u, 1] - y
                    if abs(jump) < best and run != 0.0:
                        best, zy = abs(jump), jump * step / run
            # The point is z (x, y, 1): the normal is the cross product of its derivatives,
            # (-zx, -zy, z + x zx + y zy) up to scale, and its product with the ray is z.
            z = d * step
            nz = z + x * zx + y * zy
            norm = math.sqrt(zx * zx + zy * zy + nz * nz) * math.sqrt(x * x + y * y + 1.0)
            cosine = z / norm if norm > 0.0 else 1.0
            out[v, u] = min(1.0, max(cosine, 1e-3))
