"""The same recording by a simulated device: walls where the real ones stood, hands as they were.

What a sensor model needs and a recording does not have, the true depth, is taken from the recording
itself: the fitted surface for a wall; for a hand the readings on it, holes filled from the hand,
and behind it the readings around it, holes filled from the farther side.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.calibrate.capture import Capture, Clip, Stack
from augment.calibrate.hands import HandFrame
from augment.calibrate.measurement import Measurement
from augment.calibrate.silhouette import follow_hand
from augment.calibrate.wall import Wall
from augment.profile import Profile
from augment.sensor import sense, store_reading
from augment.shot import Keys, Shot
from frames.stream import generator

USUAL_FPS: Final = 30.0
"""Where nobody said."""

_SKIN_CODE: Final = 1
_ROOM_REFLECTANCE: Final = 0.55
_SKIN_REFLECTANCE: Final = 0.57
_MOST_HANDS: Final = 40
_GROWN_PX: Final = 6.0
_GROWN_STEP: Final = 0.1
"""How far beyond its mask a hand may reach, and the relative step of depth that ends it."""

_AMPLITUDE_SCALE: Final = 8.0
"""Steps an electron in simulated amplitude images."""


def simulate(capture: Capture, measured: Measurement, profile: Profile, seed: int) -> Capture:
    """A capture by `profile` of what `measured` says of a real one."""
    rate = find_rate(capture) or USUAL_FPS
    clips = [
        _simulate_wall(capture, w, profile, seed, k, rate) for k, w in enumerate(measured.walls)
    ]
    hands = _spread(measured.hand_frames)
    if hands:
        marked = measured.hands is not None and measured.hands.marked
        clips.append(_simulate_hands(capture, hands, marked, profile, seed))
    return Capture("simulated", capture.camera, capture.depth_scale, tuple(clips))


def find_rate(capture: Capture) -> float:
    """Frames a second, 0 if unknown."""
    for clip in capture.clips:
        if clip.time_s is not None and len(clip.time_s) > 1:
            span = float(clip.time_s[-1] - clip.time_s[0])
            if span > 0:
                return (len(clip.time_s) - 1) / span
    return 0.0


def _spread(frames: Sequence[HandFrame]) -> list[HandFrame]:
    step = -(-len(frames) // _MOST_HANDS) if frames else 1
    return list(frames[::step])


def _simulate_wall(
    capture: Capture, wall: Wall, profile: Profile, seed: int, number: int, rate: float
) -> Clip:
    w = wall.surface.evaluate(capture.camera.ray_table())
    depth_m = np.where(np.isfinite(w) & (w > 0.05), 1.0 / np.maximum(w, 0.05), 0.0)
    still = number + 1
    read = [
        sense_depth(capture, depth_m, None, profile, _draw_keys(seed, still, i), i / rate)
        for i in range(wall.frames)
    ]
    depth = np.stack([r[0] for r in read])
    depth[:, ~wall.surface.region] = 0
    lights = [r[1] for r in read if r[1] is not None]
    return Clip(wall.name, depth, None, np.stack(lights) if lights else None)


def _simulate_hands(
    capture: Capture, hands: Sequence[HandFrame], marked: bool, profile: Profile, seed: int
) -> Clip:
    depths = []
    for i, frame in enumerate(hands):
        if frame.clean is not None:
            depth_m = frame.clean / capture.depth_scale
        else:
            depth_m = clear_frame(frame.depth, frame.hand) / capture.depth_scale
        keys = _draw_keys(seed, 10_000 + i, i)
        depths.append(sense_depth(capture, depth_m, frame.hand, profile, keys, 0.0)[0])
    masks = [f.hand for f in hands]
    if not marked:  # where the real silhouettes had to be found, so have these
        masks = [follow_hand(d, m, capture.depth_scale) for d, m in zip(depths, masks, strict=True)]
    return Clip("hands", np.stack(depths), np.stack(masks))


def clear_frame(depth: Stack, hand: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(H, W) a guess at the true depth, in the steps of the file: no hole, no noise on the hand.

    What reads as near as the hand just outside its mask is the hand too, grown, and goes.
    """
    near = np.where(hand, depth, 0).astype(np.uint16)
    if near.any():
        _, labels = cv2.distanceTransformWithLabels(
            (near == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        table = np.zeros(int(labels.max()) + 1, np.uint16)
        table[labels[near > 0]] = near[near > 0]
        near = cv2.medianBlur(np.where(near > 0, near, table[labels]).astype(np.uint16), 5)
    away = cv2.distanceTransform((~hand).astype(np.uint8), cv2.DIST_L2, 5)
    grown = (away < _GROWN_PX) & (depth < near * (1.0 + _GROWN_STEP))
    back = np.where(hand | grown, 0, depth).astype(np.uint16)
    _fill_rows(back)
    out = np.where(hand, near, back).astype(np.float64)
    # A mean over the hand alone: its own noise must not be counted twice.
    inside = hand.astype(np.float64)
    size = (5, 5)
    share = cv2.blur(inside, size)
    smooth = cv2.blur(out * inside, size) / np.maximum(share, 1e-9)
    return np.where(hand, smooth, out)


def _draw_keys(seed: int, sequence: int, frame: int) -> Keys:
    words = generator(seed, sequence, "calibrate/simulate", frame).integers(0, 2**53, 1)
    still = generator(seed, sequence, "calibrate/simulate/sequence").integers(0, 2**53, 1)
    return Keys(int(words[0]), int(still[0]), seed)


def sense_depth(
    capture: Capture,
    depth_m: NDArray[np.float64],
    hand: NDArray[np.bool_] | None,
    profile: Profile,
    keys: Keys,
    time_s: float,
) -> tuple[Stack, Stack | None]:
    """Depth as the capture's files would have it, and amplitude."""
    # The finest steps that hold the depth: what is simulated must not be rounded before.
    scale = float(np.floor(65_000.0 / max(float(depth_m.max(initial=0.0)), 0.65)))
    reflectance = np.full(256, _ROOM_REFLECTANCE, np.float32)
    reflectance[_SKIN_CODE] = _SKIN_REFLECTANCE
    parts = np.zeros(depth_m.shape, np.uint8)
    if hand is not None:
        parts[hand] = _SKIN_CODE
    clean = np.rint(depth_m * scale).astype(np.uint16)
    shot = Shot(capture.camera, clean, scale, parts, reflectance, None, time_s, keys)
    reading = sense(profile, shot)
    depth, reason = np.zeros(clean.shape, np.uint16), np.zeros(clean.shape, np.uint8)
    store_reading(reading, capture.depth_scale, depth, reason)
    if reading.amplitude is None:
        return depth, None
    light = np.clip(np.rint(reading.amplitude * _AMPLITUDE_SCALE), 0, 65535)
    return depth, light.astype(np.uint16)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_rows(depth):  # type: ignore[no-untyped-def]
    """Fill holes in place with the farther of the readings at both ends of their run in the row."""
    height, width = depth.shape
    for v in range(height):
        u = 0
        while u < width:
            if depth[v, u]:
                u += 1
                continue
            stop = u
            while stop < width and depth[v, stop] == 0:
                stop += 1
            left = depth[v, u - 1] if u else np.uint16(0)
            right = depth[v, stop] if stop < width else np.uint16(0)
            value = max(left, right)
            if value == 0 and v:
                for k in range(u, stop):
                    depth[v, k] = depth[v - 1, k]
            else:
                depth[v, u:stop] = value
            u = stop
    for v in range(height - 2, -1, -1):
        for u in range(width):
            if depth[v, u] == 0:
                depth[v, u] = depth[v + 1, u]
