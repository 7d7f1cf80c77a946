"""Samples a second of a training step: the bare step, and the loop around it.

    python -m bench.training [--threads 2] [--batch 64] [--model handlite] [--compile]

Batches of random numbers lie in memory: only the step and what the loop adds to it (moving
average, clipping, rows of the curves, validation every so often) is measured. Runs of both
alternate, for a shared machine is not as quick at every time; the best of each counts.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch import Tensor

from train_tiny.losses.balance import FIXED
from train_tiny.losses.tasks import Targets
from train_tiny.models import Model, build_model
from train_tiny.training.config import TrainingConfig
from train_tiny.training.loop import train


@dataclass(frozen=True)
class RandomFeed:
    """The same few random batches again and again."""

    pairs: list[tuple[Tensor, Targets]]
    batches: int

    def read(self, epoch: int, start: int) -> Iterator[tuple[Tensor, Targets]]:
        """See `train_tiny.loading.feeding.Feed`."""
        for k in range(start, self.batches):
            yield self.pairs[k % len(self.pairs)]


class Silence:
    """Nobody watches."""

    def begin(self, total: int, there: int) -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


def make_batch(batch: int, side: int) -> tuple[Tensor, Targets]:
    """Random numbers of a batch's shapes."""
    targets = Targets(
        keypoints_px=torch.rand(batch, 21, 2) * side,
        visible=(torch.rand(batch, 21) > 0.5).float(),
        mask=(torch.rand(batch, side, side) > 0.5).float(),
        right=(torch.rand(batch) > 0.5).float(),
        key_pose=torch.randint(0, 9, (batch,)),
        depth=torch.rand(batch, 21, 2) - 0.5,
    )
    return torch.rand(batch, 1, side, side), targets


def read_clocks() -> np.ndarray:
    """(2,) seconds of the wall's clock, and of all cores for this process."""
    return np.array([time.perf_counter(), time.process_time()])


def run_bare(model: Model, feed: RandomFeed, device: torch.device, steps: int) -> np.ndarray:
    """Clocks of steps without anything around them: forward, losses, backward, AdamW."""
    net = model.net.to(device, memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-4, fused=True)
    began = read_clocks()
    for images, targets in (pair for _ in range(steps) for pair in feed.pairs[:1]):
        losses = model.measure(net(images.to(device)), targets.to(device))
        loss = torch.stack([FIXED[t] * v for t, v in losses.items()]).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    float(loss.detach())
    return read_clocks() - began


def run_loop(
    model: Model, feed: RandomFeed, device: torch.device, config: TrainingConfig
) -> np.ndarray:
    """Clocks of the training loop over as many steps."""
    with tempfile.TemporaryDirectory() as folder:
        began = read_clocks()
        train(model, feed, None, config, Path(folder), device, Silence())
        return read_clocks() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="handlite")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--compile", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    device = torch.device(asked.device)
    side = build_model(asked.model).input_px
    feed = RandomFeed([make_batch(asked.batch, side) for _ in range(2)], asked.steps)
    config = TrainingConfig(
        steps=asked.steps,
        batch=asked.batch,
        stages=(0.0, 1.0, 0.0),
        precision=asked.precision,
        compile=asked.compile,
    )
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(asked.rounds + 1):
        found.append(
            (
                run_bare(build_model(asked.model), feed, device, asked.steps),
                run_loop(build_model(asked.model), feed, device, config),
            )
        )
    # The first round warms up.
    samples = asked.steps * asked.batch / np.array(found[1:]).min(0)
    (bare, bare_core), (loop, loop_core) = samples.tolist()
    print(
        f"{asked.model}, batch {asked.batch}, {asked.threads} threads, {device}: bare step"
        f" {bare:,.0f} samples/s, loop {loop:,.0f} ({loop / bare:.0%}); of a core's time"
        f" {bare_core:,.0f} and {loop_core:,.0f} samples/s ({loop_core / bare_core:.0%})"
    )


if __name__ == "__main__":
    main()
