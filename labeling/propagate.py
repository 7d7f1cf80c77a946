"""Propagate: a corrected frame becomes the prediction of the next one in its sequence.

The hand model that was fitted to the correction is followed into the next frame by its depth. What
is found there goes to the task, if nobody has touched it, as a new prediction of the model that the
project shows: of two, Label Studio offers the later one. A hand that is lost on the way keeps the
predictor's proposal. A task gets a correction once; it gets another one when that is corrected.
"""

import hashlib
import importlib.util
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from frames.camera import Camera
from frames.engines.job import Progress
from frames.errors import BadInput
from frames.skeleton import KEYPOINTS
from labeling.answers import PLACED, read_answer
from labeling.chains import Chain, find_chains
from labeling.labelled import LabelledFrame
from labeling.ledger import Ledger
from labeling.predictions import send_predictions
from labeling.proposals import Proposal, add_spares
from labeling.pull import PullReport, choose_labels, fetch_answers
from labeling.push import BATCH
from labeling.sending import Patience, Sender
from labeling.sources import Sources
from labeling.studio import Project, Studio
from labeling.tasks import build_prediction, check_prediction, find_mark, mark_prediction

FOLLOWED: Final = "followed from"
"""How the note of a followed hand begins."""

CHUNK: Final = 32
"""Corrections that are followed at once."""


@dataclass(frozen=True)
class PropagatePlan:
    """What to propagate."""

    ahead: int = 1
    """Frames into which a correction is followed, one after the other."""

    data: Sequence[Path] = ()
    """Where pushed datasets are now, if they were moved."""

    patience: Patience = field(default_factory=Patience)


@dataclass
class PropagateReport:
    """What a propagation did."""

    corrected: int = 0
    """Corrected frames with an untouched one after them."""

    sent: int = 0
    """Tasks that got a new prediction."""

    there: int = 0
    """Tasks that had it."""

    hands: int = 0
    """Hands that were followed, frame by frame."""

    lost: int = 0
    """Hands that were not found again: the predictor's proposal stays."""

    doubted: int = 0
    """Corrected frames that the hand model disagrees with: nothing is followed from there."""

    failures: int = 0


def propagate(
    studio: Studio,
    ledger: Ledger,
    plan: PropagatePlan,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
) -> PropagateReport:
    """Fetch, fit, follow, send; the caller holds `lock_ledger`.

    Raises BadInput where nothing was pushed, where torch is not installed, and for pushed datasets
    that are not there.
    """
    if plan.ahead < 1:
        raise BadInput(f"ahead must be >= 1, got {plan.ahead}")
    if importlib.util.find_spec("torch") is None:
        raise BadInput("following hands needs torch: pip install 'handloom[train]'")
    from labeling.refinement.pulled import refine_labels  # torch: only where it is asked for

    report, sender = PropagateReport(), Sender(plan.patience, note)
    fetch_answers(studio, ledger, sender, False, PullReport())
    project = _find_project(studio, ledger, sender)
    states = sender.ask(lambda: list(studio.list_tasks(project.number)))
    number_of = {s.key: s.number for s in states if s.key is not None and s.untouched}
    tasks = {s.key for s in states}
    sources = Sources(plan.data)
    labelled, _ = choose_labels(ledger, "agree", sources)
    pushed = {key: known for key, known in ledger.list_frames().items() if key in tasks}
    corrected = {frame.known.key for frame in labelled}
    chains = find_chains(pushed, corrected, number_of, sources, plan.ahead)
    found = refine_labels(ledger, labelled, sources, progress=progress, only=set(chains))
    report.corrected, report.doubted = len(chains), len(chains) - len(found.frames)
    follower = _Follower(ledger, sources, project.model_version, report)
    due = [f for f in found.frames if follower.is_due(f, chains[f.known.key])]
    if progress is not None and due:
        progress.begin(len(due), 0)
    for first in range(0, len(due), CHUNK):
        some = due[first : first + CHUNK]
        follower.follow(some, [chains[f.known.key] for f in some])
        if progress is not None:
            progress.advance(len(some))
    marks = {number_of[key]: mark for key, mark in follower.marks.items()}
    report.sent = send_predictions(
        *(studio, ledger, sender, project.number),
        {key: number_of[key] for key in follower.marks},
        *(follower.name, BATCH),
        lambda some: studio.find_predicted(project.number, some, project.model_version, marks),
    )
    report.failures = sender.failures
    return report


def _find_project(studio: Studio, ledger: Ledger, sender: Sender) -> Project:
    title, number = ledger.read("title") or "", int(ledger.read("project") or 0)
    found = sender.ask(lambda: studio.find_projects(title))
    for project in found:
        if project.number == number and project.model_version:
            return project
    raise BadInput(f"project {title!r} is not there any more, or shows no predictions: push again")


class _Follower:
    """Follows corrections and keeps what it proposes in the ledger."""

    def __init__(
        self, ledger: Ledger, sources: Sources, shown: str, report: PropagateReport
    ) -> None:
        self.ledger, self.sources, self.shown, self.report = ledger, sources, shown, report
        self.name = f"{shown} {FOLLOWED} corrections"
        """Of these proposals in the ledger; on the server they are the shown model's."""
        self.marks: dict[str, str] = {}
        """Of the frames that are to get a prediction, the note that tells it from others."""
        self._sent = ledger.list_predicted(self.name)

    def is_due(self, frame: LabelledFrame, chain: Chain) -> bool:
        """Whether some frame of the chain does not have this correction; those that have it are
        counted."""
        marks = [_mark(frame, step) for step in range(len(chain.ahead))]
        keys = [known.key for known in chain.ahead]
        if any(not self._has(key, mark) for key, mark in zip(keys, marks, strict=True)):
            return True
        self.report.there += len(keys)
        return False

    def _has(self, key: str, mark: str) -> bool:
        """Whether the server has this very prediction."""
        return key in self._sent and self._read_mark(key) == mark

    def _read_mark(self, key: str) -> str:
        try:
            (kept,) = self.ledger.read_proposals([key], self.name)
        except KeyError:
            return ""
        return find_mark(kept["result"], FOLLOWED)

    def follow(self, frames: Sequence[LabelledFrame], chains: Sequence[Chain]) -> None:
        """Carry the hands of these frames along their chains."""
        from labeling.refinement.carrying import Carried, carry
        from labeling.refinement.kept_fits import read_fits

        begun = []
        for frame, chain in zip(frames, chains, strict=True):
            assert frame.refined is not None
            fits = {
                hand.side: fit
                for hand, fit in zip(frame.label.hands, read_fits(frame.refined.hands), strict=True)
                if fit is not None and hand.wearer
            }
            ahead = tuple(self.sources.read(known) for known in chain.ahead)
            begun.append(Carried(fits, ahead, self.sources.read(frame.known).time_s))
        for frame, chain, done in zip(frames, chains, carry(begun), strict=True):
            self.report.lost += done.lost
            sides = {h.side for h in frame.label.hands if h.wearer}
            for step, found in enumerate(done.proposed):
                if not found and sides:
                    break
                self.report.hands += len(found)
                self._keep(frame, chain, step, found, sides, done.ahead[step].camera)

    def _keep(
        self,
        frame: LabelledFrame,
        chain: Chain,
        step: int,
        found: dict[str, Proposal],
        sides: set[str],
        camera: Camera,
    ) -> None:
        known, mark = chain.ahead[step], _mark(frame, step)
        if self._has(known.key, mark):
            self.report.there += 1
            return
        self.marks[known.key] = mark
        if self._read_mark(known.key) == mark:
            return  # kept by a run that was stopped: perhaps it is under way
        # Hands that were lost stay as predicted; those that people say are not there stay away.
        lost = [p for p in self._read_predicted(known.key, camera) if p.side in sides - set(found)]
        prediction = build_prediction(
            add_spares([*found.values(), *lost], camera), camera, self.shown
        )
        prediction = mark_prediction(prediction, mark, set(found))
        check_prediction(prediction, known.key)
        self.ledger.put_proposals(self.name, [(known.key, prediction)])

    def _read_predicted(self, key: str, camera: Camera) -> list[Proposal]:
        """What the shown model proposed, as far as it can be drawn."""
        try:
            (prediction,) = self.ledger.read_proposals([key], self.shown)
        except KeyError:
            return []
        answer = read_answer({**prediction, "id": 0}, camera)
        return [
            Proposal(
                hand.side,
                hand.keypoints_px,
                (hand.marks == PLACED).astype(np.float64),
                np.ones(KEYPOINTS),
                float(np.clip(prediction["score"], 0, 1)),
            )
            for hand in answer.hands
        ]


def _mark(frame: LabelledFrame, step: int) -> str:
    """What tells a prediction from those that were followed from other corrections."""
    assert frame.refined is not None
    text = json.dumps([frame.refined.digest, step])
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{FOLLOWED} frame {frame.known.frame} ({digest})"
