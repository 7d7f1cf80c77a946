"""A depth image at a glance: a coarse grid of what is within an arm's reach."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.record import DepthImage

SHAPE: Final = (24, 32)
"""Rows and columns of cells."""

NEAR_M: Final = 0.2
REACH_M: Final = 1.2
"""Beyond it hands of the wearer are not, and cells are 0."""

_SAMPLES: Final = 8
_CHANGED: Final = 3
"""Steps of a cell's tone that noise does not make: 12 mm at half a metre."""

Grid = NDArray[np.uint8]


def grid_depth(depth: DepthImage, depth_scale: float) -> Grid:
    """(24, 32) the median tone of 8 x 8 pixels spread over each cell; 255 at 0.2 m, falling evenly
    with 1 / z to 0 at 1.2 m and for no reading.
    """
    rows, columns = (
        np.minimum((np.arange(n * _SAMPLES) + 0.5) * side / (n * _SAMPLES), side - 1).astype(int)
        for n, side in zip(SHAPE, depth.shape, strict=True)
    )
    tones = _tone_table(depth_scale)[depth[np.ix_(rows, columns)]]
    blocks = tones.reshape(SHAPE[0], _SAMPLES, SHAPE[1], _SAMPLES).swapaxes(1, 2)
    cells = blocks.reshape(SHAPE[0], SHAPE[1], _SAMPLES**2)
    middle = _SAMPLES**2 // 2
    return np.ascontiguousarray(np.partition(cells, middle, -1)[..., middle])


def measure_change(a: Grid, b: Grid) -> float:
    """The share of the cells within reach, in either grid, that have changed; 0 if there are none.

    A change is one of depth by about 1 cm at half a metre, or something that came or went.
    """
    near = (a > 0) | (b > 0)
    changed = np.abs(a.astype(np.int16) - b) > _CHANGED
    return float(changed.sum() / max(1, int(near.sum())))


@lru_cache(maxsize=4)
def _tone_table(depth_scale: float) -> NDArray[np.uint8]:
    """(65536,) tones of stored depths."""
    depth_m = np.arange(65536) / depth_scale
    with np.errstate(divide="ignore"):
        share = (1 / depth_m - 1 / REACH_M) / (1 / NEAR_M - 1 / REACH_M)
    tones = np.rint(255 * np.clip(share, 0, 1))
    tones[0] = 0
    return tones.astype(np.uint8)
