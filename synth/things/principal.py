"""Handles for a mesh of which nothing is known but its shape."""

import numpy as np

from synth.things.handles import make_ball, make_disk, make_plate, make_rod
from synth.things.solid import Handle

ALIKE = 1.3
"""Two extents within this ratio count as one."""
ROUND_FILL = 0.88
"""A ball fills 0.52 of its box, a cylinder 0.79, a box all of it: below this, a thing is round."""


def find_handles(vertices: np.ndarray, faces: np.ndarray) -> tuple[Handle, ...]:
    """One handle that covers the whole mesh: (V, 3) metres, (F, 3) outward.

    The box along the file's axes, or along the principal axes where that is clearly smaller, is a
    ball, a rod, a disk, or a box, by its proportions and by how much of it the mesh fills.
    """
    points = np.asarray(vertices, np.float64)[np.unique(faces)]
    still = np.eye(3)
    turned = principal_axes(np.asarray(vertices, np.float64)[faces])
    axes = (
        turned
        if _measure(points, turned)[1].prod() < 0.9 * _measure(points, still)[1].prod()
        else still
    )
    centre, size = _measure(points, axes)
    corners = np.asarray(vertices, np.float64)[faces] - centre
    volume = (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    is_round = volume < ROUND_FILL * size.prod()
    order = np.argsort(size, kind="stable")
    thin, wide, long = size[order]
    x, _, z = axes[:, order].T
    if is_round and long < ALIKE * thin:
        return (make_ball(centre, thin / 2),)
    if is_round and wide < ALIKE * thin:
        return (make_rod(centre, z, (thin + wide) / 4, long),)
    if is_round and long < ALIKE * wide:
        return (make_disk(centre, x, (long + wide) / 4, thin),)
    return (make_plate(centre, z, x, long, wide, thin),)


def _measure(points: np.ndarray, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and size of the box of points along the columns of `axes`."""
    along = [(points * axes[:, k]).sum(1) for k in range(3)]
    low = np.array([a.min() for a in along])
    high = np.array([a.max() for a in along])
    return (axes * (low + high) / 2).sum(1), high - low


def principal_axes(corners: np.ndarray) -> np.ndarray:
    """(F, 3, 3) triangles -> (3, 3), its columns the right-handed principal axes of the surface.

    Of the second moments about the mean, each triangle weighing as its area: Jacobi's rotations
    (Golub and Van Loan, Matrix Computations, 8.5), for LAPACK's last bits vary with the machine.
    """
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.sqrt((cross * cross).sum(1))[:, None]
    middle = corners.mean(1)
    mean = (area * middle).sum(0) / area.sum()
    # A triangle's moments are those of three points midway along its sides.
    away = (corners + np.roll(corners, 1, axis=1)) / 2 - mean
    a = np.array([[(area * away[..., i] * away[..., j]).sum() for j in range(3)] for i in range(3)])
    axes = np.eye(3)
    for _ in range(12):
        for p, q in ((0, 1), (0, 2), (1, 2)):
            if abs(a[p, q]) <= 1e-12 * np.trace(a):
                continue
            ratio = (a[q, q] - a[p, p]) / (2 * a[p, q])
            t = (1.0 if ratio >= 0 else -1.0) / (abs(ratio) + np.sqrt(ratio * ratio + 1))
            c = 1 / np.sqrt(t * t + 1)
            turn = np.eye(3)
            turn[p, p] = turn[q, q] = c
            turn[p, q], turn[q, p] = t * c, -t * c
            a = _multiply(_multiply(turn.T, a), turn)
            axes = _multiply(axes, turn)
    return axes


def _multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a[:, :, None] * b[None]).sum(1)
