"""The residual from a plane fitted to each small window: how smooth a surface is read."""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

HALF: Final = 3
"""Windows of 7 x 7 pixels."""


def measure_roughness(
    depth: NDArray[np.uint16], inside: NDArray[np.bool_], depth_scale: float
) -> NDArray[np.float32]:
    """(H, W) float32 RMS residual in metres of z = a u + b v + c over each pixel's 7 x 7 window.

    NaN where a pixel of the window has no reading, is not `inside`, or is not in the image.
    """
    out = np.full(depth.shape, np.nan, np.float32)
    _measure(depth, inside, 1.0 / depth_scale, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(depth, inside, step, out):  # type: ignore[no-untyped-def]
    height, width = depth.shape
    side = 2 * HALF + 1
    count = side * side
    # Offsets are symmetric, so the three terms are orthogonal and need no equations solved.
    square = float(side) * HALF * (HALF + 1) * side / 3.0
    for v in range(HALF, height - HALF):
        for u in range(HALF, width - HALF):
            middle = float(depth[v, u])
            mean, along, down, total = 0.0, 0.0, 0.0, 0.0
            whole = True
            for j in range(-HALF, HALF + 1):
                for i in range(-HALF, HALF + 1):
                    d = depth[v + j, u + i]
                    if d == 0 or not inside[v + j, u + i]:
                        whole = False
                        break
                    z = d - middle
                    mean += z
                    along += z * i
                    down += z * j
                    total += z * z
                if not whole:
                    break
            if whole:
                rest = total - mean * mean / count - (along * along + down * down) / square
                out[v, u] = step * np.sqrt(max(rest, 0.0) / count)
