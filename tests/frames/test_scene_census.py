"""Statistics of scenes and splits: equal to a plain count of the frames read back."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import call
from fabricate import build_columns, write_dataset

from frames.camera import CAMERAS
from frames.census.scenes import DEEP_M, TOUCH_M
from frames.census.stats import collect_stats
from frames.census.stats_text import format_stats
from frames.errors import BadInput
from frames.record import Frame
from frames.store.dataset import open_dataset
from frames.store.folder import create_dataset
from frames.store.schema import table_from_columns
from frames.store.shard import write_shard
from frames.viewing.stats_page import draw_stats

COUNT = 60
SPLITS = {"train": (0, 40), "val": (40, 48), "test": (48, 60)}
SUMMED = ("frames", "hands", "holding_hands")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "d", COUNT, 9, splits=SPLITS)


@pytest.fixture(scope="module")
def frames(folder: Path) -> list[Frame]:
    return list(open_dataset(folder))


@pytest.fixture(scope="module")
def stats(folder: Path) -> dict[str, Any]:
    return collect_stats(open_dataset(folder))


def test_names_are_counted(stats: dict[str, Any], frames: list[Frame]) -> None:
    hands = [h for f in frames for h in f.hands]
    objects = [o for f in frames for o in f.objects]
    assert stats["situations"] == Counter(f.situation for f in frames)
    assert stats["backgrounds"] == Counter(f.background for f in frames)
    assert stats["owners"] == Counter("wearer" if h.wearer else "other people" for h in hands)
    assert stats["grasps"] == Counter(h.grasp for h in hands if h.grasp)
    assert stats["holding_hands"] == sum(h.held is not None for h in hands) > 0
    worn = Counter(word for h in hands for word in (h.worn or "").split(",") if word)
    assert stats["worn"] == worn and set(worn) == {"watch", "sleeve", "ring"}
    assert stats["object_kinds"] == {"box": len(objects)}
    assert stats["object_names"] == len({o.name for o in objects}) == 3
    assert stats["objects_per_frame"] == {"0": COUNT - len(objects), "1": len(objects)}


def test_contact_equals_numpy(stats: dict[str, Any], frames: list[Frame]) -> None:
    found = [(f.frame_id, h.contact_gap_m) for f in frames for h in f.hands]
    ids = np.array([i for i, gap in found if gap is not None])
    gap = np.stack([gap for _, gap in found if gap is not None]).astype(float)
    depth = np.maximum(-np.nanmin(gap, axis=1), 0)
    touching = (gap <= np.float32(TOUCH_M)).sum(1)
    contact, penetration = stats["contact"], stats["penetration_m"]
    assert contact["hands"] == len(gap) == 20
    assert contact["parts"] == {str(n): c for n, c in sorted(Counter(touching.tolist()).items())}
    assert contact["at_least_2_parts"] == pytest.approx((touching >= 2).mean())
    assert contact["at_least_3_parts"] == pytest.approx((touching >= 3).mean())
    assert contact["by_kind"] == {
        "palmar pinch": {
            "hands": 20,
            "at_least_2_parts": contact["at_least_2_parts"],
            "at_least_3_parts": contact["at_least_3_parts"],
            "deepest_m": penetration["max"],
        }
    }
    assert penetration["max"] == pytest.approx(depth.max())
    assert penetration["deepest_frame"] == ids[np.argmax(depth)]
    assert penetration["over_3_mm"] == (depth > DEEP_M).mean()
    for key, share in (("median", 0.5), ("p99", 0.99)):
        low = np.quantile(depth, share, method="lower") - 1e-6
        high = np.quantile(depth, share, method="higher") + 1e-6
        assert low <= penetration[key] <= high


def test_deep_hands_are_counted(tmp_path: Path) -> None:
    frames, counts, hands, object_counts, objects = build_columns(
        np.arange(30), CAMERAS["ego-small"]
    )
    held = [k for k, gap in enumerate(hands["contact_gap_m"]) if gap is not None]
    hands["contact_gap_m"][held[3]][:] = np.nan  # in contact, but far from it: no penetration
    hands["contact_gap_m"][held[5]][7] = -0.004
    hands["grasp"][held[5]] = None  # counted with its situation
    create_dataset(tmp_path, {"frames": 30, "frames_per_shard": 30})
    write_shard(tmp_path, 0, table_from_columns(frames, counts, hands, object_counts, objects))
    stats = collect_stats(open_dataset(tmp_path))
    assert stats["penetration_m"]["over_3_mm"] == 1 / len(held)
    assert stats["penetration_m"]["deepest_frame"] == 3 * 5 + 2
    assert stats["penetration_m"]["min"] == 0
    assert stats["contact"]["parts"]["0"] == 1
    by_kind = stats["contact"]["by_kind"]
    assert list(by_kind) == ["grasp", "palmar pinch"]
    assert by_kind["grasp"]["hands"] == 1 and by_kind["palmar pinch"]["hands"] == len(held) - 1
    assert by_kind["grasp"]["deepest_m"] == pytest.approx(0.004)
    assert by_kind["palmar pinch"]["deepest_m"] < DEEP_M
    text = format_stats(stats)
    assert "deepest 4.0 mm (frame 17), over 3 mm 10.00%" in text


def test_sequences_and_speeds_equal_numpy(stats: dict[str, Any], frames: list[Frame]) -> None:
    # Shards of nine frames cut sequences of four: they are counted whole.
    assert stats["sequences"]["count"] == COUNT // 4
    assert (stats["sequences"]["frames"]["min"], stats["sequences"]["frames"]["max"]) == (4, 4)
    velocity = np.stack([h.keypoints_velocity_m_s[0] for f in frames for h in f.hands])
    camera = np.stack([f.camera_velocity for f in frames])
    wanted = {
        "hand_m_s": np.linalg.norm(velocity, axis=-1),
        "camera_m_s": np.linalg.norm(camera[:, :3], axis=-1),
        "camera_turn_rad_s": np.linalg.norm(camera[:, 3:], axis=-1),
        "object_m_s": np.full(20, np.sqrt(3) / 2),
    }
    for name, values in wanted.items():
        summary = stats["speeds"][name]
        assert summary["count"] == len(values)
        assert summary["mean"] == pytest.approx(values.mean(), rel=1e-6)
        assert summary["max"] == pytest.approx(values.max(), rel=1e-6)


def test_splits_are_counted_apart(stats: dict[str, Any], frames: list[Frame], folder: Path) -> None:
    for name, (first, stop) in SPLITS.items():
        mine = frames[first:stop]
        identities = {h.identity for f in mine for h in f.hands}
        assert stats["splits"][name] == {
            "frames": stop - first,
            "hands": sum(len(f.hands) for f in mine),
            "identities": len(identities),
            "objects": len({o.name for f in mine for o in f.objects}),
            "backgrounds": 0,
        }
        alone = collect_stats(open_dataset(folder), name)
        assert alone["frames"] == stop - first and "bytes" not in alone
        assert alone["splits"] == {name: stats["splits"][name]} and alone["disjoint"] == {}
    parts = [collect_stats(open_dataset(folder), name) for name in SPLITS]
    for key in SUMMED:
        assert sum(p[key] for p in parts) == stats[key]
    with pytest.raises(BadInput, match="unknown split 'dev'; known: train, val, test"):
        collect_stats(open_dataset(folder), "dev")


def divide(folder: Path, change: Any) -> dict[str, Any]:
    """What stats say of two splits of 8 frames whose people, things and places differ."""
    frames, counts, hands, object_counts, objects = build_columns(
        np.arange(16), CAMERAS["ego-small"], splits={"a": (0, 8), "b": (8, 16)}
    )
    of_hand = np.repeat(np.arange(16), counts)
    of_object = np.repeat(np.arange(16), object_counts)
    hands["identity"] = of_hand // 8 * 10 + of_hand % 3
    objects["name"] = [f"mug-{i // 8}" for i in of_object]
    frames["background"] = ["desk" if i % 2 else f"room{i // 8}.png" for i in range(16)]
    change(frames, hands, objects)
    create_dataset(
        folder,
        {
            "frames": 16,
            "frames_per_shard": 16,
            "splits": {"a": [0, 8], "b": [8, 16]},
            "background_images": ["room0.png", "room1.png"],
        },
    )
    write_shard(folder, 0, table_from_columns(frames, counts, hands, object_counts, objects))
    return collect_stats(open_dataset(folder))


def share_person(_: Any, hands: Any, __: Any) -> None:
    hands["identity"][-1] = 1


def share_mug(_: Any, __: Any, objects: Any) -> None:
    objects["name"][-1] = "mug-0"


def share_room(frames: Any, *_: Any) -> None:
    frames["background"][14] = "room0.png"


def cut_sequence(frames: Any, *_: Any) -> None:
    frames["sequence_id"] = (np.arange(16) + 2) // 4


@pytest.mark.parametrize(
    ("change", "shared"),
    [
        (lambda *_: None, None),
        (share_person, "identities"),
        (share_mug, "objects"),
        (share_room, "backgrounds"),
        (cut_sequence, "sequences"),
    ],
)
def test_what_splits_share_is_told(change: Any, shared: str | None, tmp_path: Path) -> None:
    stats = divide(tmp_path, change)
    kinds = ("identities", "objects", "backgrounds", "sequences")
    assert stats["disjoint"] == {kind: kind != shared for kind in kinds}
    told = ", ".join(f"{kind} {'NO' if kind == shared else 'yes'}" for kind in kinds)
    assert told in format_stats(stats)


def test_text_and_page_show_what_there_is(stats: dict[str, Any], tmp_path: Path) -> None:
    text = format_stats(stats)
    for said in (
        "situations",
        "whose hands",
        "palmar pinch 100.0%",
        "worn",
        "within 2 mm of what they touch",
        "deepest penetration of a hand in contact, mm",
        "15 of 4 frames",
        "hand, against the camera, m/s",
        "different objects",
        "train",
    ):
        assert said in text
    assert max(len(line) for line in text.splitlines()) <= 100
    assert json.loads(json.dumps(stats, allow_nan=False)) == stats
    bare = write_bare(tmp_path)
    none = format_stats(bare)
    for said in ("situations", "worn", "penetration", "m/s", "sequences", "split", "grasps"):
        assert said not in none
    assert len(draw_stats(stats)) > len(draw_stats(bare)) + 1000
    assert json.loads(json.dumps(bare, allow_nan=False)) == bare


def write_bare(folder: Path) -> dict[str, Any]:
    """Statistics of frames that have none of the optional columns."""
    frames, counts, hands, object_counts, objects = build_columns(
        np.arange(5), CAMERAS["ego-small"]
    )
    for name in ("situation", "background", "sequence_id", "time_s", "camera_velocity"):
        frames[name] = None
    for name in ("grasp", "held", "worn", "contact_gap_m", "keypoints_velocity_m_s"):
        hands[name] = None
    objects["name"] = objects["velocity"] = None
    create_dataset(folder, {"frames": 5, "frames_per_shard": 5})
    write_shard(folder, 0, table_from_columns(frames, counts, hands, object_counts, objects))
    return collect_stats(open_dataset(folder))


def test_many_grasps_fill_several_panels(stats: dict[str, Any]) -> None:
    many = {**stats, "grasps": {f"grasp {i}": 40 - i for i in range(33)}}
    assert len(draw_stats(many)) >= len(draw_stats(stats))


def test_the_command_line_knows_splits(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(capsys, "verify", folder, "--split", "val").out == (
        f"{folder}: 8 frames in 2 shards: sound\n"
    )
    assert call(capsys, "stats", folder, "--split", "val").out.startswith("8 frames, ")
    shown = tmp_path / "sheet.png"
    result = call(capsys, "view", folder, "--split", "val", "--out", shown)
    assert result.out == f"{shown}: 8 frames\n"
    for command in ("verify", "stats", "view"):
        result = call(capsys, command, folder, "--split", "dev")
        assert result.code == 2
        assert "unknown split 'dev'; known: train, val, test" in result.err
