"""Verify finds nothing in sound data and everything in data with one label changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fabricate import build_columns, build_table, remove_shard, write_dataset

from frames.camera import CAMERAS
from frames.checks.consistency import check_batch
from frames.checks.part_boxes import COUNT, U0, U1, V0, V1, tally_codes
from frames.checks.verify import verify_dataset
from frames.errors import BadInput
from frames.store.codec import decode_depth, decode_parts, encode_depth, encode_parts
from frames.store.dataset import open_dataset
from frames.store.folder import create_dataset, finished_shards
from frames.store.schema import table_from_columns
from frames.store.shard import shard_path, sum_path, write_shard

CAMERA = CAMERAS["ego-small"]
FRAMES = 24


@pytest.mark.parametrize("name", ["ego-small", "ahat", "azure-nfov", "d435"])
def test_sound_data_have_no_problems(name: str, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", 9, 4, camera=CAMERAS[name])
    seen: list[tuple[int, int]] = []
    report = verify_dataset(folder, on_shard=lambda done, total: seen.append((done, total)))
    assert report.problems == ()
    assert (report.frames, report.shards, report.sound) == (9, 3, True)
    assert seen == [(1, 3), (2, 3), (3, 3)]


def rewrite(folder: Path, change: Callable[..., Any]) -> list[str]:
    """A dataset with one thing changed, and the rules it then breaks."""
    frames, counts, hands, object_counts, objects = build_columns(np.arange(FRAMES), CAMERA)
    change(frames, hands, counts, objects)
    create_dataset(folder, {"frames": FRAMES, "frames_per_shard": FRAMES})
    write_shard(folder, 0, table_from_columns(frames, counts, hands, object_counts, objects))
    report = verify_dataset(folder)
    assert report.frames == FRAMES
    return list(report.problems)


def pick(hands: dict[str, Any], visibility: int) -> tuple[int, int]:
    """The first keypoint of that visibility."""
    n, k = np.argwhere(hands["visibility"] == visibility)[0]
    return int(n), int(k)


def shift_pixel(_: Any, hands: Any, *__: Any) -> None:
    hands["keypoints_px"][pick(hands, 2)] += 0.01


def shift_point(_: Any, hands: Any, *__: Any) -> None:
    hands["keypoints_cam_m"][pick(hands, 2)] += 1e-4


def lose_point(_: Any, hands: Any, *__: Any) -> None:
    hands["keypoints_cam_m"][3, 4] = np.inf


def claim_visible(_: Any, hands: Any, *__: Any) -> None:
    at = pick(hands, 1)
    hands["visibility"][at], hands["occlusion"][at] = 2, 0


def claim_occluded(_: Any, hands: Any, *__: Any) -> None:
    at = pick(hands, 2)
    hands["visibility"][at], hands["occlusion"][at] = 1, 2


def claim_outside(_: Any, hands: Any, *__: Any) -> None:
    at = pick(hands, 2)
    hands["visibility"][at], hands["occlusion"][at] = 0, 4


def claim_inside(_: Any, hands: Any, *__: Any) -> None:
    at = pick(hands, 0)
    hands["visibility"][at], hands["occlusion"][at] = 2, 0


def blame_itself(_: Any, hands: Any, *__: Any) -> None:
    hands["occlusion"][pick(hands, 1)] = 1


def blame_object(_: Any, hands: Any, *__: Any) -> None:
    hands["occlusion"][pick(hands, 1)] = 3


def forget_cause(_: Any, hands: Any, *__: Any) -> None:
    hands["occlusion"][pick(hands, 1)] = 0


def invent_visibility(_: Any, hands: Any, *__: Any) -> None:
    hands["visibility"][0, 0] = 3


def shift_surface(_: Any, hands: Any, *__: Any) -> None:
    hands["surface_depth_m"][pick(hands, 2)] += 1e-4


def lose_surface(_: Any, hands: Any, *__: Any) -> None:
    hands["surface_depth_m"][pick(hands, 2)] = np.nan


def invent_surface(_: Any, hands: Any, *__: Any) -> None:
    hands["surface_depth_m"][pick(hands, 0)] = 0.3


def first_boxed(hands: dict[str, Any]) -> int:
    return int(np.argmax(np.isfinite(hands["box_px"][:, 0])))


def grow_box(_: Any, hands: Any, *__: Any) -> None:
    hands["box_px"][first_boxed(hands), 2] -= 1


def lose_box(_: Any, hands: Any, *__: Any) -> None:
    hands["box_px"][first_boxed(hands)] = np.nan


def shrink_amodal(_: Any, hands: Any, *__: Any) -> None:
    hands["box_amodal_px"][first_boxed(hands), 0] += 1


def grow_amodal(_: Any, hands: Any, *__: Any) -> None:
    hands["box_amodal_px"][first_boxed(hands), 0] = -2


def shift_fraction(_: Any, hands: Any, *__: Any) -> None:
    covered = (hands["visible_fraction"] > 0.1) & (hands["visible_fraction"] < 0.9)
    hands["visible_fraction"][np.argmax(covered)] *= 1.003


def overfill_fraction(_: Any, hands: Any, *__: Any) -> None:
    hands["visible_fraction"][first_boxed(hands)] = 1.5


def shift_base(_: Any, hands: Any, *__: Any) -> None:
    hands["part_base"][0] = 32


def third_side(_: Any, hands: Any, *__: Any) -> None:
    hands["side"][2] = "both"


def bend_wrist(_: Any, hands: Any, *__: Any) -> None:
    hands["T_camera_from_wrist"][1, 0, 0] += 0.01


def mirror_camera(frames: Any, *_: Any) -> None:
    frames["T_world_from_camera"][1, 0, 0] = -1


def repaint_part(frames: Any, *_: Any) -> None:
    parts = decode_parts(frames["parts"][5], CAMERA.height, CAMERA.width)
    parts[3, 7] = 32 * 5 + 3
    frames["parts"][5] = encode_parts(parts)


def punch_hole(frames: Any, *_: Any) -> None:
    parts = decode_parts(frames["parts"][5], CAMERA.height, CAMERA.width)
    depth = decode_depth(frames["clean_depth"][5], CAMERA.height, CAMERA.width)
    v, u = np.argwhere(parts > 0)[0]
    depth[v, u] = 0
    frames["clean_depth"][5] = encode_depth(depth)


def lose_parts(frames: Any, *_: Any) -> None:
    frames["parts"] = None


def zero_scale(frames: Any, *_: Any) -> None:
    frames["depth_scale"][2] = 0


def recode_object(_: Any, __: Any, ___: Any, objects: Any) -> None:
    objects["part_code"][0] = 225


def hold_nothing(_: Any, hands: Any, *__: Any) -> None:
    k = next(k for k, held in enumerate(hands["held"]) if held is not None)
    hands["held"][k] = 1


def hold_in_an_empty_frame(_: Any, hands: Any, *__: Any) -> None:
    hands["held"][0] = 0


def sink_finger(_: Any, hands: Any, *__: Any) -> None:
    k = next(k for k, gap in enumerate(hands["contact_gap_m"]) if gap is not None)
    hands["contact_gap_m"][k][3] = -0.011


def reach_far(_: Any, hands: Any, *__: Any) -> None:
    k = next(k for k, gap in enumerate(hands["contact_gap_m"]) if gap is not None)
    hands["contact_gap_m"][k][3] = np.inf


def wear_hat(_: Any, hands: Any, *__: Any) -> None:
    hands["worn"][4] = "ring,hat"


def tear_velocity(_: Any, hands: Any, *__: Any) -> None:
    hands["keypoints_velocity_m_s"][4, 2, 1] = np.nan


def tear_camera_velocity(frames: Any, *_: Any) -> None:
    frames["camera_velocity"][7, 5] = np.inf


def tear_object_velocity(_: Any, __: Any, ___: Any, objects: Any) -> None:
    objects["velocity"][1, 5] = np.nan


def stop_clock(frames: Any, *_: Any) -> None:
    frames["time_s"][6] = frames["time_s"][5]


def turn_clock_back(frames: Any, *_: Any) -> None:
    frames["time_s"][4] = -0.1


def lose_clock(frames: Any, *_: Any) -> None:
    frames["time_s"][4] = np.nan


def go_back_to_a_sequence(frames: Any, *_: Any) -> None:
    frames["sequence_id"][12:16] = 1


def claim_a_split(frames: Any, *_: Any) -> None:
    frames["split"][23] = "test"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (shift_pixel, "keypoints_px is not keypoints_cam_m through the camera (1 times"),
        (shift_point, "keypoints_px is not keypoints_cam_m through the camera (1 times"),
        (lose_point, "keypoints_cam_m is not finite (1 times"),
        (claim_visible, "a visible keypoint lies behind something else (1 times"),
        (claim_occluded, "occluded by another hand, but none is there (1 times"),
        (claim_outside, "visibility and image bounds disagree (1 times"),
        (claim_inside, "visibility and image bounds disagree (1 times"),
        (blame_itself, "occluded by itself, but another surface is there (1 times"),
        (blame_object, "occluded by an object, but a hand is there (1 times"),
        (forget_cause, "visibility and its cause disagree (1 times"),
        (invent_visibility, "visibility is not 0, 1 or 2 (1 times, first: frame 0, hand 0, keyp"),
        (shift_surface, "surface_depth_m is not the image at its pixel (1 times"),
        (lose_surface, "surface_depth_m is not the image at its pixel (1 times"),
        (invent_surface, "surface_depth_m is not the image at its pixel (1 times"),
        (grow_box, "box_px is not the box of its pixels (1 times"),
        (lose_box, "box_px is not the box of its pixels (1 times"),
        (shrink_amodal, "box_px reaches out of box_amodal_px (1 times"),
        (grow_amodal, "box_amodal_px reaches out of the image or is empty (1 times"),
        (shift_fraction, "visible_fraction is not a share of its pixels (1 times"),
        (overfill_fraction, "visible_fraction is not within 0..1 (1 times"),
        (shift_base, "part_base is not 32 * its place (1 times, first: frame 0, hand 0)"),
        (third_side, "side is neither left nor right (1 times"),
        (bend_wrist, "T_camera_from_wrist is not rigid (1 times"),
        (mirror_camera, "T_world_from_camera is not rigid (1 times, first: frame 1)"),
        (repaint_part, "codes of no listed hand or object (1 times, first: frame 5)"),
        (punch_hole, "clean_depth is 0 on a hand or object (1 times, first: frame 5)"),
        (lose_parts, "a synthetic frame lacks clean_depth or parts (24 times"),
        (zero_scale, "depth_scale is not > 0 (1 times, first: frame 2)"),
        (recode_object, "an object's part_code is not 224 + its place (1 times"),
        (hold_nothing, "held is no object of the frame (1 times, first: frame 2, hand 0)"),
        (hold_in_an_empty_frame, "held is no object of the frame (1 times, first: frame 0"),
        (sink_finger, "contact_gap_m is beyond 1 cm (1 times, first: frame 2, hand 0)"),
        (reach_far, "contact_gap_m is beyond 1 cm (1 times, first: frame 2, hand 0)"),
        (wear_hat, "worn is none of sleeve, watch, ring, glove (1 times"),
        (tear_velocity, "keypoints_velocity_m_s is not finite (1 times"),
        (tear_camera_velocity, "camera_velocity is not finite (1 times, first: frame 7)"),
        (tear_object_velocity, "an object's velocity is not finite (1 times, first: frame 5)"),
        (stop_clock, "time_s does not grow within a sequence (1 times, first: frame 6)"),
        (turn_clock_back, "sequence_id or time_s is negative or infinite (1 times, first: frame 4"),
        (lose_clock, "only one of sequence_id and time_s is there (1 times, first: frame 4)"),
        (go_back_to_a_sequence, "a sequence is not in one piece (1 times, first: frame 12)"),
        (claim_a_split, "split is not that of dataset.json (1 times, first: frame 23)"),
    ],
)
def test_one_wrong_label_is_found(change: Callable[..., Any], said: str, tmp_path: Path) -> None:
    problems = rewrite(tmp_path / "d", change)
    assert any(said in p for p in problems), problems
    assert all(p.startswith("frames-00000.parquet: ") and "\n" not in p for p in problems)


def test_an_unchanged_rewrite_is_sound(tmp_path: Path) -> None:
    assert rewrite(tmp_path / "d", lambda *_: None) == []


def test_splits_are_checked_against_dataset_json(tmp_path: Path) -> None:
    sound = {"train": (0, 12), "test": (12, 20)}
    folder = write_dataset(tmp_path / "a", 20, 8, splits=sound)
    assert verify_dataset(folder).problems == ()
    moved = {"frames": 20, "frames_per_shard": 8, "splits": {"train": [0, 8], "test": [8, 20]}}
    create_dataset(tmp_path / "b", moved)
    for k in range(3):
        ids = np.arange(8 * k, min(8 * k + 8, 20))
        write_shard(tmp_path / "b", k, build_table(ids, splits=sound))
    problems = verify_dataset(tmp_path / "b").problems
    assert problems == (
        "frames-00001.parquet: split is not that of dataset.json (4 times, first: frame 8)",
    )
    assert verify_dataset(tmp_path / "b", split="train").sound


def test_a_cut_sequence_is_found_across_row_groups_and_shards(tmp_path: Path) -> None:
    # Sequences have four frames; these splits end within one, at a shard's end.
    folder = write_dataset(tmp_path / "d", 18, 6, splits={"a": (0, 6), "b": (6, 18)}, row_group=2)
    problems = verify_dataset(folder).problems
    assert problems == ("frames-00001.parquet: a split cuts a sequence (1 times, first: frame 6)",)


def test_one_split_may_be_verified_alone(tmp_path: Path) -> None:
    splits = {"train": (0, 12), "test": (12, 20)}
    folder = write_dataset(tmp_path / "d", 20, 8, splits=splits)
    remove_shard(folder, 0)
    seen: list[tuple[int, int]] = []
    report = verify_dataset(folder, on_shard=lambda *n: seen.append(n), split="test")
    assert (report.frames, report.shards, report.problems) == (8, 2, ())
    assert seen == [(1, 2), (2, 2)]
    assert "frames-00000.parquet is missing" in verify_dataset(folder, split="train").problems[0]
    assert "unknown split 'val'" in verify_dataset(folder, split="val").problems[0]


def test_broken_shards_are_problems_each_in_its_line(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", 40, 8)
    remove_shard(folder, 1)
    flipped = bytearray(shard_path(folder, 2).read_bytes())
    flipped[len(flipped) // 2] ^= 4
    shard_path(folder, 2).write_bytes(flipped)
    shard_path(folder, 3).write_bytes(shard_path(folder, 3).read_bytes()[:1000])
    sum_path(shard_path(folder, 4)).unlink()
    write_shard(folder, 9, build_table(np.arange(8)))
    report = verify_dataset(folder)
    text = "\n".join(report.problems)
    for said in (
        "frames-00001.parquet is missing",
        "frames-00002.parquet does not match its SHA-256",
        "frames-00003.parquet does not match its SHA-256",
        "frames-00004.parquet has no SHA-256 sidecar",
        "frames-00009.parquet is one too many",
    ):
        assert text.count(said) == 1, text
    assert not report.sound
    assert len(report.problems) == 5, text
    # Without checksums the same damage shows in what is read.
    text = "\n".join(verify_dataset(folder, checksums=False).problems)
    assert "frames-00003.parquet is truncated or no shard" in text


def test_a_shard_in_anothers_place_is_told(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", 16, 8)
    write_shard(folder, 1, build_table(np.arange(8)))
    problems = verify_dataset(folder).problems
    assert len(problems) == 1
    assert "frame_id 0 where 8 should be" in problems[0]


def test_what_is_no_dataset_is_a_problem(tmp_path: Path) -> None:
    assert "is not a dataset" in verify_dataset(tmp_path).problems[0]
    (tmp_path / "dataset.json").write_text("{")
    report = verify_dataset(tmp_path)
    assert len(report.problems) == 1 and "not valid JSON" in report.problems[0]
    assert (report.frames, report.shards) == (0, 0)


def test_labels_and_checksums_can_be_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    rewrite(folder, shift_pixel)
    assert not verify_dataset(folder).sound
    assert verify_dataset(folder, labels=False).sound
    sum_path(shard_path(folder, 0)).write_text("0  frames-00000.parquet\n")
    assert not verify_dataset(folder, labels=False).sound
    assert verify_dataset(folder, labels=False, checksums=False).sound


def test_real_frames_need_not_have_what_they_cannot(tmp_path: Path) -> None:
    n = 3
    frames = {
        "frame_id": np.arange(n),
        "source": ["real"] * n,
        "camera": CAMERA,
        "depth_scale": np.full(n, 1e4),
        "depth": [encode_depth(np.full((120, 160), 9000, np.uint16))] * n,
    }
    nan = np.full((n, 21, 3), np.nan, np.float32)
    hands = {
        "side": ["right"] * n,
        "wearer": np.ones(n, bool),
        "part_base": np.zeros(n, np.uint8),
        "keypoints_px": np.full((n, 21, 2), 50, np.float32),
        "keypoints_cam_m": nan,
        "surface_depth_m": nan[..., 0],
        "visibility": np.zeros((n, 21), np.uint8),
        "occlusion": np.zeros((n, 21), np.uint8),
        "visible_fraction": nan[:, 0, 0],
        "box_px": np.full((n, 4), np.nan, np.float32),
        "box_amodal_px": np.full((n, 4), np.nan, np.float32),
        "provenance": np.full((n, 21), 255, np.uint8),
    }
    create_dataset(tmp_path / "d", {"frames": n, "frames_per_shard": n})
    write_shard(tmp_path / "d", 0, table_from_columns(frames, [1] * n, hands, [0] * n, {}))
    assert verify_dataset(tmp_path / "d").problems == ()


def test_the_tally_is_numpys() -> None:
    parts = np.random.default_rng(0).choice([0, 1, 17, 40, 255], (3, 13, 11)).astype(np.uint8)
    tally = tally_codes(parts)
    for b in range(3):
        for code in (0, 1, 17, 40, 255):
            v, u = np.nonzero(parts[b] == code)
            wanted = [len(v), u.min(), v.min(), u.max(), v.max()]
            assert tally[b, code, [COUNT, U0, V0, U1, V1]].tolist() == wanted
        assert tally[b, :, COUNT].sum() == 13 * 11
    assert tally[0, 7].tolist() == [0, 11, 13, -1, -1]


def test_findings_count_and_place(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", 8, 8)
    batch = next(open_dataset(folder).batches(size=8))
    batch["hands.keypoints_px"] = batch["hands.keypoints_px"] + np.float32(1)
    found = [f for f in check_batch(batch) if "through the camera" in f.rule]
    assert found[0].count == 21 * int(batch["hand_counts"].sum())
    assert found[0].place == "frame 0, hand 0, keypoint 0"


def break_here_and_there(folder: Path) -> None:
    """A flipped byte, a lost shard, a shard too many, and time running backwards over a border."""
    remove_shard(folder, 4)
    data = bytearray(shard_path(folder, 1).read_bytes())
    data[200] ^= 1
    shard_path(folder, 1).write_bytes(bytes(data))
    for path in (shard_path(folder, 9), sum_path(shard_path(folder, 9))):
        path.write_bytes(b"")
    frames, counts, hands, object_counts, objects = build_columns(np.arange(18, 21), CAMERA)
    frames["sequence_id"] = np.full(3, 4)  # frame 17's
    frames["time_s"] = np.array([0.0, 0.01, 0.02])
    table = table_from_columns(frames, counts, hands, object_counts, objects)
    write_shard(folder, 6, table)


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 20])
def test_parts_find_what_the_whole_does(parts: int, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", 21, 3)
    break_here_and_there(folder)
    whole = verify_dataset(folder)
    assert any("time_s does not grow" in p for p in whole.problems), whole.problems
    assert len(whole.problems) >= 4
    found = [verify_dataset(folder, shard_range=f"{i + 1}/{parts}") for i in range(parts)]
    assert [p for report in found for p in report.problems] == list(whole.problems)
    assert sum(report.frames for report in found) == whole.frames
    if parts > 1:
        assert sum(report.shards for report in found) == len(finished_shards(folder) - {9})


def test_a_part_of_a_split(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", 20, 4, splits={"val": (0, 6), "train": (6, 20)})
    found = [verify_dataset(folder, split="train", shard_range=f"{i}/2") for i in (1, 2)]
    assert [r.frames for r in found] == [6, 8] and all(r.sound for r in found)
    with pytest.raises(BadInput, match="shard-range must be I/N"):
        verify_dataset(folder, shard_range="3/2")
