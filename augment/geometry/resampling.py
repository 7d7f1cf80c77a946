"""A depth image and its code images sampled at other places, never across an outline.

Part codes are those of the nearest pixel. Depth is of that pixel's surface: over neighbours that
belong to it, 1 / z is interpolated, which is exact on planes (1 / z is linear over the image of a
plane); beside an outline the nearest pixel's plane is carried on, and no value comes of two
surfaces.
"""

import math
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.geometry.averaging import average_surfaces
from frames.parts import HAND_STRIDE, OBJECT_BASE

STEEPEST: Final = 3.0
"""Tangent of the angle (72 degrees) up to which a slope is a surface; steeper, it is a step."""

WIDEST: Final = 8
"""Source pixels that a new pixel spans at most when shrinking: more would only cost."""

_NO_CODES: Final = np.empty((0, 0), np.uint8)

OWNERS: Final = np.array(
    [
        c if c >= OBJECT_BASE else 0 if c % HAND_STRIDE == 0 else 1 + c // HAND_STRIDE
        for c in range(256)
    ],
    np.uint8,
)
"""(256,) what a code belongs to: 0 the background, 1 .. 6 hands with their arms, 224 .. objects."""


def resample(
    places: NDArray[np.float32],
    depth: NDArray[Any],
    codes: NDArray[np.uint8] | None,
    slope_limit: float,
    span_px: float,
    factor: float,
    offset: float,
    out: NDArray[Any],
) -> None:
    """Depth (H, W) uint16 or float32 at `places` (`geometry_lens.map_pixels`) -> out (H', W').

    codes: (H, W) uint8 part codes; None for a frame without. slope_limit: relative change of depth
    from a pixel to the next that still is a surface; 0 takes the nearest pixel's depth alone.
    span_px: source pixels from one new pixel to the next; above 1, depth is averaged over them, as
    far as they belong to the nearest pixel's surface. factor and offset, in units of the image,
    make the new depth. 0 where there is no reading, or none that fits the type.
    """
    # Half a step is added before the fraction is cut off.
    most = 65536.0 if depth.dtype == np.uint16 else math.inf
    change = factor, offset, most
    if slope_limit <= 0:
        _sample_nearest(places, depth, change, out)
        return
    west, north, east, south = _find_window(places, depth.shape[1], depth.shape[0])
    # A frame without readings saves every test for the image's edges.
    reach = math.ceil(min(span_px, WIDEST) / 2 + 0.5) if span_px > 1 else 1
    window = south - north + 1 + 2 * reach, east - west + 1 + 2 * reach
    inverse, owner = np.zeros(window, np.float32), np.zeros(window, np.uint8)
    known = _NO_CODES if codes is None else codes
    origin = west - reach, north - reach
    smooth, slopes = np.zeros(window, np.bool_), np.zeros((2, *window), np.float32)
    _invert(depth, known, OWNERS, origin, reach, inverse, owner)
    _find_slopes(inverse, owner, slope_limit, smooth, slopes)
    if span_px <= 1:
        _interpolate(places, depth, inverse, smooth, slopes, origin, change, out)
        return
    # Of a box as wide as the span, what falls on the pixels 0, 1, 2 ... beside its middle.
    weights = np.clip(min(span_px, WIDEST) / 2 + 0.5 - np.arange(reach + 1), 0.0, 1.0)
    weights = weights[weights > 0].astype(np.float32)
    average_surfaces(
        places, depth, inverse, owner, slopes, origin, slope_limit, weights, change, out
    )


@njit(cache=True, nogil=True, error_model="numpy")
def sample_codes(places, codes, outside, out):  # type: ignore[no-untyped-def]
    """Codes (H, W) uint8 of the nearest pixel -> out (H', W'); `outside` where there is none."""
    half, nothing = np.float32(0.5), np.float32(0.0)
    width, height = np.float32(codes.shape[1]), np.float32(codes.shape[0])
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            x, y = places[0, v, u] + half, places[1, v, u] + half
            if (x >= nothing) & (x < width) & (y >= nothing) & (y < height):
                out[v, u] = codes[np.uint64(np.int32(y)), np.uint64(np.int32(x))]
            else:
                out[v, u] = outside


@njit(cache=True, nogil=True, error_model="numpy")
def _sample_nearest(places, depth, change, out):  # type: ignore[no-untyped-def]
    one, half, nothing = np.float32(1.0), np.float32(0.5), np.float32(0.0)
    width, height = np.float32(depth.shape[1]), np.float32(depth.shape[0])
    factor, offset, most = np.float32(change[0]), np.float32(change[1]), np.float32(change[2])
    whole = most < math.inf
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            x, y = places[0, v, u] + half, places[1, v, u] + half
            z = nothing
            if (x >= nothing) & (x < width) & (y >= nothing) & (y < height):
                z = np.float32(depth[np.uint64(np.int32(y)), np.uint64(np.int32(x))])
            read = z > 0
            z = factor * (places[2, v, u] * z) + offset
            if whole:
                z += half
                out[v, u] = np.int32(z) if read & (z >= one) & (z < most) else 0
            else:
                out[v, u] = z if read & (z > 0) & (z < most) else nothing


@njit(cache=True, nogil=True, error_model="numpy")
def _find_window(places, width, height):  # type: ignore[no-untyped-def]
    """Least and greatest column and row that the nearest pixels may have, within the image."""
    nothing = np.float32(0.0)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    west, north = np.int32(width), np.int32(height)
    east = south = np.int32(-1)
    for v in range(places.shape[1]):
        for u in range(places.shape[2]):
            # Clamped, and as whole numbers: floats have no least one in any order of comparing.
            x = np.int32(min(max(places[0, v, u], nothing), last_x))
            y = np.int32(min(max(places[1, v, u], nothing), last_y))
            west, north = min(west, x), min(north, y)
            east, south = max(east, x), max(south, y)
    return west, north, min(east + 1, width - 1), min(south + 1, height - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _invert(depth, codes, owners, origin, reach, inverse, owner):  # type: ignore[no-untyped-def]
    """1 / depth of a window, 0 for no reading and for the frame `reach` wide, and whose it is."""
    known = codes.shape[0] > 0
    for b in range(reach, inverse.shape[0] - reach):
        for a in range(reach, inverse.shape[1] - reach):
            z = np.float32(depth[origin[1] + b, origin[0] + a])
            inverse[b, a] = np.float32(1.0) / z if z > 0 else np.float32(0.0)
        if known:
            for a in range(reach, inverse.shape[1] - reach):
                owner[b, a] = owners[codes[origin[1] + b, origin[0] + a]]


@njit(cache=True, nogil=True, error_model="numpy")
def _find_slopes(inverse, owner, limit, smooth, slopes):  # type: ignore[no-untyped-def]
    """Per pixel, whether it is one surface with its right and lower neighbours and the one between,
    and the slopes of 1 / z on its own surface: to both sides' mean, one side's, or none.

    No branches, so that it runs in vector registers.
    """
    limit, half, level = np.float32(limit), np.float32(0.5), np.float32(0.0)
    for b in range(1, inverse.shape[0] - 1):
        for a in range(1, inverse.shape[1] - 1):
            w, own = inverse[b, a], owner[b, a]
            reach = limit * w
            right, left = inverse[b, a + 1] - w, w - inverse[b, a - 1]
            below, above = inverse[b + 1, a] - w, w - inverse[b - 1, a]
            on_right = (abs(right) <= reach) & (owner[b, a + 1] == own)
            on_left = (abs(left) <= reach) & (owner[b, a - 1] == own)
            on_below = (abs(below) <= reach) & (owner[b + 1, a] == own)
            on_above = (abs(above) <= reach) & (owner[b - 1, a] == own)
            corner = inverse[b + 1, a + 1] - w
            flat = (abs(corner - right) <= reach) & (abs(corner - below) <= reach)
            flat &= (owner[b + 1, a + 1] == own) & (w > 0)
            smooth[b, a] = flat & on_right & on_below
            right = right if on_right else (left if on_left else level)
            below = below if on_below else (above if on_above else level)
            slopes[0, b, a] = half * (right + (left if on_left else right))
            slopes[1, b, a] = half * (below + (above if on_above else below))


@njit(cache=True, nogil=True, error_model="numpy")
def _interpolate(  # type: ignore[no-untyped-def]
    places, depth, inverse, smooth, slopes, origin, change, out
):
    one, half, nothing = np.float32(1.0), np.float32(0.5), np.float32(0.0)
    factor, offset, most = np.float32(change[0]), np.float32(change[1]), np.float32(change[2])
    west, north = np.float32(origin[0]), np.float32(origin[1])
    last_x, last_y = np.float32(inverse.shape[1] - 1.5), np.float32(inverse.shape[0] - 1.5)
    whole = most < math.inf
    # Indices without a sign are not counted from the end, nor tested for it.
    unit = np.uint64(1)
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            # Whatever lies beyond the window ends in its frame, where nothing is.
            x = min(max(places[0, v, u] - west, nothing), last_x)
            y = min(max(places[1, v, u] - north, nothing), last_y)
            left, top = np.int32(x), np.int32(y)
            a, b = np.uint64(left), np.uint64(top)
            if smooth[b, a]:
                p, q = x - np.float32(left), y - np.float32(top)
                near = (one - p) * inverse[b, a] + p * inverse[b, a + unit]
                far = (one - p) * inverse[b + unit, a] + p * inverse[b + unit, a + unit]
                w = (one - q) * near + q * far
            else:
                # Beside an outline: the plane through the nearest pixel.
                left, top = np.int32(x + half), np.int32(y + half)
                a, b = np.uint64(left), np.uint64(top)
                p, q = x - np.float32(left), y - np.float32(top)
                w = inverse[b, a] + p * slopes[0, b, a] + q * slopes[1, b, a]
            z = places[2, v, u] / w
            if not whole and p == 0 and q == 0 and w > 0:
                # To the bit, so that what changes nothing changes nothing.
                z = places[2, v, u] * np.float32(depth[top + origin[1], left + origin[0]])
            z = factor * z + offset
            if whole:
                z += half
                out[v, u] = np.int32(z) if w > 0 and one <= z < most else 0
            else:
                out[v, u] = z if w > 0 and z > 0 and z < most else nothing
