"""The configuration of a training run: everything beside its data that decides its weights.

Only a dataclass: the command line reads its docstrings as help, and loads nothing else for it.
"""

import math
from dataclasses import dataclass
from typing import Literal

from frames.errors import BadInput


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained; `check_training` says what cannot be."""

    steps: int = 0
    """Steps of the optimiser; 0: as many as `epochs` have."""
    epochs: float = 0.0
    """Passes over the data, instead of steps. With neither, 10."""
    batch: int = 64
    """Samples of a step, of each process."""
    seed: int = 0
    """Of the first weights, the order of the data and their augmentation."""
    rate: float = 0.004
    """Highest learning rate."""
    schedule: Literal["cosine", "step"] = "cosine"
    """How it falls: along half a cosine, or to a tenth at 70 % and again at 90 % of the steps."""
    warm_up: int = 500
    """Steps over which it rises from nothing; at most a tenth of all."""
    weight_decay: float = 0.02
    """Of weights; norms and biases have none."""
    clip: float = 2.0
    """Longest gradient, all parameters together; 0: any."""
    average: float = 0.999
    """Share of the old in the moving average of the weights at every step; 0: no average."""
    stages: tuple[float, float, float] = (0.1, 0.8, 0.1)
    """Shares of the steps: the encoder on mask and key pose, all tasks, keypoints alone."""
    finish_rate: float = 0.05
    """Learning rate at which the last stage begins, as a share of the highest."""
    tasks: tuple[str, ...] = ()
    """Tasks that are taught; none named: all that the network has a head for."""
    heatmaps: Literal["squared", "weighted"] = "squared"
    """Error of LitePose's heatmaps: of all cells alike, as published, or weighted by how hard each
    is, for hands that fill little of a frame."""
    balance: Literal["fixed", "gradnorm"] = "fixed"
    """Weights of the tasks while all are taught."""
    balance_every: int = 10
    """Steps between two changes of GradNorm's weights."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of the forward pass; auto: bfloat16 or float16 on a CUDA GPU, else float32."""
    compile: bool = False
    """Whether torch.compile makes kernels of its own: half a minute at the start."""
    validate_every: int = 0
    """Steps between two validations; 0: twenty in all."""
    patience: int = 0
    """Stop after so many validations without a better one; 0: never."""
    log_every: int = 50
    """Steps between two rows of curves.csv; also of the checks for NaN."""
    save_every_s: float = 120.0
    """Seconds between two checkpoints."""


HARMLESS: tuple[str, ...] = ("save_every_s",)
"""Fields that change no number of a run, and so may differ when it goes on."""


def check_training(config: TrainingConfig) -> None:
    """Raises BadInput, one line, for the first value that cannot be."""
    _check_whole(config, "steps", 0)
    _check_whole(config, "seed", 0)
    for name in ("batch", "log_every", "balance_every"):
        _check_whole(config, name, 1)
    for name in ("warm_up", "validate_every", "patience"):
        _check_whole(config, name, 0)
    for name in ("epochs", "weight_decay", "clip", "save_every_s"):
        _check_range(config, name, 0.0, math.inf)
    for name in ("average", "finish_rate"):
        _check_range(config, name, 0.0, 1.0)
    if not (math.isfinite(config.rate) and config.rate > 0):
        raise BadInput(f"rate must be > 0, got {config.rate}")
    if config.steps and config.epochs:
        raise BadInput(f"name steps or epochs, not both: got {config.steps} and {config.epochs:g}")
    shares = config.stages
    if len(shares) != 3 or not all(0 <= s <= 1 for s in shares) or abs(sum(shares) - 1) > 1e-6:
        raise BadInput(f"stages must be three shares that sum to 1, got {shares}")


def _check_whole(config: TrainingConfig, name: str, least: int) -> None:
    value = getattr(config, name)
    if value < least:
        raise BadInput(f"{name} must be >= {least}, got {value}")


def _check_range(config: TrainingConfig, name: str, least: float, most: float) -> None:
    value = getattr(config, name)
    if not (math.isfinite(value) and least <= value <= most):
        limits = f">= {least:g}" if math.isinf(most) else f"{least:g} to {most:g}"
        raise BadInput(f"{name} must be {limits}, got {value}")
