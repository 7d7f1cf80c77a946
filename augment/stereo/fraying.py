"""Ragged ends of what the second eye does not see."""

import numpy as np
from numba import njit

from augment.stereo.marks import HIDDEN
from frames.kernels import BORROWING

__all__ = ["fray_row", "make_fraying"]

_ZERO, _HALF = np.float32(0.0), np.float32(0.5)
_FRAYED = 3.0
"""Deviations of the patches up to which rows are looked at."""


@njit(cache=True, nogil=True, error_model="numpy")
def make_fraying(reach, width):  # type: ignore[no-untyped-def]
    """What `fray_row` works in: how far it looks, what was hidden, ends, the same in words."""
    ends = np.zeros(width // 8 * 8 + 8, np.uint8)
    return int(np.ceil(_FRAYED * reach)), np.empty(width, np.uint8), ends, ends.view(np.uint64)


@njit(**BORROWING)
def fray_row(fraying, patch, reach, right, flags):  # type: ignore[no-untyped-def]
    """Move the ends of runs of `HIDDEN` in flags (W,) uint8, in place.

    patch: (W,) float32 of unit variance. A pixel k (1, 2, ...) beyond either end of a run is hidden
    too where reach * patch > k - 1/2; at its far end, away from the near surface that hides it, one
    k within is seen where reach * patch < 1/2 - k. right: whether the second eye is at +x, the far
    end the left one.
    """
    last, was, ends, words = fraying
    width = flags.shape[0]
    for u in range(width):
        was[u] = flags[u] & HIDDEN
    for u in range(1, width):
        ends[u] = was[u] ^ was[u - 1]
    # Runs begin and end at few places: found eight pixels at a time.
    for i in range(words.shape[0]):
        if words[i] != 0:
            for u in range(8 * i, min(8 * i + 8, width)):
                if ends[u] != 0:
                    _fray_end(u, was, patch, reach, last, right, flags)


@njit(**BORROWING)
def _fray_end(u, was, patch, reach, last, right, flags):  # type: ignore[no-untyped-def]
    """Fray one end of a run: `was` differs between u - 1 and u."""
    width = was.shape[0]
    begins = was[u] != 0
    out = -1 if begins else 1
    p = u - 1 if begins else u
    for k in range(last):
        w = p + out * k
        if w < 0 or w >= width or was[w] != 0:
            break
        if reach * patch[w] > np.float32(k) + _HALF:
            flags[w] |= HIDDEN
    p = u if begins else u - 1
    far = begins == right
    for k in range(last if far else 0):
        w = p - out * k
        if w < 0 or w >= width or was[w] == 0:
            break
        if reach * patch[w] < -np.float32(k) - _HALF:
            flags[w] &= ~HIDDEN
