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
def slide(still, still_bound, moving, moving_bound, group, direction, gap):  # type: ignore[no-untyped-def]
    """How far each moving hand goes along its direction, from infinitely far behind, to `gap`.

    still, moving (N, S, 4) with bounds (N, 21, 4) as in `synth.contact.flesh.Balls`, group (22,),
    direction (N, 3) unit, gap (N,) m -> (N,) m, inf where they pass each other. Forearms do not
    count against forearms: arms are placed later.
    """
    out = np.empty(still.shape[0])
    for h in range(still.shape[0]):
        best = np.inf
        d = direction[h]
        for i in range(still_bound.shape[1]):
            for j in range(moving_bound.shape[1]):
                if i == FOREARM_BONE and j == FOREARM_BONE:
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

    ball, other (N, S, 4), bound, other_bound (N, 21, 4), digits (5, 3) bones, active (N, 5) bool.
    """
    out = np.full(active.shape, far)
    for h in range(ball.shape[0]):
        for f in range(digits.shape[0]):
            if not active[h, f]:
                continue
            best = far
            for k in range(digits.shape[1]):
                i = digits[f, k]
                for j in range(other_bound.shape[1]):
                    if other_bound[h, j, 3] < 0.0 or bound[h, i, 3] < 0.0:
                        continue
                    if _between(bound[h, i], other_bound[h, j]) >= best:
                        continue
                    for a in range(group[i], group[i + 1]):
                        if _between(ball[h, a], other_bound[h, j]) >= best:
                            continue
                        for b in range(group[j], group[j + 1]):
                            best = min(best, _between(ball[h, a], other[h, b]))
            out[h, f] = best
    return out


@numba.njit(cache=True, nogil=True)
def _between(a, b):  # type: ignore[no-untyped-def]
    x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return np.sqrt(x * x + y * y + z * z) - a[3] - b[3]
