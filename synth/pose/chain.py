"""The posed bones of one hand, and how a point on a bone moves with each angle.

The same chain as `synth.hand.kinematics`, in float64, one hand at a time and without the skin: what
the solvers of contact differentiate. A turn about the unit axis a through o moves a point p of a
bone that it carries by a x (p - o) per radian.
"""

import math

import numba

from frames.kernels import BORROWING
from synth.hand.bones import PARENT


@numba.njit(**BORROWING)
def place_bones(angles, offset, zero, turns, factors, turn, origin, axis):  # type: ignore[no-untyped-def]
    """Posed bones of one hand in the wrist frame.

    angles (29,), offset (21, 3), zero (21, 3, 3), turns (T, 3), factors (T,) as in
    `synth.pose.flesh.Flesh`; writes turn (21, 3, 3), origin (21, 3), axis (T, 3): how each bone is
    turned, where it starts, and the axis of each elementary turn times its factor.
    """
    row = 0
    for b in range(offset.shape[0]):
        p = PARENT[b]
        m = turn[b]
        if p < 0:
            for i in range(3):
                origin[b, i] = offset[b, i]
                for j in range(3):
                    m[i, j] = zero[b, i, j]
        else:
            q = turn[p]
            for i in range(3):
                for j in range(3):
                    m[i, j] = (q[i, 0] * zero[b, 0, j] + q[i, 1] * zero[b, 1, j]) + (
                        q[i, 2] * zero[b, 2, j]
                    )
        while row < turns.shape[0] and turns[row, 0] == b:
            k = turns[row, 1]
            for i in range(3):
                axis[row, i] = factors[row] * m[i, k]
            angle = factors[row] * angles[turns[row, 2]]
            c, s = math.cos(angle), math.sin(angle)
            i, j = (k + 1) % 3, (k + 2) % 3
            for r in range(3):
                first, second = m[r, i], m[r, j]
                m[r, i] = c * first + s * second
                m[r, j] = c * second - s * first
            row += 1
        if p >= 0:
            q = m if b == 1 else turn[p]
            for i in range(3):
                origin[b, i] = origin[p, i] + (
                    (q[i, 0] * offset[b, 0] + q[i, 1] * offset[b, 1]) + q[i, 2] * offset[b, 2]
                )


@numba.njit(**BORROWING)
def carry(turn, origin, point, out):  # type: ignore[no-untyped-def]
    """A point in a bone's axes, in the wrist frame: out (3,)."""
    for i in range(3):
        out[i] = origin[i] + (
            (turn[i, 0] * point[0] + turn[i, 1] * point[1]) + turn[i, 2] * point[2]
        )


@numba.njit(**BORROWING)
def slopes(point, bone, direction, sign, turns, moves, origin, axis, out):  # type: ignore[no-untyped-def]
    """Adds to out (29,) how fast `direction . point` grows with each angle, times `sign`."""
    for t in range(turns.shape[0]):
        if moves[bone, t]:
            o = origin[turns[t, 0]]
            x, y, z = point[0] - o[0], point[1] - o[1], point[2] - o[2]
            a = axis[t]
            grow = (
                direction[0] * (a[1] * z - a[2] * y) + direction[1] * (a[2] * x - a[0] * z)
            ) + direction[2] * (a[0] * y - a[1] * x)
            out[turns[t, 2]] += sign * grow
