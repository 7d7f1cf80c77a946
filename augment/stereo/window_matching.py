"""What matching by windows makes of true depth: silhouettes that grow, near surfaces that melt.

A stereo matcher compares windows, not pixels, and prefers neighbours of like disparity. So at a
large step the window that straddles it takes the disparity of one side as a whole, mostly the
near one: it is the brighter, and of the far one a part hides from the second eye. At a small step
the two peaks of the correlation merge, and a ramp is cheaper than a jump: the depths blend.
"""

import numpy as np
from numba import njit

__all__ = [
    "BESIDE",
    "HIDDEN",
    "NO_DISPARITY",
    "TORN",
    "fray_shadow",
    "grow_near",
    "melt_steps",
    "settle_disparity",
]

HIDDEN, BESIDE, TORN = np.uint8(1), np.uint8(2), np.uint8(4)
"""Marks of a pixel: the second eye does not see it; a nearer surface stands within the window; it
lies in a gap that was almost bridged."""

NO_DISPARITY = np.float32(-1e9)
"""Stands for pixels where nothing is: farther than any step that melts."""

_EMPTY = np.uint16(65535)
_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_DITHER = np.float32(0.29)


@njit(cache=True, nogil=True, error_model="numpy")
def grow_near(depth, hidden, field, reach, reach_hidden, spread, ring, grown, nearest):  # type: ignore[no-untyped-def]
    """Near surfaces over their surroundings: what wins the window, and what stands near.

    depth: (H, W) uint16, 0 for nothing. hidden: (H, W) uint8. field: (H, W) float32 of unit
    variance. Each pixel takes the nearest depth within a square of reach * (1 - spread * field)
    pixels around it, `reach_hidden` in place of `reach` where the second eye is blind. Fills
    `grown` with that and `nearest` with the nearest within `ring` (whole, >= any reach) pixels,
    both (H, W) uint16, 65535 for nothing.
    """
    height, width = depth.shape
    steps = np.empty((height, width), np.uint16)
    other = np.empty((height, width), np.uint16)
    last = np.float32(ring)
    for v in range(height):
        row, blind, noise = depth[v], hidden[v], field[v]
        out, own, near = steps[v], grown[v], nearest[v]
        for u in range(width):
            d = row[u]
            d = d if d != 0 else _EMPTY
            own[u] = d
            near[u] = d
            r = reach_hidden if blind[u] != 0 else reach
            # Rounded up or down by the field too, so that a reach below a pixel shows on average.
            dither = min(max(_HALF - _DITHER * noise[u], _ZERO), np.float32(0.999))
            r = min(max(r * (_ONE - spread * noise[u]) + dither, _ZERO), last)
            out[u] = np.uint16(np.int32(r))
    if height == 0 or width == 0:
        return
    line = np.empty(width + 2, np.uint16)
    line[0] = line[width + 1] = _EMPTY
    middle, left, right = line[1 : width + 1], line[:width], line[2:]
    for k in range(1, ring + 1):
        here, there = (nearest, other) if k % 2 else (other, nearest)
        count = np.uint16(k)
        for v in range(height):
            a, b, c = here[max(v - 1, 0)], here[v], here[min(v + 1, height - 1)]
            for u in range(width):
                middle[u] = min(min(a[u], b[u]), c[u])
            to, own, wanted = there[v], grown[v], steps[v]
            for u in range(width):
                m = min(min(left[u], middle[u]), right[u])
                to[u] = m
                own[u] = m if wanted[u] >= count else own[u]
    if ring % 2:
        nearest[:] = other


@njit(cache=True, nogil=True, error_model="numpy")
def settle_disparity(  # type: ignore[no-untyped-def]
    depth, grown, nearest, field, x_px, scale, step, full, lateral, border, state, out
):
    """Disparity of the surface that wins each window, into `out` (H, W) float32.

    depth, grown, nearest: (H, W) uint16 own depth (0 nothing), that of the window and the nearest
    around (65535 nothing). scale: disparity times depth. The window's surface wins nowhere over a
    step below two times `step` disparities, everywhere over one of `full`, and in between in more
    places the larger it is, by `field` (H, W) float32 of unit variance; half of either suffices
    where the second eye is blind. `NO_DISPARITY` where nothing is, or x_px (H, W) is NaN: no lens.

    `state` (H, W) uint8 comes in as `HIDDEN`, `TORN` or 0, and goes out as that where nothing won
    over it, `HIDDEN` or where the surface lies beyond the border of the second image, plus
    `BESIDE` next to a nearer surface, by two steps. lateral: pixels of the image in one of the
    device; > 0 for a second eye to the right, < 0 to the left. border: x_px of the border on the
    side from which that eye leans away.
    """
    height, width = depth.shape
    side = _ONE if lateral > _ZERO else -_ONE
    rate, edge, far = abs(lateral), side * border, step + step
    ramp = max(full - far, _ZERO)
    for v in range(height):
        row, win, near, xs, noise = depth[v], grown[v], nearest[v], x_px[v], field[v]
        to, flags = out[v], state[v]
        for u in range(width):
            own = scale / np.float32(row[u])  # inf for nothing
            own = own if row[u] != 0 else _ZERO
            won = scale / np.float32(win[u])
            # About even in 0..1, low where silhouettes grow most.
            place = min(max(_HALF + _DITHER * noise[u], _ZERO), _ONE)
            need = (far + ramp * place) * (_HALF if flags[u] != 0 else _ONE)
            d = won if won - own > need else own
            beside = scale / np.float32(near[u]) - d > far
            kept = flags[u] if d == own else np.uint8(0)
            kept = HIDDEN if side * xs[u] - rate * d < edge else kept
            flags[u] = kept | (BESIDE if beside else np.uint8(0))
            there = ((row[u] != 0) | (win[u] != _EMPTY)) & (xs[u] == xs[u])
            to[u] = d if there else NO_DISPARITY


@njit(cache=True, nogil=True, error_model="numpy")
def melt_steps(disparity, half_px, limit, out):  # type: ignore[no-untyped-def]
    """Small steps of disparity turned to ramps, large ones left: (H, W) float32 both.

    A mean over a square of half-width half_px, rows first, columns after, whose weights fall with
    the squared difference and reach 0 at `limit` disparities. A step well below the limit becomes a
    ramp as long as the square is wide; symmetric weights leave planes where they are.
    """
    height, width = disparity.shape
    taps = max(int(np.ceil(half_px + 0.5)) - 1, 0)
    if taps == 0 or height == 0 or width == 0:
        out[:] = disparity
        return
    inverse = _ONE / limit
    weights = np.empty(taps + 1, np.float32)
    for k in range(taps + 1):
        weights[k] = min(max(half_px + 0.5 - k, 0.0), 1.0)
    padded = np.full(width + 2 * taps, NO_DISPARITY, np.float32)
    top, bottom = np.empty(width, np.float32), np.empty(width, np.float32)
    half = np.empty((height, width), np.float32)
    for v in range(height):
        own = padded[taps : taps + width]
        own[:] = disparity[v]
        top[:] = _ZERO
        bottom[:] = _ONE
        for k in range(1, taps + 1):
            before, after = padded[taps - k : taps - k + width], padded[taps + k : taps + k + width]
            _add_taps(own, before, after, weights[k], inverse, top, bottom)
        to = half[v]
        for u in range(width):
            to[u] = own[u] + top[u] / bottom[u]
    nothing = np.full(width, NO_DISPARITY, np.float32)
    for v in range(height):
        own = half[v]
        top[:] = _ZERO
        bottom[:] = _ONE
        for k in range(1, taps + 1):
            above = half[v - k] if v >= k else nothing
            below = half[v + k] if v + k < height else nothing
            _add_taps(own, above, below, weights[k], inverse, top, bottom)
        to = out[v]
        for u in range(width):
            to[u] = own[u] + top[u] / bottom[u]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _add_taps(own, before, after, weight, inverse, top, bottom):  # type: ignore[no-untyped-def]
    for u in range(own.shape[0]):
        a, b = before[u] - own[u], after[u] - own[u]
        ra, rb = a * inverse, b * inverse
        wa = weight * max(_ONE - ra * ra, _ZERO)
        wb = weight * max(_ONE - rb * rb, _ZERO)
        top[u] += wa * a + wb * b
        bottom[u] += wa + wb


@njit(cache=True, nogil=True, error_model="numpy")
def fray_shadow(state, field, reach, right):  # type: ignore[no-untyped-def]
    """Ragged ends of what the second eye does not see: marks `HIDDEN` of `state`, in place.

    state: (H, W) uint8. field: (H, W) float32 of unit variance. A pixel k (1, 2, ...) beyond either
    end of a run is hidden too where reach * field > k - 1/2; at its far end, away from the near
    surface that hides it, one k within is seen where reach * field < 1/2 - k. right: whether the
    second eye is at +x, the far end the left one.
    """
    height, width = state.shape
    if reach <= _ZERO:
        return
    last = int(np.ceil(_FRAYED * reach))
    was = np.empty(width, np.uint8)
    # Runs begin and end at few places: found eight pixels at a time.
    ends = np.zeros(width // 8 * 8 + 8, np.uint8)
    words = ends.view(np.uint64)
    for v in range(height):
        flags, noise = state[v], field[v]
        for u in range(width):
            was[u] = flags[u] & HIDDEN
        for u in range(1, width):
            ends[u] = was[u] ^ was[u - 1]
        for i in range(words.shape[0]):
            if words[i] != 0:
                for u in range(8 * i, min(8 * i + 8, width)):
                    if ends[u] != 0:
                        _fray_end(u, was, noise, reach, last, right, flags)


@njit(cache=True, nogil=True, error_model="numpy")
def _fray_end(u, was, noise, reach, last, right, flags):  # type: ignore[no-untyped-def]
    """Fray one end of a run: `was` differs between u - 1 and u."""
    width = was.shape[0]
    begins = was[u] != 0
    out = -1 if begins else 1
    p = u - 1 if begins else u
    for k in range(last):
        w = p + out * k
        if w < 0 or w >= width or was[w] != 0:
            break
        if reach * noise[w] > np.float32(k) + _HALF:
            flags[w] |= HIDDEN
    p = u if begins else u - 1
    far = begins == right
    for k in range(last if far else 0):
        w = p - out * k
        if w < 0 or w >= width or was[w] == 0:
            break
        if reach * noise[w] < -np.float32(k) - _HALF:
            flags[w] &= ~HIDDEN


_FRAYED = 3.0
"""Deviations of the field up to which rows are looked at."""
