"""Frames before and behind their sensors on one sheet, with a legend."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from frames.reasons import REASON_NAMES
from frames.record import Frame
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.reading_card import (
    FARTHER,
    GAP,
    NEARER,
    PANELS,
    REASON_COLORS,
    TEXT_SIZE,
    draw_reading_card,
    measure_error,
)

STEPS_MM: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Ranges that differences are shown over."""


def choose_range(frames: Sequence[Frame]) -> float:
    """Return over how many millimetres to show differences: those of most of the hands' pixels."""
    found = [np.abs(d[m]) for f in frames for d, m in [measure_error(f)] if m.any()]
    wanted = float(np.percentile(np.concatenate(found), 90)) if found else 0.0
    return next((step for step in STEPS_MM if step >= wanted), STEPS_MM[-1])


def draw_reading_sheet(frames: Sequence[Frame], columns: int = 1, title: str = "") -> np.ndarray:
    """Draw frames before and behind their sensors, with a legend; (H, W, 3) uint8.

    frames: one or more, with `depth`. columns: cards in a row.
    """
    range_mm = choose_range(frames)
    cards = [draw_reading_card(frame, range_mm) for frame in frames]
    columns = max(1, min(columns, len(cards)))
    heights = [
        max(len(card) for card in cards[i : i + columns]) + GAP
        for i in range(0, len(cards), columns)
    ]
    cell = max(card.shape[1] for card in cards) + 2 * GAP
    legend = draw_reading_legend(columns * cell, cards[0].shape[1], range_mm, title)
    sheet = draw.new_canvas(len(legend) + sum(heights), columns * cell, palette.INK)
    sheet[: len(legend)] = legend
    for i, card in enumerate(cards):
        top = len(legend) + sum(heights[: i // columns])
        left = GAP + (i % columns) * cell
        sheet[top : top + len(card), left : left + card.shape[1]] = card
    return sheet


def draw_reading_legend(width: int, card: int, range_mm: float, title: str = "") -> np.ndarray:
    """Return rows (H, width, 3) uint8 that name the panels of the first card and all colours."""
    entries = [name for name in REASON_NAMES if name != "read"]
    spots, x, y = [], GAP + 4, 62
    for name in entries:
        wide = 44 + draw.text_width(name.replace("_", " "), TEXT_SIZE)
        if x + wide > width and x > GAP + 4:
            x, y = GAP + 4, y + 26
        spots.append((x, y, name))
        x += wide
    y += 26
    rows = draw.new_canvas(y + 40, width, palette.INK)
    draw.draw_text(
        rows, title or "Before and behind the sensor", (GAP + 4, 30), palette.TEXT, 20, True
    )
    for x, top, name in spots:
        rows[top - 12 : top + 2, x : x + 22] = REASON_COLORS[name]
        draw.draw_text(rows, name.replace("_", " "), (x + 30, top), palette.MUTED, TEXT_SIZE)
    ramp = np.linspace(-1, 1, 160)[None, :, None]
    ends = np.where(ramp < 0, np.array(NEARER), np.array(FARTHER))
    paper = np.array(palette.PAPER)
    left = f"{range_mm:g} mm nearer"
    draw.draw_text(rows, left, (GAP + 4, y), palette.MUTED, TEXT_SIZE)
    x = GAP + 12 + draw.text_width(left, TEXT_SIZE)
    rows[y - 12 : y + 2, x : x + 160] = np.rint(paper + np.abs(ramp) * (ends - paper))
    draw.draw_text(rows, f"{range_mm:g} mm farther", (x + 168, y), palette.MUTED, TEXT_SIZE)
    step = (card + GAP) / 4
    for k, name in enumerate(PANELS):
        draw.draw_text(rows, name, (GAP + 4 + k * step, y + 32), palette.TEXT, TEXT_SIZE, True)
    return rows
