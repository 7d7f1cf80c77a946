"""Every vertex of one hand against the flesh of the other: gaps of the parts, deepest overlap."""

from typing import Final

import numba
import numpy as np

from frames.kernels import BORROWING
from frames.parts import FOREARM
from synth.contact.flesh import Flesh, place_flesh
from synth.hand.bones import BONE_PART, FOREARM_BONE
from synth.hand.kinematics import bone_transforms, skin_hands
from synth.hand.rig import Rig

FAR_M: Final = 0.01
"""Gaps beyond this are not told, unless asked otherwise."""

PARTS: Final = 17


def measure_pairs(
    rig: Rig,
    flesh: Flesh,
    identity: np.ndarray,
    angles: np.ndarray,
    T_world_from_wrist: np.ndarray,
    left: np.ndarray,
    forearms: bool = True,
    far_m: float = FAR_M,
) -> tuple[np.ndarray, np.ndarray]:
    """How near two hands of one person are, their forearms included.

    identity (N,), angles (N, 2, 29) with the wrists', T_world_from_wrist (N, 2, 4, 4) in any common
    frame, left (N, 2) bool -> gap (N, 2, 17) float32 m of each part to the other hand, negative
    inside it, NaN beyond far_m; depth (N,) m of the deepest vertex in the other hand, 0 for none.
    forearms: whether one forearm counts against the other. far_m: 0 is the quickest, where only the
    depth is wanted.
    """
    sides = []
    for h in (0, 1):
        transforms, _ = bone_transforms(
            rig, identity, angles[:, h], T_world_from_wrist[:, h], left[:, h]
        )
        sides.append(
            (skin_hands(rig, identity, transforms), place_flesh(flesh, identity, transforms))
        )
    order, start = part_vertices(rig)
    gap = np.full((len(identity), 2, PARTS), far_m)
    for h in (0, 1):
        other = sides[1 - h][1]
        _part_gaps(
            sides[h][0], order, start, other.ball, other.bound, flesh.group, far_m, forearms, h, gap
        )
    depth = np.maximum(-gap.reshape(len(gap), 2 * PARTS).min(1), 0.0)
    return np.where(gap < far_m, gap, np.nan).astype(np.float32), depth


def part_vertices(rig: Rig) -> tuple[np.ndarray, np.ndarray]:
    """(V,) vertices sorted by part, scattered within it, and (18,) where each part's begin."""
    part = BONE_PART[rig.skin_bone[:, 0]].astype(np.int64) - 1
    # Scattered, so that the nearest is soon found and the others are soon passed over.
    scatter = (np.arange(len(part)) * 2654435761) % 4294967291
    order = np.lexsort((scatter, part))
    return order, np.searchsorted(part[order], np.arange(PARTS + 1)).astype(np.int64)


@numba.njit(cache=True, nogil=True)
def _part_gaps(vertices, order, start, ball, bound, group, far, forearms, side, out):  # type: ignore[no-untyped-def]
    """(N, V, 3) of hands `side`, (V,), (18,): lowers out (N, 2, 17), the gaps of parts, m.

    What a part is near to is as near to it: both are told.
    """
    about, bones = np.empty((ball.shape[1], 4)), np.empty(ball.shape[1], np.int64)
    _list_gaps(vertices, order, start, ball, bound, group, far, forearms, side, about, bones, out)


@numba.njit(**BORROWING)
def _list_gaps(  # type: ignore[no-untyped-def]
    vertices, order, start, ball, bound, group, far, forearms, side, about, bones, out
):
    parts = start.shape[0] - 1
    for h in range(vertices.shape[0]):
        for p in range(parts):
            count = start[p + 1] - start[p]
            if count == 0:
                continue
            cx = cy = cz = radius = 0.0
            for k in range(start[p], start[p + 1]):
                v = order[k]
                cx += vertices[h, v, 0] / count
                cy += vertices[h, v, 1] / count
                cz += vertices[h, v, 2] / count
            for k in range(start[p], start[p + 1]):
                v = order[k]
                x, y, z = vertices[h, v, 0] - cx, vertices[h, v, 1] - cy, vertices[h, v, 2] - cz
                radius = max(radius, x * x + y * y + z * z)
            radius = np.sqrt(radius)
            # The balls that can be near to any vertex of this part, one behind another.
            limit, found = min(far, out[h, side, p]), 0
            for g in range(bound.shape[1]):
                # A forearm may be asked about hands alone: the arms' way is not known yet.
                arms = p == FOREARM - 1 and g == FOREARM_BONE and not forearms
                x, y, z = bound[h, g, 0] - cx, bound[h, g, 1] - cy, bound[h, g, 2] - cz
                reach = bound[h, g, 3] + radius + limit
                if arms or bound[h, g, 3] < 0.0 or reach <= 0.0:
                    continue
                if x * x + y * y + z * z >= reach * reach:
                    continue
                for s in range(group[g], group[g + 1]):
                    x, y, z = ball[h, s, 0] - cx, ball[h, s, 1] - cy, ball[h, s, 2] - cz
                    reach = ball[h, s, 3] + radius + limit
                    if reach > 0.0 and x * x + y * y + z * z < reach * reach:
                        for i in range(4):
                            about[found, i] = ball[h, s, i]
                        bones[found] = g
                        found += 1
            if found == 0:
                continue
            for k in range(start[p], start[p + 1]):
                v = order[k]
                gap, bone = _nearest(
                    about, bones, found, vertices[h, v, 0], vertices[h, v, 1], vertices[h, v, 2],
                    out[h, side, p],
                )  # fmt: skip
                if bone >= 0:
                    out[h, side, p] = gap
                    q = BONE_PART[bone] - 1
                    out[h, 1 - side, q] = min(out[h, 1 - side, q], gap)


@numba.njit(**BORROWING)
def _nearest(ball, bones, count, x, y, z, far):  # type: ignore[no-untyped-def]
    """Signed distance of a point to the nearest of some balls, and its bone; -1 beyond `far`."""
    best, bone = far, -1
    for s in range(count):
        dx, dy, dz = x - ball[s, 0], y - ball[s, 1], z - ball[s, 2]
        reach = best + ball[s, 3]
        d2 = dx * dx + dy * dy + dz * dz
        if reach > 0.0 and d2 < reach * reach:
            best, bone = np.sqrt(d2) - ball[s, 3], bones[s]
    return best, bone
