"""Verify on datasets with a sensor's depth: sound ones, and ones with one thing wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fabricate import build_columns

from frames.camera import CAMERAS
from frames.checks.verify import verify_dataset
from frames.store.codec import decode_depth, encode_depth, encode_parts
from frames.store.folder import create_dataset
from frames.store.schema import table_from_columns
from frames.store.shard import write_shard

CAMERA = CAMERAS["ego-small"]
FRAMES = 12
HOLE = (slice(20, 100), slice(30, 90))
"""Where the sensor reads nothing."""

Columns = dict[str, Any]


def read(frames: Columns, hands: Columns, counts: np.ndarray) -> None:
    """Put a sensor with a hole before all frames."""
    size = CAMERA.height, CAMERA.width
    clean = [decode_depth(blob, *size) for blob in frames["clean_depth"]]
    invalid = np.zeros(size, np.uint8)
    invalid[HOLE] = 5
    why = [np.where(image == 0, 1, invalid).astype(np.uint8) for image in clean]
    frames["depth"] = [encode_depth(np.where(w, 0, c).astype(np.uint16)) for w, c in zip(
        why, clean, strict=True)]  # fmt: skip
    frames["invalid"] = [encode_parts(w) for w in why]
    frames["sensor"] = ["made-up"] * len(clean)
    frames["sensor_seed"] = np.full(len(clean), 4)
    frame = np.repeat(np.arange(len(clean)), counts)
    for n, k in np.argwhere(hands["visibility"] == 2):
        column, row = np.floor(hands["keypoints_px"][n, k] + 0.5).astype(int)
        if why[frame[n]][row, column]:
            hands["visibility"][n, k], hands["occlusion"][n, k] = 1, 5


def find_problems(folder: Path, change: Callable[..., None] | None = None) -> tuple[str, ...]:
    frames, counts, hands, object_counts, objects = build_columns(np.arange(FRAMES), CAMERA)
    read(frames, hands, counts)
    assert (hands["occlusion"] == 5).any() and (hands["visibility"] == 2).any()
    if change is not None:
        change(frames, hands)
    create_dataset(folder, {"frames": FRAMES, "frames_per_shard": FRAMES})
    write_shard(folder, 0, table_from_columns(frames, counts, hands, object_counts, objects))
    return verify_dataset(folder).problems


def test_a_sensors_depth_may_have_holes(tmp_path: Path) -> None:
    assert find_problems(tmp_path / "d") == ()


def fill_hole(frames: Columns, _: Columns) -> None:
    frames["depth"][2] = frames["clean_depth"][2]


def lose_reason(frames: Columns, _: Columns) -> None:
    frames["invalid"][2] = encode_parts(np.zeros((120, 160), np.uint8))


def invent_reason(frames: Columns, _: Columns) -> None:
    frames["invalid"][2] = encode_parts(np.full((120, 160), 200, np.uint8))


def drop_invalid(frames: Columns, _: Columns) -> None:
    frames["invalid"] = None


def drop_depth(frames: Columns, _: Columns) -> None:
    frames["depth"] = None


def drop_name(frames: Columns, _: Columns) -> None:
    frames["sensor"] = None


def drop_seed(frames: Columns, _: Columns) -> None:
    frames["sensor_seed"] = None


def keep_unread(_: Columns, hands: Columns) -> None:
    n, k = np.argwhere(hands["occlusion"] == 5)[0]
    hands["visibility"][n, k], hands["occlusion"][n, k] = 2, 0


def drop_read(_: Columns, hands: Columns) -> None:
    n, k = np.argwhere(hands["visibility"] == 2)[0]
    hands["visibility"][n, k], hands["occlusion"][n, k] = 1, 5


def hide_dropped(_: Columns, hands: Columns) -> None:
    """A keypoint that something hides is occluded by that, whatever the sensor reads."""
    px = hands["keypoints_px"]
    with np.errstate(invalid="ignore"):
        within = (px[..., 0] > 31) & (px[..., 0] < 88) & (px[..., 1] > 21) & (px[..., 1] < 98)
    hidden = (hands["visibility"] == 1) & (hands["occlusion"] == 2) & within
    n, k = np.argwhere(hidden)[0]
    hands["occlusion"][n, k] = 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (fill_hole, "invalid has a reason where depth has a reading"),
        (lose_reason, "or none where it has none"),
        (invent_reason, "invalid is not a reason"),
        (drop_invalid, "a synthetic frame has depth without invalid"),
        (drop_depth, "invalid is there without depth"),
        (drop_depth, "a keypoint dropped out, but no sensor's depth is stored"),
        (drop_name, "a synthetic frame has depth of no sensor"),
        (drop_name, "a synthetic frame has only one of sensor and sensor_seed"),
        (drop_seed, "a synthetic frame has only one of sensor and sensor_seed"),
        (keep_unread, "a visible keypoint is where the sensor has no reading"),
        (drop_read, "a keypoint dropped out where the sensor has a reading"),
        (hide_dropped, "a visible keypoint lies behind something else"),
    ],
)
def test_every_wrong_is_found(change: Callable[..., None], said: str, tmp_path: Path) -> None:
    problems = find_problems(tmp_path / "d", change)
    assert any(said in problem for problem in problems), problems
