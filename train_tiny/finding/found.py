"""A hand that was found in a whole frame, and when something found is a hand."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from train_tiny.finding.grouping import Grouping

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Finding:
    """Which of what a network finds are hands."""

    least_score: float = 0.2
    """The operating point; 0 for all."""
    hands: int = 4
    """At most."""
    overlap: float = 0.6
    """Of boxes: two whose intersection is a greater share of their union are one hand found twice.
    """
    least_joint: float = 0.1
    """Of keypoints, like all below: height of the heatmap from which on a joint is part of the box.
    """
    astray: float = 3.0
    """A joint that is farther from the middle of all than this many times their median distance is
    taken for another hand's: it is not part of the box, and its score is 0. Of a hand's own joints
    2 % are, fingertips of a hand seen end on."""
    apart: float = 0.15
    """Two whose joints are nearer than this, on average and in diagonals of the better one's box,
    are one hand found twice."""
    flip: bool = False
    """Whether the frame is searched in a mirror too: better, in twice the time."""
    grouping: Grouping = Grouping()  # noqa: RUF009


def _no_keypoints() -> Floats:
    return np.zeros((0, 2), np.float32)


def _no_scores() -> Floats:
    return np.zeros(0, np.float32)


@dataclass(frozen=True, eq=False)
class Found:
    """One hand, in pixels of the frame."""

    score: float
    """0 .. 1."""
    box_px: Floats
    """(4,) x0, y0, x1, y1 around its keypoints."""
    keypoints_px: Floats = field(default_factory=_no_keypoints)
    """(21, 2); (0, 2) of a network that finds boxes alone."""
    scores: Floats = field(default_factory=_no_scores)
    """(21,) or (0,), 0 .. 1."""


def overlap_boxes(one: Floats, other: Floats) -> float:
    """Intersection over union."""
    inner = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    both = float(np.prod(np.maximum(inner, 0)))
    either = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - both
    return both / either if either > 0 else 0.0
