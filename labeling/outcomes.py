"""What a frame's answers became, as text: reading it again is a hundredth of working it out."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from frames.camera import Camera
from labeling.answers import Answer, Doubt, DrawnHand, read_answer
from labeling.combining import Label, combine_answers

READING: Final = 2
"""Raised when the same answers become other labels."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """A label, or reasons why there is none."""

    label: Label | None
    doubts: tuple[tuple[str, int | None], ...]
    """Reasons, each with the annotation that it is about if it is about one."""


def work_out(annotations: Sequence[Mapping[str, Any]], camera: Camera, policy: str) -> Outcome:
    """A frame's label from its annotations. A doubt about any holds the frame back."""
    answers: list[Answer] = []
    doubts: list[tuple[str, int | None]] = []
    for annotation in annotations:
        try:
            answers.append(read_answer(annotation, camera))
        except Doubt as doubt:
            number = annotation.get("id")
            doubts.append((str(doubt), number if isinstance(number, int) else None))
    if doubts:
        return Outcome(None, tuple(doubts))
    try:
        return Outcome(combine_answers(answers, policy), ())
    except Doubt as doubt:
        return Outcome(None, ((str(doubt), None),))


def write_outcome(outcome: Outcome) -> str:
    """Text that `read_outcome` reads: numbers to the bit."""
    label = outcome.label
    if label is None:
        return json.dumps({"doubts": outcome.doubts})
    hands = [
        {
            "side": h.side,
            "wearer": h.wearer,
            "px": [v if math.isfinite(v) else None for v in h.keypoints_px.ravel().tolist()],
            "marks": h.marks.tolist(),
        }
        for h in label.hands
    ]
    answers = [(a.number, a.annotator, a.updated_at, a.ground_truth, a.note) for a in label.answers]
    return json.dumps(
        {"hands": hands, "answers": answers, "spread_px": label.spread_px, "doubts": []}
    )


def read_outcome(text: str) -> Outcome:
    """The outcome; of its answers no more than who gave them."""
    values = json.loads(text)
    if "hands" not in values:
        return Outcome(None, tuple((reason, number) for reason, number in values["doubts"]))
    hands = tuple(
        DrawnHand(
            h["side"],
            h["wearer"],
            np.array(h["px"], np.float64).reshape(-1, 2),
            np.array(h["marks"], np.uint8),
        )
        for h in values["hands"]
    )
    answers = tuple(
        Answer(number, annotator, at, False, truth, math.nan, (), False, False, note)
        for number, annotator, at, truth, note in values["answers"]
    )
    return Outcome(Label(hands, answers, values["spread_px"]), ())
