"""Recordings read back with rerun's own reader, against the frames that went in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from commands import assert_refused, call

rr = pytest.importorskip("rerun", reason="needs rerun-sdk, the extra view: make setup-tests")

from rerun.chunk import RrdReader  # noqa: E402

from frames.camera import CAMERAS  # noqa: E402
from frames.errors import BadInput  # noqa: E402
from frames.parts import VISIBILITY_OUTSIDE  # noqa: E402
from frames.record import Frame  # noqa: E402
from frames.skeleton import BONES, KEYPOINT_NAMES  # noqa: E402
from frames.viewing.point_cloud import lift_depth  # noqa: E402
from frames.viewing.rerun_recording import PAUSE_S, open_viewer, save_recording  # noqa: E402
from tests.frames.sphere_hands import fabricate_frame  # noqa: E402

rr.set_strict_mode(True)
EMPTY: list[Any] = []


def read(path: Path) -> dict[tuple[str, int | None], dict[str, Any]]:
    """What each entity has at each frame (None: at all times), by the components' names."""
    found: dict[tuple[str, int | None], dict[str, Any]] = {}
    for chunk in RrdReader(path).stream():
        table = chunk.to_record_batch()
        frames = table["frame"].to_pylist() if "frame" in table.schema.names else [None]
        for k in range(table.num_rows):
            row = found.setdefault((chunk.entity_path, frames[k % len(frames)]), {})
            for name in table.schema.names:
                value = table[name][k].as_py()
                if value is not None and (value != EMPTY or name not in row):
                    row[name.rpartition(":")[2]] = value
    return found


def moving(frame: Frame, sequence: int, time_s: float) -> Frame:
    return replace(frame, sequence_id=sequence, time_s=time_s)


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Two sequences; the second frame lacks hands, the third is read by a sensor."""
    made = [fabricate_frame(0), fabricate_frame(1, hands=0), fabricate_frame(2, noisy=True)]
    made.append(fabricate_frame(3, sideways_m=0.2))
    times = [(5, 0.0), (5, 0.1), (9, 2.0), (9, 2.1)]
    return [moving(f, *t) for f, t in zip(made, times, strict=True)]


@pytest.fixture(scope="module")
def saved(frames: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Any]:
    path = tmp_path_factory.mktemp("rerun") / "frames.rrd"
    save_recording(path, "four frames", frames)
    return read(path)


def test_depth_comes_back_as_stored(saved, frames) -> None:
    for frame in frames:
        row = saved["/world/camera/image/depth", frame.frame_id]
        image = cv2.imdecode(np.array(row["blob"][0], np.uint8), cv2.IMREAD_UNCHANGED)
        assert image.dtype == np.uint16 and np.array_equal(image, frame.reading)
        assert row["meter"] == [frame.depth_scale]


def test_points_lie_where_depth_says(saved, frames) -> None:
    """Each projects onto a pixel's centre, at that pixel's depth; no hand's pixel is left out."""
    for frame in frames:
        points = np.array(saved["/world/camera/points", frame.frame_id]["positions"])
        px = frame.camera.project(points)
        nearest = np.rint(px).astype(int)
        assert np.abs(px - nearest).max() < 1e-3
        z = frame.reading[nearest[:, 1], nearest[:, 0]] / frame.depth_scale
        assert np.abs(points[:, 2] - z).max() < 1e-6 and (z > 0).all()
        taken = np.zeros(frame.reading.shape, bool)
        taken[nearest[:, 1], nearest[:, 0]] = True
        assert not ((frame.parts > 0) & (frame.reading > 0) & ~taken).any()


def test_clean_depth_stands_beside_a_reading(saved, frames) -> None:
    sensed = next(f for f in frames if f.depth is not None)
    row = saved["/world/camera/image/clean_depth", sensed.frame_id]
    image = cv2.imdecode(np.array(row["blob"][0], np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(image, sensed.clean_depth)
    assert not np.array_equal(image, sensed.depth)
    others = [f for f in frames if f.depth is None]
    assert others
    for frame in others:
        assert "blob" not in saved["/world/camera/image/clean_depth", frame.frame_id]


def test_skeletons_are_the_labels(saved, frames) -> None:
    for frame in frames:
        for k, hand in enumerate(frame.hands):
            name = f"{hand.side}_{k}"
            row = saved[f"/world/camera/hands/{name}/keypoints", frame.frame_id]
            assert np.array_equal(np.array(row["positions"], np.float32), hand.keypoints_cam_m)
            assert row["labels"] == list(KEYPOINT_NAMES)
            bones = saved[f"/world/camera/hands/{name}/bones", frame.frame_id]
            strips = np.array(bones["strips"], np.float32)
            assert np.array_equal(strips, hand.keypoints_cam_m[np.array(BONES)])
            inside = hand.visibility != VISIBILITY_OUTSIDE
            if inside.any():
                row = saved[f"/world/camera/image/hands/{name}/keypoints", frame.frame_id]
                shown = np.array(row["positions"], np.float32)
                assert np.array_equal(shown, hand.keypoints_px[inside])


def test_hands_do_not_stay_when_they_are_gone(saved, frames) -> None:
    """Every frame clears what the last one left."""
    assert not frames[1].hands
    for place in ("/world/camera/hands", "/world/camera/image/hands"):
        for frame in frames:
            assert saved[place, frame.frame_id]["is_recursive"] == [True]


def test_timelines(saved, frames) -> None:
    """Frames by their numbers; sequences one after another in seconds."""
    rows = [saved["/frame", frame.frame_id] for frame in frames]
    times = [row["time"].total_seconds() for row in rows]
    assert times == pytest.approx([0.0, 0.1, 0.1 + PAUSE_S, 0.2 + PAUSE_S])
    assert all(f"Frame {f.frame_id}" in r["text"][0] for f, r in zip(frames, rows, strict=True))


def test_only_the_room_is_thinned() -> None:
    camera = CAMERAS["ego-small"]
    depth = np.full((camera.height, camera.width), 9000, np.uint16)
    depth[:, :7] = 0
    parts = np.zeros(depth.shape, np.uint8)
    parts[30:50, 40:70] = 3
    cloud = lift_depth(camera, depth, 10_000.0, parts, room_step=4)
    u, v = cloud.pixels.T
    hand = parts[v, u] > 0
    assert hand.sum() == 600
    assert (u[~hand] % 4 == 0).all() and (v[~hand] % 4 == 0).all() and u.min() == 8
    assert len(lift_depth(camera, depth, 10_000.0)) == (depth > 0).sum()


def test_fisheye_points_have_rays(tmp_path: Path) -> None:
    camera = CAMERAS["ahat"]
    depth = np.full((camera.height, camera.width), 5000, np.uint16)
    cloud = lift_depth(camera, depth, 10_000.0)
    assert np.isfinite(cloud.points_m).all()
    assert len(cloud.points_m) == np.isfinite(camera.ray_table()).all(-1).sum()


def test_refusals(frames, tmp_path: Path, capsys) -> None:
    with pytest.raises(BadInput, match=r"written as \.rrd, got .*page\.html"):
        save_recording(tmp_path / "page.html", "x", frames)
    result = call(capsys, "view", tmp_path, "--rerun", tmp_path / "a.rrd")
    assert_refused(result, "dataset.json")


def put_viewer(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Another program in the place of Python; returns where it writes its arguments."""
    told, program = folder / "told.txt", folder / "viewer"
    program.write_text(f'#!/bin/sh\necho "$@" > {told}\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setattr("frames.viewing.rerun_recording.sys.executable", str(program))
    return told


def test_the_viewer_listens_on_this_machine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left open, or hands over to one that is."""
    told = put_viewer(tmp_path, monkeypatch, "exec sleep 2")
    open_viewer(tmp_path / "view.rrd", settle_s=1.0)
    assert told.read_text() == f"-m rerun --bind 127.0.0.1 {tmp_path / 'view.rrd'}\n"
    put_viewer(tmp_path, monkeypatch, "exit 0")
    open_viewer(tmp_path / "view.rrd")


def test_a_viewer_that_does_not_open_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_viewer(tmp_path, monkeypatch, "echo hello; echo 'Error: no graphics' >&2; exit 1")
    with pytest.raises(BadInput, match=r"does not open \(Error: no graphics\): .*view.rrd is writ"):
        open_viewer(tmp_path / "view.rrd")
