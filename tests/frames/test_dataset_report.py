"""The figures of a dataset's report, against hands and readings whose figures are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import assert_refused, call

from frames.report.dataset_report import _spread, read_hands
from frames.report.places import GRID, count_places
from frames.report.pose_map import (
    COLUMNS,
    CURL_DEG,
    ROWS,
    draw_pose_map,
    map_poses,
    measure_curls,
    to_palm,
)
from frames.report.reading_errors import (
    BIN_M,
    collect_errors,
    draw_errors,
    measure_bins,
    summarise_errors,
)
from frames.skeleton import FINGERS
from frames.store.dataset import open_dataset
from tests.frames.fabricate import draw_pose, write_dataset
from tests.frames.sphere_hands import fabricate_frame

LENGTHS = (0.9, 0.45, 0.3, 0.25)
"""Of a finger's bones, from the wrist outward, in palms."""


def bend_hand(bends_deg: np.ndarray) -> np.ndarray:
    """(21, 3) right hand in its palm's frame whose fingers bend by (5, 3) degrees, all in planes
    that the palm's normal is in."""
    hand = np.zeros((21, 3))
    for k, chain in enumerate(FINGERS.values()):
        side = 0.5 - 0.25 * k
        place = np.array([side, 0.95, 0.0]) if k else np.array([0.4, 0.3, 0.0])
        direction = place / np.linalg.norm(place)
        angle = 0.0
        hand[chain[0]] = place
        for joint, bend, length in zip(chain[1:], bends_deg[k], LENGTHS[1:], strict=True):
            angle += np.radians(bend)
            place = place + length * (
                np.cos(angle) * direction + np.sin(angle) * np.array([0, 0, 1])
            )
            hand[joint] = place
    return hand


def test_the_palm_frame_forgets_where_a_hand_is() -> None:
    """Turned, moved, scaled, and mirrored into a left hand: the same."""
    rng = np.random.default_rng(3)
    hands = np.array([bend_hand(rng.uniform(0, 80, (5, 3))) for _ in range(20)])
    plain = to_palm(hands, np.zeros(20, bool))
    poses = np.array([draw_pose(rng) for _ in range(20)], np.float64)
    moved = np.einsum("nij,nkj->nki", poses[:, :3, :3], 0.09 * hands) + poses[:, None, :3, 3]
    assert np.abs(to_palm(moved, np.zeros(20, bool)) - plain).max() < 1e-6
    mirrored = moved * [-1, 1, 1]
    assert np.abs(to_palm(mirrored, np.ones(20, bool)) - plain).max() < 1e-6
    assert np.abs(plain[:, 9] - [0, 1, 0]).max() < 1e-9 and (plain[:, 5, 0] > plain[:, 17, 0]).all()


def test_curls_are_the_bends() -> None:
    bends = np.random.default_rng(4).uniform(1, 60, (30, 5, 3))
    hands = np.array([bend_hand(b) for b in bends])
    assert np.abs(measure_curls(hands)[:, 1:] - bends[:, 1:].sum(-1)).max() < 1e-6


def test_every_hand_is_in_one_cell_and_shown_hands_in_theirs() -> None:
    bends = np.random.default_rng(5).uniform(1, 85, (400, 5, 3))
    hands = np.array([bend_hand(b) for b in bends])
    hands[7, 12] = np.nan
    poses = map_poses(to_palm(hands, np.zeros(400, bool)))
    assert poses.hands == poses.counts.sum() == 399
    assert (
        poses.counts.shape == (ROWS, COLUMNS) and ((poses.shown >= 0) == (poses.counts > 0)).all()
    )
    curl = bends[:, 1:].sum(-1).mean(1)
    width = (CURL_DEG[1] - CURL_DEG[0]) / COLUMNS
    for column in range(COLUMNS):
        for k in poses.shown[:, column]:
            assert k < 0 or k != 7
            assert k < 0 or int(curl[k] // width) == column
    picture = draw_pose_map(poses, to_palm(hands, np.zeros(400, bool)))
    assert picture.dtype == np.uint8 and picture.shape[1] > COLUMNS * 80


def test_places_fall_where_they_are() -> None:
    sizes = np.array([[320, 240]] * 4)
    middles = np.array([[0, 0], [319.4, 239.4], [np.nan, 3], [-5, 10.0]])
    counts = count_places(middles, sizes)
    assert counts.sum() == 2 and counts[0, 0] == counts[GRID[0] - 1, GRID[1] - 1] == 1


def test_errors_are_those_that_were_put_in() -> None:
    """Noise of 4 mm, bias of +2 mm, a tenth of the pixels unread; 16 standard errors are 0.2 mm."""
    rng, frames = np.random.default_rng(6), []
    for k in range(12):
        frame = fabricate_frame(k)
        clean = frame.clean_depth.astype(np.float64)
        noise = rng.normal(0.002, 0.004, clean.shape) * frame.depth_scale
        read = np.where(rng.random(clean.shape) < 0.1, 0, np.rint(clean + noise))
        read = np.where(clean == 0, 0, read).astype(np.uint16)
        frames.append(replace(frame, depth=read, sensor="made up"))
    errors = collect_errors(frames)
    assert errors is not None and errors.frames == 12
    found = summarise_errors(errors)
    assert {*found} == {"hands", "all else"}
    for name, count in (("hands", errors.on_hand.sum()), ("all else", (~errors.on_hand).sum())):
        deviation = 0.004 / np.sqrt(count)
        row = found[name]
        # The median's standard error is 1.25 times the mean's, that of 1.48 MAD 1.17 times it.
        assert abs(row["bias_mm"] / 1e3 - 0.002) < 6 * 1.25 * deviation + 5e-5
        assert abs(row["spread_mm"] / 1e3 - 0.004) < 6 * 1.17 * deviation + 5e-5
        assert abs(row["hole"] - 0.1) < 6 * 0.3 / np.sqrt(count)
    bins = measure_bins(errors, errors.on_hand)
    known = np.isfinite(bins["hole"])
    assert known.any() and np.isnan(bins["hole"][bins["depth_m"] < 0.05]).all()
    depth = errors.clean_m[errors.on_hand]
    assert set(np.flatnonzero(known)) <= set((depth / BIN_M).astype(int))
    assert len(draw_errors(errors)) == 4


def test_frames_without_a_sensor_have_no_errors() -> None:
    assert collect_errors([fabricate_frame(0)]) is None
    real = replace(fabricate_frame(1, noisy=True), clean_depth=None, source="real")
    errors = collect_errors([real])
    assert errors is not None and summarise_errors(errors) == {} and len(draw_errors(errors)) == 1
    share = (real.depth == 0).mean()
    assert errors.holes.mean() == pytest.approx(share, abs=1e-6)


def test_hands_are_read_from_all_of_a_dataset(tmp_path: Path) -> None:
    data = open_dataset(write_dataset(tmp_path / "data", frames=40, per_shard=4))
    hands, labelled = read_hands(data), [h for f in data for h in f.hands]
    assert len(hands.left) == len(labelled)
    key = sorted(h.keypoints_cam_m.tobytes() for h in labelled)
    assert sorted(p.tobytes() for p in hands.keypoints_m) == key
    assert hands.provenance == {"exact": 21 * len(labelled)}
    few = read_hands(data, 5)
    assert 5 <= len(few.left) < len(labelled)
    assert sorted(_spread(13)) == list(range(13)) and _spread(8)[:4] == [0, 4, 2, 6]


def test_the_page_of_a_dataset(tmp_path: Path, capsys) -> None:
    write_dataset(tmp_path / "data", frames=20)
    out = tmp_path / "page.html"
    result = call(capsys, "report", tmp_path / "data", "--out", out, "--count", 4)
    assert result.code == 0, result.err
    page = out.read_text()
    for text in ("Dataset data", "20", "Samples", "Poses", "CC0-1.0", "Joint angles"):
        assert text in page
    assert ">Sensor<" not in page
    assert len(page) < 4_000_000
    again = tmp_path / "again.html"
    assert call(capsys, "report", tmp_path / "data", "--out", again, "--count", 4).code == 0
    assert again.read_bytes() == out.read_bytes()
    with_sensor = call(
        *(capsys, "report", tmp_path / "data", "--out", again, "--count", 2),
        *("--sensor", "kinect-v1", "--looked-at", 4),
    )
    assert with_sensor.code == 0, with_sensor.err
    assert ">Sensor<" in again.read_text() and "noise, mm" in again.read_text()


def test_refusals(tmp_path: Path, capsys) -> None:
    write_dataset(tmp_path / "data", frames=4)
    report = ("report", tmp_path / "data")
    page = tmp_path / "r.html"
    assert_refused(call(capsys, *report, "--out", "r.txt"), "written as .html", "r.txt")
    assert_refused(call(capsys, *report, "--out", page, "--data", "x"), "--data is of a run")
    assert_refused(call(capsys, *report, "--out", page, "--count", 0), "count must be >= 1")
    (tmp_path / "empty").mkdir()
    refused = call(capsys, "report", tmp_path / "empty", "--out", page)
    assert_refused(refused, "neither a dataset", "nor a run")
    assert_refused(call(capsys, "report", tmp_path / "no", "--out", page), "there is no", "shipped")
    assert not page.exists()
