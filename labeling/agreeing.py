"""How far a project's annotators agree, from the answers that a ledger keeps: no server is asked.

OUT/agreement.json           the table, and which frames are worst
OUT/worst-01-....png         those frames, every annotator's skeleton on them, the worst first
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.engines.job import Progress
from frames.errors import BadInput
from frames.skeleton import KEYPOINT_NAMES
from frames.store.disk import make_folder, write_file
from frames.viewing.sheet import write_picture
from labeling.agreement import Agreement, measure_agreement
from labeling.agreement_pictures import draw_disagreement
from labeling.answers import Answer, Doubt, read_answer
from labeling.ledger import KnownFrame, Ledger
from labeling.sources import Sources

TABLE_NAME: Final = "agreement.json"
WORST: Final = 12
"""Frames that are drawn."""


@dataclass(frozen=True, eq=False)
class Shared:
    """What several annotators said of a project's frames."""

    frames: tuple[KnownFrame, ...]
    """Those that two or more answered."""
    answers: dict[int, list[Answer]]
    """By place in `frames`."""
    depths: dict[int, tuple[NDArray[np.float32], Camera]]
    """By place in `frames`; absent where a frame is not there any more."""
    answered: int
    """Frames that anybody answered."""
    unread: int
    """Answers that cannot be understood, and take no part."""


def gather_shared(
    ledger: Ledger, data: Sequence[Path] = (), progress: Progress | None = None
) -> Shared:
    """The standing answers of frames that two or more annotators answered, with their depth.

    data: where pushed datasets are now, if they were moved.
    """
    sources, known = Sources(data), ledger.list_frames()
    frames: list[KnownFrame] = []
    answers: dict[int, list[Answer]] = {}
    depths: dict[int, tuple[NDArray[np.float32], Camera]] = {}
    answered = unread = 0
    raw = {key: mine for key, mine in ledger.list_answers().items() if key in known}
    if progress is not None:
        progress.begin(len(raw), 0)
    for key, annotations in sorted(raw.items(), key=lambda item: _place(known[item[0]])):
        if progress is not None:
            progress.advance(1)
        answered += 1
        if len({_name_annotator(a) for a in annotations}) < 2:
            continue
        camera = sources.find_camera(known[key])
        given = []
        for annotation in annotations:
            try:
                given.append(read_answer(annotation, camera))
            except Doubt:
                unread += 1
        place = len(frames)
        frames.append(known[key])
        answers[place] = given
        frame = sources.read(known[key])
        if frame.reading is not None:
            scale = np.float32(frame.depth_scale)
            depths[place] = frame.reading.astype(np.float32) / scale, camera
    return Shared(tuple(frames), answers, depths, answered, unread)


def compare_annotators(
    ledger: Ledger,
    out: Path,
    data: Sequence[Path] = (),
    worst: int = WORST,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write the table and the pictures of the worst frames; returns the table as plain values.

    Raises BadInput where no two annotators answered one frame, for an out folder that holds other
    things, and for pushed datasets that are not there.
    """
    _check_out(out)
    shared = gather_shared(ledger, data, progress)
    found = measure_agreement(shared.answers, shared.depths, worst)
    if not found.hands:
        raise BadInput(
            f"no hand was drawn by two annotators: {shared.answered} frames have answers,"
            f" {len(shared.frames)} of them of several people; in Label Studio raise the project's"
            " overlap (Settings, Quality), or have two people annotate the same tasks"
        )
    make_folder(out)
    for old in out.glob("worst-*.png"):
        old.unlink()
    values = describe_agreement(found, shared)
    for rank, apart in enumerate(found.worst, 1):
        known = shared.frames[apart.rated.frame]
        name = f"worst-{rank:02d}-{known.dataset}-{known.frame}-{apart.rated.side}.png"
        values["worst"][rank - 1]["picture"] = name
        depth_m, camera = shared.depths[apart.rated.frame]
        title = f"{known.dataset} {known.frame}"
        write_picture(draw_disagreement(apart.rated, depth_m, camera, title), out / name)
    write_file(out / TABLE_NAME, (json.dumps(values, indent=1) + "\n").encode())
    return values


def describe_agreement(found: Agreement, shared: Shared) -> dict[str, Any]:
    """Plain values for JSON; what is not known is null."""
    joints = {
        name: {
            "px": _round(found.median_px[k]),
            "px_90": _round(found.p90_px[k]),
            "mm": _round(found.median_mm[k]),
            "mm_90": _round(found.p90_mm[k]),
            "kappa": _round(found.kappa[k], 3),
        }
        for k, name in enumerate(KEYPOINT_NAMES)
    }
    joints["all"] = {
        "px": _round(found.all_px[0]),
        "px_90": _round(found.all_px[1]),
        "mm": _round(found.all_mm[0]),
        "mm_90": _round(found.all_mm[1]),
        "kappa": _round(found.kappa_all, 3),
    }
    return {
        "frames": found.frames,
        "hands": found.hands,
        "pairs": found.pairs,
        "split_hands": found.split_hands,
        "answered_frames": shared.answered,
        "unread_answers": shared.unread,
        "kappa_kind": found.kappa_kind,
        "raters": found.raters,
        "joints": joints,
        "annotators": {
            str(name): {"hands": hands, "px": _round(px)}
            for name, (hands, px) in found.annotators.items()
        },
        "worst": [
            {
                "key": shared.frames[one.rated.frame].key,
                "dataset": shared.frames[one.rated.frame].dataset,
                "frame": shared.frames[one.rated.frame].frame,
                "side": one.rated.side,
                "annotators": list(one.rated.annotators),
                "joint": KEYPOINT_NAMES[one.joint],
                "px": _round(one.px),
                "mm": _round(one.mm),
            }
            for one in found.worst
        ],
    }


def say_agreement(values: dict[str, Any], out: Path) -> str:
    """The same for people."""
    head = ("joint", "px", "px 90 %", "mm", "mm 90 %", "kappa")
    rows = [head]
    for name, one in values["joints"].items():
        cells = (one["px"], one["px_90"], one["mm"], one["mm_90"])
        told = ["-" if v is None else f"{v:.1f}" for v in cells]
        told.append("-" if one["kappa"] is None else f"{one['kappa']:.2f}")
        rows.append((name, told[0], told[1], told[2], told[3], told[4]))
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    table = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines = [
        f"{values['frames']:,} frames, {values['hands']:,} hands, {values['pairs']:,} pairs of"
        " annotators; distance of two annotators, median and 90 %; kappa of visibility"
        f" ({values['kappa_kind']})",
        *table,
        "annotators, median px from the others: "
        + ", ".join(f"{n} {one['px']} ({one['hands']})" for n, one in values["annotators"].items()),
    ]
    if values["split_hands"]:
        lines.append(f"{values['split_hands']:,} hands were drawn by some and not by others")
    if values["unread_answers"]:
        lines.append(f"{values['unread_answers']:,} answers cannot be understood: handloom label"
                     " pull lists them")  # fmt: skip
    first = values["worst"][0]
    lines.append(
        f"worst: {first['dataset']} {first['frame']}, {first['side']} {first['joint']},"
        f" {first['px']} px; {len(values['worst'])} pictures in {out}"
    )
    return "\n".join(lines)


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file: choose another folder for the comparison")
    names = {p.name for p in out.iterdir()} if out.exists() else set()
    if names and TABLE_NAME not in names:
        raise BadInput(
            f"{out} holds something else than a comparison of annotators ({sorted(names)[0]}):"
            " choose another folder"
        )


def _place(known: KnownFrame) -> tuple[str, str, int]:
    return known.dataset, known.folder, known.frame


def _name_annotator(annotation: dict[str, Any]) -> str:
    who = annotation.get("completed_by")
    return str(who.get("id") if isinstance(who, dict) else who)


def _round(value: float, digits: int = 2) -> float | None:
    return None if math.isnan(value) else round(float(value), digits)
