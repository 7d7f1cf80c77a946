"""Datasets: what was written is read back, in any way of reading; folders defend themselves."""

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from fabricate import build_columns, build_table, remove_shard, write_dataset

from frames.camera import CAMERAS
from frames.errors import BadInput
from frames.record import Frame
from frames.store.codec import decode_depth, decode_parts, encode_depth
from frames.store.dataset import Dataset, open_dataset
from frames.store.folder import create_dataset, finished_shards, sweep_orphans
from frames.store.lock import lock_shards
from frames.store.rows import Rows
from frames.store.schema import SCHEMA, table_from_columns
from frames.store.shard import shard_path, write_shard

META = {"frames": 20, "frames_per_shard": 8, "seed": 1, "config": {"hands": 2, "room": True}}
CAMERA = CAMERAS["ego-small"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "d", 20, 8, row_group=3)


def assert_same(a: Frame, b: Frame) -> None:
    assert (a.frame_id, a.source, a.camera, a.depth_scale) == (
        b.frame_id, b.source, b.camera, b.depth_scale,
    )  # fmt: skip
    np.testing.assert_array_equal(a.clean_depth, b.clean_depth)
    np.testing.assert_array_equal(a.parts, b.parts)
    assert len(a.hands) == len(b.hands) and len(a.objects) == len(b.objects)
    for x, y in zip(a.hands + a.objects, b.hands + b.objects, strict=True):
        for name, value in vars(x).items():
            np.testing.assert_array_equal(value, getattr(y, name))


def test_every_value_comes_back(folder: Path) -> None:
    data = open_dataset(folder)
    assert len(data) == 20
    frames, counts, hands, object_counts, objects = build_columns(np.arange(20), CAMERA)
    k = j = 0
    for i, frame in enumerate(data):
        assert frame.frame_id == i
        assert frame.camera == CAMERA
        assert (frame.depth, frame.invalid, frame.sensor, frame.sensor_seed) == (None,) * 4
        np.testing.assert_array_equal(
            frame.clean_depth, decode_depth(frames["clean_depth"][i], 120, 160)
        )
        np.testing.assert_array_equal(frame.parts, decode_parts(frames["parts"][i], 120, 160))
        assert frame.reading is frame.clean_depth
        assert frame.T_world_from_camera.shape == (4, 4)
        assert len(frame.hands) == counts[i] and len(frame.objects) == object_counts[i]
        for hand in frame.hands:
            for name, column in hands.items():
                np.testing.assert_array_equal(getattr(hand, name), column[k], err_msg=name)
            assert hand.keypoints_px.dtype == np.float32 and hand.visibility.dtype == np.uint8
            k += 1
        for thing in frame.objects:
            assert (thing.kind, thing.part_code) == ("box", 224)
            assert thing.name == objects["name"][j] and thing.velocity.tolist() == [0.5] * 6
            j += 1
        for name in ("situation", "split", "background", "sequence_id", "time_s"):
            assert getattr(frame, name) == frames[name][i]
        assert type(frame.sequence_id) is int and type(frame.time_s) is float
        np.testing.assert_array_equal(frame.camera_velocity, frames["camera_velocity"][i])
    assert k == counts.sum() and j == object_counts.sum() > 0
    held = [h.held for f in data for h in f.hands]
    assert set(held) == {0, None} and all(type(h) in (int, type(None)) for h in held)


def test_random_access_is_the_stream(folder: Path) -> None:
    data = open_dataset(folder)
    stream = list(data.stream())
    for i in np.random.default_rng(0).permutation(20):
        assert_same(data[int(i)], stream[i])
    assert_same(data[-1], stream[19])
    for i in (20, -21):
        with pytest.raises(IndexError):
            data[i]


def test_batches_are_the_stream_stacked(folder: Path) -> None:
    data = open_dataset(folder)
    stream = list(data.stream())
    batches = list(data.batches(size=2))
    assert max(len(b["frame_id"]) for b in batches) == 2
    assert np.concatenate([b["frame_id"] for b in batches]).tolist() == list(range(20))
    flat = [hand for frame in stream for hand in frame.hands]
    for name in ("keypoints_px", "visibility", "joint_angles_rad", "T_camera_from_wrist"):
        joined = np.concatenate([b[f"hands.{name}"] for b in batches])
        np.testing.assert_array_equal(joined, np.stack([getattr(h, name) for h in flat]))
    assert [s for b in batches for s in b["hands.side"]] == [h.side for h in flat]
    depth = np.concatenate([b["clean_depth"] for b in batches])
    np.testing.assert_array_equal(depth, np.stack([f.clean_depth for f in stream]))
    assert all(b["depth"] is None for b in batches)
    assert sum(b["hand_counts"].sum() for b in batches) == len(flat)


def test_only_the_columns_asked_for(folder: Path) -> None:
    batch = next(open_dataset(folder).batches(["clean_depth", "hands.visibility"], 2))
    assert set(batch) == {"clean_depth", "hands.visibility", "hand_counts"}
    frame = open_dataset(folder, ["parts"])[4]
    assert frame.parts is not None
    assert (frame.clean_depth, frame.hands, frame.T_world_from_camera) == (None, (), None)
    lean = next(open_dataset(folder).stream(["hands"]))
    assert lean.parts is None and len(lean.hands) > 0
    for bad in ("dept", "hands.mood", "camera.fx"):
        with pytest.raises(BadInput, match=f"unknown column '{bad}'"):
            list(open_dataset(folder).batches([bad]))
    with pytest.raises(BadInput, match="unknown column 'dept'"):
        open_dataset(folder, ["dept"])
    with pytest.raises(BadInput, match="must be > 0, got 0"):
        list(open_dataset(folder).batches(size=0))


def test_batches_end_where_the_image_changes(tmp_path: Path) -> None:
    small, large = CAMERAS["ego-small"], CAMERAS["ego"]
    cameras = [small, small, large, large, large, small]
    images = [np.full((c.height, c.width), i, np.uint16) for i, c in enumerate(cameras)]
    blobs = [encode_depth(i) for i in images]
    columns = {
        "frame_id": np.arange(6),
        "source": ["real"] * 6,
        "camera": cameras,
        "depth_scale": np.full(6, 1e4),
        "depth": [*blobs[:4], None, blobs[5]],
    }
    create_dataset(tmp_path / "d", {"frames": 6, "frames_per_shard": 6})
    write_shard(tmp_path / "d", 0, table_from_columns(columns, [0] * 6, {}, [0] * 6, {}))
    data = open_dataset(tmp_path / "d")
    batches = list(data.batches(["frame_id", "depth", "hands.side"]))
    assert [b["frame_id"].tolist() for b in batches] == [[0, 1], [2, 3], [4], [5]]
    assert [None if b["depth"] is None else b["depth"].shape for b in batches] == [
        (2, 120, 160), (2, 240, 320), None, (1, 120, 160),
    ]  # fmt: skip
    np.testing.assert_array_equal(data[3].depth, images[3])
    assert data[4].reading is None
    assert data[3].camera == large


def test_absent_values_are_none() -> None:
    frames, counts, hands, object_counts, objects = build_columns(np.arange(4), CAMERA)
    n = int(counts.sum())
    hands["joint_angles_rad"] = [None, *hands["joint_angles_rad"][1:]]
    hands["identity"] = [None, *(int(i) for i in hands["identity"][1:])]
    hands["T_camera_from_wrist"] = None
    frames["T_world_from_camera"] = [None, *frames["T_world_from_camera"][1:]]
    rows = Rows(table_from_columns(frames, counts, hands, object_counts, objects))
    first, second = rows.frame(0), rows.frame(1)
    assert first.T_world_from_camera is None and second.T_world_from_camera.shape == (4, 4)
    hand = first.hands[0]
    assert (hand.joint_angles_rad, hand.identity, hand.T_camera_from_wrist) == (None, None, None)
    last = rows.frame(3).hands[-1]
    assert last.identity == hands["identity"][-1]
    np.testing.assert_array_equal(last.joint_angles_rad, hands["joint_angles_rad"][-1])
    assert rows.read("hands.identity")[0][0] == -1  # 0 is somebody
    flat, valid = rows.read("hands.joint_angles_rad")
    assert np.isnan(flat[0]).all() and valid.tolist() == [False] + [True] * (n - 1)


SPLITS = {"val": (0, 6), "train": (6, 17), "test": (17, 20)}


@pytest.mark.parametrize("row_group", [3, 8, 128])
@pytest.mark.parametrize("split", SPLITS)
def test_a_split_is_its_frames(split: str, row_group: int, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", 20, 8, row_group=row_group, splits=SPLITS)
    whole = list(open_dataset(folder))
    data = open_dataset(folder, split=split)
    ids = list(range(*SPLITS[split]))
    assert len(data) == len(ids)
    for k, frame in enumerate(data):
        assert frame.frame_id == ids[k] and frame.split == split
        assert_same(frame, whole[ids[k]])
        assert_same(data[k], whole[ids[k]])
    assert data[-1].frame_id == ids[-1]
    with pytest.raises(IndexError):
        data[len(ids)]
    batches = list(data.batches(size=3))
    assert np.concatenate([b["frame_id"] for b in batches]).tolist() == ids
    hands = [h for i in ids for h in whole[i].hands]
    px = np.concatenate([b["hands.keypoints_px"] for b in batches])
    np.testing.assert_array_equal(px, np.stack([h.keypoints_px for h in hands]))
    parts = np.concatenate([b["parts"] for b in batches])
    np.testing.assert_array_equal(parts, np.stack([whole[i].parts for i in ids]))
    other: Dataset = pickle.loads(pickle.dumps(data))
    assert len(other) == len(ids) and other[0].frame_id == ids[0]


def test_a_split_needs_its_own_shards_only(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", 20, 8, splits=SPLITS)
    remove_shard(folder, 1)
    assert len(open_dataset(folder, split="val")) == 6
    with pytest.raises(BadInput, match="lacks 1 of 3 shards"):
        open_dataset(folder, split="train")
    assert len(open_dataset(folder, split="train", partial=True)) == 3  # 6, 7 and 16


def test_an_unknown_split_lists_the_known(tmp_path: Path, folder: Path) -> None:
    divided = write_dataset(tmp_path / "d", 20, 8, splits=SPLITS)
    with pytest.raises(BadInput, match="unknown split 'dev'; known: val, train, test"):
        open_dataset(divided, split="dev")
    with pytest.raises(BadInput, match="unknown split 'train'; the dataset has none"):
        open_dataset(folder, split="train")


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        ([1, 2], r"splits must map names to \[first, stop\], got \[1, 2\]"),
        ({"a": [0, 21]}, "split a must be .* 0 <= first < stop <= 20, got"),
        ({"a": [5, 5]}, "split a must be"),
        ({"a": [0, True]}, "split a must be"),
        ({"a": [0]}, "split a must be"),
        ({"a": "all"}, "split a must be"),
        ({"a": [0, 9], "b": [8, 20]}, "splits a and b overlap"),
    ],
)
def test_broken_splits_are_told(splits: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said) as raised:
        create_dataset(tmp_path / "d", {**META, "splits": splits})
    assert "\n" not in str(raised.value) and "dataset.json" in str(raised.value)


def test_memory_stays_bounded_whatever_is_read(folder: Path) -> None:
    data = open_dataset(folder, cache_mb=0)
    for i in range(20):
        assert data[i].frame_id == i
        assert len(data._groups) == 1
    roomy = open_dataset(folder)
    for i in range(20):
        roomy[i]
    assert roomy._cached_bytes == sum(r.nbytes for r in roomy._groups.values()) > 0


def test_a_dataset_travels_to_other_processes(folder: Path) -> None:
    data = open_dataset(folder)
    assert data[3].frame_id == 3
    other: Dataset = pickle.loads(pickle.dumps(data))
    assert_same(other[7], data[7])


def test_creating_is_deterministic_and_resumable(tmp_path: Path) -> None:
    create_dataset(tmp_path / "a", META)
    create_dataset(tmp_path / "b", dict(reversed(META.items())))
    for name in ("dataset.json", "README.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    before = (tmp_path / "a" / "dataset.json").stat().st_mtime_ns
    stored = create_dataset(tmp_path / "a", META)
    assert stored == {**META, "format": "handloom", "schema_version": 3}
    assert (tmp_path / "a" / "dataset.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 2}, "seed is 1 there and 2 here"),
        ({"config": {"hands": 1, "room": True}}, "config.hands is 2 there and 1 here"),
        ({"extra": "x"}, 'extra is null there and "x" here'),
        ({"frames": 21}, "frames is 20 there and 21 here"),
    ],
)
def test_another_dataset_is_not_overwritten(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    create_dataset(tmp_path, META)
    with pytest.raises(BadInput, match=said):
        create_dataset(tmp_path, {**META, **change})


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(BadInput, match=r"is not empty and no dataset \(it holds thesis.txt\)"):
        create_dataset(tmp_path, META)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("value", [0, -1, 2.5, "many", None, True])
def test_the_number_of_frames_is_checked(value: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="frames must be a whole number > 0"):
        create_dataset(tmp_path, {**META, "frames": value})
    assert list(tmp_path.iterdir()) == []


def test_metadata_must_be_json(tmp_path: Path) -> None:
    for bad in (float("nan"), {1, 2}, Path()):
        with pytest.raises(BadInput, match="not plain JSON"):
            create_dataset(tmp_path, {**META, "x": bad})


def test_finished_and_orphaned_shards(tmp_path: Path) -> None:
    create_dataset(tmp_path, META)
    for i in (0, 2):
        write_shard(tmp_path, i, build_table(np.arange(8 * i, min(8 * i + 8, 20))))
    shards = tmp_path / "shards"
    (shards / "frames-00001.parquet.sha256").write_text("orphan")
    (shards / ".frames-00001.parquet.77.aa.tmp").write_text("half")
    (shards / ".frames-00002.parquet.sha256.78.ab.tmp").write_text("half")
    (shards / "notes.txt").write_text("not ours")
    assert finished_shards(tmp_path) == {0, 2}
    assert sweep_orphans(tmp_path, [2]) == [".frames-00002.parquet.sha256.78.ab.tmp"]
    assert len(sweep_orphans(tmp_path)) == 2
    assert {p.name for p in shards.iterdir()} == {
        "frames-00000.parquet", "frames-00000.parquet.sha256", "notes.txt",
        "frames-00002.parquet", "frames-00002.parquet.sha256",
    }  # fmt: skip
    remove_shard(tmp_path, 2)
    assert finished_shards(tmp_path) == {0}
    assert finished_shards(tmp_path / "nowhere") == set()


def test_an_unfinished_dataset_opens_only_in_part(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d")
    remove_shard(folder, 1)
    with pytest.raises(BadInput, match=r"lacks 1 of 3 shards \(first: frames-00001.parquet\)"):
        open_dataset(folder)
    data = open_dataset(folder, partial=True)
    assert [f.frame_id for f in data] == [*range(8), *range(16, 20)]
    assert data[8].frame_id == 16


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not valid JSON"),
        ("[]", 'must be "handloom"'),
        ("{}", 'must be "handloom"'),
        ('{"format": "handloom", "schema_version": 7}', "version 7, this handloom reads 2 and 3"),
        ('{"format": "handloom", "schema_version": 2}', "frames must be a whole number"),
        ("\x00\x01", "is not valid JSON"),
    ],
)
def test_a_broken_dataset_json_is_told(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(BadInput, match=said) as raised:
        open_dataset(tmp_path)
    assert "\n" not in str(raised.value)


def test_what_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no dataset\.json"):
        open_dataset(tmp_path)
    with pytest.raises(BadInput, match="there is no such folder"):
        open_dataset(tmp_path / "nowhere")


def test_a_shard_of_another_length_is_told(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d")
    write_shard(folder, 1, build_table(np.arange(8, 13)))
    with pytest.raises(BadInput, match=r"has 5 frames, dataset\.json says 8"):
        list(open_dataset(folder))


def test_a_broken_image_names_its_frame(tmp_path: Path) -> None:
    frames, *rest = build_columns(np.arange(4), CAMERA)
    frames["parts"][2] = b"rubbish"
    rows = Rows(table_from_columns(frames, *rest))
    with pytest.raises(BadInput, match="parts of frame 2: image blob of 7 bytes"):
        rows.frame(2)
    assert rows.frame(1).frame_id == 1


def test_a_page_that_does_not_decode_is_told(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", 8, 8)
    path = shard_path(folder, 0)
    data = bytearray(path.read_bytes())
    data[50 : len(data) // 3] = bytes(len(data) // 3 - 50)
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"is broken in row group|image blob"):
        list(open_dataset(folder))


HOLD = """
import sys
from pathlib import Path
from frames.store.lock import lock_shards
with lock_shards(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_writers_of_one_range_say_so(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path), "4", "8"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        for first, stop in ((4, 8), (0, 5), (7, 100)):
            with (
                pytest.raises(BadInput, match="another process is writing shards"),
                lock_shards(tmp_path, first, stop),
            ):
                pass
        with lock_shards(tmp_path, 0, 4), lock_shards(tmp_path, 8, 12):
            pass
        other.kill()
        other.wait()
    with lock_shards(tmp_path, 4, 8):
        pass


def test_the_card_says_what_it_is(tmp_path: Path) -> None:
    create_dataset(tmp_path, {**META, "license": "CC-BY-4.0", "title": "Hands | test"})
    card = (tmp_path / "README.md").read_text()
    header = card.split("---")[1]
    assert "license: cc-by-4.0\n" in header
    assert "n<1K" in header and "data_files: shards/*.parquet" in header
    assert "# Hands | test" in card
    assert '| title | `"Hands \\| test"` |' in card
    assert '| config | `{"hands": 2, "room": true}` |' in card


def test_importing_frames_is_cheap() -> None:
    code = (
        "import sys, frames; "
        "print([m for m in ('numba', 'cv2', 'pyarrow', 'numpy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
    import frames

    assert all(getattr(frames, name) is not None for name in frames.__all__)
    with pytest.raises(AttributeError):
        frames.nothing  # noqa: B018


def test_schema_is_plain_parquet(folder: Path) -> None:
    table = pyarrow.parquet.read_table(folder / "shards" / "frames-00000.parquet")
    assert table.column_names == SCHEMA.names
    assert json.loads((folder / "dataset.json").read_text())["frames"] == 20
