"""The flesh of a hand as balls: a stand-in for the skin that answers "how deep, how far" quickly.

Balls of the skin's medial axis (Ma, Bae and Choi 2012: shrinking balls), chosen greedily until they
cover the skin, fill the hand from the fingertips to the elbow. Each moves with the bones that move
the skin about it, so a posed hand is some hundreds of balls, true to the skin within a millimetre.
"""

from dataclasses import dataclass
from typing import Final

import numba
import numpy as np

from frames.kernels import BORROWING
from synth.hand.bones import BONES, FOREARM_BONE
from synth.hand.rig import Rig

BALLS: Final = 360
"""At most so many balls; fewer when the skin is covered before."""

TOLERANCE_M: Final = 0.0006
"""A point of the skin is covered by a ball that comes so near to it."""

FOREARM_TOLERANCE_M: Final = 0.0012
"""The same for the forearm, which seldom touches anything."""

WIDEST_M: Final = 0.06
"""Radius at which balls begin to shrink: more than half of a forearm."""

NEIGHBOURS: Final = 24
"""Vertices about a ball that carry it from person to person and from pose to pose."""

EVEN_M: Final = 0.002
"""Ridge of that fit: vertices that spread by less than this tell no direction."""

LIFT_M: Final = 0.0003
"""Balls leave hollows between them: so much wider, they err as often outward as inward."""

_INFLUENCES: Final = 3


@dataclass(frozen=True)
class Flesh:
    """Balls of a rig's people in the rest pose, sorted by the bone that they mostly follow."""

    centre: np.ndarray
    """(I, S, 3) float64, metres, in the wrist frame."""
    radius: np.ndarray
    """(I, S) float64, metres."""
    bone: np.ndarray
    """(S, 3) int64 bones that move each ball."""
    weight: np.ndarray
    """(S, 3) float64, descending, summing to 1."""
    group: np.ndarray
    """(22,) int64: the balls of bone b are group[b] <= s < group[b + 1]."""


@dataclass(frozen=True)
class Balls:
    """The flesh of N posed hands."""

    ball: np.ndarray
    """(N, S, 4) float64 centre and radius, metres."""
    bound: np.ndarray
    """(N, 21, 4) a ball about all balls of each bone; radius -1 where a bone has none."""
    group: np.ndarray
    """(22,) as in `Flesh`."""


def build_flesh(rig: Rig) -> Flesh:
    """Cover the rig's mean hand with balls, then fit them to each of its people."""
    people = len(rig.rest_vertices)
    mean = np.zeros(rig.rest_vertices.shape[1:])
    for person in rig.rest_vertices:  # in order: the same sum on every machine
        mean += person
    mean /= people
    corners = mean[rig.faces]
    middle = (corners[:, 0] + corners[:, 1] + corners[:, 2]) / 3.0
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.sqrt((normal * normal).sum(1))
    whole = length > 1e-12
    middle, normal = middle[whole], normal[whole] / length[whole, None]
    arm_vertex = rig.skin_bone[:, 0] == FOREARM_BONE
    arm_face = arm_vertex[rig.faces].all(1)
    # The forearm's faces are large: balls are to feel their edges, too.
    long = corners[arm_face]
    edges = [long[:, i] * t + long[:, i - 1] * (1 - t) for i in range(3) for t in (0.25, 0.5, 0.75)]
    skin = np.concatenate([mean, middle])
    arm = np.concatenate([arm_vertex, arm_face[whole]])
    tolerance = np.where(arm, FOREARM_TOLERANCE_M, TOLERANCE_M)
    balls = _shrink(middle, normal, np.concatenate([skin, *edges]), WIDEST_M)
    # Those that never shrank lie outside: the elbow's end has faces that look inward.
    balls = balls[(balls[:, 3] > 0.0) & (balls[:, 3] < 0.95 * WIDEST_M)]
    chosen = _cover(balls, skin, tolerance, BALLS)
    balls = balls[chosen]

    near, share, rest = _tie(balls[:, :3], mean, NEIGHBOURS)
    dense = np.zeros((len(mean), len(BONES)))
    rows = np.repeat(np.arange(len(mean)), rig.skin_bone.shape[1])
    np.add.at(dense, (rows, rig.skin_bone.ravel()), rig.skin_weight.ravel().astype(np.float64))
    held = np.zeros((len(balls), len(BONES)))
    for k in range(near.shape[1]):
        held += share[:, k, None] * dense[near[:, k]]
    bone = np.argsort(-held, axis=1, kind="stable")[:, :_INFLUENCES]
    weight = np.maximum(np.take_along_axis(held, bone, 1), 0.0)
    weight[weight < 0.02] = 0.0
    weight /= (weight[:, 0] + weight[:, 1] + weight[:, 2])[:, None]
    order = np.argsort(bone[:, 0], kind="stable")
    balls[:, 3] += LIFT_M
    centre, radius = _fit(
        rig.rest_vertices, mean, balls[order], near[order], share[order], rest[order]
    )
    return Flesh(
        centre=centre,
        radius=radius,
        bone=bone[order].astype(np.int64),
        weight=weight[order],
        group=np.searchsorted(bone[order, 0], np.arange(len(BONES) + 1)).astype(np.int64),
    )


def place_flesh(flesh: Flesh, identity: np.ndarray, transforms: np.ndarray) -> Balls:
    """The balls of N posed hands.

    identity (N,), transforms (N, 21, 3, 4) as from `synth.hand.kinematics.bone_transforms`.
    """
    ball, bound = _place(
        flesh.centre, flesh.radius, flesh.bone, flesh.weight, flesh.group, identity, transforms
    )
    return Balls(ball, bound, flesh.group)


@numba.njit(cache=True, nogil=True)
def flesh_distance(ball, bound, group, x, y, z, far):  # type: ignore[no-untyped-def]
    """Signed distance of a point to one hand's flesh, negative inside; `far` if farther than that.

    ball (S, 4), bound (21, 4), group (22,) of one hand; x, y, z, far in metres.
    """
    return nearest_flesh(ball, bound, group, x, y, z, far)[0]


@numba.njit(cache=True, nogil=True)
def nearest_flesh(ball, bound, group, x, y, z, far):  # type: ignore[no-untyped-def]
    """As `flesh_distance`, with the bone whose flesh it is; -1 if farther than `far`."""
    best, bone = far, -1
    for g in range(bound.shape[0]):
        dx, dy, dz = x - bound[g, 0], y - bound[g, 1], z - bound[g, 2]
        reach = best + bound[g, 3]
        if bound[g, 3] < 0.0 or reach <= 0.0 or dx * dx + dy * dy + dz * dz >= reach * reach:
            continue
        for s in range(group[g], group[g + 1]):
            dx, dy, dz = x - ball[s, 0], y - ball[s, 1], z - ball[s, 2]
            reach = best + ball[s, 3]
            d2 = dx * dx + dy * dy + dz * dz
            if reach > 0.0 and d2 < reach * reach:
                best, bone = np.sqrt(d2) - ball[s, 3], g
    return best, bone


@numba.njit(cache=True, nogil=True)
def _shrink(points, normals, skin, widest):  # type: ignore[no-untyped-def]
    """The largest ball inside the skin that touches each point: (P, 4) centre and radius."""
    out = np.empty((points.shape[0], 4))
    for p in range(points.shape[0]):
        px, py, pz = points[p]
        nx, ny, nz = normals[p]
        r = widest
        for _ in range(12):
            cx, cy, cz = px - r * nx, py - r * ny, pz - r * nz
            nearest, q = np.inf, -1
            for k in range(skin.shape[0]):
                d2 = (skin[k, 0] - cx) ** 2 + (skin[k, 1] - cy) ** 2 + (skin[k, 2] - cz) ** 2
                if d2 < nearest:
                    nearest, q = d2, k
            if np.sqrt(nearest) > r - 2e-4:
                break
            dx, dy, dz = px - skin[q, 0], py - skin[q, 1], pz - skin[q, 2]
            ahead = dx * nx + dy * ny + dz * nz
            if ahead <= 1e-9:
                break
            r = min(r, (dx * dx + dy * dy + dz * dz) / (2.0 * ahead))
        out[p, 0], out[p, 1], out[p, 2] = px - r * nx, py - r * ny, pz - r * nz
        nearest = np.inf
        for k in range(skin.shape[0]):
            d2 = (
                (skin[k, 0] - out[p, 0]) ** 2
                + (skin[k, 1] - out[p, 1]) ** 2
                + (skin[k, 2] - out[p, 2]) ** 2
            )
            nearest = min(nearest, d2)
        out[p, 3] = min(r, np.sqrt(nearest))
        if out[p, 3] < r - 1e-3:  # it never came to rest within the skin
            out[p, 3] = -1.0
    return out


@numba.njit(cache=True, nogil=True)
def _touches(ball, point, tolerance):  # type: ignore[no-untyped-def]
    x, y, z = ball[0] - point[0], ball[1] - point[1], ball[2] - point[2]
    reach = ball[3] + tolerance
    return x * x + y * y + z * z < reach * reach


@numba.njit(cache=True, nogil=True)
def _cover(balls, skin, tolerance, most):  # type: ignore[no-untyped-def]
    """Greedy choice: the ball that covers most points still bare, and so on; indices, ascending."""
    gain = np.zeros(balls.shape[0], np.int64)
    for b in range(balls.shape[0]):
        for k in range(skin.shape[0]):
            if _touches(balls[b], skin[k], tolerance[k]):
                gain[b] += 1
    bare = np.ones(skin.shape[0], np.bool_)
    chosen = np.zeros(balls.shape[0], np.bool_)
    for _ in range(most):
        best = np.argmax(gain)
        if gain[best] < 1:
            break
        chosen[best] = True
        for k in range(skin.shape[0]):
            if bare[k] and _touches(balls[best], skin[k], tolerance[k]):
                bare[k] = False
                for b in range(balls.shape[0]):
                    if _touches(balls[b], skin[k], tolerance[k]):
                        gain[b] -= 1
    return np.nonzero(chosen)[0]


@numba.njit(cache=True, nogil=True)
def _tie(centres, vertices, count):  # type: ignore[no-untyped-def]
    """Vertices about each centre and weights, as even as can be, that put the centre among them.

    (S, 3), (V, 3) -> (S, K) int64, (S, K) and (S, 3): sum of w is 1, and sum of w * vertex is the
    centre but for a small rest.
    """
    rest = np.empty((centres.shape[0], 3))
    near = np.empty((centres.shape[0], count), np.int64)
    share = np.empty((centres.shape[0], count))
    for s in range(centres.shape[0]):
        x = vertices - centres[s]
        away = x[:, 0] ** 2 + x[:, 1] ** 2 + x[:, 2] ** 2
        rows = np.argsort(away)[:count]
        # Least squares: w = 1/K + a . (x, 1) with the four numbers `a` from normal equations.
        m = np.zeros((4, 5))
        for row in rows:
            v = np.array([x[row, 0], x[row, 1], x[row, 2], 1e-2])
            for i in range(4):
                for j in range(4):
                    m[i, j] += v[i] * v[j]
                m[i, 4] -= v[i] / count
        m[3, 4] += 1e-2
        for i in range(3):  # where vertices lie in a plane, nothing is to be extrapolated
            m[i, i] += count * EVEN_M * EVEN_M
        m[3, 3] += 1e-12
        for i in range(4):  # Gauss and Jordan; the matrix is positive definite
            m[i] /= m[i, i]
            for j in range(4):
                if j != i:
                    m[j] -= m[j, i] * m[i]
        for k in range(count):
            v = x[rows[k]]
            near[s, k] = rows[k]
            share[s, k] = 1.0 / count + m[3, 4] * 1e-2
            for i in range(3):
                share[s, k] += m[i, 4] * v[i]
        for i in range(3):
            rest[s, i] = 0.0
            for k in range(count):
                rest[s, i] -= share[s, k] * x[rows[k], i]
    return near, share, rest


@numba.njit(cache=True, nogil=True)
def _fit(people, mean, balls, near, share, off):  # type: ignore[no-untyped-def]
    """Centres (I, S, 3) and radii (I, S) of every person."""
    centre = np.zeros((people.shape[0], balls.shape[0], 3))
    radius = np.empty((people.shape[0], balls.shape[0]))
    for s in range(balls.shape[0]):
        rest = np.inf
        for v in near[s]:
            d = mean[v] - balls[s, :3]
            rest = min(rest, d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
        for p in range(people.shape[0]):
            for i in range(3):
                centre[p, s, i] = off[s, i]
            for k in range(near.shape[1]):
                for i in range(3):
                    centre[p, s, i] += share[s, k] * people[p, near[s, k], i]
            own = np.inf
            for v in near[s]:
                x = people[p, v, 0] - centre[p, s, 0]
                y = people[p, v, 1] - centre[p, s, 1]
                z = people[p, v, 2] - centre[p, s, 2]
                own = min(own, x * x + y * y + z * z)
            # The skin between vertices is as much nearer as it is on the mean hand.
            radius[p, s] = balls[s, 3] * np.sqrt(own / rest)
    return centre, radius


@numba.njit(cache=True, nogil=True)
def _place(centre, radius, bone, weight, group, identity, transforms):  # type: ignore[no-untyped-def]
    count, balls, groups = identity.shape[0], bone.shape[0], group.shape[0] - 1
    ball = np.empty((count, balls, 4))
    bound = np.empty((count, groups, 4))
    _place_all(centre, radius, bone, weight, group, identity, transforms, ball, bound)
    return ball, bound


@numba.njit(**BORROWING)
def _place_all(  # type: ignore[no-untyped-def]
    centre, radius, bone, weight, group, identity, transforms, ball, bound
):
    count, balls, groups = ball.shape[0], ball.shape[1], bound.shape[1]
    for h in range(count):
        rest = centre[identity[h]]
        for s in range(balls):
            x = y = z = 0.0
            for k in range(bone.shape[1]):
                w = weight[s, k]
                if w == 0.0:
                    break
                t = transforms[h, bone[s, k]]
                a, b, c = rest[s, 0], rest[s, 1], rest[s, 2]
                x += w * (((t[0, 0] * a + t[0, 1] * b) + t[0, 2] * c) + t[0, 3])
                y += w * (((t[1, 0] * a + t[1, 1] * b) + t[1, 2] * c) + t[1, 3])
                z += w * (((t[2, 0] * a + t[2, 1] * b) + t[2, 2] * c) + t[2, 3])
            ball[h, s, 0], ball[h, s, 1], ball[h, s, 2] = x, y, z
            ball[h, s, 3] = radius[identity[h], s]
        for g in range(groups):
            bound_balls(ball[h], group[g], group[g + 1], bound[h, g])


@numba.njit(**BORROWING)
def bound_balls(ball, start, stop, out):  # type: ignore[no-untyped-def]
    """A ball about the balls start <= s < stop of (S, 4) into out (4,); radius -1 for none."""
    out[:] = 0.0
    out[3] = -1.0
    for s in range(start, stop):
        for i in range(3):
            out[i] += ball[s, i] / (stop - start)
    for s in range(start, stop):
        x, y, z = ball[s, 0] - out[0], ball[s, 1] - out[1], ball[s, 2] - out[2]
        out[3] = max(out[3], np.sqrt(x * x + y * y + z * z) + ball[s, 3])
