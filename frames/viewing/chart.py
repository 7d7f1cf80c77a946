"""Chart panels drawn with OpenCV alone: histograms, bars, maps of directions, ranges of angles."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from frames.skeleton import FINGER_COLORS
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.canvas import Color

PANEL_WIDTH, PANEL_HEIGHT = 560, 330
_MARGIN = (58, 46, 20, 44)
"""Left, top, right, bottom of a panel's plot area, pixels."""

BAR: Color = (92, 201, 184)
FAINT: Color = (52, 60, 72)


def _new_panel(title: str, note: str = "", width: int = PANEL_WIDTH) -> np.ndarray:
    panel = draw.new_canvas(PANEL_HEIGHT, width, palette.PAPER)
    draw.draw_text(panel, title, (16, 26), palette.TEXT, 17, bold=True)
    below = draw.text_width(title, 17, bold=True) + draw.text_width(note) + 44 > width
    place = (16, 42) if below else (width - 16, 26)
    draw.draw_text(panel, note, place, palette.MUTED, 14, align="left" if below else "right")
    return panel


def choose_ticks(low: float, high: float, about: int = 6) -> np.ndarray:
    """Return round values (1, 2 or 5 times a power of ten apart) within [low, high]."""
    span = max(high - low, 1e-12)
    power = 10.0 ** np.floor(np.log10(span / about))
    step = next(m * power for m in (1, 2, 5, 10) if span / (m * power) <= about)
    return np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step


def _say(value: float) -> str:
    return f"{value:.3g}" if abs(value) > 1e-9 else "0"


def draw_histogram(
    title: str, summary: Mapping[str, Any], label: str, factor: float = 1.0
) -> np.ndarray:
    """Draw a tally's summary as bars with axes; the median is marked, values times factor."""
    if not summary["count"]:
        return _draw_empty(title)
    edges = np.array(summary["edges"]) * factor
    heights = np.array(summary["counts"], float) / max(1, summary["count"])
    p5, median, p95 = (summary[k] * factor for k in ("p5", "median", "p95"))
    note = f"median {_say(median)}, 90 % in {_say(p5)} to {_say(p95)}"
    panel = _new_panel(title, note)
    left, top, right, bottom = _MARGIN
    width, height = PANEL_WIDTH - left - right, PANEL_HEIGHT - top - bottom
    floor = top + height
    full = float(heights.max())
    span = max(edges[-1] - edges[0], 1e-12)
    for tick in choose_ticks(0, full * 100, 4):
        y = floor - tick / 100 / full * height
        _draw_rule(panel, (left, y), (left + width, y))
        draw.draw_text(
            panel, f"{_say(tick)} %", (left - 8, y + 5), palette.MUTED, 13, align="right"
        )
    places = left + (edges - edges[0]) / span * width
    for x0, x1, share in zip(places[:-1], places[1:], heights, strict=True):
        _fill(panel, x0 + 0.5, floor - share / full * height, max(x1 - 0.5, x0 + 1), floor, BAR)
    for tick in choose_ticks(edges[0], edges[-1], 7):
        x = left + (tick - edges[0]) / span * width
        draw.draw_text(panel, _say(tick), (x, floor + 18), palette.MUTED, 13, align="center")
    x = left + (median - edges[0]) / span * width
    draw.draw_line(panel, np.array([x, top]), np.array([x, floor]), palette.TEXT, 1)
    middle = (left + width / 2, PANEL_HEIGHT - 8)
    draw.draw_text(panel, label, middle, palette.MUTED, 13, align="center")
    return panel


def draw_bars(
    title: str,
    values: Mapping[str, float],
    note: str = "",
    color: Callable[[str], Color] = lambda name: BAR,
    most: int = 12,
    full: float = 0.0,
) -> np.ndarray:
    """Draw named shares (they need not add up to 1) as horizontal bars, at most so many.

    full: what the longest bar stands for; 0 for the greatest share.
    """
    if not values:
        return _draw_empty(title)
    items = list(values.items())
    if len(items) > most:
        rest = items[most - 1 :]
        items = [*items[: most - 1], (f"{len(rest)} others", sum(v for _, v in rest))]
    panel = _new_panel(title, note)
    name_width = min(170, 14 + max(draw.text_width(_plain(name), 14) for name, _ in items))
    top, left = _MARGIN[1], 16 + name_width
    room = PANEL_WIDTH - left - 84
    row = min(48.0, (PANEL_HEIGHT - top - 14) / len(items))
    full = full or max(1e-12, *(v for _, v in items))
    for i, (name, value) in enumerate(items):
        y = top + i * row
        size = int(min(14, row - 1))
        base = y + row / 2 + size * 0.36
        draw.draw_text(panel, _plain(name), (left - 8, base), palette.TEXT, size, align="right")
        end = left + max(1.0, value / full * room)
        _fill(panel, left, y + row * 0.16, end, y + row * 0.84, color(name))
        draw.draw_text(panel, f"{value:.1%}", (end + 8, base), palette.MUTED, size)
    return panel


def draw_directions(title: str, counts: Sequence[Sequence[int]]) -> np.ndarray:
    """Draw a map (elevation, azimuth) of directions, each cell as dense as its solid angle says."""
    grid = np.array(counts, float)
    if not grid.sum():
        return _draw_empty(title)
    rows = len(grid)
    # A cell near a pole covers less of the sphere: divide by the solid angle.
    bounds = np.cos(np.linspace(0, np.pi, rows + 1))
    density = grid / (bounds[:-1] - bounds[1:])[:, None]
    density /= density.max()
    colors = palette.DEPTH_RAMP[np.rint(np.sqrt(density) * 255).astype(int)]
    panel = _new_panel(title, "seen from the camera")
    left, top = 58, _MARGIN[1]
    width, height = PANEL_WIDTH - left - 20, PANEL_HEIGHT - top - 44
    picture = cv2.resize(colors, (width, height), interpolation=cv2.INTER_NEAREST)
    panel[top : top + height, left : left + width] = picture
    for share, name in ((0.0, "up"), (0.5, "level"), (1.0, "down")):
        y = top + share * height + (5 if share == 0.5 else 12 - 12 * share)
        draw.draw_text(panel, name, (left - 8, y), palette.MUTED, 13, align="right")
        if share == 0.5:
            _draw_rule(panel, (left, top + height / 2), (left + width, top + height / 2))
    words = ("to the camera", "left", "away", "right", "to the camera")
    for share, name in zip((0.0, 0.25, 0.5, 0.75, 1.0), words, strict=True):
        align = {0.0: "left", 1.0: "right"}.get(share, "center")
        place = (left + share * width, top + height + 18)
        draw.draw_text(panel, name, place, palette.MUTED, 13, align=align)
        x = left + share * width
        if 0 < share < 1:
            _draw_rule(panel, (x, top), (x, top + height))
    return panel


def draw_angles(angles: Sequence[Mapping[str, Any]], width: int) -> np.ndarray:
    """Draw each joint angle's range: thin line all, thick line 5 % to 95 %, dot median; degrees."""
    known = [a for a in angles if a["count"]]
    row = 21
    panel = draw.new_canvas(84 + row * len(known), width, palette.PAPER)
    draw.draw_text(panel, "Joint angles, degrees", (16, 26), palette.TEXT, 17, bold=True)
    note = "thin: all, thick: 5 % to 95 %, dot: median"
    draw.draw_text(panel, note, (width - 16, 26), palette.MUTED, 14, align="right")
    if not known:
        return panel
    left, right, top = 190, 40, 46
    low = min(float(np.degrees(a["min"])) for a in known)
    high = max(float(np.degrees(a["max"])) for a in known)
    span = max(high - low, 1e-9)

    def place(angle_rad: float) -> float:
        return left + (float(np.degrees(angle_rad)) - low) / span * (width - left - right)

    floor = top + row * len(known)
    for tick in choose_ticks(low, high, 14):
        x = left + (tick - low) / span * (width - left - right)
        _draw_rule(panel, (x, top), (x, floor))
        draw.draw_text(panel, _say(tick), (x, floor + 20), palette.MUTED, 13, align="center")
    for i, angle in enumerate(known):
        y = top + (i + 0.5) * row
        color = FINGER_COLORS.get(angle["name"].split("_")[0], palette.MUTED)
        name = _plain(angle["name"])
        draw.draw_text(panel, name, (left - 12, y + 5), palette.TEXT, 14, align="right")
        ends = [np.array([place(angle[k]), y]) for k in ("min", "max", "p5", "p95", "median")]
        draw.draw_line(panel, ends[0], ends[1], color, 1)
        draw.draw_line(panel, ends[2], ends[3], color, 7)
        draw.draw_dot(panel, ends[4], 4.5, palette.INK)
        draw.draw_dot(panel, ends[4], 3.2, palette.TEXT)
    return panel


def _draw_empty(title: str) -> np.ndarray:
    panel = _new_panel(title)
    place = (PANEL_WIDTH / 2, PANEL_HEIGHT / 2)
    draw.draw_text(panel, "no such labels", place, palette.MUTED, 15, align="center")
    return panel


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _draw_rule(panel: np.ndarray, a: tuple[float, float], b: tuple[float, float]) -> None:
    draw.draw_line(panel, np.array(a), np.array(b), FAINT, 1)


def _fill(panel: np.ndarray, x0: float, y0: float, x1: float, y1: float, color: Color) -> None:
    panel[round(y0) : round(y1), round(x0) : round(x1)] = color
