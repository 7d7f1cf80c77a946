"""The networks by name, and what training needs to know of each."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from frames.errors import BadInput
from train_tiny.handlite import HandLite, HandLiteConfig
from train_tiny.mobilenet import DECODER, MobileNetV2
from train_tiny.tasks import TASKS, measure_losses

CROP_MODELS: Final = ("handlite", "mobilenetv2")
"""Networks that take crops of one hand."""


@dataclass(frozen=True, eq=False)
class Model:
    """A network that can be trained."""

    name: str
    config: dict[str, Any]
    """Its shape, as `build_model` takes it."""
    net: nn.Module
    tasks: tuple[str, ...]
    """Losses that it has outputs for."""
    shared: nn.Parameter
    """Weights of the last layer that all tasks share: where GradNorm measures."""
    measure: Callable[[Any, Any], dict[str, Tensor]]
    """(output, targets) to the loss of each task."""
    input_px: int
    """Side of the square crop that it is trained on."""


def build_model(name: str, config: Mapping[str, Any] | None = None, seed: int = 0) -> Model:
    """A network with fresh weights.

    config: fields of `HandLiteConfig`, or {"decoder": channels, "input_px": side} of the baseline;
    what is left out is as published. Raises BadInput for an unknown name, field or value.
    """
    given = dict(config or {})
    if name not in CROP_MODELS:
        raise BadInput(f"unknown model {name!r}: known are {', '.join(CROP_MODELS)}")
    if name == "handlite":
        shape = _read_handlite(given)
        net: nn.Module = _seeded(lambda: HandLite(shape), seed)
        assert isinstance(net, HandLite)
        tasks = tuple(t for t in TASKS if t == "keypoints" or t in net.heads)
        shared = _last_weight(net.tier3 if len(net.tier3) else net.down2)
        values: dict[str, Any] = dataclasses.asdict(shape)
        return Model(name, values, net, tasks, shared, measure_losses, shape.input_px)
    unknown = sorted(set(given) - {"decoder", "input_px"})
    if unknown:
        raise BadInput(f"mobilenetv2 has no option {unknown[0]}: known are decoder, input_px")
    decoder, side = int(given.get("decoder", DECODER)), int(given.get("input_px", 128))
    if side < 32 or side % 32:
        raise BadInput(f"input_px of mobilenetv2 must be a multiple of 32, got {side}")
    net = _seeded(lambda: MobileNetV2(decoder), seed)
    assert isinstance(net, MobileNetV2)
    values = {"decoder": decoder, "input_px": side}
    shared = _last_weight(net.smooth[-1])
    return Model(name, values, net, ("keypoints",), shared, measure_losses, side)


def _read_handlite(given: dict[str, Any]) -> HandLiteConfig:
    known = {f.name for f in dataclasses.fields(HandLiteConfig)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise BadInput(f"handlite has no option {unknown[0]}: known are {', '.join(sorted(known))}")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    config = HandLiteConfig(**values)
    if config.input_px < 32 or config.input_px % 16:
        raise BadInput(
            f"input_px of handlite must be a multiple of 16, at least 32, got {config.input_px}"
        )
    return config


def _seeded(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Weights that the seed alone decides, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def _last_weight(module: nn.Module) -> nn.Parameter:
    return [m.weight for m in module.modules() if isinstance(m, nn.Conv2d)][-1]
