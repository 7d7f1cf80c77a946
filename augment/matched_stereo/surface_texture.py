"""A texture that sticks to surfaces: value noise of the place in space, smooth between grid points.

A function of the surface point, so that two eyes see the same grain there (Perlin, "An image
synthesizer", SIGGRAPH 1985, calls such textures solid). Grid points have hashed numbers, mixed as
in Wellons' 32-bit "lowbias32".
"""

import numpy as np
from numba import njit

_NEXT, _BELOW, _BEYOND = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D)
_MIX1, _MIX2 = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_TO_UNIT = np.float32(3.4641016 * 2.0**-24)  # 24 bits to a variance of 1
_HALF_RANGE = np.float32(1.7320508)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _corner(h):  # type: ignore[no-untyped-def]
    # numba widens what it computes with 32-bit words; cut short each time, they stay in lanes.
    h = np.uint32(np.uint32(h ^ (h >> np.uint32(16))) * _MIX1)
    h = np.uint32(np.uint32(h ^ (h >> np.uint32(15))) * _MIX2)
    return np.float32(np.int32(h >> np.uint32(8))) * _TO_UNIT - _HALF_RANGE


@njit(cache=True, nogil=True, error_model="numpy")
def add_grain(x, y, z, cell, weight, key, out):  # type: ignore[no-untyped-def]
    """Adds value noise of variance about 1/3 on a grid of cubes, times weight, to a row."""
    per = np.float32(1.0) / cell
    for u in range(x.shape[0]):
        a, b, c = x[u] * per, y[u] * per, z[u] * per
        fa, fb, fc = np.floor(a), np.floor(b), np.floor(c)
        p, q, r = a - fa, b - fb, c - fc
        i = np.uint32(np.uint32(np.int32(fa)) * _NEXT)
        j = np.uint32(np.uint32(np.int32(fb)) * _BELOW)
        k = np.uint32(np.uint32(np.int32(fc)) * _BEYOND + key)
        i1, j1, k1 = np.uint32(i + _NEXT), np.uint32(j + _BELOW), np.uint32(k + _BEYOND)
        n00 = _corner(np.uint32(i ^ j ^ k))
        n00 += p * (_corner(np.uint32(i1 ^ j ^ k)) - n00)
        n10 = _corner(np.uint32(i ^ j1 ^ k))
        n10 += p * (_corner(np.uint32(i1 ^ j1 ^ k)) - n10)
        n01 = _corner(np.uint32(i ^ j ^ k1))
        n01 += p * (_corner(np.uint32(i1 ^ j ^ k1)) - n01)
        n11 = _corner(np.uint32(i ^ j1 ^ k1))
        n11 += p * (_corner(np.uint32(i1 ^ j1 ^ k1)) - n11)
        n00 += q * (n10 - n00)
        n01 += q * (n11 - n01)
        out[u] += weight[u] * (n00 + r * (n01 - n00))
