"""The handloom command line: one short function a command, heavy imports inside it."""

import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console

from console.arguments import find_option, parse, parse_call
from console.progress import Bar
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
    from synth.config_check import check_config
    from synth.engine import generate
    from frames.kernels import drop_stale_kernels

    check_config(command.settings)
    workers = command.workers or len(os.sched_getaffinity(0))
    if drop_stale_kernels() and not command.json:
        _note("first run of this version: compiling takes one to two minutes before frames come")
    with Bar("frames", quiet=command.json) as bar:
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
        split: str = "",
        json: Json = False,
    ) -> int:
        """Check a dataset: SHA-256, schema, missing shards, every label against its images.

        Args:
            rerender: Render this many random frames again and compare their bytes.
            pick: Seed of the choice of those frames.
            checksums: Compare every shard with its SHA-256.
            labels: Decode every image and check every label.
            split: Check only the frames of this split and the shards they are in. Frames to render
                again are drawn from the whole dataset.
        """
        from frames.folder import META_NAME, count_shards, find_shards, read_meta
        from frames.splits import find_split
        from frames.verify import verify_dataset
        from synth.rerender import rerender as render_again

        if rerender < 0:
            raise BadInput(f"rerender must be >= 0 frames, got {rerender}")
        meta = read_meta(data)
        shards = count_shards(meta)
        if split:
            shards = len(find_shards(meta, find_split(meta, split, data / META_NAME)))
        with Bar("shards", quiet=json) as bar:
            bar.begin(shards, 0)
            report = verify_dataset(
                data, checksums, labels, lambda done, total: bar.advance(1), split or None
            )
        problems = [*report.problems]
        if rerender:
            try:
                problems += render_again(data, rerender, pick)
            except BadInput as error:  # what was found before must be told too
                problems.append(str(error))
        for problem in problems:
            _complain(problem)
        again = f", {rerender} rendered again to the byte" if rerender and not problems else ""
        plural = "" if len(problems) == 1 else "s"
        verdict = f"{len(problems)} problem{plural}" if problems else "sound"
        text = f"{data}: {report.frames:,} frames in {report.shards:,} shards{again}: {verdict}"
        result = {"frames": report.frames, "shards": report.shards, "problems": problems}
        _print(json, text, result)
        return 2 if problems else 0

    return int(parse_call(verify, "handloom verify", arguments)())


def run_stats(arguments: list[str]) -> int:
    """handloom stats DATA [--out chart.png]"""

    def stats(data: Data, out: Path | None = None, split: str = "", json: Json = False) -> int:
        """Say what is in a dataset: distances, view directions, joint angles, visibility by cause.

        Args:
            out: Also draw the statistics as a picture (.png).
            split: Count only the frames of this split.
        """
        from frames.dataset import open_dataset
        from frames.sheet import write_picture
        from frames.stats import collect_stats
        from frames.stats_page import draw_stats
        from frames.stats_text import format_stats

        found = collect_stats(open_dataset(data, partial=True), split or None)
        if out is not None:
            write_picture(draw_stats(found), out)
        _print(json, format_stats(found), found)
        return 0

    return int(parse_call(stats, "handloom stats", arguments)())


def run_view(arguments: list[str]) -> int:
    """handloom view DATA [--out sheet.png|page.html]"""

    def view(
        data: Data,
        out: Path = Path("sheet.png"),
        count: int = 0,
        first: int = -1,
        split: str = "",
        json: Json = False,
    ) -> int:
        """Draw frames: a contact sheet (.png) or a page to leaf through in a browser (.html).

        Args:
            out: Picture or page to write.
            count: Frames to show; 0 for 24 on a sheet and 200 on a page.
            first: Show consecutive frames from this one; -1 for frames spread over the dataset.
            split: Show only frames of this split; first counts from its beginning.
        """
        import numpy as np

        from frames.dataset import open_dataset
        from frames.page import write_page
        from frames.sheet import draw_sheet, write_picture

        if out.suffix not in (".png", ".html"):
            raise BadInput(f"out must end in .png or .html, got {out}")
        if count < 0:
            raise BadInput(f"count must be >= 0, got {count}")
        dataset = open_dataset(data, partial=True, split=split or None)
        wanted = min(count or (24 if out.suffix == ".png" else 200), len(dataset))
        if not len(dataset):
            raise BadInput(f"{data} has no finished shard yet: run the same synth command again")
        if not -1 <= first < len(dataset):
            raise BadInput(
                f"first must be below {len(dataset)} (the frames there are), or -1 for frames"
                f" spread over all, got {first}"
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

    return int(parse_call(view, "handloom view", arguments)())


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

    return int(parse_call(bench, "handloom bench", arguments)())


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
        from synth.description import handloom_version

        Console().print(f"handloom {handloom_version()}", highlight=False)
        sys.exit(0)
    signal.signal(signal.SIGTERM, _stop)
    try:
        if arguments[0] not in COMMANDS:
            known = ", ".join(COMMANDS)
            raise BadInput(f"unknown command {arguments[0]!r}: known are {known}")
        sys.exit(COMMANDS[arguments[0]][0](arguments[1:]))
    except BadInput as error:
        _complain(f"handloom: {error}")
        sys.exit(2)
    except KeyboardInterrupt as error:
        _complain(
            "handloom: interrupted; what is finished stays, the same command goes on from there"
        )
        sys.exit(128 + (error.args[0] if error.args else signal.SIGINT))
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # what a file system says that no command has foreseen
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if error.filename is None and not full:
            raise
        # numba does not say where: it keeps compiled code beside the sources.
        place = error.filename or "numba's cache: set NUMBA_CACHE_DIR to a folder with room"
        _complain(f"handloom: {error.strerror}: {place}")
        sys.exit(2)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        _complain(
            "handloom: numba finds no folder to keep compiled code in: set NUMBA_CACHE_DIR to one"
            " that can be written"
        )
        sys.exit(2)


def _stop(number: int, _: object) -> None:
    """SIGTERM ends a run as Ctrl-C does: workers stopped, nothing half-written left."""
    raise KeyboardInterrupt(number)


def _print_help() -> None:
    lines = [
        "usage: handloom COMMAND ... | handloom COMMAND --help",
        "",
        "Training data for egocentric, depth-based hand pose.",
        "",
        *(f"  {name:8} {text}" for name, (_, text) in COMMANDS.items()),
    ]
    Console(highlight=False).print("\n".join(lines))


def _print(as_json: bool, text: str, values: dict[str, Any]) -> None:
    if as_json:
        sys.stdout.write(json.dumps(values) + "\n")
    else:
        Console(soft_wrap=True, highlight=False).print(text, markup=False)


def _note(text: str) -> None:
    """For people who wait."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(text, markup=False)


def _complain(text: str) -> None:
    """One line on stderr, whatever is in it."""
    line = " ".join(text.splitlines())
    Console(stderr=True, soft_wrap=True, highlight=False).print(line, markup=False)


if __name__ == "__main__":
    main()
