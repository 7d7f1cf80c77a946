"""Pulling: everything that people did comes back, and nothing else."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from captures import CAMERA, write_capture
from fake_studio import FakeStudio

from frames.checks.verify import verify_dataset
from frames.errors import BadInput
from frames.parts import PROVENANCE_HUMAN, PROVENANCE_LIFTED, PROVENANCE_NONE
from frames.skeleton import KEYPOINT_NAMES
from frames.store.dataset import open_dataset
from labeling.ledger import Ledger, ledger_path
from labeling.predictors import open_predictor
from labeling.pull import PullPlan, PullReport, pull
from labeling.push import PushPlan, push
from labeling.sending import Patience

COUNT = 10
LARGE = 140
"""More than a shard."""
QUICK = Patience(settle_s=0.2, pause_s=0.01, longest_pause_s=0.05)


class Bench:
    """A project with a capture in it."""

    def __init__(self, capture: Any, home: Path, predictor: str = "labels") -> None:
        self.studio, self.capture, self.home = FakeStudio(), capture, home
        self.path = ledger_path(home, self.studio.url, "hands")
        self.out = home / "labels"
        ledger = Ledger(self.path)
        plan = PushPlan("hands", home / "pictures", patience=QUICK)
        push(self.studio, capture, ledger, open_predictor(predictor), plan)
        ledger.close()

    def pull(self, **plan: Any) -> PullReport:
        ledger = Ledger(self.path)
        try:
            return pull(self.studio, ledger, self.out, PullPlan(patience=QUICK, **plan))
        finally:
            ledger.close()

    def task(self, frame: int) -> int:
        return next(n for n, t in self.studio.tasks.items() if t["data"]["frame"] == frame)

    def result(self, frame: int) -> list[dict[str, Any]]:
        prediction = self.studio.tasks[self.task(frame)]["predictions"][-1]
        return copy.deepcopy(prediction["result"])


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return write_capture(tmp_path_factory.mktemp("pull") / "capture", COUNT)


@pytest.fixture
def bench(capture: Any, tmp_path: Path) -> Bench:
    return Bench(capture, tmp_path)


def hand_of(result: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(r for r in result if r["id"] == name and r["type"] == "vectorlabels")


def vertex_of(result: list[dict[str, Any]], hand: str, joint: str) -> dict[str, Any]:
    return next(v for v in hand_of(result, hand)["value"]["vertices"] if v["id"] == joint)


def mark(result: list[dict[str, Any]], hand: str, control: str, *joints: str) -> None:
    item = {**hand_of(result, hand), "type": "choices", "from_name": control}
    result.append({**item, "value": {"choices": list(joints)}})


def test_what_was_accepted_comes_back_to_the_bit(bench: Bench) -> None:
    for frame in (0, 1, 2):
        bench.studio.accept(bench.task(frame))
    report = bench.pull()
    assert (report.frames, report.hands, report.reviews) == (3, 6, [])
    data = open_dataset(bench.out)
    assert len(data) == 3
    for frame in data:
        source = bench.capture[frame.frame_id]
        assert frame.source == "real" and np.array_equal(frame.depth, source.depth)
        for ours, theirs in zip(frame.hands, source.hands, strict=True):
            assert ours.side == theirs.side and ours.wearer
            inside = CAMERA.contains(theirs.keypoints_px)
            assert np.array_equal(ours.keypoints_px[inside], theirs.keypoints_px[inside])
    assert not verify_dataset(bench.out).problems


def test_a_corrected_hand(bench: Bench) -> None:
    """Moved, occluded, outside, deleted, turned to the other side."""
    result = bench.result(0)
    source = {h.side: h for h in bench.capture[0].hands}
    moved = vertex_of(result, "right", "index_tip")
    moved["x"], moved["y"] = 61.25, 40.5
    mark(result, "right", "occluded", "ring_pip", "ring_dip")
    mark(result, "right", "outside", "pinky_tip")
    vertices = hand_of(result, "right")["value"]["vertices"]
    vertices.remove(vertex_of(result, "right", "thumb_tip"))
    hand_of(result, "right")["value"]["vectorlabels"] = ["Left"]
    hand_of(result, "left")["value"]["vectorlabels"] = ["Right"]
    bench.studio.annotate(bench.task(0), result)
    assert not bench.pull().reviews
    frame = open_dataset(bench.out)[0]
    assert [h.side for h in frame.hands] == ["left", "right"]
    hand = frame.hands[0]  # the region that was the right hand
    k = {name: i for i, name in enumerate(KEYPOINT_NAMES)}
    assert np.allclose(hand.keypoints_px[k["index_tip"]], (97.5, 48.1), atol=1e-5)
    same = [i for n, i in k.items() if n not in ("index_tip", "thumb_tip", "pinky_tip")]
    assert np.array_equal(hand.keypoints_px[same], source["right"].keypoints_px[same])
    hidden, beyond, gone = k["ring_pip"], k["pinky_tip"], k["thumb_tip"]
    assert hand.visibility[hidden] == 1 and hand.provenance[hidden] == PROVENANCE_HUMAN
    assert np.isnan(hand.keypoints_cam_m[hidden]).all()
    assert (hand.visibility[beyond], hand.occlusion[beyond]) == (0, 4)
    assert hand.provenance[beyond] == PROVENANCE_HUMAN
    assert (hand.visibility[gone], hand.provenance[gone]) == (0, PROVENANCE_NONE)
    for joint in (beyond, gone):
        assert np.isnan(hand.keypoints_px[joint]).all()
    lines = (bench.out / "labels" / "frames.jsonl").read_text().splitlines()
    marks = json.loads(lines[0])["hands"][0]["marks"]
    assert (marks[hidden], marks[beyond], marks[gone]) == ("occluded", "outside", "deleted")
    assert not verify_dataset(bench.out).problems


def test_lifting_finds_the_joints_of_what_was_rendered(bench: Bench) -> None:
    """Joints lie 9 mm behind the skin there, FLESH_M is of real fingers: within a few mm."""
    for frame in range(COUNT):
        bench.studio.accept(bench.task(frame))
    bench.pull()
    off, lifted = [], 0
    for frame in open_dataset(bench.out):
        for ours, theirs in zip(frame.hands, bench.capture[frame.frame_id].hands, strict=True):
            known = ours.provenance == PROVENANCE_LIFTED
            lifted += known.sum()
            assert (np.isfinite(ours.keypoints_cam_m).all(-1) == known).all()
            difference = ours.keypoints_cam_m[known] - theirs.keypoints_cam_m[known]
            off += np.linalg.norm(difference, axis=-1).tolist()
            again = CAMERA.project(ours.keypoints_cam_m[known])
            assert np.allclose(again, ours.keypoints_px[known], atol=1e-3)
    assert lifted > 300
    assert np.median(off) < 0.006
    assert np.percentile(off, 95) < 0.025


def test_an_untouched_spare_is_no_hand(capture: Any, tmp_path: Path) -> None:
    bench = Bench(capture, tmp_path, "none")
    bench.studio.accept(bench.task(0))
    result = bench.result(1)
    for vertex in hand_of(result, "left")["value"]["vertices"]:
        vertex["x"] += 20.0
        vertex["y"] -= 30.0
    bench.studio.annotate(bench.task(1), result)
    half = bench.result(2)
    for vertex in hand_of(half, "left")["value"]["vertices"][:10]:
        vertex["x"] += 20.0
    bench.studio.annotate(bench.task(2), half)
    bench.studio.annotate(bench.task(3), [])
    report = bench.pull()
    counts = {f.frame_id: [h.side for h in f.hands] for f in open_dataset(bench.out)}
    assert counts == {0: [], 1: ["left"], 2: []}
    assert "11 joints of the left hand still lie where the spare hand" in report.reviews[0].reason


def _set(path: str, value: Any) -> Callable[[list[Any]], None]:
    def change(result: list[Any]) -> None:
        *way, last = path.split(".")
        at: Any = result[0]
        for step in way:
            at = at[int(step)] if step.isdecimal() else at[step]
        at[int(last) if last.isdecimal() else last] = value

    return change


def _twenty_strangers(result: list[Any]) -> None:
    vertices = result[0]["value"]["vertices"][:20]
    result[0]["value"]["vertices"] = [{**v, "id": f"x{i}q"} for i, v in enumerate(vertices)]


HOSTILE: dict[str, tuple[Callable[[list[Any]], None], str]] = {
    "unknown label": (_set("value.vectorlabels", ["Foot"]), "must be Left or Right, got"),
    "two labels": (_set("value.vectorlabels", ["Left", "Right"]), "must be Left or Right"),
    "label is a list": (_set("value.vectorlabels", [["Left"]]), "must be Left or Right"),
    "x of 140": (_set("value.vertices.3.x", 140.0), "outside the image (x = 140 %"),
    "null": (_set("value.vertices.3.y", None), "y is no number: None"),
    "text": (_set("value.vertices.3.x", "12"), "x is no number: '12'"),
    "infinite": (_set("value.vertices.3.x", float("inf")), "x = inf"),
    "true": (_set("value.vertices.3.x", True), "x is no number"),
    "twenty strangers": (_twenty_strangers, "none of the 21 ('x0q', 20 vertices)"),
    "joint twice": (_set("value.vertices.3.id", "wrist"), "has the joint wrist twice"),
    "vertex is none": (_set("value.vertices.3", 7), "none of the 21"),
    "vertex id": (_set("value.vertices.3.id", {"a": 1}), "none of the 21"),
    "no vertices": (_set("value.vertices", None), "without joints"),
    "turned": (_set("image_rotation", 90), "turned by 90 degrees"),
    "another size": (_set("original_width", 640), "an image of 640 x 120, the depth has 160 x 120"),
    "two left hands": (_set("value.vectorlabels", ["Right"]), "2 right hands of the wearer"),
    "duplicate ids": (_set("id", "right"), "two regions with the id 'right'"),
    "no value": (_set("value", None), "a region is none"),
    "a rectangle": (_set("from_name", "box"), "a region of an unknown kind: 'box'"),
    "id is none": (_set("id", None), "id is no text"),
    "marks of nobody": (lambda r: mark(r, "left", "occluded") or r[-1].update(id="z"), "not there"),
    "marks twice": (
        lambda r: mark(r, "left", "outside", "wrist") or mark(r, "left", "outside", "wrist"),
        "marks (outside) of one hand twice",
    ),
    "unknown mark": (lambda r: mark(r, "left", "occluded", "nose"), "unknown choice 'nose'"),
    "a region is text": (lambda r: r.append("hand"), "a region is none: 'hand'"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_answers_go_to_the_review_list(bench: Bench, kind: str) -> None:
    change, reason = HOSTILE[kind]
    result = bench.result(0)
    change(result)
    number = bench.studio.annotate(bench.task(0), result)["id"]
    bench.studio.accept(bench.task(1))
    report = bench.pull()
    assert report.frames == 1
    assert [(r.annotation, r.frame) for r in report.reviews] == [(number, 0)]
    assert reason in report.reviews[0].reason
    line = json.loads((bench.out / "labels" / "review.jsonl").read_text())
    assert line["reason"] == report.reviews[0].reason and line["task"] == bench.task(0)
    assert len(open_dataset(bench.out)) == 1


def test_answers_that_are_no_lists(bench: Bench) -> None:
    bench.studio.annotate(bench.task(0), {"a": 1})
    bench.studio.annotate(bench.task(1), None)
    stranger = {"id": 999, "project": 1, "data": {"frame_id": "other"}, "annotations": []}
    bench.studio.tasks[999] = {**stranger, "predictions": [], "updated_at": "2999"}
    bench.studio.annotate(999, [])
    report = bench.pull()
    assert sorted(r.reason for r in report.reviews) == [
        "its frame was never pushed from here",
        "its result is no list: None",
        "its result is no list: {'a': 1}",
    ]
    assert report.frames == 0 and not (bench.out / "dataset.json").exists()


def test_every_version_is_kept(bench: Bench) -> None:
    first = bench.studio.accept(bench.task(0))
    assert bench.pull().new_versions == 1
    result = bench.result(0)
    vertex_of(result, "left", "wrist")["x"] += 1.0
    bench.studio.correct(first, result)
    assert bench.pull().new_versions == 1
    bench.studio.tasks[bench.task(0)]["annotations"].clear()
    report = bench.pull(full=True)
    assert report.frames == 0
    ledger = Ledger(bench.path)
    key = bench.studio.tasks[bench.task(0)]["data"]["frame_id"]
    history = ledger.list_history(key)
    ledger.close()
    xs = [vertex_of(a["result"], "left", "wrist")["x"] for a in history]
    assert len(xs) == 2 and xs[1] == xs[0] + 1.0


def test_an_incremental_pull_asks_for_what_changed(tmp_path: Path) -> None:
    bench = Bench(write_capture(tmp_path / "capture", LARGE), tmp_path / "home")
    for frame in range(LARGE):
        bench.studio.accept(bench.task(frame))
    # Long before the next change.
    for task in bench.studio.tasks.values():
        task["updated_at"] = task["updated_at"].replace("20", "19", 1)
    assert bench.pull().fetched == LARGE
    before = {p.name: p.stat().st_mtime_ns for p in (bench.out / "shards").iterdir()}
    result = bench.result(LARGE - 1)
    vertex_of(result, "right", "wrist")["x"] += 2.0
    task = bench.studio.tasks[bench.task(LARGE - 1)]
    bench.studio.correct(task["annotations"][0], result)
    report = bench.pull()
    assert (report.fetched, report.new_versions, report.frames) == (1, 1, LARGE)
    assert report.rewritten == 1
    after = {p.name: p.stat().st_mtime_ns for p in (bench.out / "shards").iterdir()}
    assert {n for n in after if after[n] != before[n]} == {
        "frames-00001.parquet",
        "frames-00001.parquet.sha256",
    }
    assert not verify_dataset(bench.out).problems


def test_a_stopped_pull_loses_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import labeling.labelled as labelled

    bench.studio.accept(bench.task(0))
    bench.pull()
    bench.studio.accept(bench.task(1))

    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    for name in ("write_shard", "create_dataset", "write_reviews"):
        with monkeypatch.context() as patched:
            patched.setattr(labelled, name, die)
            with pytest.raises(Killed):
                bench.pull()
        assert len(open_dataset(bench.out)) == 1
    # Killed between the two renames.
    bench.out.rename(bench.out.parent / f".{bench.out.name}.old")
    assert bench.pull().frames == 2
    assert len(open_dataset(bench.out)) == 2
    assert sorted(p.name for p in bench.out.parent.iterdir()) == ["labels", "ledgers", "pictures"]


def test_several_annotators(bench: Bench) -> None:
    """Three: the median. Two that are far apart, or split: review. Ground truth: alone."""
    for shift, who in ((0.0, 1), (0.3, 2), (0.9, 3)):
        result = bench.result(0)
        vertex_of(result, "left", "wrist")["x"] += shift
        if who > 1:
            mark(result, "left", "occluded", "wrist")
        bench.studio.annotate(bench.task(0), result, who)
    bench.studio.accept(bench.task(1), 1)
    far = bench.result(1)
    vertex_of(far, "right", "ring_tip")["y"] += 20.0
    bench.studio.annotate(bench.task(1), far, 2)
    bench.studio.accept(bench.task(2), 1)
    one = [r for r in bench.result(2) if r["id"] == "left"]
    bench.studio.annotate(bench.task(2), one, 2)
    bench.studio.annotate(bench.task(5), one, 2, ground_truth=True)
    bench.studio.accept(bench.task(5), 1)
    report = bench.pull()
    data = {f.time_s: f for f in open_dataset(bench.out)}
    assert report.frames == 2
    frame = open_dataset(bench.out)[0]
    source = bench.capture[0].hands[0]
    wanted = source.keypoints_px[0] + np.array((0.3 / 100 * CAMERA.width, 0.0))
    assert np.allclose(frame.hands[0].keypoints_px[0], wanted, atol=1e-4)
    assert frame.hands[0].visibility[0] == 1
    assert [h.side for h in open_dataset(bench.out)[1].hands] == ["left"]
    reasons = {r.frame: r.reason for r in report.reviews}
    assert "disagree on right ring_tip by 12.0 px" in reasons[1]
    assert reasons[2] == "annotators are split on whether there is a right hand"
    assert bench.pull(policy="latest").frames == 4
    assert data


def test_quality_flags(bench: Bench) -> None:
    def flag(*names: str) -> dict[str, Any]:
        return {
            "id": "q",
            "type": "choices",
            "from_name": "quality",
            "to_name": "img",
            "value": {"choices": list(names)},
        }

    note = {"id": "n", "type": "textarea", "from_name": "note", "value": {"text": ["dark"]}}
    bench.studio.annotate(bench.task(0), [*bench.result(0), flag("unusable")])
    bench.studio.annotate(bench.task(1), [*bench.result(1), flag("unsure"), note])
    bench.studio.annotate(bench.task(2), bench.result(2), was_cancelled=True)
    mark_other = bench.result(4)
    mark(mark_other, "left", "owner", "another person's")
    bench.studio.annotate(bench.task(4), mark_other)
    report = bench.pull()
    assert [r.reason for r in report.reviews] == ["the annotator is unsure: dark"]
    frame = open_dataset(bench.out)[0]
    assert {h.side: h.wearer for h in frame.hands} == {"left": False, "right": True}


def test_faults_do_not_stop_a_pull(bench: Bench) -> None:
    bench.studio.accept(bench.task(0))
    counts = 0

    def choose(name: str) -> str | None:
        nonlocal counts
        counts += 1
        return "broken" if counts % 2 else None

    bench.studio.fault = choose
    report = bench.pull()
    assert (report.frames, report.failures) == (1, 1)


def test_bad_places(bench: Bench, tmp_path: Path) -> None:
    bench.studio.accept(bench.task(0))
    bench.out.mkdir()
    (bench.out / "thesis.txt").write_text("x")
    with pytest.raises(BadInput, match="holds something else than pulled labels"):
        bench.pull()
    assert (bench.out / "thesis.txt").exists()
    ledger = Ledger(tmp_path / "empty.sqlite")
    with pytest.raises(BadInput, match="nothing was pushed"):
        pull(bench.studio, ledger, tmp_path / "o", PullPlan())
    ledger.close()
    with pytest.raises(BadInput, match="policy must be one of agree, latest"):
        bench.pull(policy="best")


def test_a_dataset_that_moved_or_changed(capture: Any, tmp_path: Path) -> None:
    first = write_capture(tmp_path / "first", 4)
    bench = Bench(first, tmp_path / "home")
    for frame in range(4):
        bench.studio.accept(bench.task(frame))
    (tmp_path / "first").rename(tmp_path / "away")
    report = bench.pull()
    assert report.frames == 0 and "is not there: name it with --data" in report.reviews[0].reason
    (tmp_path / "there").mkdir()
    (tmp_path / "away").rename(tmp_path / "there" / "first")
    assert bench.pull(data=[tmp_path / "there" / "first"]).frames == 4


def test_labels_of_two_datasets_are_one_sound_dataset(tmp_path: Path) -> None:
    """Sequences keep apart and in one piece."""
    bench = Bench(write_capture(tmp_path / "a", 8), tmp_path / "home")
    ledger = Ledger(bench.path)
    other = write_capture(tmp_path / "b", 8)
    meta = other[0]
    assert meta.sequence_id == 0
    from frames.store.frame_table import build_frame_table
    from frames.store.shard import write_shard

    changed = [replace(f, depth_scale=9_999.0) for f in other]
    write_shard(tmp_path / "b", 0, build_frame_table(changed))
    plan = PushPlan("hands", bench.home / "pictures", patience=QUICK)
    push(bench.studio, open_dataset(tmp_path / "b"), ledger, open_predictor("labels"), plan)
    ledger.close()
    for number in bench.studio.tasks:
        bench.studio.accept(number)
    assert bench.pull().frames == 16
    assert [f.sequence_id for f in open_dataset(bench.out)] == [0] * 5 + [1] * 3 + [2] * 5 + [3] * 3
    assert not verify_dataset(bench.out).problems
