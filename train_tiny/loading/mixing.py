"""Several sources in one stream: how many crops of each round come from which.

A round is a number of batches that are made together. Every round has the sources in their shares
to the crop; what a share has beyond whole crops is handed out so that any run of rounds has it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.store.place import find_place
from train_tiny.loading.live import LiveSource
from train_tiny.loading.sources import Source, StoredSource
from train_tiny.loading.taking import Taking
from train_tiny.specs import LIVE

_TURN: Final = 0.6180339887498949
"""The golden ratio's fraction: its multiples fill [0, 1) evenly however many there are."""


@dataclass(frozen=True)
class Mix:
    """What is trained on, opened by `open_sources`."""

    specs: tuple[str, ...]
    """Dataset folders or s3:// places, and `live:CONFIG.toml`."""
    shares: tuple[float, ...] | None
    """Of the crops, summing to 1; None: everything as often as anything else."""
    _opened: dict[tuple[str | None, Taking | None, str], "Sources"] = field(
        default_factory=dict, repr=False, compare=False
    )

    def open(self, split: str | None, taking: Taking | None, sensor: str = "") -> "Sources":
        """The sources of a split; taking: None for whole frames. sensor: see `StoredSource`.

        Raises BadInput for one that cannot be.
        """
        key = split, taking, sensor
        if key not in self._opened:
            opened: list[Source] = []
            for spec in self.specs:
                if spec.startswith(LIVE):
                    opened.append(LiveSource(Path(spec.removeprefix(LIVE)), split, taking))
                else:
                    opened.append(StoredSource(find_place(spec), split, taking, sensor))
            self._opened[key] = Sources(tuple(opened), self.shares)
        return self._opened[key]


class Sources:
    """Opened sources and their shares."""

    def __init__(self, sources: tuple[Source, ...], shares: tuple[float, ...] | None) -> None:
        self.sources = sources
        sizes = np.array([s.crops for s in sources], np.float64)
        self.shares = sizes / sizes.sum() if shares is None else np.array(shares)
        # Until everything was met once: what is small comes again meanwhile.
        self.crops = int(np.ceil(np.max(sizes / self.shares) - 1e-6))

    def split_round(self, number: int, size: int, part: int | None = None) -> list[tuple[int, int]]:
        """Of each source, which of its crops the round `number` of `size` has: first, stop.

        part: so many in all, for a last round that is not full.
        """
        before = _count_before(self.shares, number, size)
        if part is None or part == size:
            stops = _count_before(self.shares, number + 1, size)
        else:
            own = _count_before(self.shares, 1, part)
            stops = [first + count for first, count in zip(before, own, strict=True)]
        return list(zip(before, stops, strict=True))


def open_sources(specs: Sequence[str | Path], shares: Sequence[float] | None = None) -> Mix:
    """What is to be trained on: folders of datasets, and `live:CONFIG.toml` for frames rendered as
    they are consumed.

    shares: of each in the crops, any positive numbers (0.8, 0.2 or 4, 1). Raises BadInput for none,
    for shares that do not match, and for what is no dataset or configuration.
    """
    names = tuple(str(s) for s in specs)
    if not names:
        raise BadInput("no data to train on: name a dataset folder or live:CONFIG.toml")
    if shares is not None:
        if len(shares) != len(names):
            raise BadInput(
                f"the mix must have one share for each of {len(names)} datasets, got"
                f" {len(shares)}: {','.join(f'{s:g}' for s in shares)}"
            )
        if not all(0 < s < np.inf for s in shares):
            raise BadInput(f"shares of a mix must be > 0, got {','.join(f'{s:g}' for s in shares)}")
        shares = tuple(float(s / sum(shares)) for s in shares)
    return Mix(names, shares)


def _count_before(shares: NDArray[np.float64], number: int, size: int) -> list[int]:
    """How many crops of each source the rounds before `number` have."""
    wanted = shares * size
    whole = np.floor(wanted + 1e-9).astype(np.int64)
    left = int(size - whole.sum())
    ends = np.cumsum(np.maximum(wanted - whole, 0.0))
    ends = ends / ends[-1] * left if left else ends * 0.0
    # Systematic sampling: of `left` points one apart, those within a source's stretch are its own.
    start = (0.5 + _TURN * np.arange(number))[:, None] % 1.0
    upto = np.ceil(ends - start - 1e-12).clip(0, left)
    upto[:, -1] = left
    extra = np.diff(upto, axis=1, prepend=0).sum(0).astype(np.int64)
    return [int(n) for n in whole * number + extra]
