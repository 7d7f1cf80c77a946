"""The report of an evaluation: one HTML page with its numbers, charts and pictures in it."""

import functools
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.report.document import (
    Section,
    format_table,
    render_grid,
    render_table,
    render_tiles,
    say_number,
    say_words,
    write_document,
)
from frames.skeleton import KEYPOINT_COLORS, KEYPOINTS
from frames.viewing import canvas as draw
from frames.viewing import chart, palette
from frames.viewing.canvas import Color
from frames.viewing.line_chart import draw_lines
from train_tiny.evaluation.metrics import STANDARD, THRESHOLDS, measure_pck
from train_tiny.evaluation.overlays import choose_hands, draw_hand
from train_tiny.evaluation.scores import Scores

HANDS: Final = 12
"""Pictures of each kind."""

COLUMNS: Final = (
    ("hands", "hands", "{:,.0f}"),
    ("pck", "PCK@0.2", "{:.3f}"),
    ("auc", "AUC", "{:.3f}"),
    ("epe_px", "px", "{:.2f}"),
    ("epe_mm", "mm, 3D", "{:.1f}"),
    ("epe_across_mm", "mm, across", "{:.1f}"),
    ("epe_depth_mm", "mm, depth", "{:.1f}"),
    ("epe_wrist_mm", "mm, from the wrist", "{:.1f}"),
)

_WORDS: Final = (
    "Palm: wrist to the middle finger's MCP in the picture, pixels of the crop. PCK@0.2: share of"
    " labelled keypoints within 0.2 palms of their label. AUC: area under PCK from 0 to 0.5 palms."
    " 3D: places in the camera's axes; across: what the pixel's error alone costs; depth: along the"
    " axis; from the wrist: places relative to the wrist's, both as found and as labelled."
)


def write_report(
    path: Path, title: str, found: Mapping[str, Any], scores: Scores, images: NDArray[np.uint8]
) -> None:
    """Write the page.

    found: of `train_tiny.evaluation.scores.summarise`. images: (M, S, S) uint8 crops.
    Raises BadInput for a path that does not end in .html, or cannot be written.
    """
    write_document(path, title, "", list_sections(found, scores, images))


def list_sections(
    found: Mapping[str, Any], scores: Scores, images: NDArray[np.uint8]
) -> list[Section]:
    """The evaluation in numbers, charts, hands that went well and badly, and by groups."""
    tiles = {head: say_number(found, key, form) for key, head, form in COLUMNS[:5]}
    words = [say_words(_WORDS), say_words(_say_heads(found))]
    charts = render_grid(_draw_charts(found, scores), chart.PANEL_WIDTH)
    table = render_table("", {"all": found}, COLUMNS)
    hands = []
    for kind, rows in choose_hands(scores, HANDS, len(images)).items():
        if rows:
            cards = [draw_hand(scores, row, images[row]) for row in rows]
            hands += [f"<h3>The {kind}</h3>", render_grid(cards, cards[0].shape[1], False)]
    groups = [
        f"<h3>By {html.escape(name)}</h3>" + render_table(name, rows, COLUMNS)
        for name, rows in found["by"].items()
        if rows
    ]
    note = say_words("White: labels, rings where hidden. Coloured: found.")
    return [
        Section("Scores", (render_tiles(tiles), table, *words, charts)),
        Section("Best, median and worst hands", (note, *hands) if hands else ()),
        Section("Scores of groups", tuple(groups)),
    ]


def format_summary(found: Mapping[str, Any]) -> str:
    """The numbers that a terminal shows."""
    rows = {"all": found, **found["by"]["visibility"]}
    for name in ("sensor", "situation"):
        if len(found["by"][name]) > 1:
            rows |= found["by"][name]
    return f"{format_table(rows, COLUMNS)}\n{_say_heads(found)}"


def _say_heads(found: Mapping[str, Any]) -> str:
    said = []
    for name, key in (("visibility", "visibility"), ("side", "side"), ("key pose", "key_pose")):
        if found[key]["count"]:
            said.append(
                f"{name} {found[key]['accuracy']:.1%} right"
                f" ({found[key]['balanced']:.1%} over classes)"
            )
    if np.isfinite(found["mask_iou"]):
        said.append(f"mask IoU {found['mask_iou']:.3f}")
    said.append(f"PCK@0.2 of palms face on {found['pck_plane']:.3f}")
    return "; ".join(said)


def _draw_charts(found: Mapping[str, Any], scores: Scores) -> list[np.ndarray]:
    palms, curves = scores.error_palms, {}
    curves["all"] = (THRESHOLDS, found["curve"]["pck"])
    for name, value in (("visible", 1), ("occluded", 0)):
        chosen = scores.seen == value
        if chosen.any():
            curves[name] = (THRESHOLDS, measure_pck(palms[chosen], THRESHOLDS))
    panels = [draw_lines("PCK", curves, "palms", low=0.0, high=1.0, marks=(STANDARD,))]
    sensors = list(found["by"]["sensor"])[:6]
    if len(sensors) > 1:
        by = {
            name: (THRESHOLDS, measure_pck(palms[scores.sensor == name], THRESHOLDS))
            for name in sensors
        }
        panels.append(draw_lines("PCK of each sensor", by, "palms", low=0.0, high=1.0))
    for name, groups in found["by"].items():
        known = {k: v["pck"] for k, v in groups.items() if np.isfinite(v["pck"])}
        if len(known) < 2 or name == "sensor":
            continue
        colors = dict(zip(known, KEYPOINT_COLORS, strict=False)) if name == "keypoint" else {}
        shown = dict(list(known.items())[:KEYPOINTS])
        panels.append(
            chart.draw_bars(
                f"PCK@0.2 by {name}",
                shown,
                color=functools.partial(_find_color, colors),
                most=KEYPOINTS,
                full=1.0,
            )
        )
    if found["key_pose"]["count"]:
        panels.append(draw_confusion(found["key_pose"]["confusion"], found["key_pose"]["classes"]))
    return panels


def _find_color(colors: Mapping[str, Color], name: str) -> Color:
    return colors.get(name, chart.BAR)


def draw_confusion(table: Sequence[Sequence[int]], names: Sequence[str]) -> np.ndarray:
    """A panel of a confusion matrix: rows are labels, each summing to 1."""
    panel = draw.new_canvas(chart.PANEL_HEIGHT, chart.PANEL_WIDTH, palette.PAPER)
    draw.draw_text(panel, "Key poses: labels down, found across", (16, 26), palette.TEXT, 17, True)
    counts = np.array(table, float)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    left, top, size = 96, 66, (chart.PANEL_HEIGHT - 76) / len(names)
    wide = (chart.PANEL_WIDTH - left - 16) / len(names)
    for i, name in enumerate(names):
        y = top + (i + 0.5) * size + 5
        draw.draw_text(panel, name, (left - 10, y), palette.MUTED, 13, align="right")
        x = left + (i + 0.5) * wide
        draw.draw_text(panel, name, (x, top - 8), palette.MUTED, 13, align="center")
        for j, share in enumerate(shares[i]):
            y0, x0 = round(top + i * size), round(left + j * wide)
            y1, x1 = round(top + (i + 1) * size) - 2, round(left + (j + 1) * wide) - 2
            mixed = np.array(chart.FAINT) * (1 - share) + np.array(chart.BAR) * share
            panel[y0:y1, x0:x1] = np.rint(mixed)
            if share >= 0.005:
                place = ((x0 + x1) / 2, (y0 + y1) / 2 + 5)
                ink = palette.INK if share > 0.5 else palette.TEXT
                draw.draw_text(panel, f"{share:.0%}", place, ink, 12, align="center")
    return panel
