"""Push: a dataset's frames become tasks of a project, each exactly one, whatever happens.

What is on the server is asked of the server, under a lock; what is missing is drawn, predicted,
checked and sent, least certain first. Tasks are never deleted, annotations never written.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from frames.engines.job import Progress
from frames.errors import BadInput
from frames.record import Frame
from labeling.easel import LOCAL_FILES, Easel
from labeling.keys import key_of
from labeling.ledger import KnownFrame, Ledger
from labeling.predictions import cut, send_predictions
from labeling.predictors import Predictor
from labeling.projects import adopt_project, find_project, make_project, read_beside
from labeling.sending import Patience, Sender
from labeling.sources import AnyDataset
from labeling.studio import Project, Studio, TaskState

BATCH: Final = 250
"""Tasks a request: larger ones gain nothing."""


@dataclass(frozen=True)
class PushPlan:
    """What to push, and where pictures go."""

    project: str
    """The project's title."""

    pictures: Path
    """The folder that the server shows (`labeling.pictures.PICTURES`)."""

    picture_url: str = LOCAL_FILES
    """What stands before a picture's path in its address."""

    frames: Sequence[int] | None = None
    """Places in the dataset; None for all."""

    previous: bool = True
    """Show the frame before beside the frame."""

    batch: int = BATCH
    adopt: bool = False
    """Take over a project whose ledger is gone."""

    patience: Patience = field(default_factory=Patience)


@dataclass
class PushReport:
    """What a push did."""

    project: int = 0
    sent: int = 0
    """Tasks that are new."""

    there: int = 0
    """Frames that had a task."""

    repredicted: int = 0
    """Untouched tasks that got a new model's prediction."""

    equal: int = 0
    """Frames that equal another one to the last bit: one task stands for both."""

    doubled: int = 0
    """Frames with more than one task; something else than a push made them."""

    failures: int = 0
    """Requests that failed and were made good."""


def push(
    studio: Studio,
    dataset: AnyDataset,
    ledger: Ledger,
    predictor: Predictor,
    plan: PushPlan,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
) -> PushReport:
    """Push frames; the caller holds `lock_ledger`. Raises BadInput for what cannot be."""
    run = _Push(studio, dataset, ledger, predictor, plan, note)
    return run.go(progress)


class _Push:
    def __init__(
        self,
        studio: Studio,
        dataset: AnyDataset,
        ledger: Ledger,
        predictor: Predictor,
        plan: PushPlan,
        note: Callable[[str], None] | None,
    ) -> None:
        self.studio, self.dataset, self.ledger = studio, dataset, ledger
        self.predictor, self.plan = predictor, plan
        self.sender = Sender(plan.patience, note)
        self.report = PushReport()
        self.states: dict[str, TaskState] = {}
        self.floor = 0

    def go(self, progress: Progress | None) -> PushReport:
        places = range(len(self.dataset)) if self.plan.frames is None else self.plan.frames
        if not len(places):
            raise BadInput(f"{self.dataset.folder} has no frame to push")
        project = self._open_project(self.dataset[int(places[0])])
        beside = read_beside(project)
        self._look(project.number)
        self._wait_for_lost(project.number)
        known = self._learn(places)
        missing = {k: f for k, f in known.items() if k not in self.states}
        self.report.there = len(known) - len(missing)
        renewed = [k for k in known if k in self.states and self.states[k].untouched]
        renewed = sorted(set(renewed) - self.ledger.list_predicted(self.predictor.name))
        if progress is not None:
            progress.begin(len(known), self.report.there)
        easel = Easel(
            *(self.dataset, self.ledger, self.predictor, self.plan.pictures),
            *(f"p{project.number}-{self.ledger.name[:8]}", self.plan.picture_url, beside),
        )
        easel.prepare({**missing, **{k: known[k] for k in renewed}}, set(missing))
        self._send_tasks(project.number, missing, easel, progress)
        self._send_predictions(project.number, renewed)
        if project.model_version != self.predictor.name:
            self.sender.ask(lambda: self.studio.show_model(project.number, self.predictor.name))
        doubled = [k for k, tasks in self.ledger.list_tasks().items() if len(tasks) > 1]
        self.report.doubled = len(doubled)
        self.report.failures = self.sender.failures
        return self.report

    def _open_project(self, first: Frame) -> Project:
        project = self.sender.ask(lambda: self._find())
        if project is None:
            beside = tuple(
                name
                for name, there in (
                    ("previous", self.plan.previous),
                    ("color", first.color is not None),
                    ("infrared", first.infrared is not None),
                )
                if there
            )
            project = make_project(self.studio, self.plan.project, beside, self.ledger, self.sender)
        self.report.project = project.number
        self.ledger.write("url", self.studio.url)
        self.ledger.write("title", self.plan.project)
        self.ledger.write("project", str(project.number))
        self._serve(project.number)
        return project

    def _find(self) -> Project | None:
        if self.plan.adopt:
            return adopt_project(self.studio, self.plan.project, self.ledger)
        return find_project(self.studio, self.plan.project, self.ledger)

    def _serve(self, project: int) -> None:
        """Let the server show the project's pictures, if it is to show local files."""
        if self.plan.picture_url != LOCAL_FILES:
            return
        folder = str(self.plan.pictures.resolve() / f"p{project}-{self.ledger.name[:8]}")
        Path(folder).mkdir(parents=True, exist_ok=True)
        studio = self.studio
        if folder not in self.sender.ask(lambda: studio.list_picture_folders(project)):
            self.sender.send(
                [folder],
                lambda _: studio.serve_pictures(project, folder),
                lambda items: [f for f in items if f not in studio.list_picture_folders(project)],
            )

    def _look(self, project: int) -> None:
        """What the server has."""
        states = self.sender.ask(lambda: list(self.studio.list_tasks(project)))
        self._take(states, whole=True)
        self.floor = max((state.number for state in states), default=0)

    def _take(self, states: list[TaskState], whole: bool) -> None:
        self.ledger.set_tasks(states, whole)
        for state in states:
            if state.key is not None:
                self.states.setdefault(state.key, state)

    def _wait_for_lost(self, project: int) -> None:
        """What an earlier push sent without an answer may still come."""
        sent = self.ledger.list_unanswered()
        if not sent:
            return
        left_s = max(sent.values()) + self.plan.patience.settle_s - time.time()
        missing = self.sender.settle(
            list(sent), lambda keys: self._find_missing(project, keys), 1, max(left_s, 0.0)
        )
        self.ledger.forget_sending(missing)

    def _find_missing(self, project: int, keys: Sequence[str]) -> list[str]:
        states = list(self.studio.list_tasks(project, self.floor))
        self._take(states, whole=False)
        return [key for key in keys if key not in self.states]

    def _learn(self, places: Sequence[int]) -> dict[str, KnownFrame]:
        """The frames asked for by key; of frames that are equal, the first."""
        found: dict[str, KnownFrame] = {}
        folder = self.dataset.folder.resolve()
        whole = len(places) == len(self.dataset)
        frames = self.dataset.stream(["depth", "clean_depth"]) if whole else None
        for place in places:
            frame = next(frames) if frames is not None else self.dataset[int(place)]
            key, digest = key_of(frame)
            if key in found:
                self.report.equal += 1
                continue
            found[key] = KnownFrame(key, folder.name, str(folder), int(place), digest)
        self.ledger.add_frames(found.values())
        return found

    def _send_tasks(
        self,
        project: int,
        missing: dict[str, KnownFrame],
        easel: Easel,
        progress: Progress | None,
    ) -> None:
        scores = self.ledger.list_scores(self.predictor.name)
        order = sorted(missing, key=lambda key: (scores[key], missing[key].frame))
        for keys in cut(order, self.plan.batch):
            predictions = self.ledger.read_proposals(keys, self.predictor.name)
            # In the dataset's order: each row group is read once.
            tasks: dict[str, Any] = {}
            for key, prediction in sorted(
                zip(keys, predictions, strict=True), key=lambda item: missing[item[0]].frame
            ):
                tasks[key] = easel.build_task(missing[key], prediction)
            self.ledger.begin_sending(keys)

            def deliver(some: Sequence[str], tasks: dict[str, Any] = tasks) -> None:
                self.studio.import_tasks(project, [tasks[key] for key in some])

            self.sender.send(keys, deliver, lambda some: self._find_missing(project, some))
            self.ledger.mark_predicted(keys, self.predictor.name)
            self.report.sent += len(keys)
            if progress is not None:
                progress.advance(len(keys))
        if order:  # whatever else has come meanwhile
            self._look(project)

    def _send_predictions(self, project: int, keys: Sequence[str]) -> None:
        """A new model's predictions, for tasks that nobody has touched."""
        model = self.predictor.name
        self.report.repredicted += send_predictions(
            self.studio,
            self.ledger,
            self.sender,
            project,
            {key: self.states[key].number for key in keys},
            model,
            self.plan.batch,
            lambda tasks: self.studio.find_predicted(project, tasks, model),
        )
