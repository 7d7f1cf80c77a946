"""Random numbers by their place: a hash of (key, index) instead of a generator's state.

So a pixel's number does not depend on which other pixels were drawn. The hash is the finaliser of
splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014)
on key + index x golden ratio.
"""

import math
from statistics import NormalDist
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from frames.kernels import BORROWING
from frames.stream import hash_stage

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
C1 = np.uint64(0xBF58476D1CE4E5B9)
C2 = np.uint64(0x94D049BB133111EB)
_MASK = (1 << 64) - 1

LEVELS: Final = 4096  # 12 bits of a hash; 16 KiB of floats stay in the first-level cache


def _quantiles() -> NDArray[np.float32]:
    """The normal distribution in `LEVELS` equally likely values, mean 0 and variance 1."""
    half = np.array([NormalDist().inv_cdf((i + 0.5) / LEVELS) for i in range(LEVELS // 2)])
    half /= math.sqrt(float(np.mean(half**2)))
    return np.concatenate([half, -half[::-1]]).astype(np.float32)


NORMAL: Final = _quantiles()


def _straighten_sum() -> tuple[float, float]:
    """(a, b) that make a s + b s^3 of the sum s of four random bytes, less its mean 510, a number
    of variance 1 and kurtosis 3: Cornish and Fisher's expansion to its second term (1938)."""
    chance = np.ones(1)
    for _ in range(4):
        chance = np.convolve(chance, np.full(256, 1.0 / 256.0))
    s = np.arange(len(chance)) - 510.0
    s /= (deviation := math.sqrt(float(chance @ s**2)))
    low, high = 0.0, 0.05
    for _ in range(60):
        b = 0.5 * (low + high)
        y = s + b * (s**3 - 3.0 * s)
        variance = float(chance @ y**2)
        low, high = (b, high) if float(chance @ y**4) < 3.0 * variance**2 else (low, b)
    norm = math.sqrt(variance)
    return (1.0 - 3.0 * b) / norm / deviation, b / norm / deviation**3


_A, _B = (np.float32(x) for x in _straighten_sum())
_MEAN = np.float32(510.0)
_EIGHT, _SIXTEEN, _ONE = np.uint64(8), np.uint64(16), np.uint64(1)
_BYTES, _HALVES = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)


def effect_key(key: int, effect: str) -> np.uint64:
    """The 64-bit word under which one effect draws, from a word of `Keys` and the effect's name."""
    z = (key * 0x9E3779B97F4A7C15 + hash_stage(effect)) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return np.uint64(z ^ (z >> 31))


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def hash_word(key, index):  # type: ignore[no-untyped-def]
    """64 random bits of (key, index), uint64 both."""
    z = key + (np.uint64(index) + np.uint64(1)) * GOLDEN
    z = (z ^ (z >> np.uint64(30))) * C1
    z = (z ^ (z >> np.uint64(27))) * C2
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True, error_model="numpy")
def hash_uniform(key, index):  # type: ignore[no-untyped-def]
    """A float32 in [0, 1), 24 bits."""
    return np.float32(hash_word(key, index) >> np.uint64(40)) * np.float32(2.0**-24)


@njit(cache=True, nogil=True, error_model="numpy")
def hash_normal(key, index):  # type: ignore[no-untyped-def]
    """A standard normal float32: the sum of two of 4096 quantiles, up to 5.2 in size."""
    h = hash_word(key, index)
    a = NORMAL[np.int64(h & np.uint64(4095))]
    b = NORMAL[np.int64((h >> np.uint64(12)) & np.uint64(4095))]
    return (a + b) * np.float32(0.70710678)


@njit(**BORROWING)
def add_normal_row(key, v, gain, pairs, sums, row):  # type: ignore[no-untyped-def]
    """Add gain x a standard normal number, up to 3.9 in size, to every pixel of the v-th row (W,).

    Two pixels a hash, each by the sum of four bytes: without a table it is four times as fast as
    `hash_normal`. pairs: ((W + 1) // 2,) uint64 to work in; sums: the same memory as int32.
    """
    # Unsigned places: numba then leaves out what counts negative ones from the end, and the loop of
    # the hashes becomes vector instructions.
    first = key + (np.uint64(v) * np.uint64(pairs.shape[0]) + _ONE) * GOLDEN
    for i in range(np.uint64(pairs.shape[0])):
        z = first + i * GOLDEN
        z = (z ^ (z >> np.uint64(30))) * C1
        z = (z ^ (z >> np.uint64(27))) * C2
        z = z ^ (z >> np.uint64(31))
        s = (z & _BYTES) + ((z >> _EIGHT) & _BYTES)
        pairs[i] = (s + (s >> _SIXTEEN)) & _HALVES
    for u in range(row.shape[0]):
        x = np.float32(sums[u]) - _MEAN
        row[u] += gain * (x * (_A + _B * x * x))
