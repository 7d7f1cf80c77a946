"""What the steps of the fast model tell one another of each pixel."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.effects.inlined import INLINED
from frames.kernels import BORROWING

HIDDEN, BESIDE, TORN = np.uint8(1), np.uint8(2), np.uint8(4)
"""Marks of a pixel: the second eye does not see it; a nearer surface stands within the window; it
lies in a gap that was almost bridged."""

NO_DISPARITY = np.float32(-1e9)
"""Stands for pixels where nothing is: farther than any step that melts."""


class Patches(NamedTuple):
    """Where matching is bad: a smooth field x with some of the fresh noise, of unit variance, times
    calm + tail |x|: with a tail little happens in most places, and much in few.

    Rows are mixed where they are needed: an image more would only pass through the cache.
    """

    noise: NDArray[np.float32]
    """(H, W) of unit variance, new in every frame."""
    badness: NDArray[np.float32]
    """(H, W) of unit variance, slow and smooth."""
    smooth: np.float32
    """Gain of the badness."""
    rough: np.float32
    """Gain of the noise."""
    calm: np.float32
    """Gain where the sum is small."""
    tail: np.float32
    """What that grows by with the sum's size."""


@njit(**INLINED)
def mix_row(patches, v, out):  # type: ignore[no-untyped-def]
    """The v-th row of patches into out (W,) float32."""
    bad, new, smooth, rough = patches.badness[v], patches.noise[v], patches.smooth, patches.rough
    calm, tail = patches.calm, patches.tail
    for u in range(out.shape[0]):
        x = bad[u] * smooth + new[u] * rough
        out[u] = x * (calm + tail * abs(x))


@njit(**BORROWING)
def mix_pixel(patches, v, u):  # type: ignore[no-untyped-def]
    """The same of one pixel."""
    x = patches.badness[v, u] * patches.smooth + patches.noise[v, u] * patches.rough
    return x * (patches.calm + patches.tail * abs(x))
