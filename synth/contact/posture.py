"""One posed hand inside compiled code: bones, probes and capsules, digit by digit.

The same chain as `synth.hand.kinematics` in float64, in the wrist frame of a right hand. Digits are
numbered 0 (thumb) to 4 (pinky); a digit has three links, each moved by a group of angles.
"""

# mypy: allow-untyped-defs

import math
from typing import Final

import numpy as np
from numba import njit

from synth.hand.bones import PARENT
from synth.things.distance import solid_distance, solid_gradient

JIT: Final = {
    "cache": True,
    "nogil": True,
    "boundscheck": False,
    "error_model": "numpy",
    # Nothing is allocated in here, and counting references took half of the time.
    "_nrt": False,
}

LINKS: Final = np.array([[2, 3, 4], [6, 7, 8], [10, 11, 12], [14, 15, 16], [18, 19, 20]])
"""(5, 3) bones of each digit's links."""

LINK_CAPSULES: Final = np.arange(15).reshape(5, 3)
"""(5, 3) capsules of each digit's links, as `synth.hand.collision.CAPSULE_BONES` numbers them."""

GROUP: Final = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2] + [0, 0, 0, 1, 2] * 4)
"""(29,) which link of its digit an angle begins to move; the wrist and the arch do not count."""

DIGIT_DOFS: Final = np.array([[3, 9], [9, 14], [14, 19], [19, 24], [24, 29]])
"""(5, 2) first and last plus one of each digit's angles."""

ABDUCTION_LEFT: Final = 0.85
OUTSIDE_M: Final = 0.024
"""Beyond this distance the grid's value is only a bound: see `solid_distance`."""


@njit(**JIT)
def pose_bone(hand, who, b, angles, turn, origin, bones):
    """Fill turn[b], origin[b] (a bone's frame) and bones[b] (3, 4), rest to wrist frame."""
    p = PARENT[b]
    m = turn[b]
    zero = hand.zero[b]
    if p < 0:
        for i in range(3):
            for j in range(3):
                m[i, j] = zero[i, j]
    else:
        q = turn[p]
        for i in range(3):
            for j in range(3):
                m[i, j] = (q[i, 0] * zero[0, j] + q[i, 1] * zero[1, j]) + q[i, 2] * zero[2, j]
    for row in range(hand.turn_first[b], hand.turn_first[b + 1]):
        k = hand.turns[row, 1]
        angle = hand.factors[row] * angles[hand.turns[row, 2]]
        c, s = math.cos(angle), math.sin(angle)
        i, j = (k + 1) % 3, (k + 2) % 3
        for r in range(3):
            first, second = m[r, i], m[r, j]
            m[r, i] = c * first + s * second
            m[r, j] = c * second - s * first
    frame, out, joint = hand.frames[b], bones[b], hand.joints[who, b]
    for i in range(3):
        for j in range(3):
            out[i, j] = (m[i, 0] * frame[j, 0] + m[i, 1] * frame[j, 1]) + m[i, 2] * frame[j, 2]
    if p < 0:
        for i in range(3):
            origin[b, i] = joint[i]
    else:
        carrier = bones[b] if b == 1 else bones[p]
        base = hand.joints[who, p]
        x, y, z = joint[0] - base[0], joint[1] - base[1], joint[2] - base[2]
        for i in range(3):
            origin[b, i] = origin[p, i] + (
                (carrier[i, 0] * x + carrier[i, 1] * y) + carrier[i, 2] * z
            )
    for i in range(3):
        moved = (out[i, 0] * joint[0] + out[i, 1] * joint[1]) + out[i, 2] * joint[2]
        out[i, 3] = origin[b, i] - moved


@njit(**JIT)
def pose_hand(hand, who, angles, turn, origin, bones):
    """All 21 bones."""
    for b in range(21):
        pose_bone(hand, who, b, angles, turn, origin, bones)


@njit(**JIT)
def pose_digit(hand, who, digit, angles, turn, origin, bones):
    """The links of one digit."""
    for k in range(3):
        pose_bone(hand, who, LINKS[digit, k], angles, turn, origin, bones)


@njit(**JIT)
def set_digit(digit, start, way, share, limits, angles):
    """Angles of a digit at share[g] of its way for each group g, within limits."""
    for i in range(DIGIT_DOFS[digit, 0], DIGIT_DOFS[digit, 1]):
        value = start[i] + share[GROUP[i]] * way[i]
        angles[i] = min(max(value, limits[i, 0]), limits[i, 1])
    if digit > 0:
        base = DIGIT_DOFS[digit, 0]
        bent = min(max(angles[base] / (0.5 * math.pi), 0.0), 1.0)
        room = 1.0 - ABDUCTION_LEFT * bent
        low, high = room * limits[base + 1, 0], room * limits[base + 1, 1]
        angles[base + 1] = min(max(angles[base + 1], low), high)


@njit(**JIT)
def blend_point(bones, rest, bone, weight):
    """(x, y, z) of a point blended between bones."""
    ox = oy = oz = 0.0
    x, y, z = float(rest[0]), float(rest[1]), float(rest[2])
    for k in range(bone.shape[0]):
        w = float(weight[k])
        if w == 0.0:
            break
        t = bones[bone[k]]
        ox += w * (((t[0, 0] * x + t[0, 1] * y) + t[0, 2] * z) + t[0, 3])
        oy += w * (((t[1, 0] * x + t[1, 1] * y) + t[1, 2] * z) + t[1, 3])
        oz += w * (((t[2, 0] * x + t[2, 1] * y) + t[2, 2] * z) + t[2, 3])
    return ox, oy, oz


@njit(**JIT)
def mark_point(hand, who, m, bones, out):
    """A landmark in the wrist frame: out (3,)."""
    t, rest = bones[hand.mark_bone[m]], hand.mark[who, m]
    for i in range(3):
        out[i] = ((t[i, 0] * rest[0] + t[i, 1] * rest[1]) + t[i, 2] * rest[2]) + t[i, 3]


@njit(**JIT)
def distance_at(pack, solid, inward, x, y, z):
    """Signed distance from a point of the wrist frame to the solid; inward (3, 4) leads there."""
    return solid_distance(
        pack,
        solid,
        ((inward[0, 0] * x + inward[0, 1] * y) + inward[0, 2] * z) + inward[0, 3],
        ((inward[1, 0] * x + inward[1, 1] * y) + inward[1, 2] * z) + inward[1, 3],
        ((inward[2, 0] * x + inward[2, 1] * y) + inward[2, 2] * z) + inward[2, 3],
    )


@njit(**JIT)
def normal_at(pack, solid, inward, x, y, z, out):
    """out (3,): direction out of the solid at a point, in the wrist frame."""
    _, gx, gy, gz = solid_gradient(
        pack,
        solid,
        ((inward[0, 0] * x + inward[0, 1] * y) + inward[0, 2] * z) + inward[0, 3],
        ((inward[1, 0] * x + inward[1, 1] * y) + inward[1, 2] * z) + inward[1, 3],
        ((inward[2, 0] * x + inward[2, 1] * y) + inward[2, 2] * z) + inward[2, 3],
    )
    for i in range(3):
        out[i] = (inward[0, i] * gx + inward[1, i] * gy) + inward[2, i] * gz
    length = math.sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2])
    if length > 1e-9:
        for i in range(3):
            out[i] /= length


@njit(**JIT)
def bone_gap(hand, who, bones, bone, inward, pack, solid, bound, moved, gap, nearest):
    """The least distance of a bone's probes to the solid, if below `gap`: (gap, probe).

    bound (P,) holds what each probe's distance is at least; it has moved by `moved` since, and only
    probes that may come nearer than `gap` are measured. The hot loop: `blend_point` and
    `solid_distance` written out, in units of the grid's cells.
    """
    rest, weight, mover = hand.rest, hand.weight, hand.bone
    values, start = pack.values, pack.start[solid]
    slab, row = pack.shape[solid, 1] * pack.shape[solid, 2], pack.shape[solid, 2]
    nx, ny, nz = pack.shape[solid, 0] - 1, pack.shape[solid, 1] - 1, pack.shape[solid, 2] - 1
    hx, hy, hz = pack.spacing[solid, 0], pack.spacing[solid, 1], pack.spacing[solid, 2]
    a00, a01, a02 = inward[0, 0] / hx, inward[0, 1] / hx, inward[0, 2] / hx
    a10, a11, a12 = inward[1, 0] / hy, inward[1, 1] / hy, inward[1, 2] / hy
    a20, a21, a22 = inward[2, 0] / hz, inward[2, 1] / hz, inward[2, 2] / hz
    a03 = (inward[0, 3] - pack.origin[solid, 0]) / hx
    a13 = (inward[1, 3] - pack.origin[solid, 1]) / hy
    a23 = (inward[2, 3] - pack.origin[solid, 2]) / hz
    for p in range(hand.first[bone], hand.first[bone + 1]):
        low = bound[p] - moved
        if low < gap:
            rx, ry, rz = float(rest[who, p, 0]), float(rest[who, p, 1]), float(rest[who, p, 2])
            x = y = z = 0.0
            for k in range(4):
                w = weight[p, k]
                if w == 0.0:
                    break
                b = mover[p, k]
                x += w * (
                    ((bones[b, 0, 0] * rx + bones[b, 0, 1] * ry) + bones[b, 0, 2] * rz)
                    + bones[b, 0, 3]
                )
                y += w * (
                    ((bones[b, 1, 0] * rx + bones[b, 1, 1] * ry) + bones[b, 1, 2] * rz)
                    + bones[b, 1, 3]
                )
                z += w * (
                    ((bones[b, 2, 0] * rx + bones[b, 2, 1] * ry) + bones[b, 2, 2] * rz)
                    + bones[b, 2, 3]
                )
            u = ((a00 * x + a01 * y) + a02 * z) + a03
            v = ((a10 * x + a11 * y) + a12 * z) + a13
            t = ((a20 * x + a21 * y) + a22 * z) + a23
            cu, cv, ct = min(max(u, 0.0), nx), min(max(v, 0.0), ny), min(max(t, 0.0), nz)
            i, j, k = min(int(cu), nx - 1), min(int(cv), ny - 1), min(int(ct), nz - 1)
            fx, fy, fz = cu - i, cv - j, ct - k
            at = start + i * slab + j * row + k
            v00 = float(values[at])
            v00 += fz * (float(values[at + 1]) - v00)
            v01 = float(values[at + row])
            v01 += fz * (float(values[at + row + 1]) - v01)
            at += slab
            v10 = float(values[at])
            v10 += fz * (float(values[at + 1]) - v10)
            v11 = float(values[at + row])
            v11 += fz * (float(values[at + row + 1]) - v11)
            v00 += fy * (v01 - v00)
            v10 += fy * (v11 - v10)
            away = v00 + fx * (v10 - v00)
            if cu != u or cv != v or ct != t:
                dx, dy, dz = (u - cu) * hx, (v - cv) * hy, (t - ct) * hz
                away += math.sqrt(dx * dx + dy * dy + dz * dz)
            low = away if away < OUTSIDE_M else OUTSIDE_M + 0.6 * (away - OUTSIDE_M)
            if away < gap:
                gap, nearest = away, p
        bound[p] = low
    return gap, nearest


@njit(**JIT)
def place_capsule(flesh, who, c, bones, ends):
    """ends[c] (2, 3): the ends of a capsule in the wrist frame."""
    t = bones[flesh.bone[c]]
    for i in range(3):
        p = flesh.start[who, c]
        ends[c, 0, i] = ((t[i, 0] * p[0] + t[i, 1] * p[1]) + t[i, 2] * p[2]) + t[i, 3]
        p = flesh.end[who, c]
        ends[c, 1, i] = ((t[i, 0] * p[0] + t[i, 1] * p[1]) + t[i, 2] * p[2]) + t[i, 3]
