"""handloom train: a network from any mix of datasets."""

import json as json_format
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from console.arguments import parse
from console.networks import import_torch
from console.output import print_note, print_result
from console.progress import Bar
from console.settings import expand_settings
from console.train_command import TrainCommand, check_command, read_shares, say_command
from console.train_data import hold_score, open_feed, score_supernet
from frames.errors import BadInput
from train_tiny.training.config import HARMLESS

if TYPE_CHECKING:
    from train_tiny.models import Model


def run_train(arguments: list[str]) -> int:
    """handloom train OUT --data D ..."""
    command = parse(
        *(TrainCommand, "handloom train", expand_settings(arguments)),
        default=TrainCommand(out=tyro.MISSING),
    )
    check_command(command)
    # Threads that wait by spinning take the loader's processes the cores that they need.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import_torch()
    from train_tiny.devices import choose_device
    from train_tiny.ranks import connect, disconnect, join_ranks

    ranks = join_ranks()
    device = choose_device(command.device, ranks.local_rank)
    connect(ranks, device)
    try:
        return _train(command, device, ranks)
    finally:
        disconnect(ranks)


def _train(command: TrainCommand, device: Any, ranks: Any) -> int:
    import torch

    from train_tiny.devices import choose_precision
    from train_tiny.loading.crop_loading import open_sources
    from train_tiny.run_folder import BEST_NAME, WEIGHTS_NAME, describe_machine, open_run
    from train_tiny.search.importance import sort_channels
    from train_tiny.training.loop import choose_tasks, train
    from train_tiny.training.place import load_net

    if command.threads:
        torch.set_num_threads(command.threads)
    training, quiet = command.training, command.json or not ranks.first
    model = build_from(command)
    mix = open_sources(command.data, read_shares(command.mix))
    feed = open_feed(command, model, mix, ranks, device.type == "cuda")
    identity = _identify(command, model, ranks.count)
    choose_tasks(model, training)
    choose_precision(training.precision, device)
    if command.init is not None:
        load_net(model, command.init / BEST_NAME if command.init.is_dir() else command.init)
        if model.name == "litepose-super":
            sort_channels(model.net)
    found = feed.batches
    begun = open_run(command.out, identity, describe_machine(device)) if ranks.first else False
    teacher = _load_teacher(command, model, device)
    score = hold_score(command, model, device) if ranks.first else None
    if score is not None and not model.deployable:
        score = score_supernet(score, feed)
    if ranks.first and score is None and not quiet:
        print_note(
            f"no dataset has a split {command.validate_split!r} to validate on: the last weights"
            " will be the best"
        )
    if ranks.share(float(score is not None), device) > 0 and score is None:
        score = _score_elsewhere
    if not quiet:
        verb = "going on with" if begun else "training"
        print_note(
            f"{verb} {command.model} on {device}: {found * ranks.count:,} batches of"
            f" {training.batch} an epoch"
        )
    with Bar("samples", quiet) as bar:
        metrics = train(
            *(model, feed, score, training, command.out, device, bar, ranks),
            {"run": command.out.name, "command": say_command(command), **identity["training"]},
            teacher,
        )
    if ranks.first:
        result = {"out": str(command.out), **metrics}
        if model.deployable:
            result["weights_bytes"] = (command.out / WEIGHTS_NAME).stat().st_size
        print_result(command.json, _say_end(command.out, result), _clean(result))
    return 0


def build_from(command: TrainCommand) -> "Model":
    """Raises BadInput for options of its shape that cannot be."""
    from train_tiny.models import build_model, weigh_heatmaps

    shape: dict[str, Any] = {}
    for option in command.network:
        name, equals, value = option.partition("=")
        if not equals:
            raise BadInput(f"network options are NAME=VALUE, got {option!r}")
        try:
            shape[name] = json_format.loads(value)
        except ValueError:
            raise BadInput(
                f"network option {name} must be a number, true, false or a list, got {value!r}"
            ) from None
    model = build_model(command.model, shape, command.training.seed)
    return weigh_heatmaps(model) if command.training.heatmaps == "weighted" else model


def _load_teacher(command: TrainCommand, model: "Model", device: Any) -> Any:
    from train_tiny.training.teaching import load_teacher

    if command.teacher is None:
        return None
    return load_teacher(command.teacher, model, device, command.teacher_weight)


def _score_elsewhere(net: Any) -> dict[str, float]:
    """Stands for the score of processes that do not validate themselves."""
    raise AssertionError("only the first process validates")


def _identify(command: TrainCommand, model: "Model", processes: int) -> dict[str, Any]:
    """What a run is: with another value of any of these it is another run."""
    from train_tiny.specs import hash_data
    from train_tiny.training.teaching import hash_teacher

    taught: dict[str, Any] = {}
    if command.teacher is not None:
        taught["teacher"] = hash_teacher(command.teacher, command.teacher_weight)
    training = {k: v for k, v in asdict(command.training).items() if k not in HARMLESS}
    names = "mix sensor occlusion geometry views fresh_epochs split validate_split validate_crops"
    return {
        "model": {"name": model.name, **model.config},
        "training": training,
        "loading": {name: getattr(command, name) for name in names.split()},
        "data": [hash_data(spec) for spec in command.data],
        "validation": [hash_data(spec) for spec in command.validate_data],
        "init": None if command.init is None else str(command.init),
        "processes": processes,
        **taught,
    }


def _say_end(out: Path, metrics: dict[str, Any]) -> str:
    text = (
        f"{out}: {metrics['ended']}, {metrics['samples']:,} samples in {metrics['seconds']:,.0f} s"
    )
    best = metrics["best"] or {}
    if "val_pck" in best:
        text += (
            f"; best at step {metrics['best_step']:,}: PCK@0.2 {best['val_pck']:.3f}, AUC"
            f" {best['val_auc']:.3f}, {best['val_epe_px']:.2f} px"
        )
    elif "val_score" in best:
        shown = (
            *(("AP", "ap"), ("AP50", "ap50"), ("AP of boxes", "box_ap"), ("AP50", "box_ap50")),
            *(("recall", "recall"), ("precision", "precision")),
        )
        told = [f"{k} {best[f'val_{v}']:.3f}" for k, v in shown if f"val_{v}" in best]
        text += f"; best at step {metrics['best_step']:,}: {', '.join(told)}"
    kept = metrics.get("weights_bytes")
    return text if kept is None else f"{text}; weights {kept:,} bytes"


def _clean(metrics: dict[str, Any]) -> dict[str, Any]:
    from train_tiny.run_folder import clean_values

    cleaned: dict[str, Any] = clean_values(metrics)
    return cleaned
