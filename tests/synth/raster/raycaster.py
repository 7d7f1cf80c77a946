"""An independent witness: float64 ray casting against every triangle, without any raster's tricks.

Moeller and Trumbore, "Fast, minimum storage ray/triangle intersection", 1997. Rays start at the
origin and are (x, y, 1), so the ray parameter is the depth z. Rays are cut into small bundles of
neighbours; a bundle is tested against every triangle whose bounding box it can reach.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUNDLE = 128
SLACK = 1e-9


@dataclass(frozen=True)
class AllHits:
    """Every intersection, not only the nearest, sorted by ray and then by depth."""

    ray: NDArray[np.int64]
    """(m,) index of the ray."""
    face: NDArray[np.int64]
    """(m,) index of the triangle."""
    z: NDArray[np.float64]
    """(m,) depth in metres."""


def cast_all(
    rays: np.ndarray,
    vertices: np.ndarray,
    faces: np.ndarray,
    closed: bool = True,
    near: float = 0.0,
) -> AllHits:
    """All intersections of rays (n, 3) = (x, y, 1) (NaN rays hit nothing) with a mesh, z > near.

    closed: only triangles seen from their outside (counter-clockwise) count, as in the raster.
    """
    rays, vertices = np.asarray(rays, np.float64), np.asarray(vertices, np.float64)
    triangles = vertices[np.asarray(faces, np.int64)].reshape(-1, 3, 3)
    a, ab, ac = (
        triangles[:, 0],
        triangles[:, 1] - triangles[:, 0],
        triangles[:, 2] - triangles[:, 0],
    )
    low, high = _bounds(triangles)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for bundle in _bundles(rays):
        r = rays[bundle]
        reach = (low <= r[:, :2].max(0) + SLACK).all(1) & (high >= r[:, :2].min(0) - SLACK).all(1)
        near_faces = np.flatnonzero(reach)
        if not near_faces.size:
            continue
        e1, e2, t = ab[near_faces], ac[near_faces], -a[near_faces]
        p = np.cross(r[:, None], e2[None])
        det = (e1 * p).sum(-1)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            u = (t * p).sum(-1) / det
            q = np.cross(t, e1)
            v = r @ q.T / det
            z = (e2 * q).sum(-1) / det
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (z > near)
        hit &= (det > 0) if closed else (det != 0)
        ray, face = np.nonzero(hit)
        found.append((bundle[ray], near_faces[face], z[ray, face]))
    if not found:
        return AllHits(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    ray, face, z = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((z, ray))
    return AllHits(ray[order], face[order], z[order])


def cast(
    rays: np.ndarray,
    vertices: np.ndarray,
    faces: np.ndarray,
    closed: bool = True,
    near: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Nearest hit of rays (..., 3): depth z (...,) in metres (none: inf) and face (...,) (-1)."""
    shape = np.shape(rays)[:-1]
    hits = cast_all(np.reshape(rays, (-1, 3)), vertices, faces, closed, near)
    z = np.full(int(np.prod(shape)), np.inf)
    face = np.full(z.shape, -1, np.int64)
    ray, first = np.unique(hits.ray, return_index=True)
    z[ray], face[ray] = hits.z[first], hits.face[first]
    return z.reshape(shape), face.reshape(shape)


def camera_rays(camera: object) -> np.ndarray:
    """Rays (H, W, 3) = (x, y, 1) through the pixel centres of a camera."""
    table = camera.ray_table()  # type: ignore[attr-defined]
    return np.concatenate([table, np.where(np.isnan(table[..., :1]), np.nan, 1.0)], axis=-1)


def _bounds(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounding boxes (F, 2) of x/z, y/z; unbounded for triangles that reach behind the camera."""
    z = triangles[:, :, 2:]
    ahead = (z > 1e-9).all((1, 2))
    flat = triangles[:, :, :2] / np.where(z > 1e-9, z, 1.0)
    low = np.where(ahead[:, None], flat.min(1), -np.inf)
    high = np.where(ahead[:, None], flat.max(1), np.inf)
    return low, high


def _bundles(rays: np.ndarray) -> list[np.ndarray]:
    """Indices of the finite rays, cut into bundles of neighbours."""
    finite = np.flatnonzero(np.isfinite(rays).all(1))
    if not finite.size:
        return []
    x, y = rays[finite, 0], rays[finite, 1]
    cells = max(int(np.sqrt(finite.size / BUNDLE)), 1)
    row = np.floor((y - y.min()) / max(np.ptp(y), 1e-12) * cells * 0.999)
    ordered = finite[np.lexsort((x, row))]
    return [ordered[n : n + BUNDLE] for n in range(0, ordered.size, BUNDLE)]
