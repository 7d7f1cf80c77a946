"""Networks of persons scored by the command, on files as COCO has them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from commands import call  # noqa: E402
from drawn_persons import write_persons  # noqa: E402

from frames.errors import BadInput  # noqa: E402
from train_tiny.finding.found import Found  # noqa: E402
from train_tiny.models import build_model  # noqa: E402
from train_tiny.persons import evaluation as person_evaluation  # noqa: E402
from train_tiny.persons.data import open_person_sources  # noqa: E402
from train_tiny.persons.evaluation import evaluate_persons  # noqa: E402
from train_tiny.persons.validation import find_persons  # noqa: E402
from train_tiny.persons.views import draw_warp  # noqa: E402
from train_tiny.training.subject import Subject  # noqa: E402

SMALL = {"stem": 8, "stages": [8, 8, 8, 8], "deconv": [8, 8, 8], "blocks": [1, 1, 1, 1],
         "kernel": 3, "size_px": [64, 48], "channels": 3, "joints": 17}  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture
def subject() -> Subject:
    """An untrained network of persons."""
    model = build_model("litepose-xs", SMALL)
    return Subject(model.name, model.net.eval(), 0, {}, model.size_px, model.config)


def test_labels_found_again_are_perfect(
    tmp_path: Path, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels put in the place of the network's finds, in pixels of its view, score 1."""
    source = open_person_sources([write_persons(tmp_path, 17, 6)])[0]
    pictures = iter(source.pictures)

    def find(net: Any, images: Any, *_: Any) -> list[list[Found]]:
        assert images.dtype == torch.uint8
        shown = [next(pictures) for _ in images]
        return [[place(labels, picture) for labels in picture.keypoints] for picture in shown]

    def place(labels: Any, picture: Any) -> Found:
        size = picture.width, picture.height
        warp, _ = draw_warp(size, subject.size_px, None, 0, 0, 0)
        px = (labels[:, :2] * warp[0, 0] + warp[:, 2]).astype(np.float32)
        box = np.concatenate([px.min(0), px.max(0)])
        return Found(0.9, box, px, np.ones(len(px), np.float32))

    monkeypatch.setattr(person_evaluation, "find_persons", find)
    told = list[int]()
    scores = evaluate_persons(subject, source, CPU, told=told.append)
    assert sum(told) == scores.numbers["pictures"] == 6
    assert scores.numbers["persons"] == sum(len(p.keypoints) for p in source.pictures)
    assert scores.numbers["ap"] == pytest.approx(1)
    assert len(scores.cards) == sum(bool(p.keypoints) for p in source.pictures)


def test_what_the_network_finds_is_what_is_scored(tmp_path: Path, subject: Subject) -> None:
    """An untrained network finds nobody; the first pictures alone are searched if asked."""
    source = open_person_sources([write_persons(tmp_path, 17, 6)])[0]
    scores = evaluate_persons(subject, source, CPU, most=4)
    assert scores.numbers["pictures"] == 4
    assert scores.numbers["ap"] < 0.1
    images = torch.zeros(2, 3, 48, 64, dtype=torch.uint8)
    assert len(find_persons(subject.net, images, CPU)) == 2


def test_other_joints_and_crops_are_one_line(tmp_path: Path, subject: Subject) -> None:
    """The file and the network are named."""
    source = open_person_sources([write_persons(tmp_path, 14, 2)])[0]
    with pytest.raises(BadInput, match="has 14 joints in colour; litepose-xs finds 17 in 3"):
        evaluate_persons(subject, source, CPU)
    hand = Subject("handlite", build_model("handlite").net, 128, {})
    with pytest.raises(BadInput, match="handlite takes crops"):
        evaluate_persons(hand, source, CPU)


def test_the_command_scores_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained by one command, scored by the next; page and numbers."""
    train, held = (write_persons(tmp_path / str(k), 17, 8, seed=k) for k in range(2))
    shape = [f"{k}={v}".replace(" ", "") for k, v in SMALL.items()]
    run = tmp_path / "run"
    done = call(
        capsys,
        *("train", str(run), "--data", train, "--model", "litepose-xs", "--network", *shape),
        *("--steps", "2", "--batch", "2", "--workers", "0", "--stages", "0", "1", "0"),
    )
    assert done.code == 0, done.err
    page = tmp_path / "page.html"
    scored = call(
        capsys, "eval", str(run), "--data", held, "--workers", "0", "--report", str(page), "--json"
    )
    assert scored.code == 0, scored.err
    files = json.loads(scored.out)["files"]
    assert files[held]["pictures"] == 8
    assert 0 <= files[held]["ap50"] <= 1
    assert "The first pictures" in page.read_text()
    refused = call(capsys, "eval", str(run), "--data", held, "--sensor", "d435")
    assert refused.code == 2
    assert "pictures of persons are colour" in refused.err
