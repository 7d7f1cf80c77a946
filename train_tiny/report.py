"""The report of an evaluation: one HTML page with its numbers, charts and pictures in it."""

import base64
import functools
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from frames import canvas as draw
from frames import chart, palette
from frames.canvas import Color
from frames.disk import write_file
from frames.errors import BadInput
from frames.skeleton import KEYPOINT_COLORS, KEYPOINTS
from train_tiny.line_chart import draw_lines, join_panels
from train_tiny.metrics import STANDARD, THRESHOLDS, measure_pck
from train_tiny.overlays import choose_hands, draw_hands
from train_tiny.scores import Scores

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

_STYLE: Final = """
body{background:#0e1116;color:#e2e8f0;font:15px/1.5 system-ui,sans-serif}
body{margin:0 auto;max-width:1720px;padding:24px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:34px 0 8px}
p{color:#8a96a6;max-width:90ch;margin:4px 0 14px}
table{border-collapse:collapse;background:#181c23;margin:0 0 18px}
table{font-variant-numeric:tabular-nums}
td,th{padding:4px 14px;text-align:right;border-bottom:1px solid #343c48}
th{color:#8a96a6;font-weight:500}td:first-child,th:first-child{text-align:left}
img{max-width:100%;display:block}
"""

_WORDS: Final = (
    "Palm: wrist to the middle finger's MCP in the picture, pixels of the crop. PCK@0.2: share of"
    " labelled keypoints within 0.2 palms of their label. AUC: area under PCK from 0 to 0.5 palms."
    " 3D: places in the camera's axes; across: what the pixel's error alone costs; depth: along the"
    " axis; from the wrist: places relative to the wrist's, both as found and as labelled."
)


def write_report(
    path: Path, title: str, found: Mapping[str, Any], scores: Scores, images: NDArray[np.uint8]
) -> None:
    """Write the page. found: of `train_tiny.scores.summarise`. images: (M, S, S) uint8 crops.

    Raises BadInput for a path that does not end in .html, or cannot be written.
    """
    check_report_path(path)
    write_file(path, render_report(title, found, scores, images).encode())


def check_report_path(path: Path) -> None:
    """Raises BadInput, before the work is done."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"a report is written as .html, got {path}")


def render_report(
    title: str, found: Mapping[str, Any], scores: Scores, images: NDArray[np.uint8]
) -> str:
    """The page as HTML text, with everything in it."""
    parts = [f"<p>{_WORDS}</p>", render_table("", {"all": found})]
    parts.append(f"<p>{html.escape(_say_heads(found))}</p>")
    parts.append(render_picture(_draw_charts(found, scores)))
    for kind, rows in choose_hands(scores, HANDS, len(images)).items():
        if rows:
            parts.append(f"<h2>The {kind} hands</h2>")
            parts.append("<p>White: labels, rings where hidden. Coloured: found.</p>")
            parts.append(render_picture(draw_hands(scores, rows, images)))
    for name, groups in found["by"].items():
        if groups:
            parts.append(f"<h2>By {name}</h2>" + render_table(name, groups))
    return render_page(title, parts)


def render_page(title: str, parts: Sequence[str]) -> str:
    """A whole page of HTML from its parts below the title."""
    body = "\n".join([f"<h1>{html.escape(title)}</h1>", *parts])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style><body>{body}</body></html>\n"
    )


def format_summary(found: Mapping[str, Any]) -> str:
    """The numbers that a terminal shows."""
    rows = {"all": found, **found["by"]["visibility"]}
    for name in ("sensor", "situation"):
        if len(found["by"][name]) > 1:
            rows |= found["by"][name]
    width = max(len(name) for name in rows) + 2
    heads = [head for _, head, _ in COLUMNS]
    lines = [" " * width + "  ".join(f"{h:>8}" for h in heads)]
    for name, row in rows.items():
        cells = [_say(row, key, form) for key, _, form in COLUMNS]
        padded = [f"{c:>{max(8, len(h))}}" for c, h in zip(cells, heads, strict=True)]
        lines.append(f"{name:<{width}}" + "  ".join(padded))
    return "\n".join([*lines, _say_heads(found)])


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


def _draw_charts(found: Mapping[str, Any], scores: Scores) -> np.ndarray:
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
    return join_panels(panels, 3)


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


def render_table(
    name: str,
    groups: Mapping[str, Mapping[str, Any]],
    columns: Sequence[tuple[str, str, str]] = COLUMNS,
) -> str:
    """A table of HTML: a row for each group, columns of (key, head, format)."""
    head = "".join(f"<th>{html.escape(h)}</th>" for _, h, _ in columns)
    rows = [f"<tr><th>{html.escape(name)}</th>{head}</tr>"]
    for key, row in groups.items():
        cells = "".join(f"<td>{_say(row, column, form)}</td>" for column, _, form in columns)
        rows.append(f"<tr><td>{html.escape(key)}</td>{cells}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _say(row: Mapping[str, Any], key: str, form: str) -> str:
    value = row.get(key)
    return "-" if value is None or not np.isfinite(value) else form.format(value)


def render_picture(picture: np.ndarray) -> str:
    """A picture (H, W, 3) uint8 as an element of HTML."""
    data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes()
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(data).decode()}">'
