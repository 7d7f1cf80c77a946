"""Evolution: within its budget, the same every time, and better than chance."""

from itertools import pairwise, product

import numpy as np
import pytest

from frames.errors import BadInput
from train_tiny.search.evolution import Genes, Scored, evolve
from train_tiny.search.evolution_config import Evolution

COUNTS = (4, 4, 4, 4, 4, 4, 3, 3)


def fits(genes: Genes) -> bool:
    """A budget: no more than a third of the space is within it."""
    return sum(genes) <= 10


def score(genes: Genes) -> float:
    """A landscape with a slope, and neighbours that must agree."""
    return sum(genes) + 2.0 * sum(a == b for a, b in pairwise(genes))


def run(how: Evolution) -> tuple[list[Scored], list[Genes]]:
    asked: list[Genes] = []

    def ask(genes: Genes) -> float:
        asked.append(genes)
        return score(genes)

    return list(evolve(how, COUNTS, fits, ask))[-1], asked


def test_it_stays_within_its_budget_and_asks_once() -> None:
    found, asked = run(Evolution(rounds=6))
    assert all(fits(genes) for genes in asked)
    assert len(set(asked)) == len(asked) == len(found)
    assert {s.genes for s in found} == set(asked)
    assert [s.score for s in found] == sorted((score(g) for g in asked), reverse=True)


def test_it_is_the_same_every_time_and_another_with_another_seed() -> None:
    how = Evolution(population=12, rounds=5, seed=3)
    assert run(how) == run(how)
    assert run(how) != run(Evolution(population=12, rounds=5, seed=4))


def test_it_finds_more_than_chance() -> None:
    """The best of as many random individuals within the budget, for ten seeds."""
    within = np.array([score(g) for g in product(*(range(n) for n in COUNTS)) if fits(g)])
    rng = np.random.default_rng(0)
    ours, chance = [], []
    for seed in range(10):
        found, asked = run(Evolution(population=20, rounds=15, seed=seed))
        ours.append(found[0].score)
        chance.append(rng.choice(within, len(asked), replace=False).max())
    assert np.mean(ours) > np.mean(chance)
    assert max(ours) == within.max()


def test_every_generation_is_told() -> None:
    how = Evolution(population=10, rounds=4)
    told = list(evolve(how, COUNTS, fits, score))
    assert len(told) == 5
    best = [ranked[0].score for ranked in told]
    assert best == sorted(best)
    assert {s.round for s in told[-1]} <= set(range(5))


def test_what_has_no_score_is_the_worst() -> None:
    how = Evolution(population=8, rounds=1)
    ranked = list(evolve(how, COUNTS, fits, lambda g: float("nan") if g[0] else 1.0))[-1]
    assert np.isneginf(ranked[-1].score) and ranked[0].genes[0] == 0


def test_a_budget_that_leaves_nothing() -> None:
    with pytest.raises(BadInput, match="allow more multiply-adds"):
        next(evolve(Evolution(), COUNTS, lambda g: False, score))
    for change in ({"population": 1}, {"rounds": -1}, {"mutated": 1.5}):
        with pytest.raises(BadInput):
            Evolution(**change)
