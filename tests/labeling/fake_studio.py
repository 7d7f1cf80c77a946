"""A Label Studio in memory that behaves as the real one was seen to, faults included.

It keeps whatever it is sent (it checks nothing), makes doubles if asked to, carries out requests
whose client is gone, and is slow to.
"""

import copy
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from labeling.studio import Project, StudioError, TaskState
from labeling.tasks import find_mark

Fault = Callable[[str], str | None]
"""Of a request's name: None, "lost" (done, but no answer), "late" (done in a while, no answer),
"refused" (never arrived) or "broken" (502, not done).
"""


class FakeStudio:
    """`labeling.studio.Studio` in memory; safe for threads."""

    def __init__(self, late_s: float = 0.2) -> None:
        self.url = "http://fake"
        self.projects: dict[int, Project] = {}
        self.tasks: dict[int, dict[str, Any]] = {}
        self.folders: list[tuple[int, str]] = []
        self.requests: list[str] = []
        self.fault: Fault = lambda name: None
        self.late_s = late_s
        self._lock = threading.RLock()
        self._next = 1
        self._annotation = 1

    def _do(self, name: str, act: Callable[[], Any]) -> Any:
        with self._lock:
            self.requests.append(name)
            fault = self.fault(name)
            if fault in ("refused", "broken"):
                raise StudioError(f"{name}: {fault}", certain=fault == "refused")
            if fault == "late":
                threading.Timer(self.late_s, self._locked, [act]).start()
                raise StudioError(f"{name}: timed out")
            answer = act()
            if fault == "lost":
                raise StudioError(f"{name}: the answer was lost")
            return answer

    def _locked(self, act: Callable[[], Any]) -> None:
        with self._lock:
            act()

    def find_projects(self, title: str) -> list[Project]:
        return self._do("find", lambda: [p for p in self.projects.values() if p.title == title])

    def create_project(self, title: str, description: str, interface: str) -> Project:
        def act() -> Project:
            project = Project(self._next, title, description, interface, "")
            self.projects[self._next] = project
            self._next += 1
            return project

        return self._do("create", act)

    def describe_project(self, number: int, description: str) -> None:
        self._do("describe", lambda: self._change(number, description=description))

    def show_model(self, project: int, model_version: str) -> None:
        self._do("show", lambda: self._change(project, model_version=model_version))

    def _change(self, number: int, **what: Any) -> None:
        from dataclasses import replace

        self.projects[number] = replace(self.projects[number], **what)

    def serve_pictures(self, project: int, folder: str) -> None:
        self._do("serve", lambda: self.folders.append((project, folder)))

    def list_picture_folders(self, project: int) -> list[str]:
        return self._do("folders", lambda: [f for p, f in self.folders if p == project])

    def list_tasks(self, project: int, above: int = 0) -> list[TaskState]:
        def act() -> list[TaskState]:
            return [
                TaskState(
                    number,
                    task["data"].get("frame_id"),
                    copy.deepcopy(task["data"]),
                    sum(not a["was_cancelled"] for a in task["annotations"]),
                    sum(a["was_cancelled"] for a in task["annotations"]),
                    0,
                )
                for number, task in self.tasks.items()
                if task["project"] == project and number > above
            ]

        return self._do("list", act)

    def import_tasks(self, project: int, tasks: Sequence[dict[str, Any]]) -> None:
        tasks = copy.deepcopy(list(tasks))

        def act() -> None:
            for task in tasks:
                self.tasks[self._next] = {
                    "id": self._next,
                    "project": project,
                    "data": task["data"],
                    "predictions": task["predictions"],
                    "annotations": [],
                    "updated_at": _now(),
                }
                self._next += 1

        self._do("import", act)

    def find_predicted(
        self,
        project: int,
        tasks: Sequence[int],
        model_version: str,
        marks: Mapping[int, str] | None = None,
    ) -> set[int]:
        def has(number: int) -> bool:
            mark = marks[number] if marks else ""
            return any(
                p["model_version"] == model_version and (not mark or find_mark(p["result"], mark))
                for p in self.tasks[number]["predictions"]
            )

        return self._do("predicted", lambda: {t for t in tasks if has(t)})

    def import_predictions(self, project: int, predictions: Sequence[dict[str, Any]]) -> None:
        predictions = copy.deepcopy(list(predictions))

        def act() -> None:
            for prediction in predictions:
                self.tasks[prediction.pop("task")]["predictions"].append(prediction)

        self._do("predict", act)

    def list_changed(self, project: int, since: str) -> list[tuple[int, str]]:
        return self._do(
            "changed",
            lambda: [
                (n, t["updated_at"])
                for n, t in self.tasks.items()
                if t["project"] == project and t["updated_at"] > since
            ],
        )

    def read_answers(self, project: int, tasks: Sequence[int] | None) -> list[dict[str, Any]]:
        return self._do(
            "answers",
            lambda: copy.deepcopy(
                [
                    t
                    for n, t in self.tasks.items()
                    if t["project"] == project
                    and t["annotations"]
                    and (tasks is None or n in tasks)
                ]
            ),
        )

    # What people do.

    def annotate(self, number: int, result: Any, who: int = 1, **more: Any) -> dict[str, Any]:
        """Submit an annotation."""
        with self._lock:
            task = self.tasks[number]
            task["updated_at"] = _now()
            annotation = {
                "id": self._annotation,
                "completed_by": who,
                "result": result,
                "was_cancelled": False,
                "ground_truth": False,
                "lead_time": 12.5,
                "updated_at": task["updated_at"],
                **more,
            }
            self._annotation += 1
            task["annotations"].append(annotation)
            return annotation

    def accept(self, number: int, who: int = 1) -> dict[str, Any]:
        """Submit the newest prediction as it is."""
        prediction = self.tasks[number]["predictions"][-1]
        return self.annotate(number, copy.deepcopy(prediction["result"]), who)

    def correct(self, annotation: dict[str, Any], result: Any) -> None:
        """Change an annotation that is there."""
        with self._lock:
            annotation["result"] = result
            annotation["updated_at"] = _now()
            for task in self.tasks.values():
                if annotation in task["annotations"]:
                    task["updated_at"] = annotation["updated_at"]


def _now() -> str:
    time.sleep(2e-6)
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
