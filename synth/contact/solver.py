"""One attempt at a grasp after another, in compiled code, until a hand really holds."""

# mypy: allow-untyped-defs

from typing import Final

from numba import njit

from synth.contact.choosing import choose_fit
from synth.contact.closing import close_digit, free_digit, measure_digit
from synth.contact.feeling import (
    DIGITS_KNOWN,
    MAX_GAP_M,
    MAX_PRESS_M,
    feel_parts,
    feel_skin,
    self_depth,
)
from synth.contact.laying import draw_angles, place_solid
from synth.contact.posture import JIT, place_capsule, pose_hand, set_digit

MISSED_M: Final = 0.003
"""A finger that ends farther from the thing than this has missed it."""
MAX_SELF_M: Final = 0.0025
OPPOSED: Final = -0.3
"""Cosine between the directions of two contacts that hold a thing between them."""


@njit(**JIT)
def close_hand(ways, g, begin, hand, flesh, who, inward, pack, solid, press, state):
    """Close all digits; False where one cannot get clear of the solid."""
    for c in range(state.ends.shape[0]):
        place_capsule(flesh, who, c, state.bones, state.ends)
    for turn in range(10):
        # Fingers that keep still first, then those that move, then the thumb.
        moving = turn >= 5
        d = (turn + 1) % 5
        if ways.moving[g, d] != moving:
            continue
        at = begin if moving else 1.0
        least = at - 0.8 if moving else -0.6
        at = free_digit(hand, flesh, who, d, state.start, state.way, at, least, inward, pack, solid,
                        press, state)  # fmt: skip
        if at < -5.0 and not moving:
            # It cannot open out of the way, so it curls.
            at = free_digit(hand, flesh, who, d, state.start, state.way, 1.0, 2.2, inward, pack,
                            solid, press, state)  # fmt: skip
        if at < -5.0:
            return False
        if moving:
            state.moved[:] = 0.0
            state.share[:] = at
            measure_digit(hand, flesh, who, d, 0, state.start, state.way, state.share, state.moved,
                          inward, pack, solid, press, True, state)  # fmt: skip
            close_digit(hand, flesh, who, d, state.start, state.way, at, inward, pack, solid, press,
                        state)  # fmt: skip
            nearest = min(state.thing[0], min(state.thing[1], state.thing[2]))
            if d > 0 and nearest > MISSED_M:
                # It has missed the thing: it stays about the prototype instead of curling up.
                free_digit(hand, flesh, who, d, state.start, state.way, 1.0, least, inward, pack,
                           solid, press, state)  # fmt: skip
    return True


@njit(**JIT)
def judge(ways, g, hand, flesh, who, inward, pack, solid, state, gaps, normals):
    """0 where the hand holds, else why not (1-5); gaps (17,) of the parts, NaN beyond 10 mm."""
    # Every digit was measured where it is now: see `close_hand`.
    feel_parts(hand, who, inward, pack, solid, state, DIGITS_KNOWN, gaps, normals)
    count = 0
    least = 1.0
    thumb = False
    for p in range(17):
        if gaps[p] < -MAX_PRESS_M:
            return 1
        if gaps[p] <= MAX_GAP_M:
            count += 1
            thumb = thumb or 1 <= p <= 3
            for q in range(p):
                if gaps[q] <= MAX_GAP_M:
                    dot = 0.0
                    for i in range(3):
                        dot += normals[p, i] * normals[q, i]
                    least = min(least, dot)
    if count < ways.least[g] or (ways.thumb[g] and not thumb):
        return 2
    if least > OPPOSED:
        return 3
    if self_depth(flesh, who, state.bones, state.ends) > MAX_SELF_M:
        return 4
    if not feel_skin(hand, who, inward, pack, solid, state, gaps, MAX_PRESS_M):
        return 5
    return 0


@njit(**JIT)
def hold(ways, hand, flesh, handles, pack, identity, solid, left, uniforms, noise, jitter, press,
         state, out_angles, out_T, out_grasp, out_gaps, out_ok, why):  # fmt: skip
    """Every hand tries until it holds. uniforms (N, A, 8), noise (N, A, 20) for A attempts.

    Fills out_angles (N, 29), out_T (N, 4, 4), out_grasp, out_ok (N,), out_gaps (N, 17); why (N, A)
    tells of each attempt 0 for success, else the reason.
    """
    T, inward, gaps = state.T, state.inward, state.gaps
    for n in range(identity.shape[0]):
        who = identity[n]
        for a in range(uniforms.shape[1]):
            u = uniforms[n, a]
            f, h = choose_fit(ways, handles, solid[n], hand.size[who], u[0], u[1], state.weight)
            if f < 0:
                why[n, a] = 9
                break
            g = ways.fit_grasp[f]
            draw_angles(ways, g, noise[n, a], jitter, state)
            for d in range(5):
                state.share[:] = 0.0 if ways.moving[g, d] else 1.0
                set_digit(d, state.start, state.way, state.share, hand.limits, state.angles)
            pose_hand(hand, who, state.angles, state.turn, state.origin, state.bones)
            begin = place_solid(ways, g, f, h, hand, flesh, who, handles, left[n], u[2:],
                                noise[n, a, 14:], press, pack, solid[n], state, T, inward,
                                state.vectors)  # fmt: skip
            if begin < -5.0:
                why[n, a] = int(-begin)
                continue
            if not close_hand(ways, g, begin, hand, flesh, who, inward, pack, solid[n], press,
                              state):  # fmt: skip
                why[n, a] = 8
                continue
            reason = judge(ways, g, hand, flesh, who, inward, pack, solid[n], state, gaps,
                           state.normals)  # fmt: skip
            why[n, a] = reason
            if reason == 0:
                out_ok[n] = True
                out_grasp[n] = g
                for i in range(29):
                    out_angles[n, i] = state.angles[i]
                m = -1.0 if left[n] else 1.0
                for i in range(3):
                    for j in range(4):
                        sign = (m if i == 0 else 1.0) * (m if j == 0 else 1.0)
                        out_T[n, i, j] = sign * T[i, j]
                for i in range(17):
                    out_gaps[n, i] = gaps[i]
                break
