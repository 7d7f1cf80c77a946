"""The options of `handloom train`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from console.arguments import Json
from console.networks import Several
from frames.errors import BadInput
from train_tiny.training.config import TrainingConfig, check_training

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


def check_command(command: TrainCommand) -> None:
    """Raises BadInput for what cannot be, of the command alone."""
    check_training(command.training)
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


def read_shares(text: str) -> list[float] | None:
    """Of --mix; None if left out. Raises BadInput for anything but numbers."""
    if not text:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"mix must be shares with commas, as in 0.8,0.2, got {text!r}") from None


def say_command(command: TrainCommand) -> str:
    """What was asked for of data and network, for the weights' header."""
    parts = [f"--model {command.model}", *(f"--network {n}" for n in command.network)]
    parts += [f"--data {Path(d).name}" for d in command.data]
    parts += [f"--mix {command.mix}"] if command.mix else []
    parts += [f"--sensor {command.sensor}"] if command.sensor else []
    parts += [f"--teacher {command.teacher.name}"] if command.teacher else []
    parts += [] if command.occlusion else ["--no-occlusion"]
    parts += [] if command.geometry else ["--no-geometry"]
    return " ".join(parts)
