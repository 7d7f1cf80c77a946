"""The assignment problem against all permutations."""

import itertools

import numpy as np
import pytest

from train_tiny.finding.assignment import assign


def find_least(cost: np.ndarray) -> float:
    """By trying everything."""
    if cost.shape[0] > cost.shape[1]:
        cost = cost.T
    rows = range(len(cost))
    ways = itertools.permutations(range(cost.shape[1]), len(cost))
    return min(sum(cost[i, j] for i, j in zip(rows, way, strict=True)) for way in ways)


@pytest.mark.parametrize("whole", [True, False])
def test_the_least_of_all_ways(whole: bool) -> None:
    """Whole numbers have many ties."""
    rng = np.random.default_rng(5)
    for _ in range(300):
        size = tuple(rng.integers(1, 6, 2))
        cost = rng.integers(-2, 3, size).astype(float) if whole else rng.normal(size=size)
        rows, columns = assign(cost)
        assert len(rows) == len(columns) == min(size)
        assert (np.diff(rows) > 0).all() and len(set(columns.tolist())) == len(columns)
        assert cost[rows, columns].sum() == pytest.approx(find_least(cost), abs=1e-9)


@pytest.mark.parametrize("size", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_assign(size: tuple[int, int]) -> None:
    rows, columns = assign(np.zeros(size))
    assert len(rows) == len(columns) == 0
