"""Pushing: exactly one task a frame, whatever goes wrong."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from captures import CAMERA, write_capture
from fake_studio import FakeStudio

from frames.errors import BadInput
from labeling.ledger import Ledger, ledger_path, lock_ledger
from labeling.predictors import Predictor, open_predictor, wrap_pose
from labeling.push import PushPlan, PushReport, push
from labeling.sending import Patience

COUNT = 30
QUICK = Patience(settle_s=0.5, pause_s=0.01, longest_pause_s=0.05)


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return write_capture(tmp_path_factory.mktemp("push") / "capture", COUNT)


@pytest.fixture
def studio() -> FakeStudio:
    return FakeStudio()


def run(
    studio: FakeStudio, capture: Any, home: Path, predictor: str | Predictor = "labels", **more: Any
) -> PushReport:
    """One push as the command does it."""
    path = ledger_path(home, studio.url, "hands")
    chosen = open_predictor(predictor) if isinstance(predictor, str) else predictor
    plan = PushPlan("hands", home / "pictures", **{"patience": QUICK, "batch": 8, **more})
    with lock_ledger(path, 30.0):
        ledger = Ledger(path)
        try:
            return push(studio, capture, ledger, chosen, plan)
        finally:
            ledger.close()


def assert_one_task_a_frame(studio: FakeStudio, count: int = COUNT) -> None:
    keys = Counter(t["data"]["frame_id"] for t in studio.tasks.values())
    assert len(keys) == count and set(keys.values()) == {1}


def test_every_frame_becomes_one_task(studio: FakeStudio, capture: Any, tmp_path: Path) -> None:
    report = run(studio, capture, tmp_path)
    assert (report.sent, report.there, report.failures) == (COUNT, 0, 0)
    assert_one_task_a_frame(studio)
    again = run(studio, capture, tmp_path)
    assert (again.sent, again.there, again.repredicted) == (0, COUNT, 0)
    assert_one_task_a_frame(studio)
    assert studio.requests.count("import") == 4


def test_a_task_shows_pictures_of_the_depths_size(
    studio: FakeStudio, capture: Any, tmp_path: Path
) -> None:
    run(studio, capture, tmp_path)
    task = next(t for t in studio.tasks.values() if t["data"]["frame"] == 1)
    data = task["data"]
    before = next(t for t in studio.tasks.values() if t["data"]["frame"] == 0)
    assert data["previous"] == before["data"]["image"]
    for name in ("image", "previous"):
        prefix, path = data[name].split("?d=")
        assert prefix == "/data/local-files/"
        picture = cv2.imread(str(tmp_path / "pictures" / path), cv2.IMREAD_UNCHANGED)
        assert picture.dtype == np.uint8 and picture.shape == (CAMERA.height, CAMERA.width, 3)
    assert sorted(p.suffix for p in (tmp_path / "pictures").rglob("*") if p.is_file()) == (
        [".png"] * (COUNT + 1)
    )


def test_the_first_of_a_sequence_has_no_previous(
    studio: FakeStudio, capture: Any, tmp_path: Path
) -> None:
    run(studio, capture, tmp_path)
    for task in studio.tasks.values():
        alone = task["data"]["previous"].endswith("/none.png")
        assert alone == (task["data"]["frame"] % 5 == 0)


def test_the_least_certain_come_first(studio: FakeStudio, capture: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    labels = open_predictor("labels")
    order = np.random.default_rng(1).permutation(COUNT)

    def find(frame: Any) -> Any:
        score = float(order[frame.frame_id] + 1) / (COUNT + 1)
        return tuple(replace(p, score=score) for p in labels.find(frame))

    run(studio, capture, tmp_path, Predictor("scored", find))
    scores = [t["predictions"][0]["score"] for t in studio.tasks.values()]
    assert scores == sorted(scores) and len(set(scores)) > COUNT // 2


@pytest.mark.parametrize("fault", ["lost", "late", "refused", "broken"])
def test_no_double_when_requests_fail(
    studio: FakeStudio, capture: Any, tmp_path: Path, fault: str
) -> None:
    """Every other request of every kind fails in this way."""
    counts: Counter[str] = Counter()

    def choose(name: str) -> str | None:
        counts[name] += 1
        if fault == "late" and name not in ("import", "create"):
            return None
        return fault if counts[name] % 2 else None

    studio.fault = choose
    report = run(studio, capture, tmp_path)
    studio.fault = lambda name: None
    assert report.failures >= 3
    assert len(studio.projects) == 1
    assert_one_task_a_frame(studio)
    assert run(studio, capture, tmp_path).sent == 0
    assert_one_task_a_frame(studio)


def test_a_push_that_was_killed_waits_for_what_it_sent(
    studio: FakeStudio, capture: Any, tmp_path: Path
) -> None:
    """The request comes to be done only after the next push has looked for the first time."""

    class Killed(BaseException):
        pass

    def kill(name: str) -> str | None:
        if name == "list" and studio.requests.count("import") == 2:
            raise Killed
        return "late" if name == "import" and studio.requests.count("import") == 2 else None

    studio.late_s = 0.3
    studio.fault = kill
    with pytest.raises(Killed):
        run(studio, capture, tmp_path)
    assert len(studio.tasks) == 8
    studio.fault = lambda name: None
    report = run(studio, capture, tmp_path)
    assert report.sent == COUNT - 16
    assert_one_task_a_frame(studio)


def test_a_dead_server_is_given_up_and_gone_on_with(
    studio: FakeStudio, capture: Any, tmp_path: Path
) -> None:
    run(studio, capture, tmp_path, frames=range(5))
    studio.fault = lambda name: "broken" if name != "list" else None
    with pytest.raises(BadInput, match=r"gave up after 6 failures .* goes on from there"):
        run(studio, capture, tmp_path)
    studio.fault = lambda name: None
    run(studio, capture, tmp_path)
    assert_one_task_a_frame(studio)


def test_two_pushes_at_once(studio: FakeStudio, capture: Any, tmp_path: Path) -> None:
    reports: list[PushReport] = []
    threads = [
        threading.Thread(target=lambda: reports.append(run(studio, capture, tmp_path)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r.sent for r in reports) == [0, 0, COUNT]
    assert_one_task_a_frame(studio)
    assert len(studio.projects) == 1


def test_waiting_for_another_push_ends(tmp_path: Path) -> None:
    path = ledger_path(tmp_path, "http://fake", "hands")
    with (
        lock_ledger(path, 1.0),
        pytest.raises(BadInput, match="another handloom"),
        lock_ledger(path, 0.1),
    ):
        pass


def test_a_new_model_predicts_untouched_tasks_only(
    studio: FakeStudio, capture: Any, tmp_path: Path
) -> None:
    run(studio, capture, tmp_path, "none")
    touched = [*studio.tasks][:4]
    studio.accept(touched[0])
    studio.annotate(touched[1], [], was_cancelled=True)
    before = [repr(studio.tasks[n]["annotations"]) for n in touched]
    counts: Counter[str] = Counter()

    def choose(name: str) -> str | None:
        counts[name] += 1
        return "lost" if name == "predict" and counts[name] == 1 else None

    studio.fault = choose
    report = run(studio, capture, tmp_path, "labels")
    assert (report.sent, report.repredicted) == (0, COUNT - 2)
    assert [repr(studio.tasks[n]["annotations"]) for n in touched] == before
    for number, task in studio.tasks.items():
        models = [p["model_version"] for p in task["predictions"]]
        assert models == (["none"] if number in touched[:2] else ["none", "labels"])
    assert next(iter(studio.projects.values())).model_version == "labels"
    assert run(studio, capture, tmp_path, "labels").repredicted == 0


def test_frames_that_are_equal_are_one_task(
    studio: FakeStudio, capture: Any, tmp_path: Path
) -> None:
    report = run(studio, capture, tmp_path, frames=[3, 4, 3])
    assert (report.sent, report.equal) == (2, 1)
    moved = write_capture(tmp_path / "moved", 6)
    report = run(studio, moved, tmp_path)
    assert (report.sent, report.there) == (4, 2)


def test_a_project_of_another_ledger_is_left_alone(
    studio: FakeStudio, capture: Any, tmp_path: Path
) -> None:
    run(studio, capture, tmp_path / "a")
    with pytest.raises(BadInput, match="is pushed to from another folder"):
        run(studio, capture, tmp_path / "b")
    report = run(studio, capture, tmp_path / "b", adopt=True)
    assert (report.sent, report.there) == (0, COUNT)
    assert_one_task_a_frame(studio)


def test_a_persons_project_is_left_alone(studio: FakeStudio, capture: Any, tmp_path: Path) -> None:
    studio.create_project("hands", "mine", "<View/>")
    with pytest.raises(BadInput, match="was not made by handloom"):
        run(studio, capture, tmp_path)
    assert not studio.tasks


def test_a_changed_interface_is_refused(studio: FakeStudio, capture: Any, tmp_path: Path) -> None:
    run(studio, capture, tmp_path, frames=range(2))
    studio._change(next(iter(studio.projects)), interface="<View/>")
    with pytest.raises(BadInput, match="interface of project 'hands' was changed"):
        run(studio, capture, tmp_path)


def test_any_callable_predicts(studio: FakeStudio, capture: Any, tmp_path: Path) -> None:
    """Two hands of one likely side: the less likely one is the other."""

    class Found:
        def __init__(self, right: float, score: float, shift: float) -> None:
            self.right, self.score = right, score
            self.keypoints_px = np.stack([np.linspace(20, 60, 21) + shift, np.full(21, 50.0)], -1)
            self.visible = np.linspace(0, 1, 21)
            self.confidence = np.linspace(0.1, 1, 21)

    pose = wrap_pose(lambda depth, camera: (Found(0.9, 0.5, 0), Found(0.8, 0.7, 40)), "two")
    run(studio, capture, tmp_path, pose, frames=[0])
    prediction = next(iter(studio.tasks.values()))["predictions"][0]
    hands = {r["id"]: r for r in prediction["result"] if r["type"] == "vectorlabels"}
    assert hands["right"]["score"] == 0.7 and hands["left"]["score"] == 0.5
    marked = next(r for r in prediction["result"] if r["type"] == "choices" and r["id"] == "left")
    assert marked["from_name"] == "occluded" and len(marked["value"]["choices"]) == 10
    assert "wrist 0.10" in hands["left"]["meta"]["text"][0]
