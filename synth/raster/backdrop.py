"""A depth image as background: what a real room looked like to a depth camera."""

# mypy: allow-untyped-defs

import numpy as np
from numba import njit

from synth.raster.keys import INVERSE_DEPTH_MAX, INVERSE_DEPTH_MIN, JIT, pack_key


@njit(**JIT)
def fill_depth(depth, keys, stride):
    """Draw depth (H, W) float32 in metres, 0 for nothing, into keys (flat uint32) in place of what
    they hold.
    """
    for y in range(depth.shape[0]):
        start = np.uint64(y * stride)
        for x in range(np.uint64(depth.shape[1])):
            z = np.float64(depth[y, x])
            w = min(max(1.0 / max(z, 1e-9), INVERSE_DEPTH_MIN), INVERSE_DEPTH_MAX)
            key = np.uint32(pack_key(w, np.uint64(0)))
            keys[start + x] = key if z > 0 else np.uint32(0)
