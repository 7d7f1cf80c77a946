"""Rays through lenses, compiled: where a source camera sees what each virtual pixel looks at.

The same formulas as `frames.lens` (Brown 1966 with OpenCV's rational terms; Kannala and Brandt
2006), one point at a time, so that a map costs no arrays.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.geometry.virtual_camera import Geometry
from frames.camera import COEFFICIENT_COUNTS, Camera
from frames.lens import find_brown_limit, find_fisheye_limit

_MODELS: Final = tuple(COEFFICIENT_COUNTS)
_PINHOLE, _BROWN, _FISHEYE = range(3)
assert _MODELS == ("pinhole", "brown-conrady", "kannala-brandt")

NOWHERE: Final = -1e6
"""Source column of what the source camera does not see."""

NO_RAYS: Final = np.empty((0, 0, 2))


@lru_cache(maxsize=256)
def tabulate_lens(camera: Camera) -> NDArray[np.float64]:
    """(14,) model, fx, fy, cx, cy, greatest squared |x/z, y/z| of the field, then coefficients."""
    out = np.zeros(14)
    limit = math.inf
    if camera.model == "brown-conrady":
        limit = find_brown_limit(camera.distortion)
    elif camera.model == "kannala-brandt":
        limit = math.tan(find_fisheye_limit(camera.distortion))
    if camera.max_theta_rad is not None:
        limit = min(limit, math.tan(camera.max_theta_rad))
    out[:6] = (
        *(_MODELS.index(camera.model), camera.fx, camera.fy, camera.cx, camera.cy),
        limit * limit,
    )
    out[6 : 6 + len(camera.distortion)] = camera.distortion
    out.setflags(write=False)
    return out


def map_pixels(geometry: Geometry) -> NDArray[np.float32]:
    """(3, H', W') float32: source column and row of every new pixel, and z' of a point at z = 1.

    The last is of the turn alone, without factor and offset. `NOWHERE` in the first where the
    source camera sees nothing; places may lie outside its image.
    """
    source, camera = geometry.source, geometry.camera
    back = np.ascontiguousarray(geometry.turn.T)
    out = np.empty((3, camera.height, camera.width), np.float32)
    rays = NO_RAYS
    if camera.model == "pinhole" and camera.max_theta_rad is None:
        k = geometry.stretch
        from_pixel = np.array(
            [
                [k / camera.fx, 0, -camera.cx * k / camera.fx],
                [0, k / camera.fy, -camera.cy * k / camera.fy],
                [0, 0, 1],
            ]
        )
        back = (
            back[:, :1] * from_pixel[0] + back[:, 1:2] * from_pixel[1] + back[:, 2:] * from_pixel[2]
        )
    else:
        rays = camera.ray_table()
    _fill_map(tabulate_lens(source), back, rays, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def distort(lens, x, y):  # type: ignore[no-untyped-def]
    """(x/z, y/z) -> the same behind the lens; not to be asked beyond the field."""
    r2 = x * x + y * y
    if lens[0] == _BROWN:
        top = 1 + r2 * (lens[6] + r2 * (lens[7] + r2 * lens[10]))
        bottom = 1 + r2 * (lens[11] + r2 * (lens[12] + r2 * lens[13]))
        scale = top / bottom
        p1, p2 = lens[8], lens[9]
        return (
            x * scale + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * scale + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        )
    if lens[0] == _FISHEYE:
        r = math.sqrt(r2)
        if r > 1e-9:
            theta = math.atan(r)
            t = theta * theta
            bent = 1 + t * (lens[6] + t * (lens[7] + t * (lens[8] + t * lens[9])))
            scale = theta * bent / r
            return x * scale, y * scale
    return x, y


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def project(lens, x, y, z):  # type: ignore[no-untyped-def]
    """A point's pixel; NaN behind the camera and beyond the field."""
    if not z > 0:
        return math.nan, math.nan
    x, y = x / z, y / z
    if not x * x + y * y <= lens[5]:
        return math.nan, math.nan
    x, y = distort(lens, x, y)
    return x * lens[1] + lens[3], y * lens[2] + lens[4]


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_map(lens, back, rays, out):  # type: ignore[no-untyped-def]
    """back (3, 3): from new pixels (rays empty) or new rays to the source's axes."""
    height, width = out.shape[1], out.shape[2]
    plain = lens[0] == _PINHOLE and lens[5] == math.inf
    fx, fy, cx, cy = lens[1], lens[2], lens[3], lens[4]
    # Scalars, since `out` might overlap the arrays for all that a compiler knows.
    xu, yu, zu = back[0, 0], back[1, 0], back[2, 0]
    for v in range(height):
        if plain and rays.shape[0] == 0:
            # The common case, apart so that it runs in vector registers: a homography.
            x0 = back[0, 1] * v + back[0, 2]
            y0 = back[1, 1] * v + back[1, 2]
            z0 = back[2, 1] * v + back[2, 2]
            for u in range(width):
                column = float(np.int32(u))
                z = z0 + zu * column
                w = 1.0 / z
                x, y = fx * ((x0 + xu * column) * w) + cx, fy * ((y0 + yu * column) * w) + cy
                out[0, v, u] = x if z > 0 else NOWHERE
                out[1, v, u] = y if z > 0 else NOWHERE
                out[2, v, u] = w
            continue
        for u in range(width):
            if rays.shape[0] == 0:
                a, b = float(u), float(v)
            else:
                a, b = rays[v, u, 0], rays[v, u, 1]
            x = back[0, 0] * a + back[0, 1] * b + back[0, 2]
            y = back[1, 0] * a + back[1, 1] * b + back[1, 2]
            z = back[2, 0] * a + back[2, 1] * b + back[2, 2]
            su, sv = project(lens, x, y, z)
            seen = not math.isnan(su)
            out[0, v, u] = su if seen else NOWHERE
            out[1, v, u] = sv if seen else NOWHERE
            out[2, v, u] = 1.0 / z if seen else 0.0
