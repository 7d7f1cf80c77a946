"""Signed distance by brute force: nothing of the product's way of working it out.

Every point against every triangle in float64; inside by the generalised winding number (Jacobson,
Kavan, Sorkine-Hornung 2013), the sum of the triangles' solid angles (Van Oosterom, Strackee 1983).
"""

import numpy as np


def measure_triangles(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(N, 3), (F, 3, 3) -> (N,) distance to the nearest triangle."""
    p = points[:, None]
    a, b, c = (corners[None, :, k] for k in range(3))
    best = np.full((len(points), len(corners)), np.inf)
    normal = np.cross(b - a, c - a)
    inside = np.ones(best.shape, bool)
    for start, stop in ((a, b), (b, c), (c, a)):
        way = stop - start
        share = np.clip(((p - start) * way).sum(-1) / (way * way).sum(-1), 0, 1)
        best = np.minimum(best, np.linalg.norm(p - start - share[..., None] * way, axis=-1))
        inside &= (np.cross(way, p - start) * normal).sum(-1) >= 0
    plane = np.abs(((p - a) * normal).sum(-1)) / np.linalg.norm(normal, axis=-1)
    return np.where(inside, np.minimum(best, plane), best).min(1)


def wind_triangles(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(N, 3), (F, 3, 3) -> (N,) how often a closed outward surface winds about each point."""
    a, b, c = (corners[None, :, k] - points[:, None] for k in range(3))
    la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
    top = (a * np.cross(b, c)).sum(-1)
    low = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return np.arctan2(top, low).sum(1) / (2 * np.pi)


def split_pieces(faces: np.ndarray) -> list[np.ndarray]:
    """Faces that share vertices, by spreading the least label until nothing changes."""
    label = np.arange(faces.max() + 1)
    while True:
        least = label[faces].min(1)
        spread = label.copy()
        np.minimum.at(spread, faces.reshape(-1), np.repeat(least, 3))
        if (spread == label).all():
            break
        label = spread
    own = label[faces[:, 0]]
    return [faces[own == k] for k in np.unique(own)]


def measure_union(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(N,) signed distance to the union of closed pieces: the least of theirs."""
    out = np.full(len(points), np.inf)
    for piece in split_pieces(faces):
        corners = vertices.astype(np.float64)[piece]
        away = measure_triangles(points, corners)
        out = np.minimum(out, np.where(wind_triangles(points, corners) > 0.5, -away, away))
    return out


def sample_skin(
    rng: np.random.Generator, vertices: np.ndarray, faces: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) points spread evenly over a mesh, and (N, 3) the unit normals there."""
    corners = vertices.astype(np.float64)[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1)
    chosen = rng.choice(len(faces), count, p=area / area.sum())
    weights = rng.dirichlet([1, 1, 1], count)
    points = (weights[..., None] * corners[chosen]).sum(1)
    return points, normal[chosen] / area[chosen, None]
