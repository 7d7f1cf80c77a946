"""Where the pixels of a camera look: rays, and small tiles of them with their bounds.

Tiles tell quickly which pixels a body can cover. They are taken from the rays themselves, so that
they hold for every lens.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from frames.camera import Camera

TILE: Final = 8
"""Side of a tile in pixels."""


@dataclass(frozen=True)
class Sightlines:
    """The rays of an image (H, W), in tiles."""

    rays: NDArray[np.float64]
    """(H, W, 2) normalised x, y of every pixel centre; NaN outside the field of view."""

    centres: NDArray[np.float64]
    """(H/8, W/8, 2) middle of each tile's rays."""

    spreads: NDArray[np.float64]
    """(H/8, W/8) how far a tile's rays lie from its middle at most; NaN for a tile without any."""


@lru_cache(maxsize=8)
def find_sightlines(camera: Camera) -> Sightlines:
    """The rays of a camera; computed once a camera and shared: read-only."""
    rays = camera.ray_table()
    shape = (-(-camera.height // TILE), -(-camera.width // TILE))
    centres, spreads = np.empty((*shape, 2)), np.empty(shape)
    _bound_tiles(rays, centres, spreads)
    for array in (centres, spreads):
        array.setflags(write=False)
    return Sightlines(rays, centres, spreads)


@njit(cache=True, nogil=True, error_model="numpy")
def _bound_tiles(rays, centres, spreads):  # type: ignore[no-untyped-def]
    height, width = rays.shape[:2]
    for i in range(spreads.shape[0]):
        for j in range(spreads.shape[1]):
            x0, x1, y0, y1 = np.inf, -np.inf, np.inf, -np.inf
            for v in range(i * TILE, min(height, (i + 1) * TILE)):
                for u in range(j * TILE, min(width, (j + 1) * TILE)):
                    x, y = rays[v, u, 0], rays[v, u, 1]
                    if x == x:
                        x0, x1 = min(x0, x), max(x1, x)
                        y0, y1 = min(y0, y), max(y1, y)
            centres[i, j, 0], centres[i, j, 1] = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
            # Half the diagonal of the box around them.
            spreads[i, j] = 0.5 * np.hypot(x1 - x0, y1 - y0) if x0 <= x1 else np.nan
