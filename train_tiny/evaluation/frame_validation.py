"""A score of whole frames while training: frames that are kept in memory, searched anew."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from train_tiny.devices import lower_precision
from train_tiny.evaluation.frame_scores import MOST, FrameLabels, choose_point, score_frames
from train_tiny.finding.hand_finder import Finding, Found, read_found
from train_tiny.loading.frame_loading import FrameLoaderConfig, make_frame_eval_loader
from train_tiny.loading.mixing import open_sources
from train_tiny.losses.full_frames import FrameTargets
from train_tiny.specs import list_splits


@dataclass(frozen=True, eq=False)
class HeldFrames:
    """Frames to validate on."""

    images: Tensor
    """(N, 1, H, W) float16."""
    labels: list[FrameLabels]

    def __len__(self) -> int:
        return len(self.images)


def hold_frames(
    specs: Sequence[str],
    config: FrameLoaderConfig,
    split: str,
    most: int,
    seed: int,
    workers: int = 0,
) -> HeldFrames | None:
    """Frames to validate on: of each dataset that has the split, `most` in all; None without any.

    As for evaluation: sensors as in training, nothing else drawn.
    """
    there = [spec for spec in specs if split in list_splits(spec)]
    images, labels = list[Tensor](), list[FrameLabels]()
    for k, spec in enumerate(there):
        wanted = most * (k + 1) // len(there)
        plain = replace(config, split=split, occlusion=None, geometry=None, batch=16)
        batches = make_frame_eval_loader(open_sources([spec]), plain, seed, workers)
        for image, targets, _ in batches:
            left = wanted - len(labels)
            images.append(image[:left].half())
            labels += list(list_labels(targets))[:left]
            if len(labels) >= wanted:
                break
    return HeldFrames(torch.cat(images), labels) if labels else None


def list_labels(targets: FrameTargets) -> Iterator[FrameLabels]:
    """What there is in each frame of a batch."""
    for px, ignored in zip(targets.keypoints_px.numpy(), targets.ignored_px.numpy(), strict=True):
        hands = np.isfinite(px).all(-1).any(-1)
        yield FrameLabels(px[hands], ignored[np.isfinite(ignored).all(-1)])


@torch.no_grad()
def search_frames(
    net: nn.Module,
    images: Tensor,
    device: torch.device,
    kind: torch.dtype,
    finding: Finding,
    batch: int = 32,
) -> list[list[Found]]:
    """The hands of each image (N, 1, H, W) that a network in evaluation mode finds."""
    found = list[list[Found]]()
    for part in images.split(batch):
        there = part.to(device, torch.float32).contiguous(memory_format=torch.channels_last)
        with lower_precision(device, kind):
            out = net(there)
            mirrored = net(there.flip(-1)) if finding.flip else None
        found += read_found(out, mirrored, finding)
    return found


def validate_frames(
    net: nn.Module, held: HeldFrames, device: torch.device, kind: torch.dtype = torch.float32
) -> dict[str, float]:
    """score, AP, recall, precision and the operating point (`train_tiny.evaluation.frame_scores`).

    least_score: the score from which on recall and precision of the boxes have the highest F1; they
    are told at it. score: by which the best is chosen: AP, of keypoints where there are any, else
    of boxes; and a thousandth of the F1, so that of networks whose keypoints are not yet near
    enough for any AP the one that finds more hands is better.
    """
    every = replace(Finding(), least_score=0.0, hands=MOST)
    found = search_frames(net, held.images, device, kind, every)
    point = choose_point(found, held.labels)
    scores = score_frames(found, held.labels, point)
    both = scores["recall"] + scores["precision"]
    even = 2 * scores["recall"] * scores["precision"] / both if both > 0 else 0.0
    names = ("box_ap", "box_ap50") if np.isnan(scores["ap"]) else ("ap", "ap50")
    told = {name: scores[name] for name in (*names, "recall", "precision")}
    return {"score": scores[names[0]] + 1e-3 * even, **told, "least_score": point}
