"""Closed meshes by turning a profile about the z axis: balls, cylinders, arms."""

from collections.abc import Sequence

import numpy as np


def revolve(profile: Sequence[tuple[float, float]], sides: int) -> tuple[np.ndarray, np.ndarray]:
    """A closed surface: (V, 3) float64 vertices, (F, 3) int32 outward faces.

    profile: (z, radius) with z not falling; the first and last radius must be 0, for they are the
    poles, and all others positive. sides: corners of each ring.
    """
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = [np.column_stack([r * ring, np.full(sides, z)]) for z, r in profile[1:-1]]
    poles = [np.array([[0.0, 0.0, z]]) for z, _ in (profile[0], profile[-1])]
    i = np.arange(sides)
    j = (i + 1) % sides
    top = 1 + sides * len(rings)
    faces = [np.stack([np.zeros(sides, int), 1 + j, 1 + i], axis=1)]
    for k in range(len(rings) - 1):
        a, b = 1 + k * sides, 1 + (k + 1) * sides
        faces += [np.stack([a + i, a + j, b + j], 1), np.stack([a + i, b + j, b + i], 1)]
    faces.append(np.stack([top - sides + i, top - sides + j, np.full(sides, top)], axis=1))
    vertices = np.concatenate([poles[0], *rings, poles[1]])
    return vertices, np.concatenate(faces).astype(np.int32)
