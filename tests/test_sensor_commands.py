"""Sensors on the command line: augment, synth --sensor, view --sensor, stats; what is refused."""

import json
import resource
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from commands import assert_refused, call, spawn

from augment import open_sensed
from augment.profile import load_profile
from bench.killing import hash_files
from frames.store.dataset import open_dataset
from frames.store.folder import read_meta
from frames.store.shard import shard_path, sum_path

SMALL = ("--camera", "ego-small", "--frames-per-shard", "16", "--workers", "1")
ALONE = ("--workers", "1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small clean dataset."""
    out = tmp_path_factory.mktemp("made") / "data"
    assert spawn("synth", out, "--frames", 40, "--seed", 5, *SMALL).code == 0
    return out


def test_augment_gives_what_synth_gives(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    for options in ((), ("--bake",)):
        mine, theirs = (tmp_path / f"{n}{len(options)}" for n in ("mine", "theirs"))
        said = call(capsys, "augment", made, mine, "--sensor", "d435", *options, *ALONE)
        assert (said.code, said.out, said.err) == (0, f"{mine}: 40 frames written\n", "")
        wanted = ("--frames", 40, "--seed", 5, "--sensor", "d435", *options, *SMALL)
        assert call(capsys, "synth", theirs, *wanted).code == 0
        assert hash_files(mine) == hash_files(theirs)
        assert call(capsys, "verify", mine, "--rerender", 3).out.endswith(": sound\n")


def test_augment_resumes_and_takes_parts(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    command = ("augment", made, tmp_path / "out", "--sensor", "sr300", "--bake", *ALONE)
    whole = tmp_path / "whole"
    assert call(capsys, "augment", made, whole, *command[3:]).code == 0
    assert call(capsys, *command, "--shard-range", "2/2").out.endswith(": 24 frames written\n")
    found = call(capsys, *command, "--json")
    assert json.loads(found.out) == {"out": str(tmp_path / "out"), "written": 16, "found": 24}
    assert hash_files(tmp_path / "out") == hash_files(whole)
    shard_path(whole, 1).unlink()
    (whole / "shards" / ".frames-00001.parquet.7.ab.tmp").write_text("half")
    again = call(capsys, "augment", made, whole, *command[3:])
    assert again.out.endswith(": 16 frames written, 24 were there\n")
    assert hash_files(whole) == hash_files(tmp_path / "out")
    other = call(capsys, "augment", made, whole, "--sensor", "d435", "--bake", *ALONE)
    assert_refused(other, "holds another dataset: sensor.profile", "choose another folder")
    seed = call(capsys, *command, "--sensor-seed", 8)
    assert_refused(seed, "holds another dataset: sensor.seed is 5 there and 8 here")


def test_occlusion_before_the_sensor(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    """Labels stay sound, workers change nothing, and what the sensor reads is stored."""
    outs = [tmp_path / name for name in ("one", "two")]
    for workers, out in enumerate(outs, 1):
        options = ("--sensor", "d435", "--occlude", "--workers", workers)
        assert call(capsys, "augment", made, out, *options).code == 0
    assert hash_files(outs[0]) == hash_files(outs[1])
    assert call(capsys, "verify", outs[0]).out.endswith(": sound\n")
    meta = read_meta(outs[0])
    assert meta["sensor"]["baked"] and meta["occlusion"]["seed"] == 5
    data = open_dataset(outs[0])
    assert sum(o.kind == "occluder" for frame in data for o in frame.objects) > 10
    assert all(frame.depth is not None and frame.sensor == "d435" for frame in data)
    again = call(capsys, "augment", outs[0], tmp_path / "again", "--occlude", *ALONE)
    assert_refused(again, "was given occlusion before")
    rendered = call(capsys, "verify", outs[0], "--rerender", 1)
    assert rendered.code == 2 and "occlusion cannot be rendered again" in rendered.err


def test_occlusion_without_a_sensor_keeps_depth_clean(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "much.toml"
    settings.write_text("share_before = 1.0\nshare_behind = 0\nnumber_before = [2, 2]\n")
    out = tmp_path / "out"
    assert call(capsys, "augment", made, out, "--occlude", settings, *ALONE).code == 0
    assert call(capsys, "verify", out).out.endswith(": sound\n")
    changed = 0
    for before, after in zip(open_dataset(made), open_dataset(out), strict=True):
        assert after.depth is None and after.sensor is None
        changed += not np.array_equal(before.clean_depth, after.clean_depth)
    assert changed > 25
    settings.write_text("share_befor = 1.0\n")
    refused = call(capsys, "augment", made, tmp_path / "no", "--occlude", settings, *ALONE)
    assert_refused(refused, "unknown key share_befor in", "docs/occlusion.md")
    settings.write_text("share_before = 2.0\n")
    refused = call(capsys, "augment", made, tmp_path / "no", "--occlude", settings, *ALONE)
    assert_refused(refused, "Occlusion.share_before must be a share from 0 to 1, got 2.0")


def test_a_profile_of_ones_own(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    """The dataset keeps all of it: the file may go."""
    profile = tmp_path / "near.toml"
    profile.write_text(
        'name = "near"\nmodel = "ideal"\nabout = "sees 0.4 to 0.6 m"\n'
        '[near_m]\nvalue = 0.4\nunit = "m"\nsource = "test"\n'
        '[far_m]\nvalue = 0.6\nunit = "m"\nsource = "test"\n'
    )
    out = tmp_path / "out"
    assert call(capsys, "augment", made, out, "--sensor", profile, *ALONE).code == 0
    profile.unlink()
    assert read_meta(out)["sensor"]["profile"]["about"] == "sees 0.4 to 0.6 m"
    for frame in open_sensed(out):
        read = frame.depth[frame.depth > 0]
        assert frame.sensor == "near" and ((read >= 4000) & (read <= 6000)).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "augment needs --sensor NAME, --occlude, or both"),
        ("--sensor d435-matched --occlude", "stereo by matching renders scenes without what"),
        ("--occlude nowhere.toml", "occlusion file nowhere.toml cannot be read: No such file"),
        ("--sensor nikon", "sensor must be ideal, kinect-v1"),
        ("--sensor nowhere.toml", "sensor profile nowhere.toml cannot be read: No such file"),
        ("--sensor none", "sensor must name one to read"),
        ("--sensor d435 --sensor-seed -2", "sensor-seed must be >= 0"),
        (f"--sensor d435 --sensor-seed {2**63}", "seed must be a whole number from 0"),
        ("--sensor d435 --workers -1", "workers must be >= 0, got -1"),
        ("--sensor d435 --shard-range 3/2", "shard-range must be I/N"),
    ],
)
def test_augment_refuses(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path, arguments: str, said: str
) -> None:
    result = call(capsys, "augment", made, tmp_path / "out", *arguments.split())
    assert_refused(result, said)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--sensor nikon", "sensor must be ideal"),
        ("--bake", "bake stores what a sensor reads: name one"),
        ("--sensor d435 --sensor-seed -5", "sensor_seed must be between -1"),
        ("--sensor d435-matched --camera ahat", "needs a pinhole camera, got kannala-brandt"),
    ],
)
def test_synth_refuses(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: str, said: str
) -> None:
    assert_refused(call(capsys, "synth", tmp_path / "out", *arguments.split()), said)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_degraded(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ("--sensor", "d435", *ALONE)
    assert_refused(call(capsys, "augment", tmp_path, out, *options), "it has no dataset.json")
    assert_refused(call(capsys, "augment", made, made, *options), "a folder of its own")
    part = shutil.copytree(made, tmp_path / "part")
    shard_path(part, 1).unlink()
    assert_refused(call(capsys, "augment", part, out, *options), "lacks 1 of 3 shards")
    assert not out.exists()
    broken = shutil.copytree(made, tmp_path / "broken")
    path = shard_path(broken, 1)
    path.write_bytes(path.read_bytes()[:-100])
    assert_refused(call(capsys, "augment", broken, out, *options), "frames-00001.parquet is trunc")
    assert {p.name for p in (out / "shards").iterdir()} == {
        "frames-00000.parquet", "frames-00000.parquet.sha256",
    }  # fmt: skip


def test_a_full_disk_leaves_whole_shards_only(made: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for it."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    out = tmp_path / "out"
    arguments = ("augment", made, out, "--sensor", "d435", "--bake", *ALONE)
    result = spawn(*arguments, before=limit)
    assert_refused(result, "the disk is full: cannot write", "run the same command again")
    assert list((out / "shards").iterdir()) == []
    assert spawn(*arguments).code == 0


def test_view_shows_frames_before_and_behind_the_sensor(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    sensed = tmp_path / "sensed"
    assert call(capsys, "augment", made, sensed, "--sensor", "d435", *ALONE).code == 0

    def show(data: Path, name: str, *options: object) -> np.ndarray:
        out = tmp_path / name
        result = call(capsys, "view", data, "--out", out, "--count", 2, *options)
        assert (result.code, result.out) == (0, f"{out}: 2 frames\n"), result.err
        return cv2.imread(str(out))

    own = show(sensed, "own.png", "--sensor")
    named = show(made, "named.png", "--sensor", "d435", "--sensor-seed", 5)
    assert own.shape == named.shape
    # The names of the folders stand above.
    np.testing.assert_array_equal(own[40:], named[40:])
    other = show(sensed, "other.png", "--sensor", "sr300")
    assert (own != other).any()
    usual, clean = show(sensed, "usual.png"), show(sensed, "clean.png", "--sensor", "none")
    assert usual.shape == clean.shape and (usual != clean).any()
    np.testing.assert_array_equal(clean[60:], show(made, "made.png")[60:])
    page = tmp_path / "page.html"
    assert call(capsys, "view", sensed, "--out", page, "--count", 2, "--sensor").code == 0
    refused = call(capsys, "view", made, "--sensor", "--out", tmp_path / "no.png")
    assert_refused(refused, "has no sensor of its own: name one, as in --sensor d435")


def test_stats_tell_what_is_read(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    stored = {}
    for options in ((), ("--bake",)):
        out = tmp_path / f"out{len(options)}"
        call(capsys, "augment", made, out, "--sensor", "d435", *options, *ALONE)
        stored[options] = json.loads(call(capsys, "stats", out, "--json").out)["readings"]
    assert stored[()] == stored[("--bake",)]
    found = stored[()]
    assert found["frames"] == 40 and found["sensors"] == {"d435": 40}
    frames = list(open_dataset(tmp_path / "out1"))
    fill = np.mean([(frame.depth > 0).mean() for frame in frames])
    assert found["fill_rate"] == pytest.approx(fill)
    assert sum(found["reasons"].values()) == pytest.approx(1)
    text = call(capsys, "stats", tmp_path / "out0", "--out", tmp_path / "s.png").out
    assert "sensor, 40 frames" in text and "not read of hands" in text
    assert "readings" not in json.loads(call(capsys, "stats", made, "--json").out)


def test_verify_finds_a_reading_that_was_changed(
    capsys: pytest.CaptureFixture[str], made: Path, tmp_path: Path
) -> None:
    """A profile edited in dataset.json no longer makes the stored depth."""
    out = tmp_path / "out"
    call(capsys, "augment", made, out, "--sensor", "d435", "--bake", *ALONE)
    meta = json.loads((out / "dataset.json").read_text())
    meta["sensor"]["seed"] = 6
    (out / "dataset.json").write_text(json.dumps(meta))
    result = call(capsys, "verify", out, "--rerender", 2)
    assert result.code == 2
    assert "renders otherwise now: depth, invalid, sensor_seed" in result.err
    meta["sensor"]["profile"]["noise_px"]["value"] = -1
    (out / "dataset.json").write_text(json.dumps(meta))
    result = call(capsys, "verify", out, "--rerender", 2)
    assert result.code == 2 and "1 problem" in result.out
    assert "noise_px must be" in result.err and "dataset.json" in result.err
    # Stored depth is there to see whatever made it; what the profile is to make is not.
    assert call(capsys, "view", out, "--out", tmp_path / "stored.png").code == 0
    lazy = tmp_path / "lazy"
    call(capsys, "augment", made, lazy, "--sensor", "d435", *ALONE)
    (lazy / "dataset.json").write_text(
        json.dumps(meta | {"sensor": meta["sensor"] | {"baked": False}})
    )
    assert_refused(call(capsys, "view", lazy), "noise_px must be", "dataset.json")
    assert sum_path(shard_path(out, 0)).exists()
    assert load_profile("d435").name == "d435"
