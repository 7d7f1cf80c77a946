"""The few places of a row that are marked, outlines for instance, without a look at each pixel.

Nothing here branches on what is marked: where outlines lie nobody can guess, and each guess of the
processor's that fails costs as much as a dozen pixels.
"""

import numpy as np
from numba import njit

from augment.effects.inlined import INLINED

__all__ = ["list_marked", "make_marking"]

_EIGHT = np.uint64(8)


@njit(cache=True, nogil=True, error_model="numpy")
def make_marking(width):  # type: ignore[no-untyped-def]
    """What rows of `width` pixels are marked in: a byte a pixel, 0, to be set to 1; the same eight
    pixels a word; room for `list_marked`.
    """
    marks = np.zeros(width // 8 * 8 + 8, np.uint8)
    return marks, marks.view(np.uint64), np.empty(marks.shape[0] // 8, np.uint64)


@njit(**INLINED)
def list_marked(marking, places):  # type: ignore[no-untyped-def]
    """How many pixels are marked; which, in order, into places (W // 8 * 8 + 8,) or more, int64."""
    marks, words, busy = marking
    filled = np.uint64(0)
    for i in range(np.uint64(words.shape[0])):
        busy[filled] = i
        filled += np.uint64(words[i] != 0)
    count = np.uint64(0)
    for i in range(filled):
        first = _EIGHT * busy[i]
        for u in range(first, first + _EIGHT):
            places[count] = np.int64(u)
            count += np.uint64(marks[u])
    return np.int64(count)
