"""Frames of labelled hands: fitted, judged, and finished.

Fitting is slow and finishing is quick, so they are apart: what was fitted can be kept
(`labeling.refinement.kept_fits`) and a frame finished from it at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.errors import BadInput
from frames.parts import (
    CAUSE_DROPOUT,
    PROVENANCE_EXACT,
    PROVENANCE_NONE,
    VISIBILITY_OCCLUDED,
    VISIBILITY_OUTSIDE,
)
from frames.record import Frame, Hand
from labeling.refinement.checks import (
    Measures,
    find_doubt,
    find_lack,
    find_other_side,
    measure_fit,
)
from labeling.refinement.evidence import Evidence, state_sigma
from labeling.refinement.fitting import Fit, FitOptions, estimate_noise, fit_hands
from labeling.refinement.joint_centres import Sight, estimate_centres, see, shift_keypoints
from labeling.refinement.masks import build_canvas, draw_fits
from labeling.refinement.refined_hands import refine_hand
from synth.raster.canvas import Canvas

VERSION: Final = 5
"""Raised when the same labels give other hands."""

Canvases = dict[tuple[Camera, int], Canvas]


@dataclass(frozen=True)
class Doubt:
    """A hand that was left as it was."""

    frame: int
    """Its place in the dataset."""
    hand: int
    side: str
    reason: str
    lack: bool = False
    """Whether there was too little to fit it to; else the fit disagrees with labels or depth."""


@dataclass(frozen=True, eq=False)
class Judged:
    """The hands of one frame, fitted and judged."""

    fits: tuple[Fit | None, ...]
    """None for a hand that is left as it is."""
    measures: tuple[Measures | None, ...]
    """None for one that was not fitted."""
    doubts: tuple[Doubt, ...]
    sights: tuple[Sight, ...]
    """The hands with a fit, as their labels see them."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one frame."""

    frame: Frame
    measures: tuple[Measures | None, ...]
    doubts: tuple[Doubt, ...]


def gather_evidence(frame: Frame, hand: Hand, depth_m: NDArray[np.float32]) -> Evidence:
    """What a labelled hand of a frame is fitted to: joints without provenance or outside the image
    are not labelled; one whose reading dropped out is seen all the same."""
    there = (hand.visibility != VISIBILITY_OUTSIDE) & (hand.provenance != PROVENANCE_NONE)
    hidden = (hand.visibility == VISIBILITY_OCCLUDED) & (hand.occlusion != CAUSE_DROPOUT)
    px = np.where(there[:, None], hand.keypoints_px, np.nan).astype(np.float64)
    return Evidence(frame.camera, depth_m, hand.side == "left", px, ~hidden, state_sigma(~hidden))


def refine_frames(frames: Sequence[Frame], options: FitOptions | None = None) -> list[Outcome]:
    """Refine the hands of some frames; consecutive frames of a sequence hold each other.

    Exact labels (of synthetic frames) are left alone. Raises BadInput for a frame without depth.
    """
    canvases: Canvases = {}
    judged = judge_frames(frames, options, canvases)
    centres = estimate_centres([sight for one in judged for sight in one.sights])
    return [
        Outcome(finish_frame(frame, one.fits, centres, canvases), one.measures, one.doubts)
        for frame, one in zip(frames, judged, strict=True)
    ]


def judge_frames(
    frames: Sequence[Frame], options: FitOptions | None = None, canvases: Canvases | None = None
) -> list[Judged]:
    """Fit the hands of some frames and judge the fits, as `refine_frames` does."""
    canvases = {} if canvases is None else canvases
    depths, evidence, place = [], [], []
    lacks: dict[tuple[int, int], str] = {}
    for i, frame in enumerate(frames):
        depths.append(read_metres(frame))
        for k, hand in enumerate(frame.hands):
            if (hand.provenance == PROVENANCE_EXACT).all():
                continue
            own = gather_evidence(frame, hand, depths[i])
            lack = find_lack(own)
            if lack is not None:
                lacks[i, k] = lack
                continue
            evidence.append(own)
            place.append((i, k))
    before, person = tie_hands(frames, place)
    fits = fit_hands(evidence, options, before, person) if evidence else []
    found = dict(zip(place, zip(evidence, fits, strict=True), strict=True))
    return [
        _judge_frame(i, frame, depths[i], found, lacks, canvases, options)
        for i, frame in enumerate(frames)
    ]


def read_metres(frame: Frame) -> NDArray[np.float32]:
    """(H, W) depth in metres, 0 for no reading. Raises BadInput for a frame without depth."""
    depth = frame.reading
    if depth is None:
        raise BadInput(f"frame {frame.frame_id} has no depth: there is nothing to refine with")
    return depth.astype(np.float32) / np.float32(frame.depth_scale)


def tie_hands(
    frames: Sequence[Frame], place: Sequence[tuple[int, int]]
) -> tuple[list[int] | None, list[int] | None]:
    """For each hand at (frame, number) the same hand one frame earlier, and whose it is: the
    wearer's hands of one sequence are one person's. None where no frame is of a sequence."""
    if all(frame.sequence_id is None for frame in frames):
        return None, None
    latest: dict[tuple[int, bool, str], tuple[int, int]] = {}
    before, person = [], []
    for n, (i, k) in enumerate(place):
        frame, hand = frames[i], frames[i].hands[k]
        sequence = frame.sequence_id
        person.append(-1 if sequence is None or not hand.wearer else int(sequence))
        if sequence is None:
            before.append(-1)
            continue
        key = int(sequence), hand.wearer, hand.side
        last = latest.get(key)
        before.append(last[0] if last is not None and _follows(frames[last[1]], frame) else -1)
        latest[key] = n, i
    return before, person


FOLLOWS_S: Final = 0.1
"""Frames farther apart do not hold each other."""


def _follows(earlier: Frame, later: Frame) -> bool:
    if earlier.time_s is None or later.time_s is None:
        return False
    return 0 < later.time_s - earlier.time_s <= FOLLOWS_S


def _judge_frame(
    i: int,
    frame: Frame,
    depth_m: NDArray[np.float32],
    found: dict[tuple[int, int], tuple[Evidence, Fit]],
    lacks: dict[tuple[int, int], str],
    canvases: Canvases,
    options: FitOptions | None,
) -> Judged:
    count = len(frame.hands)
    noise = estimate_noise(depth_m)
    fits = [found[i, k][1] if (i, k) in found else None for k in range(count)]
    measures: list[Measures | None] = [None] * count
    doubts = [
        Doubt(frame.frame_id, k, frame.hands[k].side, lacks[i, k], True)
        for k in range(count)
        if (i, k) in lacks
    ]
    if any(fit is not None for fit in fits):
        drawn = draw_fits(_take_canvas(canvases, frame), fits, depth_m, noise)
    for k, hand in enumerate(frame.hands):
        if (i, k) not in found:
            continue
        evidence, fit = found[i, k]
        measured = measures[k] = measure_fit(evidence, fit, drawn, k, noise)
        reason = find_doubt(measured)
        if reason is not None:
            mirrored = fit_hands([replace(evidence, left=not evidence.left)], options)[0]
            reason = find_other_side(fit, mirrored) or reason
            doubts.append(Doubt(frame.frame_id, k, hand.side, reason))
            fits[k] = None
    sights = tuple(
        see(found[i, k][0], fit)
        for k, fit in enumerate(fits)
        if fit is not None and (i, k) in found
    )
    doubts.sort(key=lambda doubt: doubt.hand)
    return Judged(tuple(fits), tuple(measures), tuple(doubts), sights)


def finish_frame(
    frame: Frame,
    fits: Sequence[Fit | None],
    centres: NDArray[np.float64],
    canvases: Canvases | None = None,
) -> Frame:
    """A labelled frame with its fitted hands; those whose fit is None stay as they are.

    centres: (21, 3) where annotators see joints (`labeling.refinement.joint_centres`).
    """
    if all(fit is None for fit in fits):
        return frame
    fits = shift_keypoints(fits, centres)
    canvas = _take_canvas({} if canvases is None else canvases, frame)
    depth_m = read_metres(frame)
    drawn = draw_fits(canvas, fits, depth_m, estimate_noise(depth_m))
    hands = tuple(
        hand if fit is None else refine_hand(frame, hand, fit, drawn, k)
        for k, (hand, fit) in enumerate(zip(frame.hands, fits, strict=True))
    )
    # Masks that lack a hand would call it background.
    whole = frame.parts is None and all(fit is not None for fit in fits)
    return replace(frame, hands=hands, parts=drawn.parts if whole else frame.parts)


def _take_canvas(canvases: Canvases, frame: Frame) -> Canvas:
    key = frame.camera, len(frame.hands)
    if key not in canvases:
        canvases[key] = build_canvas(*key)
    return canvases[key]
