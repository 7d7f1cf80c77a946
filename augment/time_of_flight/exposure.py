"""A whole frame, row by row: light collected, read, unwrapped and judged, before any software.

Rows stay in the first-level cache from light to verdict; the outlines need those above and below,
so that three rows of light go round.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.time_of_flight.outlines import (
    COLUMNS,
    MIXING,
    find_outlines,
    mix_moving_row,
    mix_row,
    move_outlines,
    part_surfaces,
)
from augment.time_of_flight.phasor import SPEED_OF_LIGHT
from augment.time_of_flight.pixel_signal import collect_row, draw_row, read_row
from augment.time_of_flight.returned_light import fill_row
from augment.time_of_flight.stray_light import interpolate_stray, widen_nodes
from augment.time_of_flight.unwrapping import judge_row, unwrap_row
from frames.kernels import BORROWING

NO_READING = np.float32(-1e9)
"""In an image of depths that is still to be filtered: near nothing."""

_ZERO, _ONE, _TINY = np.float32(0.0), np.float32(1.0), np.float32(1e-20)


class Device(NamedTuple):
    """A device before one frame, as compiled code takes it."""

    frequencies: NDArray[np.float64]
    """(F,) Hz, ascending."""
    noise: NDArray[np.float32]
    """As `pixel_signal.read_row` takes it."""
    wiggle: NDArray[np.float32]
    """As `pixel_signal.read_row` takes it."""
    step_s: np.float32
    """From sample to sample."""
    offsets: NDArray[np.float32]
    """(H, W) pattern of what is added to r; (0, 0) for none."""
    offset_m: np.float32
    """Metres of 1 of the pattern."""
    coverage: NDArray[np.float32]
    """Of `coverage.tabulate_coverage`."""
    tries: int
    """As `unwrapping.unwrap_row` takes it."""
    widest: np.float32
    """Length of the ray (x, y, 1) at the rim of the field."""
    limits: NDArray[np.float32]
    """As `unwrapping.judge_row` takes them."""
    keys: NDArray[np.uint64]
    """(2,) words of the frame: for noise, and for places in larger pixels."""


@njit(cache=True, nogil=True, error_model="numpy")
def expose(scene, device, nodes, reach, pitch, padded, amplitude, sigma, reason):  # type: ignore[no-untyped-def]
    """Fill padded with z (NO_READING around it and where there is none), amplitude, sigma, reason.

    nodes, reach, pitch: of `stray_light`.
    """
    width = scene.depth.shape[1]
    count = device.frequencies.shape[0]
    ring = np.empty((3, 4, width), np.float32)
    bends = np.empty((4, width + 2), np.float32)
    places, rows = np.empty(width, np.int32), np.empty(3, np.int64)
    nearest = np.empty((width, 2), np.int32)
    slopes = np.empty((width, 2), np.float32)
    outlines = np.zeros((COLUMNS, width), np.float32)
    mixing = np.zeros((MIXING, width), np.float32)
    down = nodes.shape[2]
    lines = np.empty((count, down, 6, width), np.float32)
    widen_nodes(nodes, pitch, lines)
    reaches = np.empty((1, down, 1, width), np.float32)
    widen_nodes(reach, pitch, reaches)
    stray = np.empty((6, width), np.float32)
    # All six of a row in one.
    flat = lines.reshape(count, down, 6 * width), reaches.reshape(down, width), stray.reshape(-1)
    phasors = np.empty((2, width), np.float32)
    turns = np.empty((count, width), np.float32)
    sums = np.empty((2, width), np.float32)
    bits = np.empty(width, np.uint64)
    ranges = np.empty((2, width), np.float32)
    marks = np.empty(width, np.uint8)
    wraps, weights = np.empty(count, np.float32), np.empty(count, np.float32)
    padded[0], padded[-1] = NO_READING, NO_READING
    padded[:, 0], padded[:, -1] = NO_READING, NO_READING
    _expose_rows(
        scene, device, pitch, padded, amplitude, sigma, reason,
        (ring, bends, places, rows, nearest, slopes, outlines, mixing, flat, stray),
        (phasors, turns, sums, bits, ranges, marks, wraps, weights),
    )  # fmt: skip


@njit(**BORROWING)
def _expose_rows(scene, device, pitch, padded, amplitude, sigma, reason, around, within):  # type: ignore[no-untyped-def]
    """`expose` with what it works in: of the neighbourhood, and of the rows themselves."""
    ring, bends, places, rows, nearest, slopes, outlines, mixing, flat, stray = around
    lines, reaches, whole = flat
    phasors, turns, sums, bits, ranges, marks, wraps, weights = within
    depth, lens, step = scene.depth, scene.lens, scene.step
    frequencies, offsets, limits = device.frequencies, device.offsets, device.limits
    height, width = depth.shape
    count = frequencies.shape[0]
    square = 0.0
    for f in range(count):
        wraps[f] = SPEED_OF_LIGHT / (2.0 * frequencies[f])
        weights[f] = (frequencies[f] / frequencies[count - 1]) ** 2
        square += frequencies[f] ** 2
    # Radians of phase at each frequency to metres of the mean of all, weighted by f^2.
    to_metres = np.float32(SPEED_OF_LIGHT / (4.0 * np.pi * np.sqrt(square)))
    each = _ONE / np.float32(count)
    for below in range(height + 1):
        if below < height:
            line = ring[below % 3]
            fill_row(scene, below, line)
            interpolate_stray(reaches, below, pitch, stray[0])
            _limit(stray[0], line[0], line[2])
            if offsets.shape[0]:
                _add_offsets(offsets[below], device.offset_m, line[0])
        v = below - 1
        if v < 0:
            continue
        n = find_outlines(depth, v, step, bends, marks, places)
        if n:
            ends, change = nearest[:n], slopes[:n]
            for k in range(3):
                rows[k] = min(max(v + k - 1, 0), height - 1) % 3
            part_surfaces(
                *(bends, v, places, ring, rows, device.coverage, device.keys[1]),
                *(outlines, ends, change),
            )
            if scene.moving:
                move_outlines(scene, v, places, change, ends, outlines)
        light, re, im = ring[v % 3], phasors[0], phasors[1]
        sums[:] = _ZERO
        draw_row(device.keys[0], v * width, bits)
        for f in range(count):
            interpolate_stray(lines[f], v, pitch, whole)
            per_m = _ONE / wraps[f]
            middle = np.float32(4 * f - 2 * (count - 1)) * device.step_s
            collect_row(light, scene.moving, per_m, middle, device.step_s, stray, ranges, re, im)
            if scene.moving:
                mix_moving_row(places[:n], outlines, per_m, middle, device.step_s, stray, re, im)
            else:
                mix_row(places[:n], outlines, per_m, stray, mixing, re, im)
            read_row(re, im, bits, f, device.noise, device.wiggle, turns[f], sums)
        unwrap_row(turns, wraps, weights, device.tries, ranges[0], ranges[1])
        z, lengths = padded[v + 1, 1:-1], lens[2, v]
        _project(ranges[0], lengths, z)
        _scale(sums[0], each, sums[0])
        _scale(sums[1], each, amplitude[v])
        _find_sigma(sums[0], lengths, device.noise, to_metres, sigma[v])
        judge_row(
            *(depth[v], z, amplitude[v], sums[0], ranges[1], lengths, device.widest),
            *(limits, marks, reason[v]),
        )
        for u in range(width):
            z[u] = z[u] if reason[v, u] == 0 else NO_READING


@njit(**BORROWING)
def _limit(reach, ranges, strengths):  # type: ignore[no-untyped-def]
    """Scale strengths by reach / r^2 where that is below 1 (see `stray_light.fill_stray`)."""
    for u in range(strengths.shape[0]):
        strengths[u] *= min(_ONE, reach[u] / (ranges[u] * ranges[u] + _TINY))


@njit(**BORROWING)
def _add_offsets(offsets, gain, ranges):  # type: ignore[no-untyped-def]
    for u in range(ranges.shape[0]):
        ranges[u] += gain * offsets[u] if ranges[u] > _ZERO else _ZERO


@njit(**BORROWING)
def _project(ranges, lengths, out):  # type: ignore[no-untyped-def]
    for u in range(out.shape[0]):
        out[u] = ranges[u] / max(lengths[u], _ONE)


@njit(**BORROWING)
def _scale(values, factor, out):  # type: ignore[no-untyped-def]
    for u in range(out.shape[0]):
        out[u] = values[u] * factor


@njit(**BORROWING)
def _find_sigma(amplitudes, lengths, noise, to_metres, out):  # type: ignore[no-untyped-def]
    per_electron, besides = noise[0], noise[1]
    for u in range(out.shape[0]):
        a = amplitudes[u]
        phase = np.sqrt(per_electron * a + besides) / max(a, _TINY)
        out[u] = phase * to_metres / max(lengths[u], _ONE)
