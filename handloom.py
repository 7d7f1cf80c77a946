"""The handloom command line: one short function a command, heavy imports inside it."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from frames.errors import BadInput
from synth.config import SynthConfig

Json = Annotated[bool, tyro.conf.arg(help="print one JSON object, for machines")]
Data = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(help="dataset folder")]


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
    settings: tyro.conf.OmitArgPrefixes[SynthConfig] = field(default_factory=SynthConfig)
    """What is rendered."""


def run_synth(arguments: list[str]) -> int:
    """handloom synth OUT --frames N ..."""
    defaults = SynthConfig()
    config_path = _option(arguments, "--config")
    if config_path is not None:
        from synth.config_file import load_config

        defaults = load_config(Path(config_path))
    command = tyro.cli(
        SynthCommand,
        prog="handloom synth",
        args=arguments,
        default=SynthCommand(out=tyro.MISSING, settings=defaults),
    )
    from synth.config_file import check_config
    from synth.engine import generate

    check_config(command.settings)
    workers = command.workers or len(os.sched_getaffinity(0))
    with _Bar("frames", quiet=command.json) as bar:
        counts = generate(command.out, command.settings, workers, command.shard_range, bar)
    text = f"{command.out}: {counts['written']:,} frames written"
    if counts["found"]:
        text += f", {counts['found']:,} were there"
    _print(command.json, text, {"out": str(command.out), **counts})
    return 0


def run_verify(arguments: list[str]) -> int:
    """handloom verify DATA [--rerender K]"""

    def verify(
        data: Data,
        rerender: int = 0,
        pick: int = 0,
        checksums: bool = True,
        labels: bool = True,
        json: Json = False,
    ) -> int:
        """Check a dataset: SHA-256, schema, missing shards, every label against its images.

        Args:
            rerender: Render this many random frames again and compare their bytes.
            pick: Seed of the choice of those frames.
            checksums: Compare every shard with its SHA-256.
            labels: Decode every image and check every label.
        """
        from frames.folder import count_shards, read_meta
        from frames.verify import verify_dataset
        from synth.rerender import rerender as render_again

        shards = count_shards(read_meta(data))
        with _Bar("shards", quiet=json) as bar:
            bar.begin(shards, 0)
            report = verify_dataset(data, checksums, labels, lambda done, total: bar.advance(1))
        problems = [*report.problems]
        if rerender:
            problems += render_again(data, rerender, pick)
        for problem in problems:
            Console(stderr=True, soft_wrap=True, highlight=False).print(problem, markup=False)
        again = f", {rerender} rendered again to the byte" if rerender and not problems else ""
        verdict = f"{len(problems)} problems" if problems else "sound"
        text = f"{data}: {report.frames:,} frames in {report.shards:,} shards{again}: {verdict}"
        result = {"frames": report.frames, "shards": report.shards, "problems": problems}
        _print(json, text, result)
        return 2 if problems else 0

    return tyro.cli(verify, prog="handloom verify", args=arguments)


def run_stats(arguments: list[str]) -> int:
    """handloom stats DATA [--out chart.png]"""

    def stats(data: Data, out: Path | None = None, json: Json = False) -> int:
        """Say what is in a dataset: distances, view directions, joint angles, visibility by cause.

        Args:
            out: Also draw the statistics as a picture (.png).
        """
        from frames.dataset import open_dataset
        from frames.sheet import write_picture
        from frames.stats import collect_stats, draw_stats, format_stats

        found = collect_stats(open_dataset(data, partial=True))
        if out is not None:
            write_picture(draw_stats(found), out)
        _print(json, format_stats(found), found)
        return 0

    return tyro.cli(stats, prog="handloom stats", args=arguments)


def run_view(arguments: list[str]) -> int:
    """handloom view DATA [--out sheet.png|page.html]"""

    def view(
        data: Data,
        out: Path = Path("sheet.png"),
        count: int = 0,
        first: int = -1,
        json: Json = False,
    ) -> int:
        """Draw frames: a contact sheet (.png) or a page to leaf through in a browser (.html).

        Args:
            out: Picture or page to write.
            count: Frames to show; 0 for 24 on a sheet and 200 on a page.
            first: Show consecutive frames from this one; -1 for frames spread over the dataset.
        """
        import numpy as np

        from frames.dataset import open_dataset
        from frames.page import write_page
        from frames.sheet import draw_sheet, write_picture

        if out.suffix not in (".png", ".html"):
            raise BadInput(f"out must end in .png or .html, got {out}")
        if count < 0:
            raise BadInput(f"count must be >= 0, got {count}")
        dataset = open_dataset(data, partial=True)
        wanted = min(count or (24 if out.suffix == ".png" else 200), len(dataset))
        if first >= len(dataset):
            raise BadInput(
                f"first must be below {len(dataset)} (the frames there are), got {first}"
            )
        places = np.linspace(0, len(dataset) - 1, wanted).round().astype(int)
        if first >= 0:
            places = np.arange(first, min(first + wanted, len(dataset)))
        shown = [dataset[int(i)] for i in places]
        if out.suffix == ".png":
            columns = min(4, max(1, round(len(shown) ** 0.5)))
            write_picture(draw_sheet(shown, columns, title=str(data)), out)
        else:
            write_page(shown, out, title=str(data))
        _print(json, f"{out}: {len(shown)} frames", {"out": str(out), "frames": len(shown)})
        return 0

    return tyro.cli(view, prog="handloom view", args=arguments)


def run_bench(arguments: list[str]) -> int:
    """handloom bench [NAME]"""

    def bench(
        name: Annotated[
            Literal["all", "render", "pipeline", "reading", "codec"], tyro.conf.Positional
        ] = "all",
    ) -> int:
        """Measure the published figures again, on this machine.

        Args:
            name: Which benchmark.
        """
        import importlib

        names = ("render", "pipeline", "reading", "codec") if name == "all" else (name,)
        try:
            modules = [importlib.import_module(f"bench.{n}") for n in names]
        except ModuleNotFoundError as error:
            raise BadInput(
                f"bench needs a checkout of the project and its tests' packages ({error}): "
                "run make setup-tests there"
            ) from error
        for module in modules:
            module.main()
        return 0

    return tyro.cli(bench, prog="handloom bench", args=arguments)


COMMANDS: dict[str, tuple[Callable[[list[str]], int], str]] = {
    "synth": (run_synth, "render a dataset of exactly labelled depth frames"),
    "verify": (run_verify, "check a dataset; render frames again and compare their bytes"),
    "stats": (run_stats, "say and draw what is in a dataset"),
    "view": (run_view, "draw frames as a contact sheet or a page to leaf through"),
    "bench": (run_bench, "measure the published figures again"),
}


def main() -> None:
    """Entry point of the `handloom` command: exit code 0, or 2 for bad input."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        _print_help()
        sys.exit(0 if arguments else 2)
    if arguments[0] == "--version":
        from synth.generator import handloom_version

        Console().print(f"handloom {handloom_version()}", highlight=False)
        sys.exit(0)
    try:
        if arguments[0] not in COMMANDS:
            known = ", ".join(COMMANDS)
            raise BadInput(f"unknown command {arguments[0]!r}: known are {known}")
        sys.exit(COMMANDS[arguments[0]][0](arguments[1:]))
    except BadInput as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(
            f"handloom: {error}", markup=False
        )
        sys.exit(2)
    except KeyboardInterrupt:
        Console(stderr=True).print(
            "handloom: interrupted; what is finished stays, the same command goes on from there"
        )
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _print_help() -> None:
    lines = [
        "usage: handloom COMMAND ... | handloom COMMAND --help",
        "",
        "Training data for egocentric, depth-based hand pose.",
        "",
        *(f"  {name:8} {text}" for name, (_, text) in COMMANDS.items()),
    ]
    Console(highlight=False).print("\n".join(lines))


def _option(arguments: list[str], name: str) -> str | None:
    """The value of an option that is needed before the others can be read."""
    for at, argument in enumerate(arguments):
        if argument == name and at + 1 < len(arguments):
            return arguments[at + 1]
        if argument.startswith(name + "="):
            return argument.removeprefix(name + "=")
    return None


def _print(as_json: bool, text: str, values: dict[str, Any]) -> None:
    if as_json:
        sys.stdout.write(json.dumps(values) + "\n")
    else:
        Console(soft_wrap=True, highlight=False).print(text, markup=False)


class _Rate(ProgressColumn):
    """Units a second of what was made, not of what was there."""

    def render(self, task: Task) -> str:
        made = task.completed - task.fields["there"]
        return f"{made / task.elapsed:,.0f}/s" if task.elapsed and made > 0 else "-/s"


class _Bar:
    """A progress bar on stderr with rate and time left; `synth.engine.Progress`."""

    def __init__(self, unit: str, quiet: bool) -> None:
        self._unit = unit
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=quiet,
        )

    def __enter__(self) -> "_Bar":
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def begin(self, total: int, there: int) -> None:
        """Of `total` units, `there` are done already."""
        self._task = self._bar.add_task(self._unit, total=total, completed=there, there=there)

    def advance(self, count: int) -> None:
        """So many more are done."""
        self._bar.advance(self._task, count)


if __name__ == "__main__":
    main()
