"""The bands without a reading beside hands, and the baseline that their widths imply."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from augment.calibrate.estimate import DRAWS, Estimate, Floats, refuse
from augment.calibrate.hands import HandSums
from frames.stream import generator

_LEAST_ROWS: Final = 40
_TRIM: Final = 0.25
_SPREAD: Final = 0.25
"""Relative spread of 1/z_front - 1/z_back above which the width's offset is fitted too."""


def measure_bands(sums: HandSums | None, fx: float, draws: int = DRAWS) -> list[Estimate]:
    """Widths left and right, of the narrower and the wider band (px), by how much hands overhang
    their masks there (px), and the baseline that the wider one implies (m).

    The shadow lies on the side away from the second viewpoint: on the left of the hand for one at
    the right, whose baseline is positive. fx: focal length of the capture's image, px.
    """
    units = {"band_left": "px", "band_right": "px", "band_lit": "px"}
    units |= {"band_shadow": "px", "over_lit": "px", "over_shadow": "px", "shadow_baseline": "m"}
    if sums is None:
        why = "no hand stands out from what is behind it"
        return [refuse(n, u, why) for n, u in units.items()]
    bands = sums.bands
    out = []
    for side, name in enumerate(("band_left", "band_right")):
        mine = bands[bands[:, 0] == side]
        if len(mine) < _LEAST_ROWS:
            out.append(refuse(name, "px", _explain(len(mine))))
        else:
            basis = f"{len(mine):,} rows; {sums.basis}"
            value, error = _bootstrap(lambda b: _trim_mean(b[:, 2]), mine, name, draws)
            out.append(Estimate(name, "px", value, error, basis))
    left, right = out
    if left.value is None or right.value is None:
        why = left.why or right.why
        return [*out, *(refuse(n, u, why) for n, u in list(units.items())[2:])]
    lit, shaded = sorted((left, right), key=_width)
    out += [replace(lit, name="band_lit"), replace(shaded, name="band_shadow")]
    for name, one in (("over_lit", lit), ("over_shadow", shaded)):
        if not sums.marked:
            out.append(refuse(name, "px", "needs masks of the hands' true outlines"))
            continue
        mine = bands[bands[:, 0] == (one.name == "band_right")]
        value, error = _bootstrap(lambda b: float(b[:, 4].mean()), mine, name, draws)
        out.append(Estimate(name, "px", value, error, one.basis))
    return [*out, _imply_baseline(bands, fx, left, right, sums.basis, draws)]


def _width(band: Estimate) -> float:
    return float("inf") if band.value is None else band.value


def _imply_baseline(
    bands: Floats, fx: float, left: Estimate, right: Estimate, basis: str, draws: int
) -> Estimate:
    name = "shadow_baseline"
    assert left.value is not None and right.value is not None
    side = 0 if left.value >= right.value else 1
    across = bands[bands[:, 0] != side]
    other = _trim_mean(across[:, 2] + across[:, 4])
    sign = 1.0 if side == 0 else -1.0
    mine = bands[bands[:, 0] == side]
    low, middle, high = np.percentile(mine[:, 3], [10, 50, 90])
    free = high - low > _SPREAD * middle

    def imply(drawn: Floats) -> float:
        # What the hand has grown by is taken from the shadow.
        step, width = drawn[:, 3] * fx, drawn[:, 2] + drawn[:, 4]
        if not free:
            return sign * _trim_mean((width - other) / step)
        return sign * _fit_line(step, width)[0]

    value, error = _bootstrap(imply, mine, name, draws)
    if value * sign <= 0 or (draws and not value * sign > 3 * error):
        return refuse(name, "m", "the bands left and right do not differ as a shadow's would")
    how = "width against 1/z_front - 1/z_back" if free else "width less the other side's"
    return Estimate(name, "m", value, error, f"{len(mine):,} rows, {how}; {basis}")


def _fit_line(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and offset with the least absolute deviations, by reweighting."""
    weight = np.ones(len(x))
    slope, offset = 0.0, 0.0
    for _ in range(30):
        mx, my = (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()
        slope = float((weight * (x - mx) * (y - my)).sum() / (weight * (x - mx) ** 2).sum())
        offset = float(my - slope * mx)
        # Widths are whole pixels: what lies within one is no outlier.
        weight = 1.0 / np.maximum(np.abs(y - offset - slope * x), 1.0)
    return slope, offset


def _trim_mean(values: Floats) -> float:
    """The mean of the middle half: as robust as needed, and not a whole number."""
    ordered = np.sort(values)
    cut = int(len(ordered) * _TRIM)
    return float(ordered[cut : len(ordered) - cut].mean())


def _bootstrap(
    statistic: Callable[[Floats], float], rows: Floats, stage: str, draws: int
) -> tuple[float, float]:
    """A statistic of rows (n, 5) and its error, whole blocks (column 1) drawn again."""
    names = np.unique(rows[:, 1])
    blocks = [rows[rows[:, 1] == n] for n in names]
    drawn = []
    for i in range(draws if len(blocks) > 1 else 0):
        picks = generator(0, i, f"calibrate/bands/{stage}").integers(0, len(blocks), len(blocks))
        drawn.append(statistic(np.concatenate([blocks[k] for k in picks])))
    value = statistic(rows)
    return value, float(np.std(drawn, ddof=1)) if drawn else float("nan")


def _explain(rows: int) -> str:
    return f"{rows} rows have a hand before a background 5 cm behind it, {_LEAST_ROWS} are needed"
