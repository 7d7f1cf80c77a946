"""The border of the image through a hand: a frame moved under its camera, labels exact.

The image moves by whole pixels and the principal point with it, so that every ray keeps its depth
and keypoints stay where they are in camera axes. What leaves is gone; what would come in from
beyond the other borders was never seen, and has no reading.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from augment.occlusion.config import Occlusion
from augment.occlusion.inserting import measure_hand
from augment.occlusion.plan import draw_numbers
from frames.camera import Camera
from frames.parts import (
    CAUSE_OUTSIDE,
    FOREARM,
    HAND_PARTS,
    HAND_STRIDE,
    OBJECT_BASE,
    VISIBILITY_OUTSIDE,
)
from frames.reasons import NOTHING
from frames.record import Frame, Hand

_STAGE: Final = "occlusion/border"
_TRIES: Final = 4
_RADIUS_M: Final = 0.03
"""Flesh around a keypoint."""
_FLESH_M: Final = 0.04
"""No flesh of a hand is farther from the camera than its farthest keypoint by more."""


@dataclass(frozen=True)
class Extent:
    """Where a hand's own pixels in an image are, covered or not."""

    pixels: int
    box_px: NDArray[np.float32]


def cut_frame(frame: Frame, config: Occlusion, seed: int, *, epoch: int = 0) -> Frame:
    """The frame moved so that a border cuts a hand; the same one for a draw of no such thing.

    Borders are tried in a random order; none is taken that would bring in what was never seen of a
    hand, or leave a label unknown (see `move_frame`). The draw is a pure function of seed, epoch
    and the frame's id (its sequence's, if `config.steady`).
    """
    u = draw_numbers(frame, config, seed, epoch, _STAGE, 4)
    if u[0] >= config.share_cut or not frame.hands:
        return frame
    hand = frame.hands[int(u[1] * len(frame.hands))]
    box = np.asarray(hand.box_amodal_px, np.float64)
    box = np.asarray(hand.box_px, np.float64) if not np.isfinite(box).all() else box
    if not np.isfinite(box).all():
        return frame
    low, high = config.cut_of_hand
    share = low + (high - low) * u[2]
    width, height = frame.camera.width, frame.camera.height
    x, y = share * (box[2] - box[0]), share * (box[3] - box[1])
    moves = (
        (-round(box[0] + 0.5 + x), 0),
        (round(width - 0.5 - box[2] + x), 0),
        (0, -round(box[1] + 0.5 + y)),
        (0, round(height - 0.5 - box[3] + y)),
    )
    first = int(u[3] * _TRIES)
    for k in range(_TRIES):
        moved = move_frame(frame, *moves[(first + k) % _TRIES])
        if moved is not None:
            return moved
    return frame


def move_frame(frame: Frame, right: int, down: int) -> Frame | None:
    """The frame with its image moved by whole pixels; None if a label could not be told exactly.

    That is so where more of a hand, or a hand that was outside, would come in at a border, and
    where a hand is covered in part and its covered pixels may be among those that leave. Of frames
    without a part image the visible fraction becomes NaN and boxes are clipped (a hand's visible
    pixels then may end before its box does) once a hand's box reaches out of the image.
    """
    camera = frame.camera
    if (right, down) == (0, 0):
        return frame
    if abs(right) >= camera.width or abs(down) >= camera.height:
        return None
    if frame.parts is not None and _touches(frame.parts, right, down):
        return None
    if any(_enters(camera, hand, right, down) for hand in frame.hands):
        return None
    moved = replace(camera, cx=camera.cx + right, cy=camera.cy + down)
    hands = []
    for hand in frame.hands:
        extent = _find_extent(frame, hand, right, down)
        if extent is None:
            return None
        hands.append(_move_hand(frame, hand, moved, extent, right, down))
    images: dict[str, Any] = {
        name: _move_image(getattr(frame, name), right, down, fill)
        for name, fill in (("depth", 0), ("clean_depth", 0), ("parts", 0), ("invalid", NOTHING))
    }
    return replace(frame, camera=moved, hands=tuple(hands), **images)


def _move_image(
    image: NDArray[Any] | None, right: int, down: int, fill: int
) -> NDArray[Any] | None:
    if image is None:
        return None
    out = np.full_like(image, fill)
    height, width = image.shape
    here = slice(max(down, 0), height + min(down, 0)), slice(max(right, 0), width + min(right, 0))
    out[here] = image[_kept(image, right, down)]
    return out


def _kept(image: NDArray[Any], right: int, down: int) -> tuple[slice, slice]:
    """The rows and columns of an image that stay in it."""
    height, width = image.shape
    rows = slice(max(-down, 0), height - max(down, 0))
    return rows, slice(max(-right, 0), width - max(right, 0))


def _enters(camera: Camera, hand: Hand, right: int, down: int) -> bool:
    """Whether a keypoint of a hand, or flesh around it, would come in from outside the image."""
    u, v = np.asarray(hand.keypoints_px, np.float64).T
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.asarray(hand.keypoints_cam_m[:, 2], np.float64)
        reach = np.where(z > 0, _RADIUS_M * max(camera.fx, camera.fy) / z, 0.0)
        within = (u + right > -reach) & (u + right < camera.width + reach)
        within &= (v + down > -reach) & (v + down < camera.height + reach)
        came = (right > 0) & (u < 0) | (right < 0) & (u > camera.width - 1)
        came |= (down > 0) & (v < 0) | (down < 0) & (v > camera.height - 1)
    return bool((within & came).any())


def _touches(parts: NDArray[np.uint8], right: int, down: int) -> bool:
    """Whether a hand or forearm touches a border that will lie within the image."""
    edges = []
    if right:
        edges.append(parts[:, 0 if right > 0 else -1])
    if down:
        edges.append(parts[0 if down > 0 else -1])
    code = np.concatenate(edges)
    part = code % HAND_STRIDE
    return bool(((code < OBJECT_BASE) & (part >= 1) & (part <= FOREARM)).any())


def _find_extent(frame: Frame, hand: Hand, right: int, down: int) -> Extent | None:
    """Where a hand's own pixels are that stay in the image, in the moved image; None if unknown."""
    depth = frame.clean_depth if frame.clean_depth is not None else frame.depth
    if frame.parts is None or depth is None:
        return Extent(-1, _clip_box(hand.box_amodal_px, frame.camera, right, down))
    rows, columns = _kept(frame.parts, right, down)
    old = measure_hand(frame.parts, int(hand.part_base), 0, 0, *frame.parts.shape[::-1])
    new = measure_hand(
        frame.parts, int(hand.part_base), columns.start, rows.start, columns.stop, rows.stop
    )
    shift = np.array([right - 0.5, down - 0.5, right + 0.5, down + 0.5])
    nothing = np.full(4, np.nan, np.float32)
    amodal = np.asarray(hand.box_amodal_px, np.float64)
    if not np.isfinite(amodal).all():
        return Extent(0, nothing)
    first, last = amodal[:2] + 0.5, amodal[2:] - 0.5
    edges = (columns.start, rows.start, columns.stop - 1, rows.stop - 1)
    if (first > edges[2:]).any() or (last < edges[:2]).any():
        return Extent(0, nothing)
    fraction = float(hand.visible_fraction)
    if (first >= edges[:2]).all() and (last <= edges[2:]).all():
        # All of it stays: as many pixels as the fraction tells, if any is seen.
        count = round(old[0] / fraction) if fraction > 0 else -1
        return Extent(count, (amodal + np.array([right, down] * 2)).astype(np.float32))
    if fraction != 1:
        # Its covered pixels lie where something else may be before it: none of those may leave,
        # and none may be where the new box ends.
        x0, y0, x1, y1 = (int(b) for b in (*first, *last))
        parts = frame.parts[y0 : y1 + 1, x0 : x1 + 1].astype(np.int64) - int(hand.part_base)
        steps = depth[y0 : y1 + 1, x0 : x1 + 1]
        reach = (float(hand.keypoints_cam_m[:, 2].max()) + _FLESH_M) * frame.depth_scale
        hiding = ((parts < 1) | (parts > HAND_PARTS)) & (steps > 0) & (steps <= reach)
        hiding &= parts != FOREARM
        v, u = np.nonzero(hiding)
        if not fraction > 0 or not new[0] or not len(u):
            return None
        inner = (new[1] <= u.min() + x0) and (u.max() + x0 <= new[3])
        inner = inner and (new[2] <= v.min() + y0) and (v.max() + y0 <= new[4])
        if not inner:
            return None
        hidden = round(old[0] / fraction) - old[0]
        return Extent(int(new[0] + hidden), (new[1:] + shift).astype(np.float32))
    if not new[0]:
        return Extent(0, nothing)
    return Extent(int(new[0]), (new[1:] + shift).astype(np.float32))


def _clip_box(
    box: NDArray[np.float32], camera: Camera, right: int, down: int
) -> NDArray[np.float32]:
    """A box moved and clipped to the image; NaN if nothing of it is left."""
    size = np.array([camera.width, camera.height] * 2) - 0.5
    moved = np.clip(np.asarray(box, np.float64) + np.array([right, down] * 2), -0.5, size)
    if not (moved[2:] > moved[:2]).all():
        return np.full(4, np.nan, np.float32)
    return moved.astype(np.float32)


def _move_hand(
    frame: Frame, hand: Hand, camera: Camera, extent: Extent, right: int, down: int
) -> Hand:
    keypoints = np.asarray(hand.keypoints_cam_m, np.float64)
    px = (np.asarray(hand.keypoints_px, np.float64) + np.array([right, down])).astype(np.float32)
    known = np.isfinite(keypoints).all(-1)
    px[known] = camera.project(keypoints[known])
    inside = camera.contains(px.astype(np.float64))
    was_inside = hand.visibility != VISIBILITY_OUTSIDE
    gone = was_inside & ~inside
    visibility = np.where(gone, VISIBILITY_OUTSIDE, hand.visibility).astype(np.uint8)
    cause = np.where(gone, CAUSE_OUTSIDE, hand.occlusion).astype(np.uint8)
    surface = np.where(gone, np.float32(np.nan), hand.surface_depth_m)
    fraction, box = float(hand.visible_fraction), _clip_box(hand.box_px, frame.camera, right, down)
    if frame.parts is not None:
        rows, columns = _kept(frame.parts, right, down)
        base = int(hand.part_base)
        new = measure_hand(frame.parts, base, columns.start, rows.start, columns.stop, rows.stop)
        box = np.full(4, np.nan, np.float32)
        if new[0]:
            box[:] = new[1] + right, new[2] + down, new[3] + right, new[4] + down
            box += np.array([-0.5, -0.5, 0.5, 0.5], np.float32)
        if extent.pixels >= 0:
            fraction = float(np.float32(new[0] / extent.pixels)) if extent.pixels else np.nan
    elif not np.allclose(box, hand.box_px + np.array([right, down] * 2), equal_nan=True):
        fraction = np.nan
    return replace(
        hand,
        keypoints_px=px,
        visibility=visibility,
        occlusion=cause,
        surface_depth_m=surface,
        visible_fraction=fraction,
        box_px=box,
        box_amodal_px=extent.box_px,
    )
