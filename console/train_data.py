"""What `handloom train` feeds a network, and what it scores one on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from console.train_command import TrainCommand
from frames.errors import BadInput

if TYPE_CHECKING:
    from train_tiny.loading.crop_loading import LoaderConfig, Mix
    from train_tiny.loading.feeding import Feed
    from train_tiny.loading.frame_loading import FrameLoaderConfig
    from train_tiny.models import Model

CALIBRATION = 4
"""Batches on which the norms of a supernet's largest subnet are measured for validation."""


def open_feed(command: TrainCommand, model: "Model", mix: "Mix", ranks: Any, pin: bool) -> "Feed":
    """Batches of the command's data as the model takes them."""
    from train_tiny.loading.crop_loading import Keep, feed_crops
    from train_tiny.loading.frame_loading import feed_frames
    from train_tiny.models import FRAME_MODELS
    from train_tiny.persons.feeding import are_persons, open_person_feed
    from train_tiny.run_folder import ROUNDS_NAME

    seed, workers = command.training.seed, command.workers
    if are_persons(command.data):
        batch = command.training.batch
        return open_person_feed(mix, model, batch, seed, command.geometry, workers, pin, ranks)
    if model.name in FRAME_MODELS:
        if command.fresh_epochs:
            raise BadInput(f"fresh_epochs are of crops: {model.name} takes whole frames")
        frames = _read_frame_loading(command, model)
        return feed_frames(mix, frames, seed, workers, pin, ranks)
    kept = Keep(command.out / ROUNDS_NAME, command.fresh_epochs) if command.fresh_epochs else None
    return feed_crops(mix, _read_loading(command, model), seed, workers, pin, ranks, kept)


def hold_score(
    command: TrainCommand, model: "Model", device: Any
) -> Callable[[Any], dict[str, float]] | None:
    """What scores a network on data that are kept in memory; None without any."""
    from train_tiny.evaluation.crop_validation import hold_crops, validate
    from train_tiny.evaluation.frame_validation import hold_frames, validate_frames
    from train_tiny.models import FRAME_MODELS
    from train_tiny.persons.feeding import are_persons, hold_person_score

    specs, split = command.validate_data or command.data, command.validate_split
    most, seed = command.validate_crops, command.training.seed
    if are_persons(command.data):
        files = command.validate_data  # a file has no splits: it is one
        return hold_person_score(files, model, most, device, command.workers)
    if model.name in FRAME_MODELS:
        frames = _read_frame_loading(command, model)
        kept = hold_frames(specs, frames, split, most, seed, command.workers)
        return None if kept is None else lambda net: validate_frames(net, kept, device)
    crops = _read_loading(command, model)
    held = hold_crops(specs, crops, split, most, seed, command.workers)
    return None if held is None else lambda net: validate(net, held, device)


def score_supernet(
    score: Callable[[Any], dict[str, float]], feed: "Feed"
) -> Callable[[Any], dict[str, float]]:
    """That of a supernet's largest subnet, with its own norms."""
    from itertools import islice

    from train_tiny.search.supernet_training import score_largest

    batches = feed.read(0, 0)
    return score_largest(score, (images for images, _ in islice(batches, CALIBRATION)))


def _read_loading(command: TrainCommand, model: "Model") -> "LoaderConfig":
    from train_tiny.loading.crop_loading import LoaderConfig

    return LoaderConfig(size_px=model.input_px, **_choose_loading(command))


def _read_frame_loading(command: TrainCommand, model: "Model") -> "FrameLoaderConfig":
    from train_tiny.loading.frame_loading import FrameLoaderConfig

    return FrameLoaderConfig(size_px=model.size_px, **_choose_loading(command))


def _choose_loading(command: TrainCommand) -> dict[str, Any]:
    """What crops and whole frames have in common."""
    chosen: dict[str, Any] = {
        "batch": command.training.batch,
        "split": command.split or None,
        "sensor": command.sensor,
        "views": command.views,
    }
    if not command.occlusion:
        chosen["occlusion"] = None
    if not command.geometry:
        chosen["geometry"] = None
    return chosen
