"""A network scored on datasets: every hand predicted, lifted to 3D, compared with its labels."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from frames.errors import BadInput
from train_tiny.devices import lower_precision
from train_tiny.eval_loading import Facts
from train_tiny.metrics import measure_palm
from train_tiny.models import Model, build_model
from train_tiny.outputs import read_outputs
from train_tiny.place import load_net
from train_tiny.run_folder import BEST_NAME, WEIGHTS_NAME, read_run
from train_tiny.scores import Scores, join_scores
from train_tiny.tasks import Targets
from train_tiny.weights import load_weights

PICTURES: Final = 20_000
"""Crops that are kept for the report's pictures, at most: 16 kB each."""


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


@torch.no_grad()
def evaluate(
    subject: Subject,
    batches: Iterable[tuple[Tensor, Targets, Facts]],
    device: torch.device,
    kind: torch.dtype = torch.float32,
    most: int = 0,
    told: Callable[[int], None] = lambda count: None,
) -> tuple[Scores, NDArray[np.uint8]]:
    """Scores of all hands, and the first crops as (M, S, S) uint8 images for pictures.

    batches: of `train_tiny.eval_loading.make_eval_loader`. most: stop after so many hands; 0: none.
    told: is given the number of hands done. Raises BadInput if there is no hand.
    """
    net = subject.net.to(device, memory_format=torch.channels_last)
    parts, pictures, count = list[Scores](), [], 0
    for images, targets, facts in _take(batches, most):
        there = images.to(device).contiguous(memory_format=torch.channels_last)
        with lower_precision(device, kind):
            out = net(there)
        out = {name: value.float() for name, value in out.items()}
        parts.append(score_batch(out, images, targets, facts))
        if count < PICTURES:
            pictures.append((images[: PICTURES - count, 0] * 255).round().to(torch.uint8).numpy())
        count += len(images)
        told(len(images))
    if not parts:
        raise BadInput("there is no hand to score: none has labels and is read by its sensor")
    return join_scores(parts), np.concatenate(pictures)


def score_batch(out: dict[str, Tensor], images: Tensor, targets: Targets, facts: Facts) -> Scores:
    """One batch's rows from a network's outputs."""
    said = read_outputs(out, images.shape[-1], facts.depth_m, facts.reference_m, facts.camera)
    labels = targets.keypoints_px.numpy()
    return Scores(
        found_px=said.px,
        labels_px=labels,
        palm_px=measure_palm(_complete(labels, facts)).astype(np.float32),
        plane_px=facts.palm_px,
        found_m=said.points_m,
        labels_m=facts.keypoints_cam_m,
        likely_seen=said.likely_seen,
        seen=targets.visible.numpy(),
        cause=facts.occlusion,
        likely_right=said.likely_right,
        right=targets.right.numpy(),
        found_pose=_find_pose(out, len(images)),
        pose=targets.key_pose.numpy(),
        overlap=_overlap(out, targets),
        fraction=facts.visible_fraction,
        distance_m=facts.distance_m,
        source=np.array(facts.source),
        frame_id=facts.frame_id,
        hand=facts.hand,
        sensor=np.array(facts.sensor),
        situation=np.array(facts.situation),
        key_pose=np.array(facts.key_pose),
        grasp=np.array(facts.grasp),
    )


def _take(
    batches: Iterable[tuple[Tensor, Targets, Facts]], most: int
) -> Iterator[tuple[Tensor, Targets, Facts]]:
    count = 0
    for batch in batches:
        yield batch
        count += len(batch[0])
        if most and count >= most:
            break


def _complete(labels: NDArray[np.float32], facts: Facts) -> NDArray[np.float32]:
    """Labels in the crop, and beyond its border where 3D tells them: a palm may reach out of it."""
    known = np.isfinite(labels).all(-1, keepdims=True)
    pairs = zip(facts.camera, facts.keypoints_cam_m, strict=True)
    seen = np.array([camera.project(points) for camera, points in pairs]).reshape(labels.shape)
    return np.where(known, labels, seen)


def _find_pose(out: dict[str, Tensor], count: int) -> NDArray[np.int64]:
    if "key_pose" not in out:
        return np.full(count, -1, np.int64)
    return np.asarray(out["key_pose"].argmax(-1).cpu().numpy())


def _overlap(out: dict[str, Tensor], targets: Targets) -> NDArray[np.float32]:
    """(B,) intersection over union of the masks at the head's resolution."""
    count = len(targets.right)
    if "mask" not in out:
        return np.full(count, np.nan, np.float32)
    found = out["mask"][:, 0].cpu() > 0
    stride = targets.mask.shape[-1] // found.shape[-1]
    wanted = torch.nn.functional.avg_pool2d(targets.mask[:, None], stride)[:, 0]
    truth, known = wanted > 0.5, torch.isfinite(wanted).flatten(1).all(1)
    both, either = (found & truth).flatten(1).sum(1), (found | truth).flatten(1).sum(1)
    return np.where(known.numpy(), (both / either.clamp(min=1)).numpy(), np.nan).astype(np.float32)
