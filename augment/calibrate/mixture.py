"""One or two lengths in a correlation curve: fine noise and the waves that it rides on."""

from functools import lru_cache
from typing import Final

import numpy as np

from augment.calibrate.estimate import Floats
from augment.calibrate.variogram import SPACE_LAGS

_FINE: Final = np.geomspace(0.3, 12.0, 45)
_SMOOTH: Final = np.geomspace(3.0, 60.0, 40)
_APART: Final = 2.0
"""The smooth length must be so many fine ones: else the two cannot be told apart."""


def fit_lengths(curve: Floats) -> tuple[float, float, float, float]:
    """Fine and smooth length (px), the smooth share of the variance, how much better that is.

    The least squares fit of (1 - s) exp(-(r / fine)^2) + s exp(-(r / smooth)^2) to a correlation
    curve at `SPACE_LAGS`, by trying all pairs of lengths of a table 4 to 8 % apart and a parabola
    for the last bit of each. The last number is the squared residual of one length alone over that
    of two.
    """
    known = np.isfinite(curve)
    if np.count_nonzero(known) < 4:
        return float("nan"), float("nan"), float("nan"), 1.0
    fine, smooth = (t[:, known] for t in _tables())
    rho = curve[known]
    alone = float(np.square(rho - _tables()[0][:, known]).sum(-1).min())
    difference = smooth[None] - fine[:, None]
    left = rho - fine[:, None]
    square = np.maximum((difference**2).sum(-1), 1e-12)
    share = np.clip((difference * left).sum(-1) / square, 0.0, 1.0)
    rest = np.square(left - share[..., None] * difference).sum(-1)
    rest[_SMOOTH[None] < _APART * _FINE[:, None]] = np.inf
    i, j = np.unravel_index(int(np.argmin(rest)), rest.shape)
    if i in (0, len(_FINE) - 1) or j in (0, len(_SMOOTH) - 1):
        return float("nan"), float("nan"), float("nan"), 1.0  # the table's end is no bottom
    lengths = _sharpen(_FINE, rest[:, j], int(i)), _sharpen(_SMOOTH, rest[i], int(j))
    return *lengths, float(share[i, j]), alone / max(float(rest[i, j]), 1e-12)


@lru_cache(maxsize=1)
def _tables() -> tuple[Floats, Floats]:
    lags = np.array(SPACE_LAGS, np.float64)
    fine, smooth = (np.exp(-np.square(lags / t[:, None])) for t in (_FINE, _SMOOTH))
    return fine, smooth


def _sharpen(lengths: Floats, rest: Floats, at: int) -> float:
    """The length at the bottom of the parabola through three entries, in the logarithm."""
    if not 0 < at < len(lengths) - 1 or not np.isfinite(rest[at - 1 : at + 2]).all():
        return float(lengths[at])
    a, b, c = rest[at - 1 : at + 2]
    bend = a - 2.0 * b + c
    shift = 0.5 * (a - c) / bend if bend > 0 else 0.0
    step = float(np.log(lengths[1] / lengths[0]))
    return float(lengths[at] * np.exp(np.clip(shift, -0.5, 0.5) * step))
