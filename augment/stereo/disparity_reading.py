"""From the disparity that matching settled on to a device's depth, and to why there is none.

Pixels are lost where a blotchy field of unit variance, how bad the match is, exceeds a limit. The
limit falls with what makes matching hard: little light, a slanting surface, a silhouette within
the window. So holes are blobs that gather at the hard places.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from augment.effects.inlined import INLINED
from augment.stereo.marks import BESIDE, HIDDEN, TORN, mix_row
from frames.kernels import BORROWING
from frames.reasons import (
    LOW_SIGNAL,
    MISMATCH,
    NOTHING,
    OUT_OF_RANGE,
    SATURATED,
    SHADOW,
    VIGNETTE,
)

__all__ = ["Limits", "read_disparity", "round_row"]

_ZERO, _QUARTER, _HALF, _ONE = (np.float32(x) for x in (0.0, 0.25, 0.5, 1.0))
_ROUND = np.float32(12582912.0)  # 1.5 * 2^23: adding it and taking it away rounds a float32
# sin(2 pi x) on [-1/2, 1/2] as x (1/4 - x^2) (c0 + c1 x^2 + c2 x^4): exact zeros, 2e-4 off at most.
_C0, _C1, _C2 = np.float32(25.1274), np.float32(-64.8352), np.float32(67.0766)
_SOFT, _TINY = np.float32(5.0), np.float32(1e-6)
_CREASES = np.float32(0.7)  # steps per deviation of the texture
_BEYOND, _NO_STEPS = np.float32(65536.0), np.uint16(0)
_READ, _NOTHING, _LOW, _HIGH, _RIM, _LOST, _FAR, _SHADOW = (
    np.uint8(code)
    for code in (0, NOTHING, LOW_SIGNAL, SATURATED, VIGNETTE, MISMATCH, OUT_OF_RANGE, SHADOW)
)


class Limits(NamedTuple):
    """A model's numbers for one camera, float32 all."""

    scale: np.float32
    """Disparity times depth, px m."""
    noise: np.float32
    """Standard deviation of the disparity on a well lit surface, px."""
    fresh: np.float32
    """Gain of the noise that is new in every frame, of 1 in all."""
    slow: np.float32
    """Gain of the error that goes with bad matches and stays with them."""
    crease: np.float32
    """Height of the steps in what goes with the texture."""
    uneven: np.float32
    """How rough places are: |1 + uneven x texture|."""
    even: np.float32
    """1 / sqrt(1 + uneven^2): what keeps its RMS."""
    locking: np.float32
    """Amplitude of the pull towards whole disparities, px."""
    quantum: np.float32
    """Step of the disparity, px; 0: none."""
    step_m: np.float32
    """Step of the depth, m; 0: none."""
    largest: np.float32
    """Largest disparity of the search, px."""
    near_fray: np.float32
    """Disparities by which that strays, times what the badness is above -1."""
    smallest: np.float32
    """Smallest disparity that is a reading, px."""
    hole: np.float32
    """Badness above which a pixel of a good surface is lost."""
    ring: np.float32
    """Badness above which a pixel beside a silhouette is lost."""
    low: np.float32
    """Signal at which half of the pixels are lost."""
    high: np.float32
    """Signal above which the image is saturated."""
    per_slope: np.float32
    """1 / the gradient of the disparity, px per pixel of the image, at which half are lost."""
    projector: np.float32
    """Share of the pattern that the device projects: it fades with the squared distance."""
    rim: np.float32
    """Share of the signal that is missing where the ray (x, y, 1) has x^2 + y^2 = 1."""
    fx: np.float32
    """Focal lengths of the image, px."""
    fy: np.float32
    per_metre: np.float32
    """Steps a metre of the file."""


@njit(cache=True, nogil=True, error_model="numpy")
def read_disparity(  # type: ignore[no-untyped-def]
    disparity, state, parts, reflectance, x_px, y_px, holes, texture, limits, depth, reason, sigma,
    steps,
):  # fmt: skip
    """Fills depth (H, W) float32 m, reason (H, W) uint8 and sigma (H, W) float32 m.

    disparity: (H, W) float32 as matched, `NO_DISPARITY` where nothing is; state: (H, W) uint8,
    marks; parts (H, W) uint8, reflectance (256,) float32; x_px, y_px: (H, W) float32, fx x and fy y
    of each ray (x, y, 1), or where that is all (1, W) and (H, 1); holes: `Patches` that decide on
    them, whose fields are the noise too; texture: (H, W) float32 of unit variance, which decides
    where surfaces are rough; limits: `Limits`. steps: (H, W) uint16 depth as a file
    keeps it; then depth and sigma are rows to work in, (1, W), and reason says what steps cannot
    hold. Or of size 0.

    Noise, pull and quantum act on the disparity d: z = f B / d and sigma_z = z^2 sigma_d / (f B).
    The signal is reflectance cos^2 (p / z^2 + 1 - p): by the law of Lambert, and once more because
    a slanting surface shows its pattern foreshortened.
    """
    width = disparity.shape[1]
    lines, line = np.empty((4, width), np.float32), np.empty(width + 2, np.float32)
    given = disparity, state, parts, reflectance, x_px, y_px
    _read_rows(given, holes, texture, limits, lines, line, depth, reason, sigma, steps)


@njit(**BORROWING)
def _read_rows(given, holes, texture, limits, lines, line, depth, reason, sigma, steps):  # type: ignore[no-untyped-def]
    disparity, state, parts, reflectance, x_px, y_px = given
    height, width = disparity.shape
    shine, worse, across, blur = lines[0], lines[1], lines[2], lines[3]
    before, here, after = line[:width], line[1 : width + 1], line[2:]
    for v in range(height):
        _look_up_row(parts[v], reflectance, shine)
        mix_row(holes, v, worse)
        above, below = disparity[max(v - 1, 0)], disparity[min(v + 1, height - 1)]
        for u in range(width):
            here[u] = disparity[v, u]
        line[0], line[width + 1] = line[1], line[width]
        xs = x_px[min(v, x_px.shape[0] - 1)]
        if y_px.shape[1] == 1:
            for u in range(width):
                across[u] = y_px[v, 0]
        ys = across if y_px.shape[1] == 1 else y_px[v]
        around = before, here, after, above, below
        _judge_row(around, xs, ys, shine, worse, state[v], limits, blur, reason[v])
        own = min(v, depth.shape[0] - 1)
        fields = holes.badness[v], holes.noise[v], texture[v], worse
        _read_row(disparity[v], fields, limits, blur, depth[own], reason[v], sigma[own])
        if steps.shape[0] > 0:
            round_row(depth[own], limits.per_metre, steps[v], reason[v])


@njit(**INLINED)
def _look_up_row(codes, reflectance, shine):  # type: ignore[no-untyped-def]
    """Reflectance of a row's codes. Most are 0 left and right of what has others: not looked up."""
    width = codes.shape[0]
    first, last = width, -1
    for u in range(width):
        first = min(first, u if codes[u] != 0 else width)
        last = max(last, u if codes[u] != 0 else -1)
    for u in range(width):
        shine[u] = reflectance[0]
    for u in range(first, last + 1):
        shine[u] = reflectance[codes[u]]


@njit(**INLINED)
def _judge_row(around, xs, ys, shine, worse, flags, limits, blur, why):  # type: ignore[no-untyped-def]
    """A row's standard deviation of the disparity, and why pixels are lost whatever it reads."""
    before, here, after, above, below = around
    p = limits
    nearness, per_fx, per_fy = _ONE / p.scale, _ONE / p.fx, _ONE / p.fy
    for u in range(here.shape[0]):
        d, x, y = here[u], xs[u], ys[u]
        # The flatter of the two one-sided slopes: the jump at an outline is none.
        a, b = d - before[u], after[u] - d
        gx = a if abs(a) < abs(b) else b
        a, b = d - above[u], below[u] - d
        gy = a if abs(a) < abs(b) else b
        # In disparity a plane stays a plane, d = a x + b y + c, with the normal (a, b, c).
        a, b = gx * p.fx, gy * p.fy
        c = d - gx * x - gy * y
        radius = (x * per_fx) ** 2 + (y * per_fy) ** 2
        oblique = (a * a + b * b + c * c) * (_ONE + radius) + _TINY  # (d / cosine)^2
        near = d * nearness
        lit = shine[u] * d * d * (p.projector * near * near + (_ONE - p.projector))
        light = max(lit * (_ONE - p.rim * radius), _TINY)
        # Little light over noise: a worse match, in the end none.
        faint = p.low * oblique / light
        blur[u] = p.noise * (_ONE + faint * faint)

        by_match = p.ring if flags[u] & BESIDE else p.hole
        by_slope = (_ONE - max(abs(gx), abs(gy)) * p.per_slope) * _SOFT
        by_light = (_ONE - faint) * _SOFT
        # light >= p.high * oblique is glare, without another division.
        glare = light > p.high * oblique
        limit = min(min(by_light, by_slope), by_match)
        code = _LOW if p.low * oblique > lit * _HALF else _RIM
        code = code if by_light <= limit else _LOST
        lost = code if worse[u] > limit else _READ
        lost = _HIGH if glare else lost
        lost = _LOST if flags[u] & TORN else lost
        why[u] = _SHADOW if flags[u] & HIDDEN else lost


@njit(**INLINED)
def _read_row(found, fields, limits, blur, to, why, spread):  # type: ignore[no-untyped-def]
    """What it reads where `why` is 0, which is set where that is out of range, or nothing."""
    bad, error, weave, worse = fields
    p = limits
    grain, keep = max(p.quantum, _TINY), p.quantum <= _ZERO
    metre, smooth = max(p.step_m, _TINY), p.step_m <= _ZERO
    per_grain, per_step, nearness = _ONE / grain, _ONE / metre, _ONE / p.scale
    for u in range(found.shape[0]):
        d = found[u]
        pull = d - ((d + _ROUND) - _ROUND)
        square = pull * pull
        pull = pull * (_QUARTER - square) * (_C0 + square * (_C1 + square * _C2))
        rough = abs(_ONE + p.uneven * weave[u])
        wave = _CREASES * (weave[u] + _HALF * bad[u])
        slow = p.slow * bad[u] + p.crease * (wave - ((wave + _ROUND) - _ROUND))
        e = d + blur[u] * (p.fresh * p.even * rough * error[u] + slow) + p.locking * pull
        stepped = ((e * per_grain + _ROUND) - _ROUND) * grain
        e = e if keep else stepped
        z = p.scale / max(e, _TINY)
        variation = z * z * blur[u] * nearness
        stepped = ((z * per_step + _ROUND) - _ROUND) * metre
        z = z if smooth else stepped

        ends = e + p.near_fray * max(worse[u] + _ONE, _ZERO) > p.largest
        lost = _FAR if ends | (e < p.smallest) else why[u]
        lost = _NOTHING if d < _ZERO else lost
        good = lost == _READ
        to[u] = z if good else _ZERO
        spread[u] = variation if good else _ZERO
        why[u] = lost


@njit(**INLINED)
def round_row(depth_m, scale, steps, why):  # type: ignore[no-untyped-def]
    """Depth in a file's steps, 0 exactly where why is not; what they cannot hold is out of range.

    depth_m (W,) float32, scale: steps a metre; fills steps (W,) uint16 and changes why (W,) uint8.
    """
    for u in range(depth_m.shape[0]):
        x = depth_m[u] * scale + _HALF
        # Written so that NaN is no depth.
        fits = (x >= _ONE) & (x < _BEYOND)
        code = why[u]
        code = code if fits | (code != 0) else _FAR
        steps[u] = np.uint16(np.int32(x)) if code == 0 else _NO_STEPS
        why[u] = code
