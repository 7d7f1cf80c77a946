"""Patches of a frame where its sensor reads nothing: rectangles and blobs, often over a hand.

They take readings, not surfaces: parts, boxes and visible fractions stay, and so does the clean
depth. A keypoint that was visible there is occluded, by dropout.
"""

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.occlusion.config import Occlusion
from augment.occlusion.finish import drop_keypoints
from augment.occlusion.occluders import draw_length
from augment.occlusion.plan import draw_count, draw_numbers
from frames.reasons import DROPOUT, NOTHING, READ
from frames.record import Frame

_STAGE: Final = "occlusion/dropout"
_PLAN: Final = 2
_EACH: Final = 12


def drop_readings(frame: Frame, config: Occlusion, seed: int, *, epoch: int = 0) -> Frame:
    """The frame with patches of its depth gone, after the sensor; the same one for a draw of none.

    A synthetic frame without a sensor's depth gets one, the sensor "ideal": its clean depth with
    the patches out. `invalid` says DROPOUT there. The draw is a pure function of seed, epoch and
    the frame's id (its sequence's, if `config.steady`). Raises BadInput for a frame whose sensor is
    still to come.
    """
    reading = frame.reading
    if reading is None or not reading.size:
        return frame
    u = draw_numbers(frame, config, seed, epoch, _STAGE, _PLAN + _EACH * config.dropout_number[1])
    if u[0] >= config.share_dropout:
        return frame
    holes = draw_patches(frame, config, u)
    if not (holes & (reading > 0)).any():
        return frame
    lost = holes & (reading > 0)
    depth, invalid = np.where(lost, np.uint16(0), reading), frame.invalid
    sensor, sensor_seed = frame.sensor, frame.sensor_seed
    if frame.depth is None:
        sensor, sensor_seed = "ideal", seed
        invalid = np.where(reading == 0, np.uint8(NOTHING), np.uint8(READ))
    if invalid is not None:
        invalid = np.where(lost, np.uint8(DROPOUT), invalid)
    # Of a first reading all holes count.
    unread = depth == 0 if frame.depth is None else lost
    hands = tuple(drop_keypoints(hand, unread, frame) for hand in frame.hands)
    return replace(
        frame, depth=depth, invalid=invalid, hands=hands, sensor=sensor, sensor_seed=sensor_seed
    )


def draw_patches(frame: Frame, config: Occlusion, u: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(H, W) a draw's patches: u as `drop_readings` draws it."""
    camera = frame.camera
    out = np.zeros((camera.height, camera.width), np.bool_)
    seen = [hand.keypoints_px[hand.visibility > 0] for hand in frame.hands]
    aims = np.concatenate(seen) if seen else np.zeros((0, 2), np.float32)
    sides = np.array(config.dropout_side_rad)
    for i in range(draw_count(config.dropout_number, float(u[1]))):
        own = u[_PLAN + _EACH * i : _PLAN + _EACH * (i + 1)]
        half_u = 0.5 * camera.fx * float(draw_length(sides, own[0]))
        half_v = 0.5 * camera.fy * float(draw_length(sides, own[1]))
        if len(aims) and own[2] < config.dropout_near_hand:
            aim = aims[int(own[3] * len(aims))].astype(np.float64)
            aim = aim + (own[4:6] - 0.5) * (half_u, half_v)
        else:
            aim = own[4:6] * (camera.width, camera.height) - 0.5
        _fill_patch(out, aim[0], aim[1], half_u, half_v, own[6] < 0.5, own[7:12])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_patch(out, u0, v0, half_u, half_v, square, u):  # type: ignore[no-untyped-def]
    """Mark a turned rectangle, or a turned ellipse with a wavy outline."""
    reach = 1.45 * math.hypot(half_u, half_v)
    turn = (u[0] - 0.5) * 0.5 * math.pi
    c, s = math.cos(turn), math.sin(turn)
    for v in range(max(0, int(v0 - reach)), min(out.shape[0], int(v0 + reach) + 2)):
        for x in range(max(0, int(u0 - reach)), min(out.shape[1], int(u0 + reach) + 2)):
            a = (c * (x - u0) + s * (v - v0)) / half_u
            b = (c * (v - v0) - s * (x - u0)) / half_v
            if square:
                if abs(a) <= 1.0 and abs(b) <= 1.0:
                    out[v, x] = True
                continue
            angle = math.atan2(b, a)
            edge = 1.0 + 0.25 * u[1] * math.cos(2.0 * angle + 2.0 * math.pi * u[2])
            edge += 0.2 * u[3] * math.cos(3.0 * angle + 2.0 * math.pi * u[4])
            if a * a + b * b <= edge * edge:
                out[v, x] = True
