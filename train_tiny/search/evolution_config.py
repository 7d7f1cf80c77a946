"""The configuration of an evolutionary search: a dataclass alone, whose docstrings the command line
reads as help.
"""

from dataclasses import dataclass

from frames.errors import BadInput


@dataclass(frozen=True)
class Evolution:
    """How is searched. Raises BadInput for values that cannot be."""

    population: int = 40
    """Individuals of a generation."""
    rounds: int = 40
    """Generations after the first, which is drawn at random."""
    parents: float = 0.25
    """Share of the population, the best found so far, that the next one descends from."""
    mutated: float = 0.5
    """Share of the next generation that has one parent and changed genes; the others have two."""
    change: float = 0.1
    """How often a gene of a mutated one is drawn anew."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.population < 2 or self.rounds < 0 or self.seed < 0:
            raise BadInput(
                "population must be >= 2, rounds and seed >= 0, got"
                f" {self.population}, {self.rounds} and {self.seed}"
            )
        for name in ("parents", "mutated", "change"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"{name} must be 0 to 1, got {getattr(self, name)}")
