"""How far a project is, how fast people are, and how far they moved what was predicted."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from frames.skeleton import KEYPOINT_NAMES, KEYPOINTS
from labeling.answers import HIDDEN, PLACED, Answer, Doubt, read_answer, read_seconds
from labeling.ledger import Ledger
from labeling.pull import PullReport, choose_labels, fetch_answers
from labeling.sending import Patience, Sender
from labeling.sources import Sources
from labeling.studio import Studio


def read_status(studio: Studio, ledger: Ledger, patience: Patience | None = None) -> dict[str, Any]:
    """Plain values; fetches what changed first."""
    sender = Sender(patience or Patience())
    fetch_answers(studio, ledger, sender, False, PullReport())
    project = int(ledger.read("project") or 0)
    states = [t for t in sender.ask(lambda: list(studio.list_tasks(project))) if t.key is not None]
    labelled, reviews = choose_labels(ledger, "agree", Sources())
    doubted = ledger.list_doubted()
    doubtful = [
        f
        for f in labelled
        if doubted.get(f.known.key) == f.digest and not any(a.ground_truth for a in f.label.answers)
    ]
    return {
        "tasks": len(states),
        "untouched": sum(t.untouched for t in states),
        "started": sum(bool(t.drafts and not t.annotations) for t in states),
        "done": sum(bool(t.annotations) for t in states),
        "skipped": sum(bool(t.skipped and not t.annotations) for t in states),
        "labelled": len(labelled) - len(doubtful),
        "to_review": len({r.task for r in reviews} | {f.tasks[0] for f in doubtful}),
        "annotators": _measure_speed(ledger.list_answers()),
        "moved_px": measure_moves(ledger),
    }


def _measure_speed(answers: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Of every annotator: how many answers, and the median of seconds they took."""
    seconds: dict[str, list[float]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for mine in answers.values():
        for annotation in mine:
            who = annotation.get("completed_by")
            name = str(who.get("id") if isinstance(who, Mapping) else who)
            counts[name] += 1
            time_s = read_seconds(annotation.get("lead_time"))
            if not math.isnan(time_s):
                seconds[name].append(time_s)
    return {
        name: {
            "answers": counts[name],
            "median_s": round(float(np.median(seconds[name])), 1) if seconds[name] else None,
        }
        for name in sorted(counts)
    }


def measure_moves(ledger: Ledger) -> dict[str, Any]:
    """How far people moved predicted joints, in pixels, by model: what the model's error is where
    nobody knows the truth. Joints deleted or added count apart, spares do not.
    """
    known, sources = ledger.list_frames(), Sources()
    moves: dict[str, list[np.ndarray]] = defaultdict(list)
    swapped: dict[str, int] = defaultdict(int)
    for key, annotations in ledger.list_answers().items():
        for annotation in annotations:
            shown = annotation.get("prediction")
            if key not in known or not isinstance(shown, Mapping):
                continue
            try:
                camera = sources.find_camera(known[key])
                after = read_answer(annotation, camera)
                before = read_answer({**shown, "id": 0}, camera)
            except (Doubt, ValueError):
                continue
            model = str(shown.get("model_version"))
            if after.skipped:
                continue
            found, turned = _compare(before, after)
            moves[model] += found
            swapped[model] += turned
    out: dict[str, Any] = {}
    for model, rows in sorted(moves.items()):
        if not rows:
            continue
        off = np.array(rows)
        joints = np.nanmedian(off, axis=0) if len(off) else np.full(KEYPOINTS, np.nan)
        worst = int(np.nanargmax(joints))
        out[model] = {
            "hands": len(off),
            "median": round(float(np.nanmedian(off)), 2),
            "p95": round(float(np.nanpercentile(off, 95)), 2),
            "untouched_joints": round(float(np.nanmean(off < 1e-6)), 4),
            "worst_joint": KEYPOINT_NAMES[worst],
            "worst_joint_median": round(float(joints[worst]), 2),
            "sides_turned": swapped[model],
        }
    return out


def _compare(before: Answer, after: Answer) -> tuple[list[np.ndarray], int]:
    """(21,) distances of every hand that is in both, and how many changed sides. Hands are matched
    by place: a side may have been corrected."""
    rows, turned = [], 0
    left = list(before.hands)
    for hand in after.hands:
        if not left:
            break
        distances = []
        for other in left:
            both = np.isin(hand.marks, (PLACED, HIDDEN)) & np.isin(other.marks, (PLACED, HIDDEN))
            off = np.linalg.norm(hand.keypoints_px - other.keypoints_px, axis=-1)
            distances.append(np.where(both, off, np.nan))
        means = [np.nanmedian(d) if np.isfinite(d).any() else np.inf for d in distances]
        nearest = int(np.argmin(means))
        if not np.isfinite(means[nearest]):
            continue
        rows.append(distances[nearest])
        turned += left.pop(nearest).side != hand.side
    return rows, turned


def say_status(project: str, status: Mapping[str, Any]) -> str:
    """The same for people."""
    lines = [
        f"{project}: {status['done']:,} of {status['tasks']:,} tasks done, {status['skipped']:,}"
        f" skipped, {status['started']:,} begun, {status['untouched']:,} untouched",
        f"{status['labelled']:,} frames have labels, {status['to_review']:,} are to be reviewed",
    ]
    for name, one in status["annotators"].items():
        pace = f", {one['median_s']:.1f} s each" if one["median_s"] is not None else ""
        lines.append(f"annotator {name}: {one['answers']:,} answers{pace}")
    for model, one in status["moved_px"].items():
        lines.append(
            f"{model}: joints were moved by {one['median']:.2f} px (median), {one['p95']:.2f} px"
            f" (95 %); {100 * one['untouched_joints']:.0f} % were left; worst"
            f" {one['worst_joint']} {one['worst_joint_median']:.2f} px; {one['sides_turned']} of"
            f" {one['hands']} hands changed sides"
        )
    return "\n".join(lines)
