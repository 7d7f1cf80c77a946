"""Closed meshes from rings of points: turned bodies, prisms, tubes and balls.

Everything is a loft: rings of equally many points, joined one to the next and closed at both ends.
A part is (vertices (V, 3) float64 metres, faces (F, 3) int32 outward).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

Part = tuple[np.ndarray, np.ndarray]
Vector = Sequence[float] | np.ndarray


def loft(rings: np.ndarray, looped: bool = False) -> Part:
    """Join (K, N, 3) rings, each counter-clockwise seen from the next one.

    The first and last are closed by fans about their means, so they must be star-shaped about
    them; or, looped, the last ring is joined to the first.
    """
    count, sides = rings.shape[:2]
    i = np.arange(sides)
    j = (i + 1) % sides
    faces = []
    for k in range(count if looped else count - 1):
        a, b = k * sides, (k + 1) % count * sides
        faces += [np.stack([a + i, a + j, b + j], 1), np.stack([a + i, b + j, b + i], 1)]
    vertices = rings.reshape(-1, 3)
    if not looped:
        low, high, last = count * sides, count * sides + 1, (count - 1) * sides
        faces += [
            np.stack([j, i, np.full(sides, low)], 1),
            np.stack([last + i, last + j, np.full(sides, high)], 1),
        ]
        vertices = np.concatenate([vertices, rings[[0, -1]].mean(1)])
    return vertices, np.concatenate(faces).astype(np.int32)


def revolve(profile: Sequence[tuple[float, float]], sides: int, looped: bool = False) -> Part:
    """Turn (radius, height) points about z, from the bottom over the outside to the top.

    Ends are closed flat; a hollow body goes on over its rim and down inside. looped: a ring, whose
    profile runs counter-clockwise round its section, radius to the right and height up.
    """
    return loft(
        np.stack([ring(r, r, z, sides) for r, z in profile]),
        looped,
    )


def ring(rx: float, ry: float, z: float, sides: int) -> np.ndarray:
    """(sides, 3) points of an ellipse at height z.

    Its area is that of the true ellipse: half of the skin lies a little in, half a little out.
    """
    angle = 2 * np.pi * (np.arange(sides) + 0.5) / sides
    grow = np.sqrt(2 * np.pi / sides / np.sin(2 * np.pi / sides))
    return np.column_stack(
        [grow * rx * np.cos(angle), grow * ry * np.sin(angle), np.full(sides, z)]
    )


def ball(radius: float, sides: int = 20, rings: int = 11) -> Part:
    """A sphere about the origin."""
    return ellipsoid((radius, radius, radius), sides, rings)


def ellipsoid(radii: Vector, sides: int = 16, rings: int = 9) -> Part:
    """An ellipsoid about the origin, its poles on z."""
    latitude = np.linspace(-np.pi / 2, np.pi / 2, rings + 2)[1:-1]
    # Poles are cut off flat at the height where the mean of the cap is on the sphere.
    rows = [
        ring(radii[0] * np.cos(a), radii[1] * np.cos(a), radii[2] * np.sin(a), sides)
        for a in latitude
    ]
    vertices, faces = loft(np.stack(rows))
    vertices[-2:, 2] = [-radii[2], radii[2]]
    return vertices, faces


def prism(outline: ArrayLike, low: float, high: float, bevel: float = 0.0) -> Part:
    """A plate with an (N, 2) outline, counter-clockwise and star-shaped, from z low to high.

    bevel: metres by which the outline is smaller at both faces, and starts to shrink before them.
    """
    if bevel == 0:
        return stack(outline, [(1.0, low), (1.0, high)])
    points = np.asarray(outline, np.float64)
    middle, span = points.mean(0), np.ptp(points, axis=0)
    inner = middle + (points - middle) * np.maximum(1 - 2 * bevel / span, 0.1)
    drop = min(bevel, 0.49 * (high - low))
    steps = [(inner, low), (points, low + drop), (points, high - drop), (inner, high)]
    return loft(np.stack([np.column_stack([p, np.full(len(p), z)]) for p, z in steps]))


def stack(outline: ArrayLike, steps: Sequence[tuple[float, float]]) -> Part:
    """An (N, 2) outline, scaled about its mean by the first number of each step at height z."""
    points = np.asarray(outline, np.float64)
    middle = points.mean(0)
    rings = [
        np.column_stack([middle + scale * (points - middle), np.full(len(points), z)])
        for scale, z in steps
    ]
    return loft(np.stack(rings))


def box(size: Vector, bevel: float = 0.0) -> Part:
    """A block about the origin."""
    x, y, z = (0.5 * s for s in size)
    outline = np.array([[x, y], [-x, y], [-x, -y], [x, -y]])
    return prism(outline, -z, z, bevel)


def rounded(width: float, height: float, radius: float, steps: int = 3) -> np.ndarray:
    """(4 steps, 2) outline of a rectangle about the origin with round corners."""
    turn = np.linspace(0, np.pi / 2, steps)
    quarter = radius * np.column_stack([np.cos(turn), np.sin(turn)])
    x, y = 0.5 * width - radius, 0.5 * height - radius
    corners = []
    for k, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        c, s = (1, 0, -1, 0)[k], (0, 1, 0, -1)[k]
        corners.append(quarter @ np.array([[c, s], [-s, c]]) + [sx * x, sy * y])
    return np.concatenate(corners)


def ellipse(rx: float, ry: float, sides: int) -> np.ndarray:
    """(sides, 2) outline."""
    return ring(rx, ry, 0.0, sides)[:, :2]


def tube(
    path: ArrayLike,
    radius: ArrayLike,
    side: Vector,
    sides: int = 8,
    flat: float = 1.0,
    looped: bool = False,
) -> Part:
    """A bent rod along a (K, 3) path in the plane whose normal is `side`.

    radius: metres, one or K of them, across the plane; `flat` times as much along `side`.
    """
    points = np.asarray(path, np.float64)
    ahead = np.roll(points, -1, 0) - points
    behind = points - np.roll(points, 1, 0)
    if not looped:
        ahead[-1], behind[0] = behind[-1], ahead[0]
    unit = ahead / np.linalg.norm(ahead, axis=1, keepdims=True)
    tangent = unit + behind / np.linalg.norm(behind, axis=1, keepdims=True)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.asarray(side, np.float64) / np.linalg.norm(side)
    across = np.cross(tangent, normal)
    section = ring(1.0, 1.0, 0.0, sides)
    wide = np.broadcast_to(np.asarray(radius, np.float64), len(points))[:, None, None]
    return loft(
        points[:, None]
        + wide * (flat * section[:, :1] * normal + section[:, 1:2] * across[:, None]),
        looped,
    )


def arc(
    centre: Vector, u: Vector, v: Vector, start_deg: float, stop_deg: float, count: int
) -> np.ndarray:
    """(count, 3) points centre + cos u + sin v; the lengths of u and v are the radii."""
    angle = np.radians(np.linspace(start_deg, stop_deg, count))[:, None]
    return np.asarray(centre) + np.cos(angle) * np.asarray(u) + np.sin(angle) * np.asarray(v)


def place(
    part: Part, shift: Vector = (0.0, 0.0, 0.0), z: Vector = (0, 0, 1), x: Vector = (1, 0, 0)
) -> Part:
    """Turn a part so that its z and x axes lie along the ones given, then shift it."""
    third, first = np.asarray(z, np.float64), np.asarray(x, np.float64)
    third = third / np.linalg.norm(third)
    first = first - (first * third).sum() * third
    first = first / np.linalg.norm(first)
    turn = np.stack([first, np.cross(third, first), third])
    return part[0] @ turn + np.asarray(shift, np.float64), part[1]


def stand(part: Part, shift: Vector = (0.0, 0.0, 0.0)) -> Part:
    """A prism drawn in side view: its outline's y becomes up, and its z points to -y."""
    return place(part, shift, z=(0, -1, 0))


def lay(part: Part, shift: Vector = (0.0, 0.0, 0.0)) -> Part:
    """A body turned about z laid along x."""
    return place(part, shift, z=(1, 0, 0), x=(0, 0, -1))


def join(parts: Sequence[Part]) -> Part:
    """Several parts as one mesh; they may overlap."""
    start = np.cumsum([0, *(len(v) for v, _ in parts)])
    return (
        np.concatenate([v for v, _ in parts]),
        np.concatenate([f + s for (_, f), s in zip(parts, start, strict=False)]).astype(np.int32),
    )
