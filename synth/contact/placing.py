"""Where a thing lies in the hand before the hand closes."""

# mypy: allow-untyped-defs

import math
from typing import Final

import numpy as np
from numba import njit

from synth.contact.classes import AXES
from synth.contact.posture import (
    JIT,
    OUTSIDE_M,
    bone_gap,
    mark_point,
    pose_digit,
    set_digit,
)

PALM_BONES: Final = np.array([0, 5, 9, 13, 17, 2, 6, 7, 8, 10, 11, 12, 14, 15, 16, 18, 19, 20, 1])
"""What a thing meets when it is brought against the palm: all but the thumb's outer links."""
SEAT_BONES: Final = np.array([0, 5, 9, 13, 17, 2, 3])
"""What a thing meets when it is pushed into the hand, besides the digits that hold it."""

NEAR_M: Final = 0.0001
FAR_M: Final = 0.07
"""A thing is brought near from so far away."""
STEPS: Final = 40


@njit(**JIT)
def normalize(v):
    length = math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
    for i in range(3):
        v[i] /= max(length, 1e-12)
    return length


@njit(**JIT)
def reject(v, axis):
    """Take away from v what lies along a unit axis, and make it a unit vector."""
    d = v[0] * axis[0] + v[1] * axis[1] + v[2] * axis[2]
    for i in range(3):
        v[i] -= d * axis[i]
    return normalize(v)


@njit(**JIT)
def cross(a, b, out):
    out[0] = a[1] * b[2] - a[2] * b[1]
    out[1] = a[2] * b[0] - a[0] * b[2]
    out[2] = a[0] * b[1] - a[1] * b[0]


@njit(**JIT)
def orient(shape, is_round, across, outward, along, u_across, u_along, u_spin, R):
    """R (3, 3): wrist from handle, its axes along the given ones, with flips and a spin drawn."""
    first = 1.0 if u_across < 0.5 else -1.0
    second = 1.0 if u_along < 0.5 else -1.0
    i, j, k = AXES[shape, 0], AXES[shape, 1], AXES[shape, 2]
    for r in range(3):
        R[r, i] = first * across[r]
        R[r, k] = second * along[r]
    # The third axis makes it a rotation.
    even = (i + 1) % 3 == j
    c = R[1, k] * R[2, i] - R[2, k] * R[1, i]
    d = R[2, k] * R[0, i] - R[0, k] * R[2, i]
    e = R[0, k] * R[1, i] - R[1, k] * R[0, i]
    sign = 1.0 if even else -1.0
    R[0, j], R[1, j], R[2, j] = sign * c, sign * d, sign * e
    if is_round:
        c, s = math.cos(2 * math.pi * u_spin), math.sin(2 * math.pi * u_spin)
        for r in range(3):
            x, y = R[r, 0], R[r, 1]
            R[r, 0] = c * x + s * y
            R[r, 1] = c * y - s * x


@njit(**JIT)
def attach(R, centre, T_handle, mirrored, T, inward):
    """T (3, 4): wrist from solid (of the mirrored solid for a left hand); inward (3, 4) leads from
    the wrist frame to the solid as it is."""
    m = -1.0 if mirrored else 1.0
    # wrist_from_solid = [R centre] * inverse([H t]), H, t mirrored for a left hand.
    for i in range(3):
        for j in range(3):
            # (R H^T)_ij with H_jk mirrored: sign m for j == 0 and for k == 0.
            total = 0.0
            for k in range(3):
                h = T_handle[j, k]
                if j == 0:
                    h *= m
                if k == 0:
                    h *= m
                total += R[i, k] * h
            T[i, j] = total
    for i in range(3):
        t0, t1, t2 = m * T_handle[0, 3], T_handle[1, 3], T_handle[2, 3]
        T[i, 3] = centre[i] - ((T[i, 0] * t0 + T[i, 1] * t1) + T[i, 2] * t2)
    turn_in(T, mirrored, inward)


@njit(**JIT)
def turn_in(T, mirrored, inward):
    """The inverse of T (3, 4), and the mirror for a left hand."""
    for i in range(3):
        m = -1.0 if mirrored and i == 0 else 1.0
        for j in range(3):
            inward[i, j] = m * T[j, i]
        back = (T[0, i] * T[0, 3] + T[1, i] * T[1, 3]) + T[2, i] * T[2, 3]
        inward[i, 3] = -m * back


@njit(**JIT)
def slide(T, mirrored, inward, direction, way):
    """Move the solid along a direction of the wrist frame."""
    for i in range(3):
        T[i, 3] += way * direction[i]
    turn_in(T, mirrored, inward)


@njit(**JIT)
def least_gap(hand, who, state, listed, count, inward, pack, solid, moved, gap):
    """The least gap of the listed bones, or `gap` where they are no nearer."""
    for n in range(count):
        b = listed[n]
        gap, _ = bone_gap(
            hand, who, state.bones, b, inward, pack, solid, state.bound, moved, gap, -1
        )
    return gap


@njit(**JIT)
def bring(
    hand, who, state, listed, count, T, mirrored, inward, direction, most, press, pack, solid
):
    """Move the solid along a direction until the listed bones feel it, at most so far.

    Returns 1 when they do, 0 when they do not, -1 when they did from the start.
    """
    state.bound[:] = -1.0
    gap = least_gap(hand, who, state, listed, count, inward, pack, solid, 0.0, 1.0) + press
    if gap < -NEAR_M:
        return -1
    way = 0.0
    for _ in range(STEPS):
        if abs(gap) <= NEAR_M:
            return 1
        if way >= most and gap > 0.0:
            return 0
        # Far away the distance is only a bound, and a step may go too far: then the next goes back.
        step = gap if gap < OUTSIDE_M else OUTSIDE_M + 0.6 * (gap - OUTSIDE_M)
        step = max(min(step, most - way), 0.00005) if gap > 0.0 else gap
        slide(T, mirrored, inward, direction, step)
        way += step
        moved = abs(step)
        gap = least_gap(hand, who, state, listed, count, inward, pack, solid, moved, 1.0) + press
    return 1 if abs(gap) <= 10 * NEAR_M else 0


@njit(**JIT)
def push_out(
    hand, who, state, listed, count, T, mirrored, inward, direction, most, press, pack, solid
):
    """Move the solid along a direction until the listed bones are clear of it: did that work?"""
    way = step = 0.0
    state.bound[:] = -1.0
    for _ in range(14):
        # Only what is inside is asked for.
        gap = least_gap(hand, who, state, listed, count, inward, pack, solid, step, NEAR_M) + press
        if gap >= -NEAR_M:
            return True
        step = -gap + 0.0005
        way += step
        if way > most:
            return False
        slide(T, mirrored, inward, direction, step)
    return False


@njit(**JIT)
def opposing_places(ways, g, hand, who, share, state, one, two, point):
    """Pose the moving digits at a common share of their ways; one, two (3,): the two places."""
    state.share[:] = share
    for d in range(5):
        if ways.moving[g, d]:
            set_digit(d, state.start, state.way, state.share, hand.limits, state.angles)
            pose_digit(hand, who, d, state.angles, state.turn, state.origin, state.bones)
    one[:] = 0.0
    two[:] = 0.0
    for m in range(ways.first.shape[1]):
        a, b = ways.first[g, m], ways.second[g, m]
        if a > 0.0 or b > 0.0:
            mark_point(hand, who, m, state.bones, point)
            for i in range(3):
                one[i] += a * point[i]
                two[i] += b * point[i]
    x, y, z = two[0] - one[0], two[1] - one[1], two[2] - one[2]
    return math.sqrt(x * x + y * y + z * z)


@njit(**JIT)
def find_aperture(ways, g, hand, who, wanted, state, one, two, point):
    """Share of the way at which the opposing places are as far apart as wanted; leaves it posed.

    The distance falls along the way, until the places have passed each other. Returns -9 where the
    hand does not open so far.
    """
    low, high = -0.6, 1.5
    wide = opposing_places(ways, g, hand, who, low, state, one, two, point)
    if wide < wanted:
        return low if wide > wanted - 0.006 else -9.0
    tight = opposing_places(ways, g, hand, who, high, state, one, two, point)
    at = high
    if tight > wanted:
        # It may be tightest in between.
        middle = opposing_places(ways, g, hand, who, 1.0, state, one, two, point)
        if middle > wanted:
            if middle < tight:
                return 1.0
            opposing_places(ways, g, hand, who, high, state, one, two, point)
            return high
        high, tight = 1.0, middle
    for _ in range(8):
        cut = (wide - wanted) / (wide - tight)
        at = low + min(max(cut, 0.1), 0.9) * (high - low)
        gap = opposing_places(ways, g, hand, who, at, state, one, two, point)
        if abs(gap - wanted) < 0.0005:
            break
        if gap > wanted:
            low, wide = at, gap
        else:
            high, tight = at, gap
    return at
