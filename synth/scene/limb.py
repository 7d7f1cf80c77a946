"""Closed tubes about a limb: arms, sleeves, legs, a trunk, as models of rings between two poles."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from synth.scene.revolve import revolve
from synth.things.model import Model, make_model

SIDES: Final = 14
"""Corners of a tube's ring."""
ROUND_UP: Final = 1.0 / np.cos(np.pi / SIDES)
"""So much wider than a circle is the ring whose sides touch it."""

Ring = tuple[float, float, float]
"""Place along z, half width along x, half width along y."""


def build_tube(
    name: str,
    rings: Sequence[Ring],
    ends: tuple[float, float],
    code: int = 0,
    wrinkles: np.ndarray | None = None,
    sides: int = SIDES,
) -> Model:
    """A tube through oval rings, closed by poles at z = ends.

    wrinkles: (rings, sides) factors on the radius of each corner.
    """
    profile = [(ends[0], 0.0), *((z, 1.0) for z, _, _ in rings), (ends[1], 0.0)]
    vertices, faces = revolve(profile, sides)
    wide = np.repeat(np.array(rings)[:, 1:], sides, axis=0)
    vertices[1:-1, :2] *= wide if wrinkles is None else wide * wrinkles.reshape(-1, 1)
    return make_model(name, vertices, faces, np.full(len(faces), code, np.uint8))


def limb_poses(start: np.ndarray, end: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """(N, 4, 4) affine maps of a tube with z from 0 to 1: start and end (N, 3), radius (N,) m."""
    z = end - start
    x = _unit(np.cross(np.array([0.0, 1.0, 0.0]), z) + np.array([1e-9, 0.0, 0.0]))
    y = _unit(np.cross(z, x))
    out = np.tile(np.eye(4), (len(start), 1, 1))
    out[:, :3, 0], out[:, :3, 1] = x * radius[:, None], y * radius[:, None]
    out[:, :3, 2], out[:, :3, 3] = z, start
    return out


def _unit(v: np.ndarray) -> np.ndarray:
    return np.asarray(v / np.sqrt((v[:, 0] ** 2 + v[:, 1] ** 2) + v[:, 2] ** 2)[:, None])
