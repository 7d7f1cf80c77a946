"""How much of a pixel by an outline sees the nearer surface: a table over 3 x 3 neighbourhoods.

A clean depth image says of each pixel's centre which surface lies there, not where between two
centres the outline runs. Between centres the outline is taken where bilinear interpolation of
near (1) and far (0) crosses one half, up to one pixel around a centre, and beyond the surfaces go
on; a pixel then gathers light with its own area blurred by the lens. For two surfaces only the 512
patterns of 3 x 3 bits can occur, so that all of it is one look-up, integrated once on 8 x 8 points
a pixel.
"""

import math
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

POINTS: Final = 8
"""Points a pixel and axis in the integration."""

PLACES: Final = 4
"""Where in a coarser pixel a device's smaller one may lie, along each axis."""

_SHIFT: Final = 1 / 32  # pixels, of the finite differences


def tabulate_coverage(pixel_px: float, blur_px: float) -> NDArray[np.float32]:
    """(places, 512, 3) float32: the near surface's share, and how it changes as that surface moves.

    pixel_px: side of the device's pixel, blur_px: standard deviation of the lens's point spread,
    both in pixels of the image at hand; taken in steps of 1/8 and 1/16, at most 1 and 1/2. Bit
    3 (dv + 1) + du + 1 of a pattern tells whether the neighbour (du, dv) is near. The last axis is
    (share, per pixel of motion along u, along v). Where the image's pixels are larger than the
    device's, only a part of each is looked at: one of 16 places, which a caller picks by chance.
    """
    pixel = max(1, min(8, round(8 * pixel_px)))
    return _tabulate(pixel, max(0, min(8, round(16 * blur_px))))


@lru_cache(maxsize=64)
def _tabulate(pixel_eighths: int, blur_sixteenths: int) -> NDArray[np.float32]:
    side, blur = pixel_eighths / 8, max(blur_sixteenths / 16, 1e-3)
    places = 1 if side >= 1 else PLACES
    at = (np.arange(places) - (places - 1) / 2) * ((1 - side) / places)
    points = (np.arange(2 * POINTS) + 0.5) / POINTS - 1
    masks = _mask_patterns(points)
    lines = np.array(
        [[_weigh(float(p + d), side, blur) for d in (0.0, -_SHIFT, _SHIFT)] for p in at]
    )
    out = np.empty((places * places, 512, 3), np.float32)
    _integrate(masks, lines, 2 * _SHIFT, out)
    out.setflags(write=False)
    return out


def _weigh(at: float, side: float, blur: float) -> list[float]:
    """Share of the light of a blurred pixel around a place that falls into each cell of a line.

    The pixel's box through a Gaussian, integrated in closed form. What falls beyond the outermost
    cells counts as theirs: the surfaces go on.
    """

    def gather(t: float) -> float:
        """Integral of the Gaussian's distribution function up to t."""
        x = t / blur
        density = math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        return t * 0.5 * (1 + math.erf(x / math.sqrt(2))) + blur * density

    ends = [i / POINTS - 1 - at for i in range(1, 2 * POINTS)]
    up_to = [0.0, *((gather(x + side / 2) - gather(x - side / 2)) / side for x in ends), 1.0]
    return [b - a for a, b in pairwise(up_to)]


def _mask_patterns(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(512, n, n): 1 where a point (v, u) of the neighbourhood is near, 1/2 on the outline."""
    bits = (np.arange(512)[:, None] >> np.arange(9)) & 1
    corners = bits.reshape(512, 3, 3).astype(np.float64)
    low = np.where(points < 0, 0, 1)
    f = points - np.where(points < 0, -1.0, 0.0)
    rows = corners[:, low] * (1 - f)[:, None] + corners[:, low + 1] * f[:, None]
    value = rows[:, :, low] * (1 - f) + rows[:, :, low + 1] * f
    return np.where(np.abs(value - 0.5) < 1e-9, 0.5, (value > 0.5).astype(np.float64))


@njit(cache=True, nogil=True, error_model="numpy")
def _integrate(masks, lines, run, out):  # type: ignore[no-untyped-def]
    places, n = lines.shape[0], lines.shape[2]
    along = np.empty((places, 3, n))
    for pattern in range(masks.shape[0]):
        for i in range(places):
            for k in range(3):
                for y in range(n):
                    total = 0.0
                    for x in range(n):
                        total += masks[pattern, y, x] * lines[i, k, x]
                    along[i, k, y] = total
        for j in range(places):
            for i in range(places):
                share, left, right, up, down = 0.0, 0.0, 0.0, 0.0, 0.0
                for y in range(n):
                    w = lines[j, 0, y]
                    share += w * along[i, 0, y]
                    left += w * along[i, 1, y]
                    right += w * along[i, 2, y]
                    up += lines[j, 1, y] * along[i, 0, y]
                    down += lines[j, 2, y] * along[i, 0, y]
                # The surface moving to the right is the pixel moving to the left.
                out[j * places + i, pattern, 0] = share
                out[j * places + i, pattern, 1] = (left - right) / run
                out[j * places + i, pattern, 2] = (up - down) / run
