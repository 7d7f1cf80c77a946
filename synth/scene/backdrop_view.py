"""A backdrop as our camera sees it: depth read from a recorded room, ray by ray.

The recording is kept as 1/depth, which is linear across a plane's image.
"""

# mypy: allow-untyped-defs

from functools import lru_cache
from typing import Final

import numpy as np
from numba import njit

from frames.camera import Camera
from synth.scene.background_folder import Background
from synth.scene.pieces import JIT

STEP: Final = 0.03
"""Neighbours that differ by a larger share belong to different surfaces."""
PASSES: Final = 4
"""Steps towards where a ray of a moved camera meets the recorded room."""


def show_backdrop(
    camera: Camera, background: Background, T_background_from_camera: np.ndarray
) -> np.ndarray:
    """The room (H, W) float32 as our camera sees it: metres along z, 0 for nothing."""
    out = np.empty((camera.height, camera.width), np.float32)
    took, across, down = background.camera, *_rays(camera)
    lens = (took.fx, took.fy, took.cx, took.cy)
    moved = bool(np.abs(T_background_from_camera[:3, 3]).max() > 1e-9)
    look = _look_about if moved else _look
    look(background.inverse_per_m, lens, T_background_from_camera, across, down, out)
    return out


@lru_cache(maxsize=8)
def _rays(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    table = camera.ray_table()
    return np.ascontiguousarray(table[..., 0]), np.ascontiguousarray(table[..., 1])


@njit(**JIT)
def _look(inverse, lens, T, across, down, out):
    """What a camera at the recording camera's own place sees. A row takes three turns, of which
    the first and last work on several pixels at once.
    """
    fx, fy, cx, cy = lens
    height, width = np.float64(inverse.shape[0]), np.float64(inverse.shape[1])
    flat, stride = inverse.reshape(-1), np.int32(inverse.shape[1])
    one, below = np.uint64(1), np.uint64(inverse.shape[1])
    pixels = np.uint64(out.shape[1])
    p, q = np.empty(pixels, np.float32), np.empty(pixels, np.float32)
    corner, units = np.empty(pixels, np.int32), np.empty(pixels)
    read = np.empty(pixels, np.float32)
    for row in range(np.uint64(out.shape[0])):
        for k in range(pixels):
            x, y = across[row, k], down[row, k]
            qz = (T[2, 0] * x + T[2, 1] * y) + T[2, 2]
            unit = 1.0 / qz
            u = fx * (((T[0, 0] * x + T[0, 1] * y) + T[0, 2]) * unit) + cx
            v = fy * (((T[1, 0] * x + T[1, 1] * y) + T[1, 2]) * unit) + cy
            seen = (u >= -0.5) & (u < width - 0.5) & (v >= -0.5) & (v < height - 0.5) & (qz > 0.05)
            # A ray that is NaN, outside the field, is not seen; it reads the first pixel in vain.
            u, v = u if u > 0.0 else 0.0, v if v > 0.0 else 0.0
            u, v = min(u, width - 1.001), min(v, height - 1.001)
            i, j = np.int32(u), np.int32(v)
            p[k], q[k], corner[k] = u - i, v - j, j * stride + i
            units[k] = unit if seen else 0.0
        for k in range(pixels):
            read[k] = _blend(flat, np.uint64(corner[k]), one, below, p[k], q[k])
        for k in range(pixels):
            w = np.float64(read[k])
            out[row, k] = units[k] / w if w > 0 else 0.0


@njit(**JIT)
def _blend(flat, at, one, below, p, q):
    """1/depth between four pixels if these are one surface, which is true to planes, else that of
    the nearest. 0 for nothing.
    """
    a, b, c, d = flat[at], flat[at + one], flat[at + below], flat[at + below + one]
    low, high = min(min(a, b), min(c, d)), max(max(a, b), max(c, d))
    if high - low >= np.float32(STEP) * low:
        p, q = np.float32(p >= 0.5), np.float32(q >= 0.5)
    top = a + p * (b - a)
    return top + q * ((c + p * (d - c)) - top)


@njit(**JIT)
def _look_about(inverse, lens, T, across, down, out):
    """What a camera elsewhere sees: each ray is followed to where it meets the recorded room."""
    fx, fy, cx, cy = lens
    for row in range(out.shape[0]):
        last = 0.0
        for column in range(out.shape[1]):
            x, y = across[row, column], down[row, column]
            qx = (T[0, 0] * x + T[0, 1] * y) + T[0, 2]
            qy = (T[1, 0] * x + T[1, 1] * y) + T[1, 2]
            qz = (T[2, 0] * x + T[2, 1] * y) + T[2, 2]
            out[row, column] = 0.0
            if not qz > 0.05:
                continue
            # The pixel before sees about the same.
            z = last if last > 0 else 1.0 / qz
            for _ in range(PASSES):
                pz = z * qz + T[2, 3]
                unit = 1.0 / max(pz, 0.02)
                u, v = (z * qx + T[0, 3]) * unit, (z * qy + T[1, 3]) * unit
                w = _read(inverse, fx * u + cx, fy * v + cy)
                if not w > 0:
                    z = 0.0
                    break
                before = z
                z = (1.0 / np.float64(w) - T[2, 3]) / qz
                if abs(z - before) < 1e-4 * z:
                    break
            last = z
            out[row, column] = max(z, 0.0)


@njit(**JIT)
def _read(inverse, u, v):
    """1/depth at a pixel (`_blend`), 0 for nothing."""
    height, width = inverse.shape
    if not (u >= -0.5 and u < width - 0.5 and v >= -0.5 and v < height - 0.5):
        return np.float32(0.0)
    u, v = min(max(u, 0.0), width - 1.001), min(max(v, 0.0), height - 1.001)
    i, j = int(u), int(v)
    at = np.uint64(j * width + i)
    p, q = np.float32(u - i), np.float32(v - j)
    return _blend(inverse.reshape(-1), at, np.uint64(1), np.uint64(width), p, q)
