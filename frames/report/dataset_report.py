"""The report of a dataset: samples, poses, sensor, statistics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.census.stats import headline, share_out
from frames.parts import PROVENANCE_NAMES, PROVENANCE_NONE
from frames.record import Frame
from frames.report.document import (
    Section,
    render_facts,
    render_grid,
    render_picture,
    render_table,
    render_tiles,
    say_words,
)
from frames.report.places import count_places, draw_map, smooth_counts
from frames.report.pose_map import draw_pose_map, map_poses, to_palm
from frames.report.reading_errors import ReadingErrors, draw_errors, summarise_errors
from frames.store.dataset import Dataset
from frames.viewing import chart
from frames.viewing.reading_card import draw_reading_card
from frames.viewing.reading_sheet import choose_range, draw_reading_legend
from frames.viewing.sheet import draw_frame, draw_legend
from frames.viewing.stats_page import draw_joint_angles, list_panels

HANDS: Final = 20_000
"""Whose poses are looked at, at most."""

CARD_WIDTH: Final = 780
READING_WIDTH: Final = 1640

ERRORS: Final = (
    ("hole", "nothing read", "{:.1%}"),
    ("bias_mm", "bias, mm", "{:+.2f}"),
    ("spread_mm", "noise, mm", "{:.2f}"),
    ("off_5_mm", "over 5 mm off", "{:.1%}"),
    ("off_20_mm", "over 20 mm off", "{:.1%}"),
)


@dataclass(frozen=True)
class Hands:
    """What the pose figures need of N hands."""

    keypoints_m: NDArray[np.float32]
    """(N, 21, 3)"""
    left: NDArray[np.bool_]
    """(N,)"""
    middles_px: NDArray[np.float64]
    """(N, 2) mean keypoint in the image, NaN without any."""
    sizes_px: NDArray[np.int64]
    """(N, 2) of their images."""
    provenance: Counter[str]
    """Keypoints by where their labels come from."""


def read_hands(dataset: Dataset, most: int = HANDS) -> Hands:
    """Hands of a dataset, from shards spread over all of it until there are enough."""
    names = ("keypoints_cam_m", "keypoints_px", "provenance", "side")
    shards = dataset.shards
    # From both ends and the middle, so that no part of it stands for the whole.
    order = [shards[int(k)] for k in _spread(len(shards))]
    parts: list[tuple[Any, ...]] = []
    counts: Counter[str] = Counter()
    columns = ["camera", *(f"hands.{name}" for name in names)]
    for batch in dataset.batches(columns, shards=order):
        per_frame = np.asarray(batch["hand_counts"])
        sizes = [(c.width, c.height) for c in batch["camera"]]
        px = np.asarray(batch["hands.keypoints_px"], np.float64).reshape(-1, 21, 2)
        known = np.isfinite(px).all(-1, keepdims=True)
        with np.errstate(invalid="ignore"):
            middle = np.where(known, px, 0).sum(1) / known.sum(1)
        provenance = np.asarray(batch["hands.provenance"]).ravel()
        for code in np.unique(provenance):
            name = "none" if code == PROVENANCE_NONE else PROVENANCE_NAMES[int(code)]
            counts[name] += int((provenance == code).sum())
        left = np.array([side == "left" for side in batch["hands.side"]], bool)
        points = np.asarray(batch["hands.keypoints_cam_m"]).reshape(-1, 21, 3)
        size = np.repeat(np.array(sizes, np.int64).reshape(-1, 2), per_frame, axis=0)
        parts.append((points, left, middle, size))
        if sum(len(p[0]) for p in parts) >= most:
            break
    if not parts:
        none = np.zeros((0, 2))
        points = np.zeros((0, 21, 3), np.float32)
        return Hands(points, np.zeros(0, bool), none, none.astype(np.int64), counts)
    points, left, middle, size = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Hands(points, left, middle, size, counts)


def _spread(count: int) -> list[int]:
    """0 .. count - 1 in an order whose every beginning is spread over all (van der Corput)."""
    bits = max(1, (count - 1).bit_length())
    every = (int(f"{k:0{bits}b}"[::-1], 2) for k in range(1 << bits))
    return [k for k in every if k < count]


def list_sections(
    meta: Mapping[str, Any],
    stats: Mapping[str, Any],
    samples: Sequence[Frame],
    hands: Hands,
    errors: ReadingErrors | None,
) -> tuple[str, list[Section]]:
    """What stands at the top of the report (HTML), and its sections.

    meta: dataset.json. stats: of `frames.census.stats.collect_stats`. samples: frames to show, as
    they are read. hands: of `read_hands`. errors: None for a dataset without a sensor.
    """
    groups = list_panels(stats)
    return _render_lead(meta, stats, errors), [
        Section("Samples", tuple(_show_samples(samples))),
        Section("Poses", tuple(_show_poses(hands, groups.pop("poses")))),
        Section("Sensor", tuple(_show_sensor(samples, errors, groups.pop("readings")))),
        *(
            Section(name.capitalize(), (render_grid(panels, chart.PANEL_WIDTH),) if panels else ())
            for name, panels in groups.items()
        ),
        Section("Joint angles", _show_angles(stats)),
    ]


def _render_lead(
    meta: Mapping[str, Any], stats: Mapping[str, Any], errors: ReadingErrors | None
) -> str:
    numbers = {"frames": f"{stats['frames']:,}", "hands": f"{stats['hands']:,}"}
    if stats.get("bytes_per_frame"):
        numbers["bytes a frame"] = f"{stats['bytes_per_frame']:,}"
    visible, total = stats["keypoints"]["visible"], sum(stats["keypoints"].values())
    if total:
        numbers["keypoints visible"] = f"{visible / total:.0%}"
    summary = summarise_errors(errors) if errors is not None else {}
    if "hands" in summary:
        numbers["noise on hands"] = f"{summary['hands']['spread_mm']:.1f} mm"
    camera, sensor = meta.get("camera"), meta.get("sensor")
    facts = {
        "title": meta.get("title"),
        "made by": " ".join(
            str(v) for v in (meta.get("generator", "handloom"), meta.get("generator_version")) if v
        ),
        "seed": meta.get("seed"),
        "camera": _say_camera(camera) if isinstance(camera, Mapping) else camera,
        "sensor": _say_sensor(sensor) if isinstance(sensor, Mapping) else sensor,
        "splits": ", ".join(f"{k} {v[1] - v[0]:,}" for k, v in meta.get("splits", {}).items()),
        "licence": meta.get("license"),
        "on disk": headline(stats),
    }
    return render_tiles(numbers) + render_facts(facts)


def _say_camera(camera: Mapping[str, Any]) -> str:
    size = f"{camera.get('width')} x {camera.get('height')}"
    return f"{size}, {camera.get('model', 'pinhole')}, focal length {camera.get('fx', 0):.1f} px"


def _say_sensor(sensor: Mapping[str, Any]) -> str:
    name = sensor.get("profile", {}).get("name", "unnamed")
    return f"{name}, {'stored' if sensor.get('baked') else 'applied on loading'}"


def _show_samples(samples: Sequence[Frame]) -> list[str]:
    cards = [draw_frame(frame) for frame in samples]
    legend = draw_legend(2 * CARD_WIDTH)
    return [render_picture(legend), render_grid(cards, CARD_WIDTH, False, "a frame, labelled")]


def _show_poses(hands: Hands, panels: list[np.ndarray]) -> list[str]:
    if not len(hands.left):
        return []
    points = to_palm(hands.keypoints_m, hands.left)
    poses = map_poses(points)
    counts = count_places(hands.middles_px, hands.sizes_px)
    width, height = hands.sizes_px[0]
    note = f"{int(counts.sum()):,} hands"
    places = draw_map("Where in the image", note, smooth_counts(counts), width / height)
    panels = [places, *panels]
    if len(hands.provenance) > 1:
        shares = share_out(hands.provenance)
        panels.append(chart.draw_bars("Where keypoints come from", shares))
    words = (
        "Across: how far the four fingers curl. Up: how much more the index finger curls than the"
        " pinky. Every cell has a hand that is there, seen from the palm, left ones mirrored, and"
        " how many there are."
    )
    shown = [say_words(words), render_picture(draw_pose_map(poses, points))] if poses.hands else []
    return [*shown, render_grid(panels, chart.PANEL_WIDTH)]


def _show_sensor(
    samples: Sequence[Frame], errors: ReadingErrors | None, panels: list[np.ndarray]
) -> list[str]:
    if errors is None:
        return []
    summary = summarise_errors(errors)
    parts = []
    if summary:
        words = (
            "Against the clean depth: bias is the median, noise the robust standard deviation of"
            " what is read."
        )
        parts += [render_table("pixels of", summary, ERRORS), say_words(words)]
    parts.append(render_grid([*draw_errors(errors), *panels], chart.PANEL_WIDTH))
    both = [f for f in samples if f.depth is not None and f.clean_depth is not None][:4]
    if both:
        range_mm = choose_range(both)
        cards = [draw_reading_card(frame, range_mm) for frame in both]
        width = cards[0].shape[1]
        parts.append(render_picture(draw_reading_legend(width, width, range_mm)))
        parts.append(render_grid(cards, READING_WIDTH, False, "clean depth, reading, difference"))
    return parts


def _show_angles(stats: Mapping[str, Any]) -> tuple[str, ...]:
    if not any(angle["count"] for angle in stats["joint_angles"]):
        return ()
    return (render_picture(draw_joint_angles(stats, READING_WIDTH)),)
