"""Props: everything that a scene shows besides hands, each a model placed by an affine map."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Props:
    """M placed models of a batch."""

    frame: np.ndarray
    """(M,) int64 index into the batch."""
    model: np.ndarray
    """(M,) int64 number in the stock (`synth.scene.stock`)."""
    T_world_from_model: np.ndarray
    """(M, 4, 4) float64, affine: scale included."""
    layer: np.ndarray
    """(M,) int64 what it is drawn with: a hand, a labelled object, or the background."""
    base: np.ndarray
    """(M,) int64 added to the model's own codes."""


def join_props(parts: Sequence[Props]) -> Props:
    """All of them in the order of their frames; within a frame, in the order given."""
    order = np.argsort(np.concatenate([p.frame for p in parts]), kind="stable")

    def join(name: str) -> np.ndarray:
        return np.asarray(np.concatenate([getattr(p, name) for p in parts])[order])

    return Props(
        join("frame"),
        join("model"),
        join("T_world_from_model"),
        join("layer"),
        join("base"),
    )
