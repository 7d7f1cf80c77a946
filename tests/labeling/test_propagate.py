"""Corrections followed along a rendered sequence, and a ledger that remembers."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fake_studio import FakeStudio  # noqa: E402

from frames.checks.verify import verify_dataset  # noqa: E402
from frames.errors import BadInput  # noqa: E402
from frames.parts import PROVENANCE_HUMAN, PROVENANCE_MODEL  # noqa: E402
from frames.record import Frame  # noqa: E402
from frames.skeleton import KEYPOINT_NAMES  # noqa: E402
from frames.store.dataset import create_dataset, open_dataset  # noqa: E402
from frames.store.frame_table import build_frame_table  # noqa: E402
from frames.store.rows import Rows  # noqa: E402
from frames.store.shard import write_shard  # noqa: E402
from labeling.answers import read_answer  # noqa: E402
from labeling.ledger import Ledger, ledger_path  # noqa: E402
from labeling.predictors import Predictor, open_predictor  # noqa: E402
from labeling.propagate import PropagatePlan, PropagateReport, propagate  # noqa: E402
from labeling.pull import PullPlan, PullReport, pull  # noqa: E402
from labeling.push import PushPlan, push  # noqa: E402
from labeling.sending import Patience  # noqa: E402
from synth.config import SynthConfig  # noqa: E402
from synth.generator import Generator  # noqa: E402

LENGTH = 4
QUICK = Patience(settle_s=0.6, pause_s=0.01, longest_pause_s=0.05)


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Two sequences of free hands, as a perfect camera would give them."""
    config = SynthConfig(seed=21, camera="ego-small", sequence_length=LENGTH, frames=2 * LENGTH)
    scene = replace(
        config.scene, situation=replace(config.scene.situation, grasp_share=0.0, touch_share=0.0)
    )
    rows = Rows(Generator(replace(config, scene=scene)).make_table(0, 2 * LENGTH))
    return [rows.frame(i) for i in range(2 * LENGTH)]


@pytest.fixture(scope="module")
def capture(frames: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("propagate") / "capture"
    create_dataset(folder, {"frames": len(frames), "frames_per_shard": 64, "license": "CC0-1.0"})
    human = np.full(21, PROVENANCE_HUMAN, np.uint8)
    made = [
        replace(
            f, source="real", depth=f.clean_depth, clean_depth=None, parts=None, invalid=None,
            objects=(), hands=tuple(replace(h, provenance=human) for h in f.hands),
        )
        for f in frames
    ]  # fmt: skip
    write_shard(folder, 0, build_frame_table(made))
    return open_dataset(folder)


class Desk:
    """A project of the capture, whose predictor sees every joint 6 px too far to the right."""

    def __init__(self, capture: Any, home: Path) -> None:
        self.studio, self.capture, self.home = FakeStudio(), capture, home
        self.path, self.out = ledger_path(home, self.studio.url, "hands"), home / "labels"
        find = open_predictor("labels").find

        def miss(frame: Frame) -> Any:
            return tuple(
                replace(p, keypoints_px=p.keypoints_px + np.array([6.0, 0.0])) for p in find(frame)
            )

        plan = PushPlan("hands", home / "pictures", patience=QUICK)
        self._do(lambda ledger: push(self.studio, capture, ledger, Predictor("bad", miss), plan))

    def _do(self, act: Callable[[Ledger], Any]) -> Any:
        ledger = Ledger(self.path)
        try:
            return act(ledger)
        finally:
            ledger.close()

    def propagate(self, ahead: int = 1) -> PropagateReport:
        plan = PropagatePlan(ahead, patience=QUICK)
        report = self._do(lambda ledger: propagate(self.studio, ledger, plan))
        assert isinstance(report, PropagateReport)
        return report

    def pull(self, refine: bool = True, **plan: Any) -> PullReport:
        chosen = PullPlan(refine=refine, patience=QUICK, **plan)
        report = self._do(lambda ledger: pull(self.studio, ledger, self.out, chosen))
        assert isinstance(report, PullReport)
        return report

    def task(self, frame: int) -> dict[str, Any]:
        return next(t for t in self.studio.tasks.values() if t["data"]["frame"] == frame)

    def correct(self, frame: int, shift: float = -6.0, **more: Any) -> dict[str, Any]:
        """What a person answers who moves every joint by so many pixels."""
        task = self.task(frame)
        result = copy.deepcopy(task["predictions"][0]["result"])
        width = self.capture[0].camera.width
        for item in result:
            if item["type"] == "vectorlabels" and item["score"] == 0:
                continue  # a spare hand stays where it is
            for vertex in item["value"].get("vertices", []):
                vertex["x"] = float(np.clip(vertex["x"] + shift / width * 100, 0, 100))
        return self.studio.annotate(task["id"], result, **more)

    def errors(self, frame: int, prediction: dict[str, Any]) -> dict[str, float]:
        """Median px from the truth, by side."""
        camera = self.capture[frame].camera
        truth = {h.side: h.keypoints_px for h in self.capture[frame].hands if h.wearer}
        return {
            h.side: float(np.nanmedian(np.linalg.norm(h.keypoints_px - truth[h.side], axis=-1)))
            for h in read_answer({**prediction, "id": 0}, camera).hands
            if h.side in truth
        }


@pytest.fixture
def desk(capture: Any, tmp_path: Path) -> Desk:
    return Desk(capture, tmp_path)


def list_notes(prediction: dict[str, Any]) -> list[str]:
    return [n for item in prediction["result"] for n in item.get("meta", {}).get("text", [])]


def test_a_correction_becomes_the_next_frames_prediction(desk: Desk) -> None:
    desk.correct(0)
    report = desk.propagate()
    assert (report.corrected, report.sent, report.doubted) == (1, 1, 0)
    counts = {f: len(desk.task(f)["predictions"]) for f in range(2 * LENGTH)}
    assert counts == {f: 1 + (f == 1) for f in range(2 * LENGTH)}
    old, new = desk.task(1)["predictions"]
    assert new["model_version"] == old["model_version"] == "bad"
    assert list_notes(new)[0].startswith("followed from frame 0 (")
    before, after = desk.errors(1, old), desk.errors(1, new)
    followed = [item["id"] for item in new["result"] if item.get("meta")]
    assert followed and report.hands == len(followed)
    for side in followed:
        assert after[side] < 2.0 < 5.0 < before[side]


def test_never_twice_and_again_when_corrected_again(desk: Desk) -> None:
    given = desk.correct(0)
    assert desk.propagate().sent == 1
    report = desk.propagate()
    assert (report.sent, report.there) == (0, 1)
    assert len(desk.task(1)["predictions"]) == 2
    changed = copy.deepcopy(given["result"])
    # The other one is a spare, which nobody has dragged.
    hands = [item for item in changed if item["type"] == "vectorlabels"]
    for vertex in hands[1]["value"]["vertices"]:
        vertex["y"] += 0.3
    desk.studio.correct(given, changed)
    assert desk.propagate().sent == 1
    notes = [list_notes(p)[:1] for p in desk.task(1)["predictions"]]
    assert len(notes) == 3 and notes[1] != notes[2]


@pytest.mark.parametrize("fault", ["lost", "broken", "late"])
def test_never_twice_whatever_becomes_of_the_answer(desk: Desk, fault: str) -> None:
    desk.correct(0)
    counts: dict[str, int] = {}

    def choose(name: str) -> str | None:
        counts[name] = counts.get(name, 0) + 1
        return fault if name == "predict" and counts[name] == 1 else None

    desk.studio.fault = choose
    assert desk.propagate().failures >= 1
    assert len(desk.task(1)["predictions"]) == 2


def test_a_stopped_run_sends_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the server took the prediction, before the ledger noted it."""
    desk.correct(0)

    class Killed(BaseException):
        pass

    def die(self: Ledger, keys: Any, model: str, under_way: bool = False) -> None:
        if not under_way:
            raise Killed
        mark(self, keys, model, under_way)

    mark = Ledger.mark_predicted
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "mark_predicted", die)
        with pytest.raises(Killed):
            desk.propagate()
    assert len(desk.task(1)["predictions"]) == 2
    assert desk.propagate().sent == 0
    assert len(desk.task(1)["predictions"]) == 2
    assert desk.propagate().there == 1


def test_only_untouched_tasks_of_the_same_sequence(desk: Desk) -> None:
    desk.correct(0)
    desk.correct(1)
    skipped = desk.correct(2, was_cancelled=True)
    desk.correct(LENGTH - 1)  # the next frame is another sequence's
    desk.studio.accept(desk.task(LENGTH + 1)["id"])
    report = desk.propagate()
    touched = {f for f in range(2 * LENGTH) if len(desk.task(f)["predictions"]) > 1}
    # Frame 1 of the second sequence was accepted as it was, 6 px off: its frame 2 may follow it.
    assert touched <= {LENGTH + 2} and report.sent == len(touched)
    assert skipped["was_cancelled"]


def test_followed_further_ahead(desk: Desk) -> None:
    desk.correct(0)
    assert desk.propagate(ahead=3).sent == 3
    new = desk.task(3)["predictions"][-1]
    assert max(desk.errors(3, new).values()) < 3.0
    with pytest.raises(BadInput, match="ahead must be >= 1"):
        desk.propagate(ahead=0)


def test_frames_without_hands_or_with_doubtful_ones_lead_nowhere(desk: Desk) -> None:
    desk.studio.annotate(desk.task(0)["id"], [])
    wrong = desk.correct(LENGTH)
    result = copy.deepcopy(wrong["result"])
    result[0]["value"]["vertices"][8]["x"] = 99.0
    desk.studio.correct(wrong, result)
    report = desk.propagate()
    assert report.sent == 0 and report.doubted == 1


def test_a_pull_refines_what_is_new_alone(desk: Desk, frames: list[Frame]) -> None:
    for frame in range(3):
        desk.correct(frame)
    report = desk.pull()
    assert (report.frames, report.fitted) == (3, 3) and report.refined == report.hands > 0
    data = open_dataset(desk.out)
    first = {p.name: p.read_bytes() for p in (desk.out / "shards").iterdir()}
    for place in range(3):
        for hand in data[place].hands:
            truth = next(h for h in frames[place].hands if h.wearer and h.side == hand.side)
            away = np.linalg.norm(hand.keypoints_cam_m - truth.keypoints_cam_m, axis=-1)
            assert (hand.provenance == PROVENANCE_MODEL).all() and np.median(away) < 0.008
        assert data[place].parts is not None
    assert not verify_dataset(desk.out).problems
    # Nothing new: nothing is fitted, the bytes stay. The same from the ledger alone.
    assert desk.pull().fitted == 0
    assert {p.name: p.read_bytes() for p in (desk.out / "shards").iterdir()} == first
    desk.out.rename(desk.home / "old")
    assert desk.pull().fitted == 0
    assert {p.name: p.read_bytes() for p in (desk.out / "shards").iterdir()} == first
    # A frame of another sequence is fitted alone.
    desk.correct(LENGTH + 1)
    report = desk.pull()
    assert (report.fitted, report.frames) == (1, 4)
    # Without: as people placed them.
    assert desk.pull(refine=False).refined == 0
    assert all((h.provenance != PROVENANCE_MODEL).all() for h in open_dataset(desk.out)[0].hands)


def test_what_disagrees_is_reviewed_and_ground_truth_stays(desk: Desk) -> None:
    desk.correct(0)
    wrong = desk.correct(LENGTH)
    result = copy.deepcopy(wrong["result"])
    joint = next(v for v in result[0]["value"]["vertices"] if v["id"] == "index_tip")
    joint["x"] = 99.0 if joint["x"] < 50 else 1.0
    desk.studio.correct(wrong, result)
    report = desk.pull()
    assert report.frames == 1 and len(report.reviews) == 1
    review = report.reviews[0]
    assert review.frame == LENGTH and "disagree" in review.reason
    listed = json.loads((desk.out / "labels" / "review.jsonl").read_text())
    assert listed["reason"] == review.reason
    assert desk.pull(refine=False).frames == 2
    wrong["ground_truth"] = True
    desk.studio.correct(wrong, result)
    report = desk.pull()
    assert report.frames == 2 and not report.reviews
    kept = open_dataset(desk.out)[1]
    k = KEYPOINT_NAMES.index("index_tip")
    width = kept.camera.width
    placed = [h for h in kept.hands if abs(h.keypoints_px[k, 0] - width / 2) > 0.45 * width]
    assert len(placed) == 1 and (placed[0].provenance != PROVENANCE_MODEL).all()
