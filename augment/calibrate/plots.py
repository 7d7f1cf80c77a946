"""The picture of a calibration: measurements real and fitted, and frames of both side by side."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from augment.calibrate.capture import Capture
from augment.calibrate.fit import Fit
from augment.calibrate.hands import DEPTH_EDGES_M, HandFrame
from augment.calibrate.measurement import Measurement
from augment.calibrate.noise import WallNoise
from augment.calibrate.plot_panel import MADE, REAL, Axes, Series, draw_panel
from augment.calibrate.variogram import SPACE_LAGS, TIME_LAGS
from augment.calibrate.wall import Wall
from frames.store.disk import write_file
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.canvas import Color
from frames.viewing.chart import PANEL_HEIGHT, PANEL_WIDTH

_GAP: Final = 12
_ZOOM: Final = 2
_WIDTHS: Final = {MADE: 5, REAL: 2}
"""Lines: what is fitted shows behind what is real."""

_LEVELS: Final = 6
"""Shades of a residual's colour on either side: few, so that the file stays small."""

_RESIDUALS: Final = 3.0
"""Standard deviations at the ends of the residuals' colours."""

_COLD: Final[Color] = (46, 108, 190)
_WARM: Final[Color] = (214, 96, 58)


def draw_report(capture: Capture, measured: Measurement, fit: Fit) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: six panels, then a wall's residual and a hand, real beside simulated."""
    made = fit.simulated
    panels = [
        _draw_noise(measured, made),
        _draw_space(measured, made),
        _draw_time(measured, made),
        _draw_roughness(measured, made),
        _draw_bands(measured, made, 0),
        _draw_bands(measured, made, 1),
        *_draw_frames(capture, measured, made),
    ]
    width = 2 * PANEL_WIDTH + 3 * _GAP
    rows = -(-len(panels) // 2)
    out = draw.new_canvas(48 + rows * (PANEL_HEIGHT + _GAP), width, palette.INK)
    title = f"{capture.name}: {capture.frames} frames"
    draw.draw_text(out, title, (_GAP + 4, 30), palette.TEXT, 18)
    for x, color, word in ((width - 210, REAL, "real"), (width - 120, MADE, "fitted")):
        draw.draw_dot(out, np.array([x, 24.0]), 6.0, color)
        draw.draw_text(out, word, (x + 14, 30), palette.TEXT, 16)
    for k, panel in enumerate(panels):
        top = 44 + (k // 2) * (PANEL_HEIGHT + _GAP)
        left = _GAP + (k % 2) * (PANEL_WIDTH + _GAP)
        out[top : top + PANEL_HEIGHT, left : left + PANEL_WIDTH] = panel
    return out


def write_report(picture: NDArray[np.uint8], path: Path) -> None:
    """Write the picture as a PNG, as small as can be. Raises BadInput if it cannot be written."""
    options = [cv2.IMWRITE_PNG_COMPRESSION, 9]
    data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]), options)[1]
    write_file(path, data.tobytes())


def _draw_noise(measured: Measurement, made: Measurement) -> np.ndarray:
    exponent = measured.estimates["sigma_exponent"].value
    note = "no wall was found" if not measured.walls else "dots: plane RMS, lines: over time"
    if exponent is not None:
        note += f", power {exponent:.2f}"
    series = []
    for noise, color in ((made.noise, MADE), (measured.noise, REAL)):
        x = np.array([n.distance_m for n in noise])
        plane, plane_error = _column(noise, "plane_rms_m")
        temporal, _ = _column(noise, "temporal_m")
        width = _WIDTHS[color]
        series.append(Series(x, plane, color, line=False, width=width, error=plane_error))
        series.append(Series(x, temporal, color, dots=False, width=width))
    axes = Axes("Noise over distance", note, "distance, m", "mm", logarithmic=True)
    return draw_panel(axes, series)


def _column(noise: Sequence[WallNoise], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors in millimetres, NaN for none."""
    found = [getattr(n, name) for n in noise]
    values = [np.nan if f.value is None else f.value * 1e3 for f in found]
    errors = [np.nan if f.error is None else f.error * 1e3 for f in found]
    return np.array(values), np.array(errors)


def _draw_space(measured: Measurement, made: Measurement) -> np.ndarray:
    length = measured.estimates["correlation_length"]
    note = length.why if length.value is None else f"1/e at {length.value:.2f} px"
    lags = np.array([0, *SPACE_LAGS], np.float64)
    series = [
        Series(lags, np.concatenate([[1.0], m.correlation.curves.space]), color, width=w)
        for m, color, w in ((made, MADE, _WIDTHS[MADE]), (measured, REAL, _WIDTHS[REAL]))
        if m.walls
    ]
    return draw_panel(Axes("Correlation in space", note, "distance, px", ""), series)


def _draw_time(measured: Measurement, made: Measurement) -> np.ndarray:
    share = measured.estimates["fixed_share"]
    note = share.why if share.value is None else f"{share.value:.0%} never changes"
    lags = np.array([0, *TIME_LAGS], np.float64)
    series = [
        Series(lags, np.concatenate([[1.0], m.correlation.curves.time]), color, width=w)
        for m, color, w in ((made, MADE, _WIDTHS[MADE]), (measured, REAL, _WIDTHS[REAL]))
        if np.isfinite(m.correlation.curves.time).any()
    ]
    return draw_panel(Axes("Correlation in time", note, "frames apart", ""), series)


def _draw_roughness(measured: Measurement, made: Measurement) -> np.ndarray:
    whole = measured.estimates["hand_roughness"]
    note = whole.why if whole.value is None else f"median {whole.value * 1e3:.2f} mm"
    series = []
    for one, color in ((made, MADE), (measured, REAL)):
        x, y = [], []
        for low, high in pairwise(DEPTH_EDGES_M):
            found = one.estimates.get(f"hand_roughness_{low:.1f}_{high:.1f}")
            if found is not None and found.value is not None:
                x.append((low + high) / 2)
                y.append(found.value * 1e3)
        series.append(Series(np.array(x), np.array(y), color, width=_WIDTHS[color]))
    axes = Axes("7 x 7 plane residual on hands", note, "depth of the hand, m", "mm")
    return draw_panel(axes, series)


def _draw_bands(measured: Measurement, made: Measurement, side: int) -> np.ndarray:
    word = ("left", "right")[side]
    found = measured.estimates[f"band_{word}"]
    note = found.why if found.value is None else f"middle half's mean {found.value:.1f} px"
    series = []
    for one, color in ((made, MADE), (measured, REAL)):
        if one.hands is None or found.value is None:
            continue
        widths = one.hands.bands[one.hands.bands[:, 0] == side, 2]
        if len(widths):
            edges = np.arange(0, 42)
            share = np.histogram(np.minimum(widths, 41), np.append(edges, 42))[0] / len(widths)
            series.append(Series(edges.astype(float), share * 100, color, dots=False))
    axes = Axes(f"Hole band {word} of hands", note, "width, px (41: and more)", "% of rows")
    return draw_panel(axes, series)


def _draw_frames(capture: Capture, measured: Measurement, made: Measurement) -> list[np.ndarray]:
    """Pairs of pictures, as far as there is something to show."""
    out = []
    twins = {w.name: w for w in made.walls}
    pairs = [(w, twins[w.name]) for w in measured.walls if w.name in twins]
    if pairs:
        real, other = pairs[len(pairs) // 2]
        spread = float(np.nanstd(real.example)) * _RESIDUALS
        for wall, word in ((real, "real"), (other, "fitted")):
            title = f"Residual of the wall at {wall.distance_m:.2f} m, {word}"
            picture = _color_residual(wall, spread)
            out.append(_frame_picture(title, picture, wall.surface.region))
    if measured.hand_frames and made.hand_frames:
        shown = measured.hand_frames[0].hand
        for hands, word in ((measured.hand_frames, "real"), (made.hand_frames, "fitted")):
            picture = _color_depth(hands[0], capture)
            out.append(_frame_picture(f"Hand, {word}", picture, shown))
    return out


def _color_residual(wall: Wall, spread: float) -> NDArray[np.uint8]:
    share = np.clip(wall.example / max(spread, 1e-12), -1, 1)[..., None]
    share = np.rint(share * _LEVELS) / _LEVELS
    neutral = np.array(palette.TEXT, np.float64) * 0.9
    ends = np.where(share < 0, np.array(_COLD), np.array(_WARM))
    color = neutral + np.abs(share) * (ends - neutral)
    color[~np.isfinite(wall.example)] = palette.NO_READING
    return np.rint(color).astype(np.uint8)


def _color_depth(frame: HandFrame, capture: Capture) -> NDArray[np.uint8]:
    depth = (frame.depth / capture.depth_scale).astype(np.float32)
    there = depth[frame.hand & (depth > 0)]
    low, high = np.percentile(there, [2, 98]) if there.size else (0.3, 0.8)
    tone = palette.tone_depth(depth, float(low), float(high))
    color = palette.DEPTH_RAMP[np.rint(tone * 255).astype(int)].astype(np.float32)
    color *= palette.shade_relief(depth, 1.0 / capture.camera.fx)[..., None]
    picture = np.clip(np.rint(color / 4) * 4, 0, 255).astype(np.uint8)  # smaller files
    picture[depth == 0] = palette.NO_READING
    return picture


def _frame_picture(title: str, picture: NDArray[np.uint8], shown: NDArray[np.bool_]) -> np.ndarray:
    """A panel with the part of a picture around the middle of `shown`, each pixel twice as wide."""
    panel = draw.new_canvas(PANEL_HEIGHT, PANEL_WIDTH, palette.PAPER)
    draw.draw_text(panel, title, (16, 26), palette.TEXT, 17, bold=True)
    rows, columns = np.nonzero(shown)
    places = []
    for found, size, room in (
        (rows, picture.shape[0], (PANEL_HEIGHT - 50) // _ZOOM),
        (columns, picture.shape[1], (PANEL_WIDTH - 32) // _ZOOM),
    ):
        middle = int(np.median(found)) if found.size else size // 2
        first = int(np.clip(middle - room // 2, 0, max(size - room, 0)))
        places.append(slice(first, first + min(room, size)))
    part = picture[places[0], places[1]].repeat(_ZOOM, 0).repeat(_ZOOM, 1)
    left = (PANEL_WIDTH - part.shape[1]) // 2
    panel[38 : 38 + part.shape[0], left : left + part.shape[1]] = part
    return panel
