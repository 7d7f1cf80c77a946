"""Flying pixels: by an outline two surfaces share a pixel, and their phasors add up.

A pixel there reads arg(sum share_i C_i exp(j phase_i)): a distance between the two or, past half a
wavelength apart, before or behind both. The shares are of `coverage`. If the nearer
surface moves across the image, they differ from sample to sample. Each sample is the difference
of a pixel's two taps, so that constant light leaves no trace.
"""

from typing import Final

import numpy as np
from numba import njit

from augment.effects.noise_field import hash_word
from augment.time_of_flight.phasor import spin, spin_row
from frames.kernels import BORROWING

JUMP_M: Final = 0.006
"""Depths that bend by no more than this, and 1/128 of the depth, are one surface."""

_ZERO, _ONE, _TWO, _HALF = (np.float32(x) for x in (0.0, 1.0, 2.0, 0.5))
_FAR, _SLOPE = np.float32(65535.0), np.float32(1 / 128)

# Of a row's outlines: near r, C, S, speed; far r, C, S, speed; share of near, its change.
COLUMNS: Final = 10

MIXING: Final = 14
"""Rows that `mix_row` works in."""


@njit(**BORROWING)
def find_outlines(depth, v, step, work, marks, out):  # type: ignore[no-untyped-def]
    """Fill out (W,) int32 with the places of image row v by outlines, and say how many there are.

    Found where depth bends by more than `JUMP_M` and 1/128 of itself over three pixels, along u or
    v: a surface may tilt as it will, and a step shows on both its sides. work: (4, W + 2) float32,
    written over; marks: (W,) uint8, becomes 1 at those places.
    """
    height, width = depth.shape
    for k in range(3):
        _copy_far(depth[min(max(v + k - 1, 0), height - 1)], work[k])
    inside = _ONE if 0 < v < height - 1 else _ZERO
    _find_bends(work, np.float32(JUMP_M / step), inside, marks)
    count = 0
    for u in range(width):
        out[count] = u
        count += marks[u]
        if count == width:
            break
    return count


@njit(**BORROWING)
def _copy_far(source, out):  # type: ignore[no-untyped-def]
    """A row of depth with its ends doubled; nothing, 0, lies behind everything."""
    inner = out[1:-1]
    for u in range(source.shape[0]):
        d = np.float32(source[u])
        inner[u] = d if d > _ZERO else _FAR
    out[0], out[-1] = out[1], out[-2]


@njit(**BORROWING)
def _find_bends(work, jump, inside, marks):  # type: ignore[no-untyped-def]
    above, below = work[0, 1:-1], work[2, 1:-1]
    left, here, right = work[1, :-2], work[1, 1:-1], work[1, 2:]
    bends = work[3, 1:-1]
    for u in range(marks.shape[0]):
        double = _TWO * here[u]
        along = abs(left[u] + right[u] - double)
        across = inside * abs(above[u] + below[u] - double)
        least = min(min(min(left[u], right[u]), min(above[u], below[u])), here[u])
        bends[u] = max(along, across) - (jump + least * _SLOPE)
    for u in range(marks.shape[0]):
        marks[u] = bends[u] > _ZERO
    # With one neighbour along the row nothing can be said of a bend along it.
    for u in (0, marks.shape[0] - 1):
        across = inside * abs(above[u] + below[u] - _TWO * here[u])
        marks[u] = across > jump + min(min(above[u], below[u]), here[u]) * _SLOPE


@njit(**BORROWING)
def part_surfaces(work, v, places, lights, rows, table, key, out, nearest, slopes):  # type: ignore[no-untyped-def]
    """Fill out (COLUMNS, W) for the outlines of image row v, the first n of places.

    work: as `find_outlines` left it; lights: (3, 4, W) of `returned_light`, and rows: (3,) where in
    it the rows v - 1, v, v + 1 are; table: of `tabulate_coverage`; key: a 64-bit word of the frame.
    Also filled: nearest, (n, 2) int32, a pixel (v, u) of the near surface, and slopes, (n, 2), the
    change of its share per pixel that it moves along u and v. The column of motion is 0.
    """
    width = lights.shape[2]
    light = lights[rows[1]]
    choices = np.uint64(table.shape[0])
    for n in range(nearest.shape[0]):
        u = np.int64(places[n])
        least, most = _FAR, _ZERO
        for k in range(3):
            for x in range(u, u + 3):
                least, most = min(least, work[k, x]), max(most, work[k, x])
        # Halfway in 1 / z: what is well behind the nearest counts as far.
        middle = _TWO * least * most / (least + most)
        inside = work[1, u + 1] <= middle
        pattern, members, lit = 0, 0, 0
        r, c, s, speed = _ZERO, _ZERO, _ZERO, _ZERO
        near_v, near_u = v, u
        for k in range(3):
            row = rows[k]
            for x in range(3):
                is_near = work[k, u + x] <= middle
                pattern |= (1 << (3 * k + x)) if is_near else 0
                if is_near != inside:
                    place = min(max(u + x - 1, 0), width - 1)
                    members += 1
                    c += lights[row, 1, place]
                    s += lights[row, 2, place]
                    if lights[row, 0, place] > _ZERO:
                        lit += 1
                        r += lights[row, 0, place]
                        speed += lights[row, 3, place]
                    if is_near and near_v == v and near_u == u:
                        near_v, near_u = v + k - 1, place
        nearest[n, 0], nearest[n, 1] = near_v, near_u
        other, own = (4, 0) if inside else (0, 4)
        for k in range(4):
            out[own + k, n] = light[k, u]
        each, present = _ONE / np.float32(max(members, 1)), _ONE / np.float32(max(lit, 1))
        out[other, n], out[other + 1, n] = r * present, c * each
        out[other + 2, n], out[other + 3, n] = s * each, speed * present
        chosen = hash_word(key, np.uint64(v * width + u)) % choices if choices > 1 else np.uint64(0)
        out[8, n], out[9, n] = table[chosen, pattern, 0], _ZERO
        slopes[n, 0], slopes[n, 1] = table[chosen, pattern, 1], table[chosen, pattern, 2]


@njit(**BORROWING)
def move_outlines(scene, v, places, slopes, nearest, out):  # type: ignore[no-untyped-def]
    """Fill out[9]: how fast the near surface's share of each pixel changes, 1/s.

    scene: of `returned_light`; slopes, nearest: of `part_surfaces`.
    """
    lens, step = scene.lens, np.float32(scene.step)
    for n in range(nearest.shape[0]):
        y, x = nearest[n, 0], nearest[n, 1]
        t = scene.twist[scene.parts[y, x]]
        z = step * np.float32(scene.depth[y, x])
        if z <= _ZERO:
            continue
        px, py = lens[0, y, x], lens[1, y, x]
        # Linear part over the depth, plus w x (px, py, 1).
        vx = t[0] / z + t[4] - t[5] * py
        vy = t[1] / z + t[5] * px - t[3]
        vz = t[2] / z + t[3] * py - t[4] * px
        u = places[n]
        rate_x, rate_y = lens[3, v, u], lens[4, v, u]
        out[9, n] = slopes[n, 0] * rate_x * (vx - px * vz)
        out[9, n] += slopes[n, 1] * rate_y * (vy - py * vz)


@njit(**BORROWING)
def mix_row(places, outlines, turns_per_m, stray, work, re, im):  # type: ignore[no-untyped-def]
    """Replace the phasors re, im (W) of a row's outlines, at places (n,), by their two surfaces',
    where nothing moves.

    outlines: (COLUMNS, W) of `part_surfaces`; turns_per_m, stray: as for
    `augment.time_of_flight.pixel_signal.collect_row`; work: (MIXING, W) float32.
    """
    # To whole vectors, of what earlier rows left; short loops of few arrays become such.
    size = min((places.shape[0] + 15) // 16 * 16, re.shape[0])
    for n in range(places.shape[0]):
        u = places[n]
        for k in range(6):
            work[k, n] = stray[k, u]
    g0, g1, e0, e1 = work[0, :size], work[1], work[2], work[3]
    a, b, c, d = work[6, :size], work[7, :size], work[8, :size], work[9, :size]
    _weigh(outlines[1], outlines[2], g0, e0, a)
    _weigh(outlines[1], outlines[2], g1, e1, b)
    _weigh(outlines[5], outlines[6], g0, e0, c)
    _weigh(outlines[5], outlines[6], g1, e1, d)
    x, y, p, q = work[10, :size], work[11, :size], work[12, :size], work[13, :size]
    spin_row(outlines[0], turns_per_m, x, y)
    _turn_row(a, b, x, y)
    spin_row(outlines[4], turns_per_m, p, q)
    _turn_row(c, d, p, q)
    _share_row(outlines[8], p, x)
    _share_row(outlines[8], q, y)
    for n in range(places.shape[0]):
        u = places[n]
        re[u], im[u] = x[n] + work[4, n], y[n] + work[5, n]


@njit(**BORROWING)
def _weigh(amplitudes, strengths, direct, bounced, out):  # type: ignore[no-untyped-def]
    for n in range(out.shape[0]):
        out[n] = amplitudes[n] * direct[n] + strengths[n] * bounced[n]


@njit(**BORROWING)
def _turn_row(a, b, re, im):  # type: ignore[no-untyped-def]
    """Multiply the phasors re, im by a + j b."""
    for n in range(re.shape[0]):
        c, s = re[n], im[n]
        re[n], im[n] = c * a[n] - s * b[n], c * b[n] + s * a[n]


@njit(**BORROWING)
def _share_row(shares, far, near):  # type: ignore[no-untyped-def]
    for n in range(near.shape[0]):
        share = min(max(shares[n], _ZERO), _ONE)
        near[n] = share * near[n] + (_ONE - share) * far[n]


@njit(**BORROWING)
def mix_moving_row(places, outlines, turns_per_m, middle_s, step_s, stray, re, im):  # type: ignore[no-untyped-def]
    """As `mix_row`, where something moves.

    The rest as for `augment.time_of_flight.pixel_signal.collect_row`.
    """
    for n in range(places.shape[0]):
        u, line = places[n], outlines[:, n]
        g0, g1, e0, e1 = stray[0, u], stray[1, u], stray[2, u], stray[3, u]
        a, b = line[1] * g0 + line[2] * e0, line[1] * g1 + line[2] * e1
        c, d = line[5] * g0 + line[6] * e0, line[5] * g1 + line[6] * e1
        x, y = _ZERO, _ZERO
        still = line[3] == _ZERO and line[7] == _ZERO and line[9] == _ZERO
        for k in range(1 if still else 4):
            at = middle_s + (np.float32(k) - np.float32(1.5)) * step_s
            if still:
                at = _ZERO
            share = min(max(line[8] + line[9] * at, _ZERO), _ONE)
            rest = _ONE - share
            cn, sn = spin(turns_per_m * (line[0] + line[3] * at))
            cf, sf = spin(turns_per_m * (line[4] + line[7] * at))
            zx = share * (cn * a - sn * b) + rest * (cf * c - sf * d)
            zy = share * (cn * b + sn * a) + rest * (cf * d + sf * c)
            if still:
                x, y = zx, zy
            elif k == 0 or k == 2:  # A_0 and A_2 show the real part, A_1 and A_3 the imaginary one
                x += _HALF * zx
            else:
                y += _HALF * zy
        re[u], im[u] = x + stray[4, u], y + stray[5, u]
