"""The statistics of a dataset as plain text."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console, Group
from rich.table import Table

from frames.census.stats import headline, share_out


def format_stats(stats: Mapping[str, Any], width: int = 100) -> str:
    """Return what collect_stats counted as tables of plain text."""
    shares = Table(box=None, pad_edge=False, show_header=False)
    shares.add_column(style="bold")
    shares.add_column()
    for name, values in _shares(stats).items():
        words = ", ".join(f"{k.replace('_', ' ')} {v:.1%}" for k, v in values.items())
        if words:
            shares.add_row(name, words)
    for name, words in _sentences(stats).items():
        shares.add_row(name, words)
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
    penetration = stats["penetration_m"]
    _add_range(ranges, "deepest penetration of a hand in contact, mm", penetration, 1000.0, "mm")
    for name, key in (
        ("hand, against the camera, m/s", "hand_m_s"),
        ("object, against the camera, m/s", "object_m_s"),
        ("camera, m/s", "camera_m_s"),
        ("camera's turning, rad/s", "camera_turn_rad_s"),
    ):
        _add_range(ranges, name, stats["speeds"][key], 1.0, "m")
    for angle in stats["joint_angles"]:
        _add_range(ranges, f"{angle['name'].replace('_', ' ')}, degrees", angle, 180 / np.pi)
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    splits: list[Table | str] = [_tabulate_splits(stats), ""] if stats["splits"] else []
    console.print(Group(headline(stats), "", shares, "", *splits, ranges))
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
        "whose hands": share_out(stats["owners"]) if stats["owners"].get("other people") else {},
        "situations": {}
        if set(stats["situations"]) == {"none"}
        else share_out(stats["situations"]),
        "grasps": share_out(stats["grasps"]),
        "worn": {name: count / max(1, stats["hands"]) for name, count in stats["worn"].items()},
        "objects in a frame": share_out(stats["objects_per_frame"])
        if stats["object_kinds"]
        else {},
        "objects": share_out(stats["object_kinds"]),
        "surroundings": share_out(stats["backgrounds"]),
    }


def _sentences(stats: Mapping[str, Any]) -> dict[str, str]:
    """What is better said than listed; nothing of what a dataset does not have."""
    found = {}
    contact, depth = stats["contact"], stats["penetration_m"]
    if contact["hands"]:
        found["hands in contact"] = (
            f"{contact['hands']:,}; within 2 mm of what they touch: 2 parts or more "
            f"{contact['at_least_2_parts']:.1%}, 3 or more {contact['at_least_3_parts']:.1%}"
        )
        found["penetration"] = (
            f"median {depth['median'] * 1e3:.1f} mm, 99 % below {depth['p99'] * 1e3:.1f} mm, "
            f"deepest {depth['max'] * 1e3:.1f} mm (frame {depth['deepest_frame']}), "
            f"over 3 mm {depth['over_3_mm']:.2%}"
        )
    if stats["object_names"]:
        found["different objects"] = f"{stats['object_names']:,}"
    if stats["sequences"]["count"]:
        lengths = stats["sequences"]["frames"]
        short, long = lengths["min"], lengths["max"]
        span = f"{short:.0f}" if short == long else f"{short:.0f} to {long:.0f}"
        found["sequences"] = f"{stats['sequences']['count']:,} of {span} frames"
    if stats.get("readings"):
        found.update(_describe_readings(stats["readings"]))
    if stats["disjoint"]:
        words = (f"{k} {'yes' if v else 'NO'}" for k, v in stats["disjoint"].items())
        found["splits are disjoint"] = ", ".join(words)
    return found


def _describe_readings(readings: Mapping[str, Any]) -> dict[str, str]:
    """What sensors read of the frames that were looked at."""
    shares = share_out(readings["sensors"])
    names = ", ".join(f"{k} {v:.1%}" if len(shares) > 1 else k for k, v in shares.items())
    fill = f"{readings['fill_rate']:.1%} of pixels"
    if readings["fill_rate_hands"] is not None:
        fill += f", {readings['fill_rate_hands']:.1%} of hands'"
    fill += f"; {readings['keypoints_dropped']:.1%} of keypoints in sight dropped out"
    found = {f"sensor, {readings['frames']:,} frames": names, "read": fill}
    for name, key in (("not read", "reasons"), ("not read of hands", "hand_reasons")):
        words = [f"{k.replace('_', ' ')} {v:.1%}" for k, v in readings[key].items()]
        if words:
            found[name] = ", ".join(words)
    return found


def _tabulate_splits(stats: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    columns = ("frames", "hands", "identities", "objects", "backgrounds")
    for column in ("split", *columns):
        table.add_column(column, justify="left" if column == "split" else "right")
    for name, counts in stats["splits"].items():
        table.add_row(name, *(f"{counts[column]:,}" for column in columns))
    return table


def _add_range(
    table: Table, name: str, summary: Mapping[str, Any], factor: float, like: str = ""
) -> None:
    """like: the unit to round as, if not the summary's own."""
    if summary["count"]:
        values = (summary[k] * factor for k in ("min", "p5", "median", "p95", "max"))
        digits = {"m": 3, "mm": 2}.get(like or summary["unit"], 1)
        table.add_row(name, *(f"{v:.{digits}f}" for v in values))
