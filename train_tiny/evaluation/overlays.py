"""Pictures of what a network found in crops: labels white beneath, predictions in their colours."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.skeleton import BONES, KEYPOINTS
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.sheet import magnify
from train_tiny.evaluation.scores import Scores
from train_tiny.loading.crops import HALF_RANGE_M

WIDTH: Final = 256
"""Of a crop on the page, pixels, about."""

_CAPTION: Final = 40


def choose_hands(scores: Scores, count: int, within: int) -> dict[str, list[int]]:
    """Rows of the best, the median and the worst hands by mean error in palms.

    count: of each kind. within: only rows below it.
    """
    with np.errstate(invalid="ignore"):
        known = np.isfinite(scores.error_palms)
        total = np.where(known, scores.error_palms, 0).sum(1)
        mean = np.where(known.any(1), total / np.maximum(known.sum(1), 1), np.nan)[:within]
    order = np.argsort(mean, kind="stable")[: int(np.isfinite(mean).sum())].tolist()
    count = min(count, len(order))
    first = max(0, (len(order) - count) // 2)
    return {
        "best": order[:count],
        "median": order[first : first + count],
        "worst": order[::-1][:count],
    }


def draw_hand(scores: Scores, row: int, image: NDArray[np.uint8]) -> np.ndarray:
    """A card (H, W, 3) uint8 of one hand: its crop (S, S), labels, predictions, a caption."""
    scale = max(1, WIDTH // image.shape[0])
    panel = magnify(color_crop(image), scale)
    labels = _to_panel(scores.labels_px[row], scale)
    found = _to_panel(scores.found_px[row], scale)
    for a, b in BONES:
        draw.draw_line(panel, labels[a], labels[b], palette.TEXT, 1)
    for a, b in BONES:
        draw.draw_line(panel, found[a], found[b], palette.color_joint(b, True), 2)
    for joint in range(KEYPOINTS):
        if np.isfinite(labels[joint]).all():
            hidden = scores.seen[row, joint] == 0
            mark = draw.draw_ring if hidden else draw.draw_dot
            mark(panel, labels[joint], 2.6, palette.TEXT)
        if np.isfinite(found[joint]).all():
            draw.draw_dot(panel, found[joint], 3.0, palette.color_joint(joint, True))
    card = draw.new_canvas(panel.shape[0] + _CAPTION, panel.shape[1], palette.PAPER)
    card[: panel.shape[0]] = panel
    for k, line in enumerate(describe_hand(scores, row)):
        place = (6, panel.shape[0] + 16 + 17 * k)
        draw.draw_text(card, line, place, palette.TEXT if k == 0 else palette.MUTED, 13)
    return card


def describe_hand(scores: Scores, row: int) -> tuple[str, str]:
    """Which hand it is and how well it was found, in two short lines."""
    palms = scores.error_palms[row]
    palms = palms[np.isfinite(palms)]
    away = np.linalg.norm(scores.found_m[row] - scores.labels_m[row], axis=-1)
    away = away[np.isfinite(away)]
    first = f"frame {scores.frame_id[row]}, hand {scores.hand[row]}"
    if len(palms):
        first += f": {palms.mean():.2f} palms, {(palms <= 0.2).mean():.0%} in"
    words = [str(scores.sensor[row]), str(scores.situation[row])]
    words.append(str(scores.grasp[row] or scores.key_pose[row]))
    words += [f"{1e3 * away.mean():.0f} mm"] if len(away) else []
    return first, ", ".join(w for w in words if w)


def color_crop(image: NDArray[np.uint8]) -> np.ndarray:
    """A network's input (S, S), 255 near to 0 far or unread, in the colours of depth."""
    half = HALF_RANGE_M
    depth = np.where(image > 0, 0.5 + half - image.astype(np.float32) / 255 * 2 * half, 0)
    return palette.color_depth_m(depth.astype(np.float32), 0.5 - half, 0.5 + half, 0.2 / 128 / 0.5)


def _to_panel(px: NDArray[np.float32], scale: int) -> np.ndarray:
    return (px.astype(np.float64) + 0.5) * scale - 0.5
