"""What is in a dataset: its statistics as numbers, as text, and as a page of charts."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rich.console import Console, Group
from rich.table import Table

from frames import canvas as draw
from frames import chart, palette
from frames.canvas import Color
from frames.census import count_batches, read_label_batches
from frames.errors import BadInput
from frames.shard import SHARD_FOLDER
from frames.skeleton import KEYPOINT_COLORS

_GAP = 16

CAUSE_COLORS: dict[str, Color] = {
    "visible": (92, 201, 184),
    "self": (242, 167, 30),
    "other_hand": (230, 75, 53),
    "object": (163, 92, 204),
    "outside": (110, 122, 140),
    "dropout": (150, 90, 134),
}


class LabelledDataset(Protocol):
    """What statistics need of a dataset (frames.dataset.Dataset has it)."""

    @property
    def folder(self) -> Path:
        """The dataset's folder."""

    @property
    def meta(self) -> Mapping[str, Any]:
        """The contents of dataset.json."""


def collect_stats(dataset: LabelledDataset) -> dict[str, Any]:
    """Count a dataset's labels; images are not read.

    Returns:
        JSON values. Counts: frames, hands, shards, bytes, hands_per_frame, sides, wearer_hands,
        key_poses, keypoints, causes. Shares: visible_by_keypoint, out_of_frame. Summaries with
        min, p5, median, mean, p95, max and a histogram (frames.tally): distance_m to the mean
        keypoint, palm_angle_deg between the palm's normal and the line to the camera,
        axis_roll_deg of the hand in the image (0 up, 90 right), visible_fraction, box_side_px,
        and joint_angles (a list, radians). Maps of 10-degree cells: palm_directions and
        axis_directions (frames.census.count_directions).

    Raises:
        BadInput: there is no shard, or one cannot be read.
    """
    paths = sorted((Path(dataset.folder) / SHARD_FOLDER).glob("*.parquet"))
    if not paths:
        raise BadInput(f"there are no shards in {Path(dataset.folder) / SHARD_FOLDER}")
    names = dataset.meta.get("joint_angle_names", ())
    counted = count_batches(read_label_batches(paths), names)
    size = sum(path.stat().st_size for path in paths)
    disk = {"shards": len(paths), "bytes": size}
    disk["bytes_per_frame"] = round(size / max(1, counted["frames"]))
    return {**disk, **counted}


def share_out(counts: Mapping[str, int]) -> dict[str, float]:
    """Return counts as shares of their sum."""
    total = max(1, sum(counts.values()))
    return {name: count / total for name, count in counts.items()}


def headline(stats: Mapping[str, Any]) -> str:
    """Return the counts and the size on disk in words."""
    words = f"{stats['frames']:,} frames, {stats['hands']:,} hands"
    if not stats.get("bytes"):
        return words
    size = f"{stats['bytes'] / 1e6:,.1f} MB in {stats['shards']:,} shards"
    return f"{words}, {size}, {stats['bytes_per_frame']:,} bytes a frame"


def format_stats(stats: Mapping[str, Any], width: int = 100) -> str:
    """Return what collect_stats counted as tables of plain text."""
    shares = Table(box=None, pad_edge=False, show_header=False)
    shares.add_column(style="bold")
    shares.add_column()
    for name, values in _shares(stats).items():
        shares.add_row(name, ", ".join(f"{k.replace('_', ' ')} {v:.1%}" for k, v in values.items()))
    ranges = Table(box=None, pad_edge=False)
    for column in ("", "min", "5 %", "median", "95 %", "max"):
        ranges.add_column(column, justify="right" if column else "left")
    for name, key, factor in (
        ("distance, m", "distance_m", 1.0),
        ("palm to line of sight, degrees", "palm_angle_deg", 1.0),
        ("hand's roll in the image, degrees", "axis_roll_deg", 1.0),
        ("hand in sight, %", "visible_fraction", 100.0),
        ("longer side of the box, px", "box_side_px", 1.0),
    ):
        _add_range(ranges, name, stats[key], factor)
    for angle in stats["joint_angles"]:
        _add_range(ranges, f"{angle['name'].replace('_', ' ')}, degrees", angle, 180 / np.pi)
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    console.print(Group(headline(stats), "", shares, "", ranges))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines())


def _shares(stats: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {
        "hands in a frame": share_out(stats["hands_per_frame"]),
        "sides": share_out(stats["sides"]),
        "key poses": share_out(stats["key_poses"]),
        "keypoints": share_out(stats["keypoints"]),
        "hidden by": share_out({k: v for k, v in stats["causes"].items() if k != "none"}),
        "out of the frame": stats["out_of_frame"],
    }


def _add_range(table: Table, name: str, summary: Mapping[str, Any], factor: float) -> None:
    if summary["count"]:
        values = (summary[k] * factor for k in ("min", "p5", "median", "p95", "max"))
        table.add_row(name, *(f"{v:.3f}" if summary["unit"] == "m" else f"{v:.1f}" for v in values))


def draw_stats(stats: Mapping[str, Any]) -> np.ndarray:
    """Draw what collect_stats returned as one page, (H, W, 3) uint8, red first."""
    causes = {"visible" if k == "none" else k: v for k, v in stats["causes"].items()}
    fingers = dict(zip(stats["visible_by_keypoint"], KEYPOINT_COLORS, strict=True))
    out = {k.replace("hands_", "hands "): v for k, v in stats["out_of_frame"].items()}
    panels = [
        chart.draw_histogram("Distance of hands", stats["distance_m"], "metres from the camera"),
        chart.draw_bars("Hands in a frame", share_out(stats["hands_per_frame"])),
        chart.draw_bars("Sides", share_out(stats["sides"])),
        chart.draw_bars(
            "Key poses", share_out(stats["key_poses"]), f"{len(stats['key_poses'])} kinds"
        ),
        chart.draw_histogram(
            "Hand in sight", stats["visible_fraction"], "share of the hand, %", 100.0
        ),
        chart.draw_histogram("Longer side of the box", stats["box_side_px"], "pixels"),
        chart.draw_bars("Keypoints by cause", share_out(causes), color=lambda n: CAUSE_COLORS[n]),
        chart.draw_bars(
            "Visible share of each keypoint",
            stats["visible_by_keypoint"],
            color=lambda name: fingers[name],
            most=21,
        ),
        chart.draw_bars("Out of the frame", out, "shares of keypoints, of hands"),
        chart.draw_directions("Where palms face", stats["palm_directions"]),
        chart.draw_directions("Where hands point", stats["axis_directions"]),
        chart.draw_histogram(
            "Palm's angle to the line of sight",
            stats["palm_angle_deg"],
            "degrees; 0: the palm faces the camera, 180: the back does",
        ),
    ]
    columns = 3
    width = columns * chart.PANEL_WIDTH + (columns + 1) * _GAP
    angles = chart.draw_angles(stats["joint_angles"], width - 2 * _GAP)
    rows = len(panels) // columns
    head = 58
    height = head + rows * (chart.PANEL_HEIGHT + _GAP) + len(angles) + _GAP
    page = draw.new_canvas(height, width, palette.INK)
    draw.draw_text(page, headline(stats), (_GAP + 4, 38), palette.TEXT, 24, bold=True)
    for i, panel in enumerate(panels):
        y = head + (i // columns) * (chart.PANEL_HEIGHT + _GAP)
        x = _GAP + (i % columns) * (chart.PANEL_WIDTH + _GAP)
        page[y : y + chart.PANEL_HEIGHT, x : x + chart.PANEL_WIDTH] = panel
    page[-len(angles) - _GAP : -_GAP, _GAP:-_GAP] = angles
    return page
