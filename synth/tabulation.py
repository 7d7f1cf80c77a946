"""Rows of a dataset from rendered scenes: every label by its column's name."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from augment.unread import mark_unread
from frames.camera import Camera
from frames.parts import HAND_STRIDE, OBJECT_BASE, PROVENANCE_EXACT
from frames.store.schema import table_from_columns
from synth.frame_renderer import Rendered
from synth.hand.rig import Rig
from synth.pose.feix import GRASPS
from synth.pose.library import PRESETS
from synth.raster.canvas import DEPTH_SCALE
from synth.recording import Recording
from synth.scene.clip import Rates
from synth.scene.outfit import name_worn
from synth.scene.scene import Scenes
from synth.scene.situation import SITUATIONS, TOGETHER
from synth.things.solid import Solid

_KEY_POSES = np.array([*(p.key_pose for p in PRESETS), "none"], dtype=object)
_GRASPS = np.array([*(g.name for g in GRASPS), None], dtype=object)
_SITUATIONS = np.array(SITUATIONS, dtype=object)


def tabulate(
    camera: Camera,
    rig: Rig,
    solids: Sequence[Solid],
    splits: Sequence[str],
    scenes: Scenes,
    rates: Rates | None,
    images: Rendered,
    recording: Recording,
) -> pa.Table:
    """A table of the frames of a batch.

    splits: names by number, none without splits. rates: of sequences. recording: encoded images of
    the frames, and what a sensor reads.
    """
    hands, labels, objects = scenes.hands, images.hands, scenes.objects
    count, total = len(scenes.frame_ids), len(hands.frame)
    placed = objects.present
    number = placed.cumsum(1) - 1
    solid = objects.solid[placed]
    gap_m = labels.gap_m
    kinds = np.array([s.kind for s in solids], dtype=object)
    names = np.array([s.name for s in solids], dtype=object)
    extents = np.stack([s.extent_m for s in solids])
    shared = (hands.action == TOGETHER) & (hands.solid >= 0)
    none = (hands.grasp < 0) & ~shared
    held = np.ma.array(number[hands.frame, hands.thing].astype(np.int8), mask=none)
    touches = np.isfinite(gap_m).any(1) | (hands.solid >= 0) | ~np.isnan(hands.plane[:, 0])
    gaps = np.ma.array(gap_m, mask=np.broadcast_to(~touches[:, None], gap_m.shape))
    visibility, occlusion = labels.keypoints.visibility, labels.keypoints.occlusion
    if recording.invalid is not None:
        px, frame = labels.keypoints.keypoints_px, hands.frame
        visibility, occlusion = mark_unread(px, visibility, occlusion, frame, recording.invalid)
    frame_rates, hand_rates, object_rates = {}, {}, {}
    if rates is not None:
        frame_rates = {
            "sequence_id": scenes.sequence,
            "time_s": scenes.time_s,
            "camera_velocity": rates.camera.astype(np.float32),
        }
        hand_rates = {"keypoints_velocity_m_s": rates.keypoints.astype(np.float32)}
        object_rates = {"velocity": rates.objects[placed].astype(np.float32)}
    if splits:
        frame_rates["split"] = np.array(splits, dtype=object)[scenes.split]
    return table_from_columns(
        frames={
            "frame_id": scenes.frame_ids,
            "source": np.full(count, "synthetic", dtype=object),
            "camera": camera,
            "T_world_from_camera": scenes.T_world_from_camera,
            "depth_scale": np.full(count, DEPTH_SCALE),
            "clean_depth": recording.depth,
            "parts": recording.parts,
            **recording.list_columns(),
            "situation": _SITUATIONS[scenes.situation],
            "background": scenes.surroundings.names(),
            **frame_rates,
        },
        hand_counts=np.bincount(hands.frame, minlength=count),
        hands={
            "side": np.where(hands.left, "left", "right").astype(object),
            "wearer": hands.wearer,
            "part_base": (HAND_STRIDE * hands.number).astype(np.uint8),
            "keypoints_px": labels.keypoints.keypoints_px,
            "keypoints_cam_m": labels.keypoints_cam_m,
            "surface_depth_m": labels.keypoints.surface_depth_m,
            "visibility": visibility,
            "occlusion": occlusion,
            "visible_fraction": labels.visible_fraction,
            "box_px": labels.box_px,
            "box_amodal_px": labels.box_amodal_px,
            "key_pose": _KEY_POSES[hands.preset],
            "joint_angles_rad": hands.angles.astype(np.float32),
            "shape": rig.shape[hands.identity],
            "identity": hands.identity.astype(np.int32),
            "T_camera_from_wrist": labels.T_camera_from_wrist.astype(np.float32),
            "provenance": np.full((total, 21), PROVENANCE_EXACT, np.uint8),
            "grasp": _GRASPS[hands.grasp],
            "held": held,
            "contact_gap_m": gaps,
            "worn": name_worn(scenes.worn),
            **hand_rates,
        },
        object_counts=placed.sum(1),
        objects={
            "kind": kinds[solid],
            "part_code": (OBJECT_BASE + number[placed]).astype(np.uint8),
            "T_camera_from_object": images.T_camera_from_object[placed].astype(np.float32),
            "size_m": extents[solid].astype(np.float32),
            "name": names[solid],
            **object_rates,
        },
    )
