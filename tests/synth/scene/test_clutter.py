"""Clutter stands on tables, not in each other."""

import numpy as np

from synth.scene.surroundings import MODELS
from tests.synth.scene.test_surroundings import SCENES, everything, in_use, piece_sizes


def test_things_of_the_catalogue_keep_their_size() -> None:
    around = everything()
    own = around.model >= len(MODELS)
    assert own.sum() > 200
    scale = np.linalg.norm(around.T[own, :3, :3], axis=1)
    assert np.allclose(scale, 1, atol=1e-12)
    assert np.allclose(around.T[own, 2, :3], [0, 0, 1])


def test_things_rest_on_the_table() -> None:
    """Everything loose on a table in use stands a hair above its top."""
    around = everything()
    bottom = around.T[:, 2, 3] - np.abs(around.T[:, 2, 2]) * piece_sizes(around)[:, 2] / 2
    tops = in_use(around)
    height = np.full(SCENES, np.nan)
    T = around.T[tops]
    height[around.frame[tops]] = T[:, 2, 3] + T[:, 2, 2] / 2
    own = around.model >= len(MODELS)
    over = bottom[own] - height[around.frame[own]]
    over = over[~np.isnan(over)]
    assert len(over) > 50
    assert np.allclose(over, 2e-4, atol=1e-9)


def test_things_do_not_overlap() -> None:
    """Their middles are outside each other's boxes."""
    around = everything()
    sizes = piece_sizes(around)
    loose = np.flatnonzero(around.model >= len(MODELS))
    for k in loose:
        others = loose[(around.frame[loose] == around.frame[k]) & (loose != k)]
        for j in others:
            turn = around.T[j, :3, :3]
            local = turn.T @ (around.T[k, :3, 3] - around.T[j, :3, 3])
            assert (np.abs(local) > sizes[j] / 2).any()
