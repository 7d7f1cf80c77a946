"""Frames that differ from each other: k-center greedy, each weighed by what it is worth.

Sener and Savarese, "Active learning for convolutional neural networks: a core-set approach", ICLR
2018: taking ever the point farthest from all taken ones covers a set within twice the best radius.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray


def choose_diverse(
    descriptors: NDArray[np.uint8], worth: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """Which `count` of N frames to take, in order of their numbers.

    descriptors: (N, D). worth: (N,) >= 0; a frame's distance from those taken is multiplied by it.
    The first is the one worth most, of equals the one nearest to the mean. Distances are whole
    numbers, so that the choice is the same on every machine.
    """
    total = len(descriptors)
    if count >= total:
        return np.arange(total)
    mean = descriptors.mean(0, dtype=np.float64).round().astype(np.uint8)
    typical = np.full(total, np.iinfo(np.int64).max)
    _relax(descriptors, mean, typical)
    first = np.lexsort((np.arange(total), typical, -worth))[0]
    nearest = np.full(total, np.iinfo(np.int64).max)
    taken = np.zeros(total, bool)
    chosen = [int(first)]
    taken[first] = True
    while len(chosen) < count:
        _relax(descriptors, descriptors[chosen[-1]], nearest)
        gain = np.sqrt(nearest) * worth
        gain[taken] = -1.0
        best = int(np.argmax(gain))
        chosen.append(best)
        taken[best] = True
    return np.sort(np.array(chosen, np.int64))


@njit(cache=True, nogil=True, error_model="numpy")
def _relax(descriptors, center, nearest):  # type: ignore[no-untyped-def]
    """Lower squared distances to those from one more center."""
    for i in range(len(descriptors)):
        row = descriptors[i]
        total = np.int64(0)
        for k in range(len(center)):
            d = np.int32(row[k]) - np.int32(center[k])
            total += d * d
        if total < nearest[i]:
            nearest[i] = total
