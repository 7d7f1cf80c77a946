"""Images of few different values: each pixel's rank among them, and what they are.

A sensor that measures disparity or whole millimetres knows a few hundred depths. Neighbouring
values are neighbouring ranks, so that second differences of the ranks are as small as the sensor's
steps are few: a fifth to a half of the bytes of the same image in tenths of a millimetre.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from frames.kernels import BORROWING

MOST = 4096
"""An image with more values than this is better off as it is."""


class Ranking(NamedTuple):
    """What images are ranked in. Made once: 200 kB of fresh memory cost more than the ranking."""

    there: NDArray[np.uint8]
    """(65536,) 0 throughout between images."""
    eights: NDArray[np.uint64]
    """The same memory."""
    rank: NDArray[np.uint16]
    """(65536,) of every value that is there."""
    values: NDArray[np.uint16]
    """(MOST,) by rank."""


def make_ranking() -> Ranking:
    """Room for `rank_levels`."""
    there = np.zeros(1 << 16, np.uint8)
    rank, values = np.empty(1 << 16, np.uint16), np.empty(MOST, np.uint16)
    return Ranking(there, there.view(np.uint64), rank, values)


@njit(**BORROWING)
def rank_levels(image, ranking):  # type: ignore[no-untyped-def]
    """How many values an image (H, W) uint16 has; their ranks and what they are into `ranking`.

    0 for an image of more than MOST values, or without pixels.
    """
    there, eights, rank, values = ranking
    height = image.shape[0]
    part = (height + 3) // 4
    # A part first: most images of too many values show there.
    _mark(image[:part], there)
    count = _count(there)
    if count <= MOST:
        _mark(image[part:], there)
        count = _count(there)
    n = 0
    if count <= MOST:
        for e in range(eights.shape[0]):
            if eights[e] != 0:
                for value in range(8 * e, 8 * e + 8):
                    if there[value] != 0:
                        rank[value], values[n] = n, value
                        n += 1
    for e in range(eights.shape[0]):
        eights[e] = 0
    return n


@njit(**BORROWING)
def _mark(image, there):  # type: ignore[no-untyped-def]
    # Nothing is read back: a load would wait for the store before it.
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            there[image[r, c]] = 1


@njit(**BORROWING)
def _count(there):  # type: ignore[no-untyped-def]
    total = 0
    for value in range(there.shape[0]):
        total += np.int32(there[value])
    return total


def fill_levels(image: NDArray[np.uint16], values: NDArray[np.uint16]) -> bool:
    """Replace ranks (H, W) by their values; False where one is beyond them."""
    return bool(_replace(image, values))


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _replace(image, values):  # type: ignore[no-untyped-def]
    highest = np.uint16(0)
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            highest = max(highest, image[r, c])
    if highest >= values.shape[0]:
        return False
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            image[r, c] = values[image[r, c]]
    return True
