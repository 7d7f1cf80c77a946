"""Occluders put into frames: drawn, settled in depth, and the labels made to agree.

    frame = insert_occluders(frame, Occlusion(), seed=1)

Works on the clean depth of synthetic frames (a sensor model comes after it), on the sensor's depth
of real ones.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.occlusion.bodies import Body
from augment.occlusion.canvas import Canvas, open_canvas
from augment.occlusion.config import Occlusion
from augment.occlusion.drawing import aim_occluder, draw_kind
from augment.occlusion.finish import Finish, finish_reading
from augment.occlusion.pasting import label_hand
from augment.occlusion.plan import AIM, EACH, PLAN, draw_numbers, plan_kinds
from augment.occlusion.relabel import hide_hands
from augment.occlusion.sprites import Sprite
from frames.reasons import READ
from frames.record import Frame

_STAGE: Final = "occlusion/occluders"


def insert_occluders(
    frame: Frame,
    config: Occlusion,
    seed: int,
    *,
    epoch: int = 0,
    sprites: Sequence[Sprite] = (),
    bodies: Sequence[Body] = (),
    finish: Finish | None = None,
) -> Frame:
    """The frame with what its draw puts before and behind its hands; the same one for a draw of
    nothing, or a frame without depth.

    seed, epoch: the draw is a pure function of them and the frame's id (its sequence's, if
    `config.steady`). sprites: hands of other frames (`sprites.cut_sprites`). bodies: the user's
    meshes in place of lumps. finish: how edges and surfaces are to look in the depth of a sensor
    (real frames).

    Every label is exact, as if the frame had been rendered with the occluders: visibility and
    cause, surface depth, visible fraction, box, parts. Keypoints and amodal boxes do not change.
    What is put in is listed in `objects`, kind "occluder", its kind here as its name; whole hands
    are listed as hands, `wearer` false. In a frame without a part image, visibility is judged at
    the keypoint's pixel alike; of a hand that may be covered in part, the visible fraction becomes
    NaN, and its box stays as it was.
    """
    reading = frame.clean_depth if frame.clean_depth is not None else frame.depth
    if reading is None or not reading.size:
        return frame
    u = draw_numbers(
        frame, config, seed, epoch, _STAGE, PLAN + EACH * (1 + config.number_before[1])
    )
    kinds = plan_kinds(config, u, bool(sprites))
    if not kinds:
        return frame
    canvas = open_canvas(frame, config, reading)
    for i, kind in enumerate(kinds):
        mine = u[PLAN + EACH * i :]
        point = aim_occluder(canvas, config, mine[:AIM])
        if point is not None:
            draw_kind(canvas, config, kind, point, mine[:EACH], sprites, bodies)
    key = int(u[PLAN - 1] * 2**53)
    return close_canvas(canvas, frame, reading, finish, key)


def close_canvas(
    canvas: Canvas, frame: Frame, before: NDArray[np.uint16], finish: Finish | None, key: int
) -> Frame:
    """The frame with what was drawn, relabelled."""
    if not canvas.covered:
        return frame
    depth, parts = canvas.depth, canvas.parts
    known = frame.parts is not None
    hands = hide_hands(
        frame.hands, before, depth, parts, frame.depth_scale, canvas.removed if known else None
    )
    scale = frame.depth_scale
    hands += tuple(label_hand(p, frame.camera, depth, parts, scale) for p in canvas.pasted)
    out = replace(
        frame,
        parts=parts if known else None,
        hands=hands,
        objects=frame.objects + tuple(canvas.objects),
    )
    if frame.clean_depth is not None:
        out = replace(out, clean_depth=depth)
        if frame.depth is None:
            return out
        seen = np.where(depth != before, depth, frame.depth)
    else:
        seen = depth
    invalid = frame.invalid
    if invalid is not None:
        invalid = np.where(depth != before, np.uint8(READ), invalid)
    out = replace(out, depth=seen, invalid=invalid)
    return out if finish is None else finish_reading(out, before, depth, finish, key)
