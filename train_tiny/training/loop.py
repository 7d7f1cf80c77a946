"""The training loop: any model that has losses, on any feed of batches.

    train(model, feed, held, config, Path("out/run"), device, ranks, watcher)

Stopped at any moment and started again with the same arguments, it ends as if it had never been
stopped: weights to float tolerance, bit by bit on one CPU.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch

from frames.errors import BadInput
from train_tiny.loading.feeding import Feed
from train_tiny.loading.rounds import explain_loss
from train_tiny.models import Model
from train_tiny.ranks import Ranks
from train_tiny.run_folder import LAST_NAME
from train_tiny.training.config import TrainingConfig
from train_tiny.training.distillation import Teacher
from train_tiny.training.learner import GRADIENT, Learner
from train_tiny.training.place import Place, restore_place, save_place
from train_tiny.training.record import Record
from train_tiny.training.stages import TEACHER, plan_stages
from train_tiny.training.stopping import catch_signals

EPOCHS = 10.0
"""Of a run that says neither steps nor epochs."""

VALIDATIONS = 20
"""Of a run that does not say how often."""


class Watcher(Protocol):
    """Is told how far a run has come."""

    def begin(self, total: int, there: int) -> None:
        """Of `total` samples, `there` were learnt from before."""

    def advance(self, count: int) -> None:
        """`count` more."""

    def note(self, text: str) -> None:
        """A line for people."""


def count_steps(config: TrainingConfig, feed: Feed) -> int:
    """Steps of a run. Raises BadInput where there are none."""
    if config.steps:
        return config.steps
    return max(1, round((config.epochs or EPOCHS) * feed.batches))


def train(
    model: Model,
    feed: Feed,
    score: Callable[[torch.nn.Module], dict[str, float]] | None,
    config: TrainingConfig,
    folder: Path,
    device: torch.device,
    watcher: Watcher,
    ranks: Ranks | None = None,
    provenance: dict[str, Any] | None = None,
    teacher: Teacher | None = None,
) -> dict[str, Any]:
    """Train to the end, or from where the folder's checkpoint is; returns metrics.json's contents.

    score: of the averaged weights, a mapping whose first value is better the higher it is; None: no
    validation, the last weights are the best. teacher: a network on the device that teaches its
    heatmaps beside the labels. Raises BadInput for a loss or gradient that is no
    number, naming step, rate and task; the last checkpoint stays.
    """
    ranks = ranks or Ranks()
    total = count_steps(config, feed)
    tasks = (*choose_tasks(model, config), *(() if teacher is None else (TEACHER,)))
    learner = Learner(model, plan_stages(config, total, tasks), device, ranks, teacher)
    place = restore_place(folder / LAST_NAME, learner)
    record = Record(folder, place.step, ranks.first, provenance or {})
    size = config.batch * ranks.count
    watcher.begin(total * size, place.step * size)
    run = _Run(config, learner, place, record, watcher, score, total)
    if not place.ended:
        with catch_signals(ranks.count == 1) as stopped:
            run.go(feed, stopped)
    return record.finish(place, total, size)


class _Run:
    def __init__(
        self,
        config: TrainingConfig,
        learner: Learner,
        place: Place,
        record: Record,
        watcher: Watcher,
        score: Callable[[torch.nn.Module], dict[str, float]] | None,
        total: int,
    ) -> None:
        self._config, self._learner, self._place = config, learner, place
        self._record, self._watcher, self._score = record, watcher, score
        self._total = total
        self._each = config.validate_every or max(1, -(-total // VALIDATIONS))
        self._saved = self._logged = time.monotonic()

    def go(self, feed: Feed, stopped: list[int]) -> None:
        """Until the end; `stopped` has a signal's number once one came."""
        try:
            self._go(feed, stopped)
        except RuntimeError as error:
            # torch tells of a worker's death in the middle of whatever runs. A signal to the whole
            # group killed it: no step to finish then, and the last checkpoint stands.
            told = explain_loss(error)
            if stopped and told is not error:
                raise KeyboardInterrupt(stopped[0]) from None
            raise told from error

    def _go(self, feed: Feed, stopped: list[int]) -> None:
        place, size = self._place, self._config.batch * self._learner.ranks.count
        while not place.ended:
            batches, before = feed.read(place.epoch, place.batch), place.step
            for images, targets in batches:
                if not len(images):
                    continue
                place.rows.append(self._learner.learn(images, targets, place.step))
                place.step += 1
                place.batch += 1
                self._watcher.advance(size)
                self._look_around()
                if stopped:
                    self._save()
                    raise KeyboardInterrupt(stopped[0])
                if place.ended:
                    break
            _close(batches)
            if place.step == before and place.batch == 0:
                raise BadInput("an epoch of the data has no batch: is there any hand to train on?")
            if not place.ended:
                place.epoch, place.batch = place.epoch + 1, 0

    def _look_around(self) -> None:
        """Whatever is due after a step."""
        config, place, step = self._config, self._place, self._place.step
        last = step == self._total
        validates = self._score is not None and (last or step % self._each == 0)
        if not (last or validates or step % config.log_every == 0):
            return
        row = self._check_rows()
        self._learner.ranks.average_statistics(self._learner.net)
        if validates:
            row |= self._validate()
        if last:
            place.ended = place.ended or "all steps are done"
        if self._score is None and place.ended:
            self._keep_best({})
        self._record.add(row)
        waited = time.monotonic() - self._saved
        if place.ended or self._learner.ranks.share(waited, self._learner.device) > (
            config.save_every_s
        ):
            self._save()

    def _check_rows(self) -> dict[str, float]:
        """The mean of the rows since the last time. Raises BadInput for one that is no number."""
        learner, place = self._learner, self._place
        rows = torch.stack(place.rows).cpu()
        # Tasks that have no loss at a stage are NaN and no fault.
        for k, values in enumerate(rows):
            step = place.since + k
            watched = [*learner.plan.stage(step).tasks, *(() if learner.scaled else (GRADIENT,))]
            for name, value in zip(learner.names, values.tolist(), strict=True):
                if name in watched and not math.isfinite(value):
                    raise BadInput(self._explain(name, value, step))
        now = time.monotonic()
        seconds = max(now - self._logged, 1e-9)
        size = self._config.batch * learner.ranks.count
        rate = learner.plan.rate(place.step - 1)
        row = {"step": place.step, "epoch": place.epoch, "rate": rate}
        means = learner.ranks.average_value(rows.nanmean(0).to(learner.device)).tolist()
        row |= {f"loss_{n}": v for n, v in zip(learner.names[:-1], means, strict=False)}
        row["gradient"] = means[-1]
        if learner.balance is not None:
            row |= {f"weight_{n}": w for n, w in learner.balance.weights().items()}
        row["samples_s"] = len(place.rows) * size / seconds
        place.rows, place.since, self._logged = [], place.step, now
        return row

    def _explain(self, name: str, value: float, step: int) -> str:
        what = "the gradient" if name == GRADIENT else f"the loss of {name}"
        folder, rate = self._record.folder, self._learner.plan.rate(step)
        kept = folder / LAST_NAME
        told = f"the checkpoint {kept} is of before" if kept.exists() else "no checkpoint yet"
        return (
            f"{what} is {value} at step {step + 1} (learning rate {rate:.3g}); {told}; start anew"
            " in another folder with a lower --rate or --clip, or with --init from this one"
        )

    def _validate(self) -> dict[str, float]:
        learner, place = self._learner, self._place
        assert self._score is not None
        found = self._score(learner.average.net) if learner.ranks.first else {}
        value = next(iter(found.values()), float("nan"))
        value = learner.ranks.share(value, learner.device)
        if math.isnan(value) and place.best == -math.inf:
            value = -1e9  # no label to score by: any weights are better than none
        if value > place.best:
            place.best, place.best_step, place.waited = value, place.step, 0
            self._keep_best(found)
        else:
            place.waited += 1
            if self._config.patience and place.waited >= self._config.patience:
                place.ended = f"no better validation in {place.waited}"
        told = ", ".join(f"{k} {v:.4g}" for k, v in found.items())
        best = " (best)" if place.best_step == place.step else ""
        self._watcher.note(f"step {place.step:,}: {told}{best}")
        self._logged = time.monotonic()
        return {f"val_{k}": v for k, v in found.items()}

    def _keep_best(self, found: dict[str, float]) -> None:
        if self._score is None:
            self._place.best_step = self._place.step
        if self._learner.ranks.first:
            net = self._learner.average.net
            self._record.keep(self._learner.model, net, self._place.step, found)

    def _save(self) -> None:
        self._saved = time.monotonic()
        if not self._learner.ranks.first:
            return
        save_place(self._record.folder / LAST_NAME, self._learner, self._place)
        self._record.draw()


def choose_tasks(model: Model, config: TrainingConfig) -> tuple[str, ...]:
    """Those of the model that are taught. Raises BadInput for one that it has no head for."""
    unknown = sorted(set(config.tasks) - set(model.tasks))
    if unknown:
        raise BadInput(
            f"{model.name} has no head for task {unknown[0]}: it has {', '.join(model.tasks)}"
        )
    return tuple(t for t in model.tasks if not config.tasks or t in config.tasks)


def _close(batches: Any) -> None:
    if hasattr(batches, "close"):
        batches.close()
