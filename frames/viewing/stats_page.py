"""The statistics of a dataset as a page of charts."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from frames.census.stats import headline, share_out
from frames.skeleton import KEYPOINT_COLORS
from frames.viewing import canvas as draw
from frames.viewing import chart, palette
from frames.viewing.canvas import Color
from frames.viewing.reading_card import REASON_COLORS

_GAP = 16
_LINES = 18
"""Bars of a panel that can still be read."""

CAUSE_COLORS: dict[str, Color] = {
    "visible": (92, 201, 184),
    "self": (242, 167, 30),
    "other_hand": (230, 75, 53),
    "object": (163, 92, 204),
    "outside": (110, 122, 140),
    "dropout": (150, 90, 134),
}


def draw_stats(stats: Mapping[str, Any]) -> np.ndarray:
    """Draw what collect_stats returned as one page, (H, W, 3) uint8, red first."""
    panels = [panel for group in list_panels(stats).values() for panel in group]
    columns = 3
    width = columns * chart.PANEL_WIDTH + (columns + 1) * _GAP
    angles = draw_joint_angles(stats, width - 2 * _GAP)
    rows = -(-len(panels) // columns)
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


def list_panels(stats: Mapping[str, Any]) -> dict[str, list[np.ndarray]]:
    """The charts of what collect_stats returned, each (330, 560, 3) uint8, by what they are of:
    hands, visibility, poses, scenes, readings.
    """
    causes = {"visible" if k == "none" else k: v for k, v in stats["causes"].items()}
    fingers = dict(zip(stats["visible_by_keypoint"], KEYPOINT_COLORS, strict=True))
    out = {k.replace("hands_", "hands "): v for k, v in stats["out_of_frame"].items()}
    hands = [
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
    ]
    visibility = [
        chart.draw_bars("Keypoints by cause", share_out(causes), color=lambda n: CAUSE_COLORS[n]),
        chart.draw_bars(
            "Visible share of each keypoint",
            stats["visible_by_keypoint"],
            color=lambda name: fingers[name],
            most=21,
        ),
        chart.draw_bars("Out of the frame", out, "shares of keypoints, of hands"),
    ]
    poses = [
        chart.draw_directions("Where palms face", stats["palm_directions"]),
        chart.draw_directions("Where hands point", stats["axis_directions"]),
        chart.draw_histogram(
            "Palm's angle to the line of sight",
            stats["palm_angle_deg"],
            "degrees; 0: the palm faces the camera, 180: the back does",
        ),
    ]
    return {
        "hands": hands,
        "visibility": visibility,
        "poses": poses,
        "scenes": _draw_scenes(stats),
        "readings": _draw_readings(stats.get("readings")),
    }


def draw_joint_angles(stats: Mapping[str, Any], width: int) -> np.ndarray:
    """The ranges of all joint angles, (H, width, 3) uint8."""
    return chart.draw_angles(stats["joint_angles"], width)


def _draw_scenes(stats: Mapping[str, Any]) -> list[np.ndarray]:
    """Panels of what a dataset's scenes have; none of what they have not."""
    panels = []
    named = {"none"} != set(stats["situations"])
    shares = {
        "Situations": stats["situations"] if named else {},
        "Whose hands": stats["owners"] if stats["owners"].get("other people") else {},
        "Objects in a frame": stats["objects_per_frame"] if stats["object_kinds"] else {},
        "Surroundings": stats["backgrounds"],
        "Frames of a split": {name: c["frames"] for name, c in stats["splits"].items()},
    }
    for title, counts in shares.items():
        if counts:
            panels.append(chart.draw_bars(title, share_out(counts)))
    if stats["worn"]:
        worn = {name: count / max(1, stats["hands"]) for name, count in stats["worn"].items()}
        panels.append(chart.draw_bars("Worn", worn, "shares of hands"))
    panels += _draw_long("Grasps", share_out(stats["grasps"]))
    panels += _draw_long("Objects", share_out(stats["object_kinds"]))
    contact, depth = stats["contact"], stats["penetration_m"]
    if contact["hands"]:
        title = "Parts in contact"
        note = f"within 2 mm; 3 or more: {contact['at_least_3_parts']:.1%} of hands in contact"
        panels.append(chart.draw_bars(title, share_out(contact["parts"]), note, most=18))
        title = "Deepest penetration"
        label = f"mm; 99 % below {depth['p99'] * 1e3:.2f}, over 3 mm {depth['over_3_mm']:.2%}"
        panels.append(chart.draw_histogram(title, depth, label, 1000.0))
    for title, key, label in (
        ("Speed of hands", "hand_m_s", "m/s against the camera"),
        ("Speed of objects", "object_m_s", "m/s against the camera"),
        ("Speed of the camera", "camera_m_s", "m/s"),
        ("Turning of the camera", "camera_turn_rad_s", "rad/s"),
    ):
        if stats["speeds"][key]["count"]:
            panels.append(chart.draw_histogram(title, stats["speeds"][key], label))
    return panels


def _draw_readings(readings: Mapping[str, Any] | None) -> list[np.ndarray]:
    """Panels of what a sensor reads; none without one."""
    if not readings:
        return []
    panels = []
    for title, key, fill in (
        ("Why nothing is read", "reasons", "fill_rate"),
        ("Why nothing is read of hands", "hand_reasons", "fill_rate_hands"),
    ):
        if readings[fill] is not None:
            note = f"shares of the {1 - readings[fill]:.1%} of pixels without a reading"
            colors = {k: _lighten(v) for k, v in REASON_COLORS.items()}
            panels.append(chart.draw_bars(title, readings[key], note, color=colors.__getitem__))
    return panels


def _lighten(color: Color) -> Color:
    """A colour that shows on the page."""
    red, green, blue = (max(part, 70) for part in color)
    return red, green, blue


def _draw_long(title: str, shares: Mapping[str, float]) -> list[np.ndarray]:
    """Bars of many names, on as many panels as they need."""
    items = list(shares.items())
    pages = [items[i : i + _LINES] for i in range(0, len(items), _LINES)]
    full = max(shares.values(), default=0.0)
    return [
        chart.draw_bars(
            title if len(pages) == 1 else f"{title}, {i} of {len(pages)}",
            dict(page),
            f"{len(items)} kinds",
            most=_LINES,
            full=full,
        )
        for i, page in enumerate(pages, 1)
    ]
