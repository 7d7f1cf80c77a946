"""The contact sheet: frames as a person can judge them, depth with its labels, parts beside it.

Pictures are (H, W, 3) uint8, red first; write_picture stores one.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from frames.errors import BadInput
from frames.parts import VISIBILITY_OCCLUDED, VISIBILITY_OUTSIDE
from frames.record import Frame, Hand
from frames.skeleton import BONES, FINGER_COLORS, KEYPOINTS, WRIST
from frames.store.disk import write_file
from frames.store.pictures import decode_picture, fit_picture, to_display
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.caption import caption_lines, measure_distance

_GAP = 8
_TEXT_SIZE = 15
_LINE_HEIGHT = 19
_PANEL_WIDTH = 640
_CAPTION_WIDTH = 320


def choose_scale(frame: Frame) -> int:
    """Return the whole-number magnification that makes a depth panel about 640 pixels wide."""
    return max(1, round(_PANEL_WIDTH / frame.camera.width))


def _to_panel(px: np.ndarray, scale: int) -> np.ndarray:
    """Return image pixel coordinates in a panel magnified by scale, pixel centres both."""
    return (np.asarray(px, np.float64) + 0.5) * scale - 0.5


def magnify(image: np.ndarray, scale: int) -> np.ndarray:
    """Return the image with every pixel as a scale x scale square."""
    return np.ascontiguousarray(image.repeat(scale, 0).repeat(scale, 1))


def _hatch(panel: np.ndarray, mask: np.ndarray) -> None:
    """Stripe the masked pixels of a panel (H, W) diagonally."""
    y, x = np.ogrid[: panel.shape[0], : panel.shape[1]]
    stripe = (x + y) % palette.HATCH_PERIOD < 2
    panel[mask & stripe] = palette.NO_READING_HATCH


def draw_skeleton(panel: np.ndarray, hand: Hand, scale: int) -> None:
    """Draw a hand's bones and joints on a panel (H, W, 3) that shows its image magnified by scale.

    Visible joints are filled, occluded ones hollow, those outside are left out, and their bones end
    at the panel's border. Bones to an occluded joint are thin, other people's hands pale.
    """
    unit = max(0.75, min(panel.shape[1] / _PANEL_WIDTH, 2.0))
    radius, width = 4.0 * unit, max(1, round(2 * unit))
    places = _to_panel(hand.keypoints_px, scale)
    for parent, joint in BONES:
        draw.draw_line(panel, places[parent], places[joint], palette.INK, width + 2)
    for parent, joint in BONES:
        hidden = hand.visibility[joint] == VISIBILITY_OCCLUDED
        color = palette.color_joint(joint, hand.wearer)
        draw.draw_line(panel, places[parent], places[joint], color, 1 if hidden else width)
    for joint in range(KEYPOINTS):
        if hand.visibility[joint] == VISIBILITY_OUTSIDE or not np.isfinite(places[joint]).all():
            continue
        color = palette.color_joint(joint, hand.wearer)
        size = radius * (1.25 if joint == WRIST else 1.0)
        draw.draw_dot(panel, places[joint], size + 1.0, palette.INK)
        if hand.visibility[joint] == VISIBILITY_OCCLUDED:
            draw.draw_ring(panel, places[joint], size - 0.5, color, max(1, round(1.4 * unit)))
        else:
            draw.draw_dot(panel, places[joint], size, color)


def _draw_boxes(panel: np.ndarray, hand: Hand, scale: int) -> None:
    """Draw the modal box solid with the side's letter, and the amodal one dashed if it differs."""
    same = np.allclose(hand.box_amodal_px, hand.box_px, atol=0.5)
    for box, dash in ((hand.box_amodal_px, 5.0), (hand.box_px, 0.0)):
        if not np.isfinite(box).all() or (dash and same):
            continue
        corners = _to_panel(np.asarray(box).reshape(2, 2), scale).reshape(4)
        # The box's far edges are half a pixel outside the image where a hand leaves it.
        limit = np.array([panel.shape[1] - 1, panel.shape[0] - 1] * 2)
        corners = np.clip(corners, 0, limit)
        draw.draw_box(panel, corners, palette.BOX_COLOR, 1, dash)
        if not dash:
            letter = "L" if hand.side == "left" else "R"
            top = corners[1] - 5 if corners[1] > 20 else corners[1] + 16
            draw.draw_text(panel, letter, (corners[0] + 3, top), palette.TEXT, _TEXT_SIZE, True)


def draw_depth_panel(frame: Frame, scale: int) -> np.ndarray:
    """Return the frame's depth in colour with skeletons and boxes, (scale*H, scale*W, 3) uint8."""
    panel = magnify(palette.color_depth(frame), scale)
    reading = frame.reading
    empty = np.ones(panel.shape[:2], bool) if reading is None else magnify(reading == 0, scale)
    _hatch(panel, empty)
    for hand in frame.hands:
        _draw_boxes(panel, hand, scale)
    # Nearer hands over farther ones; those at an unknown distance come first.
    far = [float(np.nan_to_num(measure_distance(hand), nan=np.inf)) for hand in frame.hands]
    for k in np.argsort(far, kind="stable")[::-1]:
        draw_skeleton(panel, frame.hands[k], scale)
    return panel


def draw_parts_panel(frame: Frame, width: int) -> np.ndarray:
    """Return the part image in colour, (width*H/W, width, 3) uint8; without one the colour or
    infrared picture of a capture, or a plain note.
    """
    height = width * frame.camera.height // frame.camera.width
    if frame.parts is None:
        panel = draw.new_canvas(height, width, palette.PAPER)
        beside = frame.color or frame.infrared
        if beside is not None:
            fit_picture(panel, to_display(decode_picture(beside)))
            return panel
        note = "no part image"
        draw.draw_text(panel, note, (width / 2, height / 2), palette.MUTED, align="center")
        return panel
    colored = palette.PART_COLORS[frame.parts]
    return cv2.resize(colored, (width, height), interpolation=cv2.INTER_NEAREST)


def draw_frame(frame: Frame, scale: int | None = None) -> np.ndarray:
    """Draw one frame as a card: depth with labels, and beside it the parts over the caption.

    Args:
        frame: what to draw; whatever it lacks is left out.
        scale: magnification of the depth, 1 or more; by default about 640 pixels wide.

    Returns:
        (scale*H, scale*W + max(scale*W/2, 320), 3) uint8.

    Raises:
        BadInput: scale is below 1.
    """
    if scale is None:
        scale = choose_scale(frame)
    if scale < 1:
        raise BadInput(f"scale must be 1 or more, got {scale}")
    depth = draw_depth_panel(frame, scale)
    height, width = depth.shape[:2]
    side = max(width // 2, _CAPTION_WIDTH)
    card = draw.new_canvas(height, width + side, palette.PAPER)
    card[:, :width] = depth
    parts = draw_parts_panel(frame, side)[:height]
    card[: len(parts), width:] = parts
    y = len(parts) + _LINE_HEIGHT
    for line, strong in caption_lines(frame):
        if y > height - 4:
            break
        color = palette.TEXT if strong else palette.MUTED
        draw.draw_text(card, line, (width + 10, y), color, _TEXT_SIZE, strong)
        y += _LINE_HEIGHT
    return card


def draw_sheet(frames: Sequence[Frame], columns: int = 2, title: str = "") -> np.ndarray:
    """Draw frames as a contact sheet with a legend above.

    Args:
        frames: one or more, of any sizes.
        columns: cards in a row, 1 or more.
        title: a line at the top; none by default.

    Returns:
        (H, W, 3) uint8, red first.

    Raises:
        BadInput: there is no frame, or columns is below 1.
    """
    if not frames:
        raise BadInput("a contact sheet needs at least 1 frame, got 0: is the dataset empty?")
    if columns < 1:
        raise BadInput(f"columns must be 1 or more, got {columns}")
    columns = min(columns, len(frames))
    cards = [draw_frame(frame) for frame in frames]
    heights = [
        max(len(card) for card in cards[i : i + columns]) + _GAP
        for i in range(0, len(cards), columns)
    ]
    cell_width = max(card.shape[1] for card in cards) + _GAP
    width = columns * cell_width + _GAP
    legend = draw_legend(width, title)
    sheet = draw.new_canvas(len(legend) + sum(heights), width, palette.INK)
    sheet[: len(legend)] = legend
    for i, card in enumerate(cards):
        top = len(legend) + sum(heights[: i // columns])
        left = _GAP + (i % columns) * cell_width
        sheet[top : top + len(card), left : left + card.shape[1]] = card
    return sheet


def draw_legend(width: int, title: str = "") -> np.ndarray:
    """Return a row (H, width, 3) uint8 that explains the sheet's colours and marks."""
    entries = ["near|far", *FINGER_COLORS, "visible", "occluded"]
    entries += ["another person", "visible part", "whole hand", "no reading"]
    spots: list[tuple[int, int, str]] = []
    x, y = _GAP + 4, 26 if not title else 56
    for entry in entries:
        wide = 190 if "|" in entry else 34 + draw.text_width(entry, _TEXT_SIZE)
        if x + wide > width and x > _GAP + 4:
            x, y = _GAP + 4, y + 28
        spots.append((x, y, entry))
        x += wide + 16
    row = draw.new_canvas(y + 16, width, palette.INK)
    if title:
        draw.draw_text(row, title, (_GAP + 4, 27), palette.TEXT, 20, True)
    for x, y, entry in spots:
        _draw_entry(row, x, y, entry)
    return row


def _draw_entry(row: np.ndarray, x: int, y: int, entry: str) -> None:
    """Draw one entry of the legend: its mark, then its words."""
    middle = np.array([x + 11.0, y - 5.0])
    if entry == "near|far":
        ramp = palette.DEPTH_RAMP[np.linspace(255, 20, 110).astype(int)]
        draw.draw_text(row, "near", (x, y), palette.MUTED, _TEXT_SIZE)
        row[y - 11 : y + 1, x + 40 : x + 150] = ramp
        draw.draw_text(row, "far", (x + 158, y), palette.MUTED, _TEXT_SIZE)
        return
    if entry in FINGER_COLORS:
        color = FINGER_COLORS[entry]
        reach = np.array([9.0, 0.0])
        draw.draw_line(row, middle - reach, middle + reach, color, 3)
        draw.draw_dot(row, middle, 4.5, color)
    elif entry == "another person":
        color = palette.color_joint(8, wearer=False)
        reach = np.array([9.0, 0.0])
        draw.draw_line(row, middle - reach, middle + reach, color, 3)
        draw.draw_dot(row, middle, 4.5, color)
    elif entry == "visible":
        draw.draw_dot(row, middle, 5.0, palette.TEXT)
    elif entry == "occluded":
        draw.draw_ring(row, middle, 4.5, palette.TEXT, 2)
    elif entry == "no reading":
        swatch = row[y - 12 : y + 2, x : x + 22]
        swatch[:] = palette.NO_READING
        _hatch(swatch, np.ones(swatch.shape[:2], bool))
    else:
        box = np.array([x + 1, y - 11, x + 21, y + 1])
        draw.draw_box(row, box, palette.BOX_COLOR, 1, 3.0 if entry == "whole hand" else 0.0)
    draw.draw_text(row, entry, (x + 30, y), palette.MUTED, _TEXT_SIZE)


def write_picture(picture: np.ndarray, path: Path) -> None:
    """Write an (H, W, 3) uint8 picture, red first, as a PNG.

    Raises:
        BadInput: the path does not end in .png, or cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise BadInput(f"a picture is written as .png, got {path}")
    data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1]
    write_file(path, data.tobytes())
