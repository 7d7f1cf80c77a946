"""A network that finds hands scored on datasets: every frame searched, compared with its labels."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from frames.errors import BadInput
from train_tiny.evaluation.frame_scores import MOST, FrameLabels, bound_keypoints, score_frames
from train_tiny.evaluation.frame_validation import list_labels, search_frames
from train_tiny.evaluation.metrics import STANDARD, measure_error, measure_palm, measure_pck
from train_tiny.finding.found import Finding, Found, overlap_boxes
from train_tiny.loading.frame_loading import FrameFacts
from train_tiny.losses.full_frames import FrameTargets

PICTURES: Final = 4000
"""Frames that are kept for pictures, at most."""

POINTS: Final = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7)
"""Scores from which on a hand may count as found: operating points."""


@dataclass(frozen=True, eq=False)
class FrameResults:
    """What was found in N frames, and what there is."""

    found: list[list[Found]]
    """All of each frame, the best first."""
    labels: list[FrameLabels]
    source: list[str]
    frame_id: list[int]
    sensor: list[str]
    situation: list[str]
    images: NDArray[np.uint8]
    """(M, H, W) the first ones as the network sees them, 255 near."""

    def __len__(self) -> int:
        return len(self.labels)

    def pick(self, rows: Iterable[int]) -> tuple[list[list[Found]], list[FrameLabels]]:
        """What was found in some frames, and what there is."""
        rows = list(rows)
        return [self.found[i] for i in rows], [self.labels[i] for i in rows]


def evaluate_frames(
    net: nn.Module,
    batches: Iterable[tuple[Tensor, FrameTargets, FrameFacts]],
    device: torch.device,
    kind: torch.dtype = torch.float32,
    finding: Finding | None = None,
    most: int = 0,
    told: Callable[[int], None] = lambda count: None,
) -> FrameResults:
    """All hands that a network finds in frames of `train_tiny.loading.frame_loading`.

    most: stop after so many frames; 0: none. told: is given the number of frames done. Raises
    BadInput if there is no frame.
    """
    net = net.to(device, memory_format=torch.channels_last).eval()
    every = replace(finding or Finding(), least_score=0.0, hands=MOST)
    results = FrameResults([], [], [], [], [], [], np.zeros((0, 0, 0), np.uint8))
    pictures = list[NDArray[np.uint8]]()
    for images, targets, facts in batches:
        left = min(len(images), most - len(results)) if most else len(images)
        results.found.extend(search_frames(net, images[:left], device, kind, every))
        results.labels.extend(list(list_labels(targets))[:left])
        results.source.extend(facts.source[:left])
        results.frame_id.extend(facts.frame_id[:left].tolist())
        results.sensor.extend(facts.sensor[:left])
        results.situation.extend(facts.situation[:left])
        if len(results) <= PICTURES:
            pictures.append((images[:left, 0] * 255).round().to(torch.uint8).numpy())
        told(left)
        if most and len(results) >= most:
            break
    if not len(results):
        raise BadInput("there is no frame to score")
    return replace(results, images=np.concatenate(pictures) if pictures else results.images)


def summarise_frames(results: FrameResults, finding: Finding | None = None) -> dict[str, Any]:
    """All numbers of an evaluation, plain values: see docs/finding.md for what each is."""
    least = (finding or Finding()).least_score
    hands = [len(labels.keypoints_px) for labels in results.labels]
    groups: dict[str, list[str]] = {
        "hands": [f"{n} {'hand' if n == 1 else 'hands'}" for n in hands],
        "sensor": results.sensor,
        "situation": results.situation,
        "dataset": results.source,
    }
    by: dict[str, dict[str, Any]] = {}
    for name, values in groups.items():
        there = sorted({v for v in values if v})
        by[name] = {
            value: _score(results, [i for i, v in enumerate(values) if v == value], least)
            for value in there
            if len(there) > 1 or name == "hands"
        }
    points = {
        f"{point:g}": {
            key: value
            for key, value in score_frames(results.found, results.labels, point).items()
            if key in ("recall", "precision", "false_finds")
        }
        for point in POINTS
    }
    return {
        **_score(results, range(len(results)), least),
        "least_score": least,
        "points": points,
        "by": by,
    }


def measure_found(
    found: list[list[Found]], labels: list[FrameLabels], least_score: float
) -> NDArray[np.float64]:
    """(N, J) errors in palms of the keypoints of hands that are found; NaN for no label.

    A hand's is the find whose box overlaps its own most; hands without one are left out, and finds
    without keypoints.
    """
    errors = [np.zeros((0, 21))]
    for frame, truth in zip(found, labels, strict=True):
        sure = [one for one in frame if one.score >= least_score and len(one.keypoints_px)]
        for px in truth.keypoints_px:
            box = bound_keypoints(px)
            best = max(sure, key=lambda one: overlap_boxes(one.box_px, box), default=None)
            if best is not None and overlap_boxes(best.box_px, box) > 0:
                error = measure_error(best.keypoints_px, px) / measure_palm(px)
                errors.append(error[None].astype(np.float64))
    return np.concatenate(errors)


def _score(results: FrameResults, rows: Iterable[int], least: float) -> dict[str, Any]:
    found, labels = results.pick(rows)
    palms = measure_found(found, labels, least)
    return {
        "frames": len(labels),
        "labelled": sum(len(frame.keypoints_px) for frame in labels),
        **score_frames(found, labels, least),
        "pck": float(measure_pck(palms, STANDARD)),
    }
