"""The census of a dataset: its labels counted batch by batch, in bounded memory."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from frames.census.scenes import SceneCounts, rank, take_vectors
from frames.census.splits import SplitCounts
from frames.census.tally import Tally
from frames.errors import BadInput
from frames.parts import (
    CAUSE_NAMES,
    VISIBILITY_OCCLUDED,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)
from frames.skeleton import KEYPOINT_NAMES, KEYPOINTS

HAND_COLUMNS = (
    "side",
    "wearer",
    "keypoints_cam_m",
    "visibility",
    "occlusion",
    "visible_fraction",
    "box_px",
    "key_pose",
    "joint_angles_rad",
)
"""The hands' columns that are counted here."""

SPHERE_SHAPE = (18, 36)
"""Rows of elevation and columns of azimuth of the direction maps: 10 degrees a cell."""


class _Counts:
    """Everything counted so far."""

    def __init__(self) -> None:
        self.frames = 0
        self.hands_per_frame: Counter[int] = Counter()
        self.sides: Counter[str] = Counter()
        self.wearer = 0
        self.key_poses: Counter[str] = Counter()
        self.visibility = np.zeros(3, np.int64)
        self.causes = np.zeros(256, np.int64)
        self.visible_by_keypoint = np.zeros(KEYPOINTS, np.int64)
        self.hands_partly_outside = 0
        self.hands_fully_outside = 0
        self.palm_directions = np.zeros(SPHERE_SHAPE, np.int64)
        self.axis_directions = np.zeros(SPHERE_SHAPE, np.int64)
        self.tallies = {
            "distance_m": Tally(0.0, 2.0, "m"),
            "palm_angle_deg": Tally(0.0, 180.0, "deg"),
            "axis_roll_deg": Tally(-180.0, 180.0, "deg"),
            "visible_fraction": Tally(0.0, 1.0, "share"),
            "box_side_px": Tally(0.0, 2000.0, "px"),
        }
        self.angles: list[Tally] = []


def hand_directions(keypoints: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the unit palm normals (out of the palm) and hand axes (wrist to middle knuckle).

    Args:
        keypoints: (n, 21, 3) in the camera's axes.
        left: (n,) bool, which hands are left ones.

    Returns:
        two (n, 3) float64; NaN for hands without these keypoints.
    """
    wrist = keypoints[:, 0].astype(np.float64)
    index, pinky = keypoints[:, 5] - wrist, keypoints[:, 17] - wrist
    normal = np.cross(index, pinky) * np.where(left, -1.0, 1.0)[:, None]
    axis = keypoints[:, 9] - wrist
    with np.errstate(invalid="ignore", divide="ignore"):
        return tuple(v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (normal, axis))


def count_directions(directions: np.ndarray) -> np.ndarray:
    """Return SPHERE_SHAPE counts of unit vectors (n, 3) in the camera's axes.

    Row 0 looks up (-y), the last row down; the middle column points away from the camera (+z),
    columns to its right point to the image's right (+x), the first and last back at the camera.
    """
    known = directions[np.isfinite(directions).all(-1)]
    rows, columns = SPHERE_SHAPE
    elevation = np.arccos(np.clip(-known[:, 1], -1, 1)) / np.pi
    azimuth = np.arctan2(known[:, 0], known[:, 2]) / (2 * np.pi) + 0.5
    row = np.minimum((elevation * rows).astype(np.int64), rows - 1)
    column = np.minimum((azimuth * columns).astype(np.int64), columns - 1)
    return np.bincount(row * columns + column, minlength=rows * columns).reshape(SPHERE_SHAPE)


def _add_batch(counts: _Counts, batch: pa.RecordBatch) -> None:
    """Count a batch of frames that has the column hands with at least HAND_COLUMNS."""
    lists = batch.column("hands")
    counts.frames += len(batch)
    per_frame = np.bincount(pc.list_value_length(lists).to_numpy(zero_copy_only=False))
    counts.hands_per_frame.update({n: int(c) for n, c in enumerate(per_frame) if c})
    hands = lists.flatten()
    if not len(hands):
        return
    sides = hands.field("side")
    for value, counter in ((sides, counts.sides), (hands.field("key_pose"), counts.key_poses)):
        for entry in pc.value_counts(value):
            counter[entry["values"].as_py() or "none"] += entry["counts"].as_py()
    counts.wearer += pc.sum(hands.field("wearer")).as_py() or 0
    _add_visibility(counts, hands)
    left = np.asarray(pc.equal(sides, "left").to_numpy(zero_copy_only=False), bool)
    _add_places(counts, take_vectors(hands.field("keypoints_cam_m"), (KEYPOINTS, 3)), left)
    counts.tallies["visible_fraction"].add(hands.field("visible_fraction").to_numpy())
    box = take_vectors(hands.field("box_px"), (4,))
    counts.tallies["box_side_px"].add(np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]))
    _add_angles(counts, hands.field("joint_angles_rad"))


def _add_visibility(counts: _Counts, hands: pa.StructArray) -> None:
    visibility = take_vectors(hands.field("visibility"), (KEYPOINTS,))
    counts.visibility += np.bincount(visibility.ravel(), minlength=3)[:3]
    counts.causes += np.bincount(hands.field("occlusion").flatten().to_numpy(), minlength=256)
    counts.visible_by_keypoint += (visibility == VISIBILITY_VISIBLE).sum(0)
    outside = (visibility == VISIBILITY_OUTSIDE).sum(1)
    counts.hands_partly_outside += int(((outside > 0) & (outside < KEYPOINTS)).sum())
    counts.hands_fully_outside += int((outside == KEYPOINTS).sum())


def _add_places(counts: _Counts, keypoints: np.ndarray, left: np.ndarray) -> None:
    """Count distances and directions of hands (n, 21, 3), of which left (n,) are left ones."""
    known = np.isfinite(keypoints).all(-1)
    total = np.where(known[..., None], keypoints, 0).sum(1, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        center = total / known.sum(1)[:, None]
        distance = np.linalg.norm(center, axis=-1)
        normal, axis = hand_directions(keypoints, left)
        facing = -(normal * center).sum(-1) / distance
    counts.tallies["distance_m"].add(distance)
    counts.tallies["palm_angle_deg"].add(np.degrees(np.arccos(np.clip(facing, -1, 1))))
    counts.tallies["axis_roll_deg"].add(np.degrees(np.arctan2(axis[:, 0], -axis[:, 1])))
    counts.palm_directions += count_directions(normal)
    counts.axis_directions += count_directions(axis)


def _add_angles(counts: _Counts, column: pa.ListArray) -> None:
    column = column.drop_null()
    lengths = np.unique(pc.list_value_length(column).to_numpy(zero_copy_only=False))
    if not len(lengths):
        return
    expected = len(counts.angles) or int(lengths[0])
    if list(lengths) != [expected]:
        raise BadInput(
            f"joint_angles_rad must have one length in a dataset, got {expected} and "
            f"{next(int(n) for n in lengths if n != expected)}: was it merged from two hand models?"
        )
    if not counts.angles:
        counts.angles = [Tally(-np.pi, np.pi, "rad", 7200) for _ in range(expected)]
    values = column.flatten().to_numpy().reshape(-1, expected)
    for tally, angle in zip(counts.angles, values.T, strict=True):
        tally.add(angle)


def count_batches(
    batches: Iterable[pa.RecordBatch],
    angle_names: Sequence[str] = (),
    background_images: Iterable[str] = (),
) -> dict[str, Any]:
    """Count batches of `label_batches`; returns JSON values (see `frames.census.stats`)."""
    counts = _Counts()
    scenes, splits = SceneCounts(), SplitCounts(frozenset(background_images))
    for batch in batches:
        _add_batch(counts, batch)
        scenes.add(batch)
        splits.add(batch)
    hands = sum(counts.sides.values())
    keypoints = max(1, int(counts.visibility.sum()))
    seen = counts.visibility
    names = [*angle_names, *(f"angle {i}" for i in range(len(angle_names), len(counts.angles)))]
    return {
        "frames": counts.frames,
        "hands": hands,
        "hands_per_frame": {
            str(n): counts.hands_per_frame[n] for n in sorted(counts.hands_per_frame)
        },
        "sides": dict(sorted(counts.sides.items())),
        "wearer_hands": counts.wearer,
        "key_poses": rank(counts.key_poses),
        "keypoints": {
            "visible": int(seen[VISIBILITY_VISIBLE]),
            "occluded": int(seen[VISIBILITY_OCCLUDED]),
            "outside": int(seen[VISIBILITY_OUTSIDE]),
        },
        "causes": {name: int(counts.causes[i]) for i, name in enumerate(CAUSE_NAMES)},
        "visible_by_keypoint": {
            name: float(c) / max(1, hands)
            for name, c in zip(KEYPOINT_NAMES, counts.visible_by_keypoint, strict=True)
        },
        "out_of_frame": {
            "keypoints": float(seen[VISIBILITY_OUTSIDE]) / keypoints,
            "hands_partly": counts.hands_partly_outside / max(1, hands),
            "hands_fully": counts.hands_fully_outside / max(1, hands),
        },
        **{name: tally.summarize() for name, tally in counts.tallies.items()},
        "palm_directions": counts.palm_directions.tolist(),
        "axis_directions": counts.axis_directions.tolist(),
        "joint_angles": [
            {"name": name, **tally.summarize()}
            for name, tally in zip(names, counts.angles, strict=False)
        ],
        **scenes.summarize(),
        **splits.summarize(),
    }
