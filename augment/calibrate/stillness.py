"""Bursts in which neither camera nor scene moves, found from the frames themselves."""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.calibrate.capture import Capture, Clip

_JUMP: Final = 0.05
"""Relative change of depth that noise does not make."""

_MOST_JUMPS: Final = 0.02
_MOST_SHIFT: Final = 0.004
"""Relative change of a whole tile's median: 2 mm at half a metre."""

_TILES: Final = 8


def find_runs(capture: Capture, clip: Clip) -> list[tuple[int, int]]:
    """Frames first .. stop - 1 of each burst that stands still; together they are the clip."""
    bounds = [0]
    for i in range(1, len(clip.depth)):
        if not _is_still(clip.depth[i - 1], clip.depth[i]):
            bounds.append(i)
    bounds.append(len(clip.depth))
    return list(pairwise(bounds))


def _is_still(a: NDArray[np.uint16], b: NDArray[np.uint16]) -> bool:
    """Whether two frames differ by no more than noise does."""
    both = (a > 0) & (b > 0)
    read = max(np.count_nonzero(a), np.count_nonzero(b))
    if not read or np.count_nonzero(both) < 0.8 * read:
        return False
    change = np.zeros(a.shape, np.float32)
    change[both] = (b[both].astype(np.float32) - a[both]) / a[both]
    if np.count_nonzero(np.abs(change[both]) > _JUMP) > _MOST_JUMPS * np.count_nonzero(both):
        return False
    height, width = a.shape
    shifts = []
    for rows in np.array_split(np.arange(height), _TILES):
        for columns in np.array_split(np.arange(width), _TILES):
            if not len(rows) or not len(columns):
                continue
            part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            inside = both[part]
            if np.count_nonzero(inside) >= 16:
                values = change[part][inside]
                # What the tile's own noise may do to a median of pixels that correlate.
                noise = 1.4826 * float(np.median(np.abs(values))) / 3.0
                shifts.append(max(0.0, abs(float(np.median(values))) - noise))
    return not shifts or float(np.percentile(shifts, 90)) < _MOST_SHIFT
