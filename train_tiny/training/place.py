"""The progress of a run, kept in its checkpoint with the learner."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from frames.errors import BadInput
from train_tiny.models import Model
from train_tiny.training.checkpoint import load_checkpoint, save_checkpoint
from train_tiny.training.learner import Learner


@dataclass
class Place:
    """Where a run is."""

    step: int = 0
    """Steps done."""
    epoch: int = 0
    batch: int = 0
    """Batches of this epoch that are done, of each process."""
    best: float = -math.inf
    """The best validation's score."""
    best_step: int = 0
    waited: int = 0
    """Validations since then."""
    ended: str = ""
    """Why the run is over; "" while it is not."""
    since: int = 0
    """The step after which `rows` begin."""
    rows: list[Tensor] = field(default_factory=list)
    """Losses of the steps since the curves' last row."""


def save_place(path: Path, learner: Learner, place: Place) -> None:
    """Write a checkpoint. Raises BadInput for what the disk refuses."""
    plain = {**vars(place), "rows": [row.cpu() for row in place.rows]}
    save_checkpoint(path, {"place": plain, "learner": learner.state()})


def restore_place(path: Path, learner: Learner) -> Place:
    """Put the learner where the checkpoint was; the start of a run where there is none.

    Raises BadInput for a damaged checkpoint, and for one of another network.
    """
    if not path.is_file():
        return Place()
    state = load_checkpoint(path)
    try:
        place = Place(**state["place"])
        learner.restore(state["learner"])
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise BadInput(f"the checkpoint {path} is of another network: {_shorten(error)}") from None
    place.rows = [row.to(learner.device) for row in place.rows]
    return place


def load_net(model: Model, path: Path) -> None:
    """Put a run's best averaged weights (`best.ckpt`) into a network of the same shape.

    Raises BadInput for a file that is not there or damaged, and for another shape.
    """
    state = load_checkpoint(path)
    try:
        model.net.load_state_dict(state["net"])
    except (KeyError, RuntimeError, TypeError) as error:
        raise BadInput(f"{path} does not fit {model.name}: {_shorten(error)}") from None


def _shorten(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
