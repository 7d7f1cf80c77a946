"""Statistics: equal to numpy on the same labels, over batches and shards, and drawn."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frames.census.labels import SPHERE_SHAPE, count_directions, hand_directions
from frames.census.stats import collect_stats, share_out
from frames.census.stats_text import format_stats
from frames.census.tally import Tally
from frames.errors import BadInput
from frames.parts import CAUSE_NAMES
from frames.record import Frame
from frames.skeleton import KEYPOINT_NAMES
from frames.store.schema import FRAME_COLUMNS, HAND_COLUMNS, OBJECT_COLUMNS, table_from_columns
from frames.store.shard import write_shard
from frames.viewing.chart import BAR, choose_ticks, draw_bars, draw_directions, draw_histogram
from frames.viewing.stats_page import draw_stats
from tests.frames.sphere_hands import fabricate_frame

ANGLE_NAMES = [f"thumb_bend_{i}" for i in range(26)]


@dataclass(frozen=True)
class Folder:
    """A dataset as far as statistics look at it."""

    folder: Path
    meta: dict


def stack_column(rows, column):
    values = [getattr(row, column.name) for row in rows]
    if column.shape and all(v is not None for v in values):
        return np.stack(values) if values else np.zeros((0, *column.shape))
    return values


def write_frames(folder: Path, frames: list[Frame], per_shard: int) -> Folder:
    """Write frames' labels as shards; images are small stand-ins."""
    for index, start in enumerate(range(0, len(frames), per_shard)):
        part = frames[start : start + per_shard]
        hands = [hand for frame in part for hand in frame.hands]
        objects = [thing for frame in part for thing in frame.objects]
        columns = {
            c.name: [getattr(f, c.name) for f in part]
            for c in FRAME_COLUMNS
            if c.name not in ("depth", "clean_depth", "parts", "invalid", "T_world_from_camera")
        }
        table = table_from_columns(
            {**columns, "camera": [f.camera for f in part]},
            [len(f.hands) for f in part],
            {c.name: stack_column(hands, c) for c in HAND_COLUMNS},
            [len(f.objects) for f in part],
            {c.name: stack_column(objects, c) for c in OBJECT_COLUMNS},
        )
        write_shard(folder, index, table)
    return Folder(folder, {"joint_angle_names": ANGLE_NAMES})


FRAMES = [fabricate_frame(i, hands=i % 3, sideways_m=0.05 * (i % 5)) for i in range(30)]
HANDS = [hand for frame in FRAMES for hand in frame.hands]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Folder:
    return write_frames(tmp_path_factory.mktemp("data"), FRAMES, per_shard=8)


@pytest.fixture(scope="module")
def stats(dataset) -> dict:
    return collect_stats(dataset)


def test_counts_equal_a_plain_count(stats, dataset):
    assert (stats["frames"], stats["hands"], stats["shards"]) == (30, len(HANDS), 4)
    assert stats["hands_per_frame"] == {"0": 10, "1": 10, "2": 10}
    assert stats["wearer_hands"] == len(HANDS)
    for side in ("left", "right"):
        assert stats["sides"][side] == sum(h.side == side for h in HANDS)
    for pose in ("none", "fist", "pinch", "open"):
        assert stats["key_poses"].get(pose, 0) == sum((h.key_pose or "none") == pose for h in HANDS)
    size = sum(p.stat().st_size for p in (dataset.folder / "shards").glob("*.parquet"))
    assert stats["bytes"] == size and stats["bytes_per_frame"] == round(size / 30)


def test_visibility_and_causes_equal_numpy(stats):
    visibility = np.stack([h.visibility for h in HANDS])
    cause = np.stack([h.occlusion for h in HANDS])
    counted = stats["keypoints"]
    assert [counted[k] for k in ("outside", "occluded", "visible")] == [
        (visibility == v).sum() for v in (0, 1, 2)
    ]
    assert stats["causes"] == {n: int((cause == i).sum()) for i, n in enumerate(CAUSE_NAMES)}
    outside = (visibility == 0).sum(1)
    assert outside.any(), "the test frames must leave the image"
    assert stats["out_of_frame"] == {
        "keypoints": (visibility == 0).mean(),
        "hands_partly": ((outside > 0) & (outside < 21)).mean(),
        "hands_fully": (outside == 21).mean(),
    }
    for j, name in enumerate(KEYPOINT_NAMES):
        assert stats["visible_by_keypoint"][name] == pytest.approx((visibility[:, j] == 2).mean())


@pytest.mark.parametrize(
    "key, values, bin_width",
    [
        (
            "distance_m",
            [np.linalg.norm(h.keypoints_cam_m.astype(float).mean(0)) for h in HANDS],
            2.0 / 4000,
        ),
        ("visible_fraction", [h.visible_fraction for h in HANDS], 1 / 4000),
        (
            "box_side_px",
            [max(h.box_px[2] - h.box_px[0], h.box_px[3] - h.box_px[1]) for h in HANDS],
            0.5,
        ),
    ],
)
def test_summaries_equal_numpy(stats, key, values, bin_width):
    values = np.array(values, float)
    values = values[np.isfinite(values)]
    summary = stats[key]
    assert summary["count"] == len(values) == sum(summary["counts"])
    assert summary["min"] == pytest.approx(values.min(), rel=1e-6)
    assert summary["max"] == pytest.approx(values.max(), rel=1e-6)
    assert summary["mean"] == pytest.approx(values.mean(), rel=1e-6)
    lower = np.quantile(values, 0.5, method="lower") - bin_width
    higher = np.quantile(values, 0.5, method="higher") + bin_width
    assert lower <= summary["median"] <= higher


def test_joint_angles_equal_numpy(stats):
    angles = np.stack([h.joint_angles_rad for h in HANDS]).astype(float)
    assert [a["name"] for a in stats["joint_angles"]] == ANGLE_NAMES
    for summary, values in zip(stats["joint_angles"], angles.T, strict=True):
        assert summary["count"] == len(values)
        assert summary["min"] == pytest.approx(values.min())
        assert summary["max"] == pytest.approx(values.max())
        assert summary["mean"] == pytest.approx(values.mean())


def test_unnamed_angles_get_numbers(dataset):
    unnamed = collect_stats(dataclasses.replace(dataset, meta={}))
    assert unnamed["joint_angles"][3]["name"] == "angle 3"


def test_statistics_do_not_depend_on_shards(stats, tmp_path):
    whole = collect_stats(write_frames(tmp_path, FRAMES, per_shard=1000))
    summaries = ["distance_m", "palm_angle_deg", "axis_roll_deg", "visible_fraction", "box_side_px"]
    for key in summaries:
        assert whole[key]["counts"] == stats[key]["counts"]
        assert whole[key]["mean"] == pytest.approx(stats[key]["mean"])
    for a, b in zip(whole["joint_angles"], stats["joint_angles"], strict=True):
        assert a["counts"] == b["counts"]
    disk = ["shards", "bytes", "bytes_per_frame", "joint_angles"]
    rest = set(stats) - {*summaries, *disk}
    assert {key: whole[key] for key in rest} == {key: stats[key] for key in rest}


def test_statistics_are_json(stats):
    assert json.loads(json.dumps(stats, allow_nan=False)) == stats


def test_frames_without_labels_are_counted(tmp_path):
    hand = dataclasses.replace(
        HANDS[0],
        keypoints_cam_m=np.full((21, 3), np.nan, np.float32),
        joint_angles_rad=None,
        shape=None,
        key_pose=None,
        identity=None,
        visible_fraction=float("nan"),
        box_px=np.full(4, np.nan, np.float32),
    )
    frame = dataclasses.replace(FRAMES[1], hands=(hand,))
    found = collect_stats(write_frames(tmp_path, [frame, dataclasses.replace(frame, hands=())], 2))
    assert found["hands"] == 1 and found["key_poses"] == {"none": 1}
    assert found["distance_m"]["count"] == found["box_side_px"]["count"] == 0
    assert found["joint_angles"] == [] and np.sum(found["palm_directions"]) == 0
    json.dumps(found, allow_nan=False)
    assert draw_stats(found).shape[2] == 3
    assert "1 hands" in format_stats(found)


def test_a_dataset_without_hands_is_drawn(tmp_path):
    empty = [dataclasses.replace(f, hands=()) for f in FRAMES[:3]]
    found = collect_stats(write_frames(tmp_path, empty, 3))
    assert found["hands"] == 0 and found["hands_per_frame"] == {"0": 3}
    assert draw_stats(found).any()
    assert format_stats(found).startswith("3 frames, 0 hands")


def test_palm_and_axis_of_a_hand_held_up():
    # The wearer's right palm, turned to the camera with fingers up: index to the right of pinky.
    points = np.zeros((1, 21, 3))
    points[0, [0, 5, 9, 17]] = [
        (0, 0, 0.5),
        (0.03, -0.09, 0.5),
        (0, -0.09, 0.5),
        (-0.04, -0.08, 0.5),
    ]
    normal, axis = hand_directions(points, np.array([False]))
    assert np.allclose(normal, [[0, 0, -1]]) and np.allclose(axis, [[0, -1, 0]])
    mirrored = points * [-1, 1, 1]
    normal, axis = hand_directions(mirrored, np.array([True]))
    assert np.allclose(normal, [[0, 0, -1]]) and np.allclose(axis, [[0, -1, 0]])


@pytest.mark.parametrize(
    "direction, row, column",
    [
        ((0.0, -1.0, 0.0), 0, None),
        ((0.0, 1.0, 0.0), -1, None),
        ((1e-9, 1e-9, 1.0), 9, 18),
        ((1.0, 1e-9, 1e-9), 9, 26),
        ((-1.0, 1e-9, 1e-9), 9, 9),
    ],
)
def test_direction_maps_have_their_axes(direction, row, column):
    grid = count_directions(np.array([direction]))
    assert grid.shape == SPHERE_SHAPE and grid.sum() == 1
    assert grid[row].sum() == 1
    if column is not None:
        assert grid[row, column] == 1


def test_uniform_directions_fill_cells_by_solid_angle():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200_000, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = count_directions(vectors).sum(1) / len(vectors)
    bounds = np.cos(np.linspace(0, np.pi, SPHERE_SHAPE[0] + 1))
    expected = (bounds[:-1] - bounds[1:]) / 2
    error = np.sqrt(expected * (1 - expected) / len(vectors))
    assert (np.abs(rows - expected) < 5 * error).all()


@given(st.lists(st.floats(-0.5, 2.5), min_size=1, max_size=200), st.integers(1, 5))
def test_a_tally_is_a_histogram(values, pieces):
    tally = Tally(0.0, 2.0, "m", 500)
    for piece in np.array_split(np.array(values), pieces):
        tally.add(piece)
    summary = tally.summarize()
    assert summary["count"] == len(values) == sum(summary["counts"])
    assert len(summary["counts"]) <= 48 and len(summary["edges"]) == len(summary["counts"]) + 1
    assert summary["min"] == min(values) and summary["max"] == max(values)
    ordered = [summary[k] for k in ("min", "p5", "median", "p95", "max")]
    assert ordered == sorted(ordered)


def test_a_tally_leaves_out_what_is_not_finite():
    tally = Tally(0.0, 1.0, "")
    tally.add(np.array([np.nan, np.inf, 0.25]))
    assert tally.count == 1 and tally.summarize()["mean"] == 0.25
    assert np.isnan(Tally(0, 1, "").quantile(0.5))


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e4))
def test_ticks_are_round_and_inside(low, span):
    ticks = choose_ticks(low, low + span)
    assert 1 <= len(ticks) <= 8
    assert ticks[0] >= low - span * 1e-6 and ticks[-1] <= low + span * (1 + 1e-6)


def test_bars_are_as_long_as_their_shares():
    panel = draw_bars("sides", {"left": 0.5, "right": 0.25})
    lengths = (panel == BAR).all(-1).sum(1)
    rows = lengths[lengths > 0]
    assert rows.max() == pytest.approx(2 * rows.min(), abs=2)


def test_long_lists_of_bars_are_folded():
    many = {f"pose {i}": 0.02 for i in range(50)}
    few = {f"pose {i}": 0.02 for i in range(11)} | {"39 others": 0.78}
    assert np.array_equal(draw_bars("poses", many), draw_bars("poses", few))


def test_histogram_bars_follow_the_counts():
    tally = Tally(0.0, 1.0, "m", 4)
    tally.add(np.repeat([0.1, 0.3, 0.6, 0.9], [10, 20, 40, 0]))
    heights = (draw_histogram("t", tally.summarize(4), "m") == BAR).all(-1).sum(0)
    levels = sorted({int(h) for h in heights if h > 3})
    assert levels[-1] == pytest.approx(2 * levels[-2], abs=2)
    assert levels[-1] == pytest.approx(4 * levels[0], abs=4)


def test_direction_map_is_brightest_where_directions_are():
    grid = np.zeros(SPHERE_SHAPE, int)
    grid[9, 18] = 50
    panel = draw_directions("palms", grid.tolist()).astype(int).sum(-1)
    y, x = np.unravel_index(panel[60:280].argmax(), panel[60:280].shape)
    assert panel[60:280].max() > 600
    assert 165 < y + 60 < 200 and 295 < x < 330


def test_page_of_charts(stats):
    page = draw_stats(stats)
    assert page.dtype == np.uint8 and page.shape[2] == 3
    assert 1000 < page.shape[1] < 2000 and len(page) > 1500


def test_text_says_the_numbers(stats):
    text = format_stats(stats)
    assert text.startswith(f"30 frames, {len(HANDS)} hands")
    assert f"{stats['distance_m']['median']:.3f}" in text
    assert "thumb bend 25, degrees" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_shares_add_up():
    assert share_out({"a": 1, "b": 3}) == {"a": 0.25, "b": 0.75}
    assert share_out({}) == {}


def test_bad_input_is_one_line(tmp_path, dataset):
    with pytest.raises(BadInput, match="no shards"):
        collect_stats(Folder(tmp_path, {}))
    broken = tmp_path / "shards" / "frames-00000.parquet"
    broken.parent.mkdir()
    whole = next((dataset.folder / "shards").glob("*.parquet")).read_bytes()
    broken.write_bytes(whole[:-100])
    with pytest.raises(BadInput, match="frames-00000") as error:
        collect_stats(Folder(tmp_path, {}))
    assert "\n" not in str(error.value)


def test_mixed_hand_models_are_refused(tmp_path):
    other = dataclasses.replace(HANDS[0], joint_angles_rad=np.zeros(5, np.float32))
    mixed = [FRAMES[1], dataclasses.replace(FRAMES[1], hands=(other,))]
    with pytest.raises(BadInput, match="one length"):
        collect_stats(write_frames(tmp_path, mixed, 1))
