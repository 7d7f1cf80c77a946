"""Poses made to fit a person: fingertips that should touch do, and flesh leaves other flesh.

A few angles move at a time, each as far as it helps (projections onto constraints, Mueller et al.
2007, "Position based dynamics"; damped least squares, Wampler 1986). Fingertips are brought
together pad to pad first; then the distance between the skins of the two bones, taken as convex, is
brought to zero: the largest gap that a plane can keep between them.
"""

import math
from typing import Final

import numba
import numpy as np

from frames.kernels import BORROWING
from synth.hand.angles import ABDUCTION_LOSS, DOF, DOFS, FINGER_DOF_START, FLEXED_ULNAR_DEG, LIMITS
from synth.hand.bones import FINGERS
from synth.pose.chain import carry, place_bones, slopes
from synth.pose.flesh import Flesh
from synth.pose.gaps import find_site, nearest_points, widest_slab
from synth.pose.projection import add_projection, draw_together

STEPS: Final = 40
"""Projections at most; most hands need none, a pinch about six."""
PRESS_M: Final = 0.0004
"""Touching skins are pressed into each other so far."""
TOUCH_ERROR_M: Final = 0.0002
"""A touch is made when its gap is as good as this."""
TOUCHED_M: Final = 0.0006
"""An error that still counts as touching."""
WANTED_M: Final = 0.001
"""Overlap of capsules at which a hand is left as it is."""
MAX_STEP: Final = 0.12
"""Largest change of an angle in one projection, rad."""


def _ease() -> np.ndarray:
    """(29,) how readily each angle gives way."""
    out = np.zeros(len(DOFS))
    out[2:FINGER_DOF_START] = [0.2, 1.0, 1.0, 0.5, 1.0, 0.2, 1.0]
    for finger in FINGERS:
        at = DOF[f"{finger}_mcp_flexion"]
        out[at : at + 5] = [0.8, 0.5, 0.05, 0.8, 0.5]
    return out


EASE: Final = _ease()


def settle(
    flesh: Flesh, identity: np.ndarray, angles: np.ndarray, touch: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Poses near the given ones in which touching tips touch and no flesh overlaps, if any do.

    identity (B,), angles (B, 29) rad, touch (B, K, 2, 3): sites that meet in pairs, each as bone
    (-1 for none), place along it (0 joint, 1 end) and side (0 palmar, 1 radial, -1 ulnar).
    -> angles (B, 29), depth (B,) of the deepest overlap that is left and gap (B,) the
    largest error of a touch, metres.
    """
    return _settle(
        np.array(angles, dtype=np.float64),
        np.asarray(identity, dtype=np.int64),
        np.ascontiguousarray(touch, dtype=np.float64),
        LIMITS,
        np.radians(FLEXED_ULNAR_DEG),
        EASE,
        flesh.offset,
        flesh.zero,
        flesh.turns,
        flesh.factors,
        flesh.moves,
        flesh.start,
        flesh.end,
        flesh.radius,
        flesh.capsule_bone,
        flesh.pairs,
        flesh.margin,
        flesh.skin,
        flesh.skin_start,
        flesh.length,
    )


@numba.njit(**BORROWING)
def _clamp(a, limits, flexed):  # type: ignore[no-untyped-def]
    """`synth.hand.angles.clamp` of one hand, in place."""
    for k in range(a.shape[0]):
        a[k] = min(max(a[k], limits[k, 0]), limits[k, 1])
    for f in range(4):
        k = FINGER_DOF_START + 5 * f
        bent = min(max(a[k] / (math.pi / 2), 0.0), 1.0)
        low = (1.0 - ABDUCTION_LOSS * bent) * limits[k + 1, 0]
        high = limits[k + 1, 1] + bent * (flexed[f] - limits[k + 1, 1])
        a[k + 1] = min(max(a[k + 1], low), high)


@numba.njit(cache=True, nogil=True)
def _settle(  # type: ignore[no-untyped-def]
    angles,
    identity,
    touch,
    limits,
    flexed,
    ease,
    offsets,
    zero,
    turns,
    factors,
    moves,
    starts,
    ends,
    radii,
    capsule_bone,
    pairs,
    margins,
    skins,
    skin_start,
    lengths,
):
    count, dofs = angles.shape
    bones, caps, touches = zero.shape[0], capsule_bone.shape[0], touch.shape[1]
    depth, error = np.zeros(count), np.zeros(count)
    chain = (np.empty((bones, 3, 3)), np.empty((bones, 3)), np.empty((turns.shape[0], 3)))
    spans = (np.empty((caps, 3)), np.empty((caps, 3)), np.empty((caps, 4)))
    sites = (np.empty((touches, 2, 2, 3)), np.empty((touches, 3)))
    points = (np.empty(3), np.empty(3), np.empty(3), np.empty((3, 3)))
    steps = (np.empty((3, dofs)), np.empty(dofs))
    flesh = (offsets, zero, turns, factors, moves, starts, ends, radii, capsule_bone)
    more = (pairs, margins, skins, skin_start, lengths)
    scratch = (chain, spans, sites, points, steps)
    _settle_all(angles, identity, touch, limits, flexed, ease, flesh, more, scratch, depth, error)
    return angles, depth, error


@numba.njit(**BORROWING)
def _settle_all(  # type: ignore[no-untyped-def]
    angles, identity, touch, limits, flexed, ease, flesh, more, scratch, depth, error
):
    offsets, zero, turns, factors, moves, starts, ends, radii, capsule_bone = flesh
    pairs, margins, skins, skin_start, lengths = more
    (turn, origin, axis), (a0, a1, sphere), (site, normal), points, (slope, change) = scratch
    p, q, n, slab = points
    count, dofs = angles.shape
    caps, touches = capsule_bone.shape[0], touch.shape[1]
    for h in range(count):
        who = identity[h]
        offset, skin, length, radius = offsets[who], skins[who], lengths[who], radii[who]
        a = angles[h]
        found = 0
        for k in range(touches):
            if touch[h, k, 0, 0] < 0:
                break
            found += 1
            for e in range(2):
                b = int(touch[h, k, e, 0])
                find_site(
                    skin[skin_start[b] : skin_start[b + 1]],
                    length[b],
                    touch[h, k, e, 1],
                    touch[h, k, e, 2],
                    site[k, e, 0],
                    site[k, e, 1],
                )
        _clamp(a, limits, flexed)
        for step in range(STEPS + 1):
            place_bones(a, offset, zero, turns, factors, turn, origin, axis)
            for d in range(dofs):
                change[d] = 0.0
            done = True
            worst_gap = 0.0
            for k in range(found):
                b, c = int(touch[h, k, 0, 0]), int(touch[h, k, 1, 0])
                carry(turn[b], origin[b], site[k, 0, 0], p)
                carry(turn[c], origin[c], site[k, 1, 0], q)
                away2 = 0.0
                for i in range(3):
                    away2 += (p[i] - q[i]) ** 2
                if step < STEPS // 2 and away2 > 0.003**2 * (1.0 + 0.2 * step) ** 2:
                    # Far apart: draw site to site, along the three axes at once.
                    done = False
                    worst_gap = 1.0
                    draw_together(p, q, b, c, turns, moves, origin, axis, ease, slope, change, slab)
                    for i in range(3):
                        normal[k, i] = 0.0
                    continue
                size = 0.0
                for i in range(3):
                    size += normal[k, i] ** 2
                if step == 0 or size < 0.5:
                    size = 0.0
                    for i in range(3):
                        u, v = site[k, 0, 1], site[k, 1, 1]
                        out = (turn[b, i, 0] * u[0] + turn[b, i, 1] * u[1]) + turn[b, i, 2] * u[2]
                        into = (turn[c, i, 0] * v[0] + turn[c, i, 1] * v[1]) + turn[c, i, 2] * v[2]
                        normal[k, i] = out - into
                        size += normal[k, i] ** 2
                    size = math.sqrt(max(size, 1e-12))
                    for i in range(3):
                        normal[k, i] /= size
                width = widest_slab(
                    skin[skin_start[b] : skin_start[b + 1]],
                    turn[b],
                    origin[b],
                    skin[skin_start[c] : skin_start[c + 1]],
                    turn[c],
                    origin[c],
                    normal[k],
                    p,
                    q,
                    slab,
                )
                off = width + PRESS_M
                worst_gap = max(worst_gap, abs(off))
                if abs(off) > TOUCH_ERROR_M:
                    done = False
                    for d in range(dofs):
                        slope[0, d] = 0.0
                    slopes(q, c, normal[k], 1.0, turns, moves, origin, axis, slope[0])
                    slopes(p, b, normal[k], -1.0, turns, moves, origin, axis, slope[0])
                    add_projection(slope[0], ease, -off, change)
            # Capsules.
            for i in range(caps):
                b = capsule_bone[i]
                carry(turn[b], origin[b], starts[who, i], a0[i])
                carry(turn[b], origin[b], ends[who, i], a1[i])
                size = 0.0
                for x in range(3):
                    sphere[i, x] = 0.5 * (a0[i, x] + a1[i, x])
                    size += (a1[i, x] - a0[i, x]) ** 2
                sphere[i, 3] = radius[i] + 0.5 * math.sqrt(size)
            deepest = 0.0
            for r in range(pairs.shape[0]):
                i, j = pairs[r, 0], pairs[r, 1]
                reach = sphere[i, 3] + sphere[j, 3] + margins[r]
                away2 = 0.0
                for x in range(3):
                    away2 += (sphere[i, x] - sphere[j, x]) ** 2
                if away2 >= reach * reach:
                    continue
                b, c = capsule_bone[i], capsule_bone[j]
                wanted = False
                for k in range(found):
                    u, v = int(touch[h, k, 0, 0]), int(touch[h, k, 1, 0])
                    wanted = wanted or (b == u and c == v) or (b == v and c == u)
                if wanted:
                    continue
                nearest_points(a0[i], a1[i], a0[j], a1[j], p, q)
                size = 0.0
                for x in range(3):
                    n[x] = q[x] - p[x]
                    size += n[x] * n[x]
                size = math.sqrt(size)
                over = radius[i] + radius[j] + margins[r] - size
                deepest = max(deepest, over)
                if over > WANTED_M and size > 1e-6:
                    done = False
                    for x in range(3):
                        n[x] /= size
                    for d in range(dofs):
                        slope[0, d] = 0.0
                    slopes(q, c, n, 1.0, turns, moves, origin, axis, slope[0])
                    slopes(p, b, n, -1.0, turns, moves, origin, axis, slope[0])
                    add_projection(slope[0], ease, 0.6 * (over - 0.7 * WANTED_M), change)
            depth[h], error[h] = deepest, worst_gap
            if done or step == STEPS:
                break
            for d in range(dofs):
                a[d] += min(max(change[d], -MAX_STEP), MAX_STEP)
            _clamp(a, limits, flexed)
