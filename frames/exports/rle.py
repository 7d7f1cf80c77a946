"""Masks as COCO has them: run lengths down the columns, packed into letters.

The format of cocodataset's mask API (pycocotools, `maskApi.c`, rleToString): a count that is not
one of the first three is stored as the difference from the one two before, in groups of five bits,
lowest first, each a letter from "0" on; the sixth bit says that more follow.
"""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray


def encode_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask (H, W) as {"size": [H, W], "counts": letters}."""
    height, width = mask.shape
    return {"size": [height, width], "counts": pack_counts(count_runs(mask))}


def count_runs(mask: NDArray[np.bool_]) -> list[int]:
    """Lengths of runs down the columns, of nothing and of the mask in turn, nothing first."""
    flat = np.ascontiguousarray(mask.T).ravel().view(np.int8)
    edges = np.flatnonzero(np.diff(flat, prepend=0)).tolist()
    bounds = [0, *edges, flat.size]
    return [b - a for a, b in itertools.pairwise(bounds)]


def pack_counts(counts: list[int]) -> str:
    """Run lengths as letters."""
    letters = []
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            low = value & 0x1F
            value >>= 5
            more = value != (-1 if low & 0x10 else 0)
            letters.append(chr(48 + (low | 0x20 if more else low)))
    return "".join(letters)
