"""Light that comes straight back from a scene: distance and amplitude along each pixel's ray.

The amplitude of a diffuse surface is C = signal x reflectance x cos(incidence) / r^2, dimmed to the
side by lens and illumination as a power of the cosine to the axis (Lange and Seitz 2001; Hansard
et al., "Time-of-Flight Cameras", 2013, section 1.2). r is the length of the ray, not z.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from frames.camera import Camera
from frames.kernels import BORROWING

_ENTRIES: Final = 256  # of the vignette over the cosine to the axis, interpolated between
_ZERO, _ONE, _TINY = np.float32(0.0), np.float32(1.0), np.float32(1e-20)
_STEPS = np.float32(_ENTRIES)
_GRAZING: Final = np.float32(0.05)
"""Cosine that no surface falls below: at outlines one difference of depths cannot tell more."""


class Scene(NamedTuple):
    """A frame before its light, as compiled code takes it."""

    depth: NDArray[np.uint16]
    """(H, W), 0 for nothing there."""
    step: float
    """Metres of a step of depth."""
    cosines: NDArray[np.float32]
    """(H, W) of `augment.effects.incidence`."""
    parts: NDArray[np.uint8]
    """(H, W)"""
    reflectance: NDArray[np.float32]
    """(256,) by part code."""
    twist: NDArray[np.float32]
    """(256, 6) motion by part code."""
    moving: bool
    """Whether anything moves."""
    lens: NDArray[np.float32]
    """(5, H, W) of `tabulate_lens`."""
    dimming: NDArray[np.float32]
    """(H, W) of `tabulate_vignette`."""
    signal: float
    """C of a white surface at 1 m on the axis, in electrons."""


@lru_cache(maxsize=8)
def tabulate_lens(camera: Camera) -> NDArray[np.float32]:
    """(5, H, W) float32 of a camera: x, y and length of each ray (x, y, 1), and 1 / the steps of x
    and y to the next pixel. The length is 0 outside the field of view, and all else there too.
    """
    rays = camera.ray_table()
    x, y = np.nan_to_num(rays[..., 0]), np.nan_to_num(rays[..., 1])
    seen = ~np.isnan(rays[..., 0])
    out = np.zeros((5, *x.shape), np.float32)
    out[0], out[1] = x, y
    out[2] = np.where(seen, np.sqrt(1 + x**2 + y**2), 0)
    for plane, values, axis in ((out[3], x, 1), (out[4], y, 0)):
        both = np.logical_and(*_pair(seen, axis))
        a, b = _pair(values, axis)
        run = np.where(both & (a != b), b - a, np.inf)
        _pair(plane, axis)[0][...] = 1 / run
    out.setflags(write=False)
    return out


def _pair(values: NDArray, axis: int) -> tuple[NDArray, NDArray]:
    """All but the last, and all but the first along an axis."""
    return (values[:, :-1], values[:, 1:]) if axis else (values[:-1], values[1:])


@lru_cache(maxsize=8)
def tabulate_vignette(camera: Camera, power: float) -> NDArray[np.float32]:
    """(H, W) float32: cosine of each ray to the axis, to a power; 1 outside the field of view."""
    table = np.array([(i / _ENTRIES) ** power for i in range(_ENTRIES + 2)], np.float32)
    lengths = tabulate_lens(camera)[2]
    out = np.empty(lengths.shape, np.float32)
    _interpolate(lengths, table, out)
    out.setflags(write=False)
    return out


@njit(**BORROWING)
def _interpolate(lengths, table, out):  # type: ignore[no-untyped-def]
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            place = _STEPS / max(lengths[v, u], _ONE)
            i = int(place)
            out[v, u] = table[i] + (place - np.float32(i)) * (table[i + 1] - table[i])


@njit(**BORROWING)
def fill_row(scene, v, out):  # type: ignore[no-untyped-def]
    """Fill out (4, W) float32 for image row v of a `Scene`: r (m), C (electrons), the strength
    signal x reflectance x vignette, and how fast r grows (m/s). Nothing there, or outside the
    field: all 0.
    """
    ranges, amplitudes, strengths = out[0], out[1], out[2]
    # Short loops of few arrays: only such become vector instructions.
    row, codes, lengths, dim = scene.depth[v], scene.parts[v], scene.lens[2, v], scene.dimming[v]
    gain, s, reflectance = np.float32(scene.signal), np.float32(scene.step), scene.reflectance
    for u in range(codes.shape[0]):
        strengths[u] = reflectance[codes[u]]
    for u in range(codes.shape[0]):
        # Outside the field the length is 0, and with it r.
        ranges[u] = s * np.float32(row[u]) * lengths[u]
    for u in range(codes.shape[0]):
        strengths[u] = gain * dim[u] * strengths[u] if ranges[u] > _ZERO else _ZERO
    _shine(ranges, scene.cosines[v], strengths, amplitudes)
    if scene.moving:
        _fill_speeds(codes, scene.lens[:, v], scene.twist, out[3])
    else:
        out[3] = _ZERO


@njit(**BORROWING)
def _shine(ranges, cosines, strengths, out):  # type: ignore[no-untyped-def]
    for u in range(out.shape[0]):
        r = ranges[u]
        out[u] = strengths[u] * max(cosines[u], _GRAZING) / (r * r + _TINY)


@njit(**BORROWING)
def _fill_speeds(codes, lens, twist, out):  # type: ignore[no-untyped-def]
    """The parts' motion along the ray. A rotation about the camera changes no distance, so that
    only the linear part counts: (w x p) is at right angles to p."""
    for u in range(codes.shape[0]):
        t = twist[codes[u]]
        out[u] = (t[0] * lens[0, u] + t[1] * lens[1, u] + t[2]) / max(lens[2, u], _ONE)
