"""Crops of drawn stick hands with targets, and a feed of them: enough to learn something from."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from torch import Tensor

from frames.skeleton import BONES
from train_tiny.evaluation.crop_validation import Held
from train_tiny.losses.tasks import Targets

SIDE = 64

_FINGERS = np.linspace(-0.9, 0.7, 5)
"""Directions of the fingers, radians from up."""


def draw_crops(count: int, seed: int = 0, side: int = SIDE) -> tuple[Tensor, Targets]:
    """Images (N, 1, S, S) and their targets, everything labelled."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, side, side), np.float32)
    points = np.zeros((count, 21, 2), np.float32)
    masks = np.zeros((count, side, side), np.float32)
    for n in range(count):
        points[n] = _place_joints(rng) * side
        for bone, (a, b) in enumerate(BONES):
            ends = [tuple(int(16 * v) for v in points[n, k]) for k in (a, b)]
            near = 0.35 + 0.6 * (bone // 4) / 5
            cv2.line(images[n], *ends, near, 3, cv2.LINE_8, 4)
        masks[n] = images[n] > 0
    right = (points[:, 1, 0] < points[:, 17, 0]).astype(np.float32)
    targets = Targets(
        keypoints_px=torch.from_numpy(points),
        visible=torch.from_numpy((points[..., 1] < side / 2).astype(np.float32)),
        mask=torch.from_numpy(masks),
        right=torch.from_numpy(right),
        key_pose=torch.from_numpy(rng.integers(0, 9, count)),
        depth=torch.from_numpy(rng.uniform(-0.1, 0.1, (count, 21, 2)).astype(np.float32)),
    )
    return torch.from_numpy(images)[:, None], targets


def pick(targets: Targets, rows: Tensor) -> Targets:
    """Some crops' targets."""
    return Targets(**{k: v[rows] for k, v in vars(targets).items()})


def hold(images: Tensor, targets: Targets) -> Held:
    """Crops to validate on."""
    points = targets.keypoints_px.numpy()
    palms = np.linalg.norm(points[:, 0] - points[:, 9], axis=-1)
    return Held(images.half(), points, palms)


@dataclass
class DrawnFeed:
    """Batches of some crops in an order of their epoch."""

    images: Tensor
    targets: Targets
    batch: int
    read_from: list[tuple[int, int]] = field(default_factory=list)
    """What `read` was asked for."""

    @property
    def batches(self) -> int:
        """Of an epoch."""
        return len(self.images) // self.batch

    def read(self, epoch: int, start: int) -> Iterator[tuple[Tensor, Targets]]:
        """The batches from one on."""
        self.read_from.append((epoch, start))
        order = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(epoch))
        for k in range(start, self.batches):
            rows = order[k * self.batch : (k + 1) * self.batch]
            yield self.images[rows], pick(self.targets, rows)


class Silence:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.total = self.there = self.count = 0
        self.notes: list[str] = []

    def begin(self, total: int, there: int) -> None:
        """See `train_tiny.training.loop.Watcher`."""
        self.total, self.there = total, there

    def advance(self, count: int) -> None:
        """The same."""
        self.count += count

    def note(self, text: str) -> None:
        """The same."""
        self.notes.append(text)


def _place_joints(rng: np.random.Generator) -> np.ndarray:
    """(21, 2) of a hand that points anywhere, in shares of the crop."""
    points = [np.zeros(2)]
    for finger, angle in enumerate(_FINGERS):
        base = np.array([np.sin(angle), -np.cos(angle)]) * (0.16 if finger == 0 else 0.3)
        bend = angle + rng.uniform(-0.4, 0.4)
        step = np.array([np.sin(bend), -np.cos(bend)]) * rng.uniform(0.06, 0.1)
        points += [base + k * step for k in range(4)]
    turn = rng.uniform(-0.6, 0.6)
    cos, sin = np.cos(turn), np.sin(turn)
    placed = np.array(points) @ np.array([[cos, sin], [-sin, cos]])
    placed[:, 0] *= rng.choice([-1, 1])
    return placed * rng.uniform(0.6, 0.75) + (0.5, 0.72) + rng.uniform(-0.03, 0.03, 2)
