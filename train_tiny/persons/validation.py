"""Average precision of persons, by COCO's own protocol on a file of annotations."""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from frames.errors import BadInput
from train_tiny.devices import lower_precision
from train_tiny.finding.grouping import Grouping, group, merge_maps
from train_tiny.finding.hand_finder import Finding, Found, choose_hands
from train_tiny.persons.data import PersonSource, open_person_sources
from train_tiny.persons.json_stream import read_lists
from train_tiny.persons.loading import make_person_eval_loader, normalise
from train_tiny.persons.views import draw_warp
from train_tiny.specs import split_spec

MOST: Final = 20
"""Persons of a picture that count, as in COCO."""

BOX_SHARE: Final = 0.53
"""Of a person's box that is the person."""

FINDING: Final = Finding(least_score=0.0, hands=MOST, apart=0.0, grouping=Grouping(peaks=30))
"""The published inference: nothing found twice is looked for."""


@dataclass(frozen=True, eq=False)
class HeldPersons:
    """The first pictures of a file, kept to be searched again and again."""

    source: PersonSource
    images: Tensor
    """(N, 3, H, W) uint8."""

    def __len__(self) -> int:
        return len(self.images)


def hold_persons(
    specs: Sequence[str], size_px: tuple[int, int], most: int, workers: int = 0
) -> list[HeldPersons]:
    """Of each file its share of `most` pictures."""
    out = []
    for k, source in enumerate(open_person_sources(specs)):
        wanted = most * (k + 1) // len(specs) - most * k // len(specs)
        parts, count = [], 0
        for images, _ in make_person_eval_loader(source, size_px, 16, workers, plain=True):
            parts.append(images[: wanted - count])
            count += len(parts[-1])
            if count >= wanted:
                break
        if count:
            out.append(HeldPersons(source, torch.cat(parts)))
    return out


def validate_persons(
    net: nn.Module,
    held: Sequence[HeldPersons],
    device: torch.device,
    kind: torch.dtype = torch.float32,
) -> dict[str, float]:
    """ap, ap50, ap75 and ar: the mean over the files."""
    scores = []
    for one in held:
        found = find_persons(net, one.images, device, kind)
        pictures = one.source.pictures[: len(found)]
        size = int(one.images.shape[3]), int(one.images.shape[2])
        placed = [
            [put_back(person, (p.width, p.height), size) for person in persons]
            for p, persons in zip(pictures, found, strict=True)
        ]
        scores.append(measure_persons(one.source, placed))
    return {name: float(np.mean([s[name] for s in scores])) for name in scores[0]}


@torch.no_grad()
def find_persons(
    net: nn.Module,
    images: Tensor,
    device: torch.device,
    kind: torch.dtype = torch.float32,
    finding: Finding = FINDING,
) -> list[list[Found]]:
    """The persons in each of images (N, 3, H, W) uint8, in their pixels, the best first."""
    found = list[list[Found]]()
    for part in images.split(16):
        there = normalise(part.to(device)).contiguous(memory_format=torch.channels_last)
        with lower_precision(device, kind):
            out = net(there)
        grouped = group(*merge_maps(out), finding.grouping)
        found += [choose_hands(instances, finding) for instances in grouped]
    return found


def put_back(found: Found, picture: tuple[int, int], size_px: tuple[int, int]) -> Found:
    """In pixels of the picture of (width, height) what was found in its view of size_px."""
    warp, _ = draw_warp(picture, size_px, None, 0, 0, 0)
    factor, shift = warp[0, 0], warp[:, 2]
    return replace(
        found,
        keypoints_px=((found.keypoints_px - shift) / factor).astype(np.float32),
        box_px=((found.box_px - np.tile(shift, 2)) / factor).astype(np.float32),
    )


def measure_persons(source: PersonSource, found: Sequence[Sequence[Found]]) -> dict[str, float]:
    """ap, ap50, ap75 and ar of what was found in the first pictures of a file, in their pixels.

    Areas, crowds and sigmas are the file's own. Raises BadInput where faster-coco-eval is missing.
    """
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError:
        raise BadInput(
            "average precision needs faster-coco-eval: pip install 'handloom[train]'"
        ) from None
    names = ("ap", "ap50", "ap75", "ar")
    numbers = [p.number for p in source.pictures[: len(found)]]
    rows = [
        _describe(number, person)
        for number, persons in zip(numbers, found, strict=True)
        for person in persons
    ]
    if not rows:
        return dict.fromkeys(names, 0.0)
    # It tells of its progress on the standard output.
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(_read_truth(split_spec(source.name)[0], set(numbers)))
        evaluation = COCOeval_faster(
            truth, truth.loadRes(rows), "keypoints", kpt_oks_sigmas=list(source.layout.sigmas)
        )
        evaluation.params.imgIds = numbers
        evaluation.params.maxDets = [MOST]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(names, (float(evaluation.stats[k]) for k in (0, 1, 2, 5)), strict=True))


def _read_truth(path: Path, numbers: set[int]) -> dict[str, Any]:
    """The file's pictures of these numbers as COCO's evaluation wants them.

    One category: a hand is a hand on either side. An annotation without an area, as CrowdPose's
    are, has 0.53 of its box's, as CrowdPose's own evaluation takes it.
    """
    rows: dict[str, list[Any]] = {"images": [], "annotations": []}
    for key, value in read_lists(path):
        if key in rows and value["id" if key == "images" else "image_id"] in numbers:
            rows[key].append(value)
    kept = []
    for row in rows["annotations"]:
        x, y, width, height = row.get("bbox") or (0.0, 0.0, 0.0, 0.0)
        points = row.get("keypoints")
        if points is None:
            continue
        known = sum(v > 0 for v in points[2::3])
        area = row.get("area") or BOX_SHARE * width * height
        row |= {"category_id": 1, "area": area, "bbox": [x, y, width, height]}
        kept.append(row | {"num_keypoints": known, "iscrowd": row.get("iscrowd") or 0})
    categories = [{"id": 1, "name": "person"}]
    return {"info": {}, "categories": categories, "images": rows["images"], "annotations": kept}


def _describe(number: int, found: Found) -> dict[str, Any]:
    x0, y0, x1, y1 = (float(v) for v in found.box_px)
    triples: NDArray[np.float64] = np.column_stack([found.keypoints_px, found.scores])
    return {
        "image_id": number,
        "category_id": 1,
        "keypoints": triples.ravel().tolist(),
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "score": float(found.score),
    }
