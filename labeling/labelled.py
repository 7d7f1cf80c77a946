"""The dataset of labelled frames: written anew from its labels, what has not changed kept as it is.

    OUT/dataset.json, OUT/shards/   a dataset like any other, source real
    OUT/labels/frames.jsonl         a line a frame: where it is from, who labelled it, every mark
    OUT/labels/review.jsonl         frames that did not become labels, with the reason
    OUT/labels/project.json         the project, and its ledger, which has all answers

It appears whole: it is built beside OUT and takes its place in one step.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from frames.engines.job import Progress
from frames.errors import BadInput
from frames.record import Frame
from frames.store.disk import make_folder, write_file
from frames.store.folder import META_NAME, create_dataset, read_meta
from frames.store.frame_table import build_frame_table
from frames.store.shard import shard_path, sum_path, write_shard
from labeling.answers import MARK_NAMES
from labeling.combining import Label
from labeling.ledger import KnownFrame
from labeling.lifting import label_hand, lift_hand
from labeling.review import Review, write_reviews
from labeling.sources import Sources

PER_SHARD: Final = 128
"""Frames a shard: small, for a pull writes only shards with a change."""

LABELS: Final = "labels"
FRAMES_NAME: Final = "frames.jsonl"
REVIEW_NAME: Final = "review.jsonl"
PROJECT_NAME: Final = "project.json"
LIFTING: Final = 1
"""Raised when the same answers give other labels."""

_CHUNK: Final = 32


@dataclass(frozen=True, eq=False)
class Refined:
    """The hand model as it was fitted to a frame's hands: `labeling.refinement.pulled`."""

    digest: str
    """Of everything that the fits depend on."""

    hands: tuple[Mapping[str, Any] | None, ...]
    """As `labeling.refinement.kept_fits` writes them; None for one that is as people placed it."""

    measures: tuple[Mapping[str, Any] | None, ...]
    """What each was judged by."""

    centres: NDArray[np.float64]
    """(21, 3) where annotators see joints: `labeling.refinement.joint_centres`."""


@dataclass(frozen=True, eq=False)
class LabelledFrame:
    """A frame and its label."""

    known: KnownFrame
    label: Label
    tasks: tuple[int, ...]
    digest: str
    """Of everything that the label depends on."""

    refined: Refined | None = None


def write_labelled(
    out: Path,
    frames: Sequence[LabelledFrame],
    reviews: Sequence[Review],
    policy: str,
    sources: Sources,
    moved: bool = False,
    project: Mapping[str, Any] | None = None,
    about: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> int:
    """Write the dataset and its lists; returns how many shards were written.

    moved: some pushed datasets are elsewhere now, so no shard is kept. project: for
    `read_project`. about: more metadata.

    Raises BadInput for an out folder that holds anything but such a dataset. Without any labelled
    frame there is no dataset, only the lists.
    """
    fresh, old = _beside(out, "new"), _beside(out, "old")
    _recover(out, fresh, old)
    _check_ours(out)
    written = 0
    make_folder(fresh)
    try:
        if frames:
            digests = _sum_shards(frames)
            kept = {} if moved else _read_digests(out)
            described = _describe(frames, digests, policy, sources)
            create_dataset(fresh, {**described, **(about or {})})
            offsets = _offset_sequences(frames, sources)
            if progress is not None:
                progress.begin(len(frames), 0)
            for index, digest in enumerate(digests):
                rows = frames[index * PER_SHARD : (index + 1) * PER_SHARD]
                if kept.get(index) == digest and _link(out, fresh, index):
                    pass
                else:
                    tables = _build_tables(rows, index * PER_SHARD, sources, offsets)
                    write_shard(fresh, index, tables)
                    written += 1
                if progress is not None:
                    progress.advance(len(rows))
        make_folder(fresh / LABELS)
        lines = [json.dumps(_describe_frame(i, f), sort_keys=True) for i, f in enumerate(frames)]
        write_file(fresh / LABELS / FRAMES_NAME, "".join(x + "\n" for x in lines).encode())
        write_reviews(fresh / LABELS / REVIEW_NAME, reviews)
        write_file(fresh / LABELS / PROJECT_NAME, (json.dumps(project or {}) + "\n").encode())
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)
    return written


def read_project(out: Path) -> dict[str, Any] | None:
    """What a folder of pulled labels says of its project: `project`, `url` and `ledger`; None for
    another folder."""
    try:
        told = json.loads((out / LABELS / PROJECT_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and "ledger" in told else None


def _beside(out: Path, what: str) -> Path:
    return out.parent / f".{out.name}.{what}"


def _recover(out: Path, fresh: Path, old: Path) -> None:
    """Put right what a pull left that was stopped between two renames."""
    if old.exists() and not out.exists():
        old.rename(out)
    for leftover in (fresh, old):
        if leftover.exists():
            shutil.rmtree(leftover)


def _check_ours(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise BadInput(f"{out} is a file: choose another folder for the labels")
    names = {p.name for p in out.iterdir()}
    if names and not (out / LABELS / FRAMES_NAME).is_file():
        raise BadInput(
            f"{out} holds something else than pulled labels ({sorted(names)[0]}): choose another"
            " folder"
        )


def _sum_shards(frames: Sequence[LabelledFrame]) -> list[str]:
    """A digest of every shard's rows: frames, places and labels."""
    sums = []
    for first in range(0, len(frames), PER_SHARD):
        rows = frames[first : first + PER_SHARD]
        text = json.dumps(
            [
                LIFTING,
                first,
                [(f.known.key, f.known.dataset, f.known.frame, _sum_frame(f)) for f in rows],
            ]
        )
        sums.append(hashlib.sha256(text.encode()).hexdigest()[:16])
    return sums


def _sum_frame(frame: LabelledFrame) -> str:
    return frame.digest if frame.refined is None else frame.refined.digest


def _read_digests(out: Path) -> dict[int, str]:
    if not (out / META_NAME).is_file():
        return {}
    return dict(enumerate(read_meta(out).get("labels", {}).get("shards", [])))


def _link(out: Path, fresh: Path, index: int) -> bool:
    """Take a shard over as it is; False if it is not there."""
    here, there = shard_path(out, index), shard_path(fresh, index)
    if not here.is_file() or not sum_path(here).is_file():
        return False
    make_folder(there.parent)
    for a, b in ((sum_path(here), sum_path(there)), (here, there)):
        try:
            os.link(a, b)
        except OSError:
            shutil.copyfile(a, b)
    return True


def _describe(
    frames: Sequence[LabelledFrame], digests: Sequence[str], policy: str, sources: Sources
) -> dict[str, Any]:
    """The metadata: what the labels are, and where the frames come from."""
    origins: dict[str, dict[str, Any]] = {}
    for frame in frames:
        if frame.known.dataset not in origins:
            meta = sources.find(frame.known).meta
            origins[frame.known.dataset] = {
                key: meta[key]
                for key in ("title", "license", "source", "seed", "generator_version", "sensor")
                if key in meta
            }
    licenses = {str(o.get("license", "other")) for o in origins.values()}
    return {
        "frames": len(frames),
        "frames_per_shard": PER_SHARD,
        "title": "Hand depth frames labelled by people",
        "license": licenses.pop() if len(licenses) == 1 else "other",
        "labels": {
            "policy": policy,
            "annotators": len({a.annotator for f in frames for a in f.label.answers}),
            "lifting": LIFTING,
            "shards": list(digests),
        },
        "sources": origins,
    }


def _offset_sequences(frames: Sequence[LabelledFrame], sources: Sources) -> dict[str, int]:
    """What is added to each dataset's sequence numbers, so that they grow on through all."""
    offsets: dict[str, int] = {}
    last: dict[str, KnownFrame] = {}
    for frame in frames:
        last[frame.known.folder] = frame.known
    following = 0
    for folder, known in last.items():
        offsets[folder] = following
        sequence = sources.find(known)[known.frame].sequence_id
        following += 0 if sequence is None else sequence + 1
    return offsets


def _build_tables(
    rows: Sequence[LabelledFrame], first: int, sources: Sources, offsets: dict[str, int]
) -> Iterator[pa.Table]:
    canvases: dict[Any, Any] = {}
    for start in range(0, len(rows), _CHUNK):
        some = rows[start : start + _CHUNK]
        yield build_frame_table(
            [_build_frame(f, first + start + i, sources, offsets, canvases)
             for i, f in enumerate(some)]
        )  # fmt: skip


def _build_frame(
    labelled: LabelledFrame,
    number: int,
    sources: Sources,
    offsets: dict[str, int],
    canvases: dict[Any, Any],
) -> Frame:
    offset = offsets[labelled.known.folder]
    frame = label_frame(sources.read(labelled.known), labelled.label, number, offset)
    if labelled.refined is None:
        return frame
    from labeling.refinement.kept_fits import read_fits  # torch: only where it is asked for
    from labeling.refinement.refining import finish_frame

    refined = labelled.refined
    return finish_frame(frame, read_fits(refined.hands), refined.centres, canvases)


def label_frame(frame: Frame, label: Label, number: int, sequence_offset: int = 0) -> Frame:
    """A pushed frame as it stands among the labels: the sensor's depth, and what people said.

    What else was known of it (clean depth, parts, objects) is left out: nothing of it was seen by
    whoever labelled it.
    """
    depth = frame.reading
    assert depth is not None  # it was pushed
    depth_m = depth.astype(np.float32) / np.float32(frame.depth_scale)
    hands = tuple(
        label_hand(hand, lift_hand(hand, depth_m, frame.camera), depth_m, frame.camera, k)
        for k, hand in enumerate(label.hands)
    )
    sequence = frame.sequence_id
    return replace(
        frame,
        frame_id=number,
        source="real",
        depth=depth,
        clean_depth=None,
        parts=None,
        invalid=None,
        sensor=frame.sensor,
        sensor_seed=None,
        hands=hands,
        objects=(),
        situation=None,
        split=None,
        sequence_id=None if sequence is None else sequence + sequence_offset,
    )


def _describe_frame(number: int, frame: LabelledFrame) -> dict[str, Any]:
    """A line of frames.jsonl."""
    label = frame.label
    fits = [None] * len(label.hands) if frame.refined is None else frame.refined.measures
    return {
        "frame": number,
        "key": frame.known.key,
        "dataset": frame.known.dataset,
        "dataset_frame": frame.known.frame,
        "tasks": list(frame.tasks),
        "annotations": [a.number for a in label.answers],
        "annotators": sorted({a.annotator for a in label.answers}),
        "spread_px": round(label.spread_px, 3),
        "notes": [a.note for a in label.answers if a.note],
        "hands": [
            {
                "side": h.side,
                "wearer": h.wearer,
                "marks": [MARK_NAMES[m] for m in h.marks],
                "fit": fit,
            }
            for h, fit in zip(label.hands, fits, strict=True)
        ],
    }
