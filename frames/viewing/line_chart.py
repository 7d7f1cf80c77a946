"""Line charts drawn with OpenCV alone, in the looks of `frames.viewing.chart`."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.canvas import Color
from frames.viewing.chart import FAINT, PANEL_HEIGHT, PANEL_WIDTH, choose_ticks

LINES: Final[tuple[Color, ...]] = (
    (92, 201, 184),
    (242, 167, 30),
    (230, 75, 53),
    (47, 141, 219),
    (163, 92, 204),
    (64, 178, 92),
    (198, 203, 210),
)
"""Colours of a panel's lines, in order."""

_LEFT, _TOP, _RIGHT, _BOTTOM = 62, 64, 20, 44


def draw_lines(
    title: str,
    lines: Mapping[str, tuple[ArrayLike, ArrayLike]],
    label: str,
    low: float | None = None,
    high: float | None = None,
    log: bool = False,
    marks: Sequence[float] = (),
) -> np.ndarray:
    """A panel (330, 560, 3) uint8 with named lines, each (x, y).

    label: what x is. low, high: ends of the y axis; those of the data if None. log: a logarithmic y
    axis (what is not positive is left out). marks: upright lines at these x. NaN breaks a line.
    """
    panel = draw.new_canvas(PANEL_HEIGHT, PANEL_WIDTH, palette.PAPER)
    draw.draw_text(panel, title, (16, 26), palette.TEXT, 17, bold=True)
    found = {}
    for name, (x, y) in lines.items():
        across, up = np.asarray(x, np.float64), np.asarray(y, np.float64)
        up = np.where(up > 0, up, np.nan) if log else up
        if np.isfinite(up).any():
            found[name] = across, np.log10(up) if log else up
    if not found:
        middle = (PANEL_WIDTH / 2, PANEL_HEIGHT / 2)
        draw.draw_text(panel, "no numbers", middle, palette.MUTED, 15, align="center")
        return panel
    xs = np.concatenate([x for x, _ in found.values()])
    ys = np.concatenate([y[np.isfinite(y)] for _, y in found.values()])
    first, last = float(xs.min()), float(xs.max())
    bottom = float(ys.min()) if low is None else low
    top = float(ys.max()) if high is None else high
    if top - bottom < 1e-9:
        bottom, top = bottom - 0.5 * abs(bottom) - 1e-6, top + 0.5 * abs(top) + 1e-6
    width, height = PANEL_WIDTH - _LEFT - _RIGHT, PANEL_HEIGHT - _TOP - _BOTTOM

    def put(x: float, y: float) -> np.ndarray:
        across = (x - first) / max(last - first, 1e-12)
        return np.array([_LEFT + across * width, _TOP + (top - y) / (top - bottom) * height])

    for tick in _choose_powers(bottom, top) if log else choose_ticks(bottom, top, 5):
        y = float(put(first, tick)[1])
        draw.draw_line(panel, np.array([_LEFT, y]), np.array([_LEFT + width, y]), FAINT, 1)
        said = _say(10**tick if log else tick)
        draw.draw_text(panel, said, (_LEFT - 8, y + 5), palette.MUTED, 13, align="right")
    for tick in choose_ticks(first, last, 6):
        x = float(put(tick, bottom)[0])
        where = (x, PANEL_HEIGHT - _BOTTOM + 18)
        draw.draw_text(panel, _say(tick), where, palette.MUTED, 13, align="center")
    for mark in marks:
        draw.draw_line(panel, put(mark, bottom), put(mark, top), palette.MUTED, 1)
    at = _LEFT
    for k, (name, (x, y)) in enumerate(found.items()):
        color = LINES[k % len(LINES)]
        points = [put(float(a), float(np.clip(b, bottom, top))) for a, b in zip(x, y, strict=True)]
        for a, b in itertools.pairwise(points):
            draw.draw_line(panel, a, b, color, 2)
        if len(points) == 1:
            draw.draw_dot(panel, points[0], 3.0, color)
        draw.draw_line(panel, np.array([at, 45.0]), np.array([at + 14.0, 45.0]), color, 3)
        draw.draw_text(panel, name, (at + 20, 50), palette.MUTED, 13)
        at += 34 + draw.text_width(name, 13)
    middle = (_LEFT + width / 2, PANEL_HEIGHT - 8)
    draw.draw_text(panel, label, middle, palette.MUTED, 13, align="center")
    return panel


def join_panels(panels: Sequence[np.ndarray], columns: int, gap: int = 16) -> np.ndarray:
    """Panels of one size as one picture, row by row."""
    height, width = panels[0].shape[:2]
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    size = rows * (height + gap) + gap, columns * (width + gap) + gap
    page = draw.new_canvas(*size, palette.INK)
    for k, panel in enumerate(panels):
        y, x = gap + (k // columns) * (height + gap), gap + (k % columns) * (width + gap)
        page[y : y + height, x : x + width] = panel
    return page


def _choose_powers(low: float, high: float) -> np.ndarray:
    """Logarithms of 1, 2 and 5 times powers of ten within [low, high], six at most; else of any."""
    steps = np.log10([1.0, 2.0, 5.0])
    powers = np.arange(np.floor(low), np.ceil(high) + 1)
    every = (powers[:, None] + steps).ravel()
    for ticks in (every, powers):
        inside = ticks[(ticks >= low - 1e-9) & (ticks <= high + 1e-9)]
        if 2 <= len(inside) <= 6:
            return np.asarray(inside)
    return choose_ticks(low, high, 5)


def _say(value: float) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g} M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:.3g} k"
    return f"{value:.3g}" if abs(value) > 1e-12 else "0"
