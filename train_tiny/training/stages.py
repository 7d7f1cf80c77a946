"""The staged recipe: which tasks are trained when, and the learning rate.

A small encoder first learns where the hand is and which pose it is in, from dense labels that are
easy to learn; then everything at once; at last keypoints alone, at a low rate, for what auxiliary
tasks have done by then is done. (The order is that of US 11775836; shares and rates are ours.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from train_tiny.training.config import TrainingConfig

FIRST_TASKS: Final = ("mask", "key_pose")
"""What the encoder is taught before all else."""

TEACHER: Final = "teacher"
"""What a bigger network teaches (`train_tiny.training.distillation`) wherever keypoints are taught.
"""

DROPS: Final = (0.7, 0.9)
"""Where, as shares of the steps, the step schedule falls."""


@dataclass(frozen=True)
class Stage:
    """A stretch of a run."""

    name: str
    stop: int
    """The step before which it ends."""
    tasks: tuple[str, ...]
    """What is taught."""
    balanced: bool
    """Whether GradNorm may weigh the tasks."""


@dataclass(frozen=True)
class Plan:
    """The stages of a run, and its learning rates."""

    config: TrainingConfig
    total: int
    """Steps."""
    stages: tuple[Stage, ...]

    def stage(self, step: int) -> Stage:
        """The stage that a step is in."""
        return next((s for s in self.stages if step < s.stop), self.stages[-1])

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0; a pure function, so nothing to restore."""
        warm_up = min(self.config.warm_up, self.total // 10)
        rising = min(1.0, (step + 1) / warm_up) if warm_up else 1.0
        return self.config.rate * rising * self._fall(step)

    def _fall(self, step: int) -> float:
        finish = self.stages[-1].name == "finish" and len(self.stages) > 1
        turn = self.stages[-2].stop if finish else self.total
        low = self.config.finish_rate if finish else 0.0
        if self.config.schedule == "step":
            drops = sum(step >= math.floor(d * self.total) for d in DROPS)
            scale = 0.1**drops
            return min(scale, low) if finish and step >= turn else scale
        if step < turn:
            return low + (1 - low) * _half_cosine(step / turn)
        return low * _half_cosine((step - turn) / max(1, self.total - turn))


def plan_stages(config: TrainingConfig, total: int, tasks: Sequence[str]) -> Plan:
    """The plan of a run of `total` steps for a network with these tasks.

    A stage without a task of its own (a network of keypoints alone has neither mask nor key pose)
    gives its steps to the one in which everything is taught.
    """
    tasks = tuple(tasks)
    first = tuple(t for t in FIRST_TASKS if t in tasks)
    start, _, end = config.stages
    start = start if first else 0.0
    own = [t for t in tasks if t != TEACHER]
    end = end if len(own) > 1 and "keypoints" in own else 0.0
    last = tuple(t for t in ("keypoints", TEACHER) if t in tasks)
    stops = (round(start * total), total - round(end * total), total)
    made = (
        Stage("encoder", stops[0], first, False),
        Stage("all", stops[1], tasks, len(tasks) > 1),
        Stage("finish", stops[2], last, False),
    )
    lengths = (stops[0], stops[1] - stops[0], stops[2] - stops[1])
    kept = tuple(s for s, length in zip(made, lengths, strict=True) if length > 0)
    return Plan(config, total, kept)


def _half_cosine(share: float) -> float:
    """1 to 0 over 0 .. 1 (Loshchilov and Hutter 2017, arXiv 1608.03983, eq. 5, one period)."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
