"""A trained network to be scored, or to teach: from a run's folder or a file of weights."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from train_tiny.models import Model, build_model
from train_tiny.run_folder import BEST_NAME, WEIGHTS_NAME, read_run
from train_tiny.training.place import load_net
from train_tiny.weights import load_weights


@dataclass(frozen=True, eq=False)
class Subject:
    """A network to be scored."""

    name: str
    net: nn.Module
    """In evaluation mode."""
    input_px: int
    provenance: dict[str, Any]
    size_px: tuple[int, int] = (0, 0)
    """Width and height of the whole frames that it takes; zeros for crops."""
    config: dict[str, Any] = field(default_factory=dict)
    """Its shape, as `train_tiny.models.build_model` takes it."""


def load_subject(path: Path) -> Subject:
    """A run's folder (its best weights, all heads) or a file of weights.

    Raises BadInput for what is neither.
    """
    if path.is_dir():
        run = read_run(path)["run"]
        shape = {k: v for k, v in run["model"].items() if k != "name"}
        model: Model = build_model(run["model"]["name"], shape)
        load_net(model, path / BEST_NAME)
        weights = path / WEIGHTS_NAME
        told = load_weights(weights).provenance if weights.is_file() else {"run": path.name}
        net, px = model.net.eval(), model.input_px
        return Subject(model.name, net, px, told, model.size_px, model.config)
    deployed = load_weights(path)
    side = int(deployed.config.get("input_px", 128))
    width, height = (int(n) for n in deployed.config.get("size_px", (0, 0)))
    told, config = deployed.provenance, deployed.config
    return Subject(deployed.name, deployed.net, side, told, (width, height), config)
