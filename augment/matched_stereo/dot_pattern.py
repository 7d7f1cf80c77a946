"""The pattern that an active stereo camera projects: random dots on a tile that repeats.

The tile is far wider than any disparity, so that its repetition offers no wrong match. Each dot is
a Gaussian spot, which stands for the spot itself, the lens and the pixel of the eye that sees it:
the image is then sampled once a pixel without aliasing.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from frames.stream import generator

SIDE: Final = 1024
"""Pixels of the projector a side; a power of two."""

STEPS: Final = 1024
"""Steps of the tile's numbers per mean brightness."""


@lru_cache(maxsize=4)
def build_dots(key: int, density: float, spot_px: float, soft_px: float) -> NDArray[np.uint16]:
    """(SIDE, SIDE, 2) uint16, mean STEPS: the pattern as it is, and blurred by scattering skin.

    density: dots per pixel of the projector. spot_px, soft_px: standard deviations of a spot as it
    is and under skin. Spots differ in brightness, 0.5 to 1, as those of a diffractive element do.
    """
    rng = generator(key, 0, "infrared/dots")
    count = max(1, round(density * SIDE * SIDE))
    at = (rng.random(count) * (SIDE * SIDE)).astype(np.int64)
    light = (0.5 + 0.5 * rng.random(count)).astype(np.float32)
    out = np.empty((SIDE, SIDE, 2), np.uint16)
    for k, sigma in enumerate((spot_px, soft_px)):
        tile = np.zeros(SIDE * SIDE, np.float32)
        _drop(at, light, tile)
        image = _blur(_blur(tile.reshape(SIDE, SIDE), _taps(sigma)), _taps(sigma))
        scale = np.float32(STEPS * SIDE * SIDE / float(light.sum(dtype=np.float64)))
        out[..., k] = np.minimum(image * scale + np.float32(0.5), 65535)
    out.setflags(write=False)
    return out


def _taps(sigma: float) -> NDArray[np.float32]:
    reach = min(max(1, math.ceil(3 * sigma)), SIDE // 2)
    taps = np.array(
        [math.exp(-0.5 * (i / max(sigma, 0.05)) ** 2) for i in range(-reach, reach + 1)]
    )
    return (taps / taps.sum()).astype(np.float32)


@njit(cache=True, nogil=True, error_model="numpy")
def _drop(at, light, tile):  # type: ignore[no-untyped-def]
    for i in range(at.shape[0]):
        tile[at[i]] += light[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _blur(image, taps):  # type: ignore[no-untyped-def]
    """A row-wise convolution round the tile, transposed: twice is a separable blur."""
    side, reach = image.shape[0], taps.shape[0] // 2
    out = np.empty((side, side), np.float32)
    padded = np.empty(side + 2 * reach, np.float32)
    row = np.empty(side, np.float32)
    for v in range(side):
        padded[reach : reach + side] = image[v]
        padded[:reach] = image[v, side - reach :]
        padded[reach + side :] = image[v, :reach]
        row[:] = 0.0
        for k in range(taps.shape[0]):
            for u in range(side):
                row[u] += taps[k] * padded[u + k]
        out[:, v] = row
    return out
