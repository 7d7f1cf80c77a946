"""Whatever cannot be is told in one line, with exit code 2, and leaves nothing behind."""

import errno
import hashlib
import json
import os
import pickle
import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from commands import Result, assert_refused, call, spawn

from frames.store.shard import open_shard, shard_path, sum_path

SMALL = ("--camera", "ego-small", "--frames-per-shard", "16", "--workers", "1")

Call = Callable[..., Result]


@pytest.fixture
def synth(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Call:
    """`handloom synth tmp/out ...`, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: call(capsys, "synth", "out", *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--frames -1", "frames must be between 1 and 1000000000000, got -1"),
        ("--frames 0", "frames must be between 1"),
        (f"--frames {'9' * 400}", "frames must be between 1"),
        ("--frames abc", "--frames: expected a number, got 'abc'; see handloom synth --help"),
        ("--frames 1e3", "--frames: expected a number, got '1e3'"),
        ("--frames", "missing value for argument '--frames'"),
        ("--frmes 3", "unrecognized options: --frmes, 3 (did you mean --frames?)"),
        ("--scene.body.distance-m 0.2 b", "error parsing --scene.body.distance-m"),
        ("--scene.body.distance-m 0.4 0.2", "scene.body.distance_m must go from small to large"),
        (
            "--scene.body.pitch-deg nan 3",
            "scene.body.pitch_deg (mean) must be between -90.0 and 90.0, got nan",
        ),
        ("--scene.pose.key-share 0.9", "must add up to at most 1, got 1."),
        ("--scene.object-share inf", "scene.object_share must be between 0.0 and 1.0, got inf"),
        ("--scene.situation.grasp-share 0.9", "shares of scene.situation must add up to at most 1"),
        ("--sequence-length 0", "sequence_length must be between 1"),
        ("--fps 0", "fps must be between 0.1 and 1000.0, got 0.0"),
        ("--fps nan", "fps must be between 0.1 and 1000.0, got nan"),
        ("--split train:0.9", "split: the shares must sum to 1, got 0.9"),
        ("--split train", "split must be NAME:SHARE"),
        ("--split a:0.5,a:0.5", "'a' comes twice"),
        ("--split a:0.5,b:0.5 --identities 1", "1 identities cannot be shared out among 2 splits"),
        ("--split a:0.5,b:0.5 --frames 8 --sequence-length 8", "1 sequences cannot be shared out"),
        ("--variants 0", "variants must be between 1"),
        ("--seed -1", "seed must be between 0 and"),
        (f"--seed {2**63}", "seed must be between 0 and"),
        ("--identities 0", "identities must be between 1"),
        ("--frames-per-shard 0", "frames_per_shard must be between 1"),
        ("--workers -1", "workers must be >= 0, got -1"),
        ("--workers two", "--workers: expected a number, got 'two'"),
        ("--renderer opengl", "expected one of ('raster', 'pyrender')"),
        ("--shard-range 0/4", "shard-range must be I/N with 1 <= I <= N"),
        ("--shard-range 5/4", "got '5/4'"),
        ("--shard-range x", "got 'x'"),
        ("--shard-range 1/0", "got '1/0'"),
        ("--camera nikon", "unknown camera 'nikon'"),
        ("--hand robot", "hand must be builtin, webxr or mano:DIR, got 'robot'"),
        ("--hand mano:", "hand must be builtin, webxr or mano:DIR, got 'mano:'"),
        ("--hand mano:nowhere", "nowhere: no such file or folder"),
        ("--objects nowhere", "objects folder nowhere does not exist"),
        ("--config nowhere.toml", "config nowhere.toml cannot be read: No such file"),
        ("--config .", "config . cannot be read: Is a directory"),
        ("again", "unrecognized options: again"),
    ],
)
def test_options(synth: Call, arguments: str, said: str) -> None:
    assert_refused(synth(*arguments.split()), said)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("frames = ", "is not valid TOML"),
        ("\x00", "is not valid TOML"),
        ("frames = " + "[" * 5000, "is not valid TOML"),
        (b"\xff\xfe", "is not UTF-8 text"),
        ("frame = 3", "unknown key frame in c.toml: known are frames, seed"),
        ("[scene.hands]\nx = 1", "unknown key scene.hands in c.toml"),
        ('frames = "many"', "frames must be of type int, got 'many' (c.toml)"),
        ("frames = 2.0", "frames must be of type int, got 2.0"),
        ("frames = true", "frames must be of type int, got True"),
        ("frames = -3", "frames must be between 1"),
        ("scene = 3", "scene must be a table, got 3"),
        ('renderer = "opengl"', "renderer must be one of raster, pyrender, got 'opengl'"),
        ("scene.body.distance_m = [0.2]", "scene.body.distance_m must be a list of 2 numbers"),
        ("scene.body.spread = nan", "scene.body.spread must be between 0.0 and 5.0, got nan"),
    ],
)
def test_configuration_files(synth: Call, text: str | bytes, said: str) -> None:
    Path("c.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert_refused(synth("--config=c.toml"), said)
    assert not Path("out").exists()


CAMERA = {"model": "pinhole", "width": 32, "height": 24, "fx": 20, "fy": 20, "cx": 15, "cy": 11}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "camera file c.json is not valid JSON"),
        ("[1]", "camera file c.json must hold one object"),
        (json.dumps({**CAMERA, "fx": -1}), "fx"),
        (json.dumps({**CAMERA, "width": "wide"}), "width"),
        (json.dumps({**CAMERA, "lens": 1}), "unknown key 'lens'"),
        (json.dumps({"model": "pinhole"}), "lacks width, height"),
    ],
)
def test_camera_files(synth: Call, content: str, said: str) -> None:
    Path("c.json").write_text(content)
    assert_refused(synth("--camera", "c.json"), said)
    assert not Path("out").exists()


CUBE = """
v 0 0 0
v 0 0 {s}
v 0 {s} 0
v 0 {s} {s}
v {s} 0 0
v {s} 0 {s}
v {s} {s} 0
v {s} {s} {s}
f 1 2 4
f 1 4 3
f 5 7 8
f 5 8 6
f 1 5 6
f 1 6 2
f 3 4 8
f 3 8 7
f 1 3 7
f 1 7 5
f 2 6 8
"""
CLOSED = CUBE + "f 2 8 4\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.txt", "no mesh", "objects folder meshes holds no mesh"),
        ("cup.obj", "hello", "object meshes/cup.obj"),
        ("cup.ply", "ply\ngarbage", "object meshes/cup.ply cannot be read as a mesh"),
        ("cup.stl", "", "object meshes/cup.stl"),
        ("cup.obj", CUBE.format(s=0.1), "object meshes/cup.obj is not closed (watertight)"),
        ("cup.obj", CLOSED.format(s=80), "it looks like millimetres: scale it by 0.001"),
        ("cup.obj", CLOSED.format(s="nan"), "object meshes/cup.obj"),
    ],
)
def test_meshes(synth: Call, name: str, content: str, said: str) -> None:
    Path("meshes").mkdir()
    (Path("meshes") / name).write_text(content)
    assert_refused(synth("--objects", "meshes"), said)
    assert not Path("out").exists()


class _Hostile:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch owned",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no pickle", "mano/MANO_RIGHT.pkl"),
        (b"", "mano/MANO_RIGHT.pkl"),
        (pickle.dumps({"f": np.zeros((2, 3))}), "mano/MANO_RIGHT.pkl"),
        (pickle.dumps({"v_template": _Hostile()}), "system"),
        (pickle.dumps(_Hostile(), 0), "system"),
    ],
)
def test_model_files(synth: Call, content: bytes, said: str) -> None:
    Path("mano").mkdir()
    (Path("mano") / "MANO_RIGHT.pkl").write_bytes(content)
    assert_refused(synth("--hand", "mano:mano"), said)
    assert not Path("out").exists()
    assert not Path("owned").exists()


def test_a_folder_without_the_model(synth: Call) -> None:
    Path("mano").mkdir()
    assert_refused(synth("--hand", "mano:mano"), "no MANO_RIGHT.pkl or MANO_LEFT.pkl in it")


def test_places_that_cannot_be_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    for out, said in (
        (tmp_path / "file", "a file is in the way"),
        (tmp_path / "file" / "below", "a file is in the way"),
        (tmp_path / "full", "is not empty and no dataset (it holds thesis.txt)"),
        ("/sys/handloom", "cannot write /sys/handloom"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        assert_refused(call(capsys, "synth", out, "--frames", 4, *SMALL), said)
    names = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*"))
    assert names == ["file", "full", "full/thesis.txt"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of 3 shards, to be copied before it is spoilt."""
    out = tmp_path_factory.mktemp("made") / "data"
    assert spawn("synth", out, "--frames", 40, *SMALL).code == 0
    return out


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "data"))


def test_another_dataset_in_the_folder(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    before = snapshot(data)
    for arguments, said in (
        (["--seed", 5], "config.seed is 0 there and 5 here"),
        (["--frames", 41], "config.frames is 40 there and 41 here"),
        (["--scene.body.spread", 0.3], "config.scene.body.spread is 0.4 there and 0.3 here"),
    ):
        result = call(capsys, "synth", data, "--frames", 40, *SMALL, *arguments)
        assert_refused(result, "holds another dataset", said)
    assert snapshot(data) == before


def flip_byte(data: Path) -> None:
    content = bytearray(shard_path(data, 1).read_bytes())
    content[len(content) // 2] ^= 1
    shard_path(data, 1).write_bytes(content)


def truncate(data: Path) -> None:
    os.truncate(shard_path(data, 1), 9000)


def drop_shard(data: Path) -> None:
    shard_path(data, 1).unlink()


def drop_sum(data: Path) -> None:
    sum_path(shard_path(data, 1)).unlink()


def raise_version(data: Path) -> None:
    edit(data, schema_version=99)


def raise_shards_version(data: Path) -> None:
    path = shard_path(data, 1)
    table = open_shard(path).read()
    metadata = dict.fromkeys(table.schema.metadata, b"99")
    pq.write_table(table.replace_schema_metadata(metadata), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sum_path(path).write_text(f"{digest}  {path.name}\n")


def edit(data: Path, **changes: object) -> None:
    path = data / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (flip_byte, "frames-00001.parquet does not match its SHA-256 sidecar"),
        (truncate, "frames-00001.parquet does not match its SHA-256 sidecar"),
        (drop_shard, "shards/frames-00001.parquet is missing: run the same command"),
        (drop_sum, "frames-00001.parquet has no SHA-256 sidecar"),
        (raise_shards_version, "frames-00001.parquet has schema version 99"),
        (lambda d: edit(d, frames=41), "has 8 frames, dataset.json says 9"),
        (lambda d: edit(d, frames=32), "frames-00002.parquet is one too many"),
    ],
)
def test_verify_names_what_is_broken(
    capsys: pytest.CaptureFixture[str],
    data: Path,
    spoil: Callable[[Path], None],
    said: str,
) -> None:
    """In one line."""
    spoil(data)
    result = call(capsys, "verify", data)
    assert result.code == 2
    assert said in result.err, result.err
    assert len(result.lines) == 1, result.err
    assert result.out.endswith(": 1 problem\n")
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (raise_version, "has schema version 99"),
        (lambda d: (d / "dataset.json").write_text("{"), "is not valid JSON"),
        (lambda d: edit(d, frames=-1), "frames must be a whole number > 0, got -1"),
        (lambda d: edit(d, format="zarr"), "is not a handloom dataset's"),
        (lambda d: (d / "dataset.json").unlink(), "is not a dataset: it has no dataset.json"),
        (shutil.rmtree, "is not a dataset: there is no such folder"),
    ],
)
def test_what_is_no_dataset(
    capsys: pytest.CaptureFixture[str], data: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(data)
    for command in ("verify", "stats", "view"):
        assert_refused(call(capsys, command, data), said)


def test_broken_shards_are_told_to_those_who_read(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path
) -> None:
    truncate(data)
    for arguments in (["stats", data], ["view", data, "--out", tmp_path / "sheet.png"]):
        assert_refused(call(capsys, *arguments), "frames-00001.parquet is truncated or no shard")
    assert not (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("verify {} --rerender -1", "rerender must be >= 0 frames, got -1"),
        ("verify {} --rerender few", "--rerender: expected a number, got 'few'"),
        ("verify", "missing from handloom verify"),
        ("stats {} --out chart.gif", "a picture is written as .png, got chart.gif"),
        ("stats {} --out none/chart.png", "cannot write none/chart.png"),
        ("view {} --out sheet.gif", "out must end in .png or .html, got sheet.gif"),
        ("view {} --out none/sheet.png", "cannot write none/sheet.png"),
        ("view {} --count -3", "count must be >= 0, got -3"),
        ("view {} --first 40", "first must be below 40"),
        ("view {} --first -2", "first must be below 40"),
        ("bench speed", "invalid choice 'speed'"),
        ("paint", "unknown command 'paint': known are demo, synth, augment, verify"),
    ],
)
def test_other_commands(
    capsys: pytest.CaptureFixture[str],
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: str,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(call(capsys, *(a.format(made) for a in arguments.split())), said)
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_without_a_finished_shard(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    shutil.rmtree(data / "shards")
    assert_refused(call(capsys, "stats", data), "there are no shards in")
    assert_refused(call(capsys, "view", data), "no finished shard yet")
    assert (
        call(capsys, "verify", data).lines[0].startswith("shards/frames-00000.parquet is missing")
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "set NUMBA_CACHE_DIR to a folder"),
        (OSError(errno.EACCES, "Permission denied", "secret"), "Permission denied: secret"),
        (RuntimeError("cannot cache function: no locator available"), "set NUMBA_CACHE_DIR to one"),
    ],
)
def test_what_no_command_has_foreseen(
    synth: Call, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("synth.engine.generate", fail)
    assert_refused(synth(), said)


def test_the_real_process_says_the_same(tmp_path: Path) -> None:
    """What is called in this process above is what the installed command does."""
    out = tmp_path / "out"
    assert_refused(spawn("synth", out, "--frames", "-1"), "frames must be between 1")
    assert_refused(spawn("synth", out, "--camera", "nikon"), "unknown camera 'nikon'")
    assert_refused(spawn("synth", out, "--frames", "abc"), "expected a number, got 'abc'")
    assert_refused(spawn("verify", out), "is not a dataset: there is no such folder")
    assert not out.exists()


def test_a_full_disk(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Two workers meet it; nothing half-written stays, and there is a way on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    command = ["synth", disk / "out", "--frames", 64, *SMALL, "--workers", 2]
    try:
        # Where nothing may be mounted, a limit on the size of a file stands for it.
        result = spawn(*command, before=None if mounted else limit_files)
        assert_refused(result, "the disk is full: cannot write", "run the same command again")
        names = {p.name for p in (disk / "out" / "shards").iterdir()}
        shards = {n for n in names if n.endswith(".parquet")}
        assert names == shards | {n + ".sha256" for n in shards}
        if mounted:
            remount = ["mount", "-o", "remount,size=16m", str(disk)]
            subprocess.run(remount, check=True)
        assert call(capsys, *command, "--workers", 1).code == 0
        assert call(capsys, "verify", disk / "out").code == 0
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], check=True)


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
