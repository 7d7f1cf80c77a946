"""`handloom predict` as people and machines use it, and every way to get it wrong."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from commands import assert_refused, call  # noqa: E402

from frames.store.dataset import open_dataset  # noqa: E402
from tests.train_tiny.coded_hands import CAMERA, draw_hands, place_hand  # noqa: E402
from tests.train_tiny.real_frames import write_real  # noqa: E402
from tests.train_tiny.test_prediction import SMALL  # noqa: E402
from tests.train_tiny.test_prediction_files import write_folder  # noqa: E402
from train_tiny.models import build_model  # noqa: E402
from train_tiny.weights import deploy, save_weights  # noqa: E402

BOX = '{"frame_id": 0, "box_px": [80, 100, 170, 200]}'


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with weights, six images and a box, in which commands run."""
    monkeypatch.chdir(tmp_path)
    model = build_model("handlite", SMALL)
    save_weights(tmp_path / "w.safetensors", deploy(model, model.net, {}))
    write_folder(tmp_path / "in")
    (tmp_path / "boxes.jsonl").write_text(BOX + "\n")
    return tmp_path


def test_a_folder(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(
        capsys, "predict", "w.safetensors", "in", "out", "--boxes", "boxes.jsonl", "--json",
        "--pictures", "--video", "--frames", 3,
    )  # fmt: skip
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert (found["frames"], found["hands"], found["empty"]) == (3, 1, 2)
    assert found["weights"]["name"] == "handlite" and len(found["weights"]["sha256"]) == 64
    names = sorted(p.relative_to(place / "out").as_posix() for p in place.glob("out/**/*.*"))
    assert names == [
        *(f"pictures/00000{k}.png" for k in range(3)), "predictions.json", "predictions.jsonl",
        "predictions.mp4", "predictions.parquet", "sheet.png",
    ]  # fmt: skip


def test_a_dataset(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_real(place / "data", "full", 8)
    result = call(capsys, "predict", "w.safetensors", data, "out", "--boxes", "labels")
    assert result.code == 0 and "frames/s" in result.out
    rows = [json.loads(line) for line in (place / "out/predictions.jsonl").read_text().splitlines()]
    labelled = {(f.frame_id, k) for f in open_dataset(data) for k in range(len(f.hands))}
    assert {(r["frame_id"], r["hand"]) for r in rows} <= labelled
    assert set(rows[0]) >= {"side", "score", "box_px", "keypoints_px", "keypoints_cam_m"}


def write(path: Path, image: np.ndarray) -> None:
    """A picture."""
    assert cv2.imwrite(str(path), image)


def spoil(place: Path, how: str) -> None:
    """Make something of the folder wrong."""
    first = place / "in/000.depth.png"
    image: Any = cv2.imread(str(first), cv2.IMREAD_UNCHANGED)
    if how == "camera":
        (place / "in/camera.json").unlink()
    elif how == "scale":
        text = json.loads((place / "in/camera.json").read_text())
        del text["depth_scale_per_m"]
        (place / "in/camera.json").write_text(json.dumps(text))
    elif how == "size":
        write(first, image[:100])
    elif how == "type":
        write(first, (image >> 8).astype(np.uint8))
    elif how == "broken":
        first.write_bytes(first.read_bytes()[:60])
    elif how == "empty":
        for path in (place / "in").glob("*.png"):
            path.unlink()
    elif how == "array":
        np.save(place / "in/x.npy", np.zeros((4, 4), np.int64))
    elif how == "mobile":
        (place / "w.safetensors").write_bytes(b"\0" * 40)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("camera", "in has no camera.json"),
        ("scale", "the depth scale of in is unknown: give --depth-scale"),
        ("size", "000.depth.png has 480 x 100 pixels, its camera 480 x 320"),
        ("type", "000.depth.png must be a depth image of 16 bits and one channel, got 8 bits"),
        ("broken", "000.depth.png cannot be read as a picture"),
        ("empty", "in has no depth images"),
        ("array", "x.npy must hold (H, W) or (N, H, W) uint16, got int64 (4, 4)"),
        ("mobile", "w.safetensors is no file of weights"),
    ],
)
def test_bad_files(place: Path, capfd: pytest.CaptureFixture[str], how: str, said: str) -> None:
    spoil(place, how)
    result = call(capfd, "predict", "w.safetensors", "in", "out", "--boxes", "boxes.jsonl")
    result_lines = [line for line in result.lines if line.startswith("handloom")]
    assert result.code == 2 and len(result_lines) == 1 and said in result_lines[0], result.err
    assert not list((place / "out").rglob("*.*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("in", "predict takes [WEIGHTS] SRC OUT, got 1 of them"),
        ("a b c d", "predict takes [WEIGHTS] SRC OUT, got 4 of them"),
        ("nowhere.st in out", "there are no weights nowhere.st"),
        ("in in out", "in is no run: it has no config.json"),
        ("w.safetensors nowhere out", "nowhere does not exist"),
        ("w.safetensors w.safetensors out", "w.safetensors is a file"),
        ("w.safetensors in out", "nothing says where hands are"),
        ("w.safetensors in out --boxes no.jsonl", "cannot read the boxes' file no.jsonl"),
        ("w.safetensors in out --camera nikon", "unknown camera 'nikon'"),
        ("w.safetensors in out --camera d435 --boxes boxes.jsonl", "its camera 424 x 240"),
        ("w.safetensors in out --split test", "in is no dataset: it has no split"),
        ("w.safetensors in out --depth-scale -1", "depth-scale must be >= 0"),
        ("w.safetensors in out --finder w.safetensors", "handlite, which finds no hands"),
        ("w.safetensors in out --looks 5", "looks must be 1 or 2, got 5"),
        ("w.safetensors in out --hands 0", "hands must be >= 1, got 0"),
        ("w.safetensors in out --device tpu", "device must be auto, cpu, cuda"),
        ("w.safetensors in in --boxes boxes.jsonl", "in is not empty and holds no predictions"),
        ("w.safetensors in out --boxes labels --follow x", "--follow: expected a number"),
    ],
)
def test_bad_arguments(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: str, said: str
) -> None:
    import train_tiny.shipped as shipped

    monkeypatch.setattr(shipped, "FOLDER", Path("none"))
    assert_refused(call(capsys, "predict", *arguments.split()), said)


def test_shipped_weights(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import train_tiny.shipped as shipped

    monkeypatch.setattr(shipped, "FOLDER", Path("shipped"))
    assert_refused(call(capsys, "predict", "in", "out"), "no weights come along")
    Path("shipped").mkdir()
    Path("w.safetensors").rename(f"shipped/{shipped.HAND_FILE}")
    for named in ([], ["shipped"]):
        assert call(capsys, "predict", *named, "in", "out", "--boxes", "boxes.jsonl").code == 0


def test_a_finder_is_no_hand_network(capsys: pytest.CaptureFixture[str]) -> None:
    finder = build_model("litepose-xs")
    save_weights(Path("f.safetensors"), deploy(finder, finder.net, {}))
    assert_refused(
        call(capsys, "predict", "f.safetensors", "in", "out"),
        "f.safetensors has the weights of litepose-xs", "is it meant as --finder?",
    )  # fmt: skip
    result = call(capsys, "predict", "w.safetensors", "in", "out", "--finder", "f.safetensors")
    assert result.code == 0, result.err


def test_a_recording(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Arrays with their times: frames follow one another, from the box of the first."""
    depth = np.stack([draw_hands(place_hand((120.0 + k, 150.0))) for k in range(3)])
    camera = CAMERA.to_dict()
    K = [[camera["fx"], 0, camera["cx"]], [0, camera["fy"], camera["cy"]], [0, 0, 1]]
    np.savez("r.npz", depth=depth, K=np.array(K), depth_scale=10_000.0, time_s=np.arange(3) / 20)
    result = call(
        capsys, "predict", "w.safetensors", "r.npz", "out", "--boxes", "boxes.jsonl", "--json"
    )
    assert result.code == 0, result.err
    assert json.loads(result.out)["hands"] == 1
    (row,) = (json.loads(line) for line in Path("out/predictions.jsonl").read_text().splitlines())
    assert (row["sequence_id"], row["time_s"], row["frame_id"]) == (0, 0.0, 0)
    Path("cut.bag").write_bytes(b"#ROSBAG")
    assert_refused(call(capsys, "predict", "w.safetensors", "cut.bag", "out"), "cut.bag")
