"""The smallest change of angles that moves points where they should be: damped least squares.

Wampler 1986; angles weigh by how readily they give way.
"""

import numba

from frames.kernels import BORROWING
from synth.pose.chain import slopes


@numba.njit(**BORROWING)
def add_projection(slope, ease, wanted, change):  # type: ignore[no-untyped-def]
    """Adds to change (29,) the smallest one, by ease, that gains `wanted` along the slope."""
    total = 2e-5
    for d in range(slope.shape[0]):
        total += ease[d] * slope[d] * slope[d]
    for d in range(slope.shape[0]):
        change[d] += wanted / total * ease[d] * slope[d]


@numba.njit(**BORROWING)
def draw_together(p, q, b, c, turns, moves, origin, axis, ease, slope, change, scratch):  # type: ignore[no-untyped-def]
    """Adds to change what moves point p of bone b and q of bone c onto each other.

    slope (3, 29) and scratch (3, 3) are used up.
    """
    dofs = slope.shape[1]
    n = scratch[0]
    for i in range(3):
        for d in range(dofs):
            slope[i, d] = 0.0
        for k in range(3):
            n[k] = 1.0 if k == i else 0.0
        slopes(q, c, n, 1.0, turns, moves, origin, axis, slope[i])
        slopes(p, b, n, -1.0, turns, moves, origin, axis, slope[i])
    m = scratch
    for i in range(3):
        for j in range(3):
            total = 0.0
            for d in range(dofs):
                total += ease[d] * slope[i, d] * slope[j, d]
            m[i, j] = total
        m[i, i] += 1e-4
    # Solve the symmetric 3 x 3 system by its adjugate.
    c00 = m[1, 1] * m[2, 2] - m[1, 2] * m[2, 1]
    c01 = m[1, 2] * m[2, 0] - m[1, 0] * m[2, 2]
    c02 = m[1, 0] * m[2, 1] - m[1, 1] * m[2, 0]
    det = m[0, 0] * c00 + m[0, 1] * c01 + m[0, 2] * c02
    x, y, z = p[0] - q[0], p[1] - q[1], p[2] - q[2]
    c11 = m[0, 0] * m[2, 2] - m[0, 2] * m[2, 0]
    c12 = m[0, 2] * m[1, 0] - m[0, 0] * m[1, 2]
    c22 = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]
    f0 = (c00 * x + c01 * y + c02 * z) / det
    f1 = (c01 * x + c11 * y + c12 * z) / det
    f2 = (c02 * x + c12 * y + c22 * z) / det
    for d in range(dofs):
        change[d] += ease[d] * (slope[0, d] * f0 + slope[1, d] * f1 + slope[2, d] * f2)
