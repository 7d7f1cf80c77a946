"""A dataset of labelled frames, refined: every hand's 3D, part masks, and a review list.

    OUT/dataset.json, OUT/shards/     a dataset like any other
    OUT/labels/refined.jsonl          a line a hand: what it was judged by
    OUT/labels/doubts.jsonl           a line a hand that was left as it was, with the reason

A refined hand has the model's keypoints, all 21, with provenance `model`, and their projections;
a hand that is left as it was keeps what people placed and the depth that was lifted.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.dataset import Dataset, open_dataset
from frames.disk import make_folder, write_file
from frames.errors import BadInput
from frames.folder import count_rows, count_shards, create_dataset, finished_shards
from frames.frame_table import build_frame_table
from frames.job import Progress
from frames.lock import lock_shards
from frames.parts import (
    CAUSE_DROPOUT,
    CAUSE_NONE,
    CAUSE_OBJECT,
    CAUSE_OUTSIDE,
    CAUSE_SELF,
    HAND_STRIDE,
    PROVENANCE_EXACT,
    PROVENANCE_MODEL,
    PROVENANCE_NONE,
    VISIBILITY_OCCLUDED,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)
from frames.record import Frame, Hand
from frames.shard import write_shard
from frames.skeleton import KEYPOINTS
from labeling.refinement.checks import (
    Measures,
    find_doubt,
    find_lack,
    find_other_side,
    measure_fit,
)
from labeling.refinement.evidence import Evidence, state_sigma
from labeling.refinement.fitting import Fit, FitOptions, estimate_noise, fit_hands
from labeling.refinement.masks import Drawn, build_canvas, draw_fits, measure_flesh
from synth.labels import label_keypoints
from synth.raster.canvas import Canvas

VERSION: Final = 1
"""Raised when the same labels give other hands."""

LABELS: Final = "labels"
REFINED_NAME: Final = "refined.jsonl"
DOUBTS_NAME: Final = "doubts.jsonl"

CHUNK: Final = 48
"""Frames that are fitted together."""


@dataclass(frozen=True)
class Doubt:
    """A hand that was left as it was."""

    frame: int
    """Its place in the dataset."""
    hand: int
    side: str
    reason: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one frame."""

    frame: Frame
    measures: tuple[Measures | None, ...]
    """Of each hand; None for one that was not fitted."""
    doubts: tuple[Doubt, ...]


@dataclass
class Report:
    """What a refinement did."""

    frames: int = 0
    hands: int = 0
    refined: int = 0
    doubts: int = 0


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
    depths, evidence, place = [], [], []
    lacks: dict[tuple[int, int], str] = {}
    for i, frame in enumerate(frames):
        depth = frame.reading
        if depth is None:
            raise BadInput(f"frame {frame.frame_id} has no depth: there is nothing to refine with")
        depths.append(depth.astype(np.float32) / np.float32(frame.depth_scale))
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
    canvases: dict[tuple[Camera, int], Canvas] = {}
    return [
        _finish_frame(i, frame, depths[i], found, lacks, canvases, options)
        for i, frame in enumerate(frames)
    ]


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


def _finish_frame(
    i: int,
    frame: Frame,
    depth_m: NDArray[np.float32],
    found: dict[tuple[int, int], tuple[Evidence, Fit]],
    lacks: dict[tuple[int, int], str],
    canvases: dict[tuple[Camera, int], Canvas],
    options: FitOptions | None,
) -> Outcome:
    count = len(frame.hands)
    key = frame.camera, count
    if key not in canvases:
        canvases[key] = build_canvas(frame.camera, count)
    noise = estimate_noise(depth_m)
    fits = [found[i, k][1] if (i, k) in found else None for k in range(count)]
    drawn = draw_fits(canvases[key], fits, depth_m, noise)
    measures: list[Measures | None] = [None] * count
    doubts = []
    for k, hand in enumerate(frame.hands):
        reason = lacks.get((i, k))
        if (i, k) in found:
            evidence, fit = found[i, k]
            measured = measures[k] = measure_fit(evidence, fit, drawn, k, noise)
            reason = find_doubt(measured)
            if reason is not None:
                mirrored = fit_hands([replace(evidence, left=not evidence.left)], options)[0]
                reason = find_other_side(fit, mirrored) or reason
        if reason is not None:
            doubts.append(Doubt(frame.frame_id, k, hand.side, reason))
            fits[k] = None
    if doubts:
        drawn = draw_fits(canvases[key], fits, depth_m, noise)
    hands = tuple(
        hand if fit is None else refine_hand(frame, hand, fit, drawn, k)
        for k, (hand, fit) in enumerate(zip(frame.hands, fits, strict=True))
    )
    # Masks that lack a hand would call it background.
    whole = count > 0 and all(fit is not None for fit in fits) and frame.parts is None
    refined = replace(frame, hands=hands, parts=drawn.parts if whole else frame.parts)
    return Outcome(refined, tuple(measures), tuple(doubts))


def refine_hand(frame: Frame, hand: Hand, fit: Fit, drawn: Drawn, place: int) -> Hand:
    """The record of a refined hand at its place in the frame.

    What people said of a joint's visibility stands, unless the image contradicts it; of joints that
    they did not place, model and image tell.
    """
    depth = frame.reading
    assert depth is not None
    cam = fit.keypoints_m.astype(np.float32)
    told = label_keypoints(
        frame.camera,
        cam[None],
        measure_flesh(fit)[None].astype(np.float32),
        np.zeros(1, np.int64),
        np.array([place]),
        depth[None],
        drawn.parts[None],
        frame.depth_scale,
    )
    visibility, cause = told.visibility[0].copy(), told.occlusion[0].copy()
    surface = told.surface_depth_m[0]
    said = (hand.visibility != VISIBILITY_OUTSIDE) & (hand.provenance != PROVENANCE_NONE)
    inside = visibility != VISIBILITY_OUTSIDE
    with np.errstate(invalid="ignore"):
        nearer = surface < cam[:, 2] - 2 / frame.depth_scale
    codes = read_codes(frame.camera, told.keypoints_px[0], drawn.parts)
    own = (codes > 0) & (codes // HAND_STRIDE == place)
    seen = said & inside & (hand.visibility == VISIBILITY_VISIBLE) & (own | ~nearer)
    visibility[seen], cause[seen] = VISIBILITY_VISIBLE, CAUSE_NONE
    hidden = said & inside & (hand.visibility == VISIBILITY_OCCLUDED) & nearer
    hidden &= visibility == VISIBILITY_VISIBLE  # its own skin is before it, say those who looked
    visibility[hidden] = VISIBILITY_OCCLUDED
    cause[hidden] = np.where(own[hidden], CAUSE_SELF, CAUSE_OBJECT)
    unread = said & inside & np.isnan(surface)
    visibility[unread], cause[unread] = VISIBILITY_OCCLUDED, CAUSE_DROPOUT
    cause[~inside] = CAUSE_OUTSIDE
    angles = fit.angles.astype(np.float32)
    angles[:2] = np.nan  # the wrist's: the forearm is not fitted
    return replace(
        hand,
        part_base=HAND_STRIDE * place,
        keypoints_px=told.keypoints_px[0],
        keypoints_cam_m=cam,
        surface_depth_m=surface,
        visibility=visibility,
        occlusion=cause,
        visible_fraction=float(drawn.visible_fraction[place]),
        box_px=drawn.box_px[place],
        box_amodal_px=drawn.box_amodal_px[place],
        joint_angles_rad=angles,
        shape=fit.shape.astype(np.float32),
        T_camera_from_wrist=fit.T_camera_from_wrist.astype(np.float32),
        provenance=np.full(KEYPOINTS, PROVENANCE_MODEL, np.uint8),
    )


def read_codes(
    camera: Camera, px: NDArray[np.float32], parts: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """(21,) codes at the nearest pixels, 0 outside."""
    inside = camera.contains(px)
    at = np.where(inside[:, None], np.floor(np.nan_to_num(px) + 0.5), 0).astype(np.int64)
    return np.where(inside, parts[at[:, 1], at[:, 0]], 0).astype(np.int64)


def refine_dataset(
    data: Path, out: Path, options: FitOptions | None = None, progress: Progress | None = None
) -> Report:
    """Write OUT with the hands of DATA refined; what is there is kept, so it can be run again.

    Raises BadInput for a folder that is no dataset, or an OUT that holds another one.
    """
    if data.resolve() == out.resolve():
        raise BadInput(f"OUT is DATA ({data}): choose another folder for the refined dataset")
    options = options or FitOptions()
    source = open_dataset(data)
    angles = {"joint_angle_names": list(_angle_names())}
    meta = {**source.meta, **angles, "refinement": {"version": VERSION, **asdict(options)}}
    create_dataset(out, {k: v for k, v in meta.items() if k not in ("format", "schema_version")})
    report = Report(frames=len(source))
    if progress is not None:
        progress.begin(len(source), 0)
    for index in range(count_shards(source.meta)):
        rows = count_rows(source.meta, index)
        with lock_shards(out, index, index + 1):
            if index not in finished_shards(out):
                lines: dict[str, list[dict[str, Any]]] = {REFINED_NAME: [], DOUBTS_NAME: []}
                first = index * int(source.meta["frames_per_shard"])
                # Lists first: a shard that is there has them.
                tables = list(_refine_rows(source, first, rows, options, lines))
                for name, listed in lines.items():
                    _write_lines(_part(out, name, index), listed)
                write_shard(out, index, tables)
        if progress is not None:
            progress.advance(rows)
    for name in (REFINED_NAME, DOUBTS_NAME):
        parts = [_part(out, name, i) for i in range(count_shards(source.meta))]
        text = b"".join(part.read_bytes() for part in parts)
        write_file(out / LABELS / name, text)
        lines_of = [json.loads(line) for line in text.decode().splitlines()]
        if name == REFINED_NAME:
            report.refined = sum(not line["doubted"] for line in lines_of)
        else:
            report.doubts = len(lines_of)
    report.hands = report.refined + report.doubts
    return report


def _angle_names() -> tuple[str, ...]:
    from synth.hand.angles import DOFS

    return DOFS


def _refine_rows(
    source: Dataset,
    first: int,
    rows: int,
    options: FitOptions,
    lines: dict[str, list[dict[str, Any]]],
) -> Iterator[Any]:
    for start in range(first, first + rows, CHUNK):
        stop = min(start + CHUNK, first + rows)
        outcomes = refine_frames([source[i] for i in range(start, stop)], options)
        for outcome in outcomes:
            doubted = {d.hand for d in outcome.doubts}
            lines[DOUBTS_NAME] += [asdict(d) for d in outcome.doubts]
            for k, measured in enumerate(outcome.measures):
                if measured is not None:
                    lines[REFINED_NAME].append(
                        {
                            "frame": outcome.frame.frame_id,
                            "hand": k,
                            "side": outcome.frame.hands[k].side,
                            "doubted": k in doubted,
                            **_plain(measured),
                        }
                    )
        yield build_frame_table([outcome.frame for outcome in outcomes])


def _plain(measures: Measures) -> dict[str, Any]:
    """For JSON: NaN is null."""
    out = {}
    for field in fields(measures):
        value = getattr(measures, field.name)
        if isinstance(value, float):
            value = None if np.isnan(value) else round(value, 5)
        out[field.name] = value
    return out


def _part(out: Path, name: str, index: int) -> Path:
    return out / LABELS / "parts" / f"{index:05d}-{name}"


def _write_lines(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    make_folder(path.parent)
    write_file(path, "".join(json.dumps(x, sort_keys=True) + "\n" for x in lines).encode())
