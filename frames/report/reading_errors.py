"""How a sensor errs, drawn against what there is: noise, bias and holes over depth."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.census.readings import mask_hands
from frames.record import Frame
from frames.report.places import GRID, draw_map
from frames.viewing import chart
from frames.viewing.line_chart import draw_lines

BIN_M: Final = 0.05
FARTHEST_M: Final = 3.0
PIXELS: Final = 3000
"""Of each frame, of hands and of the rest each: as many as tell a spread."""
LEAST: Final = 200
"""Pixels that a bin needs to have a figure."""


@dataclass(frozen=True)
class ReadingErrors:
    """What a sensor read of pixels, over some frames."""

    clean_m: NDArray[np.float32]
    """(P,) what is there; empty where the frames do not know it."""
    error_m: NDArray[np.float32]
    """(P,) reading less that; NaN where nothing is read."""
    on_hand: NDArray[np.bool_]
    """(P,)"""
    holes: NDArray[np.float64]
    """GRID share of the frames in which nothing is read there."""
    aspect: float
    """Width of the images by their height."""
    frames: int


def collect_errors(frames: Iterable[Frame]) -> ReadingErrors | None:
    """Of frames with depth as a sensor read it; None if there are none."""
    clean, error, hand = list[Any](), list[Any](), list[Any]()
    holes, count, aspect = np.zeros(GRID), 0, 4 / 3
    for frame in frames:
        if frame.depth is None:
            continue
        count += 1
        aspect = frame.camera.width / frame.camera.height
        missing = (frame.depth == 0).astype(np.float32)
        holes += cv2.resize(missing, GRID[::-1], interpolation=cv2.INTER_AREA)
        if frame.clean_depth is None:
            continue
        on_hands, there = mask_hands(frame), frame.clean_depth > 0
        for wanted in (on_hands & there, ~on_hands & there):
            places = np.flatnonzero(wanted)
            places = places[:: max(1, len(places) // PIXELS)]
            scale = np.float32(frame.depth_scale)
            truth = frame.clean_depth.ravel()[places].astype(np.float32) / scale
            read = frame.depth.ravel()[places].astype(np.float32) / scale
            clean.append(truth)
            error.append(np.where(read > 0, read - truth, np.nan))
            hand.append(on_hands.ravel()[places])
    if not count:
        return None
    empty = np.zeros(0, np.float32)
    return ReadingErrors(
        clean_m=np.concatenate(clean) if clean else empty,
        error_m=np.concatenate(error) if error else empty,
        on_hand=np.concatenate(hand) if hand else empty.astype(bool),
        holes=holes / count,
        aspect=aspect,
        frames=count,
    )


def measure_bins(errors: ReadingErrors, chosen: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Figures of depth bins of BIN_M, of some of the pixels: `depth_m` (their middles), `hole`
    (share without a reading), `bias_mm` (median) and `spread_mm` (robust standard deviation, 1.4826
    times the median absolute deviation). NaN where there are too few pixels.
    """
    bins = np.minimum(errors.clean_m / BIN_M, FARTHEST_M / BIN_M - 1).astype(np.int64)
    count = round(FARTHEST_M / BIN_M)
    out = {name: np.full(count, np.nan) for name in ("hole", "bias_mm", "spread_mm")}
    for k in range(count):
        found = errors.error_m[chosen & (bins == k) & (errors.clean_m < FARTHEST_M)]
        read = found[np.isfinite(found)]
        if len(found) >= LEAST:
            out["hole"][k] = 1 - len(read) / len(found)
        if len(read) >= LEAST:
            middle = float(np.median(read))
            out["bias_mm"][k] = 1e3 * middle
            out["spread_mm"][k] = 1.4826e3 * float(np.median(np.abs(read - middle)))
    return {"depth_m": (np.arange(count) + 0.5) * BIN_M, **out}


def summarise_errors(errors: ReadingErrors) -> dict[str, dict[str, float]]:
    """The same over all depths, of hands and of everything else; what the data do not have is left
    out. `off_5_mm`: share of the readings more than 5 mm off, `off_20_mm` more than 20.
    """
    out = {}
    for name, chosen in (("hands", errors.on_hand), ("all else", ~errors.on_hand)):
        found = errors.error_m[chosen]
        read = found[np.isfinite(found)]
        if len(read):
            middle = float(np.median(read))
            out[name] = {
                "hole": 1 - len(read) / len(found),
                "bias_mm": 1e3 * middle,
                "spread_mm": 1.4826e3 * float(np.median(np.abs(read - middle))),
                "off_5_mm": float((np.abs(read) > 0.005).mean()),
                "off_20_mm": float((np.abs(read) > 0.020).mean()),
            }
    return out


def draw_errors(errors: ReadingErrors) -> list[np.ndarray]:
    """Panels of noise, bias and holes over depth, and of where in the image nothing is read."""
    panels = []
    groups = {"hands": errors.on_hand, "all else": ~errors.on_hand}
    found = {name: measure_bins(errors, chosen) for name, chosen in groups.items()}
    for key, title, low in (
        ("spread_mm", "Noise: robust standard deviation, mm", 0.0),
        ("bias_mm", "Bias: median of reading less truth, mm", None),
        ("hole", "Share of pixels without a reading", 0.0),
    ):
        lines = {}
        for name, figures in found.items():
            known = np.isfinite(figures[key])
            if known.any():
                lines[name] = figures["depth_m"][known], figures[key][known]
        if lines:
            panels.append(draw_lines(title, lines, "depth, metres", low=low))
    note = f"up to {errors.holes.max():.0%} of {errors.frames} frames"
    panels.append(draw_map("Where nothing is read", note, errors.holes, errors.aspect))
    assert all(p.shape[1] == chart.PANEL_WIDTH for p in panels)
    return panels
