"""Pixels of every code of a part image, and the box around them."""

from typing import Final

import numpy as np
from numba import njit

COUNT: Final = 0
U0: Final = 1
V0: Final = 2
U1: Final = 3
V1: Final = 4
"""What `tally_codes` keeps of a code, by the last axis."""


@njit(cache=True, nogil=True)
def tally_codes(parts):  # type: ignore[no-untyped-def]
    """(B, H, W) codes -> (B, 256, 5) int64: pixels of each code and their least and greatest u,
    v."""
    frames, height, width = parts.shape
    out = np.zeros((frames, 256, 5), np.int64)
    for b in range(frames):
        for k in range(256):
            out[b, k, 1] = width
            out[b, k, 2] = height
            out[b, k, 3] = -1
            out[b, k, 4] = -1
        for v in range(height):
            u = 0
            while u < width:
                # By runs: neighbours mostly share their code.
                code = parts[b, v, u]
                first = u
                while u < width and parts[b, v, u] == code:
                    u += 1
                cell = out[b, code]
                cell[0] += u - first
                cell[1] = min(cell[1], first)
                cell[2] = min(cell[2], v)
                cell[3] = max(cell[3], u - 1)
                cell[4] = v
    return out
