"""Drawing on an (H, W, 3) uint8 RGB picture: text, anti-aliased lines and dots at sub-pixel places.

Places are in pixel-centre coordinates of the picture, as keypoints are. All draw in place.
"""

import functools
import math
from typing import Any

import cv2
import numpy as np

Color = tuple[int, int, int]

_SHIFT = 4
"""OpenCV's fixed-point bits: places are kept to 1/16 pixel."""


def new_canvas(height: int, width: int, color: Color) -> np.ndarray:
    """Return an (height, width, 3) uint8 picture of one colour."""
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = color
    return canvas


def _fixed(value: float) -> int:
    return round(value * (1 << _SHIFT))


def draw_line(
    canvas: np.ndarray, a: np.ndarray, b: np.ndarray, color: Color, width: int = 1
) -> None:
    """Draw an anti-aliased line between two places (2,), clipped to the picture.

    Clipping comes first, in floating point: a bone of a hand half out of view may end so far
    off that fixed-point coordinates overflow.
    """
    height, full_width = canvas.shape[:2]
    margin = float(width + 1)
    clipped = clip_segment(a, b, (-margin, -margin, full_width + margin, height + margin))
    if clipped is None:
        return
    (ax, ay), (bx, by) = clipped
    start, end = (_fixed(ax), _fixed(ay)), (_fixed(bx), _fixed(by))
    cv2.line(canvas, start, end, color, width, cv2.LINE_AA, _SHIFT)


def clip_segment(
    a: np.ndarray, b: np.ndarray, box: tuple[float, float, float, float]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the part of segment a-b inside an xyxy box, or None (Liang & Barsky 1984).

    NaN places give None.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    step = b - a
    first, last = 0.0, 1.0
    for axis in range(2):
        low, high = box[axis] - a[axis], box[axis + 2] - a[axis]
        if step[axis] == 0.0:
            if low > 0.0 or high < 0.0:
                return None
            continue
        enter, leave = sorted((low / step[axis], high / step[axis]))
        first, last = max(first, enter), min(last, leave)
    return (a + first * step, a + last * step) if first <= last else None


def draw_dot(canvas: np.ndarray, place: np.ndarray, radius: float, color: Color) -> None:
    """Draw a filled anti-aliased disc at a place (2,)."""
    center = (_fixed(place[0]), _fixed(place[1]))
    cv2.circle(canvas, center, _fixed(radius), color, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def draw_ring(
    canvas: np.ndarray, place: np.ndarray, radius: float, color: Color, width: int = 1
) -> None:
    """Draw an anti-aliased circle at a place (2,), empty inside."""
    center = (_fixed(place[0]), _fixed(place[1]))
    cv2.circle(canvas, center, _fixed(radius), color, width, cv2.LINE_AA, _SHIFT)


def draw_box(
    canvas: np.ndarray, box: np.ndarray, color: Color, width: int = 1, dash: float = 0.0
) -> None:
    """Draw an xyxy box (4,), dashed where dash (pixels) is not 0; a box with a NaN is left out."""
    x0, y0, x1, y1 = (float(v) for v in box)
    if not all(math.isfinite(v) for v in (x0, y0, x1, y1)):
        return
    corners = [np.array(c) for c in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
        if not dash:
            draw_line(canvas, a, b, color, width)
            continue
        length = float(np.linalg.norm(b - a))
        for start in np.arange(0.0, length, 2.0 * dash):
            ends = a + (b - a) * np.array([[start], [min(start + dash, length)]]) / length
            draw_line(canvas, ends[0], ends[1], color, width)


@functools.cache
def _font() -> Any:
    """Return OpenCV 5's outline font, or None before OpenCV 5 (then the Hershey strokes serve)."""
    return cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None


def draw_text(
    canvas: np.ndarray,
    text: str,
    place: tuple[float, float],
    color: Color,
    size: int = 14,
    bold: bool = False,
    align: str = "left",
) -> None:
    """Write one line with its baseline's left end (or middle, or right end) at a place.

    Args:
        canvas: (H, W, 3) uint8.
        text: one line; characters outside ASCII appear only with OpenCV 5.
        place: x, y of the baseline.
        color: red, green, blue.
        size: height in pixels.
        bold: a heavier weight.
        align: "left", "center" or "right".
    """
    shift = {"left": 0.0, "center": 0.5, "right": 1.0}[align] * text_width(text, size, bold)
    origin = (round(place[0] - shift), round(place[1]))
    font = _font()
    if font is not None:
        cv2.putText(canvas, text, origin, color, font, size, 600 if bold else 400)
        return
    plain = text.encode("ascii", "replace").decode()
    weight = 2 if bold and size >= 18 else 1
    scale = size / 30.0
    cv2.putText(canvas, plain, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, color, weight, cv2.LINE_AA)


def text_width(text: str, size: int = 14, bold: bool = False) -> int:
    """Return the width in pixels that draw_text takes for a line."""
    font = _font()
    if font is not None:
        return int(cv2.getTextSize((0, 0), text, (0, 0), font, size, 600 if bold else 400)[2])
    scale = size / 30.0
    return int(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0])
