"""What a device's software does to its depth: flying pixels cut out, noise smoothed, rounded."""

import numpy as np
from numba import njit

from frames.kernels import BORROWING
from frames.reasons import MIXED, OUT_OF_RANGE

_ZERO, _ONE, _HALF, _THREE = (np.float32(x) for x in (0.0, 1.0, 0.5, 3.0))


@njit(cache=True, nogil=True, error_model="numpy")
def filter_depth(padded, tilt, angle, support, within_m, share, step_m, depth, sigma, reason):  # type: ignore[no-untyped-def]
    """Fill depth (H, W) float32 from z in padded (H + 2, W + 2), 0 where there is none.

    A pixel stays if at least `support` of its eight neighbours lie on a surface with it that is no
    steeper than tilt (a tangent) allows: within tilt x angle x z + 3 sigma, with angle the radians
    of a pixel; tilt 0: all stay. Then it becomes the weighted mean of itself and those neighbours
    that are within within_m, which weigh share each. step_m: the device rounds to this; 0: it does
    not. sigma (H, W) falls as the mean of so many independent pixels does. reason (H, W) becomes
    MIXED where a pixel is cut.
    """
    width = depth.shape[1]
    across, cut = np.float32(tilt * angle), tilt > 0.0 and support > 0
    within, weight, step = np.float32(within_m), np.float32(share), np.float32(step_m)
    limit, count = np.empty(width, np.float32), np.empty(width, np.float32)
    numbers = (across, np.float32(support), within, weight, step)
    _filter_rows(padded, cut, numbers, limit, count, depth, sigma, reason)


@njit(**BORROWING)
def _filter_rows(padded, cut, numbers, limit, count, depth, sigma, reason):  # type: ignore[no-untyped-def]
    across, support, within, weight, step = numbers
    for v in range(depth.shape[0]):
        rows = padded[v : v + 3]
        if cut:
            _allow(rows[1, 1:-1], sigma[v], across, limit)
            _count(rows, limit, count)
            _cut(rows[1, 1:-1], count, support, reason[v])
        if weight > _ZERO:
            limit[:] = within
            _count(rows, limit, count)
            _average(rows, within, weight, depth[v])
            _calm(count, weight, sigma[v])
        else:
            _copy(rows[1, 1:-1], depth[v])
        _finish(step, depth[v], sigma[v], reason[v])


@njit(**BORROWING)
def _copy(z, out):  # type: ignore[no-untyped-def]
    for u in range(out.shape[0]):
        out[u] = z[u]


@njit(**BORROWING)
def _allow(z, sigma, across, out):  # type: ignore[no-untyped-def]
    for u in range(out.shape[0]):
        out[u] = across * z[u] + _THREE * sigma[u]


@njit(**BORROWING)
def _count(rows, limit, out):  # type: ignore[no-untyped-def]
    """How many of eight neighbours differ by no more than a limit; 0, no reading, counts too if it
    is that near, but nothing is read so close."""
    a, b, c = rows[0], rows[1], rows[2]
    for u in range(out.shape[0]):
        z, t = b[u + 1], limit[u]
        n = _ONE if abs(a[u] - z) <= t else _ZERO
        n += _ONE if abs(a[u + 1] - z) <= t else _ZERO
        n += _ONE if abs(a[u + 2] - z) <= t else _ZERO
        n += _ONE if abs(b[u] - z) <= t else _ZERO
        n += _ONE if abs(b[u + 2] - z) <= t else _ZERO
        n += _ONE if abs(c[u] - z) <= t else _ZERO
        n += _ONE if abs(c[u + 1] - z) <= t else _ZERO
        n += _ONE if abs(c[u + 2] - z) <= t else _ZERO
        out[u] = n


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _pull(z, other, within):  # type: ignore[no-untyped-def]
    return other - z if abs(other - z) <= within else _ZERO


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _weigh(z, other, within):  # type: ignore[no-untyped-def]
    return _ONE if abs(other - z) <= within else _ZERO


@njit(**BORROWING)
def _average(rows, within, weight, out):  # type: ignore[no-untyped-def]
    a, b, c = rows[0], rows[1], rows[2]
    for u in range(out.shape[0]):
        z = b[u + 1]
        total = _pull(z, a[u], within) + _pull(z, a[u + 1], within) + _pull(z, a[u + 2], within)
        total += _pull(z, c[u], within) + _pull(z, c[u + 1], within) + _pull(z, c[u + 2], within)
        total += _pull(z, b[u], within) + _pull(z, b[u + 2], within)
        n = _weigh(z, a[u], within) + _weigh(z, a[u + 1], within) + _weigh(z, a[u + 2], within)
        n += _weigh(z, c[u], within) + _weigh(z, c[u + 1], within) + _weigh(z, c[u + 2], within)
        n += _weigh(z, b[u], within) + _weigh(z, b[u + 2], within)
        out[u] = z + weight * total / (_ONE + weight * n)


@njit(**BORROWING)
def _calm(count, weight, sigma):  # type: ignore[no-untyped-def]
    for u in range(sigma.shape[0]):
        n = count[u]
        sigma[u] *= np.sqrt(_ONE + weight * weight * n) / (_ONE + weight * n)


@njit(**BORROWING)
def _cut(z, count, support, reason):  # type: ignore[no-untyped-def]
    for u in range(reason.shape[0]):
        if reason[u] == 0 and count[u] < support:
            reason[u] = MIXED


@njit(**BORROWING)
def _finish(step, depth, sigma, reason):  # type: ignore[no-untyped-def]
    if step > _ZERO:
        for u in range(depth.shape[0]):
            depth[u] = step * np.floor(depth[u] / step + _HALF)
    for u in range(depth.shape[0]):
        if reason[u] == 0 and not depth[u] > _ZERO:
            reason[u] = OUT_OF_RANGE
        if reason[u] != 0:
            depth[u] = _ZERO
            sigma[u] = _ZERO
