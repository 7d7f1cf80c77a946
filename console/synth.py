"""handloom synth: render a dataset."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from console.arguments import Json, Place, find_option, parse
from console.engines import Name, open_engine
from console.output import print_counts, print_note
from console.progress import Bar
from synth.config import SynthConfig


@dataclass(frozen=True)
class SynthCommand:
    """Render a dataset of exactly labelled depth frames; the same command resumes a stopped run."""

    out: tyro.conf.Positional[Place]
    """Where the dataset is to be."""
    config: Path | None = None
    """TOML file with any of the options below; options given beside it win."""
    workers: int = 0
    """Processes of this machine; 0 for one a core."""
    engine: Name = "local"
    """What makes the shards: this machine, or a Dask cluster (docs/scaling.md)."""
    scheduler: str = ""
    """Address of Dask's scheduler, as in tcp://10.0.0.5:8786; without it a cluster on this machine.
    """
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
    if drop_stale_kernels() and not command.json:
        print_note(
            "first run of this version: compiling takes one to two minutes before frames come"
        )
    with (
        open_engine(command.engine, command.scheduler, command.workers) as (engine, workers),
        Bar("frames", quiet=command.json) as bar,
    ):
        settings, part = command.settings, command.shard_range
        counts = generate(command.out, settings, workers, part, bar, engine)
    print_counts(command.json, command.out, counts)
    return 0
