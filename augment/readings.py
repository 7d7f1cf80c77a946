"""What a sensor reads of frames and batches: the columns that it adds or changes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from augment.matched_stereo.model import MatchedStereo
from augment.matched_stereo.pair import Pair
from augment.profile import Profile
from augment.sensing import PAIRED, Sensing
from augment.sensor import draw_device, sense_steps
from augment.shot import Shot
from augment.shots import (
    SHOT_COLUMNS,
    batch_frames,
    draw_sequence_keys,
    mark_scenes,
    prepare_shots,
)
from augment.unread import mark_unread
from frames.errors import BadInput
from frames.record import Frame

MADE: Final = ("depth", "invalid", "sensor", "sensor_seed")
LABELS: Final = ("hands.visibility", "hands.occlusion")
"""Labels that depend on the sensor."""

SOURCES: Final = (
    *("camera", "depth_scale", "clean_depth", "parts", "hands.keypoints_px"),
    *(*LABELS, *MADE, *SHOT_COLUMNS),
)
"""Columns of a batch from which a sensor's reading is made."""


RenderPair = Callable[[int, MatchedStereo], Pair]
"""Renders the pair of the b-th frame of a batch as a device sees it."""


def sense_shot(
    sensing: Sensing,
    shot: Shot,
    depth: NDArray[np.uint16],
    invalid: NDArray[np.uint8],
    b: int = 0,
    render: RenderPair | None = None,
) -> str:
    """Fill depth and invalid (H, W) with what the sensor reads; returns the device's name.

    render, b: renders the pair if the device is one that needs it. Raises BadInput for a shot that
    the sensor cannot be held before.
    """
    device = draw_device(sensing.profile, shot.keys.sequence)
    if device.model == PAIRED and render is not None:
        shot = replace(shot, pair=render(b, device.parameters))
    sense_steps(device, shot, depth, invalid)
    return device.name


def name_devices(
    sensing: Sensing, frame_id: NDArray[np.int64], sequence_id: NDArray[np.int64]
) -> list[str]:
    """Which device reads each of B frames, of which nothing else is known."""
    if isinstance(sensing.profile, Profile):
        return [sensing.profile.name] * len(frame_id)
    keys = draw_sequence_keys(sensing.seed, mark_scenes(frame_id, sequence_id))
    return [draw_device(sensing.profile, int(key)).name for key in keys]


def sense_batch(
    sensing: Sensing, batch: dict[str, Any], render: RenderPair | None = None
) -> dict[str, Any]:
    """The columns that a sensor adds to, or changes in, a batch that has `SOURCES`.

    render: renders pairs for devices that need them. Raises BadInput for frames without clean
    depth, and for what a device cannot read.
    """
    clean, parts = batch["clean_depth"], batch["parts"]
    ids = batch["frame_id"]
    if clean is None:
        raise BadInput(explain_no_depth(int(ids[0])))
    shots = prepare_shots(batch, sensing.seed)
    depth, invalid = np.empty_like(clean), np.empty(clean.shape, np.uint8)
    names = []
    for b in range(len(ids)):
        shot = shots.shot(
            b,
            batch["camera"][b],
            clean[b],
            batch["depth_scale"][b],
            None if parts is None else parts[b],
        )
        names.append(sense_shot(sensing, shot, depth[b], invalid[b], b, render))
    frame = np.repeat(np.arange(len(ids)), np.asarray(batch["hand_counts"], np.int64))
    visibility, occlusion = mark_unread(
        batch["hands.keypoints_px"], batch["hands.visibility"], batch["hands.occlusion"],
        frame, invalid,
    )  # fmt: skip
    return {
        "depth": depth,
        "invalid": invalid,
        "sensor": names,
        "sensor_seed": np.full(len(ids), sensing.seed, np.int64),
        "hands.visibility": visibility,
        "hands.occlusion": occlusion,
    }


def sense_frame(sensing: Sensing, frame: Frame) -> Frame:
    """A frame with what the sensor reads of it. Raises BadInput without clean depth."""
    return sense_frames(sensing, [frame])[0]


def sense_frames(sensing: Sensing, frames: Sequence[Frame]) -> list[Frame]:
    """The same of many frames, of any sizes: numpy's calls cost as much for one as for a dozen."""
    out = []
    shots = prepare_shots(batch_frames(frames), sensing.seed)
    for b, frame in enumerate(frames):
        clean = frame.clean_depth
        if clean is None:
            raise BadInput(explain_no_depth(frame.frame_id))
        depth, invalid = np.empty_like(clean), np.empty(clean.shape, np.uint8)
        shot = shots.shot(b, frame.camera, clean, frame.depth_scale, frame.parts)
        name = sense_shot(sensing, shot, depth, invalid)
        hands = frame.hands
        visibility, occlusion = mark_unread(
            np.array([h.keypoints_px for h in hands]).reshape(-1, 21, 2),
            np.array([h.visibility for h in hands], np.uint8).reshape(-1, 21),
            np.array([h.occlusion for h in hands], np.uint8).reshape(-1, 21),
            np.zeros(len(hands), np.int64),
            invalid[None],
        )
        labels = zip(hands, visibility, occlusion, strict=True)
        sensed = replace(
            frame,
            depth=depth,
            invalid=invalid,
            sensor=name,
            sensor_seed=sensing.seed,
            hands=tuple(replace(h, visibility=v, occlusion=o) for h, v, o in labels),
        )
        out.append(sensed)
    return out


def explain_no_depth(frame_id: int) -> str:
    """Why a sensor cannot read a frame."""
    return (
        f"frame {frame_id} has no clean depth: a sensor reads clean depth, and a real frame has its"
        f" own sensor's only"
    )
