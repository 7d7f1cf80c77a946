"""Does a hand's skin run through itself? Exact on the mesh, and independent of the capsules.

Each part of the hand is cut out and closed; a vertex of another part is inside it if its
generalised winding number (Jacobson et al. 2013; solid angles after van Oosterom and Strackee 1983)
is above one half. How deep is its distance to that part's skin.
"""

from dataclasses import dataclass

import numba
import numpy as np

from frames.parts import PART_NAMES
from synth.hand.rig import Rig

JOINED_M = 0.015
"""Flesh this near to an adjoining part at rest folds with it at the joint, and is not counted: a
knuckle is about that thick."""


@dataclass(frozen=True)
class Penetration:
    """The deepest vertex of one posed hand."""

    depth_m: float
    """0 if no vertex lies inside another part."""
    pair: str
    """Part of the vertex, and the part that it is in."""


@dataclass(frozen=True)
class Solid:
    """One part of the hand as a closed mesh, over the hand's own vertices."""

    part: int
    skin: np.ndarray
    """(F, 3) its faces."""
    rims: tuple[np.ndarray, ...]
    """(E, 2) directed edges of each opening, as the closing faces run."""
    foreign: np.ndarray
    """Vertices of other parts that may penetrate it."""


def cut_solids(rig: Rig) -> list[Solid]:
    """The parts of a rig as solids."""
    rest = rig.rest_vertices.mean(0).astype(np.float64)
    shared = np.zeros((18, 18), bool)
    part_of = np.zeros((len(rest), 18), bool)
    for corner in range(3):
        part_of[rig.faces[:, corner], rig.face_parts] = True
    for parts in part_of[part_of.sum(1) > 1]:
        shared |= np.outer(parts, parts)
    solids = []
    for part in np.unique(rig.face_parts):
        skin = rig.faces[rig.face_parts == part].astype(np.int64)
        foreign = np.flatnonzero(~part_of[:, part])
        joined = (part_of[foreign] & shared[part]).any(1)
        away = np.full(len(foreign), np.inf)
        away[joined] = surface_distance(rest[foreign[joined]], rest[skin])
        solids.append(Solid(int(part), skin, _rims(skin), foreign[away > JOINED_M]))
    return solids


def deepest(rig: Rig, solids: list[Solid], vertices: np.ndarray) -> Penetration:
    """The worst self-penetration of one posed hand, vertices (V, 3)."""
    points = vertices.astype(np.float64)
    part_of = np.zeros(len(points), np.int64)
    part_of[rig.faces.ravel()] = np.repeat(rig.face_parts, 3)
    worst = Penetration(0.0, "none")
    for solid in solids:
        low, high = points[solid.skin].min((0, 1)), points[solid.skin].max((0, 1))
        near = solid.foreign[
            ((points[solid.foreign] > low) & (points[solid.foreign] < high)).all(1)
        ]
        if not len(near):
            continue
        caps = [
            np.stack(
                [
                    points[e[:, 0]],
                    points[e[:, 1]],
                    np.broadcast_to(points[e].mean((0, 1)), (len(e), 3)),
                ],
                1,
            )
            for e in solid.rims
        ]
        closed = np.concatenate([points[solid.skin], *caps])
        inside = near[winding_numbers(points[near], closed) > 0.5]
        if not len(inside):
            continue
        depth = surface_distance(points[inside], points[solid.skin])
        k = int(depth.argmax())
        if depth[k] > worst.depth_m:
            names = PART_NAMES[part_of[inside[k]]], PART_NAMES[solid.part]
            worst = Penetration(float(depth[k]), " in ".join(names))
    return worst


def _rims(faces: np.ndarray) -> tuple[np.ndarray, ...]:
    """Boundary edges, reversed, grouped by the opening they go round."""
    edges = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    have = {(int(a), int(b)) for a, b in edges}
    rim = [(b, a) for a, b in have if (b, a) not in have]
    group = {v: v for edge in rim for v in edge}

    def root(v: int) -> int:
        while group[v] != v:
            v = group[v]
        return v

    for a, b in rim:
        group[root(a)] = root(b)
    roots = sorted({root(a) for a, _ in rim})
    return tuple(np.array(sorted(e for e in rim if root(e[0]) == r)) for r in roots)


@numba.njit(cache=True)
def winding_numbers(points, triangles):  # type: ignore[no-untyped-def]
    """(P, 3), (F, 3, 3) -> (P,) generalised winding number: 1 inside a closed outward mesh."""
    out = np.zeros(len(points))
    for p in range(len(points)):
        total = 0.0
        x, y, z = points[p]
        for f in range(len(triangles)):
            # Numbers one by one: arrays would be allocated for every triangle.
            ax, ay, az = triangles[f, 0, 0] - x, triangles[f, 0, 1] - y, triangles[f, 0, 2] - z
            bx, by, bz = triangles[f, 1, 0] - x, triangles[f, 1, 1] - y, triangles[f, 1, 2] - z
            cx, cy, cz = triangles[f, 2, 0] - x, triangles[f, 2, 1] - y, triangles[f, 2, 2] - z
            la = np.sqrt(ax * ax + ay * ay + az * az)
            lb = np.sqrt(bx * bx + by * by + bz * bz)
            lc = np.sqrt(cx * cx + cy * cy + cz * cz)
            det = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
            rest = la * lb * lc + (ax * bx + ay * by + az * bz) * lc
            rest += (bx * cx + by * cy + bz * cz) * la + (cx * ax + cy * ay + cz * az) * lb
            total += np.arctan2(det, rest)
        out[p] = total / (2 * np.pi)
    return out


@numba.njit(cache=True)
def surface_distance(points, triangles):  # type: ignore[no-untyped-def]
    """(P, 3), (F, 3, 3) -> (P,) distance to the nearest point of the triangles.

    Ericson, Real-Time Collision Detection, 5.1.5.
    """
    out = np.full(len(points), np.inf)
    for p in range(len(points)):
        for f in range(len(triangles)):
            a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
            ab, ac, ap = b - a, c - a, points[p] - a
            d1, d2 = (ab * ap).sum(), (ac * ap).sum()
            bp, cp = points[p] - b, points[p] - c
            d3, d4 = (ab * bp).sum(), (ac * bp).sum()
            d5, d6 = (ab * cp).sum(), (ac * cp).sum()
            va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
            if d1 <= 0 and d2 <= 0:
                near = a
            elif d3 >= 0 and d4 <= d3:
                near = b
            elif d6 >= 0 and d5 <= d6:
                near = c
            elif vc <= 0 and d1 >= 0 and d3 <= 0:
                near = a + ab * (d1 / (d1 - d3))
            elif vb <= 0 and d2 >= 0 and d6 <= 0:
                near = a + ac * (d2 / (d2 - d6))
            elif va <= 0 and d4 - d3 >= 0 and d5 - d6 >= 0:
                near = b + (c - b) * ((d4 - d3) / ((d4 - d3) + (d5 - d6)))
            else:
                near = a + ab * (vb / (va + vb + vc)) + ac * (vc / (va + vb + vc))
            away = points[p] - near
            out[p] = min(out[p], np.sqrt((away * away).sum()))
    return out
