"""Annotation files of persons as training data, besides datasets of depth frames."""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from frames.errors import BadInput
from train_tiny.loading.feeding import RoundFeed
from train_tiny.loading.mixing import Mix
from train_tiny.models import POSE_MODELS, Model
from train_tiny.persons.data import open_person_sources
from train_tiny.persons.loading import feed_persons
from train_tiny.persons.validation import hold_persons, validate_persons
from train_tiny.persons.views import PersonGeometry
from train_tiny.ranks import Ranks
from train_tiny.specs import COCO


def are_persons(specs: Sequence[str]) -> bool:
    """Whether the sources are files of persons. Raises BadInput for some of each kind."""
    kinds = {spec.startswith(COCO) for spec in specs}
    if len(kinds) > 1:
        raise BadInput(
            f"{COCO}... has colour pictures and other datasets have depth: train on one kind"
        )
    return True in kinds


def open_person_feed(
    mix: Mix,
    model: Model,
    batch: int,
    seed: int,
    geometry: bool,
    workers: int,
    pin: bool,
    ranks: Ranks,
) -> RoundFeed:
    """Batches of pictures as a model takes them. Raises BadInput for a model of other joints."""
    if model.name not in POSE_MODELS:
        raise BadInput(f"{model.name} takes depth, and {mix.specs[0]} has colour pictures")
    sources = open_person_sources(mix.specs)
    check_joints(model, len(sources[0].layout.names), mix.specs[0])
    drawn = PersonGeometry() if geometry else None
    return feed_persons(
        *(sources, mix.shares, batch, model.size_px, seed, drawn, workers, pin, ranks)
    )


def check_joints(model: Model, joints: int, name: str) -> None:
    """Raises BadInput where a model has other joints than a file, or is not for colour."""
    if model.config["joints"] != joints or model.config["channels"] != 3:
        raise BadInput(
            f"{name} has {joints} joints in colour; {model.name} is built for"
            f" {model.config['joints']} in {model.config['channels']} channels: say --network"
            f" joints={joints} channels=3"
        )


def hold_person_score(
    specs: Sequence[str], model: Model, most: int, device: torch.device, workers: int
) -> Callable[[nn.Module], dict[str, float]] | None:
    """What scores a network on files of persons; None without any."""
    if not specs or most < 1:
        return None
    held = hold_persons(specs, model.size_px, most, workers)
    return (lambda net: validate_persons(net, held, device)) if held else None
