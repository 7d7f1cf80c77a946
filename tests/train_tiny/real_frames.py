"""Real frames labelled in part: cards as `tests.frames.fabricate` makes them, labels taken away."""

from pathlib import Path
from typing import Any

import numpy as np

from frames.camera import CAMERAS
from frames.store.dataset import create_dataset
from frames.store.schema import table_from_columns
from frames.store.shard import write_shard
from tests.frames.fabricate import build_columns

FRAMES = 24
KINDS = ("boxes", "keypoints", "full", "none")


def write_real(folder: Path, kind: str, frames: int = FRAMES) -> Path:
    """A dataset of real frames without part images; kind: which labels they have.

    boxes: these alone. keypoints: pixels alone. full: 3D too. none: no depth, all labels.
    """
    meta = {
        "frames": frames, "frames_per_shard": 8, "seed": 0, "generator": "tests",
        "generator_version": "1", "license": "CC0-1.0",
    }  # fmt: skip
    create_dataset(folder, meta, "# Made for a test\n")
    for shard in range(frames // 8):
        ids = np.arange(8 * shard, 8 * shard + 8)
        columns, counts, hands, object_counts, _ = build_columns(ids, CAMERAS["ego-small"])
        columns["source"] = ["real"] * len(ids)
        columns["depth"] = columns.pop("clean_depth")
        for name in ("parts", "situation", "sequence_id", "time_s", "camera_velocity"):
            columns.pop(name)
        if kind == "none":
            columns.pop("depth")
        _strip(hands, kind)
        nothing: dict[str, Any] = {
            "kind": [], "part_code": [], "T_camera_from_object": np.zeros((0, 4, 4), np.float32),
            "size_m": np.zeros((0, 3), np.float32),
        }  # fmt: skip
        table = table_from_columns(columns, counts, hands, 0 * object_counts, nothing)
        write_shard(folder, shard, table)
    return folder


def _strip(hands: dict[str, Any], kind: str) -> None:
    for name in ("key_pose", "joint_angles_rad", "shape", "identity", "T_camera_from_wrist"):
        hands.pop(name)
    hands["visible_fraction"] = np.full(len(hands["side"]), np.nan, np.float32)
    hands["held"] = [None] * len(hands["side"])
    if kind in ("boxes", "keypoints"):
        hands["keypoints_cam_m"] = np.full_like(hands["keypoints_cam_m"], np.nan)
        hands["surface_depth_m"] = np.full_like(hands["surface_depth_m"], np.nan)
    if kind == "boxes":
        hands["keypoints_px"] = np.full_like(hands["keypoints_px"], np.nan)
        hands["visibility"] = np.zeros_like(hands["visibility"])
        hands["occlusion"] = np.full_like(hands["occlusion"], 4)
        hands["provenance"] = np.full_like(hands["provenance"], 255)
    else:
        hands["provenance"] = np.full_like(hands["provenance"], 1)
