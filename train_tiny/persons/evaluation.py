"""A network that finds persons, scored on files as COCO or CrowdPose have them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from frames.errors import BadInput
from frames.report.document import Section, render_grid, render_table, render_tiles, say_words
from frames.viewing import canvas as draw
from frames.viewing import palette
from train_tiny.devices import choose_precision
from train_tiny.finding.found import Found
from train_tiny.persons.data import PersonSource
from train_tiny.persons.loading import make_person_eval_loader
from train_tiny.persons.validation import find_persons, measure_persons, put_back
from train_tiny.training.subject import Subject

PICTURES: Final = 24
"""Of each file that are drawn."""

LEAST: Final = 0.1
"""Score from which on a person is drawn."""

COLUMNS: Final = (
    ("pictures", "pictures", "{:,.0f}"),
    ("persons", "persons", "{:,.0f}"),
    ("ap", "AP", "{:.3f}"),
    ("ap50", "AP50", "{:.3f}"),
    ("ap75", "AP75", "{:.3f}"),
    ("ar", "AR", "{:.3f}"),
)

_WORDS: Final = (
    "Average precision and recall of keypoints by object keypoint similarity: COCO's protocol"
    " (faster-coco-eval), 20 persons a picture; areas and crowds are the file's."
)
_WIDTH: Final = 320


@dataclass(frozen=True, eq=False)
class PersonScores:
    """Of one file."""

    numbers: dict[str, float]
    """pictures, persons, ap, ap50, ap75, ar"""
    cards: list[NDArray[np.uint8]]
    """(H, W, 3) the first pictures with persons: labels white, what was found coloured."""


def evaluate_persons(
    subject: Subject,
    source: PersonSource,
    device: torch.device,
    precision: str = "float32",
    most: int = 0,
    workers: int = 0,
    told: Callable[[int], None] = lambda count: None,
) -> PersonScores:
    """Search every picture of a file, or the first `most` of them, and score what is found.

    told: is given the number of pictures done. Raises BadInput for a network of other joints, and
    for pictures that cannot be read.
    """
    _check(subject, source)
    net: nn.Module = subject.net.to(device, memory_format=torch.channels_last).eval()
    kind = choose_precision(precision, device)
    found, cards = list[list[Found]](), list[NDArray[np.uint8]]()
    for images, targets in make_person_eval_loader(
        source, subject.size_px, 16, workers, plain=True
    ):
        left = min(len(images), most - len(found)) if most else len(images)
        persons = find_persons(net, images[:left], device, kind)
        for k in range(left):
            if len(cards) < PICTURES and torch.isfinite(targets.keypoints_px[k]).any():
                cards.append(draw_persons(images[k], targets.keypoints_px[k].numpy(), persons[k]))
        for one in persons:
            picture = source.pictures[len(found)]
            size = picture.width, picture.height
            found.append([put_back(person, size, subject.size_px) for person in one])
        told(left)
        if most and len(found) >= most:
            break
    there = sum(len(picture.keypoints) for picture in source.pictures[: len(found)])
    counts = {"pictures": float(len(found)), "persons": float(there)}
    return PersonScores({**counts, **measure_persons(source, found)}, cards)


def _check(subject: Subject, source: PersonSource) -> None:
    if not any(subject.size_px):
        raise BadInput(f"{source.name} has whole pictures in colour; {subject.name} takes crops")
    joints, channels = subject.config.get("joints"), subject.config.get("channels")
    wanted = len(source.layout.names)
    if (joints, channels) != (wanted, 3):
        raise BadInput(
            f"{source.name} has {wanted} joints in colour; {subject.name} finds {joints} in"
            f" {channels} channels: score it on data of the kind it was trained on"
        )


def draw_persons(
    image: Tensor, labels: NDArray[np.float32], found: Sequence[Found]
) -> NDArray[np.uint8]:
    """A card of one picture. image: (3, H, W) uint8. labels: (M, J, 2), NaN where none."""
    scale = max(1, _WIDTH // image.shape[2])
    panel = image.numpy().transpose(1, 2, 0).repeat(scale, 0).repeat(scale, 1).copy()
    for points in labels[np.isfinite(labels).all(-1).any(-1)]:
        for place in points[np.isfinite(points).all(-1)]:
            draw.draw_dot(panel, (place + 0.5) * scale - 0.5, 3, palette.TEXT)
    for person in (one for one in found if one.score >= LEAST):
        for joint, place in enumerate(person.keypoints_px):
            color = palette.color_joint(joint % 21, True)
            draw.draw_dot(panel, (place.astype(np.float64) + 0.5) * scale - 0.5, 2, color)
    return np.asarray(panel, np.uint8)


def list_person_sections(scores: Mapping[str, PersonScores]) -> list[Section]:
    """The evaluation as sections of a report. scores: by the file's name."""
    rows: dict[str, Any] = {name: one.numbers for name, one in scores.items()}
    first = next(iter(scores.values())).numbers
    tiles = {head: form.format(first[key]) for key, head, form in COLUMNS[2:]}
    parts = [render_tiles(tiles), render_table("file", rows, COLUMNS), say_words(_WORDS)]
    drawn = [say_words("White: labels. Coloured: joints of what was found.")]
    for one in scores.values():
        if one.cards:
            drawn.append(render_grid(one.cards, one.cards[0].shape[1], False))
    return [Section("Scores", tuple(parts)), Section("The first pictures", tuple(drawn))]


def format_person_summary(scores: Mapping[str, PersonScores]) -> str:
    """The numbers that a terminal shows."""
    lines = []
    for name, one in scores.items():
        said = ", ".join(f"{head} {form.format(one.numbers[key])}" for key, head, form in COLUMNS)
        lines.append(f"{name}: {said}")
    return "\n".join(lines)
