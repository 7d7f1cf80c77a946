"""Products of small matrices, summed in a fixed order so that every machine gets the same bits.

BLAS and einsum choose their order of summation by the processor and by the shape of the batch: one
frame alone would differ from the same frame among others in the last bit.
"""

import numba
import numpy as np


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(..., 3), (..., 3) -> (...,)"""
    return (a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1]) + a[..., 2] * b[..., 2]


def multiply(*matrices: np.ndarray) -> np.ndarray:
    """Product of (..., n, n) matrices, from left to right, broadcast over the leading axes."""
    out = matrices[0]
    for b in matrices[1:]:
        shape = np.broadcast_shapes(out.shape, b.shape)
        first, second = np.broadcast_to(out, shape), np.broadcast_to(b, shape)
        flat = (-1, *shape[-2:])
        out = _multiply(
            np.ascontiguousarray(first).reshape(flat), np.ascontiguousarray(second).reshape(flat)
        ).reshape(shape)
    return out


@numba.njit(cache=True, nogil=True)
def _multiply(a, b):  # type: ignore[no-untyped-def]
    out = np.empty(a.shape)
    size = a.shape[1]
    for h in range(a.shape[0]):
        for i in range(size):
            for j in range(size):
                total = a[h, i, 0] * b[h, 0, j]
                for k in range(1, size):
                    total += a[h, i, k] * b[h, k, j]
                out[h, i, j] = total
    return out


def rotate(turn: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(..., 3, 3), (..., 3) -> (..., 3), broadcast over the leading axes."""
    return (turn[..., :, 0] * points[..., :1] + turn[..., :, 1] * points[..., 1:2]) + turn[
        ..., :, 2
    ] * points[..., 2:]


def invert_rigid(T: np.ndarray) -> np.ndarray:
    """(..., 4, 4) inverse of rigid transforms."""
    out = np.zeros_like(T)
    turn = np.swapaxes(T[..., :3, :3], -1, -2)
    out[..., :3, :3] = turn
    out[..., :3, 3] = -rotate(turn, T[..., :3, 3])
    out[..., 3, 3] = 1.0
    return out
