"""A hand falls on a plane until three points touch, then its digits go down to it."""

# mypy: allow-untyped-defs

import math
from typing import Final

import numpy as np
from numba import njit

from frames.parts import FOREARM
from synth.contact.closing import close_digit, free_digit, measure_digit
from synth.contact.feeling import MAX_GAP_M, MAX_PRESS_M, self_depth
from synth.contact.gaps import plane_gaps
from synth.contact.placing import cross, normalize, reject, turn_in
from synth.contact.posture import JIT, blend_point, place_capsule, pose_hand, set_digit
from synth.hand.bones import FOREARM_BONE

MAX_TURN: Final = math.cos(math.radians(40.0))
"""A hand that would turn farther lies otherwise than meant."""
MAX_SELF_M: Final = 0.0025
SETTLE, TIPS, POINT = 0, 1, 2


@njit(**JIT)
def place_probes(hand, who, bones, points):
    """points (P, 3) of all probes in the wrist frame."""
    for p in range(hand.bone.shape[0]):
        x, y, z = blend_point(bones, hand.rest[who, p], hand.bone[p], hand.weight[p])
        points[p, 0], points[p, 1], points[p, 2] = x, y, z


@njit(**JIT)
def lowest(hand, points, out):
    """The probe of the hand (not of the forearm) that lies lowest along `out`."""
    best, found = 1e9, 0
    for p in range(points.shape[0]):
        if hand.first[FOREARM_BONE] <= p < hand.first[FOREARM_BONE + 1]:
            continue
        high = points[p, 0] * out[0] + points[p, 1] * out[1] + points[p, 2] * out[2]
        if high < best:
            best, found = high, p
    return found


@njit(**JIT)
def tip_over(hand, points, pivot, toward, out):
    """Turn `out` about the pivot towards a horizontal unit direction until another probe touches.

    Returns that probe. The plane stays below all probes of the hand.
    """
    best, found = 1e9, -1
    for p in range(points.shape[0]):
        if hand.first[FOREARM_BONE] <= p < hand.first[FOREARM_BONE + 1]:
            continue
        rise = ahead = 0.0
        for i in range(3):
            away = points[p, i] - points[pivot, i]
            rise += out[i] * away
            ahead += toward[i] * away
        if ahead > 1e-6:
            slope = max(rise, 0.0) / ahead
            if slope < best:
                best, found = slope, p
    if found >= 0:
        for i in range(3):
            out[i] -= best * toward[i]
        normalize(out)
    return found


@njit(**JIT)
def settle(hand, state, points, out):
    """Turn out (3,) until three probes touch the plane below them; returns one that does, or -1."""
    a, toward, edge = state.vectors[0], state.vectors[1], state.vectors[2]
    first = lowest(hand, points, out)
    for i in range(3):
        total = 0.0
        for d in range(4):
            total += 0.25 * state.origin[6 + 4 * d, i]
        a[i] = 0.6 * total - points[first, i]
        toward[i] = a[i]
    if reject(toward, out) < 1e-4:
        return first
    second = tip_over(hand, points, first, toward, out)
    if second < 0:
        return -1
    for i in range(3):
        edge[i] = points[second, i] - points[first, i]
    normalize(edge)
    cross(edge, out, toward)
    side = a[0] * toward[0] + a[1] * toward[1] + a[2] * toward[2]
    if side < 0.0:
        for i in range(3):
            toward[i] = -toward[i]
    third = tip_over(hand, points, first, toward, out)
    return first if third >= 0 else -1


@njit(**JIT)
def frame_plane(out, d, T, inward):
    """T (3, 4): a frame whose z is `out`, on the plane out.x = d; inward (3, 4) leads there."""
    k = 0
    for i in range(1, 3):
        if abs(out[i]) < abs(out[k]):
            k = i
    for i in range(3):
        T[i, 2] = out[i]
        T[i, 0] = (1.0 if i == k else 0.0) - out[k] * out[i]
        T[i, 3] = d * out[i]
    length = math.sqrt(T[0, 0] ** 2 + T[1, 0] ** 2 + T[2, 0] ** 2)
    for i in range(3):
        T[i, 0] /= length
    T[0, 1] = T[1, 2] * T[2, 0] - T[2, 2] * T[1, 0]
    T[1, 1] = T[2, 2] * T[0, 0] - T[0, 2] * T[2, 0]
    T[2, 1] = T[0, 2] * T[1, 0] - T[1, 2] * T[0, 0]
    turn_in(T, False, inward)


@njit(**JIT)
def rest(lies, hand, flesh, pack, identity, row, u, noise, jitter, press, state, points,
         out_angles, out_plane, out_gaps, out_ok):  # fmt: skip
    """Lay every hand on a plane. row (N,) of the table, u (N, A, 2), noise (N, A, 20).

    Fills out_angles (N, 29), out_plane (N, 4), out_gaps (N, 17), out_ok (N,).
    """
    out = state.vectors[3]
    gaps = state.gaps
    for n in range(identity.shape[0]):
        who, r = identity[n], row[n]
        for attempt in range(u.shape[1]):
            z = noise[n, attempt]
            for i in range(29):
                state.angles[i] = 0.0
                state.start[i] = lies.start[r, i]
                state.way[i] = lies.way[r, i]
            for i in range(3, 9):
                state.start[i] += 0.9 * jitter * z[i - 3]
            for f in range(4):
                b = 9 + 5 * f
                state.start[b] += 0.7 * jitter * (z[6] + 0.7 * z[7 + 2 * f])
                state.start[b + 1] += 0.3 * jitter * z[8 + 2 * f]
                state.start[b + 3] += 0.9 * jitter * (z[6] + 0.7 * z[8 + 2 * f])
            state.share[:] = 0.0
            for d in range(5):
                set_digit(d, state.start, state.way, state.share, hand.limits, state.angles)
            pose_hand(hand, who, state.angles, state.turn, state.origin, state.bones)
            for i in range(3):
                out[i] = lies.out[r, i] + lies.tilt[r] * z[16 + i]
            normalize(out)
            place_probes(hand, who, state.bones, points)
            d = 0.0
            if lies.mode[r] == TIPS:
                depth = lies.below[r, 0] + (lies.below[r, 1] - lies.below[r, 0]) * u[n, attempt, 0]
                d = 1e9
                for f in range(4):
                    high = 0.0
                    for i in range(3):
                        high += out[i] * state.origin[6 + 4 * f, i]
                    d = min(d, high - depth * hand.size[who])
            else:
                pivot = lowest(hand, points, out)
                if lies.mode[r] == SETTLE:
                    pivot = settle(hand, state, points, out)
                    turned = 0.0
                    for i in range(3):
                        turned += out[i] * lies.out[r, i]
                    if pivot < 0 or turned < MAX_TURN:
                        continue
                for i in range(3):
                    d += out[i] * points[pivot, i]
                d += press
            frame_plane(out, d, state.T, state.inward)
            for c in range(state.ends.shape[0]):
                place_capsule(flesh, who, c, state.bones, state.ends)
            clear = True
            for digit in range(5):
                moves = 0.0
                for i in range(29):
                    moves += abs(lies.way[r, i])
                if moves == 0.0:
                    break
                at = free_digit(hand, flesh, who, digit, state.start, state.way, 0.0, -0.7,
                                state.inward, pack, 0, press + 0.0002, state)  # fmt: skip
                if at < -5.0:
                    clear = False
                    break
                state.moved[:] = 0.0
                state.share[:] = at
                measure_digit(hand, flesh, who, digit, 0, state.start, state.way, state.share,
                              state.moved, state.inward, pack, 0, press, True, state)  # fmt: skip
                close_digit(hand, flesh, who, digit, state.start, state.way, at, state.inward, pack,
                            0, press, state)  # fmt: skip
            if not clear:
                continue
            out_plane[n, 0], out_plane[n, 1], out_plane[n, 2] = out[0], out[1], out[2]
            out_plane[n, 3] = d
            plane_gaps(hand, who, state.bones, out_plane[n], gaps)
            count, fine = 0, True
            for p in range(16):
                fine = fine and not gaps[p] < -MAX_PRESS_M
                count += gaps[p] <= MAX_GAP_M
            if not fine or count < lies.least[r]:
                continue
            if self_depth(flesh, who, state.bones, state.ends) > MAX_SELF_M:
                continue
            out_ok[n] = True
            for i in range(29):
                out_angles[n, i] = state.angles[i]
            for p in range(17):
                out_gaps[n, p] = gaps[p] if p < 16 else np.nan
            break


@njit(**JIT)
def hover(hand, identity, angles, out, away, state, out_plane, out_gaps):
    """A plane below every posed hand at the height away (N,), out (N, 3) of it; its gaps."""
    for n in range(identity.shape[0]):
        who = identity[n]
        pose_hand(hand, who, angles[n], state.turn, state.origin, state.bones)
        low = 1e9
        for v in range(hand.skin.shape[1]):
            if hand.skin_part[v] == FOREARM:
                continue
            x, y, z = blend_point(
                state.bones, hand.skin[who, v], hand.skin_bone[v], hand.skin_weight[v]
            )
            low = min(low, (out[n, 0] * x + out[n, 1] * y) + out[n, 2] * z)
        for i in range(3):
            out_plane[n, i] = out[n, i]
        out_plane[n, 3] = low - away[n]
        plane_gaps(hand, who, state.bones, out_plane[n], out_gaps[n])
        out_gaps[n, 16] = np.nan
