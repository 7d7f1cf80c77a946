"""A trained network as the teacher of another (`train_tiny.training.distillation`)."""

from pathlib import Path
from typing import Any

import torch

from frames.errors import BadInput
from train_tiny.models import CROP_MODELS, Model
from train_tiny.run_folder import BEST_NAME, hash_file
from train_tiny.training.distillation import Teacher
from train_tiny.training.subject import load_subject


def load_teacher(path: Path, model: Model, device: torch.device, weight: float = 1.0) -> Teacher:
    """The best weights of a run, or a file of weights, as the teacher of a model.

    Raises BadInput for what is neither, and for a network that sees something else.
    """
    subject = load_subject(path)
    if (subject.name in CROP_MODELS) != (model.name in CROP_MODELS):
        raise BadInput(
            f"{path} holds {subject.name}, which cannot teach {model.name}: one takes crops of a"
            " hand, the other whole frames"
        )
    if subject.name in CROP_MODELS and subject.input_px != model.input_px:
        raise BadInput(
            f"{path} sees crops of {subject.input_px} pixels and {model.name} of {model.input_px}:"
            " train both with the same --network input_px"
        )
    net = subject.net.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
    return Teacher(subject.name, net, weight)


def hash_teacher(path: Path, weight: float) -> dict[str, Any]:
    """What decides a teacher's answers."""
    file = path / BEST_NAME if path.is_dir() else path
    return {"sha256": hash_file(file), "weight": weight}
