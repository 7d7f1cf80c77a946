"""The packed z-buffer key: inverse depth and part code in one 32-bit word.

A key holds 24 bits of inverse depth above 8 bits of part code. The 24 bits are the top of the
float64 1/z with its exponent rebased: 4 bits of exponent (1/z from 2^-8 to 2^8 per metre, so 4 mm
to 256 m) and 20 of mantissa (a relative step below 1e-6: 0.5 micrometres at half a metre). Keys
compare as integers in the order of nearness, so that the z-test is one unsigned maximum: no branch,
no second buffer, and an image that does not depend on the order of the triangles (of two surfaces
at the same depth the larger code wins). The key 0 means that nothing was hit.
"""

# mypy: allow-untyped-defs

from typing import Any, Final

import numpy as np
from numba import njit

JIT: Final[dict[str, Any]] = {
    "nogil": True,
    "cache": True,
    "boundscheck": False,
    "fastmath": False,
    "error_model": "numpy",
}
"""Options of every kernel; without fastmath LLVM neither contracts nor reorders, so bits agree on
every machine."""

LEAN_JIT: Final[dict[str, Any]] = {**JIT, "_nrt": False}
"""Of those that allocate nothing; see `frames.kernels.BORROWING`."""

INVERSE_DEPTH_MIN: Final = 2.0**-8 * (1 + 2.0**-20)
INVERSE_DEPTH_MAX: Final = 2.0**8 * (1 - 2.0**-21)
"""Range of 1/z in 1/m that a key can hold; kernels clamp to it."""

NEAREST_NEAR_M: Final = 1 / 128
"""Smallest near plane a canvas accepts."""

BASE64: Final = (1023 - 8) << 52
BASE32: Final = (127 - 8) << 23
CODE_MASK: Final = 0xFFFFFF00


@njit(**JIT)
def pack_key(inverse_depth, code):
    """Key (uint64, below 2^32) of a float64 1/z inside the range and a uint64 code."""
    bits = np.float64(inverse_depth).view(np.uint64) - np.uint64(BASE64)
    return ((bits >> np.uint64(24)) & np.uint64(CODE_MASK)) | code


@njit(**JIT)
def unpack_inverse_depth(key):
    """Float32 1/z of a uint32 key, at the middle of its step (undefined for the key 0)."""
    bits = ((key >> np.uint32(8)) << np.uint32(3)) + np.uint32(BASE32 + 4)
    return np.uint32(bits).view(np.float32)


def decode_depth(keys: np.ndarray) -> np.ndarray:
    """Depth in metres, float32 of the shape of `keys` (uint32); 0 where nothing was hit."""
    bits = ((keys >> np.uint32(8)) << np.uint32(3)) + np.uint32(BASE32 + 4)
    depth = np.float32(1) / bits.view(np.float32)
    return np.where(keys != 0, depth, np.float32(0))


def decode_codes(keys: np.ndarray) -> np.ndarray:
    """Part codes, uint8 of the shape of `keys` (uint32)."""
    return (keys & np.uint32(0xFF)).astype(np.uint8)
