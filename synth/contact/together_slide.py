"""Balls against balls: how far a hand slides until it touches, and how near its digits are."""

from typing import Final

import numba
import numpy as np

from synth.hand.bones import FINGER_START, FOREARM_BONE, THUMB

DIGIT_BONES: Final = np.array(
    [[THUMB, THUMB + 1, THUMB + 2], *([s + 1, s + 2, s + 3] for s in FINGER_START)], dtype=np.int64
)
"""(5, 3) bones that move with thumb, index, middle, ring, pinky."""


@numba.njit(cache=True, nogil=True)
def slide(still, still_bound, moving, moving_bound, group, direction, gap, arms):  # type: ignore[no-untyped-def]
    """How far each moving hand goes along its direction, from infinitely far behind, to `gap`.

    still, moving (N, S, 4) with bounds (N, 21, 4) as in `synth.contact.flesh.Balls`, group (22,),
    direction (N, 3) unit, gap (N,) m -> (N,) m, inf where they pass each other. arms: whether a
    forearm counts against a forearm; their ways are known only once the arms are placed.
    """
    out = np.empty(still.shape[0])
    for h in range(still.shape[0]):
        best = np.inf
        d = direction[h]
        for i in range(still_bound.shape[1]):
            for j in range(moving_bound.shape[1]):
                if i == FOREARM_BONE and j == FOREARM_BONE and not arms:
                    continue
                if still_bound[h, i, 3] < 0.0 or moving_bound[h, j, 3] < 0.0:
                    continue
                if _enter(still_bound[h, i], moving_bound[h, j], d, gap[h]) >= best:
                    continue
                for a in range(group[i], group[i + 1]):
                    if _enter(still[h, a], moving_bound[h, j], d, gap[h]) >= best:
                        continue
                    for b in range(group[j], group[j + 1]):
                        best = min(best, _enter(still[h, a], moving[h, b], d, gap[h]))
        out[h] = best
    return out


@numba.njit(cache=True, nogil=True)
def _enter(still, moving, d, gap):  # type: ignore[no-untyped-def]
    """Where along d the ball `moving` first comes within `gap` of the ball `still`; inf: never."""
    x, y, z = moving[0] - still[0], moving[1] - still[1], moving[2] - still[2]
    along = x * d[0] + y * d[1] + z * d[2]
    reach = still[3] + moving[3] + gap
    room = reach * reach - ((x * x + y * y + z * z) - along * along)
    if room <= 0.0 or reach <= 0.0:
        return np.inf
    return -along - np.sqrt(room)


@numba.njit(cache=True, nogil=True)
def digit_gaps(ball, bound, other, other_bound, group, digits, active, far):  # type: ignore[no-untyped-def]
    """(N, 5) least gap between each active digit and the other hand's flesh, m, at most `far`.

    ball, other (N, S, 4), bound, other_bound (N, 21, 4), digits (5, 3) bones, active (N, 5) bool,
    far (N, 5) m.
    """
    out = far.copy()
    near = np.empty(other.shape[1], np.int64)
    for h in range(ball.shape[0]):
        for f in range(digits.shape[0]):
            if not active[h, f]:
                continue
            best = far[h, f]
            for k in range(digits.shape[1]):
                i = digits[f, k]
                cx, cy, cz, cr = bound[h, i, 0], bound[h, i, 1], bound[h, i, 2], bound[h, i, 3]
                if cr < 0.0:
                    continue
                if best > 0.02:  # any pair of balls will do to begin with
                    a = group[i]
                    for b in range(0, other.shape[1], 5):
                        x = other[h, b, 0] - ball[h, a, 0]
                        y = other[h, b, 1] - ball[h, a, 1]
                        z = other[h, b, 2] - ball[h, a, 2]
                        away = np.sqrt(x * x + y * y + z * z) - ball[h, a, 3] - other[h, b, 3]
                        best = min(best, away)
                # Other balls that can be nearer to this bone than `best`.
                found = 0
                for j in range(other_bound.shape[1]):
                    x, y, z = (
                        other_bound[h, j, 0] - cx,
                        other_bound[h, j, 1] - cy,
                        other_bound[h, j, 2] - cz,
                    )
                    r = other_bound[h, j, 3]
                    reach = cr + r + best
                    if r < 0.0 or reach <= 0.0 or x * x + y * y + z * z >= reach * reach:
                        continue
                    for b in range(group[j], group[j + 1]):
                        x, y, z = other[h, b, 0] - cx, other[h, b, 1] - cy, other[h, b, 2] - cz
                        reach = cr + other[h, b, 3] + best
                        if reach > 0.0 and x * x + y * y + z * z < reach * reach:
                            near[found] = b
                            found += 1
                for a in range(group[i], group[i + 1]):
                    ax, ay, az, ar = ball[h, a, 0], ball[h, a, 1], ball[h, a, 2], ball[h, a, 3]
                    for n in range(found):
                        b = near[n]
                        x, y, z = other[h, b, 0] - ax, other[h, b, 1] - ay, other[h, b, 2] - az
                        reach = ar + other[h, b, 3] + best
                        d2 = x * x + y * y + z * z
                        if reach > 0.0 and d2 < reach * reach:
                            best = np.sqrt(d2) - ar - other[h, b, 3]
            out[h, f] = best
    return out
