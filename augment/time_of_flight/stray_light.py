"""Light that does not come straight back: off other surfaces, by short detours, and in the lens.

All three change slowly over the image and are worked out on a coarse grid of nodes, for the whole
frame, before its pixels are:

- Off other surfaces (one bounce). Node j lights node i: with the patch of solid angle W that a node
  stands for, the irradiance at i is the sum of reflectance_j W g_ij / (pi d^2 + W r_j^2), where g
  has the cosines at both ends, and the light has gone (r_j + d - r_i) / 2 further than that which i
  gets itself (Fuchs, "Multipath interference compensation in time-of-flight camera images", ICPR
  2010). A plane lights itself not at all, a corner its walls, a table the hand above it.
- By short detours, too small for the grid (between fingers, within a room's clutter): a share of
  the direct light with one detour; the share varies over the image, the same for a sequence.
- In the lens and on the sensor: a share of all light nearby, wherever it is from (Mure-Dubois and
  Huegli, "Real-time scattering compensation for time-of-flight camera", ICVS 2007).
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from augment.effects.noise_field import hash_uniform
from augment.time_of_flight.phasor import SPEED_OF_LIGHT, spin, spin_row
from augment.time_of_flight.returned_light import fill_row
from frames.kernels import BORROWING

NODES: Final = 10
"""Nodes along the longer side of the image, less one."""

_SAMPLES: Final = 4  # a node and axis, for the light around it
_FAINT: Final = 3e-5  # 1 / m^2; direct light has 0.1 at 3 m
_DARK: Final = -1.0
_ZERO = np.float32(0.0)


class Stray(NamedTuple):
    """How much of each kind (see `augment.time_of_flight.model.TimeOfFlight`)."""

    bounce_gain: float
    detour_share: float
    detour_m: float
    flare_share: float
    flare_width_rad: float


def size_grid(height: int, width: int) -> tuple[int, int, int]:
    """(pixels from node to node, nodes down, nodes across); nodes lie at multiples from pixel 0."""
    pitch = max(8, math.ceil(max(height, width) / NODES))
    return pitch, (height - 1) // pitch + 2, (width - 1) // pitch + 2


@njit(cache=True, nogil=True, error_model="numpy")
def fill_stray(scene, frequencies, stray, key, pitch, out, reach):  # type: ignore[no-untyped-def]
    """Fill out (F, 6, nodes down, nodes across) float32 for F frequencies, and reach (1, 1, nodes
    down, nodes across) with the r^2 of what lies at each node.

    A pixel's phasor is exp(j phase) (C (out_0 + j out_1) + S (out_2 + j out_3)) + out_4 + j out_5,
    with C its direct amplitude and S its strength. What lies behind a node's surface gets less of
    the light that falls on that: S is to be scaled by reach / r^2 where this is below 1. key: a
    64-bit word of the sequence, for where the detours are.
    """
    depth = scene.depth
    _fill_detours(frequencies, stray, key, out)
    reach[:] = _ZERO
    down, across = out.shape[2], out.shape[3]
    if stray.bounce_gain > 0.0:
        patches = np.zeros((down * across, 9))
        for j in range(down):
            for i in range(across):
                v, u = min(j * pitch, depth.shape[0] - 1), min(i * pitch, depth.shape[1] - 1)
                patch = patches[j * across + i]
                _fill_patch(depth, v, u, scene.step, scene.lens, patch)
                patch[8] = scene.reflectance[scene.parts[v, u]] * scene.dimming[v, u]
                reach[0, 0, j, i] = patch[6] * patch[6]
                patch[7] *= _cover(j, pitch, depth.shape[0]) * _cover(i, pitch, depth.shape[1])
        columns = np.ascontiguousarray(patches.T)
        _fill_bounces(columns, frequencies, stray.bounce_gain, np.empty((2, len(patches))), out)
    if stray.flare_share > 0.0:
        width_px = stray.flare_width_rad / max(_angle_of_pixel(scene.lens), 1e-9)
        fall = math.exp(-pitch / max(width_px, 1e-6))
        _fill_flare(scene, frequencies, pitch, stray.flare_share, fall, out)


@njit(**BORROWING)
def _cover(node, pitch, size):  # type: ignore[no-untyped-def]
    """Pixels of a side of the image that are nearer to a node than to others."""
    first, last = node * pitch - pitch / 2, node * pitch + pitch / 2
    return max(0.0, min(float(size), last) - max(0.0, first))


@njit(**BORROWING)
def _angle_of_pixel(lens):  # type: ignore[no-untyped-def]
    """Radians of a pixel at the middle of the image."""
    rate = lens[3, lens.shape[1] // 2, (lens.shape[2] - 1) // 2]
    return 1.0 / rate if rate > 0.0 else 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_patch(depth, v, u, step, lens, out):  # type: ignore[no-untyped-def]
    """Fill out[:8]: point, unit normal towards the camera, r, solid angle of a pixel.

    The inverse depth of a plane is linear over the rays, which gives its normal
    (`augment.effects.incidence`); of two neighbours along each axis the flatter one counts.
    """
    height, width = depth.shape
    length = lens[2, v, u]
    if depth[v, u] == 0 or length == _ZERO:
        return
    x, y = lens[0, v, u], lens[1, v, u]
    w = 1.0 / (depth[v, u] * step)
    slopes = np.zeros((2, 3))  # along u and v: change of 1 / z, x and y
    slopes[0, 1], slopes[1, 2] = 1.0, 1.0
    for axis in range(2):
        least = 1e9
        for side in (-1, 1):
            b, a = v + (side if axis else 0), u + (0 if axis else side)
            if not (0 <= b < height and 0 <= a < width):
                continue
            if depth[b, a] == 0 or lens[2, b, a] == _ZERO:
                continue
            change = 1.0 / (depth[b, a] * step) - w
            if abs(change) < least:
                least = abs(change)
                slopes[axis, 0] = change
                slopes[axis, 1], slopes[axis, 2] = lens[0, b, a] - x, lens[1, b, a] - y
    (rw, rx, ry), (ew, ex, ey) = slopes[0], slopes[1]
    determinant = rx * ey - ry * ex
    wx, wy = (rw * ey - ry * ew) / determinant, (rx * ew - rw * ex) / determinant
    wz = w - x * wx - y * wy
    norm = math.sqrt(wx * wx + wy * wy + wz * wz)
    out[0], out[1], out[2] = x / w, y / w, 1.0 / w
    out[3], out[4], out[5] = -wx / norm, -wy / norm, -wz / norm
    out[6] = length / w
    rate = lens[3, v, min(u, width - 2)] * lens[4, min(v, height - 2), u]
    out[7] = 1.0 / (rate * length**3) if rate > 0.0 else 0.0


@njit(**BORROWING)
def _fill_detours(frequencies, stray, key, out):  # type: ignore[no-untyped-def]
    for f in range(frequencies.shape[0]):
        turns = 2.0 * frequencies[f] / SPEED_OF_LIGHT * stray.detour_m
        c, s = spin(np.float32(turns))
        out[f, 2:] = _ZERO
        for j in range(out.shape[2]):
            for i in range(out.shape[3]):
                varying = np.float32(2.0) * hash_uniform(key, j * out.shape[3] + i)
                share = np.float32(stray.detour_share) * varying
                out[f, 0, j, i] = np.float32(1.0) + share * c
                out[f, 1, j, i] = share * s


@njit(**BORROWING)
def _fill_bounces(patches, frequencies, gain, work, out):  # type: ignore[no-untyped-def]
    """patches (9, n) float64, a column a node; work: (2, n) float64."""
    n, across = patches.shape[1], out.shape[3]
    shares, lengths = work[0], work[1]
    for a in range(n):
        if patches[6, a] == 0.0:
            continue
        _light_up(patches, a, gain, shares, lengths)
        for b in range(n):
            if shares[b] == _DARK:
                continue
            further = 0.5 * (patches[6, b] + lengths[b] - patches[6, a])
            share = np.float32(shares[b])
            for f in range(frequencies.shape[0]):
                c, s = spin(np.float32(2.0 * frequencies[f] / SPEED_OF_LIGHT * further))
                out[f, 2, a // across, a % across] += share * c
                out[f, 3, a // across, a % across] += share * s


@njit(**BORROWING)
def _light_up(patches, a, gain, shares, lengths):  # type: ignore[no-untyped-def]
    """The share of every node's light that node a gets, `_DARK` for too little; how far they are
    apart."""
    x0, y0, z0 = patches[0, a], patches[1, a], patches[2, a]
    nx, ny, nz = patches[3, a], patches[4, a], patches[5, a]
    xs, ys, zs, ns, ms = patches[0], patches[1], patches[2], patches[3], patches[4]
    ls, rs, ws, qs = patches[5], patches[6], patches[7], patches[8]
    for b in range(shares.shape[0]):
        x, y, z = xs[b] - x0, ys[b] - y0, zs[b] - z0
        at_p = nx * x + ny * y + nz * z
        at_q = -(ns[b] * x + ms[b] * y + ls[b] * z)
        square = x * x + y * y + z * z
        area = ws[b] * rs[b] * rs[b]
        share = gain * qs[b] * ws[b] * at_p * at_q / (square * (math.pi * square + area))
        away = (at_p <= 0.0) | (at_q <= 0.0) | (share < _FAINT) | (qs[b] == 0.0)
        shares[b] = _DARK if away else share
        lengths[b] = math.sqrt(square)
    shares[a] = _DARK


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_flare(scene, frequencies, pitch, share, fall, out):  # type: ignore[no-untyped-def]
    """The light around each node, by a few pixels in its cell, spread by exp(-distance / width)."""
    count, _, down, across = out.shape
    height, width = scene.depth.shape
    mean, sums = np.zeros((down, across, 2 * count)), np.empty(2 * count)
    taken = np.zeros((down, across))
    every = max(1, pitch // _SAMPLES)
    row = np.empty((4, width), np.float32)
    places = np.arange(every // 2, width, every)
    work = np.empty((3, len(places)), np.float32)
    ranges, re, im = work[0], work[1], work[2]
    for v in range(every // 2, height, every):
        fill_row(scene, v, row)
        j = (v + pitch // 2) // pitch
        for n in range(len(places)):
            taken[j, (places[n] + pitch // 2) // pitch] += 1.0
            ranges[n] = row[0, places[n]]
        for f in range(count):
            spin_row(ranges, np.float32(2.0 * frequencies[f] / SPEED_OF_LIGHT), re, im)
            for n in range(len(places)):
                u = places[n]
                if row[1, u] > _ZERO:
                    i = (u + pitch // 2) // pitch
                    mean[j, i, 2 * f] += row[1, u] * re[n]
                    mean[j, i, 2 * f + 1] += row[1, u] * im[n]
    weights = np.empty((down, across))
    for j in range(down):
        for i in range(across):
            weights[j, i] = fall ** math.sqrt(float(j * j + i * i))
    for j in range(down):
        for i in range(across):
            norm = 0.0
            for y in range(down):
                for x in range(across):
                    norm += weights[abs(y - j), abs(x - i)] * taken[y, x]
            # Sums side by side: each waits for its own last addition only.
            sums[:] = 0.0
            for y in range(down):
                for x in range(across):
                    weight = weights[abs(y - j), abs(x - i)]
                    for k in range(2 * count):
                        sums[k] += weight * mean[y, x, k]
            for f in range(count):
                for k in range(2):
                    out[f, 4 + k, j, i] = share * sums[2 * f + k] / max(norm, 1e-12)


@njit(**BORROWING)
def widen_nodes(nodes, pitch, out):  # type: ignore[no-untyped-def]
    """Fill out (F, down, 6, W): nodes (F, 6, down, across) interpolated along the rows."""
    each = np.float32(1.0) / np.float32(pitch)
    for f in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                line, ends = out[f, j, k], nodes[f, k, j]
                for i in range(ends.shape[0] - 1):
                    start, rise = ends[i], each * (ends[i + 1] - ends[i])
                    first = i * pitch
                    for u in range(min(pitch, line.shape[0] - first)):
                        line[first + u] = start + np.float32(u) * rise


@njit(**BORROWING)
def interpolate_stray(lines, v, pitch, out):  # type: ignore[no-untyped-def]
    """Fill out (6 W,) for image row v from lines (down, 6 W) of `widen_nodes`."""
    j = v // pitch
    t = np.float32(v - j * pitch) / np.float32(pitch)
    first, second = lines[j], lines[j + 1]
    for i in range(out.shape[0]):
        out[i] = first[i] + t * (second[i] - first[i])
