"""A digit closes on a solid until it touches, link by link.

As GraspIt's automatic grasp does (Miller and Allen 2004): all joints of a digit move together along
its way from preshape to closed and beyond; when a link touches, the joints up to it stand still and
those beyond go on. Contact is found by conservative advancement (Mirtich 1996) and bisection.
"""

# mypy: allow-untyped-defs

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from synth.contact.posture import (
    DIGIT_DOFS,
    GROUP,
    JIT,
    LINK_CAPSULES,
    LINKS,
    bone_gap,
    place_capsule,
    pose_digit,
    set_digit,
)
from synth.hand.collision import Capsules, segment_distance

FARTHEST: Final = 2.4
"""Closing ends at so many times the way from preshape to prototype."""
NARROW_M: Final = 0.00012
"""Contact is met within this."""
TOUCHED_M: Final = 0.0006
"""Links so near when a digit is stopped have touched, too."""
OVERLAP_M: Final = 0.0012
"""Flesh of the same hand may overlap so much where a digit meets another."""
STEPS: Final = 26
FREE: Final = 1e9


class Flesh(NamedTuple):
    """`Capsules`, with a table of which can meet."""

    start: np.ndarray
    end: np.ndarray
    radius: np.ndarray
    bone: np.ndarray
    meets: np.ndarray
    """(C, C) bool"""
    pairs: np.ndarray


def list_flesh(capsules: Capsules) -> Flesh:
    """The capsules as one argument of a compiled function."""
    meets = np.zeros((len(capsules.bone),) * 2, bool)
    meets[capsules.pairs[:, 0], capsules.pairs[:, 1]] = True
    return Flesh(
        np.ascontiguousarray(capsules.start),
        np.ascontiguousarray(capsules.end),
        np.ascontiguousarray(capsules.radius),
        capsules.bone,
        meets | meets.T,
        capsules.pairs,
    )


@njit(**JIT)
def link_speeds(hand, who, digit, level, way, speed):
    """speed (3,): how far any point of a link moves at most per unit of the way."""
    reach0 = hand.reach[who, digit, 0]
    reach1 = hand.reach[who, digit, 1]
    reach2 = hand.reach[who, digit, 2]
    rate0 = rate1 = rate2 = 0.0
    for i in range(DIGIT_DOFS[digit, 0], DIGIT_DOFS[digit, 1]):
        g = GROUP[i]
        turn = abs(way[i])
        if g < level:
            continue
        if g == 0:
            rate0 += turn
        elif g == 1:
            rate1 += turn
        else:
            rate2 += turn
    whole = reach0 + reach1 + reach2
    speed[0] = rate0 * reach0
    speed[1] = rate0 * (reach0 + reach1) + rate1 * reach1
    speed[2] = rate0 * whole + rate1 * (reach1 + reach2) + rate2 * reach2


@njit(**JIT)
def self_gap(flesh, who, digit, link, ends):
    """Least gap of a link's capsule to the capsules of the palm and the digits on the other side.

    A finger minds the thumb and the palm, the thumb minds everything; negative: overlap.
    """
    c = LINK_CAPSULES[digit, link]
    least = FREE
    for o in range(19):
        if not flesh.meets[c, o]:
            continue
        if digit > 0 and 3 <= o < 15:
            continue
        # The capsules lie apart by at least the distance of their middles less their lengths.
        away = segment_distance(ends[c, 0], ends[c, 1], ends[o, 0], ends[o, 1])
        least = min(least, away - flesh.radius[who, c] - flesh.radius[who, o])
    return least


@njit(**JIT)
def measure_digit(hand, flesh, who, digit, level, start, way, share, moved, inward, pack, solid,
                  press, mind, state):  # fmt: skip
    """Pose a digit and measure its links from `level` on: state.gap (3,), below 0 is contact.

    mind: flesh of the same hand counts, too. moved (3,): how far the links have moved at most
    since the last measurement.
    """
    set_digit(digit, start, way, share, hand.limits, state.angles)
    pose_digit(hand, who, digit, state.angles, state.turn, state.origin, state.bones)
    for link in range(level, 3):
        bone = LINKS[digit, link]
        gap, _ = bone_gap(
            hand, who, state.bones, bone, inward, pack, solid, state.bound, moved[link], 0.05, -1
        )
        state.thing[link] = gap
        gap += press
        place_capsule(flesh, who, LINK_CAPSULES[digit, link], state.bones, state.ends)
        if link > 0 and mind:
            gap = min(gap, self_gap(flesh, who, digit, link, state.ends) + OVERLAP_M)
        state.gap[link] = gap


@njit(**JIT)
def _worst(state, level):
    worst = state.gap[level]
    for link in range(level + 1, 3):
        worst = min(worst, state.gap[link])
    return worst


@njit(**JIT)
def free_digit(
    hand, flesh, who, digit, start, way, begin, least, inward, pack, solid, press, state
):
    """Move a digit from `begin` towards `least` of its way until it is clear of the solid.

    Returns the share of the way, or -9 where it is never clear.
    """
    share, moved, speed = state.share, state.moved, state.speed
    link_speeds(hand, who, digit, 0, way, speed)
    for link in range(3):
        moved[link] = 0.0
        for p in range(hand.first[LINKS[digit, link]], hand.first[LINKS[digit, link] + 1]):
            state.bound[p] = -FREE
    at = begin
    while True:
        share[:] = at
        measure_digit(
            hand, flesh, who, digit, 0, start, way, share, moved, inward, pack, solid, press,
            False, state,
        )  # fmt: skip
        if _worst(state, 0) >= -NARROW_M:
            return at
        if at == least:
            return -9.0
        step = 0.12
        at = max(at - step, least) if least < begin else min(at + step, least)
        for link in range(3):
            moved[link] = step * speed[link]


@njit(**JIT)
def close_digit(hand, flesh, who, digit, start, way, begin, inward, pack, solid, press, state):
    """Close a digit that is clear at `begin` of its way, until its last link touches or it ends."""
    share, moved, speed = state.share, state.moved, state.speed
    share[:] = begin
    level = 0
    at = begin
    for _ in range(3):
        link_speeds(hand, who, digit, level, way, speed)
        if speed[2] < 1e-6:
            return
        low, high = at, -1.0
        low_gap, high_gap = _worst(state, level), 0.0
        touched = low_gap <= NARROW_M
        steps = 0
        while not touched and steps < STEPS:
            steps += 1
            if high < 0.0:
                if at >= FARTHEST:
                    return
                ahead = FREE
                for link in range(level, 3):
                    if speed[link] > 0.0:
                        ahead = min(ahead, state.gap[link] / speed[link])
                ahead = min(max(1.4 * ahead, 0.004), 0.25)
                to = min(at + ahead, FARTHEST)
            else:
                # Between a clear and a pressed posture: the secant, kept off both ends.
                cut = low_gap / (low_gap - high_gap)
                to = low + min(max(cut, 0.15), 0.85) * (high - low)
            for link in range(3):
                moved[link] = abs(to - at) * speed[link]
            at = to
            for g in range(level, 3):
                share[g] = at
            measure_digit(
                hand, flesh, who, digit, level, start, way, share, moved, inward, pack, solid,
                press, True, state,
            )  # fmt: skip
            gap = _worst(state, level)
            if gap < -NARROW_M:
                high, high_gap = at, gap
            else:
                low, low_gap = at, gap
                touched = gap <= NARROW_M
        if not touched and high >= 0.0:
            # Not met within the steps: stay on the clear side.
            for link in range(3):
                moved[link] = abs(low - at) * speed[link]
            at = low
            for g in range(level, 3):
                share[g] = at
            measure_digit(
                hand, flesh, who, digit, level, start, way, share, moved, inward, pack, solid,
                press, True, state,
            )  # fmt: skip
        last = -1
        for link in range(level, 3):
            if state.gap[link] <= TOUCHED_M:
                last = link
        if last < 0 or last == 2:
            return
        level = last + 1
