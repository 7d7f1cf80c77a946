"""A supernet as a model that can be trained: another subnet, and another size, at every step."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn

from frames.errors import BadInput
from frames.skeleton import KEYPOINTS
from train_tiny.loading.resizing import resize_batch
from train_tiny.losses.associative import FRAME_TASKS, measure_frame_losses
from train_tiny.models import Model
from train_tiny.networks.litepose import LitePoseConfig
from train_tiny.search.calibration import calibrate_norms
from train_tiny.search.subnets import LARGEST, Space, fit_size
from train_tiny.search.supernet import SuperLitePose, extract_subnet

SUPER: Final = "litepose-super"
"""Its name."""

_SPACE: Final = ("widths", "fewer", "sizes_px")


def build_supernet(given: Mapping[str, Any], seed: int) -> Model:
    """Options: size_px [width, height] of the largest input, joints, channels, those of the largest
    `LitePoseConfig`, and widths, fewer and sizes_px of `Space`. Raises BadInput for others.
    """
    values: dict[str, Any] = dataclasses.asdict(LARGEST) | {
        name: getattr(Space(), name) for name in _SPACE
    }
    del values["input_px"]
    values = {"size_px": (512, 384), "joints": KEYPOINTS, "channels": 1, **values}
    unknown = sorted(set(given) - set(values))
    if unknown:
        known = ", ".join(sorted(values))
        raise BadInput(f"{SUPER} has no option {unknown[0]}: known are {known}")
    if "size_px" in given and "sizes_px" not in given:
        values["sizes_px"] = [n for n in values["sizes_px"] if n <= given["size_px"][0]]
    values |= {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    values["sizes_px"] = tuple(values["sizes_px"])
    size: tuple[int, int] = values["size_px"]
    if len(size) != 2 or any(n < 32 or n % 16 for n in size):
        raise BadInput(f"size_px of {SUPER} must be two multiples of 16, got {list(size)}")
    if not values["sizes_px"] or max(values["sizes_px"]) > size[0]:
        raise BadInput(
            f"sizes_px of {SUPER} must be widths up to that of size_px, {size[0]}, got"
            f" {list(values['sizes_px'])}"
        )
    space = read_space(values)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = SuperLitePose(space, values["joints"], values["channels"])
    shared = [m.weight for m in net.stage.modules() if isinstance(m, nn.Conv2d)][-1]

    def arrange(step: int, images: Tensor, targets: Any) -> tuple[Tensor, Any]:
        net.active = space.shape(space.draw(seed, step))
        whole = int(images.shape[3]), int(images.shape[2])
        return resize_batch(images, targets, fit_size(whole, net.active.input_px))

    return Model(
        *(SUPER, values, net, FRAME_TASKS, shared, measure_frame_losses, size[0], size),
        arrange=arrange,
        deployable=False,
    )


def read_space(values: Mapping[str, Any]) -> Space:
    """The space of a supernet's options."""
    names = {f.name for f in dataclasses.fields(LitePoseConfig)} & set(values)
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    shape = {name: plain[name] for name in names} | {"input_px": max(plain["sizes_px"])}
    largest = dataclasses.replace(LARGEST, **shape)
    return Space(largest, **{name: plain[name] for name in _SPACE})


def score_largest(
    score: Callable[[nn.Module], dict[str, float]], batches: Iterable[Tensor]
) -> Callable[[nn.Module], dict[str, float]]:
    """The score of the largest subnet, whose norms are measured on batches of training images."""
    kept = list(batches)

    def ask(net: nn.Module) -> dict[str, float]:
        assert isinstance(net, SuperLitePose)
        alone = extract_subnet(net, net.space.largest)
        calibrate_norms(alone, kept)
        return score(alone)

    return ask
