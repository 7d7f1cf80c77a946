"""Tables from columns: values kept, absent is null, every wrong column told by name."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fabricate import build_columns, build_table

from frames.camera import CAMERAS
from frames.errors import BadInput
from frames.store.schema import (
    CAPTURE_SCHEMA,
    FRAME_COLUMNS,
    HAND_COLUMNS,
    OBJECT_COLUMNS,
    READABLE_VERSIONS,
    SCHEMA,
    SCHEMA_VERSION,
    VERSION_KEY,
    find_schema,
    table_from_columns,
)

CAMERA = CAMERAS["ego-small"]


def test_values_arrive_in_their_rows() -> None:
    frames, counts, hands, object_counts, objects = build_columns(np.arange(7), CAMERA)
    table = table_from_columns(frames, counts, hands, object_counts, objects)
    table.validate(full=True)
    assert table.schema.equals(SCHEMA)
    rows = table.to_pylist()
    k = 0
    for i, row in enumerate(rows):
        assert row["frame_id"] == i
        assert row["camera"]["fx"] == CAMERA.fx
        assert row["clean_depth"] == frames["clean_depth"][i]
        assert row["depth"] is None and row["sensor"] is None and row["sensor_seed"] is None
        assert len(row["hands"]) == counts[i]
        assert len(row["objects"]) == object_counts[i]
        for hand in row["hands"]:
            assert hand["side"] == hands["side"][k]
            assert hand["key_pose"] == hands["key_pose"][k]
            for name in ("keypoints_cam_m", "visibility", "joint_angles_rad", "box_amodal_px"):
                np.testing.assert_array_equal(hand[name], hands[name][k].ravel())
            k += 1
    assert k == counts.sum()


def test_the_version_is_in_the_schema() -> None:
    assert SCHEMA_VERSION == 3
    assert SCHEMA_VERSION in READABLE_VERSIONS
    assert build_table(np.arange(2)).schema.metadata[VERSION_KEY] == b"3"


def test_no_frames_and_no_hands_make_a_table() -> None:
    empty = table_from_columns({"frame_id": np.zeros(0, int), "camera": CAMERA}, [], {}, [], {})
    assert empty.num_rows == 0
    bare = {
        "frame_id": np.arange(2),
        "source": ["real"] * 2,
        "camera": [CAMERA, CAMERAS["ahat"]],
        "depth_scale": np.full(2, 1e4),
    }
    table = table_from_columns(bare, [0, 0], {}, [0, 0], {})
    table.validate(full=True)
    assert table["hands"].to_pylist() == [[], []]
    assert table["T_world_from_camera"].null_count == 2
    assert table["camera"][1]["max_theta_rad"].as_py() == CAMERAS["ahat"].max_theta_rad
    assert table["camera"][0]["max_theta_rad"].as_py() is None


def test_some_values_of_an_optional_column_may_be_absent() -> None:
    frames, counts, hands, object_counts, objects = build_columns(np.arange(3), CAMERA)
    n = int(counts.sum())
    hands["T_camera_from_wrist"] = [None, *(np.eye(4, dtype=np.float32) for _ in range(n - 1))]
    hands["joint_angles_rad"] = None
    del hands["identity"]
    table = table_from_columns(frames, counts, hands, object_counts, objects)
    flat = [hand for row in table.to_pylist() for hand in row["hands"]]
    assert flat[0]["T_camera_from_wrist"] is None
    assert flat[1]["T_camera_from_wrist"] == np.eye(4).ravel().tolist()
    assert all(h["joint_angles_rad"] is None and h["identity"] is None for h in flat)


def test_masked_values_are_null() -> None:
    frames, counts, hands, object_counts, objects = build_columns(np.arange(4), CAMERA)
    n = int(counts.sum())
    absent = np.arange(n) % 2 == 0
    gaps = np.arange(n * 17, dtype=np.float32).reshape(n, 17)
    hands["contact_gap_m"] = np.ma.array(gaps, mask=np.repeat(absent[:, None], 17, 1))
    hands["held"] = np.ma.array(np.full(n, 3, np.int8), mask=absent)
    hands["joint_angles_rad"] = np.ma.array(np.ones((n, 5)), mask=np.repeat(absent[:, None], 5, 1))
    frames["time_s"] = np.ma.array(np.arange(4.0), mask=[1, 0, 0, 0])
    frames["camera_velocity"] = np.ma.array(np.ones((4, 6)))  # a mask that masks nothing
    table = table_from_columns(frames, counts, hands, object_counts, objects)
    table.validate(full=True)
    assert table["time_s"].to_pylist() == [None, 1.0, 2.0, 3.0]
    assert table["camera_velocity"].null_count == 0
    flat = [hand for row in table.to_pylist() for hand in row["hands"]]
    for k, hand in enumerate(flat):
        assert hand["contact_gap_m"] == (None if absent[k] else gaps[k].tolist())
        assert hand["held"] == (None if absent[k] else 3)
        assert hand["joint_angles_rad"] == (None if absent[k] else [1.0] * 5)


@pytest.mark.parametrize(
    ("group", "change", "said"),
    [
        ("hands", {"keypoints_px": None}, "hands.keypoints_px is missing"),
        ("hands", {"keypoints_px": np.zeros((1, 21, 2))}, "hands.keypoints_px must have"),
        ("hands", {"box_px": "wrong shape"}, r"hands.box_px must have the shape \(\d+, 4\)"),
        ("hands", {"mood": np.zeros(3)}, "unknown column hands.mood"),
        ("frames", {"camera": None}, "camera is missing"),
        ("frames", {"source": ["synthetic", None, "synthetic"]}, "source has 1 values missing"),
        ("frames", {"clean_depth": [1, 2, 3]}, "clean_depth does not fit binary"),
        (
            "frames",
            {"depth_scale": np.ma.array(np.ones(3), mask=[0, 1, 1])},
            "has 2 values missing",
        ),
        ("frames", {"depth_scale": np.ones(4)}, "depth_scale must have 3 values, got 4"),
    ],
)
def test_a_wrong_column_is_named(group: str, change: dict[str, Any], said: str) -> None:
    frames, counts, hands, object_counts, objects = build_columns(np.arange(3), CAMERA)
    if "box_px" in change:
        change = {"box_px": np.zeros((int(counts.sum()), 5), np.float32)}
    {"frames": frames, "hands": hands}[group].update(change)
    with pytest.raises(BadInput, match=said):
        table_from_columns(frames, counts, hands, object_counts, objects)


def test_a_count_for_every_frame() -> None:
    frames, counts, hands, object_counts, objects = build_columns(np.arange(3), CAMERA)
    with pytest.raises(BadInput, match="hands must have a count for each of 3 frames"):
        table_from_columns(frames, counts[:2], hands, object_counts, objects)


def test_every_column_says_what_it_means() -> None:
    for column in (*FRAME_COLUMNS, *HAND_COLUMNS, *OBJECT_COLUMNS):
        assert column.meaning
        assert isinstance(column.build_field(), pa.Field)


def test_captures_have_columns_more_and_others_keep_theirs() -> None:
    frames, counts, hands, object_counts, objects = build_columns(np.arange(3), CAMERA)
    plain = table_from_columns(frames, counts, hands, object_counts, objects)
    frames |= {"origin": ["a", "b", "c"], "color": [b"x", None, b"zz"]}
    captured = table_from_columns(frames, counts, hands, object_counts, objects)
    assert plain.schema.equals(SCHEMA) and captured.schema.equals(CAPTURE_SCHEMA)
    assert captured.schema.metadata == plain.schema.metadata
    assert repr(captured.select(SCHEMA.names).to_pylist()) == repr(plain.to_pylist())  # NaN too
    assert captured.column("color").to_pylist() == [b"x", None, b"zz"]
    assert captured.column("infrared").null_count == 3
    assert find_schema(plain.schema) is SCHEMA and find_schema(captured.schema) is CAPTURE_SCHEMA
    assert find_schema(captured.drop_columns("color").schema) is None
