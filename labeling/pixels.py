"""Pixels and Label Studio's percentages, both ways.

A percentage counts from the image's left or upper edge to its other edge; our integer pixel
coordinates are pixel centres (docs/conventions.md). Both ways in float64: what comes back differs
from what was sent by less than 1e-10 px.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def to_percent(px: ArrayLike, width: int, height: int) -> Floats:
    """Pixels (..., 2) -> percentages (..., 2); within 0..100 inside the image."""
    return (np.asarray(px, np.float64) + 0.5) / (width, height) * 100.0


def to_pixels(percent: ArrayLike, width: int, height: int) -> Floats:
    """Percentages (..., 2) -> pixels (..., 2)."""
    return np.asarray(percent, np.float64) / 100.0 * (width, height) - 0.5
