"""Evolutionary search among rows of genes, under a budget (Real et al. 2018, arXiv 1802.01548; the
settings are those of LitePose, arXiv 2205.01271).

Every draw is a pure function of (seed, round, place, attempt), so a search whose scores were kept
goes on where it was by being played again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.stream import uniform
from train_tiny.search.evolution_config import Evolution

Genes = tuple[int, ...]

_STAGE = "search/evolution"

_ATTEMPTS = 10_000
"""Of one individual within the budget."""


@dataclass(frozen=True)
class Scored:
    """An individual and what became of it."""

    genes: Genes
    score: float
    round: int
    """The generation that it was first met in."""


def evolve(
    how: Evolution,
    counts: Sequence[int],
    fits: Callable[[Genes], bool],
    score: Callable[[Genes], float],
) -> Iterator[list[Scored]]:
    """All that were scored so far, the best first, after every generation.

    counts: of the options of each gene. fits: whether an individual is within the budget. score:
    asked once for each; not a number counts as the worst. Equal scores rank by the genes. Raises
    BadInput where the budget leaves nothing.
    """
    known: dict[Genes, Scored] = {}
    for number in range(how.rounds + 1):
        ranked = _rank(known)
        best = [s.genes for s in ranked[: max(2, round(how.parents * how.population))]]
        for place in range(how.population):
            genes = _breed(how, counts, fits, best, number, place)
            if genes not in known:
                found = score(genes)
                known[genes] = Scored(genes, found if found == found else -np.inf, number)
        yield _rank(known)


def _rank(known: dict[Genes, Scored]) -> list[Scored]:
    return sorted(known.values(), key=lambda s: (-s.score, s.genes))


def _breed(
    how: Evolution,
    counts: Sequence[int],
    fits: Callable[[Genes], bool],
    best: list[Genes],
    number: int,
    place: int,
) -> Genes:
    """One individual of a generation that is within the budget."""
    many = np.array(counts)
    mutated = place < round(how.mutated * how.population)
    key = number * how.population + place
    for attempt in range(_ATTEMPTS):
        u = uniform(how.seed, [key], _STAGE, 2 + 2 * len(many), attempt)[0]
        fresh = np.floor(u[2 : 2 + len(many)] * many).astype(int)
        coins = u[2 + len(many) :]
        if not best:
            genes = fresh
        elif mutated:
            genes = np.where(coins < how.change, fresh, _pick(best, u[0]))
        else:
            genes = np.where(coins < 0.5, _pick(best, u[0]), _pick(best, u[1]))
        row = tuple(int(g) for g in genes)
        if fits(row):
            return row
    raise BadInput(
        f"none of {_ATTEMPTS:,} subnets drawn is within the budget: allow more multiply-adds"
    )


def _pick(best: list[Genes], u: float) -> NDArray[np.int64]:
    return np.array(best[int(u * len(best))])
