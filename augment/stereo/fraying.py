"""Ragged ends of what the second eye does not see."""

import numpy as np
from numba import njit

from augment.effects.inlined import INLINED
from augment.effects.marked import list_marked, make_marking
from augment.stereo.marks import HIDDEN, mix_pixel
from frames.kernels import BORROWING

__all__ = ["fray_row", "make_fraying"]

_ZERO, _HALF = np.float32(0.0), np.float32(0.5)
_FRAYED = 3.0
"""Deviations of the patches up to which rows are looked at."""


@njit(cache=True, nogil=True, error_model="numpy")
def make_fraying(reach, width):  # type: ignore[no-untyped-def]
    """What `fray_row` works in: how far it looks, what was hidden, ends of runs, where they are."""
    last, was = int(np.ceil(_FRAYED * reach)), np.empty(width, np.uint8)
    return last, was, make_marking(width), np.empty(width + 8, np.int64)


@njit(**INLINED)
def fray_row(fraying, patches, v, reach, right, flags):  # type: ignore[no-untyped-def]
    """Move the ends of runs of `HIDDEN` in flags (W,) uint8, in place.

    patches: `Patches` of unit variance, of which this is row v. A pixel k (1, 2, ...) beyond either
    end of a run is hidden too where reach * patch > k - 1/2; at its far end, away from the near
    surface that hides it, one k within is seen where reach * patch < 1/2 - k. right: whether the
    second eye is at +x, the far end the left one.
    """
    last, was, marking, places = fraying
    ends, width = marking[0], flags.shape[0]
    for u in range(width):
        was[u] = flags[u] & HIDDEN
    for u in range(1, width):
        ends[u] = was[u] ^ was[u - 1]
    for i in range(list_marked(marking, places)):
        _fray_end(places[i], was, patches, v, reach, last, right, flags)


@njit(**BORROWING)
def _fray_end(u, was, patches, v, reach, last, right, flags):  # type: ignore[no-untyped-def]
    """Fray one end of a run: `was` differs between u - 1 and u."""
    width = was.shape[0]
    begins = was[u] != 0
    out = -1 if begins else 1
    p = u - 1 if begins else u
    for k in range(last):
        w = p + out * k
        if w < 0 or w >= width or was[w] != 0:
            break
        if reach * mix_pixel(patches, v, w) > np.float32(k) + _HALF:
            flags[w] |= HIDDEN
    p = u if begins else u - 1
    far = begins == right
    for k in range(last if far else 0):
        w = p - out * k
        if w < 0 or w >= width or was[w] == 0:
            break
        if reach * mix_pixel(patches, v, w) < -np.float32(k) - _HALF:
            flags[w] &= ~HIDDEN
