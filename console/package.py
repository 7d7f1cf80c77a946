"""handloom package: a trained network for another runtime."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from console.arguments import Json, parse
from console.evaluate import Target
from console.networks import find_target, import_torch
from console.output import print_note, print_result
from frames.errors import BadInput

if TYPE_CHECKING:
    from train_tiny.export.packaging import Package

Format = Literal["onnx", "onnx-int8", "executorch", "executorch-int8"]


@dataclass(frozen=True)
class PackageCommand:
    """Write a trained network as one file for another runtime, compared with torch on depth images
    (docs/export.md)."""

    target: Target
    out: tyro.conf.Positional[Path]
    """File to write, .onnx or .pte; what it takes and gives goes into a .json beside it."""
    format: Format = "onnx"
    data: str = ""
    """Dataset to compare on, and to calibrate 8 bits on; frames are rendered if left out."""
    split: str = "auto"
    """Its frames to compare on: a split's; "" for all; auto: test where there is one, else all.
    Calibration has those of split train, or what the comparison leaves."""
    sensor: str = ""
    """Sensor that reads clean depth: a profile, a TOML file, random, or none; the dataset's own if
    left out, random for rendered frames."""
    decode: bool = False
    """Give keypoints in pixels and confidences in the place of heatmaps."""
    heads: str = "deployed"
    """Auxiliary heads to keep, as in visibility,side,depth; none; deployed: those that prediction
    uses, or what a file of weights has."""
    compared: int = 512
    """Hands, or whole frames, to compare on."""
    calibrated: int = 256
    """And to calibrate on."""
    rounds: int = 200
    """Calls to time."""
    seed: int = 0
    """Of the sensor's noise."""
    json: Json = False


def run_package(arguments: list[str]) -> int:
    """handloom package RUN|WEIGHTS OUT --format F"""
    missing = PackageCommand(target=tyro.MISSING, out=tyro.MISSING)
    command = parse(PackageCommand, "handloom package", arguments, default=missing)
    for name, least in (("compared", 1), ("calibrated", 1), ("rounds", 1), ("seed", 0)):
        if getattr(command, name) < least:
            raise BadInput(f"{name} must be >= {least}, got {getattr(command, name)}")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import_torch()
    import torch

    from train_tiny.export.checks import Wanted
    from train_tiny.export.packaging import check_package, load_deployed, package
    from train_tiny.run_folder import clean_values

    check_package(command.out, command.format)
    deployed = load_deployed(find_target(command.target), _read_heads(command.heads))
    torch.set_num_threads(1)
    if not command.data and not command.json:
        print_note("no --data: rendering frames to compare on")
    wanted = Wanted(
        *(command.data, command.split, command.sensor, command.compared, command.calibrated),
        command.seed,
    )
    made = package(*(deployed, command.out, command.format, wanted), command.decode, command.rounds)
    values = {"out": str(command.out), **made.as_dict()}
    print_result(command.json, _say(command, made), clean_values(values))
    return 0


def _read_heads(text: str) -> tuple[str, ...] | None:
    if text == "deployed":
        return None
    return () if text == "none" else tuple(part.strip() for part in text.split(","))


def _say(command: PackageCommand, made: "Package") -> str:
    unit = "hands" if "pck" in made.scores else "frames"
    differ = ", ".join(f"{name} {value:.2g}" for name, value in made.differ.items())
    lines = [
        f"{command.out}: {made.model} as {made.format}; {command.out.with_suffix('.json').name}"
        " says what it takes and gives",
        f"  size        {made.size:,} bytes, {made.parameters:,} parameters",
        f"  MACs        {made.macs.ours / 1e6:,.2f} M by shapes, {made.macs.torch / 1e6:,.2f} M by"
        " torch's counter",
        f"  latency     {made.ms:.3f} ms on one thread; torch {made.torch_ms:.3f} ms",
        f"  outputs     differ from torch's on {made.compared:,} {unit} by at most: {differ}",
    ]
    if "pck" in made.scores:
        lines.append(f"  keypoints   {made.apart_px:.3f} px from torch's on average")
    for name, (label, form) in _SCORES.items():
        if name in made.scores:
            ours, theirs = made.scores[name], made.torch_scores[name]
            lines.append(f"  {label:11} {ours:{form}}; torch {theirs:{form}}")
    return "\n".join(lines)


_SCORES = {
    "pck": ("PCK@0.2", ".4f"),
    "px": ("error, px", ".3f"),
    "ap": ("AP", ".4f"),
    "ap50": ("AP50", ".4f"),
    "box_ap50": ("AP50 of boxes", ".4f"),
    "recall": ("recall", ".4f"),
}
