"""handloom capture from end to end: a sound dataset of what was recorded, the same every time."""

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from commands import Result, assert_refused, call, spawn, start
from recordings import Known, make_known, write_kinect, write_npz, write_pictures, write_ros

import labeling.capture.folder as folder_module
from frames.errors import BadInput
from frames.store.dataset import open_dataset
from frames.store.pictures import decode_picture

Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any) -> Run:
    """`handloom ...` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: call(capsys, *arguments)


def read_bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != ".lock"
    }


def check_dataset(folder: Path, known: Known, positions: list[int]) -> None:
    data = open_dataset(folder)
    assert len(data) == len(positions)
    for k, position in enumerate(positions):
        frame = data[k]
        assert frame.frame_id == k and frame.source == "real"
        assert frame.depth is not None and frame.depth_scale == known.scale
        np.testing.assert_array_equal(frame.depth, known.depth[position])
        # Nothing is invented.
        assert frame.hands == () and frame.objects == ()
        for name in ("clean_depth", "parts", "invalid", "sensor", "sensor_seed", "situation",
                     "split", "background", "T_world_from_camera", "camera_velocity"):  # fmt: skip
            assert getattr(frame, name) is None
        assert frame.sequence_id == 0
        since = (known.time_ns[position] - known.time_ns[0]) / 1e9
        assert frame.time_s == pytest.approx(since, abs=1e-9)
        assert known.color is not None and frame.color is not None
        np.testing.assert_array_equal(decode_picture(frame.color), known.color[position])


def test_a_recording_becomes_a_sound_dataset(run: Run) -> None:
    known = make_known(4000.0)
    write_pictures(Path("in"), known)
    said = run("capture", "in", "out")
    assert said.code == 0 and said.err == ""
    assert said.out == "out: 5 frames written; 5 of the 5 of a folder of pictures\n"
    check_dataset(Path("out"), known, [0, 1, 2, 3, 4])
    for command in (("verify", "out"), ("stats", "out"), ("view", "out"),
                    ("view", "out", "--out", "page.html")):  # fmt: skip
        assert run(*command).code == 0
    assert "sound" in run("verify", "out").out
    meta = json.loads(Path("out/dataset.json").read_text())
    assert meta["source"] == "real" and meta["depth_scale"] == 4000
    # With time_s, the clock's own time can be had back exactly.
    (sequence,) = meta["capture"]["sequences"]
    times = [sequence["start_ns"] + round(f.time_s * 1e9) for f in open_dataset("out")]
    assert times == known.time_ns.tolist()
    card = Path("out/README.md").read_text()
    assert "real camera" in card and "synthetic" not in card
    assert open_dataset("out", ["origin"])[3].origin == "003.depth.png"


def test_calibrate_reads_it(run: Run) -> None:
    from augment.calibrate.reading import read_capture

    known = make_known()
    write_pictures(Path("in"), known)
    run("capture", "in", "out")
    (clip,) = read_capture(Path("out")).clips
    np.testing.assert_array_equal(clip.depth, np.stack(known.depth))


def test_options_choose_frames(run: Run) -> None:
    known = make_known()
    write_npz(Path("a.npz"), known, time_ns=known.time_ns)
    assert run("capture", "a.npz", "b", "--stride", "2").code == 0
    check_dataset(Path("b"), known, [0, 2, 4])
    said = run("capture", "a.npz", "c", "--most-worth", "2", "--predictor", "none", "--json")
    assert said.code == 0
    values = json.loads(said.out)
    assert values["written"] == 2 and values["recorded"] == 5 and values["depth_scale"] == 1000
    assert run("capture", "a.npz", "d", "--start", "0.05", "--no-pictures").code == 0
    data = open_dataset("d")
    assert len(data) == 3 and data[0].color is None
    assert data[0].time_s == pytest.approx(0.0667, abs=1e-3)
    assert run("capture", "a.npz", "e", "--min-change", "0.01").code == 0


@pytest.mark.parametrize("kind", ["folder", "npz", "ros1", "mcap", "kinect"])
def test_bytes_do_not_depend_on_workers_or_restarts(kind: str, run: Run) -> None:
    known = make_known(1000.0, 12, (320, 288) if kind == "kinect" else (48, 36))
    if kind == "folder":
        source = write_pictures(Path("in"), known)
    elif kind == "npz":
        source = write_npz(Path("in.npz"), known)
    elif kind == "kinect":
        pytest.importorskip("av")
        source = write_kinect(Path("in.mkv"), known)
    else:
        pytest.importorskip("rosbags")
        source = write_ros(Path("in.bag" if kind == "ros1" else "in"), known, kind)
    small = ("--frames-per-shard", "5")
    assert run("capture", source, "one", *small, "--workers", "1").code == 0
    whole = read_bytes(Path("one"))
    assert len([n for n in whole if n.endswith(".parquet")]) == 3
    workers = "2" if kind == "folder" else "1"  # starting processes takes longest
    assert run("capture", source, "two", *small, "--workers", workers).code == 0
    assert read_bytes(Path("two")) == whole
    # A killed run leaves some shards; the same command goes on.
    for name in ("frames-00001.parquet", "frames-00001.parquet.sha256"):
        (Path("two/shards") / name).unlink()
    (Path("two/shards") / ".frames-00001.parquet.1.abcd.tmp").write_bytes(b"half")
    said = run("capture", source, "two", *small, "--workers", "1")
    assert said.code == 0 and "5 frames written, 7 were there" in said.out
    assert read_bytes(Path("two")) == whole


def test_another_recording_or_choice_does_not_mix_in(run: Run) -> None:
    known = make_known()
    write_pictures(Path("in"), known)
    assert run("capture", "in", "out").code == 0
    before = read_bytes(Path("out"))
    assert_refused(run("capture", "in", "out", "--stride", "2"), "holds another dataset")
    (Path("in") / "003.depth.png").write_bytes((Path("in") / "002.depth.png").read_bytes())
    assert_refused(run("capture", "in", "out"), "holds another dataset", "sha256")
    assert read_bytes(Path("out")) == before


def test_a_frame_that_turns_out_broken_leaves_nothing(run: Run) -> None:
    known = make_known(1000.0, 12)
    folder = write_pictures(Path("in"), known, beside=False)
    path = folder / "009.depth.png"
    path.write_bytes(path.read_bytes()[:200])  # the header is whole
    for there in (False, True):
        if there:
            Path("out").mkdir()
        said = run("capture", "in", "out", "--frames-per-shard", "4", "--workers", "1")
        assert_refused(said, "009.depth.png")
        assert Path("out").exists() == there and not list(Path().glob("out/*"))
    # What a run before has finished stays.
    write_pictures(Path("in"), known, beside=False)
    run("capture", "in", "out", "--frames-per-shard", "4")
    (Path("out/shards") / "frames-00002.parquet").unlink()
    before = read_bytes(Path("out"))
    path.write_bytes(path.read_bytes()[:200])
    assert_refused(run("capture", "in", "out", "--frames-per-shard", "4"), "sha256")
    assert read_bytes(Path("out")) == before


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    known = make_known(1000.0, 24)
    source = write_pictures(tmp_path / "in", known)
    small = ("--frames-per-shard", "3", "--workers", "1")
    assert spawn("capture", source, tmp_path / "whole", *small).code == 0
    process = start("capture", source, tmp_path / "out", *small)
    while not list(tmp_path.glob("out/shards/*.parquet")):
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert spawn("capture", source, tmp_path / "out", *small).code == 0
    assert read_bytes(tmp_path / "out") == read_bytes(tmp_path / "whole")


def test_the_predictor_without_torch_or_weights_is_told(run: Run, monkeypatch: Any) -> None:
    write_npz(Path("a.npz"), make_known())
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "train_tiny", None)
        said = run("capture", "a.npz", "out", "--most-worth", "2")
    assert_refused(said, "pip install 'handloom[train]'", "--predictor none")
    assert not Path("out").exists()


def test_weights_that_are_not_there(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    write_npz(tmp_path / "a.npz", make_known())
    said = run("capture", tmp_path / "a.npz", "out", "--most-worth", "2", "--predictor", "x.st")
    assert_refused(said, "x.st")
    # Where nothing is to be chosen nobody needs a predictor.
    assert run("capture", tmp_path / "a.npz", "out").code == 0


@pytest.mark.parametrize(
    ("module", "name", "package"),
    [
        ("rosbags.rosbag1", "in.bag", "rosbags"),
        ("rosbags.rosbag2", "in.mcap", "rosbags"),
        ("av", "in.mkv", "av"),
        ("OpenEXR", "exr", "OpenEXR"),
    ],
)
def test_a_missing_package_is_one_line(
    module: str, name: str, package: str, run: Run, monkeypatch: Any
) -> None:
    if name == "exr":
        (write_pictures(Path("exr"), make_known()) / "timestamps.txt").unlink()
        (Path("exr") / "005.exr").write_bytes(b"\x76\x2f\x31\x01")
    else:
        Path(name).write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, module, None)
    said = run("capture", name, "out")
    assert_refused(said, f"need the package {package}: pip install 'handloom[capture]'")


def test_help_imports_nothing_heavy(run: Run) -> None:
    said = run("capture", "--help")
    assert said.code == 0 and "--most-worth" in said.out


def test_depth_in_floats_is_told(run: Run) -> None:
    known = make_known()
    metres = np.stack(known.depth).astype(np.float32) / 1000
    write_npz(Path("a.npz"), known, depth=metres, depth_scale=None)
    said = run("capture", "a.npz", "out")
    assert said.code == 0 and "rounded to 0.1 mm" in said.err
    assert json.loads(Path("out/dataset.json").read_text())["depth_scale"] == 10_000


def test_errors_of_workers_are_one_line(run: Run) -> None:
    folder = write_pictures(Path("in"), make_known(1000.0, 12), beside=False)
    path = folder / "011.depth.png"
    path.write_bytes(path.read_bytes()[:200])
    said = run("capture", "in", "out", "--frames-per-shard", "2", "--workers", "2", "--json")
    assert_refused(said, "011.depth.png")
    assert not Path("out").exists()


def test_a_picture_that_changes_its_size_after_the_scan(tmp_path: Path, monkeypatch: Any) -> None:
    """What is on the disk is checked again when it is read."""
    from labeling.capture.opening import open_recording
    from labeling.capture.recording import Request

    folder = write_pictures(tmp_path / "in", make_known(), beside=False)
    recording = open_recording(Request(str(folder)))
    monkeypatch.setattr(folder_module, "read_file", lambda _: [np.zeros((3, 4), np.uint16)])
    with pytest.raises(BadInput, match="4 x 3 pixels"):
        list(recording.read([0]))
