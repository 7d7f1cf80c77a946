"""What a posed hand feels of a solid, part by part, and of itself."""

# mypy: allow-untyped-defs

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from synth.contact.posture import (
    JIT,
    LINKS,
    blend_point,
    bone_gap,
    distance_at,
    normal_at,
    place_capsule,
)
from synth.hand.bones import BONE_PART
from synth.hand.collision import segment_distance

MAX_PRESS_M: Final = 0.0017
"""Skin is pressed in by at most this, less than promised: the grid is not exact."""
MAX_GAP_M: Final = 0.0016
"""A part nearer than this touches."""
SEEN_M: Final = 0.010
"""Gaps beyond this are not told."""
NEAR_M: Final = 0.012
ARM_SEEN_M: Final = 0.030
"""Skin of a part, or of the forearm, whose probes are farther away than this is not looked at: a
vertex is nearer than the probes about it by less than the difference to SEEN_M."""
BEYOND: Final = 1.01
SLACK_M: Final = 0.001
"""Bounds may be too high by so much: a grid can be steeper than a distance, and skin between two
bones moves a little farther than either."""

NONE_KNOWN: Final = np.zeros(21, np.bool_)
ALL_KNOWN: Final = np.ones(21, np.bool_)
DIGITS_KNOWN: Final = np.isin(np.arange(21), LINKS)
"""Which bones' probes have bounds that hold; see `feel_parts`."""


class State(NamedTuple):
    """Scratch of one hand."""

    angles: np.ndarray
    start: np.ndarray
    way: np.ndarray
    turn: np.ndarray
    origin: np.ndarray
    bones: np.ndarray
    bound: np.ndarray
    ends: np.ndarray
    gap: np.ndarray
    thing: np.ndarray
    """(3,) the gap of each link of a digit to the solid alone."""
    share: np.ndarray
    moved: np.ndarray
    speed: np.ndarray
    T: np.ndarray
    """(3, 4) wrist from solid; of the mirrored solid for a left hand."""
    inward: np.ndarray
    """(3, 4) from the wrist frame to the solid as it is."""
    vectors: np.ndarray
    weight: np.ndarray
    gaps: np.ndarray
    normals: np.ndarray
    listed: np.ndarray


def make_state(probes: int) -> State:
    """Scratch for a hand with so many probes."""
    return State(
        np.zeros(29),
        np.zeros(29),
        np.zeros(29),
        np.zeros((21, 3, 3)),
        np.zeros((21, 3)),
        np.zeros((21, 3, 4)),
        np.zeros(probes),
        np.zeros((20, 2, 3)),
        np.zeros(3),
        np.zeros(3),
        np.zeros(3),
        np.zeros(3),
        np.zeros(3),
        np.zeros((3, 4)),
        np.zeros((3, 4)),
        np.zeros((12, 3)),
        np.zeros(33),
        np.zeros(17),
        np.zeros((17, 3)),
        np.zeros(21, np.int64),
    )


@njit(**JIT)
def self_depth(flesh, who, bones, ends):
    """Deepest overlap of the capsules of one hand, m."""
    for c in range(ends.shape[0]):
        place_capsule(flesh, who, c, bones, ends)
    worst = 0.0
    for p in range(flesh.pairs.shape[0]):
        i, j = flesh.pairs[p, 0], flesh.pairs[p, 1]
        reach = flesh.radius[who, i] + flesh.radius[who, j] - worst
        away = segment_distance(ends[i, 0], ends[i, 1], ends[j, 0], ends[j, 1])
        worst = max(worst, worst + reach - away)
    return worst


@njit(**JIT)
def feel_parts(hand, who, inward, pack, solid, state, known, gaps, normals):
    """Least gap of each part's probes, gaps (17,), and the way out of the solid there (17, 3).

    Gaps that `feel_skin` passes over are not told apart. known (21,) bool: bones that have not
    moved against the solid since `state.bound` was measured.
    """
    gaps[:] = BEYOND * NEAR_M
    gaps[16] = BEYOND * ARM_SEEN_M
    for b in range(21):
        part = BONE_PART[b] - 1
        if not known[b]:
            for p in range(hand.first[b], hand.first[b + 1]):
                state.bound[p] = -1.0
        gap, nearest = bone_gap(
            hand, who, state.bones, b, inward, pack, solid, state.bound, SLACK_M, gaps[part], -1
        )
        if nearest >= 0:
            gaps[part] = gap
            if gap < MAX_GAP_M:
                x, y, z = blend_point(
                    state.bones, hand.rest[who, nearest], hand.bone[nearest], hand.weight[nearest]
                )
                normal_at(pack, solid, inward, x, y, z, normals[part])


@njit(**JIT)
def feel_skin(hand, who, inward, pack, solid, state, gaps, deepest):
    """Refine gaps (17,) by all vertices of the skin, NaN beyond 10 mm.

    False, and unfinished, where one is deeper than `deepest` in the solid.
    """
    for v in range(hand.skin.shape[1]):
        p = hand.skin_part[v] - 1
        # Probes told that this part is far away.
        if gaps[p] > (NEAR_M if p < 16 else ARM_SEEN_M):
            continue
        x, y, z = blend_point(
            state.bones, hand.skin[who, v], hand.skin_bone[v], hand.skin_weight[v]
        )
        away = distance_at(pack, solid, inward, x, y, z)
        if away < gaps[p]:
            gaps[p] = away
            if away < -deepest:
                return False
    for p in range(17):
        if gaps[p] > SEEN_M:
            gaps[p] = np.nan
    return True
