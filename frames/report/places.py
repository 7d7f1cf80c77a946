"""Where in the image hands are."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.viewing import canvas as draw
from frames.viewing import chart, palette

GRID: Final = (36, 48)
"""Rows and columns of the map."""


def count_places(
    middles_px: NDArray[np.floating], sizes_px: NDArray[np.integer]
) -> NDArray[np.int64]:
    """GRID counts of hands by the middles of their keypoints in the image.

    middles_px: (N, 2), NaN for none; those outside are left out. sizes_px: (N, 2) width and height
    of each one's image.
    """
    share = (middles_px + 0.5) / sizes_px
    # Comparisons with NaN are false.
    known = ((share >= 0) & (share < 1)).all(-1)
    rows, columns = GRID
    cell = (share[known, 1] * rows).astype(np.int64) * columns
    cell += (share[known, 0] * columns).astype(np.int64)
    return np.bincount(cell, minlength=rows * columns).reshape(GRID)


def smooth_counts(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Counts blurred over as many cells as a few thousand hands need to look like a density."""
    return np.asarray(cv2.GaussianBlur(counts.astype(np.float64), (0, 0), 1.2))


def draw_map(title: str, note: str, values: NDArray[np.floating], aspect: float) -> np.ndarray:
    """A panel (330, 560, 3) uint8 of a map over the image, 0 dark, its greatest value bright.

    aspect: width of the image by its height.
    """
    panel = draw.new_canvas(chart.PANEL_HEIGHT, chart.PANEL_WIDTH, palette.PAPER)
    draw.draw_text(panel, title, (16, 26), palette.TEXT, 17, bold=True)
    draw.draw_text(panel, note, (chart.PANEL_WIDTH - 16, 26), palette.MUTED, 14, align="right")
    top, room = 46, chart.PANEL_HEIGHT - 46 - 16
    height = min(room, int((chart.PANEL_WIDTH - 32) / aspect))
    width = min(chart.PANEL_WIDTH - 32, int(height * aspect))
    full = max(1e-12, float(np.nanmax(values))) if values.size else 1.0
    share = np.nan_to_num(values / full).astype(np.float32)
    large = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
    smooth = np.rint(np.clip(large, 0, 1) * 255).astype(np.uint8)
    left = (chart.PANEL_WIDTH - width) // 2
    panel[top : top + height, left : left + width] = palette.DEPTH_RAMP[smooth]
    return panel
