"""handloom search: the best subnet of a supernet within a budget."""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from console.arguments import Json, parse
from console.networks import Several, import_torch
from console.output import print_note, print_result
from console.progress import Bar
from frames.errors import BadInput
from train_tiny.search.evolution_config import Evolution

if TYPE_CHECKING:
    from train_tiny.search.searching import Search

Run = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(help="run that trained the supernet")]


@dataclass(frozen=True)
class SearchCommand:
    """Search a trained supernet; the same command goes on with a stopped search
    (docs/search.md)."""

    run: Run
    out: tyro.conf.Positional[Path]
    """Folder of what is found: the best subnet as a run to train from, and all scores."""
    data: Several = ()
    """Dataset to score on; those that the supernet was trained on if left out. Of persons,
    coco:ANNOTATIONS.json@IMAGES."""
    split: str = "search"
    """Its split, one that neither trained nor validated the supernet."""
    calibration_data: Several = ()
    """Data whose training images norms are measured on; what the supernet was trained on if left
    out."""
    gmacs: float = 1.0
    """Budget: billions of multiply-adds of an image, at the subnet's own input size."""
    frames: int = 512
    """Frames to score on, at most."""
    calibration: int = 256
    """Training images on which each subnet's norms are measured."""
    sensor: str = ""
    """Sensor that reads clean depth; the supernet's if left out."""
    workers: int = 2
    """Processes that load; 0: none besides this one."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    threads: int = 0
    """Threads of a CPU; 0 for torch's choice."""
    json: Json = False
    evolution: Annotated[Evolution, tyro.conf.arg(name="")] = field(default_factory=Evolution)
    """How is searched."""


def run_search(arguments: list[str]) -> int:
    """handloom search RUN OUT"""
    command = parse(
        *(SearchCommand, "handloom search", arguments),
        default=SearchCommand(run=tyro.MISSING, out=tyro.MISSING),
    )
    for name, least in (("frames", 1), ("calibration", 2), ("workers", 0), ("threads", 0)):
        if getattr(command, name) < least:
            raise BadInput(f"{name} must be >= {least}, got {getattr(command, name)}")
    if not 0 < command.gmacs < float("inf"):
        raise BadInput(f"gmacs must be > 0, got {command.gmacs:g}")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import_torch()
    return _search(command)


def _search(command: SearchCommand) -> int:
    import torch

    from train_tiny.devices import choose_device
    from train_tiny.run_folder import BEST_NAME, hash_file, read_run
    from train_tiny.search.data import describe_search, hold_search
    from train_tiny.search.searching import check_budget, load_supernet, open_search, search

    if command.threads:
        torch.set_num_threads(command.threads)
    device, how = choose_device(command.device), command.evolution
    run = read_run(command.run)["run"]
    model, macs = load_supernet(command.run, device), round(command.gmacs * 1e9)
    check_budget(model, macs)
    data = command.data or tuple(d["source"] for d in run["data"])
    trained = command.calibration_data or tuple(d["source"] for d in run["data"])
    sensor = command.sensor or run["loading"]["sensor"]
    plain = ["split", "gmacs", "frames", "calibration"]
    asked = {name: getattr(command, name) for name in plain} | {"sensor": sensor} | asdict(how)
    weights = hash_file(command.run / BEST_NAME)
    identity = describe_search(weights, run, data, trained, asked)
    task = hold_search(
        *(model, run, data, trained, command.split, sensor, macs),
        *(command.frames, command.calibration, command.workers, device),
    )
    open_search(command.out, identity)
    if not command.json:
        print_note(
            f"{model.net.space.count:,} subnets, {command.gmacs:g} GMAC at most, scored on"
            f" {command.frames:,} frames of {', '.join(Path(d).name for d in data)}"
        )
    ranked: list[Any] = []
    with Bar("subnets", command.json) as bar:
        bar.begin(how.population * (how.rounds + 1), 0)
        for number, ranked in enumerate(search(task, how, command.out, bar.advance)):
            best = ranked[0]
            bar.note(
                f"round {number}: {len(ranked):,} subnets, best {best.score:.4f} at"
                f" {task.cost(best.genes) / 1e9:.3f} GMAC"
            )
    values = _keep(command, task, ranked)
    print_result(command.json, _say(command.out, values), values)
    return 0


def _keep(command: SearchCommand, task: "Search", ranked: list[Any]) -> dict[str, Any]:
    """The best one as a run's best weights, and all that is worth knowing."""
    import json as json_format

    from frames.store.disk import write_file
    from train_tiny.run_folder import clean_values
    from train_tiny.search.searching import FOUND_NAME, keep_found, list_front

    best = ranked[0]
    told = {"run": command.out.name, "supernet": command.run.name}
    model, net = keep_found(task, best, command.out, told)
    values = clean_values(
        {
            "out": str(command.out),
            "score": best.score,
            "macs": task.cost(best.genes),
            "parameters": sum(p.numel() for p in net.parameters()),
            "network": model.config,
            "subnets": len(ranked),
            "front": list_front(task, ranked),
        }
    )
    write_file(command.out / FOUND_NAME, (json_format.dumps(values, indent=2) + "\n").encode())
    found: dict[str, Any] = values
    return found


def _say(out: Path, values: dict[str, Any]) -> str:
    import json as json_format

    network = values["network"]
    options = " ".join(f"{k}={json_format.dumps(v).replace(' ', '')}" for k, v in network.items())
    return (
        f"{out}: of {values['subnets']:,} subnets the best scores {values['score']:.4f} with"
        f" {values['macs'] / 1e9:.3f} GMAC and {values['parameters']:,} parameters; train it with"
        f"\n  handloom train RUN --model litepose --network {options} --init {out} --data ..."
    )
