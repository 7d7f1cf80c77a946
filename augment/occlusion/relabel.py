"""Labels of hands after something was put into their frame (docs/conventions.md states the rules).

What is put in can only hide: a keypoint whose pixel it took, nearer than the keypoint, is occluded
now, whatever it was before; every other keypoint stays what it was. Hence the thickness of the
flesh, which the rule for a hand's own skin asks for, is not needed again.
"""

import math
from dataclasses import replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.occlusion.inserting import measure_hand
from frames.parts import (
    CAUSE_DROPOUT,
    CAUSE_NONE,
    CAUSE_OBJECT,
    CAUSE_OTHER_HAND,
    OBJECT_BASE,
    VISIBILITY_OCCLUDED,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)
from frames.record import Hand


@njit(cache=True, nogil=True, error_model="numpy")
def hide_keypoints(px, z_m, before, depth, parts, depth_scale, visibility, cause, surface_m):  # type: ignore[no-untyped-def]
    """Change labels (N, 21) in place where the image went from `before` (H, W) to `depth`.

    px (N, 21, 2) float32, z_m (N, 21) depth of the keypoints (NaN: unknown, then whatever was put
    there is taken to be before it), parts (H, W) after.
    """
    height, width = depth.shape
    for n in range(px.shape[0]):
        for k in range(px.shape[1]):
            u = math.floor(np.float64(px[n, k, 0]) + 0.5)
            v = math.floor(np.float64(px[n, k, 1]) + 0.5)
            if not (0 <= u < width and 0 <= v < height):
                continue
            row, column = int(v), int(u)
            steps = depth[row, column]
            if steps == before[row, column]:
                continue
            hit = steps / depth_scale
            surface_m[n, k] = hit
            if visibility[n, k] == VISIBILITY_OUTSIDE:
                continue
            if hit >= z_m[n, k]:
                if cause[n, k] == CAUSE_DROPOUT:  # now there is a reading, and nothing before it
                    visibility[n, k], cause[n, k] = VISIBILITY_VISIBLE, CAUSE_NONE
                continue
            code = parts[row, column]
            visibility[n, k] = VISIBILITY_OCCLUDED
            cause[n, k] = CAUSE_OTHER_HAND if 0 < code < OBJECT_BASE else CAUSE_OBJECT


def hide_hands(
    hands: tuple[Hand, ...],
    before: NDArray[np.uint16],
    depth: NDArray[np.uint16],
    parts: NDArray[np.uint8],
    depth_scale: float,
    removed: NDArray[np.int64] | None,
) -> tuple[Hand, ...]:
    """The hands of a frame after the image went from `before` to `depth`, both (H, W).

    removed: pixels that each lost; None if they are not known (a frame without a part image). Then
    a hand whose amodal box is touched gets NaN as its visible fraction; its box stays, but for
    NaN where nothing of it is left.
    """
    if not hands:
        return hands
    px = np.stack([hand.keypoints_px for hand in hands])
    z = np.stack([hand.keypoints_cam_m[:, 2] for hand in hands])
    visibility = np.stack([hand.visibility for hand in hands])
    cause = np.stack([hand.occlusion for hand in hands])
    surface = np.stack([hand.surface_depth_m for hand in hands])
    hide_keypoints(px, z, before, depth, parts, depth_scale, visibility, cause, surface)
    out = []
    for n, hand in enumerate(hands):
        fraction, box = hand.visible_fraction, hand.box_px
        if removed is None:
            fraction, box = _guess_coverage(hand, before, depth)
        elif removed[n]:
            fraction, box = recount_hand(hand, parts, int(removed[n]))
        out.append(
            replace(
                hand,
                visibility=visibility[n],
                occlusion=cause[n],
                surface_depth_m=surface[n],
                visible_fraction=fraction,
                box_px=box,
            )
        )
    return tuple(out)


def recount_hand(
    hand: Hand, parts: NDArray[np.uint8], removed: int
) -> tuple[float, NDArray[np.float32]]:
    """Visible fraction and box of a hand that lost some of its pixels within its old box."""
    height, width = parts.shape
    x0, y0, x1, y1 = _find_pixels(hand.box_px, width, height)
    seen = measure_hand(parts, int(hand.part_base), x0, y0, x1, y1)
    count = int(seen[0])
    # All its pixels in the image, of which the old fraction was seen: a whole number.
    whole = round((count + removed) / hand.visible_fraction)
    box = np.full(4, np.nan, np.float32)
    if count:
        box[:] = seen[1] - 0.5, seen[2] - 0.5, seen[3] + 0.5, seen[4] + 0.5
    return float(np.float32(count / whole)), box


def _find_pixels(box: NDArray[np.float32], width: int, height: int) -> tuple[int, int, int, int]:
    """First and end columns and rows of a box; the whole image for NaN."""
    if not np.isfinite(box).all():
        return 0, 0, width, height
    x0, y0, x1, y1 = (int(np.floor(b + 0.5)) for b in box.tolist())
    return max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)


def _guess_coverage(
    hand: Hand, before: NDArray[np.uint16], depth: NDArray[np.uint16]
) -> tuple[float, NDArray[np.float32]]:
    box = hand.box_px if np.isfinite(hand.box_px).all() else hand.box_amodal_px
    if not np.isfinite(box).all():
        return hand.visible_fraction, hand.box_px
    x0, y0, x1, y1 = _find_pixels(box, depth.shape[1], depth.shape[0])
    window = slice(y0, y1), slice(x0, x1)
    covered = before[window] != depth[window]
    if not covered.any():
        return hand.visible_fraction, hand.box_px
    if covered.all():
        return 0.0, np.full(4, np.nan, np.float32)
    return float("nan"), hand.box_px
