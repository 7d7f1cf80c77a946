"""Colours of what we look at: depth, parts, fingers. All are (red, green, blue), 0..255.

Depth is shown on one ramp whose lightness falls steadily with distance. Most of it is spent on the
depth range of the hands, where a finger is 1-2 cm deep; the room behind them gets the dark end.
"""

from typing import Final

import cv2
import numpy as np

from frames.parts import FOREARM, HAND_PARTS, HAND_STRIDE, MAX_HANDS, OBJECT_BASE
from frames.record import Frame
from frames.skeleton import FINGER_COLORS, KEYPOINT_COLORS
from frames.viewing.canvas import Color

INK: Final[Color] = (14, 17, 22)
PAPER: Final[Color] = (24, 28, 35)
TEXT: Final[Color] = (226, 232, 240)
MUTED: Final[Color] = (138, 150, 166)

OTHERS: Final[Color] = (198, 203, 210)
OTHERS_SHARE: Final = 0.65
"""What is mixed into the colours of other people's hands, and how much of it."""

BOX_COLOR: Final[Color] = (255, 255, 255)

NO_READING: Final[Color] = (58, 36, 52)
NO_READING_HATCH: Final[Color] = (92, 58, 84)
"""Pixels without a reading: a colour off the ramp, with diagonal stripes of the second."""

HATCH_PERIOD: Final = 6
"""Pixels of the picture between stripes."""

_ANCHORS: Final = (
    (0.00, (7, 9, 18)),
    (0.22, (22, 32, 62)),
    (0.40, (28, 66, 110)),
    (0.55, (24, 108, 138)),
    (0.70, (50, 154, 146)),
    (0.85, (142, 201, 160)),
    (1.00, (244, 244, 214)),
)
TONE: Final = {"handFar": 0.38, "floor": 0.25, "room": 0.70, "roomM": 0.8}
"""The tone curve, shared with the page: where on the ramp the hands' far end lies, what share of
that the farthest room keeps, what share a wall right behind the hands adds, and over how many
metres the latter falls to 1/e."""


def _interpolate_lab(anchors: tuple[tuple[float, Color], ...], steps: int) -> np.ndarray:
    """Return (steps, 3) uint8 between anchor colours, straight in CIELAB: even to the eye."""
    places = np.array([a[0] for a in anchors])
    rgb = np.array([a[1] for a in anchors], np.float32)[None] / np.float32(255)
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)[0]
    at = np.linspace(0.0, 1.0, steps)
    mixed = np.stack([np.interp(at, places, lab[:, c]) for c in range(3)], -1).astype(np.float32)
    back = cv2.cvtColor(mixed[None], cv2.COLOR_Lab2RGB)[0]
    return np.clip(np.rint(back * 255), 0, 255).astype(np.uint8)


DEPTH_RAMP: Final = _interpolate_lab(_ANCHORS, 256)
"""(256, 3) uint8, from far (dark) to near (light)."""


def _part_table() -> np.ndarray:
    """Return (256, 3) uint8: a colour for every code of the part image."""
    table = np.zeros((256, 3), np.uint8)
    fingers = np.array(list(FINGER_COLORS.values()))
    table[0] = PAPER
    for hand in range(MAX_HANDS):
        base = HAND_STRIDE * hand
        # Later hands are dimmer, so that two hands side by side tell apart.
        dim = 1.0 - 0.13 * hand
        palm, arm = np.array((176, 184, 196)), np.array((104, 114, 130))
        table[base + 1] = palm * dim
        for part in range(2, HAND_PARTS + 1):
            finger, segment = divmod(part - 2, 3)
            table[base + part] = fingers[finger] * dim * (0.62 + 0.19 * segment)
        table[base + FOREARM] = arm * dim
    for j in range(256 - OBJECT_BASE):
        # Objects: muted golds and browns, which no finger has.
        table[OBJECT_BASE + j] = np.array((150, 124, 84)) * (0.75 + 0.25 * ((j * 5) % 8) / 7)
    return table


PART_COLORS: Final = _part_table()
"""(256, 3) uint8: the colour of each part code."""


def color_joint(joint: int, wearer: bool) -> Color:
    """Return a keypoint's colour: its finger's, paler on other people's hands."""
    color = KEYPOINT_COLORS[joint]
    if wearer:
        return color
    pairs = zip(color, OTHERS, strict=True)
    red, green, blue = (round(a + OTHERS_SHARE * (b - a)) for a, b in pairs)
    return red, green, blue


def find_hand_range(frame: Frame) -> tuple[float, float]:
    """Return the nearest and farthest depth of the hands in metres, with room to spare.

    Taken from the hands' pixels where there is a part image, otherwise from the keypoints,
    otherwise from the whole image; (0.2, 1.0) for a frame with no reading at all.
    """
    reading = frame.reading
    near = far = np.nan
    if reading is not None:
        depth = reading.astype(np.float64) / frame.depth_scale
        chosen = depth > 0
        if frame.parts is not None:
            part = frame.parts % HAND_STRIDE
            hand = (frame.parts < OBJECT_BASE) & (part >= 1) & (part <= HAND_PARTS)
            chosen = chosen & hand if (chosen & hand).any() else chosen
            near, far = _percentiles(depth[chosen])
        elif not frame.hands:
            near, far = _percentiles(depth[chosen])
    if not np.isfinite(near) and frame.hands:
        z = np.concatenate([hand.keypoints_cam_m[:, 2] for hand in frame.hands])
        near, far = _percentiles(z[np.isfinite(z)])
    if not np.isfinite(near) and reading is not None:
        near, far = _percentiles(depth[depth > 0])
    if not np.isfinite(near):
        return 0.2, 1.0
    spare = 0.01 + 0.5 * max(0.0, 0.08 - (far - near))
    return max(0.0, near - spare), far + spare


def _percentiles(depth: np.ndarray) -> tuple[float, float]:
    if not len(depth):
        return np.nan, np.nan
    low, high = np.percentile(depth, (1.0, 99.0))
    return float(low), float(high)


def tone_depth(depth_m: np.ndarray, near_m: float, far_m: float) -> np.ndarray:
    """Return where on the ramp each depth lies, 1 (nearest) .. 0, same shape, float32.

    Straight over the hands' range [near_m, far_m], then a decay: rooms a metre and five metres
    behind still differ a little. It never rises with distance.
    """
    depth = np.asarray(depth_m, np.float32)
    end = TONE["handFar"]
    inside = 1.0 - (1.0 - end) * (depth - near_m) / max(far_m - near_m, 1e-6)
    fading = TONE["room"] * np.exp(-np.maximum(depth - far_m, 0) / TONE["roomM"])
    behind = end * (TONE["floor"] + fading)
    return np.where(depth <= far_m, np.clip(inside, end, 1.0), behind).astype(np.float32)


def shade_relief(depth_m: np.ndarray, pixel_rad: float, strength: float = 0.55) -> np.ndarray:
    """Return a factor (H, W) float32 about 1 by the surface's slope, lit from above left.

    Args:
        depth_m: (H, W), 0 where there is no reading.
        pixel_rad: angle of one pixel, 1 / focal length in pixels.
        strength: how far the factor may leave 1; level ground and edges give 1.
    """
    depth = np.where(depth_m > 0, depth_m, np.nan).astype(np.float32)
    step = np.nan_to_num(depth * np.float32(pixel_rad), nan=1.0)
    slope_x = np.zeros_like(depth)
    slope_y = np.zeros_like(depth)
    slope_x[:, 1:-1] = (depth[:, 2:] - depth[:, :-2]) / (2 * step[:, 1:-1])
    slope_y[1:-1] = (depth[2:] - depth[:-2]) / (2 * step[1:-1])
    # A slope beyond 4 (76 degrees) is the rim of something, not its surface.
    rim = ~((np.abs(slope_x) < 4) & (np.abs(slope_y) < 4))
    slope_x[rim], slope_y[rim] = 0, 0
    normal = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    light = (0.45 * slope_x + 0.6 * slope_y + 0.66) * normal
    return (1.0 + strength * np.clip(light - 0.66, -0.6, 0.4)).astype(np.float32)


def color_depth(frame: Frame) -> np.ndarray:
    """Return the frame's depth in colour, (H, W, 3) uint8; pixels without a reading NO_READING.

    With neither depth nor clean depth every pixel is one without a reading.
    """
    camera, reading = frame.camera, frame.reading
    if reading is None:
        return np.full((camera.height, camera.width, 3), NO_READING, np.uint8)
    depth = reading.astype(np.float32) / np.float32(frame.depth_scale)
    return color_depth_m(depth, *find_hand_range(frame), 1.0 / camera.fx)


def color_depth_m(depth_m: np.ndarray, near_m: float, far_m: float, pixel_rad: float) -> np.ndarray:
    """Return depth (H, W) float32 in colour, (H, W, 3) uint8; NO_READING where it is 0.

    near_m, far_m: range of the hands. pixel_rad: angle of one pixel.
    """
    tone = tone_depth(depth_m, near_m, far_m)
    color = DEPTH_RAMP[np.rint(tone * 255).astype(np.int32)].astype(np.float32)
    color *= shade_relief(depth_m, pixel_rad)[..., None]
    picture = np.clip(np.rint(color), 0, 255).astype(np.uint8)
    picture[depth_m == 0] = NO_READING
    return picture
