"""A dataset of labelled frames, refined: every hand's 3D, part masks, and a review list.

    OUT/dataset.json, OUT/shards/     a dataset like any other
    OUT/labels/refined.jsonl          a line a hand: what it was judged by
    OUT/labels/doubts.jsonl           a line a hand that was left as it was, with the reason

A refined hand has the model's keypoints, all 21, with provenance `model`, and their projections;
a hand that is left as it was keeps what people placed and the depth that was lifted.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from frames.engines.job import Progress
from frames.errors import BadInput
from frames.store.dataset import Dataset, open_dataset
from frames.store.disk import make_folder, write_file
from frames.store.folder import count_rows, count_shards, create_dataset, finished_shards
from frames.store.frame_table import build_frame_table
from frames.store.lock import lock_shards
from frames.store.place import is_same_place
from frames.store.shard import write_shard
from labeling.refinement.checks import describe_measures
from labeling.refinement.fitting import FitOptions
from labeling.refinement.refining import VERSION, refine_frames
from synth.hand.angles import DOFS

LABELS: Final = "labels"
REFINED_NAME: Final = "refined.jsonl"
DOUBTS_NAME: Final = "doubts.jsonl"

CHUNK: Final = 48
"""Frames that are fitted together."""


@dataclass
class Report:
    """What a refinement did."""

    frames: int = 0
    hands: int = 0
    refined: int = 0
    doubts: int = 0


def describe_refinement(options: FitOptions) -> dict[str, Any]:
    """What a refined dataset's metadata have of it."""
    return {
        "joint_angle_names": list(DOFS),
        "refinement": {"version": VERSION, **asdict(options)},
    }


def refine_dataset(
    data: Path, out: Path, options: FitOptions | None = None, progress: Progress | None = None
) -> Report:
    """Write OUT with the hands of DATA refined; what is there is kept, so it can be run again.

    Raises BadInput for a folder that is no dataset, or an OUT that holds another one.
    """
    if is_same_place(data, out):
        raise BadInput(f"OUT is DATA ({data}): choose another folder for the refined dataset")
    options = options or FitOptions()
    source = open_dataset(data)
    meta = {**source.meta, **describe_refinement(options)}
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
                            **describe_measures(measured),
                        }
                    )
        yield build_frame_table([outcome.frame for outcome in outcomes])


def _part(out: Path, name: str, index: int) -> Path:
    return out / LABELS / "parts" / f"{index:05d}-{name}"


def _write_lines(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    make_folder(path.parent)
    write_file(path, "".join(json.dumps(x, sort_keys=True) + "\n" for x in lines).encode())
