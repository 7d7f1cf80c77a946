"""The report of hands found in whole frames: numbers, and the frames that went well and badly."""

import html
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

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
from frames.skeleton import BONES, KEYPOINTS
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.sheet import magnify
from train_tiny.evaluation.frame_evaluation import FrameResults
from train_tiny.evaluation.frame_scores import bound_keypoints
from train_tiny.finding.found import overlap_boxes
from train_tiny.losses.full_frames import FAR_M, NEAR_M

FRAMES: Final = 12
"""Pictures of each kind."""

COLUMNS: Final = (
    ("frames", "frames", "{:,.0f}"),
    ("labelled", "hands", "{:,.0f}"),
    ("ap", "AP", "{:.3f}"),
    ("ap50", "AP50", "{:.3f}"),
    ("ap75", "AP75", "{:.3f}"),
    ("ar", "AR", "{:.3f}"),
    ("box_ap", "AP of boxes", "{:.3f}"),
    ("box_ap50", "AP50 of boxes", "{:.3f}"),
    ("recall", "recall", "{:.3f}"),
    ("precision", "precision", "{:.3f}"),
    ("false_finds", "false a frame", "{:.3f}"),
    ("pck", "PCK@0.2", "{:.3f}"),
)

TILES: Final = tuple(c for c in COLUMNS if c[0] in ("ap", "box_ap50", "recall", "precision", "pck"))
POINTS: Final = tuple(c for c in COLUMNS if c[0] in ("recall", "precision", "false_finds"))
"""What a page shows large, and of every operating point."""

_WORDS: Final = (
    "AP: average precision of keypoints by object keypoint similarity (COCO), hands' sigmas, area"
    " of the keypoints' box; of boxes by their intersection over union. Recall, precision, false"
    " finds: of boxes that overlap by half, at the operating point. PCK@0.2: share of labelled"
    " keypoints of found hands within 0.2 palms."
)

_WIDTH: Final = 320
"""Of a frame on the page, pixels, about."""

_CAPTION: Final = 24


def write_frame_report(
    path: Path, title: str, found: Mapping[str, Any], results: FrameResults
) -> None:
    """Write the page. found: of `summarise_frames`. Raises BadInput as `write_report` does."""
    write_document(path, title, "", list_frame_sections(found, results))


def list_frame_sections(found: Mapping[str, Any], results: FrameResults) -> list[Section]:
    """The evaluation in numbers, frames that went well and badly, and by groups."""
    points = {f"score >= {point}": row for point, row in found["points"].items()}
    scores = (
        render_tiles({head: say_number(found, key, form) for key, head, form in TILES}),
        render_table("", {"all": found}, COLUMNS),
        say_words(_WORDS),
        "<h3>Operating points</h3>" + render_table("", points, POINTS),
    )
    frames = []
    for kind, rows in choose_frames(results, FRAMES, found["least_score"]).items():
        if rows:
            cards = [draw_found(results, row, found["least_score"]) for row in rows]
            frames += [f"<h3>The {kind}</h3>", render_grid(cards, cards[0].shape[1], False)]
    groups = [
        f"<h3>By {html.escape(name)}</h3>" + render_table(name, rows, COLUMNS)
        for name, rows in found["by"].items()
        if rows
    ]
    note = say_words("White: labels. Coloured: found; a score at each box.")
    return [
        Section("Scores", scores),
        Section("Best, median and worst frames", (note, *frames) if frames else ()),
        Section("Scores of groups", tuple(groups)),
    ]


def format_frame_summary(found: Mapping[str, Any]) -> str:
    """The numbers that a terminal shows."""
    rows = {"all": found, **found["by"]["hands"], **found["by"]["sensor"]}
    sure = f"recall, precision and false finds of hands with a score >= {found['least_score']:g}"
    return f"{format_table(rows, COLUMNS)}\n{sure}"


def choose_frames(results: FrameResults, count: int, least_score: float) -> dict[str, list[int]]:
    """Rows of frames with a hand that are best, middling and worst by the overlap of boxes; of
    those without, which have the surest false finds.
    """
    values: dict[int, float] = {}
    empty: dict[int, float] = {}
    for row in range(min(len(results), len(results.images))):
        sure = [one for one in results.found[row] if one.score >= least_score]
        hands = results.labels[row].keypoints_px
        if not len(hands):
            empty[row] = max((one.score for one in sure), default=0.0)
            continue
        boxes = [bound_keypoints(px) for px in hands]
        best = [max((overlap_boxes(o.box_px, b) for o in sure), default=0.0) for b in boxes]
        # A find too many costs as much as a hand that is missed.
        values[row] = sum(best) / max(len(boxes), len(sure))
    order = sorted(values, key=lambda row: -values[row])
    first = max(0, (len(order) - count) // 2)
    false = [row for row in sorted(empty, key=lambda row: -empty[row]) if empty[row] > 0]
    return {
        "best": order[:count],
        "median": order[first : first + count],
        "worst": order[::-1][:count],
        "handless": false[:count],
    }


def draw_found(results: FrameResults, row: int, least_score: float) -> np.ndarray:
    """A card (H, W, 3) uint8 of one frame: labels, what was found, a caption."""
    image = results.images[row]
    scale = max(1, _WIDTH // image.shape[1])
    depth = np.where(image > 0, FAR_M - image.astype(np.float32) / 255 * (FAR_M - NEAR_M), 0)
    panel = magnify(palette.color_depth_m(depth.astype(np.float32), NEAR_M, FAR_M, 0.01), scale)
    for px in results.labels[row].keypoints_px:
        _draw_bones(panel, px, scale, None)
    for one in results.found[row]:
        if one.score < least_score:
            continue
        _draw_bones(panel, one.keypoints_px, scale, "found")
        x0, y0, x1, y1 = ((one.box_px + 0.5) * scale - 0.5).tolist()
        draw.draw_text(panel, f"{one.score:.2f}", (x0, max(12.0, y0 - 4)), palette.TEXT, 13)
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]])
        for a, b in itertools.pairwise(corners):
            draw.draw_line(panel, a, b, palette.TEXT, 1)
    card = draw.new_canvas(panel.shape[0] + _CAPTION, panel.shape[1], palette.PAPER)
    card[: panel.shape[0]] = panel
    words = [f"frame {results.frame_id[row]}", results.sensor[row], results.situation[row]]
    said = ", ".join(w for w in words if w)
    draw.draw_text(card, said, (6, panel.shape[0] + 16), palette.MUTED, 13)
    return card


def _draw_bones(panel: np.ndarray, px: np.ndarray, scale: int, kind: str | None) -> None:
    places = (px.astype(np.float64) + 0.5) * scale - 0.5
    bones: Sequence[tuple[int, int]] = BONES if len(px) == KEYPOINTS else ()
    for a, b in bones:
        color = palette.TEXT if kind is None else palette.color_joint(b, True)
        draw.draw_line(panel, places[a], places[b], color, 1 if kind is None else 2)
