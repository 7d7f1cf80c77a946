"""A network scored on datasets: every hand predicted, lifted to 3D, compared with its labels."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from frames.errors import BadInput
from train_tiny.devices import lower_precision
from train_tiny.evaluation.metrics import measure_palm
from train_tiny.evaluation.scores import Scores, join_scores
from train_tiny.loading.eval_loading import Facts
from train_tiny.losses.tasks import Targets
from train_tiny.prediction.outputs import read_outputs
from train_tiny.training.subject import Subject

PICTURES: Final = 20_000
"""Crops that are kept for the report's pictures, at most: 16 kB each."""


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

    batches: of `train_tiny.loading.eval_loading.make_eval_loader`. most: stop after so many hands;
    0: none. told: is given the number of hands done. Raises BadInput if there is no hand.
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
