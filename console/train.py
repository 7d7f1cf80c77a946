"""handloom train: a network from any mix of datasets."""

import json as json_format
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from console.arguments import Json, parse
from console.output import print_note, print_result
from console.progress import Bar
from frames.errors import BadInput
from train_tiny.training_config import HARMLESS, TrainingConfig, check_training

if TYPE_CHECKING:
    from train_tiny.loading import LoaderConfig
    from train_tiny.models import Model

Several = Annotated[tuple[str, ...], tyro.conf.UseAppendAction]


@dataclass(frozen=True)
class TrainCommand:
    """Train a network; the same command goes on with a stopped run (docs/training.md)."""

    out: tyro.conf.Positional[Path]
    """Folder of the run."""
    data: Several = ()
    """Dataset folder, or live:CONFIG.toml for frames rendered as they are consumed; may come
    several times."""
    mix: str = ""
    """Shares of the datasets, as in 0.8,0.2; by their sizes if left out."""
    model: Literal["handlite", "mobilenetv2"] = "handlite"
    """Network."""
    network: tuple[str, ...] = ()
    """Options of its shape, NAME=VALUE, as in mask=false decoder=24."""
    init: Path | None = None
    """Run or best.ckpt whose weights it begins with."""
    sensor: str = ""
    """Sensor that reads clean depth: a profile, a TOML file, random, or none; the datasets' own if
    left out."""
    occlusion: bool = True
    """Put occluders before hands, borders through them, and patches without a reading."""
    geometry: bool = True
    """Turn, zoom and mirror crops at random."""
    views: int = 1
    """Crops of each hand of a frame as its sensor read it: more are quicker to make, and alike."""
    split: str = "train"
    """Frames to train on, of datasets with splits."""
    validate_data: Several = ()
    """Dataset to validate on; those of --data if left out."""
    validate_split: str = "val"
    """Their split; a dataset without it is not validated on."""
    validate_crops: int = 2048
    """Hands to validate on, at most."""
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
        TrainCommand, "handloom train", arguments, default=TrainCommand(out=tyro.MISSING)
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
    from train_tiny.feeding import CropFeed, hold_validation
    from train_tiny.loading import open_sources
    from train_tiny.place import load_net
    from train_tiny.run_folder import BEST_NAME, WEIGHTS_NAME, describe_machine, open_run
    from train_tiny.training import choose_tasks, train
    from train_tiny.validation import validate

    if command.threads:
        torch.set_num_threads(command.threads)
    training, quiet = command.training, command.json or not ranks.first
    model = _build_model(command)
    mix = open_sources(command.data, _read_shares(command.mix))
    loading = _read_loading(command, model)
    feed = CropFeed(
        *(mix, loading, training.seed, command.workers, ranks), pin=device.type == "cuda"
    )
    identity = _identify(command, model, ranks.count)
    choose_tasks(model, training)
    choose_precision(training.precision, device)
    if command.init is not None:
        load_net(model, command.init / BEST_NAME if command.init.is_dir() else command.init)
    found = feed.batches
    begun = open_run(command.out, identity, describe_machine(device)) if ranks.first else False
    held = None
    if ranks.first:
        wanted = command.validate_data or command.data
        held = hold_validation(
            *(wanted, loading, command.validate_split, command.validate_crops, training.seed),
            command.workers,
        )
        if held is None and not quiet:
            print_note(
                f"no dataset has a split {command.validate_split!r} to validate on: the last"
                " weights will be the best"
            )
    validates = ranks.share(float(held is not None), device) > 0

    def score(net: torch.nn.Module) -> dict[str, float]:
        assert held is not None
        return validate(net, held, device)

    if not quiet:
        verb = "going on with" if begun else "training"
        print_note(
            f"{verb} {command.model} on {device}: {found * ranks.count:,} batches of"
            f" {training.batch} an epoch"
        )
    with Bar("samples", quiet) as bar:
        metrics = train(
            *(model, feed, score if validates else None, training, command.out, device, bar, ranks),
            {"run": command.out.name, "command": _say_command(command), **identity["training"]},
        )
    if ranks.first:
        weights = command.out / WEIGHTS_NAME
        result = {"out": str(command.out), **metrics, "weights_bytes": weights.stat().st_size}
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


def _read_loading(command: TrainCommand, model: "Model") -> "LoaderConfig":
    from train_tiny.loading import LoaderConfig

    plain: dict[str, Any] = {}
    if not command.occlusion:
        plain["occlusion"] = None
    if not command.geometry:
        plain["geometry"] = None
    return LoaderConfig(
        batch=command.training.batch,
        size_px=model.input_px,
        split=command.split or None,
        sensor=command.sensor,
        views=command.views,
        **plain,
    )


def _identify(command: TrainCommand, model: "Model", processes: int) -> dict[str, Any]:
    """What a run is: with another value of any of these it is another run."""
    from train_tiny.run_folder import hash_data

    training = {k: v for k, v in asdict(command.training).items() if k not in HARMLESS}
    names = "mix sensor occlusion geometry views split validate_split validate_crops"
    return {
        "model": {"name": model.name, **model.config},
        "training": training,
        "loading": {name: getattr(command, name) for name in names.split()},
        "data": [hash_data(spec) for spec in command.data],
        "validation": [hash_data(spec) for spec in command.validate_data],
        "init": None if command.init is None else str(command.init),
        "processes": processes,
    }


def _check_command(command: TrainCommand) -> None:
    for name in ("workers", "threads", "validate_crops"):
        if getattr(command, name) < 0:
            raise BadInput(f"{name} must be >= 0, got {getattr(command, name)}")
    if command.views < 1:
        raise BadInput(f"views must be >= 1, got {command.views}")
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
    return f"{text}; weights {metrics['weights_bytes']:,} bytes"


def _clean(metrics: dict[str, Any]) -> dict[str, Any]:
    from train_tiny.run_folder import clean_values

    cleaned: dict[str, Any] = clean_values(metrics)
    return cleaned
