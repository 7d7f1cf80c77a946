"""Annotators compared from what pulls have kept, without a server."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from captures import CAMERA, write_capture
from fake_studio import FakeStudio

from console.label import run_label
from console.studio import find_ledger
from frames.errors import BadInput
from labeling.agreeing import compare_annotators
from labeling.ledger import Ledger, ledger_path
from labeling.predictors import open_predictor
from labeling.pull import PullPlan, pull
from labeling.push import PushPlan, push

SHIFT_PX = 2.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pulled project: two annotators of three frames, one of a fourth."""
    home = tmp_path_factory.mktemp("agree")
    studio, capture = FakeStudio(), write_capture(home / "capture", 5)
    ledger = Ledger(ledger_path(home / "studio", studio.url, "kitchen"))
    push(
        *(studio, capture, ledger, open_predictor("labels")),
        PushPlan("kitchen", home / "studio" / "pictures"),
    )
    number = {t["data"]["frame"]: n for n, t in studio.tasks.items()}
    for frame in (0, 1, 2, 4):
        studio.accept(number[frame], who=1)
    for frame in (0, 1, 2):
        result = move(studio.tasks[number[frame]]["predictions"][0]["result"], SHIFT_PX)
        if frame == 1:
            vertex = next(v for v in result[0]["value"]["vertices"] if v["id"] == "index_tip")
            vertex["x"] += 10 / CAMERA.width * 100
        if frame == 2:
            result.append(hide(result[0], "wrist"))
        studio.annotate(number[frame], result, who=7)
    studio.annotate(number[2], "nonsense", who=8)
    pull(studio, ledger, home / "labels", PullPlan())
    ledger.close()
    return home


def move(result: list[dict[str, Any]], px: float) -> list[dict[str, Any]]:
    out = copy.deepcopy(result)
    for item in out:
        for vertex in item["value"].get("vertices", []):
            vertex["x"] += px / CAMERA.width * 100
    return out


def hide(region: dict[str, Any], joint: str) -> dict[str, Any]:
    return {**region, "type": "choices", "from_name": "occluded", "value": {"choices": [joint]}}


def run(*arguments: object) -> int:
    return run_label(["agree", *(str(a) for a in arguments)])


def test_table_and_pictures(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = home / "agreement"
    assert run("kitchen", out, "--studio", home / "studio", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    kept = json.loads((out / "agreement.json").read_text())
    assert told == {"out": str(out), **kept}
    assert (kept["frames"], kept["answered_frames"], kept["unread_answers"]) == (3, 4, 1)
    assert kept["joints"]["wrist"]["px"] == pytest.approx(SHIFT_PX)
    # 2 px at 45 cm of a lens of 84.25 px, and some flesh: about 11 mm.
    assert 10 < kept["joints"]["wrist"]["mm"] < 13
    assert kept["joints"]["all"]["px"] == pytest.approx(SHIFT_PX)
    assert kept["annotators"]["1"] == kept["annotators"]["7"]
    worst = kept["worst"][0]
    assert (worst["dataset"], worst["frame"], worst["joint"]) == ("capture", 1, "index_tip")
    assert worst["px"] == pytest.approx(12.0)
    pictures = sorted(p.name for p in out.glob("*.png"))
    assert pictures == sorted(one["picture"] for one in kept["worst"])
    # Everything is seen by both but one joint: kappa is of those ratings.
    assert kept["kappa_kind"] == "Cohen" and kept["joints"]["all"]["kappa"] < 0.1


def test_by_the_folder_of_labels_and_again(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = home / "again"
    for worst in (4, 2):
        assert run(home / "labels", out, "--worst", worst) == 0
        assert len(list(out.glob("*.png"))) == worst
    text = capsys.readouterr().out
    assert "index_tip" in text and "kappa of visibility (Cohen)" in text


def test_what_cannot_be_compared(home: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no folder of pulled labels, and .* has no ledger"):
        run("bedroom", tmp_path / "out", "--studio", home / "studio")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("x")
    with pytest.raises(BadInput, match="holds something else"):
        run("kitchen", tmp_path / "notes", "--studio", home / "studio")
    with pytest.raises(BadInput, match="worst must be >= 1"):
        run("kitchen", tmp_path / "out", "--worst", 0)


def test_the_ledger_of_ones_own_server_on_another_port(tmp_path: Path) -> None:
    old = ledger_path(tmp_path, "http://127.0.0.1:8080", "kitchen")
    ledger = Ledger(old)
    ledger.write("url", "http://127.0.0.1:8080")
    ledger.write("title", "kitchen")
    ledger.close()
    here = "http://127.0.0.1:9000"
    with pytest.raises(BadInput, match="nothing was pushed"):
        find_ledger(tmp_path, here, "kitchen")  # somebody else's server
    (tmp_path / "login").write_text(json.dumps({"url": here, "user": "a", "password": "b"}))
    assert find_ledger(tmp_path, here, "kitchen") == old
    assert find_ledger(tmp_path, here, "bedroom", pushed=False) != old
    with pytest.raises(BadInput, match="nothing was pushed"):
        find_ledger(tmp_path, "http://elsewhere:9000", "kitchen")


def test_one_annotator_alone(tmp_path: Path) -> None:
    studio, capture = FakeStudio(), write_capture(tmp_path / "capture", 1)
    ledger = Ledger(tmp_path / "one.sqlite")
    plan = PushPlan("alone", tmp_path / "pictures")
    push(studio, capture, ledger, open_predictor("labels"), plan)
    studio.accept(next(iter(studio.tasks)))
    pull(studio, ledger, tmp_path / "labels", PullPlan())
    with pytest.raises(BadInput, match="no hand was drawn by two annotators: 1 frames"):
        compare_annotators(ledger, tmp_path / "out")
    ledger.close()
