"""How near two bones' flesh is: capsules, places on the skin, and the gap between two skins.

Skins are taken as convex: the distance of two convex bodies is the width of the widest slab that
keeps them apart, and the overlap of touching ones its negative width.
"""

import math

import numba

from frames.kernels import BORROWING
from synth.pose.chain import carry


@numba.njit(**BORROWING)
def nearest_points(a0, a1, b0, b1, p, q):  # type: ignore[no-untyped-def]
    """Nearest points p and q of two segments (Ericson, Real-Time Collision Detection, 5.1.9)."""
    a = b = c = e = f = 0.0
    for k in range(3):
        d1, d2, r = a1[k] - a0[k], b1[k] - b0[k], a0[k] - b0[k]
        a += d1 * d1
        b += d1 * d2
        c += d1 * r
        e += d2 * d2
        f += d2 * r
    denom = a * e - b * b
    s = 0.0
    if e <= 1e-18:
        s = min(max(-c / max(a, 1e-18), 0.0), 1.0)
    elif denom > 1e-18:
        s = min(max((b * f - c * e) / denom, 0.0), 1.0)
    t = (b * s + f) / max(e, 1e-18)
    if t < 0.0:
        t = 0.0
        s = min(max(-c / max(a, 1e-18), 0.0), 1.0)
    elif t > 1.0:
        t = 1.0
        s = min(max((b - c) / max(a, 1e-18), 0.0), 1.0)
    for k in range(3):
        p[k] = a0[k] + s * (a1[k] - a0[k])
        q[k] = b0[k] + t * (b1[k] - b0[k])


@numba.njit(**BORROWING)
def find_site(skin, length, along, side, point, outward):  # type: ignore[no-untyped-def]
    """A place on a bone's skin (S, 3) and its outward direction, in the bone's axes."""
    outward[0], outward[1], outward[2] = -side, -(1.0 - abs(side)), 0.0
    if along > 0.8:  # towards the end a pad turns to face forward
        outward[2] = -2.0 * (along - 0.8)
    size = math.sqrt(outward[0] ** 2 + outward[1] ** 2 + outward[2] ** 2)
    for k in range(3):
        outward[k] /= size
    z = -along * length
    far = -1e9
    for v in range(skin.shape[0]):
        if abs(skin[v, 2] - z) < 0.006:
            reach = outward[0] * skin[v, 0] + outward[1] * skin[v, 1]
            far = max(far, reach)
    flat = math.sqrt(outward[0] ** 2 + outward[1] ** 2)
    far = max(far, 0.0) / max(flat, 1e-9)
    point[0], point[1], point[2] = outward[0] / flat * far, outward[1] / flat * far, z


@numba.njit(**BORROWING)
def reach_along(skin, turn, origin, n, sign, best):  # type: ignore[no-untyped-def]
    """How far a bone's skin reaches along sign * n; best (3,) becomes the point that does."""
    l0 = sign * ((turn[0, 0] * n[0] + turn[1, 0] * n[1]) + turn[2, 0] * n[2])
    l1 = sign * ((turn[0, 1] * n[0] + turn[1, 1] * n[1]) + turn[2, 1] * n[2])
    l2 = sign * ((turn[0, 2] * n[0] + turn[1, 2] * n[1]) + turn[2, 2] * n[2])
    far, at = -1e9, 0
    for v in range(skin.shape[0]):
        here = (l0 * skin[v, 0] + l1 * skin[v, 1]) + l2 * skin[v, 2]
        if here > far:
            far, at = here, v
    carry(turn, origin, skin[at], best)
    return (n[0] * best[0] + n[1] * best[1]) + n[2] * best[2]


@numba.njit(**BORROWING)
def widest_slab(  # type: ignore[no-untyped-def]
    skin_a, turn_a, origin_a, skin_b, turn_b, origin_b, n, p, q, scratch
):
    """The widest slab between two bones' skins: its width (negative: they overlap), normal n from a
    to b (in: a guess), and the points p of a and q of b that bound it.

    scratch (3, 3) is used up.
    """
    width = -1e9
    trial, u, v = scratch[0], scratch[1], scratch[2]
    for k in range(3):
        trial[k] = n[k]
    step = 60.0
    for _ in range(24):
        here = reach_along(skin_b, turn_b, origin_b, trial, -1.0, v) - reach_along(
            skin_a, turn_a, origin_a, trial, 1.0, u
        )
        if here > width:
            width = here
            for k in range(3):
                n[k], p[k], q[k] = trial[k], u[k], v[k]
        else:
            step *= 0.5
        # Uphill: the slab widens as its normal turns towards the line between its two points.
        along = 0.0
        for k in range(3):
            along += n[k] * (q[k] - p[k])
        size = 0.0
        for k in range(3):
            trial[k] = n[k] + step * ((q[k] - p[k]) - along * n[k])
            size += trial[k] * trial[k]
        size = math.sqrt(size)
        for k in range(3):
            trial[k] /= size
    return width
