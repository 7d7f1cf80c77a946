"""Pulled labels, refined: only frames that are new or changed are fitted.

Frames that hold each other in time are fitted together: those of one sequence within a window of
`WINDOW` places of their dataset. A window is fitted again when any of its labels changed, so what a
hand becomes depends on the labels alone, not on the order in which they came. Fits are kept in the
ledger; the dataset is made from there.
"""

import hashlib
import json
from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.engines.job import Progress
from frames.record import Frame
from frames.skeleton import KEYPOINTS
from labeling.labelled import LabelledFrame, Refined, label_frame
from labeling.ledger import KeptFits, Ledger
from labeling.refinement.checks import describe_measures
from labeling.refinement.fitting import FitOptions
from labeling.refinement.joint_centres import estimate_centres, see_drawn
from labeling.refinement.kept_fits import read_fits, write_fit
from labeling.refinement.refining import VERSION, Canvases, Judged, judge_frames
from labeling.review import Review
from labeling.sources import Sources

WINDOW: Final = 16
"""Places of a dataset: half a second of a sequence."""

CHUNK: Final = 48
"""Frames, or a few more, that are fitted at once."""

CENTRE_FRAMES: Final = 96
"""Frames that tell where the annotators see joints."""


@dataclass
class Refinement:
    """What a refinement of pulled labels did."""

    frames: list[LabelledFrame]
    """Those that stay, with their fits."""
    reviews: list[Review]
    """Those that disagree."""
    fitted: int = 0
    """Frames that had to be fitted; of others it was known."""
    hands: int = 0
    """Hands that the model was fitted to, of frames that stay."""
    centres: NDArray[np.float64] = field(default_factory=lambda: np.zeros((KEYPOINTS, 3)))
    """(21, 3) where the annotators see joints."""


def refine_labels(
    ledger: Ledger,
    frames: Sequence[LabelledFrame],
    sources: Sources,
    options: FitOptions | None = None,
    progress: Progress | None = None,
    only: Container[str] | None = None,
) -> Refinement:
    """Fit what is not known yet, and sort out the frames whose fit disagrees with their labels.

    only: keys of frames that are asked for; None for all.

    A frame whose answer is marked as ground truth stays in any case, as people placed it. What is
    fitted is kept after every few frames, so a run may be stopped.
    """
    options = options or FitOptions()
    windows = _group(frames, sources, options)
    if only is not None:
        windows = [(d, own) for d, own in windows if any(f.known.key in only for f in own)]
    kept = ledger.list_fits()
    stale = [(digest, own) for digest, own in windows if not _is_kept(digest, own, kept)]
    if progress is not None and stale:
        progress.begin(sum(len(own) for _, own in stale), 0)
    out = Refinement([], [])
    canvases: Canvases = {}
    batch: list[tuple[str, list[LabelledFrame]]] = []
    for place, window in enumerate(stale):
        batch.append(window)
        size = sum(len(own) for _, own in batch)
        if size < CHUNK and place + 1 < len(stale):
            continue
        rows = _fit(batch, sources, options, canvases)
        ledger.put_fits(rows)
        kept |= {row.key: row for row in rows}
        out.fitted += size
        if progress is not None:
            progress.advance(size)
        batch = []
    asked = [f for f in frames if only is None or f.known.key in only]
    for frame in asked:
        _sort(frame, kept[frame.known.key], out)
    out.centres = _find_centres(out.frames, sources)
    told = json.dumps(out.centres.tolist())
    for place, frame in enumerate(out.frames):
        assert frame.refined is not None
        text = f"{frame.refined.digest} {told}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        out.frames[place] = replace(
            frame, refined=replace(frame.refined, digest=digest, centres=out.centres)
        )
    return out


def _find_centres(frames: Sequence[LabelledFrame], sources: Sources) -> NDArray[np.float64]:
    """Where the annotators see joints, from so many frames that another label changes little; which
    ones is left to their keys, so that it does not depend on the order in which they came."""
    sights = []
    for frame in sorted(frames, key=lambda f: f.known.key)[:CENTRE_FRAMES]:
        assert frame.refined is not None
        camera = sources.find_camera(frame.known)
        fits = read_fits(frame.refined.hands)
        sights += [
            see_drawn(hand, camera, fit)
            for hand, fit in zip(frame.label.hands, fits, strict=True)
            if fit is not None
        ]
    return estimate_centres(sights)


def _group(
    frames: Sequence[LabelledFrame], sources: Sources, options: FitOptions
) -> list[tuple[str, list[LabelledFrame]]]:
    """Windows of frames, each with a digest of all that its fits depend on."""
    found: dict[tuple[str, int, int], list[LabelledFrame]] = {}
    for frame in frames:
        known = frame.known
        sequence = sources.find_sequence(known)
        # Frames of no sequence do not hold each other.
        where = (sequence, known.frame // WINDOW) if sequence is not None else (-1, known.frame)
        found.setdefault((known.folder, *where), []).append(frame)
    out = []
    for own in found.values():
        told = [VERSION, asdict(options), [(f.known.key, f.digest) for f in own]]
        out.append((hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16], own))
    return out


def _is_kept(digest: str, own: Sequence[LabelledFrame], kept: dict[str, KeptFits]) -> bool:
    return all(f.known.key in kept and kept[f.known.key].digest == digest for f in own)


def _fit(
    windows: Sequence[tuple[str, Sequence[LabelledFrame]]],
    sources: Sources,
    options: FitOptions,
    canvases: Canvases,
) -> list[KeptFits]:
    frames: list[Frame] = []
    owners: list[tuple[str, LabelledFrame]] = []
    for number, (digest, own) in enumerate(windows):
        for one in own:
            frame = label_frame(sources.read(one.known), one.label, len(frames))
            # Windows do not hold each other.
            if frame.sequence_id is not None:
                frame = replace(frame, sequence_id=number)
            frames.append(frame)
            owners.append((digest, one))
    judged = judge_frames(frames, options, canvases)
    return [
        KeptFits(
            one.known.key,
            digest,
            one.digest,
            any(not doubt.lack for doubt in result.doubts),
            json.dumps(_describe(result)),
        )
        for (digest, one), result in zip(owners, judged, strict=True)
    ]


def _describe(judged: Judged) -> dict[str, Any]:
    return {
        "hands": [None if fit is None else write_fit(fit) for fit in judged.fits],
        "measures": [None if m is None else describe_measures(m) for m in judged.measures],
        "doubts": [(d.side, d.reason, d.lack) for d in judged.doubts],
    }


def _sort(frame: LabelledFrame, kept: KeptFits, out: Refinement) -> None:
    told = json.loads(kept.fits)
    if kept.doubted and not any(a.ground_truth for a in frame.label.answers):
        out.reviews += [
            Review(
                f"{reason} ({side} hand)",
                frame.tasks[0],
                frame.known.key,
                frame.known.dataset,
                frame.known.frame,
            )
            for side, reason, lack in told["doubts"]
            if not lack
        ]
        return
    digest = hashlib.sha256(f"{kept.digest} {frame.digest}".encode()).hexdigest()[:16]
    refined = Refined(digest, tuple(told["hands"]), tuple(told["measures"]), out.centres)
    out.hands += sum(hand is not None for hand in refined.hands)
    out.frames.append(replace(frame, refined=refined))
