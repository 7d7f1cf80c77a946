"""Where annotators disagree, as pictures."""

import itertools
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.skeleton import BONES, KEYPOINT_NAMES
from frames.viewing.canvas import draw_dot, draw_line, draw_ring, draw_text, new_canvas, text_width
from frames.viewing.palette import INK, TEXT, color_depth_m
from labeling.agreement import Rated, measure_pairs

COLORS: Final = ((255, 93, 143), (255, 255, 255), (255, 176, 0), (140, 230, 120))
"""RGB of the first, second ... annotator."""

MARGIN_PX: Final = 15
"""Kept around the hand."""

WIDTH: Final = 420
"""Of the picture of one hand, at least, in pixels."""

HEAD: Final = 22
"""Height of a line of words."""

APART: Final = (90, 200, 255)
"""RGB of what joins two places of one joint."""


def draw_disagreement(
    rated: Rated, depth_m: NDArray[np.float32], camera: Camera, name: str = ""
) -> NDArray[np.uint8]:
    """A picture (RGB) of one hand with every annotator's skeleton, cut to the hand and enlarged.

    depth_m (H, W) in metres; name: of the frame, by default its number. Joints that an annotator
    sees are dots, hidden ones rings; a line joins the two farthest places of the worst joint.
    """
    places = rated.keypoints_px
    placed = places[np.isfinite(places).all(-1)]
    size = camera.width, camera.height
    low = np.clip(np.floor(placed.min(0)) - MARGIN_PX, 0, np.subtract(size, 1)).astype(int)
    high = np.clip(np.ceil(placed.max(0)) + MARGIN_PX + 1, low + 1, size).astype(int)
    cut = np.ascontiguousarray(depth_m[low[1] : high[1], low[0] : high[0]])
    zoom = max(2, -(-WIDTH // cut.shape[1]))
    read = cut[cut > 0]
    near, far = np.percentile(read, (2, 60)) if len(read) else (0.3, 0.6)
    shade = color_depth_m(cut, float(near) - 0.03, float(far) + 0.05, 1 / camera.fx)
    picture = cv2.resize(shade, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
    picture = (picture * 0.6).astype(np.uint8)
    at = (places - low + 0.5) * zoom - 0.5
    for r, color in enumerate(COLORS[k % len(COLORS)] for k in range(len(rated.annotators))):
        known = np.isfinite(at[r]).all(-1)
        for a, b in BONES:
            if known[a] and known[b]:
                draw_line(picture, at[r, a], at[r, b], color)
        for k in np.flatnonzero(known):
            if rated.visible[r, k] == 1:
                draw_dot(picture, at[r, k], 3, color)
            else:
                draw_ring(picture, at[r, k], 4, color)
    apart = np.nan_to_num(measure_pairs(rated), nan=-1.0)
    worst = int(apart.max(0).argmax())
    pairs = list(itertools.combinations(range(len(rated.annotators)), 2))
    first, second = pairs[int(apart[:, worst].argmax())]
    draw_line(picture, at[first, worst], at[second, worst], APART, 2)
    page = new_canvas(picture.shape[0] + 2 * HEAD, max(picture.shape[1], WIDTH), INK)
    page[2 * HEAD :, : picture.shape[1]] = picture
    text = f"{name or f'frame {rated.frame}'}, {rated.side}: {KEYPOINT_NAMES[worst]}"
    draw_text(page, f"{text} {apart.max():.1f} px apart", (6, 0.75 * HEAD), TEXT, 13)
    x = 6.0
    for r, who in enumerate(rated.annotators):
        word = f"annotator {who}"
        draw_text(page, word, (x, 1.7 * HEAD), COLORS[r % len(COLORS)], 13)
        x += text_width(word, 13) + 14
    return page
