"""Pull: what people answered becomes a dataset that trains as it is.

Answers are fetched (only tasks changed since the last pull, or all), every version of them is kept
in the ledger, the hand model is fitted to what is new, and the dataset is built from the ledger: so
it does not matter where a pull was stopped. A frame that cannot be used goes to the review list
with the reason.
"""

import hashlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from frames.engines.job import Progress
from frames.errors import BadInput
from labeling.combining import POLICIES, Label
from labeling.labelled import LabelledFrame, write_labelled
from labeling.ledger import KnownFrame, Ledger
from labeling.outcomes import READING, read_outcome, work_out, write_outcome
from labeling.review import Review
from labeling.sending import Patience, Sender
from labeling.sources import Sources
from labeling.studio import Studio

OVERLAP_S: Final = 5.0
"""What changed so shortly before the last pull is asked for again: clocks and commits overlap."""


@dataclass(frozen=True)
class PullPlan:
    """What to pull, and how answers become labels."""

    policy: str = "agree"
    """How several annotators' answers become one: `labeling.combining`."""

    full: bool = False
    """Ask for every answer again, and note which are gone."""

    data: Sequence[Path] = ()
    """Where pushed datasets are now, if they were moved."""

    refine: bool = False
    """Fit the hand model to the labels: needs torch."""

    patience: Patience = field(default_factory=Patience)


@dataclass
class PullReport:
    """What a pull found."""

    fetched: int = 0
    """Tasks whose answers were asked for."""

    new_versions: int = 0
    """Versions of annotations that were not known."""

    frames: int = 0
    """Frames with labels."""

    hands: int = 0
    refined: int = 0
    """Hands that the model was fitted to."""

    fitted: int = 0
    """Frames that had to be fitted; of others it was known."""

    rewritten: int = 0
    """Shards that had to be written; others are as they were."""

    reviews: list[Review] = field(default_factory=list)
    failures: int = 0


def pull(
    studio: Studio,
    ledger: Ledger,
    out: Path,
    plan: PullPlan,
    progress: Progress | None = None,
) -> PullReport:
    """Fetch, keep, combine, lift, write; the caller holds `lock_ledger`.

    Raises BadInput for a project that was never pushed, a server that does not answer, and an out
    folder that holds something else.
    """
    if plan.policy not in POLICIES:
        raise BadInput(f"policy must be one of {', '.join(POLICIES)}, got {plan.policy!r}")
    if plan.refine and importlib.util.find_spec("torch") is None:
        raise BadInput(
            "fitting the hand model needs torch: pip install 'handloom[train]', or pull with"
            " --no-refine"
        )
    report = PullReport()
    sender = Sender(plan.patience)
    fetch_answers(studio, ledger, sender, plan.full, report)
    report.failures = sender.failures
    sources = Sources(plan.data)
    frames, report.reviews = choose_labels(ledger, plan.policy, sources)
    about: dict[str, Any] = {}
    if plan.refine:
        from labeling.refinement.fitting import FitOptions  # torch: only where it is asked for
        from labeling.refinement.pulled import refine_labels
        from labeling.refinement.refined_dataset import describe_refinement

        found = refine_labels(ledger, frames, sources, progress=progress)
        frames, about = found.frames, describe_refinement(FitOptions())
        about["refinement"]["joint_centres_m"] = found.centres.tolist()
        report.reviews += found.reviews
        report.refined, report.fitted = found.hands, found.fitted
    report.frames = len(frames)
    report.hands = sum(len(f.label.hands) for f in frames)
    project = {
        "project": ledger.read("title"),
        "url": ledger.read("url"),
        "ledger": str(ledger.path.resolve()),
    }
    report.rewritten = write_labelled(
        *(out, frames, report.reviews, plan.policy, sources),
        moved=bool(plan.data),
        project=project,
        about=about,
        progress=progress,
    )
    return report


def fetch_answers(
    studio: Studio, ledger: Ledger, sender: Sender, full: bool, report: PullReport
) -> None:
    """Bring the ledger up to date with the server."""
    project = ledger.read("project")
    if project is None:
        raise BadInput("nothing was pushed to this project from here: push first, or --adopt it")
    number = int(project)
    since = "" if full else ledger.read("pulled_until") or ""
    if not since:
        raw = [t for t in sender.ask(lambda: studio.read_answers(number, None)) if _is_task(t)]
        # Answers come with their task's time, so that nothing needs to be listed first.
        changed = [(int(t["id"]), str(t["updated_at"])) for t in raw if t.get("updated_at")]
        ledger.forget_tasks({int(t["id"]) for t in raw})
    else:
        changed = sender.ask(lambda: studio.list_changed(number, since))
        wanted = ledger.find_stale(changed)
        if not wanted:
            return
        raw = [t for t in sender.ask(lambda: studio.read_answers(number, wanted)) if _is_task(t)]
        # An answer that was deleted leaves a task without any.
        seen = {int(t["id"]) for t in raw}
        ledger.keep_answers({"id": t, "annotations": []} for t in wanted if t not in seen)
    report.fetched = len(raw)
    report.new_versions = ledger.keep_answers(raw)
    # Last: if we are stopped before, the same is asked for again. What changed while the answers
    # were on their way has another time by now, and is asked for next time.
    ledger.mark_fetched(changed)
    latest = max((time for _, time in changed), default="")
    if latest:
        ledger.write("pulled_until", _step_back(latest))


def choose_labels(
    ledger: Ledger, policy: str, sources: Sources
) -> tuple[list[LabelledFrame], list[Review]]:
    """The frames that have a label, in the order of their datasets, and those to look at."""
    standing, known = ledger.list_standing(), ledger.list_frames()
    before = ledger.list_outcomes()
    labelled: list[LabelledFrame] = []
    reviews: list[Review] = []
    fresh: list[tuple[str, str, str]] = []
    for key in [*known, *sorted(set(standing) - set(known))]:
        if key not in standing:
            continue
        mine, where = standing[key], known.get(key)
        doubts: Sequence[tuple[str, int | None]]
        label: Label | None = None
        digest = ""
        if where is None:
            doubts = [("its frame was never pushed from here", None)]
        else:
            try:
                sources.find(where)
                digest = _sum_answers(mine, policy)
                if before.get(key, ("",))[0] == digest:
                    outcome = read_outcome(before[key][1])
                else:
                    camera = sources.find_camera(where)
                    outcome = work_out(ledger.read_versions(mine), camera, policy)
                    fresh.append((key, digest, write_outcome(outcome)))
                label, doubts = outcome.label, outcome.doubts
            except BadInput as error:
                doubts = [(str(error), None)]
        tasks = tuple(sorted({task for _, _, task in mine}))
        reviews += [_review(reason, number, tasks[0], where) for reason, number in doubts]
        if label is not None and where is not None:
            labelled.append(LabelledFrame(where, label, tasks, digest))
    ledger.put_outcomes(fresh)
    return labelled, reviews


def _review(reason: str, annotation: int | None, task: int, known: KnownFrame | None) -> Review:
    if known is None:
        return Review(reason, task, None, None, None, annotation)
    return Review(reason, task, known.key, known.dataset, known.frame, annotation)


def _sum_answers(versions: Sequence[tuple[int, str, int]], policy: str) -> str:
    """What a frame's label depends on, short: equal digests, equal labels."""
    text = json.dumps([READING, policy, versions])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_task(task: Any) -> bool:
    return isinstance(task, Mapping) and isinstance(task.get("id"), int)


def _step_back(time: str) -> str:
    """A server's time, a little earlier."""
    form = "%Y-%m-%dT%H:%M:%S.%fZ"
    text = time.replace("+00:00", "Z")
    if "." not in text:
        text = text.replace("Z", ".000000Z")
    try:
        moment = datetime.strptime(text, form)
    except ValueError:
        return ""
    return (moment - timedelta(seconds=OVERLAP_S)).strftime(form)
