"""handloom synth: render a dataset."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from console.arguments import Json, find_option, parse
from console.output import print_counts, print_note
from console.progress import Bar
from synth.config import SynthConfig


@dataclass(frozen=True)
class SynthCommand:
    """Render a dataset of exactly labelled depth frames; the same command resumes a stopped run."""

    out: tyro.conf.Positional[Path]
    """Folder of the dataset."""
    config: Path | None = None
    """TOML file with any of the options below; options given beside it win."""
    workers: int = 0
    """Processes; 0 for one a core."""
    shard_range: str = "1/1"
    """I/N: only the I-th of N equal parts of the dataset, for several machines on one folder."""
    json: Json = False
    settings: Annotated[SynthConfig, tyro.conf.arg(name="")] = field(default_factory=SynthConfig)
    """What is rendered."""


def run_synth(arguments: list[str]) -> int:
    """handloom synth OUT --frames N ..."""
    defaults = SynthConfig()
    config_path = find_option(arguments, "--config")
    if config_path is not None:
        from synth.config_file import load_config

        defaults = load_config(Path(config_path))
    command = parse(
        SynthCommand,
        "handloom synth",
        arguments,
        default=SynthCommand(out=tyro.MISSING, settings=defaults),
    )
    from frames.kernels import drop_stale_kernels
    from synth.config_check import check_config
    from synth.engine import generate

    check_config(command.settings)
    workers = command.workers or len(os.sched_getaffinity(0))
    if drop_stale_kernels() and not command.json:
        print_note(
            "first run of this version: compiling takes one to two minutes before frames come"
        )
    with Bar("frames", quiet=command.json) as bar:
        counts = generate(command.out, command.settings, workers, command.shard_range, bar)
    print_counts(command.json, command.out, counts)
    return 0
