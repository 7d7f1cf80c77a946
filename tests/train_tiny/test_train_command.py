"""`handloom train` and `handloom eval` as people and machines use them."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from commands import ROOT, assert_refused, call, spawn, start  # noqa: E402

from train_tiny.training.checkpoint import load_checkpoint  # noqa: E402

TINY = ("--network", "stem=8", "tiers=[8,12,16]", "blocks=[1,1,1]", "decoder=8", "input_px=32")
QUICK = (
    *TINY,
    "--batch",
    8,
    "--workers",
    0,
    "--threads",
    1,
    "--device",
    "cpu",
    "--sensor",
    "ideal",
)
STEPS = ("--log-every", 5, "--validate-every", 10, "--validate-crops", 16)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dataset with splits."""
    out = tmp_path_factory.mktemp("made") / "data"
    options = ("--camera", "ego-small", "--frames-per-shard", 16, "--workers", 1)
    split = ("--split", "train:0.5,val:0.25,test:0.25")
    assert spawn("synth", out, "--frames", 64, *options, *split).code == 0
    return out


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has ended."""
    out = tmp_path_factory.mktemp("run") / "run"
    result = spawn("train", out, "--data", data, *QUICK, *STEPS, "--steps", 20)
    assert result.code == 0, result.err
    assert "all steps are done, 160 samples in" in result.out
    return out


def test_a_run_leaves_all_in_its_folder(
    trained: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {p.name for p in trained.iterdir() if "tfevents" not in p.name}
    files = {"config.json", "curves.csv", "curves.png", "metrics.json"}
    assert names == files | {"last.ckpt", "best.ckpt", "weights.safetensors"}
    config = json.loads((trained / "config.json").read_text())
    meta = hashlib.sha256((data / "dataset.json").read_bytes()).hexdigest()
    assert config["run"]["data"][0]["dataset"] == meta
    assert config["run"]["loading"]["sensor"] == "ideal"
    assert set(config["made"]) >= {"commit", "torch", "handloom", "device"}
    again = call(capsys, "train", trained, "--data", data, *QUICK, *STEPS, "--steps", 20, "--json")
    assert (again.code, again.err) == (0, "")
    found = json.loads(again.out)
    assert (found["steps"], found["samples"]) == (20, 160)
    assert found["best"]["val_auc"] > 0
    result = call(capsys, "train", trained, "--data", data, *QUICK, *STEPS, "--steps", 30)
    assert_refused(result, "holds another run: training.steps is 20 there and 30 here")


def test_a_run_and_its_weights_are_scored(
    trained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--data", data, "--sensor", "ideal", "--workers", 0, "--device", "cpu")
    whole = call(capsys, "eval", trained, *options, "--json", "--report", tmp_path / "r.html")
    assert (whole.code, whole.err) == (0, "")
    found = json.loads(whole.out)
    assert found["hands"] > 5 and found["model"] == "handlite"
    assert found["by"]["sensor"]["ideal"]["hands"] == found["hands"]
    assert found["key_pose"]["count"] > 0 and found["mask_iou"] >= 0
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    weights = call(capsys, "eval", trained / "weights.safetensors", *options, "--json")
    other = json.loads(weights.out)
    assert other["provenance"]["run"] == trained.name
    for name in ("hands", "keypoints"):
        assert other[name] == found[name]
    # Folding rounds; a place on the edge of 0.2 palms may change sides.
    assert other["epe_px"] == pytest.approx(found["epe_px"], rel=1e-3)
    text = call(capsys, "eval", trained, *options, "--split", "val", "--hands", 8)
    assert text.code == 0 and "PCK@0.2" in text.out and "ideal" not in text.err
    assert "visibility" in text.out


def test_weights_begin_another_run(trained: Path, data: Path, tmp_path: Path) -> None:
    """Fine-tuning: on other data, with other settings, from the same weights."""
    options = ("--data", data, *QUICK, "--steps", 1, "--rate", 1e-9, "--init", trained)
    assert spawn("train", tmp_path / "fine", *options, "--average", 0).code == 0
    was, now = (load_checkpoint(p / "best.ckpt")["net"] for p in (trained, tmp_path / "fine"))
    for name in was:
        if "running" not in name and "num_batches" not in name:
            assert torch.allclose(was[name], now[name], atol=1e-6), name


@pytest.mark.slow
def test_a_process_that_was_killed_goes_on(data: Path, tmp_path: Path) -> None:
    """With workers, in the middle of an epoch: the same weights as a run that was left alone."""
    options = ("--data", data, *QUICK, *STEPS, "--steps", 40, "--workers", 2)
    whole = spawn("train", tmp_path / "whole", *options)
    assert whole.code == 0, whole.err
    out = tmp_path / "cut"
    for number in (signal.SIGKILL, signal.SIGTERM):
        run = start("train", out, *options, "--save-every-s", 0)
        step = 5 if number == signal.SIGKILL else 20
        wait_for(lambda step=step: saved_step(out) >= step, run)
        run.send_signal(number)
        said = run.communicate(timeout=60)[1]
        if number == signal.SIGTERM and run.returncode != 0:
            assert run.returncode == 128 + number
            assert said.splitlines()[-1].startswith("handloom: interrupted; what is finished stays")
            assert "Traceback" not in said
    assert 5 <= saved_step(out) < 40
    assert spawn("train", out, *options, "--save-every-s", 0).code == 0
    one, two = (load_checkpoint(p / "last.ckpt") for p in (tmp_path / "whole", out))
    assert one["place"]["step"] == two["place"]["step"] == 40
    for name, value in one["learner"]["average"].items():
        assert torch.equal(value, two["learner"]["average"][name]), name


@pytest.mark.slow
def test_processes_train_one_network(data: Path, tmp_path: Path) -> None:
    """As torchrun starts them: batches of their own, gradients together, weights the same."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import torch
from train_tiny.ranks import disconnect
import train_tiny.ranks as ranks
import console.train, train_tiny.training.loop as training
was = training._Run.go
def go(self, feed, stopped):
    was(self, feed, stopped)
    rank = self._learner.ranks.rank
    torch.save(self._learner.net.state_dict(), {str(tmp_path)!r} + f"/net{{rank}}.pt")
training._Run.go = go
console.train.run_train(sys.argv[1:])
"""
    (tmp_path / "main.py").write_text(code)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    options = ("--data", data, *QUICK, *STEPS, "--steps", 10, "--json")
    run = subprocess.run(
        [*command, *map(str, (tmp_path / "main.py", tmp_path / "run", *options))],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr[-3000:]
    (line,) = [text for text in run.stdout.splitlines() if text.startswith("{")]
    assert json.loads(line)["samples"] == 10 * 2 * 8
    one, two = (torch.load(tmp_path / f"net{k}.pt", weights_only=True) for k in (0, 1))
    for name in one:
        assert torch.allclose(one[name], two[name], atol=1e-7), name
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["run"]["processes"] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "no data to train on: name a dataset with --data"),
        ("--data nowhere", "nowhere is not a dataset"),
        ("--data {data} --mix 1,2", "one share for each of 1 datasets, got 2"),
        ("--data {data} --mix a", "mix must be shares with commas, as in 0.8,0.2, got 'a'"),
        ("--data {data} --model resnet", "invalid choice 'resnet'"),
        ("--data {data} --network width=3", "handlite has no option width"),
        ("--data {data} --network decoder", "network options are NAME=VALUE, got 'decoder'"),
        ("--data {data} --network input_px=100", "must be a multiple of 16, at least 32, got 100"),
        ("--data {data} --model mobilenetv2 --network input_px=48", "a multiple of 32, got 48"),
        ("--data {data} --device cuda:99", "device cuda:99"),
        ("--data {data} --device tpu", "device must be auto, cpu, cuda, cuda:N or mps"),
        ("--data {data} --split nothing", "unknown split 'nothing'"),
        ("--data {data} --sensor nothing", "nothing"),
        ("--data {data} --steps 3 --epochs 2", "name steps or epochs, not both"),
        ("--data {data} --workers -1", "workers must be >= 0, got -1"),
        ("--data {data} --init nowhere", "cannot read the checkpoint nowhere"),
        ("--data {data} --tasks mask colour", "handlite has no head for task colour"),
        ("--data {data} --heatmaps weighted", "heatmaps of handlite cannot be weighted"),
        ("--data {data} --precision float16 --device cpu", "precision float16 needs a GPU"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    arguments: str,
    said: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = arguments.replace("{data}", str(data)).split()
    result = call(capsys, "train", tmp_path / "run", "--steps", 2, *words, "--json")
    assert_refused(result, said)
    assert not (tmp_path / "run" / "last.ckpt").exists()


def test_a_missing_gpu_is_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is a GPU")
    for name in ("cuda", "mps"):
        result = call(capsys, "train", tmp_path, "--data", data, "--device", name)
        assert_refused(result, f"device {name}: no such GPU is found here", "--device cpu")


def test_a_corrupt_checkpoint_is_one_line(
    trained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    for name in ("config.json", "last.ckpt"):
        (out / name).write_bytes((trained / name).read_bytes())
    path = out / "last.ckpt"
    path.write_bytes(path.read_bytes()[:-7])
    arguments = ("train", out, "--data", data, *QUICK, *STEPS, "--steps", 20, "--json")
    assert_refused(call(capsys, *arguments), f"the checkpoint {path} is damaged")


@pytest.mark.parametrize(
    ("target", "arguments", "said"),
    [
        ("run", "", "no data to score on"),
        ("run", "--data nowhere", "nowhere is not a dataset"),
        ("run", "--data {data} --split x", "unknown split 'x'"),
        ("run", "--data {data} --report r.png", "a report is written as .html, got r.png"),
        ("run", "--data {data}", "and no sensor: name one"),
        ("config.json", "--data {data} --sensor ideal", "is no file of weights"),
        ("nowhere", "--data {data}", "cannot read the weights"),
        (".", "--data {data}", "is no run: it has no config.json"),
    ],
)
def test_what_cannot_be_scored_is_told_in_one_line(
    target: str,
    arguments: str,
    said: str,
    trained: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"run": trained, ".": trained.parent}
    words = arguments.replace("{data}", str(data)).split()
    place = places.get(target, trained / target)
    result = call(capsys, "eval", place, *words, "--workers", 0, "--device", "cpu", "--json")
    assert_refused(result, said)


def saved_step(out: Path) -> int:
    """Of a run's checkpoint; 0 without one."""
    path = out / "last.ckpt"
    return int(load_checkpoint(path)["place"]["step"]) if path.exists() else 0


def wait_for(condition: Any, run: Any, limit_s: float = 300.0) -> None:
    """Until it holds, or the process is gone. limit_s: a busy machine has its time to compile."""
    end = time.monotonic() + limit_s
    while not condition() and run.poll() is None:
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
