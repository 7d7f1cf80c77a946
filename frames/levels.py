"""Images of few different values: each pixel's rank among them, and what they are.

A sensor that measures disparity or whole millimetres knows a few hundred depths. Neighbouring
values are neighbouring ranks, so that second differences of the ranks are as small as the sensor's
steps are few: a fifth to a half of the bytes of the same image in tenths of a millimetre.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

MOST = 4096
"""An image with more values than this is better off as it is."""


def rank_levels(
    image: NDArray[np.uint16],
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]] | None:
    """(H, W) uint16 -> the ranks of its pixels, (H, W) uint16, and the values by rank (L,) uint16;
    None for an image of more than MOST values, or without pixels.
    """
    there, rank = np.zeros(1 << 16, np.bool_), np.empty(1 << 16, np.uint16)
    values = np.empty(MOST, np.uint16)
    # A part first: most images of too many values show there.
    for rows in (image[: -(-len(image) // 4)], image):
        _mark(rows, there)
        count = int(np.count_nonzero(there))
        if not count or count > MOST:
            return None
    _number(there.view(np.uint64), there, rank, values)
    return _look_up(image, rank), values[:count]


def fill_levels(image: NDArray[np.uint16], values: NDArray[np.uint16]) -> bool:
    """Replace ranks (H, W) by their values; False where one is beyond them."""
    return bool(_replace(image, values))


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _mark(image, there):  # type: ignore[no-untyped-def]
    # Nothing is read back: a load would wait for the store before it.
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            there[image[r, c]] = True


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _number(eights, there, rank, values):  # type: ignore[no-untyped-def]
    n = 0
    for e in range(eights.shape[0]):
        if eights[e]:
            for value in range(8 * e, 8 * e + 8):
                if there[value]:
                    rank[value], values[n] = n, value
                    n += 1


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _look_up(image, table):  # type: ignore[no-untyped-def]
    out = np.empty(image.shape, np.uint16)
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            out[r, c] = table[image[r, c]]
    return out


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
