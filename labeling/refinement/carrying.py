"""Fitted hands carried along the frames of a sequence, and proposed there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from frames.parts import VISIBILITY_VISIBLE
from frames.record import Frame
from labeling.proposals import Proposal
from labeling.refinement.checks import DEPTH_M, compare_depth, compare_pixels
from labeling.refinement.fitting import Fit, estimate_noise
from labeling.refinement.following import Ahead, follow_hands
from labeling.refinement.masks import Drawn, build_canvas, draw_fits, measure_flesh
from labeling.refinement.refining import read_metres
from synth.labels import label_keypoints

GAP_S: Final = 0.5
"""Over a longer time no hand is followed."""

MISSING: Final = 0.2
"""Share of a followed hand's pixels where something else may be read: people look at it anyway."""

HIDDEN_CONFIDENCE: Final = 0.5
"""Of a joint that something hides, against 1 of one that is seen."""


@dataclass(frozen=True, eq=False)
class Carried:
    """The hands of a corrected frame, on their way through the frames after it."""

    fits: dict[str, Fit]
    """By side; those that were lost are gone."""
    ahead: tuple[Frame, ...]
    time_s: float | None
    """Of the frame in which they were last."""
    proposed: list[dict[str, Proposal]] = field(default_factory=list)
    """For each frame that was reached, what was found there."""
    lost: int = 0


def carry(carried: Sequence[Carried]) -> list[Carried]:
    """Follow the hands of many frames, each into its first frame ahead, all of them, and so on."""
    out = list(carried)
    for step in range(max((len(c.ahead) for c in out), default=0)):
        going = [i for i, c in enumerate(out) if step < len(c.ahead) and _is_near(c, step)]
        hands = [(i, side) for i in going for side in out[i].fits]
        depths = {i: read_metres(out[i].ahead[step]) for i in going}
        found = follow_hands(
            [out[i].fits[side] for i, side in hands],
            [Ahead(out[i].ahead[step].camera, depths[i]) for i, _ in hands],
        )
        for i in going:
            own = {side: fit for (j, side), fit in zip(hands, found, strict=True) if j == i}
            frame = out[i].ahead[step]
            proposals, kept = _propose(frame, own)
            out[i] = Carried(
                kept,
                out[i].ahead,
                frame.time_s,
                [*out[i].proposed, proposals],
                out[i].lost + len(own) - len(kept),
            )
    return out


def _is_near(carried: Carried, step: int) -> bool:
    """Whether there is something to follow, and the frame is not too late for it."""
    if not carried.fits or len(carried.proposed) < step:
        return False
    time_s = carried.ahead[step].time_s
    if time_s is None or carried.time_s is None:
        return True
    return 0 < time_s - carried.time_s <= GAP_S


def _propose(frame: Frame, fits: dict[str, Fit]) -> tuple[dict[str, Proposal], dict[str, Fit]]:
    """What is proposed of the followed hands of a frame, and those that agree with its depth."""
    sides = list(fits)
    depth_m = read_metres(frame)
    noise = estimate_noise(depth_m)
    drawn = draw_fits(
        build_canvas(frame.camera, len(sides)), [fits[s] for s in sides], depth_m, noise
    )
    proposals, kept = {}, {}
    for place, side in enumerate(sides):
        depth, missing = compare_depth(compare_pixels(drawn, depth_m, place, noise))
        # Written so that a hand without a reading is lost, too.
        if not (depth <= DEPTH_M and missing <= MISSING):
            continue
        kept[side] = fits[side]
        proposals[side] = _build_proposal(frame, fits[side], drawn, place, 1.0 - missing)
    return proposals, kept


def _build_proposal(frame: Frame, fit: Fit, drawn: Drawn, place: int, score: float) -> Proposal:
    depth = frame.reading
    assert depth is not None
    told = label_keypoints(
        frame.camera,
        fit.keypoints_m.astype(np.float32)[None],
        measure_flesh(fit)[None].astype(np.float32),
        np.zeros(1, np.int64),
        np.array([place]),
        depth[None],
        drawn.parts[None],
        frame.depth_scale,
    )
    seen = told.visibility[0] == VISIBILITY_VISIBLE
    return Proposal(
        "left" if fit.left else "right",
        frame.camera.project(fit.keypoints_m),
        seen.astype(np.float64),
        np.where(seen, 1.0, HIDDEN_CONFIDENCE),
        float(np.clip(score, 0, 1)),
    )
