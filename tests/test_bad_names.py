"""Names that a mistake makes: empty ones, links to themselves, devices, files without end."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from commands import ROOT, assert_refused, call
from fuzzing import bounded

from frames.whole_file import read_whole, read_whole_text

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in: whatever they leave behind is seen."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "huge.toml").touch()
    os.truncate(tmp_path / "huge.toml", 1 << 40)
    return tmp_path


EMPTY = (
    *(["verify", ""], ["synth", ""], ["augment", "", "o"], ["augment", "file", ""]),
    *(["export", "file", ""], ["capture", "", "o"], ["capture", "file", ""], ["train", ""]),
    *(["calibrate", "", "o.toml"], ["stats", "file", "--out", ""], ["view", "file", "--out", ""]),
    *(["import", "coco", "", ".", "o"], ["label", "pull", "p", ""], ["demo", ""]),
    *(["predict", "", "o"], ["predict", "file", ""], ["report", ""], ["package", "shipped", ""]),
)


@pytest.mark.parametrize("arguments", EMPTY, ids=" ".join)
def test_an_empty_name_is_not_this_folder(
    capsys: pytest.CaptureFixture[str], here: Path, arguments: list[str]
) -> None:
    """A script whose variable is not set must not fill the folder that it runs in."""
    before = sorted(here.iterdir())
    assert_refused(call(capsys, *arguments), "''")
    assert sorted(here.iterdir()) == before


@needs_torch
def test_no_dataset_has_an_empty_name(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    told = call(capsys, "eval", "shipped", "--data", "")
    assert_refused(told, "expected a folder or an object store's URL, got ''")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", os.fsdecode(b"\xff")], "is no UTF-8: name it otherwise"),
        (["synth", os.fsdecode(b"\xff/o")], "is no UTF-8: name it otherwise"),
        (["verify", "file"], "file is not a dataset: it is a file, not a folder"),
        (["verify", "/dev/null"], "/dev/null is not a dataset: it is a file, not a folder"),
        (["export", "loop", "o", "--format", "coco"], "loop is not a dataset"),
        (["augment", "loop", "o", "--sensor", "d435"], "loop is not a dataset"),
        (["capture", "loop", "o"], "recording loop does not exist"),
        (["label", "refine", "loop", "o"], "loop is not a dataset"),
        (["synth", "o", "--config", "/dev/zero"], "/dev/zero cannot be read: it is a device"),
        (["synth", "o", "--config", "huge.toml"], "huge.toml cannot be read: it is larger than"),
        (["synth", "o", "--camera", "/dev/full"], "camera file /dev/full: it is a device"),
        (["synth", "o", "--sensor", "zero.toml"], "zero.toml cannot be read: it is a device"),
        (["synth", "o", "--sensor", "huge.toml"], "huge.toml cannot be read: it is larger than"),
        *(
            pytest.param([*command], said, marks=needs_torch)
            for command, said in (
                (("train", "o", "--config", "/dev/zero"), "settings /dev/zero: it is a device"),
                (("train", "o", "--config", "huge.toml"), "settings huge.toml: it is larger than"),
                (("eval", "/dev/zero", "--data", "d"), "weights /dev/zero: it is a device"),
                (("report", "huge.toml"), "weights huge.toml: it is larger than"),
            )
        ),
    ],
    ids=str,
)
def test_names_of_what_cannot_be_read(
    capsys: pytest.CaptureFixture[str], here: Path, arguments: list[str], said: str
) -> None:
    with bounded():
        told = call(capsys, *arguments)
    assert_refused(told, said)
    assert not (here / "o").exists()


SAID = (["--help"], ["--version"], ["synth", "--help"])


@pytest.mark.parametrize("arguments", SAID, ids=" ".join)
def test_no_room_for_what_is_said(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, ROOT / "handloom.py", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=120,
            text=True,
        )
    assert run.returncode == 2
    assert run.stderr == "handloom: No space left on device: where stdout goes\n"


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", ">&- 2>&-"])
def test_no_place_for_complaints(closed: str) -> None:
    """The exit code says it all the same."""
    line = f"{sys.executable} {ROOT / 'handloom.py'} verify nowhere {closed}"
    run = subprocess.run(line, shell=True, capture_output=True, timeout=120)
    assert (run.returncode, run.stdout, run.stderr) == (2, b"", b"")


def test_a_reader_that_has_gone() -> None:
    ends = os.pipe()
    os.close(ends[0])
    run = subprocess.run(
        [sys.executable, ROOT / "handloom.py", "--version"],
        stdout=ends[1],
        stderr=subprocess.PIPE,
        timeout=120,
        text=True,
    )
    os.close(ends[1])
    assert (run.returncode, run.stderr) == (1, "")


def test_a_pipe_is_read_to_its_end() -> None:
    """As a shell's <(command) gives one."""
    ends = os.pipe()
    os.write(ends[1], "µ = 1\n".encode())
    os.close(ends[1])
    assert read_whole_text(Path(f"/dev/fd/{ends[0]}")) == "µ = 1\n"
    os.close(ends[0])


def test_the_bound_itself_is_within(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(10))
    assert read_whole(tmp_path / "a", 10) == bytes(10)
    with bounded():  # no room is made for more than there is
        assert read_whole(tmp_path / "a", 1 << 40) == bytes(10)
    with pytest.raises(OSError, match="larger than 9 bytes"):
        read_whole(tmp_path / "a", 9)
