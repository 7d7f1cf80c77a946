"""One panel with curves and points on two axes, drawn with OpenCV alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from augment.calibrate.estimate import Floats
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.canvas import Color
from frames.viewing.chart import FAINT, PANEL_HEIGHT, PANEL_WIDTH, choose_ticks

REAL: Color = (245, 190, 110)
MADE: Color = (92, 201, 184)
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 46, 20, 48


@dataclass(frozen=True)
class Series:
    """Points (n,) of one colour; NaN ones are left out."""

    x: Floats
    y: Floats
    color: Color
    line: bool = True
    dots: bool = True
    width: int = 2
    error: Floats | None = None
    """Standard errors of y, drawn twice as long up and down."""


@dataclass(frozen=True)
class Axes:
    """What a panel is of."""

    title: str
    note: str
    x_label: str
    y_label: str
    logarithmic: bool = False
    """Both axes; else y begins at 0 or below."""


def draw_panel(axes: Axes, series: Sequence[Series]) -> np.ndarray:
    """A panel (PANEL_HEIGHT, PANEL_WIDTH, 3) uint8; one without a point says so."""
    panel = draw.new_canvas(PANEL_HEIGHT, PANEL_WIDTH, palette.PAPER)
    draw.draw_text(panel, axes.title, (16, 26), palette.TEXT, 17, bold=True)
    known = [_keep_known(axes, s) for s in series]
    known = [s for s in known if len(s.x)]
    if not known:
        middle = (PANEL_WIDTH / 2, PANEL_HEIGHT / 2)
        why = axes.note or "not measured"
        draw.draw_text(panel, why, middle, palette.MUTED, 15, align="center")
        return panel
    draw.draw_text(panel, axes.note, (PANEL_WIDTH - 16, 26), palette.MUTED, 14, align="right")
    x_low, x_high = _find_range(np.concatenate([s.x for s in known]), axes.logarithmic)
    y_low, y_high = _find_range(np.concatenate([s.y for s in known]), axes.logarithmic)
    wide, high = PANEL_WIDTH - _LEFT - _RIGHT, PANEL_HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> np.ndarray:
        across = (_bend(x, axes.logarithmic) - x_low) / max(x_high - x_low, 1e-12)
        up = (_bend(y, axes.logarithmic) - y_low) / max(y_high - y_low, 1e-12)
        return np.array([_LEFT + across * wide, _TOP + (1.0 - up) * high])

    for tick in _list_ticks(y_low, y_high, axes.logarithmic, 5):
        y = place(10**x_low if axes.logarithmic else x_low, tick)[1]
        draw.draw_line(panel, np.array([_LEFT, y]), np.array([_LEFT + wide, y]), FAINT)
        draw.draw_text(panel, f"{tick:.3g}", (_LEFT - 8, y + 5), palette.MUTED, 13, align="right")
    for tick in _list_ticks(x_low, x_high, axes.logarithmic, 8):
        x = place(tick, 10**y_low if axes.logarithmic else y_low)[0]
        spot = (x, _TOP + high + 18)
        draw.draw_text(panel, f"{tick:.3g}", spot, palette.MUTED, 13, align="center")
    middle = (_LEFT + wide / 2, PANEL_HEIGHT - 8)
    draw.draw_text(panel, axes.x_label, middle, palette.MUTED, 13, align="center")
    draw.draw_text(panel, axes.y_label, (_LEFT + 6, _TOP + 12), palette.MUTED, 13)
    for one in known:
        spots = [place(x, y) for x, y in zip(one.x, one.y, strict=True)]
        if one.line:
            for a, b in pairwise(spots):
                draw.draw_line(panel, a, b, one.color, one.width)
        if one.error is not None:
            for x, y, e in zip(one.x, one.y, np.nan_to_num(one.error), strict=True):
                low = max(y - 2 * e, 10**y_low if axes.logarithmic else y_low)
                draw.draw_line(panel, place(x, low), place(x, y + 2 * e), one.color)
        if one.dots:
            for at in spots:
                draw.draw_dot(panel, at, 3.0 + one.width / 2, one.color)
    return panel


def _keep_known(axes: Axes, one: Series) -> Series:
    good = np.isfinite(one.x) & np.isfinite(one.y)
    if axes.logarithmic:
        good &= (one.x > 0) & (one.y > 0)
    error = None if one.error is None else one.error[good]
    return replace(one, x=one.x[good], y=one.y[good], error=error)


def _bend(value: float, logarithmic: bool) -> float:
    return float(np.log10(max(value, 1e-12))) if logarithmic else value


def _find_range(values: Floats, logarithmic: bool) -> tuple[float, float]:
    if logarithmic:
        low, high = float(np.log10(values.min())), float(np.log10(values.max()))
        margin = 0.08 * max(high - low, 0.3)
        return low - margin, high + margin
    low, high = min(0.0, float(values.min())), float(values.max())
    margin = 0.1 * max(high - low, 1e-9)
    return low - margin * (low < 0), high + margin


def _list_ticks(low: float, high: float, logarithmic: bool, about: int) -> Floats:
    if not logarithmic:
        ticks = choose_ticks(low, high, about)
        return np.where(np.abs(ticks) < 1e-9 * (high - low), 0.0, ticks)
    values = [
        m * 10.0**k
        for k in range(int(np.floor(low)), int(np.ceil(high)) + 1)
        for m in ((1, 2, 5) if high - low > 1.2 else (1, 1.5, 2, 3, 4, 5, 6, 8))
    ]
    return np.array([v for v in values if low <= np.log10(v) <= high])
