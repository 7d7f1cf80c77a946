"""What matching by windows makes of true depth: silhouettes that grow, near surfaces that melt.

A stereo matcher compares windows, not pixels, and prefers neighbours of like disparity. So at a
large step the window that straddles it takes the disparity of one side as a whole, mostly the
near one: it is the brighter, and of the far one a part hides from the second eye. Small steps melt
(`melting`).

Every row passes through all of this before the next: the few rows that growth and melting reach
stay in the first-level cache, where images would not.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from augment.effects.inlined import INLINED
from augment.stereo.fraying import fray_row, make_fraying
from augment.stereo.marks import BESIDE, HIDDEN, NO_DISPARITY, mix_row
from augment.stereo.melting import make_melting, melt_column, melt_row, soften_row
from frames.kernels import BORROWING

__all__ = ["Windows", "match_windows"]

_EMPTY = np.uint16(65535)
_NONE = np.uint8(0)
_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_DITHER = np.float32(0.29)
_BELOW = np.float32(0.999)
_FARTHEST = np.float32(255.0)


class Windows(NamedTuple):
    """A model's numbers for one camera, float32; lengths in pixels of the image unless said."""

    reach: np.float32
    """How far near surfaces grow, mean."""
    reach_hidden: np.float32
    """The same where the second eye is blind."""
    spread: np.float32
    """Both are multiplied by 1 - spread x patches."""
    scale: np.float32
    """Disparity in the device's pixels times depth."""
    step: np.float32
    """Half the step, in the device's disparities, below which nothing grows."""
    full: np.float32
    """Step from which everything does."""
    lateral: np.float32
    """Pixels of the image in one of the device; < 0 for a second eye to the left."""
    border: np.float32
    """x_px of the border on the side from which that eye leans away."""
    fray: np.float32
    """How far the ends of shadows stray, times the patches' deviation."""
    melt: np.float32
    """Half-width of what melts."""
    limit: np.float32
    """Step, in the device's disparities, that does not melt."""
    soften: np.float32
    """It is multiplied by 1 + soften x patches."""


@njit(cache=True, nogil=True, error_model="numpy")
def match_windows(depth, patches, ends, x_px, ring, windows, state, out):  # type: ignore[no-untyped-def]
    """Disparity, in the device's pixels, of the surface that wins each window, into `out` (H, W)
    float32; `NO_DISPARITY` where nothing is, or x_px is NaN: no lens.

    depth: (H, W) uint16, 0 for nothing. patches, ends: `Patches` that decide on silhouettes and on
    the ends of shadows. x_px: `shadow.table_columns`, or its first row where all are alike. ring:
    pixels, >= any reach, within which a nearer surface stands beside.

    Each pixel looks for the nearest depth within a square of reach x (1 - spread x patch) pixels
    around it. That wins nowhere over a step below two times `step`, everywhere over one of `full`,
    and in between in more places the larger it is; half of either suffices where the second eye is
    blind. `state` (H, W) uint8 comes in as `HIDDEN`, `TORN` or 0, and goes out as that where
    nothing won over it, `HIDDEN` or where the surface lies beyond the border of the second image,
    plus `BESIDE` next to a nearer surface, by two steps; ends of shadows frayed.
    """
    width = depth.shape[1]
    melting = make_melting(windows.melt, windows.limit, width)
    fraying = make_fraying(windows.fray, width)
    growing = (
        np.full((ring + 1, 3, width + 2), _EMPTY, np.uint16),
        np.empty((ring + 1, width), np.uint16),
        np.empty((ring + 1, width), np.uint8),
        np.full(width + 2, _EMPTY, np.uint16),
    )
    mixed = np.empty((ring + 1, width), np.float32)
    given = depth, patches, ends, x_px
    _match_rows(given, windows, growing, melting, fraying, mixed, state, out)


@njit(**BORROWING)
def _match_rows(given, windows, growing, melting, fraying, mixed, state, out):  # type: ignore[no-untyped-def]
    """Row t comes in while row t - k grows its k-th pixel, t - ring is settled and melted along u,
    and the row before which enough others are melted is melted along v."""
    depth, patches, ends, x_px = given
    height, width = depth.shape
    levels, owns, reaches, _ = growing
    padded, melted = melting[0], melting[1]
    ring, taps = levels.shape[0] - 1, melting[4].shape[0] - 1
    size, several = ring + 1, 2 * taps + 1
    surface = padded[taps : taps + width]
    for t in range(height + ring + taps):
        if t < height:
            patch = mixed[t % size]
            mix_row(patches, t, patch)
            near, own, steps = levels[0, t % 3], owns[t % size], reaches[t % size]
            _enter_row(depth[t], state[t], patch, windows, ring, near, own, steps)
        for k in range(1, ring + 1):
            if 0 <= t - k < height:
                _grow_row(growing, t - k, height, k)
        v = t - ring
        if 0 <= v < height:
            patch = mixed[v % size]
            xs, own, near = x_px[min(v, x_px.shape[0] - 1)], owns[v % size], levels[ring, v % 3][1:]
            _settle_row(depth[v], own, near, patch, xs, windows, state[v], surface)
            if windows.fray > _ZERO:
                fray_row(fraying, ends, v, windows.fray, windows.lateral > _ZERO, state[v])
            if windows.soften > _ZERO:
                soften_row(melting, v, windows.soften, patch)
            melt_row(melting, v, melted[v % several])
        v -= taps
        if 0 <= v < height:
            melt_column(melting, v, height, out[v])


@njit(**INLINED)
def _enter_row(row, blind, patch, windows, ring, near, own, steps):  # type: ignore[no-untyped-def]
    """A row of depth as it is, and how far each pixel of it looks."""
    last = min(np.float32(ring), _FARTHEST)
    middle = near[1:]
    for u in range(row.shape[0]):
        d = row[u]
        d = d if d != 0 else _EMPTY
        own[u] = d
        middle[u] = d
        r = windows.reach_hidden if blind[u] != 0 else windows.reach
        # Rounded up or down by the patch too, so that a reach below a pixel shows on average.
        dither = min(max(_HALF - _DITHER * patch[u], _ZERO), _BELOW)
        r = min(max(r * (_ONE - windows.spread * patch[u]) + dither, _ZERO), last)
        steps[u] = np.uint8(np.int32(r))


@njit(**INLINED)
def _grow_row(growing, v, height, k):  # type: ignore[no-untyped-def]
    """The nearest within k pixels from the nearest within k - 1: for all, and for who looks so
    far."""
    levels, owns, reaches, line = growing
    size, width = levels.shape[0], owns.shape[1]
    middle, left, right = line[1 : width + 1], line[:width], line[2:]
    before = levels[k - 1]
    a, b = before[max(v - 1, 0) % 3][1:], before[v % 3][1:]
    c = before[min(v + 1, height - 1) % 3][1:]
    for u in range(width):
        middle[u] = min(min(a[u], b[u]), c[u])
    to, own, wanted, count = levels[k, v % 3][1:], owns[v % size], reaches[v % size], np.uint8(k)
    for u in range(width):
        m = min(min(left[u], middle[u]), right[u])
        to[u] = m
        own[u] = m if wanted[u] >= count else own[u]


@njit(**INLINED)
def _settle_row(row, win, near, patch, xs, windows, flags, to):  # type: ignore[no-untyped-def]
    side = _ONE if windows.lateral > _ZERO else -_ONE
    rate, edge, far = abs(windows.lateral), side * windows.border, windows.step + windows.step
    ramp, scale = max(windows.full - far, _ZERO), windows.scale
    for u in range(row.shape[0]):
        own, won, there = np.float32(row[u]), np.float32(win[u]), row[u] != 0
        # About even in 0..1, low where silhouettes grow most.
        place = min(max(_HALF + _DITHER * patch[u], _ZERO), _ONE)
        need = (far + ramp * place) * (_HALF if flags[u] != 0 else _ONE)
        # scale / won - scale / own > need without dividing; nothing has no disparity.
        by_step = scale * (own - won) > need * own * won
        wins = by_step if there else scale > need * won
        d = scale / (won if wins else own)
        d = d if there | wins else _ZERO
        beside = scale > (far + d) * np.float32(near[u])
        kept = _NONE if wins else flags[u]
        kept = HIDDEN if side * xs[u] - rate * d < edge else kept
        flags[u] = kept | (BESIDE if beside else _NONE)
        seen = (there | (win[u] != _EMPTY)) & (xs[u] == xs[u])
        to[u] = d if seen else NO_DISPARITY
