"""handloom train: a network from any mix of datasets."""

import json as json_format
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from console.arguments import Json, parse
from console.output import print_note, print_result
from console.progress import Bar
from console.settings import expand_settings
from frames.errors import BadInput
from train_tiny.training_config import HARMLESS, TrainingConfig, check_training

if TYPE_CHECKING:
    from train_tiny.feeding import Feed
    from train_tiny.frame_loading import FrameLoaderConfig
    from train_tiny.loading import LoaderConfig, Mix
    from train_tiny.models import Model

Name = Literal[
    "handlite",
    "mobilenetv2",
    "finder",
    "litepose-xs",
    "litepose-s",
    "litepose-m",
    "litepose-l",
    "litepose",
    "litepose-super",
    "branches",
]

CALIBRATION = 4
"""Batches on which the norms of a supernet's largest subnet are measured for validation."""

Several = Annotated[tuple[str, ...], tyro.conf.UseAppendAction]


@dataclass(frozen=True)
class TrainCommand:
    """Train a network; the same command goes on with a stopped run (docs/training.md)."""

    out: tyro.conf.Positional[Path]
    """Folder of the run."""
    data: Several = ()
    """Dataset folder, live:CONFIG.toml for frames rendered as they are consumed, or
    coco:ANNOTATIONS.json@IMAGES for pictures of persons; may come several times."""
    mix: str = ""
    """Shares of the datasets, as in 0.8,0.2; by their sizes if left out."""
    model: Name = "handlite"
    """Network: of crops of one hand (handlite, mobilenetv2), or of whole frames: finder finds boxes
    of hands, litepose-... keypoints; litepose alone: a shape of your own; litepose-super: what
    `handloom search` searches; branches: of several resolutions."""
    network: tuple[str, ...] = ()
    """Options of its shape, NAME=VALUE, as in mask=false decoder=24, or size_px=[192,144] kernel=5.
    """
    config: Path | None = None
    """TOML file with options of this command, as examples/ablations has them; those that are given
    besides win."""
    init: Path | None = None
    """Run or best.ckpt whose weights it begins with."""
    teacher: Path | None = None
    """Run, or file of weights, of a bigger network whose heatmaps it learns beside the labels."""
    teacher_weight: float = 1.0
    """Of that."""
    sensor: str = ""
    """Sensor that reads clean depth: a profile, a TOML file, random, or none; the datasets' own if
    left out."""
    occlusion: bool = True
    """Put occluders before hands, borders through them, and patches without a reading."""
    geometry: bool = True
    """Turn, zoom and mirror crops, or frames, at random."""
    views: int = 1
    """Crops of each hand of a frame as its sensor read it, or views of the whole frame: more are
    quicker to make, and alike."""
    fresh_epochs: int = 0
    """Draw crops anew in so many epochs, keep them in the run's folder (about 20 kB each), and take
    these again in later ones: for machines with few cores. 0: always anew."""
    split: str = "train"
    """Frames to train on, of datasets with splits."""
    validate_data: Several = ()
    """Dataset to validate on; those of --data if left out."""
    validate_split: str = "val"
    """Their split; a dataset without it is not validated on."""
    validate_crops: int = 2048
    """Hands, or whole frames, to validate on, at most."""
    workers: int = 2
    """Processes that load; 0: none besides this one."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    threads: int = 0
    """Threads of a CPU; 0 for torch's choice."""
    json: Json = False
    training: Annotated[TrainingConfig, tyro.conf.arg(name="")] = field(
        default_factory=TrainingConfig
    )
    """How it is trained."""


def run_train(arguments: list[str]) -> int:
    """handloom train OUT --data D ..."""
    command = parse(
        *(TrainCommand, "handloom train", expand_settings(arguments)),
        default=TrainCommand(out=tyro.MISSING),
    )
    check_training(command.training)
    _check_command(command)
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
    from train_tiny.importance import sort_channels
    from train_tiny.loading import open_sources
    from train_tiny.place import load_net
    from train_tiny.run_folder import BEST_NAME, WEIGHTS_NAME, describe_machine, open_run
    from train_tiny.training import choose_tasks, train

    if command.threads:
        torch.set_num_threads(command.threads)
    training, quiet = command.training, command.json or not ranks.first
    model = _build_model(command)
    mix = open_sources(command.data, _read_shares(command.mix))
    feed = _open_feed(command, model, mix, ranks, device.type == "cuda")
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
    score = _hold_score(command, model, device) if ranks.first else None
    if score is not None and not model.deployable:
        score = _score_supernet(score, feed)
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
            {"run": command.out.name, "command": _say_command(command), **identity["training"]},
            teacher,
        )
    if ranks.first:
        result = {"out": str(command.out), **metrics}
        if model.deployable:
            result["weights_bytes"] = (command.out / WEIGHTS_NAME).stat().st_size
        print_result(command.json, _say_end(command.out, result), _clean(result))
    return 0


def import_torch() -> None:
    """Raises BadInput where torch is not installed."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise BadInput("networks need torch: pip install 'handloom[train]'") from None


def _build_model(command: TrainCommand) -> "Model":
    from train_tiny.models import build_model

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
    return build_model(command.model, shape, command.training.seed)


def _open_feed(command: TrainCommand, model: "Model", mix: "Mix", ranks: Any, pin: bool) -> "Feed":
    from train_tiny.feeding import CropFeed
    from train_tiny.frame_feeding import FrameFeed
    from train_tiny.loading import Keep
    from train_tiny.models import FRAME_MODELS
    from train_tiny.person_feeding import are_persons, open_person_feed
    from train_tiny.run_folder import ROUNDS_NAME

    seed, workers = command.training.seed, command.workers
    if are_persons(command.data):
        batch = command.training.batch
        return open_person_feed(mix, model, batch, seed, command.geometry, workers, ranks, pin)
    if model.name in FRAME_MODELS:
        if command.fresh_epochs:
            raise BadInput(f"fresh_epochs are of crops: {model.name} takes whole frames")
        frames = _read_frame_loading(command, model)
        return FrameFeed(mix, frames, seed, workers, ranks, pin)
    kept = Keep(command.out / ROUNDS_NAME, command.fresh_epochs) if command.fresh_epochs else None
    return CropFeed(mix, _read_loading(command, model), seed, workers, ranks, pin, kept)


def _hold_score(
    command: TrainCommand, model: "Model", device: Any
) -> Callable[[Any], dict[str, float]] | None:
    """What scores a network on data that are kept in memory; None without any."""
    from train_tiny.feeding import hold_validation
    from train_tiny.frame_validation import hold_frames, validate_frames
    from train_tiny.models import FRAME_MODELS
    from train_tiny.person_feeding import are_persons, hold_person_score
    from train_tiny.validation import validate

    specs, split = command.validate_data or command.data, command.validate_split
    most, seed = command.validate_crops, command.training.seed
    if are_persons(command.data):
        files = command.validate_data  # a file has no splits: it is one
        return hold_person_score(files, model, most, device, command.workers)
    if model.name in FRAME_MODELS:
        frames = _read_frame_loading(command, model)
        kept = hold_frames(specs, frames, split, most, seed, command.workers)
        return None if kept is None else lambda net: validate_frames(net, kept, device)
    crops = _read_loading(command, model)
    held = hold_validation(specs, crops, split, most, seed, command.workers)
    return None if held is None else lambda net: validate(net, held, device)


def _score_supernet(
    score: Callable[[Any], dict[str, float]], feed: "Feed"
) -> Callable[[Any], dict[str, float]]:
    """That of a supernet's largest subnet, with its own norms."""
    from itertools import islice

    from train_tiny.supernet_training import score_largest

    batches = feed.read(0, 0)
    return score_largest(score, (images for images, _ in islice(batches, CALIBRATION)))


def _load_teacher(command: TrainCommand, model: "Model", device: Any) -> Any:
    from train_tiny.teaching import load_teacher

    if command.teacher is None:
        return None
    return load_teacher(command.teacher, model, device, command.teacher_weight)


def _score_elsewhere(net: Any) -> dict[str, float]:
    """Stands for the score of processes that do not validate themselves."""
    raise AssertionError("only the first process validates")


def _read_loading(command: TrainCommand, model: "Model") -> "LoaderConfig":
    from train_tiny.loading import LoaderConfig

    return LoaderConfig(
        batch=command.training.batch,
        size_px=model.input_px,
        split=command.split or None,
        sensor=command.sensor,
        views=command.views,
        **_leave_out(command),
    )


def _read_frame_loading(command: TrainCommand, model: "Model") -> "FrameLoaderConfig":
    from train_tiny.frame_loading import FrameLoaderConfig

    return FrameLoaderConfig(
        batch=command.training.batch,
        size_px=model.size_px,
        split=command.split or None,
        sensor=command.sensor,
        views=command.views,
        **_leave_out(command),
    )


def _leave_out(command: TrainCommand) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    if not command.occlusion:
        plain["occlusion"] = None
    if not command.geometry:
        plain["geometry"] = None
    return plain


def _identify(command: TrainCommand, model: "Model", processes: int) -> dict[str, Any]:
    """What a run is: with another value of any of these it is another run."""
    from train_tiny.run_folder import hash_data
    from train_tiny.teaching import hash_teacher

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


def _check_command(command: TrainCommand) -> None:
    for name in ("workers", "threads", "validate_crops", "fresh_epochs"):
        if getattr(command, name) < 0:
            raise BadInput(f"{name} must be >= 0, got {getattr(command, name)}")
    if command.views < 1:
        raise BadInput(f"views must be >= 1, got {command.views}")
    if not (0 < command.teacher_weight < float("inf")):
        raise BadInput(f"teacher_weight must be > 0, got {command.teacher_weight:g}")
    if command.training.compile and command.model == "litepose-super":
        raise BadInput("a supernet is another network at every step: train it without --compile")
    if not command.data:
        raise BadInput("no data to train on: name a dataset with --data, or live:CONFIG.toml")


def _read_shares(text: str) -> list[float] | None:
    if not text:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"mix must be shares with commas, as in 0.8,0.2, got {text!r}") from None


def _say_command(command: TrainCommand) -> str:
    """What was asked for of data and network, for the weights' header."""
    parts = [f"--model {command.model}", *(f"--network {n}" for n in command.network)]
    parts += [f"--data {Path(d).name}" for d in command.data]
    parts += [f"--mix {command.mix}"] if command.mix else []
    parts += [f"--sensor {command.sensor}"] if command.sensor else []
    parts += [f"--teacher {command.teacher.name}"] if command.teacher else []
    parts += [] if command.occlusion else ["--no-occlusion"]
    parts += [] if command.geometry else ["--no-geometry"]
    return " ".join(parts)


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
