"""A network in training: its weights and all that moves with them, one step at a time."""

import random
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from train_tiny.devices import (
    choose_precision,
    list_random_states,
    lower_precision,
    restore_random_states,
)
from train_tiny.losses.balance import FIXED, GradNorm
from train_tiny.models import Model
from train_tiny.ranks import Ranks
from train_tiny.training.distillation import Teacher, measure_likeness
from train_tiny.training.optimisation import Average, build_optimiser, clip_gradients, set_rate
from train_tiny.training.stages import TEACHER, Plan

GRADIENT = "gradient"
"""The column of a row that has the gradient's length."""


class Learner:
    """What a checkpoint holds: network, moving average, optimiser, task weights, generators."""

    def __init__(
        self,
        model: Model,
        plan: Plan,
        device: torch.device,
        ranks: Ranks,
        teacher: Teacher | None = None,
    ) -> None:
        """The network moves to the device. Raises BadInput for a precision that this lacks.

        teacher: on the same device; the plan has its task.
        """
        config = plan.config
        self.model, self.plan, self.device, self.ranks = model, plan, device, ranks
        self._teacher = teacher
        self._fixed = FIXED if teacher is None else FIXED | {TEACHER: teacher.weight}
        # Twice as fast as the other order on CPUs, and what tensor cores want.
        self.net = model.net.to(device, memory_format=torch.channels_last).train()
        self.kind = choose_precision(config.precision, device)
        self.average = Average(self.net, config.average)
        self.optimiser = build_optimiser(self.net, config.weight_decay)
        self.balance = GradNorm(plan_tasks(plan)) if config.balance == "gradnorm" else None
        self._scaler = torch.amp.GradScaler(
            device.type, enabled=self.kind == torch.float16 and device.type == "cuda"
        )
        self._run = torch.compile(self.net) if config.compile else self.net
        self.names = (*plan_tasks(plan), GRADIENT)
        """Columns of the rows that `learn` gives."""

    def learn(self, images: Tensor, targets: Any, step: int) -> Tensor:
        """One step on a batch: (len(names),) its losses and the gradient's length, on the device.

        images: (B, 1, S, S). A task that has no loss in this step is NaN.
        """
        config, stage = self.plan.config, self.plan.stage(step)
        images = images.to(self.device, non_blocking=True)
        targets = targets.to(self.device)
        if self.model.arrange is not None:
            images, targets = self.model.arrange(step, images, targets)
        images = images.contiguous(memory_format=torch.channels_last)
        with lower_precision(self.device, self.kind):
            out = self._run(images)
        out = _raise_precision(out)
        losses = self.model.measure(out, targets)
        if self._teacher is not None and TEACHER in stage.tasks:
            losses[TEACHER] = measure_likeness(out, self._teacher.answer(images, self.kind))
        taught = {t: losses[t] for t in stage.tasks if t in losses}
        if stage.balanced and self.balance is not None:
            loss = self._balance(taught, step % config.balance_every == 0)
        else:
            loss = torch.stack([self._fixed.get(t, 1.0) * taught[t] for t in taught]).sum()
        self.optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self.ranks.average_gradients(self.net)
        self._scaler.unscale_(self.optimiser)
        length = clip_gradients(self.net, config.clip)
        set_rate(self.optimiser, self.plan.rate(step))
        self._scaler.step(self.optimiser)
        self._scaler.update()
        self.average.update(step)
        nothing = torch.full((), torch.nan, device=self.device)
        row = [losses[t].detach() if t in losses else nothing for t in self.names[:-1]]
        return torch.stack([*row, length.detach()])

    def weigh(self, step: int) -> dict[str, float]:
        """The weights of the tasks that are taught in a step."""
        stage = self.plan.stage(step)
        if stage.balanced and self.balance is not None:
            return self.balance.weights()
        return {t: self._fixed.get(t, 1.0) for t in stage.tasks}

    @property
    def scaled(self) -> bool:
        """Whether gradients may overflow now and then without harm."""
        return bool(self._scaler.is_enabled())

    def state(self) -> dict[str, Any]:
        """Plain values and tensors for a checkpoint."""
        version, numbers, extra = random.getstate()
        out = {
            "net": self.net.state_dict(),
            "average": self.average.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self._scaler.state_dict(),
            "torch": list_random_states(self.device),
            "python": [version, list(numbers), extra],
        }
        if self.balance is not None:
            out["balance"] = {"log_weight": self.balance.log_weight, "first": self.balance.first}
        return out

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint. Raises KeyError or RuntimeError for one of another network."""
        self.net.load_state_dict(state["net"])
        self.average.net.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self._scaler.load_state_dict(state["scaler"])
        restore_random_states(state["torch"], self.device)
        version, numbers, extra = state["python"]
        random.setstate((version, tuple(numbers), extra))
        if self.balance is not None:
            self.balance.log_weight = state["balance"]["log_weight"]
            self.balance.first = state["balance"]["first"]

    def _balance(self, taught: dict[str, Tensor], change: bool) -> Tensor:
        assert self.balance is not None
        if change:
            self.balance.update(taught, self.model.shared)
            self.balance.log_weight = self.ranks.average_value(
                self.balance.log_weight.to(self.device)
            ).cpu()
        return self.balance.weigh(taught)


def plan_tasks(plan: Plan) -> tuple[str, ...]:
    """All tasks of a plan, in the order of its longest list."""
    return max((s.tasks for s in plan.stages), key=len)


def _raise_precision(out: Any) -> Any:
    """Losses are computed in float32, whatever the network was."""
    if isinstance(out, dict):
        return {name: value.float() for name, value in out.items()}
    return [value.float() for value in out]
