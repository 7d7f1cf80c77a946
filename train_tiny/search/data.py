"""The data of a search: frames of a split of its own, training images for norms."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from frames.errors import BadInput
from train_tiny.evaluation.frame_scores import FrameLabels
from train_tiny.evaluation.frame_validation import HeldFrames, hold_frames, validate_frames
from train_tiny.loading.frame_loading import FrameLoaderConfig, feed_frames
from train_tiny.loading.mixing import open_sources
from train_tiny.loading.resizing import resize_images
from train_tiny.models import Model
from train_tiny.persons.data import open_person_sources
from train_tiny.persons.feeding import are_persons, check_joints
from train_tiny.persons.loading import feed_persons
from train_tiny.persons.validation import hold_persons, validate_persons
from train_tiny.search.searching import Search
from train_tiny.specs import hash_data, list_splits

Score = Callable[[nn.Module, tuple[int, int]], float]


def hold_search(
    model: Model,
    run: dict[str, Any],
    data: Sequence[str],
    trained: Sequence[str],
    split: str,
    sensor: str,
    macs: int,
    frames: int,
    calibration: int,
    workers: int,
    device: torch.device,
) -> Search:
    """A search's supernet with all that it is asked on, kept in memory.

    run: the supernet's, as its config.json says. trained: data whose training images norms are
    measured on. Raises BadInput for frames that trained or validated the supernet.
    """
    check_split(run, data, split)
    size = model.size_px
    if are_persons([*data, *trained]):
        joints = len(open_person_sources(data)[0].layout.names)
        check_joints(model, joints, data[0])
        score = _score_persons(data, size, frames, workers, device)
        feed = feed_persons(open_person_sources(trained), None, 16, size, 0, workers=workers)
    else:
        score = _score_hands(data, size, split, sensor, frames, workers, device)
        config = FrameLoaderConfig(16, size, run["loading"]["split"] or None, sensor)
        feed = feed_frames(open_sources(trained), config, 0, workers)
    kept = _keep_images((images for images, _ in feed.read()), calibration)
    return Search(model, macs, kept, score, device)


def check_split(run: dict[str, Any], data: Sequence[str], split: str) -> None:
    """Raises BadInput for data without the split, and for frames that the supernet has seen."""
    seen = {(_name(d), run["loading"]["split"]) for d in run["data"]}
    for d in run["validation"] or run["data"]:
        seen.add((_name(d), run["loading"]["validate_split"]))
    if are_persons(data):
        files = {name for name, _ in seen}
        for spec in data:
            if _name(hash_data(spec)) in files:
                raise BadInput(
                    f"{spec} trained or validated the supernet: search on a file of its own, as"
                    " --data coco:OTHER.json@IMAGES"
                )
        return
    for spec in data:
        splits = list_splits(spec)
        if split not in splits:
            raise BadInput(
                f"{spec} has no split {split!r} to search on (it has {', '.join(splits) or 'none'})"
                ": name one with --split, other --data, or generate with --split"
                " train:0.8,val:0.1,search:0.1"
            )
        if (_name(hash_data(spec)), split) in seen:
            raise BadInput(
                f"split {split!r} of {spec} trained or validated the supernet: a search must be"
                " scored on frames of its own"
            )


def describe_search(
    supernet: str,
    run: dict[str, Any],
    data: Sequence[str],
    trained: Sequence[str],
    asked: dict[str, Any],
) -> dict[str, Any]:
    """What must be the same for a search to go on. supernet: a hash of its weights. asked: all
    settings."""
    return {
        "supernet": supernet,
        "model": run["model"],
        "data": [hash_data(spec) for spec in data],
        "trained": [hash_data(spec) for spec in trained],
        **asked,
    }


def _name(hashed: dict[str, Any]) -> str:
    """What is the same of the same data, wherever it lies."""
    return str(hashed.get("shards") or hashed.get("config"))


def _score_hands(
    data: Sequence[str],
    size: tuple[int, int],
    split: str,
    sensor: str,
    frames: int,
    workers: int,
    device: torch.device,
) -> Score:
    config = FrameLoaderConfig(16, size, split, sensor)
    held = hold_frames(data, config, split, frames, 0, workers)
    if held is None:
        raise BadInput(f"split {split!r} of {', '.join(data)} has no frame to search on")

    def score(net: nn.Module, size_px: tuple[int, int]) -> float:
        return validate_frames(net, shrink_frames(held, size_px), device)["ap"]

    return score


def shrink_frames(held: HeldFrames, size_px: tuple[int, int]) -> HeldFrames:
    """Frames and what is known of them at another size."""
    old = int(held.images.shape[3]), int(held.images.shape[2])
    factor = np.array(size_px) / np.array(old)

    def shrink(px: NDArray[np.float32]) -> NDArray[np.float32]:
        several = px.shape[-1] // 2
        return np.asarray((px + 0.5) * np.tile(factor, several) - 0.5, np.float32)

    labels = [FrameLabels(shrink(one.keypoints_px), shrink(one.ignored_px)) for one in held.labels]
    return HeldFrames(resize_images(held.images.float(), size_px).half(), labels)


def _score_persons(
    data: Sequence[str], size: tuple[int, int], frames: int, workers: int, device: torch.device
) -> Score:
    kept: dict[tuple[int, int], Any] = {}

    def score(net: nn.Module, size_px: tuple[int, int]) -> float:
        # Averaged from the pictures themselves: another size is not made of the largest one.
        if size_px not in kept:
            kept[size_px] = hold_persons(data, size_px, frames, workers)
        return validate_persons(net, kept[size_px], device)["ap"]

    return score


def _keep_images(batches: Iterable[Tensor], most: int) -> Tensor:
    parts, left = list[Tensor](), most
    for images in batches:
        parts.append(images[:left].half())
        left -= len(parts[-1])
        if not left:
            break
    return torch.cat(parts)
