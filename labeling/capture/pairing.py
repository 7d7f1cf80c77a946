"""Which colour picture belongs to which depth image: the nearest in time, if it is near."""

import numpy as np
from numpy.typing import NDArray

_SINGLE_NS = 50_000_000
"""How far apart a pair may be in a recording of one frame."""


def pair_times(depth_ns: NDArray[np.int64], other_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) for each depth image the place of the other stream's nearest frame, -1 for none near.

    Near is half a frame's period or less, the median's of the slower of the two. Of two equally
    near the earlier is taken. other_ns need not be in order.
    """
    if not len(other_ns):
        return np.full(len(depth_ns), -1)
    order = np.argsort(other_ns, kind="stable")
    times = other_ns[order]
    right = np.clip(np.searchsorted(times, depth_ns), 0, len(times) - 1)
    left = np.maximum(right - 1, 0)
    nearer = np.abs(times[right] - depth_ns) < np.abs(times[left] - depth_ns)
    found = np.where(nearer, right, left)
    # The first of several with one time.
    found = np.searchsorted(times, times[found])
    limit = max(_find_period(depth_ns), _find_period(times)) // 2
    return np.where(np.abs(times[found] - depth_ns) <= limit, order[found], -1)


def _find_period(times: NDArray[np.int64]) -> int:
    return int(np.median(np.diff(times))) if len(times) > 1 else 2 * _SINGLE_NS
