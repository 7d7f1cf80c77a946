"""Distillation: a bigger network's heatmaps as targets of a smaller one, besides the labels.

LitePose: mean squared distance of the heatmaps, as arXiv 2205.01271 has it. Crop networks: the
Kullback-Leibler divergence of the heatmaps, read as distributions over the crop (Hinton et al.
2015, arXiv 1503.02531, at temperature 1). Neither needs labels, so hands that have none teach too.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from frames.errors import BadInput
from train_tiny.devices import lower_precision


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained network that is no longer changed."""

    name: str
    net: nn.Module
    """In evaluation mode, on the device that is trained on."""
    weight: float = 1.0
    """Of its loss beside those of the labels."""

    @torch.no_grad()
    def answer(self, images: Tensor, kind: torch.dtype = torch.float32) -> Any:
        """Its maps of a batch, in float32; kind: the precision that it computes in."""
        with lower_precision(images.device, kind):
            out = self.net(images)
        if isinstance(out, dict):
            return {"keypoints": out["keypoints"].float()}
        return [maps.float() for maps in out]


def measure_likeness(out: Any, wanted: Any) -> Tensor:
    """How far a student's output is from its teacher's: a loss, 0 where they agree.

    out, wanted: mappings with keypoints (B, J, h, w), or LitePose's lists of maps. Raises BadInput
    where their maps are not alike.
    """
    if isinstance(out, dict) != isinstance(wanted, dict):
        raise BadInput("a network of whole frames cannot teach one of crops, nor one of crops it")
    if isinstance(out, dict):
        _check_alike(out["keypoints"], wanted["keypoints"])
        return _diverge(out["keypoints"], wanted["keypoints"])
    joints = int(out[1].shape[1])
    if len(out) != len(wanted) or wanted[1].shape[1] != joints:
        raise BadInput(
            f"the teacher has {int(wanted[-1].shape[1])} joints and the student {joints}"
        )
    losses = []
    for mine, theirs in zip(out, wanted, strict=True):
        # Tags lie behind the heatmaps; they mean nothing outside of their own network.
        mine, theirs = mine[:, :joints], theirs[:, :joints]
        _check_alike(mine, theirs)
        losses.append(functional.mse_loss(mine, theirs))
    return torch.stack(losses).sum()


def _diverge(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean over crops and joints."""
    mine = student.flatten(2).log_softmax(-1)
    theirs = teacher.flatten(2).log_softmax(-1)
    each = (theirs.exp() * (theirs - mine)).sum(-1)
    return each.mean()


def _check_alike(student: Tensor, teacher: Tensor) -> None:
    if student.shape != teacher.shape:
        raise BadInput(
            f"the teacher's maps are {_say(teacher)} (joints x height x width) and the student's"
            f" {_say(student)}: both must have the same joints and strides"
        )


def _say(maps: Tensor) -> str:
    return " x ".join(str(n) for n in maps.shape[1:])
