"""`handloom package` as people and machines use it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

from commands import assert_refused, call  # noqa: E402

from console.networks import find_target  # noqa: E402
from tests.train_tiny.packages import deploy_stirred  # noqa: E402
from train_tiny.export import packaging  # noqa: E402
from train_tiny.weights import save_weights  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small HandLite's."""
    path = tmp_path_factory.mktemp("weights") / "hand.safetensors"
    save_weights(path, deploy_stirred("handlite", {"input_px": 32}))
    return path


def few(data: Path) -> tuple[Any, ...]:
    """Options that make it quick."""
    sensor = ("--data", data, "--split", "val", "--sensor", "d435")
    return (*sensor, "--compared", 8, "--calibrated", 8, "--rounds", 3)


def test_a_file_and_its_description_are_written(
    weights: Path, rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "hand.onnx"
    result = call(capsys, "package", weights, out, *few(rendered), "--json")
    assert (result.code, result.err) == (0, ""), result
    found = json.loads(result.out)
    assert found["size"] == out.stat().st_size
    assert found["macs"]["ours"] == found["macs"]["torch"] > 0
    assert found["ms"] > 0 and found["compared"] == 8 and found["apart_px"] < 0.01
    assert set(found["differ"]) == {"keypoints", "visibility", "side", "depth"}
    text = json.loads(out.with_suffix(".json").read_text())
    assert text["format"] == "handloom package 1" and len(text["keypoints"]) == 21
    options = ("--format", "onnx-int8", "--decode", "--heads", "depth")
    plain = call(capsys, "package", weights, out, *few(rendered), *options)
    assert plain.code == 0
    for words in ("size", "MACs", "latency", "keypoints_px", "PCK@0.2", "hand.json says what"):
        assert words in plain.out
    assert out.stat().st_size < found["size"]
    assert sorted(p.name for p in out.parent.iterdir()) == ["hand.json", "hand.onnx"]


def test_the_included_weights_go_by_their_name(
    rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find_target(Path("shipped")).is_file()
    made = call(capsys, "package", "shipped", tmp_path / "hand.onnx", *few(rendered), "--json")
    assert (made.code, made.err) == (0, ""), made
    scored = call(
        *(capsys, "eval", "shipped", "--data", rendered, "--split", "val", "--sensor", "d435"),
        *("--hands", 8, "--workers", 0, "--json"),
    )
    assert scored.code == 0, scored
    assert json.loads(scored.out)["model"] == json.loads(made.out)["model"] == "handlite"


def test_what_cannot_be_is_told_in_one_line(
    weights: Path,
    rendered: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*said: str, target: Path = weights, out: str = "hand.onnx", more: str = "") -> None:
        place = tmp_path / out
        result = call(capsys, "package", target, place, *few(rendered), *more.split())
        assert_refused(result, *said)
        assert not place.is_file()

    refuse("invalid choice 'tflite' for argument '--format'", more="--format tflite")
    refuse("onnx is written as .onnx, got", out="hand.pte")
    refuse("executorch is written as .pte, got", more="--format executorch")
    refuse("cannot read the weights", "No such file", target=tmp_path / "nothing")
    refuse("is no run: it has no config.json", target=tmp_path)
    refuse("unknown head 'hat'", more="--heads hat")
    refuse("compared must be >= 1, got 0", more="--compared 0")
    refuse("no dataset", target=weights, more=f"--data {tmp_path}")
    refuse("split", "trial", more="--split trial")
    damaged = tmp_path / "damaged.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    refuse("are damaged", "SHA-256", target=damaged)
    (tmp_path / "file").write_text("in the way")
    refuse("a file is in the way", out="file/hand.onnx")
    monkeypatch.setattr(packaging, "find_spec", lambda name: None if name == "onnx" else name)
    refuse("onnx needs onnx: pip install 'handloom[export]'")
    monkeypatch.setattr(packaging, "find_spec", lambda name: None)
    refuse(
        "executorch needs executorch: pip install 'handloom[executorch]'",
        out="hand.pte",
        more="--format executorch",
    )


def test_a_folder_in_the_way(
    weights: Path, rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hand.onnx").mkdir()
    result = call(capsys, "package", weights, tmp_path / "hand.onnx", *few(rendered))
    assert_refused(result, "a folder is in the way")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a place nobody may write")
def test_a_place_that_cannot_be_written(
    weights: Path, rendered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = "/proc/hand.onnx" if os.geteuid() == 0 else "/hand.onnx"
    assert_refused(call(capsys, "package", weights, place, *few(rendered)), "cannot write")
