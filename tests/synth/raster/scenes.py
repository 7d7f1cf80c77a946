"""Random scenes that stress a rasteriser: articulated closed bodies, soups, slivers, crossings."""

import numpy as np
import trimesh

Mesh = tuple[np.ndarray, np.ndarray, np.ndarray]
"""vertices (V, 3) float64 in the camera frame, faces (F, 3) int32, codes (F,) uint8."""


def articulated_body(rng: np.random.Generator, centre: np.ndarray, bones: int = 17) -> Mesh:
    """A random chain of closed capsules, codes 1..17 in turn: a stand-in for a hand and forearm."""
    vertices, faces, codes = [], [], []
    count, joint = 0, np.asarray(centre, np.float64)
    for bone in range(bones):
        radius = rng.uniform(0.006, 0.03)
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        length = rng.uniform(0.02, 0.07)
        capsule = trimesh.creation.capsule(height=length, radius=radius, count=[12, 12])
        turn = trimesh.geometry.align_vectors([0, 0, 1], direction)[:3, :3]
        vertices.append(capsule.vertices @ turn.T + joint)
        faces.append(capsule.faces + count)
        codes.append(np.full(len(capsule.faces), bone % 17 + 1))
        count += len(capsule.vertices)
        joint = joint + direction * length * rng.uniform(0.2, 1.0)
        joint = centre + 0.9 * (joint - centre)
    return (
        np.concatenate(vertices),
        np.concatenate(faces).astype(np.int32),
        np.concatenate(codes).astype(np.uint8),
    )


def triangle_soup(rng: np.random.Generator, count: int = 300) -> Mesh:
    """Loose triangles: small ones, slivers, huge ones, some of them across the near plane."""
    centre = rng.uniform([-0.6, -0.5, 0.1], [0.6, 0.5, 1.5], (count, 1, 3))
    size = np.exp(rng.uniform(np.log(0.003), np.log(0.4), (count, 1, 1)))
    corners = centre + size * rng.normal(size=(count, 3, 3))
    slivers = count // 3
    along = corners[:slivers, 1] - corners[:slivers, 0]
    corners[:slivers, 2] = (
        corners[:slivers, 0]
        + along * rng.uniform(0, 1, (slivers, 1))
        + 1e-4 * rng.normal(size=(slivers, 3))
    )
    corners[-20:] *= rng.uniform(3, 30, (20, 1, 1))
    corners[-10:, :, 2] -= corners[-10:, :, 2].mean(1, keepdims=True) - rng.uniform(0, 1, (10, 1))
    codes = rng.integers(1, 18, count)
    return (
        corners.reshape(-1, 3),
        np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
        codes.astype(np.uint8),
    )


def icosphere(centre: np.ndarray, radius: float, subdivisions: int) -> Mesh:
    """A closed sphere of 20 * 4^subdivisions triangles; code 1."""
    ball = trimesh.creation.icosphere(subdivisions, radius)
    codes = np.ones(len(ball.faces), np.uint8)
    return ball.vertices + np.asarray(centre), ball.faces.astype(np.int32), codes


def room_planes(rng: np.random.Generator) -> np.ndarray:
    """Six planes (6, 4) of a randomly turned box around the camera, in opposite pairs: outward
    normal and distance.
    """
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    normals = np.stack([turn, -turn], axis=1).reshape(6, 3)
    return np.column_stack([normals, rng.uniform(0.6, 4.0, 6)])


def room_mesh(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same box as triangles seen from within: vertices (8, 3), faces (12, 3) int32."""
    corners = []
    for sx in (0, 1):
        for sy in (2, 3):
            for sz in (4, 5):
                rows = [sx, sy, sz]
                corners.append(np.linalg.solve(planes[rows, :3], planes[rows, 3]))
    vertices = np.array(corners)
    hull = trimesh.convex.convex_hull(vertices)
    faces = np.asarray(hull.faces, np.int32)
    vertices = np.asarray(hull.vertices)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    outward = (np.cross(b - a, c - a) * (a - vertices.mean(0))).sum(1) > 0
    faces[outward] = faces[outward][:, ::-1]
    return vertices, faces
