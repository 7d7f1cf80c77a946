"""Several annotators, one label: the stated policy.

agree    The latest answer of each annotator counts; a ground truth stands alone. A hand is there
         if most say so; a joint lies at the median of its places and has the mark that most gave
         it, the more careful one if votes are equal. Where annotators lie too far apart, or are
         split on a hand, the frame goes to the review list.
latest   The latest answer stands alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from frames.skeleton import FINGERS, KEYPOINT_NAMES, KEYPOINTS
from labeling.answers import HIDDEN, MARK_NAMES, PLACED, Answer, Doubt, DrawnHand

POLICIES: Final = ("agree", "latest")

APART: Final = 0.25
"""Of the longest distance from wrist to knuckle, in the image: annotators may lie so far from their
median, twice as far for a joint that something hides. About 20 mm of an adult's hand."""

LEAST_PX: Final = 3.0
"""Nobody is blamed for less."""


@dataclass(frozen=True, eq=False)
class Label:
    """What is known of a frame."""

    hands: tuple[DrawnHand, ...]
    answers: tuple[Answer, ...]
    """Those that it was made of."""

    spread_px: float
    """Greatest distance of an annotator from the median; 0 for one annotator."""


def combine_answers(answers: Sequence[Answer], policy: str = "agree") -> Label | None:
    """One label of a frame's answers; None where there is none (all skipped, or unusable).

    Raises Doubt where annotators disagree or are unsure, BadInput for an unknown policy.
    """
    if policy not in POLICIES:
        raise BadInput(f"policy must be one of {', '.join(POLICIES)}, got {policy!r}")
    standing = _choose(answers, policy)
    if not standing:
        return None
    unusable = sum(a.unusable for a in standing)
    if 2 * unusable > len(standing):
        return None
    if unusable:
        raise Doubt(f"{unusable} of {len(standing)} annotators call it unusable")
    sure = [a for a in standing if not a.unsure]
    if not sure:
        notes = "; ".join(a.note for a in standing if a.note)
        raise Doubt("the annotator is unsure" + (f": {notes}" if notes else ""))
    hands, spread = [], 0.0
    kinds = sorted({(not h.wearer, h.side) for a in sure for h in a.hands})
    for others, side in kinds:
        mine = [h for a in sure for h in a.hands if h.side == side and h.wearer != others]
        if 2 * len(mine) == len(sure):
            raise Doubt(f"annotators are split on whether there is a {side} hand")
        if 2 * len(mine) < len(sure):
            continue
        hand, apart = _merge(mine)
        hands.append(hand)
        spread = max(spread, apart)
    return Label(tuple(hands), tuple(sure), spread)


def _choose(answers: Sequence[Answer], policy: str) -> list[Answer]:
    given = sorted((a for a in answers if not a.skipped), key=lambda a: (a.updated_at, a.number))
    if policy == "latest":
        return given[-1:]
    truths = [a for a in given if a.ground_truth]
    if truths:
        return truths[-1:]
    by_annotator = {a.annotator: a for a in given}
    return sorted(by_annotator.values(), key=lambda a: a.number)


def _merge(hands: Sequence[DrawnHand]) -> tuple[DrawnHand, float]:
    if len(hands) == 1:
        return hands[0], 0.0
    marks = np.array([h.marks for h in hands])
    votes = np.array([(marks == m).sum(0) for m in range(len(MARK_NAMES))])
    # The last of the largest: of equal votes the more careful mark.
    chosen = (len(MARK_NAMES) - 1 - votes[::-1].argmax(0)).astype(np.uint8)
    there = np.isin(marks, (PLACED, HIDDEN))
    places = np.where(there[..., None], [h.keypoints_px for h in hands], np.nan)
    middle = np.full((KEYPOINTS, 2), np.nan)
    some = there.any(0)
    middle[some] = np.nanmedian(places[:, some], axis=0)
    off = np.nan_to_num(np.linalg.norm(places - middle, axis=-1), nan=0.0)
    limit = np.full(KEYPOINTS, max(LEAST_PX, APART * measure_palm(middle)))
    limit[(marks == HIDDEN).any(0)] *= 2
    apart = off.max(0)
    if (apart > limit).any():
        k = int(np.argmax(apart / limit))
        raise Doubt(
            f"annotators disagree on {hands[0].side} {KEYPOINT_NAMES[k]} by {apart[k]:.1f} px"
            f" (at most {limit[k]:.1f})"
        )
    px = np.where(np.isin(chosen, (PLACED, HIDDEN))[:, None], middle, np.nan)
    return DrawnHand(hands[0].side, hands[0].wearer, px, chosen), float(apart.max())


def measure_palm(px: NDArray[np.float64]) -> float:
    """Longest distance from the wrist to a knuckle in (21, 2) pixels; 0 if neither is there."""
    knuckles = [chain[0] for name, chain in FINGERS.items() if name != "thumb"]
    lengths = np.linalg.norm(px[knuckles] - px[0], axis=-1)
    return float(np.nanmax(lengths)) if np.isfinite(lengths).any() else 0.0
