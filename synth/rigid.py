"""Rigid and affine transforms, summed in a fixed order so that every machine gets the same bits."""

import numba
import numpy as np


def invert_rigid(T: np.ndarray) -> np.ndarray:
    """(..., 4, 4) inverse of rigid transforms."""
    out = np.zeros_like(T)
    turn = np.swapaxes(T[..., :3, :3], -1, -2)
    out[..., :3, :3] = turn
    out[..., :3, 3] = -np.einsum("...ij,...j->...i", turn, T[..., :3, 3])
    out[..., 3, 3] = 1.0
    return out


def compose(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(..., 4, 4) a @ b; einsum, for a BLAS sums as its machine likes."""
    return np.einsum("...ij,...jk->...ik", a, b)


@numba.njit(cache=True, nogil=True)
def transform(pose, points):  # type: ignore[no-untyped-def]
    """Apply an affine (4, 4) float64 to points (V, 3) float32 -> (V, 3) float32."""
    out = np.empty(points.shape, np.float32)
    for v in range(points.shape[0]):
        x, y, z = np.float64(points[v, 0]), np.float64(points[v, 1]), np.float64(points[v, 2])
        for i in range(3):
            out[v, i] = ((pose[i, 0] * x + pose[i, 1] * y) + pose[i, 2] * z) + pose[i, 3]
    return out
