"""A frame before and behind its sensor: clean, as read, why not, and how far off."""

from typing import Final

import numpy as np

from frames.census.readings import mask_hands
from frames.reasons import REASON_NAMES
from frames.record import Frame
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.canvas import Color
from frames.viewing.sheet import draw_skeleton, magnify

REASON_COLORS: Final[dict[str, Color]] = {
    "read": (44, 52, 62),
    "nothing": (10, 12, 16),
    "low_signal": (88, 96, 168),
    "saturated": (250, 240, 190),
    "out_of_range": (64, 120, 148),
    "shadow": (206, 84, 70),
    "mixed": (226, 152, 52),
    "multipath": (196, 110, 190),
    "vignette": (92, 84, 96),
    "mismatch": (90, 178, 110),
    "dropout": (150, 90, 134),
}
"""Colour of every reason by name."""

NEARER: Final[Color] = (78, 168, 255)
FARTHER: Final[Color] = (255, 140, 60)
"""Where the sensor errs by the whole range of the difference, either way."""

PANEL_WIDTH: Final = 480
PANELS: Final = ("clean depth", "as the sensor reads it", "why there is no reading", "difference")

GAP: Final = 8
_CAPTION: Final = 24
TEXT_SIZE: Final = 15


def measure_error(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Return reading minus clean depth in mm (H, W), and which pixels of hands (or of anything, if
    there are none) have both.
    """
    if frame.depth is None or frame.clean_depth is None:
        shape = (frame.camera.height, frame.camera.width)
        return np.zeros(shape, np.float32), np.zeros(shape, bool)
    both = (frame.depth > 0) & (frame.clean_depth > 0)
    steps = frame.depth.astype(np.float32) - frame.clean_depth
    on_hands = mask_hands(frame)
    return steps / np.float32(frame.depth_scale) * 1000, both & (
        on_hands if on_hands.any() else both
    )


def color_reasons(invalid: np.ndarray) -> np.ndarray:
    """Return an image of reasons (H, W) in colour, (H, W, 3) uint8."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(REASON_NAMES)] = [REASON_COLORS[name] for name in REASON_NAMES]
    return np.asarray(table[invalid])


def color_difference(frame: Frame, range_mm: float) -> np.ndarray:
    """Return how far off the sensor is in colour, (H, W, 3) uint8; INK where it reads nothing."""
    difference, _ = measure_error(frame)
    share = np.clip(difference / range_mm, -1, 1)[..., None]
    ends = np.where(share < 0, np.array(NEARER), np.array(FARTHER))
    paper = np.array(palette.PAPER)
    picture = np.rint(paper + np.abs(share) * (ends - paper)).astype(np.uint8)
    if frame.depth is not None:
        picture[frame.depth == 0] = palette.INK
    return picture


def draw_reading_card(frame: Frame, range_mm: float) -> np.ndarray:
    """Draw a frame's four panels in a row over a caption, (H, W, 3) uint8.

    frame: with depth as a sensor read it; whatever it lacks is a note. range_mm: the difference
    that has the full colour.
    """
    camera = frame.camera
    scale = max(1, round(PANEL_WIDTH / camera.width))
    near, far = palette.find_hand_range(frame)
    pixel = 1.0 / camera.fx

    def show(depth: np.ndarray | None) -> np.ndarray | None:
        if depth is None:
            return None
        depth_m = depth.astype(np.float32) / np.float32(frame.depth_scale)
        return palette.color_depth_m(depth_m, near, far, pixel)

    known = frame.depth is not None and frame.clean_depth is not None
    panels = [
        show(frame.clean_depth),
        show(frame.depth),
        None if frame.invalid is None else color_reasons(frame.invalid),
        color_difference(frame, range_mm) if known else None,
    ]
    height, width = camera.height * scale, camera.width * scale
    card = draw.new_canvas(height + _CAPTION, 4 * width + 3 * GAP, palette.INK)
    for k, image in enumerate(panels):
        left = k * (width + GAP)
        panel = card[:height, left : left + width]
        if image is None:
            panel[:] = palette.PAPER
            note = f"no {PANELS[k]}"
            draw.draw_text(
                card, note, (left + width / 2, height / 2), palette.MUTED, align="center"
            )
            continue
        panel[:] = magnify(image, scale)
    # The labels as the sensor has them: what it does not read is hollow.
    if panels[1] is not None:
        labelled = np.ascontiguousarray(card[:height, width + GAP : 2 * width + GAP])
        for hand in frame.hands:
            draw_skeleton(labelled, hand, scale)
        card[:height, width + GAP : 2 * width + GAP] = labelled
    draw.draw_text(card, describe_reading(frame), (4, height + 17), palette.MUTED, TEXT_SIZE)
    return card


def describe_reading(frame: Frame) -> str:
    """Return in words how much of a frame its sensor reads, and how far off it is on hands."""
    words = [f"Frame {frame.frame_id}"]
    if frame.sensor is not None:
        seed = "" if frame.sensor_seed is None else f", seed {frame.sensor_seed}"
        words.append(f"{frame.sensor}{seed}")
    if frame.depth is not None:
        read, hands = frame.depth > 0, mask_hands(frame)
        words.append(f"{read.mean():.1%} read")
        if hands.any():
            words.append(f"{read[hands].mean():.1%} of hands")
    difference, both = measure_error(frame)
    if both.any():
        middle = float(np.median(difference[both]))
        spread = float(np.median(np.abs(difference[both] - middle)))
        words.append(f"off by {middle:+.1f} mm in the median, spread {1.4826 * spread:.1f} mm")
    return "; ".join(words)
