"""Which poses a dataset's hands take: a map whose places mean the same for every dataset.

Across: how far the four fingers curl; up: by how much the index finger curls more than the pinky.
These are the two synergies that explain most of how hands differ (Santello, Flanders and Soechting
1998). Each cell of the map shows a hand that is there, and how many are.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.skeleton import BONES, FINGERS, KEYPOINTS, WRIST
from frames.viewing import canvas as draw
from frames.viewing import palette

COLUMNS, ROWS = 14, 7
CURL_DEG: Final = (0.0, 280.0)
"""Of a finger: the sum of its joints' bends; a fist has about 230."""
GRADIENT_DEG: Final = (-210.0, 210.0)
"""Index finger's curl less the pinky's: pointing is far below zero, OK far above."""

_CELL: Final = 84
_INDEX, _MIDDLE, _PINKY = 5, 9, 17


@dataclass(frozen=True)
class PoseMap:
    """A dataset's hands on the map."""

    counts: NDArray[np.int64]
    """(ROWS, COLUMNS) hands of each cell; row 0 has the greatest gradient."""
    shown: NDArray[np.int64]
    """(ROWS, COLUMNS) a hand near the middle of the cell, -1 of none."""
    hands: int
    """How many have all joints that are needed."""

    @property
    def filled(self) -> int:
        """Cells with a hand."""
        return int((self.counts > 0).sum())


def to_palm(keypoints: NDArray[np.floating], left: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Hands (N, 21, 3) in the palm's frame, as right hands, the palm's length 1; (N, 21, 3).

    Origin at the wrist, y to the middle finger's knuckle, x towards the thumb's side, z out of the
    palm. NaN where these joints are not known.
    """
    points = keypoints.astype(np.float64) - keypoints[:, WRIST : WRIST + 1]
    along = points[:, _MIDDLE]
    length = np.linalg.norm(along, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        y = along / length
        side = points[:, _INDEX] - points[:, _PINKY]
        side = side - (side * y).sum(-1, keepdims=True) * y
        x = side / np.linalg.norm(side, axis=-1, keepdims=True)
        # Out of the palm of a right hand; a left one is its mirror image.
        z = np.cross(x, y) * np.where(left, -1.0, 1.0)[:, None]
        axes = np.stack([x, y, z], 1)
        return np.asarray((points[:, :, None] * axes[:, None]).sum(-1) / length[:, None])


def measure_curls(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, 5) degrees, thumb to pinky: the sum of the bends between the bones of each finger.

    points: (N, 21, 3) in any frame.
    """
    out = np.empty((len(points), len(FINGERS)))
    for k, chain in enumerate(FINGERS.values()):
        joints = points[:, [WRIST, *chain]].astype(np.float64)
        bones = np.diff(joints, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            bones = bones / np.linalg.norm(bones, axis=-1, keepdims=True)
        cosine = np.clip((bones[:, 1:] * bones[:, :-1]).sum(-1), -1, 1)
        out[:, k] = np.degrees(np.arccos(cosine)).sum(-1)
    return out


def map_poses(points: NDArray[np.float64]) -> PoseMap:
    """Hands (N, 21, 3) of `to_palm` on the map; those beyond its edges are in the cells there."""
    curls = measure_curls(points)
    curl, gradient = curls[:, 1:].mean(1), curls[:, 1] - curls[:, 4]
    known = np.isfinite(curl) & np.isfinite(gradient) & np.isfinite(points).all((1, 2))
    across = (curl - CURL_DEG[0]) / (CURL_DEG[1] - CURL_DEG[0]) * COLUMNS
    down = (GRADIENT_DEG[1] - gradient) / (GRADIENT_DEG[1] - GRADIENT_DEG[0]) * ROWS
    across = np.clip(np.where(known, across, 0), 0, COLUMNS - 1e-9)
    down = np.clip(np.where(known, down, 0), 0, ROWS - 1e-9)
    cell = down.astype(np.int64) * COLUMNS + across.astype(np.int64)
    counts = np.bincount(cell[known], minlength=ROWS * COLUMNS)
    off = (across % 1 - 0.5) ** 2 + (down % 1 - 0.5) ** 2
    shown = np.full(ROWS * COLUMNS, -1)
    order = np.argsort(-off, kind="stable")
    order = order[known[order]]
    shown[cell[order]] = order  # the last one, nearest to the middle, stays
    return PoseMap(counts.reshape(ROWS, COLUMNS), shown.reshape(ROWS, COLUMNS), int(known.sum()))


def draw_pose_map(poses: PoseMap, points: NDArray[np.float64]) -> np.ndarray:
    """The map as a picture (H, W, 3) uint8: seen from the palm; brighter where more are.

    points: those of which it was made.
    """
    left, top, bottom = 54, 44, 52
    panel = draw.new_canvas(top + ROWS * _CELL + bottom, left + COLUMNS * _CELL + 16, palette.PAPER)
    draw.draw_text(panel, "Poses", (16, 26), palette.TEXT, 17, bold=True)
    note = f"{poses.hands:,} hands in {poses.filled} of {ROWS * COLUMNS} cells"
    draw.draw_text(panel, note, (panel.shape[1] - 16, 26), palette.MUTED, 14, align="right")
    full = max(1, int(poses.counts.max()))
    for row in range(ROWS):
        for column in range(COLUMNS):
            y, x = top + row * _CELL, left + column * _CELL
            cell = panel[y + 1 : y + _CELL - 1, x + 1 : x + _CELL - 1]
            count = int(poses.counts[row, column])
            share = np.log1p(count) / np.log1p(full)
            cell[:] = palette.DEPTH_RAMP[round(150 * share)] if count else palette.INK
            if count:
                _draw_hand(cell, points[poses.shown[row, column]])
                place = (_CELL - 8, _CELL - 8)
                draw.draw_text(cell, f"{count:,}", place, palette.TEXT, 11, align="right")
    _draw_axes(panel, left, top)
    return panel


def _draw_hand(cell: np.ndarray, points: NDArray[np.float64]) -> None:
    """A hand's bones, from a little aside of the palm, so that curled fingers show."""
    x, y, z = points.T
    turn, tilt = np.radians(28.0), np.radians(22.0)
    across = x * np.cos(turn) + z * np.sin(turn)
    near = z * np.cos(turn) - x * np.sin(turn)
    up = y * np.cos(tilt) + near * np.sin(tilt)
    scale = 0.40 * _CELL
    places = np.stack([0.46 * _CELL + scale * across, 0.90 * _CELL - scale * up], -1)
    order = np.argsort([near[b] for _, b in BONES], kind="stable")
    for k in order:
        a, b = BONES[k]
        draw.draw_line(cell, places[a], places[b], palette.INK, 4)
        draw.draw_line(cell, places[a], places[b], palette.color_joint(b, True), 2)
    assert len(places) == KEYPOINTS


def _draw_axes(panel: np.ndarray, left: int, top: int) -> None:
    floor = top + ROWS * _CELL
    for k in range(0, COLUMNS + 1, 2):
        value = CURL_DEG[0] + k / COLUMNS * (CURL_DEG[1] - CURL_DEG[0])
        place = (left + k * _CELL, floor + 18)
        draw.draw_text(panel, f"{value:.0f}", place, palette.MUTED, 13, align="center")
    words = "curl of the four fingers, degrees (sum of a finger's bends)"
    middle = (left + COLUMNS * _CELL / 2, floor + 40)
    draw.draw_text(panel, words, middle, palette.MUTED, 13, align="center")
    for k in range(ROWS + 1):
        value = GRADIENT_DEG[1] - k / ROWS * (GRADIENT_DEG[1] - GRADIENT_DEG[0])
        place = (left - 8, top + k * _CELL + 5)
        draw.draw_text(panel, f"{value:.0f}", place, palette.MUTED, 13, align="right")
