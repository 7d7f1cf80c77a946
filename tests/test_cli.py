"""The command line as people and machines use it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import ROOT, assert_refused, call, spawn, start

import handloom
from bench.killing import hash_files, is_alive, list_children
from frames.store.dataset import open_dataset
from frames.store.folder import read_meta

SMALL = ("--camera", "ego-small", "--frames-per-shard", "16", "--workers", "1")
HEAVY = ("numpy", "numba", "pyarrow", "cv2", "trimesh", "torch", "scipy")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dataset."""
    out = tmp_path_factory.mktemp("made") / "data"
    assert spawn("synth", out, "--frames", 24, *SMALL).code == 0
    return out


def test_help_loads_nothing_heavy() -> None:
    """So that it is there at once: a tenth of a second."""
    code = f"""
import sys, handloom
for arguments in ["--help"], *([c, "--help"] for c in handloom.COMMANDS):
    sys.argv = ["handloom", *arguments]
    try:
        handloom.main()
    except SystemExit as end:
        assert end.code == 0, arguments
assert not {{*{HEAVY}}} & {{*sys.modules}}, {{*{HEAVY}}} & {{*sys.modules}}
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    for text in ("usage: handloom COMMAND", "--shard-range", "--rerender", "--first", "--workers"):
        assert text in run.stdout
    for option in (
        "--camera",
        "--hand",
        "--seed",
        "--frames",
        "--objects",
        "--scene.two-hands-share",
    ):
        assert option in run.stdout


def test_nothing_asked_for_is_answered_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys)
    assert result.code == 2
    assert result.out.startswith("usage: handloom")
    for command in handloom.COMMANDS:
        assert f"\n  {command} " in result.out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, "--version")
    assert result.code == 0
    assert result.out.startswith("handloom ")


def test_what_the_commands_say(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    assert call(capsys, "synth", made, "--frames", 24, *SMALL).out == (
        f"{made}: 0 frames written, 24 were there\n"
    )
    assert call(capsys, "verify", made, "--rerender", 3).out == (
        f"{made}: 24 frames in 2 shards, 3 rendered again to the byte: sound\n"
    )
    assert "24" in call(capsys, "stats", made).out
    for name, start_of_file in (("s.png", b"\x89PNG"), ("p.html", b"<!")):
        result = call(capsys, "view", made, "--out", tmp_path / name, "--count", 6)
        assert (result.code, result.err) == (0, "")
        assert result.out == f"{tmp_path / name}: 6 frames\n"
        assert (tmp_path / name).read_bytes().startswith(start_of_file)


def test_json_is_one_object_and_nothing_else(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    def read(*arguments: object) -> dict[str, Any]:
        result = call(capsys, *arguments, "--json")
        assert (result.code, result.err) == (0, "")
        found = json.loads(result.out)
        assert isinstance(found, dict) and result.out.count("\n") == 1
        return found

    out = tmp_path / "out"
    assert read("synth", out, "--frames", 20, *SMALL) == {
        "out": str(out),
        "written": 20,
        "found": 0,
    }
    assert read("verify", made, "--rerender", 2) == {"frames": 24, "shards": 2, "problems": []}
    assert read("view", made, "--out", tmp_path / "s.png", "--count", 2)["frames"] == 2
    assert read("stats", made)["frames"] == 24
    assert_refused(call(capsys, "synth", out, "--frames", "0", "--json"), "frames must be")


def test_options_win_over_the_configuration_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The resolved configuration is stored with the data."""
    config = tmp_path / "c.toml"
    config.write_text(
        'frames = 30\nseed = 5\ncamera = "ego-small"\nframes-per-shard = 8\n'
        "[scene]\nobject_share = 0.25\n[scene.body]\nspread = 0.2\ndistance_m = [0.2, 0.6]\n"
    )
    arguments = ["--frames", 10, "--scene.body.spread", 0.3, "--workers", 1]
    assert call(capsys, "synth", tmp_path / "a", "--config", config, *arguments).code == 0
    meta = read_meta(tmp_path / "a")
    stored = meta["config"]
    assert (meta["frames"], meta["seed"], meta["frames_per_shard"]) == (10, 5, 8)
    assert (stored["frames"], stored["seed"], stored["camera"]) == (10, 5, "ego-small")
    assert stored["scene"]["object_share"] == 0.25
    assert stored["scene"]["two_hands_share"] == 0.55
    assert stored["scene"]["body"]["spread"] == 0.3
    assert stored["scene"]["body"]["distance_m"] == [0.2, 0.6]
    assert len(open_dataset(tmp_path / "a")) == 10


def test_two_processes_on_one_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One range has one writer; other ranges go on beside it; a stopped writer is no obstacle."""
    out = tmp_path / "out"
    options = ["synth", out, "--frames", 600, *SMALL]
    other = start(*options, "--shard-range", "1/2")
    try:
        wait_for(lambda: (out / "shards").is_dir() and any((out / "shards").iterdir()))
        other.send_signal(signal.SIGSTOP)
        refused = call(capsys, *options, "--shard-range", "1/2")
        assert_refused(refused, "another process is writing shards of 0 to 18", "--shard-range")
        assert_refused(call(capsys, *options), "another process is writing shards of 0 to 37")
        assert call(capsys, *options, "--shard-range", "2/2").code == 0
    finally:
        other.kill()
        other.communicate()
    assert call(capsys, *options).code == 0
    assert call(capsys, "verify", out).code == 0
    assert not [name for name in hash_files(out) if name.endswith(".tmp")]


def test_ranges_started_at_once_make_one_dataset(made: Path, tmp_path: Path) -> None:
    """Several machines may begin together: each finds or makes dataset.json."""
    runs = [
        start("synth", tmp_path / "out", "--frames", 24, *SMALL, "--shard-range", f"{i}/2")
        for i in (1, 2)
    ]
    for run in runs:
        assert run.communicate(timeout=120)[1] == ""
        assert run.returncode == 0
    assert hash_files(tmp_path / "out") == hash_files(made)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_go_on(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C reaches the whole process group: only the parent speaks."""
    out = tmp_path / "out"
    options = ("--camera", "ego-small", "--frames-per-shard", 40, "--workers", 2)
    run = start("synth", out, "--frames", 100_000, *options, start_new_session=True)
    wait_for(lambda: (out / "shards").is_dir())
    if number == signal.SIGTERM:
        wait_for(lambda: any((out / "shards").glob("*.parquet")))
        children = list_children(run.pid)
        assert len(children) >= 2
        run.send_signal(number)
    else:  # while the workers start
        time.sleep(0.5)
        children = list_children(run.pid)
        os.killpg(run.pid, number)
    said = run.communicate(timeout=20)
    assert run.returncode == 128 + number
    assert said == (
        "",
        "handloom: interrupted; what is finished stays, the same command goes on from there\n",
    )
    wait_for(lambda: not any(is_alive(pid) for pid in children))
    assert not [name for name in hash_files(out) if name.endswith(".tmp")]


def test_progress_on_a_terminal_shows_rate_and_time_left(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "handloom.py", "synth", tmp_path / "out", "--frames", "80"]
    mine, theirs = pty.openpty()
    run = subprocess.Popen(
        [*map(str, command), *SMALL],
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(mine, 65536)
        except OSError:  # the other end is closed
            break
    os.close(mine)
    assert run.stdout is not None
    with run.stdout as out:
        assert out.read().endswith(b": 80 frames written\n")
    assert run.wait() == 0
    text = shown.decode()
    assert "80/80" in text and "/s" in text and "left" in text


def test_progress_in_a_log_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = call(capsys, "synth", tmp_path / "a", "--frames", 40, *SMALL)
    assert quiet.err == ""
    monkeypatch.setattr("console.progress.NOTE_S", 0.0)
    noted = call(capsys, "synth", tmp_path / "b", "--frames", 40, *SMALL)
    assert [line.split()[1] for line in noted.lines] == ["16/40", "32/40", "40/40"]
    for line in noted.lines:
        assert line.startswith("frames ") and "/s, " in line and line.endswith(" s left")


def wait_for(condition: Any, limit_s: float = 300.0) -> None:
    """Long, for kernels may have to be compiled first."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
