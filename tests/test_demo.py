"""The demo's stages: run once, gone on with, left out for want of a package, and its page.

What the commands do is their own tests' business; CI runs the demo itself.
"""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

import handloom
from console import demo as demo_command
from console.demo import Done, _estimate
from console.demo_page import find_scores
from console.demo_stages import DemoConfig, list_stages
from frames.errors import BadInput

SUMMARY = """
            hands   PCK@0.2       AUC
all           307     {all}     0.716
visible       307     0.885     0.7
run.html: run, 1.0 MB
"""


class World:
    """Commands that only write down what is asked of them, and make the files that they would."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.asked: list[list[str]] = []
        self.fail = ""

    def find(self, name: str) -> Callable[[list[str]], int]:
        def run(arguments: list[str]) -> int:
            if name == self.fail:
                raise BadInput("the disk is full")
            self.asked.append([name, *arguments])
            for stage in list_stages(DemoConfig(self.out, 3072, 900, 1, 0)):
                if (name, *arguments) in stage.commands:
                    for path in stage.makes:
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.touch()
            if name == "report" and "noisy.html" not in arguments[-1]:
                score = "0.412" if arguments[0] != "shipped" else "0.766"
                print(SUMMARY.format(all=score).strip("\n"))
            return 0

        return run


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path / "demo")
    monkeypatch.setattr(handloom, "find_command", world.find)
    monkeypatch.setattr("console.demo_stages.write_recording", lambda film, recording: None)
    # What is asked through the command line must still be found.
    monkeypatch.setattr(
        demo_command.importlib.util, "find_spec", lambda name: None if name == "gone" else object()
    )
    return world


def run(world: World, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = demo_command.run_demo([str(world.out), *options])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_every_stage_runs_once_and_is_on_the_page(world: World, capsys) -> None:
    code, out, err = run(world, capsys)
    assert code == 0 and "index.html" in out
    stages = list_stages(DemoConfig(world.out, 3072, 900, 1, 0))
    assert world.asked == [list(c) for stage in stages for c in stage.commands]
    page = (world.out / "index.html").read_text()
    for k, stage in enumerate(stages):
        assert f"[{k + 1}/{len(stages)}] {stage.text}" in err
        for command in stage.commands:
            assert "handloom " + shlex.join(command) in err
            assert "$ handloom " + shlex.join(command) in page
    assert "0.412" in page and "0.766" in page
    assert 'href="noisy.html"' in page and 'href="run.html"' in page
    world.asked.clear()
    code, out, err = run(world, capsys)
    assert code == 0 and world.asked == [] and err.count("done before") == len(stages)
    assert "0.412" in (world.out / "index.html").read_text()


def test_it_goes_on_where_it_was_stopped(world: World, capsys) -> None:
    world.fail = "train"
    with pytest.raises(BadInput, match="the disk is full"):
        run(world, capsys)
    assert {c[0] for c in world.asked} == {"synth", "verify", "view", "augment", "report"}
    world.fail = ""
    world.asked.clear()
    assert run(world, capsys)[0] == 0
    assert world.asked[0][0] == "train" and "augment" not in {c[0] for c in world.asked}
    # What someone deletes is made again.
    (world.out / "sensor.png").unlink()
    world.asked.clear()
    assert run(world, capsys)[0] == 0
    assert [c[0] for c in world.asked] == ["augment", "view", "report"]


def test_without_torch_the_rest_is_done(world: World, capsys, monkeypatch) -> None:
    monkeypatch.setattr(
        demo_command.importlib.util, "find_spec", lambda name: None if name == "torch" else object()
    )
    code, _, err = run(world, capsys)
    assert code == 0 and "train" not in {c[0] for c in world.asked}
    assert "left out: it needs torch: pip install 'handloom[train]'" in err
    assert "Left out: it needs torch" in (world.out / "index.html").read_text()
    assert {"synth", "export"} <= {c[0] for c in world.asked}
    # Once it is there, what was left out is done.
    monkeypatch.setattr(demo_command.importlib.util, "find_spec", lambda name: object())
    assert run(world, capsys)[0] == 0
    assert "train" in {c[0] for c in world.asked}


def test_json_says_one_object(world: World, capsys) -> None:
    code, out, err = run(world, capsys, "--json")
    found = json.loads(out)
    assert code == 0 and err == ""
    assert found["page"].endswith("index.html") and "0.412" in found["stages"]["evaluate"]["said"]


def test_other_folders_and_settings_are_refused(world: World, tmp_path: Path, capsys) -> None:
    assert run(world, capsys)[0] == 0
    with pytest.raises(BadInput, match="steps 900, this one has 20: choose another folder"):
        run(world, capsys, "--steps", "20")
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").touch()
    with pytest.raises(BadInput, match="not empty and no demo"):
        demo_command.run_demo([str(other)])
    (world.out / "demo.json").write_text("{}")
    with pytest.raises(BadInput, match="cannot be read"):
        run(world, capsys)
    with pytest.raises(BadInput, match="frames must be >= 64, got 3"):
        demo_command.run_demo([str(tmp_path / "x"), "--frames", "3"])


def test_the_time_left_follows_the_machine() -> None:
    typical = {"a": 100.0, "b": 50.0, "c": 50.0}
    assert _estimate({}, typical, ["a", "b", "c"]) == 200.0
    slow = _estimate({"a": Done("x", seconds=300.0)}, typical, ["b", "c"])
    assert 200.0 < slow < 300.0
    assert _estimate({"a": Done("x", skipped="no")}, typical, ["b", "c"]) == 100.0


def test_scores_are_read_from_what_was_said() -> None:
    said = SUMMARY.format(all="0.412") + SUMMARY.format(all="0.766")
    assert find_scores(said) == ["0.412", "0.766"]
    assert find_scores("nothing of the kind") == []
