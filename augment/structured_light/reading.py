"""Depth of surfaces under a projected pattern: noise, steps, limits. Away from outlines."""

import math

import numpy as np
from numba import njit

from frames import reasons

# Bytes from the start: mixed with numba's 64-bit integers they would widen every step beside them.
# (For the same reason np.floor, which stays a float32, and not math.floor, an integer.)
_READ, _NOTHING, _LOW_SIGNAL, _SATURATED, _OUT_OF_RANGE, _SHADOW, _VIGNETTE, _DROPOUT = (
    np.uint8(code)
    for code in (
        reasons.READ,
        reasons.NOTHING,
        reasons.LOW_SIGNAL,
        reasons.SATURATED,
        reasons.OUT_OF_RANGE,
        reasons.SHADOW,
        reasons.VIGNETTE,
        reasons.DROPOUT,
    )
)
_HALF_PI = np.float32(math.pi / 2)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def complement(cosine):  # type: ignore[no-untyped-def]
    """pi/2 - theta of an angle given by its cosine, float32: asin by its series.

    0.0004 rad off at 60 degrees, less beyond; nearer to the axis, where little depends on it, up to
    0.33.
    """
    c2 = cosine * cosine
    return cosine * (np.float32(1.0) + c2 * (np.float32(1.0 / 6.0) + c2 * np.float32(0.075)))


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def rate_slant(cosine):  # type: ignore[no-untyped-def]
    """theta / (pi/2 - theta) of an angle given by its cosine, float32."""
    return _HALF_PI / complement(cosine) - np.float32(1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def read_surfaces(images, fields, reflectance, limits, out):  # type: ignore[no-untyped-def]
    """Fill depth_m, sigma_m (H, W) float32 and reason (H, W) uint8 = out.

    images: depth (H, W) uint16, parts, shadow uint8, cosine float32, rays (`tabulate_rays`).
    fields: fine, smooth, (H, W) float32 of unit variance. reflectance: (256,) float32. Blots of no
    reading are where the fine field, mirrored so that the noise beside them knows nothing of them,
    passes a limit.

    The noise is drawn in disparity d = f b / z, where it is even, and the disparity is rounded:
    z' = f b / (step round((d + n) / step)), after Khoshelham and Elberink 2012 and Barron's
    simkinect, but without the +0.5 that the latter adds before rounding, which shifts every depth
    by half a step. A rounding error has the variance step^2 / 12, which is taken off the noise
    first, so that sigma is the whole (or the rounding alone, where that is more).
    """
    depth, parts, shadow, cosine, rays = images
    fine, smooth = fields
    depth_m, sigma_m, reason = out
    metre, strength, near, far, step_px, step_m = limits[:6]
    floor, growth, start, slant, of_fine, of_smooth = limits[6:12]
    flattest, low, low_spread, high, vignette, dropout = limits[12:18]
    none, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    twelfth = np.float32(1.0 / 12.0)
    steps_a_px = one / step_px if step_px > 0 else none
    steps_a_m = one / step_m if step_m > 0 else none
    step_at_1m = step_px / strength
    height, width = depth.shape
    light = np.empty(width, np.float32)
    for v in range(height):
        for u in range(width):
            light[u] = reflectance[parts[v, u]]
        x, y = rays[0, v + 1], rays[1, v + 1]
        for u in range(width):
            z = np.float32(depth[v, u]) * metre
            c = cosine[v, u]
            rest = complement(c)
            # Divisions and roots are what this loop is made of: 1 / z and 1 / rest by one of them.
            both = one / (z * rest)
            near_by = rest * both
            rate = _HALF_PI * z * both - one
            d = strength * near_by
            # Nguyen, Izadi and Lovell 2012, equation 3; the parabola's rise below its vertex is
            # left out. With floor and start 0 it is Khoshelham and Elberink's equation 11.
            beyond = z - start
            beyond = beyond if beyond > none else none
            sigma = floor + growth * beyond * beyond
            sigma += slant * rate * rate * math.sqrt(near_by) if c < half else none
            step_z = step_at_1m * z * z
            rounding = twelfth * (step_z * step_z + step_m * step_m)
            more = sigma * sigma - rounding
            root = math.sqrt(more if more > none else rounding)
            drawn = root if more > none else none
            sigma = sigma if more > none else root
            noise = of_fine * fine[v, u] + of_smooth * smooth[v, u]
            d += drawn * noise * d * near_by
            if step_px > 0:
                d = step_px * np.floor(d * steps_a_px + half)
            z_read = strength / d
            if step_m > 0:
                z_read = step_m * np.floor(z_read * steps_a_m + half)
            outward = x[u + 1] * x[u + 1] + y[u + 1] * y[u + 1]
            signal = light[u] * c * near_by * near_by
            left = signal * (one - vignette * outward)
            blot = fine[height - 1 - v, u]
            limit = low * (one + low_spread * blot)
            why = _DROPOUT if blot > dropout else _READ
            why = _VIGNETTE if not (left >= limit) else why  # outside the lens's field, too
            why = _LOW_SIGNAL if (signal < limit) | (c < flattest) else why
            why = _SATURATED if left > high else why
            why = _OUT_OF_RANGE if (z_read < near) | (z_read > far) else why
            why = _SHADOW if shadow[v, u] != 0 else why
            why = _NOTHING if depth[v, u] == 0 else why
            reason[v, u] = why
            depth_m[v, u] = z_read if why == _READ else none
            sigma_m[v, u] = sigma if why == _READ else none
