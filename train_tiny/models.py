"""The networks by name, and what training needs to know of each."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor, nn

from frames.errors import BadInput
from frames.skeleton import KEYPOINTS
from train_tiny.losses.associative import FRAME_TASKS, measure_frame_losses
from train_tiny.losses.centres import CENTRE_TASKS, measure_centre_losses
from train_tiny.losses.tasks import TASKS, measure_losses
from train_tiny.networks.branches import BranchConfig, Branches
from train_tiny.networks.centre_net import CentreNet, CentreNetConfig
from train_tiny.networks.handlite import HandLite, HandLiteConfig
from train_tiny.networks.litepose import LITEPOSE, build_litepose
from train_tiny.networks.mobilenet import DECODER, MobileNetV2

CROP_MODELS: Final = ("handlite", "mobilenetv2")
"""Networks that take crops of one hand."""

FINDER: Final = "finder"
"""The network that finds hands' boxes in whole frames (`train_tiny.networks.centre_net`)."""

POSE_MODELS: Final = (
    *("litepose", *(f"litepose-{name}" for name in LITEPOSE), "branches", "litepose-super"),
)
"""Networks that find all keypoints in whole frames. "litepose": an architecture of one's own, XS
where it is left open; "branches": the ablation `train_tiny.networks.branches`; "litepose-super":
all subnets of a search (`train_tiny.search.supernet_training`)."""

FRAME_MODELS: Final = (FINDER, *POSE_MODELS)
"""Networks that take whole frames."""


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
    """Side of the square crop that it is trained on; of whole frames, the width."""
    size_px: tuple[int, int] = (0, 0)
    """Width and height of the whole frames that it is trained on; zeros for crops."""
    arrange: Callable[[int, Tensor, Any], tuple[Tensor, Any]] | None = None
    """(step, images, targets) to the images and targets that the step has; None: as they are."""
    deployable: bool = True
    """Whether its weights are of use by themselves."""


def build_model(name: str, config: Mapping[str, Any] | None = None, seed: int = 0) -> Model:
    """A network with fresh weights.

    config: fields of `HandLiteConfig`, or {"decoder": channels, "input_px": side} of the baseline;
    of the finder, {"size_px": [width, height]} and fields of `CentreNetConfig`; of LitePose,
    {"size_px": [width, height], "joints": J, "channels": C} and fields of `LitePoseConfig`; what is
    left out is as published. Raises BadInput for an unknown name, field
    or value.
    """
    given = dict(config or {})
    if name == FINDER:
        return _build_finder(given, seed)
    if name == POSE_MODELS[-1]:
        from train_tiny.search.supernet_training import build_supernet

        return build_supernet(given, seed)
    if name == "branches":
        return _build_branches(given, seed)
    if name in POSE_MODELS:
        return _build_litepose(name, given, seed)
    if name not in CROP_MODELS:
        known = ", ".join((*CROP_MODELS, *FRAME_MODELS))
        raise BadInput(f"unknown model {name!r}: known are {known}")
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


def weigh_heatmaps(model: Model) -> Model:
    """The same network, taught heatmaps by the errors of weighted cells
    (`train_tiny.losses.associative.weigh_cells`).

    Raises BadInput for a model without such heatmaps.
    """
    if model.name not in POSE_MODELS:
        raise BadInput(f"heatmaps of {model.name} cannot be weighted: only those of litepose-...")
    return replace(model, measure=functools.partial(measure_frame_losses, weighted=True))


def _build_litepose(name: str, given: dict[str, Any], seed: int) -> Model:
    short = name.removeprefix("litepose-") if name != "litepose" else "xs"
    published = LITEPOSE[short]
    values: dict[str, Any] = dataclasses.asdict(published)
    side = values.pop("input_px")
    values = {"size_px": (side, side * 3 // 4), "joints": KEYPOINTS, "channels": 1, **values}
    unknown = sorted(set(given) - set(values))
    if unknown:
        raise BadInput(f"{name} has no option {unknown[0]}: known are {', '.join(sorted(values))}")
    for key, value in given.items():
        values[key] = _read_option(name, key, value, values[key])
    size = values["size_px"]
    if any(n < 16 or n % 16 for n in size):
        raise BadInput(f"size_px of {name} must be multiples of 16, got {list(size)}")
    shape = {k: v for k, v in values.items() if k not in ("size_px", "joints", "channels")}
    if shape["kernel"] % 2 == 0:
        raise BadInput(f"kernel of {name} must be odd (3, 5, 7 or 9), got {shape['kernel']}")
    made = short, values["joints"], values["channels"]
    net = _seeded(lambda: build_litepose(*made, **shape), seed)
    shared = _last_weight(net.stage)
    return Model(name, values, net, FRAME_TASKS, shared, measure_frame_losses, size[0], size)


def _build_finder(given: dict[str, Any], seed: int) -> Model:
    values: dict[str, Any] = {"size_px": (128, 96)} | dataclasses.asdict(CentreNetConfig())
    unknown = sorted(set(given) - set(values))
    if unknown:
        raise BadInput(f"{FINDER} has no option {unknown[0]}: known are {', '.join(values)}")
    for key, value in given.items():
        values[key] = _read_option(FINDER, key, value, values[key])
    size = values["size_px"]
    if any(n % 16 for n in size):
        raise BadInput(f"size_px of {FINDER} must be multiples of 16, got {list(size)}")
    if values["kernel"] % 2 == 0:
        raise BadInput(f"kernel of {FINDER} must be odd, got {values['kernel']}")
    shape = CentreNetConfig(**{k: v for k, v in values.items() if k != "size_px"})
    net = _seeded(lambda: CentreNet(shape), seed)
    assert isinstance(net, CentreNet)
    tasks = tuple(t for t in CENTRE_TASKS if t != "mask" or shape.mask)
    shared = _last_weight(net.smooth)
    return Model(FINDER, values, net, tasks, shared, measure_centre_losses, size[0], size)


def _build_branches(given: dict[str, Any], seed: int) -> Model:
    values: dict[str, Any] = {"size_px": (448, 320), "joints": KEYPOINTS, "channels": 1}
    values |= dataclasses.asdict(BranchConfig())
    unknown = sorted(set(given) - set(values))
    if unknown:
        raise BadInput(f"branches has no option {unknown[0]}: known are {', '.join(values)}")
    depths = ("first", "second", "third", "fourth")
    for key, value in given.items():
        if key in depths and isinstance(value, list | tuple) and 0 in value:
            _read_option("branches", key, [n + 1 for n in value], values[key])  # none is allowed
            values[key] = tuple(value)
        else:
            values[key] = _read_option("branches", key, value, values[key])
    size = values["size_px"]
    if any(n % 32 for n in size):
        raise BadInput(f"size_px of branches must be multiples of 32, got {list(size)}")
    shape = {k: v for k, v in values.items() if k not in ("size_px", "joints", "channels")}
    made = BranchConfig(**shape), values["joints"], values["channels"]
    net = _seeded(lambda: Branches(*made), seed)
    shared = _last_weight(net.stage)
    return Model("branches", values, net, FRAME_TASKS, shared, measure_frame_losses, size[0], size)


def _read_option(name: str, key: str, value: Any, like: Any) -> Any:
    """An option of the same kind as the published one: whole numbers > 0, as many, or a truth."""
    if isinstance(like, bool):
        if isinstance(value, bool):
            return value
        raise BadInput(f"{key} of {name} must be true or false, got {value!r}")
    several = isinstance(like, tuple)
    numbers = list(value) if several and isinstance(value, list | tuple) else [value]
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in numbers)
    if not whole or (len(numbers) != len(like) if several else False):
        wanted = f"{len(like)} whole numbers > 0" if several else "a whole number > 0"
        raise BadInput(f"{key} of {name} must be {wanted}, got {value!r}")
    return tuple(numbers) if several else numbers[0]


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
