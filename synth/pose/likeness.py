"""How much a hand looks like a key pose: the distance over the angles that tell them apart."""

from typing import Final

import numba
import numpy as np

from synth.hand.angles import DOF
from synth.hand.bones import FINGERS

TELLING: Final = np.array(
    [DOF[f"thumb_{d}"] for d in ("cmc_flexion", "cmc_abduction", "mcp_flexion", "ip_flexion")]
    + [DOF[f"{f}_{d}"] for f in FINGERS for d in ("mcp_flexion", "pip_flexion")]
)
"""Thumb, knuckles and middle joints: fans and fingertips vary within a class."""


def nearest_key(angles: np.ndarray, table: np.ndarray) -> np.ndarray:
    """(N,) rad from angles (N, 29) to the nearest row of the table (K, 29): the root mean square
    over the angles that tell key poses apart."""
    return np.asarray(_root_mean_square(angles, table, TELLING))


@numba.njit(cache=True, nogil=True)
def _root_mean_square(angles, table, telling):  # type: ignore[no-untyped-def]
    out = np.empty(angles.shape[0])
    for h in range(angles.shape[0]):
        best = np.inf
        for k in range(table.shape[0]):
            total = 0.0
            for d in telling:
                total += (angles[h, d] - table[k, d]) ** 2
            best = min(best, total)
        out[h] = np.sqrt(best / telling.shape[0])
    return out
