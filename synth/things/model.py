"""A rigid triangle mesh: what a thing looks like, whoever uses it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Model:
    """A closed triangle mesh in metres, in its own frame."""

    name: str
    """What it is called, as in "mug-3"."""
    vertices: np.ndarray
    """(V, 3) float32, metres."""
    faces: np.ndarray
    """(F, 3) int32, counter-clockwise seen from outside."""
    codes: np.ndarray
    """(F,) uint8, added to the base code of the place where it is used."""


def make_model(
    name: str, vertices: np.ndarray, faces: np.ndarray, codes: np.ndarray | None = None
) -> Model:
    """A model in the types that the rasteriser reads; codes default to zeros."""
    return Model(
        name,
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(faces, np.int32),
        np.zeros(len(faces), np.uint8) if codes is None else np.ascontiguousarray(codes, np.uint8),
    )
