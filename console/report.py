"""handloom report: a dataset, a run or weights as one page."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from console.arguments import Json, parse
from console.networks import Several
from console.output import print_result
from frames.errors import BadInput

if TYPE_CHECKING:
    from frames.report.document import Section

Target = Annotated[
    Path,
    tyro.conf.Positional,
    tyro.conf.arg(
        metavar="DATA|RUN|WEIGHTS",
        help="a dataset, a run's folder, a file of weights, or shipped (what comes along)",
    ),
]


@dataclass(frozen=True)
class ReportCommand:
    """Write one self-contained page about a dataset, a run or weights (docs/looking.md)."""

    target: Target
    out: Path = Path("report.html")
    """Page to write (.html)."""
    data: Several = ()
    """Of a run or weights: datasets to score it on; a run's own if left out. May come several
    times."""
    split: str = ""
    """Frames of this split alone; scores are of test where there is one, else of val."""
    sensor: str = ""
    """Sensor that reads clean depth: a profile, a TOML file, random, or none; the datasets' own if
    left out."""
    count: int = 12
    """Samples of a dataset that are shown."""
    looked_at: int = 128
    """Frames of a dataset whose depth is compared with what there is."""
    hands: int = 2000
    """Hands, or whole frames, that are scored, at most; 0: none, training alone."""
    workers: int = 1
    """Processes that load what is scored; 0: none besides this one."""
    json: Json = False


def run_report(arguments: list[str]) -> int:
    """handloom report DATA|RUN|WEIGHTS --out page.html"""
    command = parse(
        ReportCommand, "handloom report", arguments, default=ReportCommand(target=tyro.MISSING)
    )
    from frames.report.document import check_report_path, write_document

    check_report_path(command.out)
    for name, least in (("count", 1), ("looked_at", 1), ("hands", 0), ("workers", 0)):
        if getattr(command, name) < least:
            raise BadInput(f"{name} must be >= {least}, got {getattr(command, name)}")
    page = _describe(command)
    name = command.target.resolve().name if command.target.exists() else str(command.target)
    write_document(command.out, f"{page.kind} {name}", page.lead, page.sections)
    size = command.out.stat().st_size
    values: dict[str, Any] = {"out": str(command.out), "kind": page.kind.lower(), "bytes": size}
    text = f"{command.out}: {page.kind.lower()} {command.target}, {size / 1e6:.1f} MB"
    if page.scores is not None:
        from train_tiny.run_folder import clean_values

        values["scores"] = clean_values(page.scores)
        text = f"{page.said}\n{text}"
    print_result(command.json, text, values)
    return 0


@dataclass(frozen=True)
class _Page:
    """What is written."""

    kind: str
    """Dataset, Run or Weights."""
    lead: str
    """HTML at its top."""
    sections: "list[Section]"
    scores: dict[str, Any] | None = None
    """Of a network."""
    said: str = ""
    """These in words."""


def _describe(command: ReportCommand) -> _Page:
    """The page of whatever the target is. Raises BadInput for what is nothing of ours."""
    from frames.store.folder import META_NAME

    target = command.target
    if (target / META_NAME).is_file():
        if command.data:
            raise BadInput(f"--data is of a run or of weights; {target} is a dataset")
        return _describe_data(command)
    if target.is_dir() and not (target / "config.json").is_file():
        raise BadInput(f"{target} is neither a dataset ({META_NAME}) nor a run (config.json)")
    if not target.exists() and str(target) != "shipped":
        raise BadInput(f"there is no {target}: name a dataset, a run's folder, weights, or shipped")
    return _describe_network(command)


def _describe_data(command: ReportCommand) -> _Page:
    import numpy as np

    from augment.sensed import open_sensed
    from augment.sensing import NO_SENSOR, read_sensing
    from console.progress import Bar
    from frames.census.readings import count_readings
    from frames.census.stats import collect_stats
    from frames.record import Frame
    from frames.report.dataset_report import list_sections, read_hands
    from frames.report.reading_errors import collect_errors
    from frames.store.dataset import open_dataset
    from frames.store.folder import read_meta

    folder, split = command.target, command.split or None
    own = read_sensing(read_meta(folder), folder)
    plain = open_dataset(folder, partial=True, split=split)
    dataset: Any = plain
    if command.sensor != "none" and (own is not None or command.sensor not in NO_SENSOR):
        sensor = command.sensor or None
        dataset = open_sensed(folder, partial=True, split=split, sensor=sensor)
    if not len(dataset):
        raise BadInput(f"{folder} has no finished shard yet: run the same command again")

    def spread(count: int) -> list[int]:
        return [int(i) for i in np.unique(np.linspace(0, len(dataset) - 1, count).round())]

    looked: list[Frame] = []
    with Bar("looked at", command.json) as bar:
        places = spread(command.looked_at)
        bar.begin(len(places), 0)
        for place in places:
            looked.append(dataset[place])
            bar.advance(1)
    errors = collect_errors(looked)
    stats = collect_stats(plain, split)
    if errors is not None:
        readings = count_readings(looked)
        if readings["frames"]:
            stats["readings"] = readings
    samples = [dataset[i] for i in spread(command.count)]
    lead, sections = list_sections(dataset.meta, stats, samples, read_hands(plain), errors)
    return _Page("Dataset", lead, sections)


def _describe_network(command: ReportCommand) -> _Page:
    """A run's training, or where weights come from, and scores."""
    from console.evaluate import EvalCommand, score_target
    from console.networks import find_target, import_torch
    from frames.report.document import say_words

    import_torch()
    from train_tiny.evaluation.run_report import describe_run, describe_weights
    from train_tiny.run_folder import read_run
    from train_tiny.training.subject import load_subject

    target, data, note = command.target, list(command.data), ""
    kind = "Run" if target.is_dir() else "Weights"
    if target.is_dir():
        lead, sections = describe_run(target)
        if not data:
            data, note = _find_data(read_run(target)["run"])
    else:
        target = find_target(target)
        lead, sections = describe_weights(load_subject(target), target)
        note = "" if data else "Not scored: name a dataset with --data."
    if not (data and command.hands):
        return _Page(kind, lead + (say_words(note) if note else ""), sections)
    split = command.split or _choose_split(data)
    asked = EvalCommand(
        target=target,
        data=tuple(data),
        split=split,
        sensor=command.sensor,
        hands=command.hands,
        workers=command.workers,
        json=command.json,
    )
    outcome = score_target(asked)
    names = ", ".join(data) + (f", split {split}" if split else "")
    scores, shown, *rest = outcome.sections
    scores = replace(scores, parts=(say_words(f"On {names}."), *scores.parts))
    return _Page(kind, lead, [scores, shown, *sections, *rest], outcome.found, outcome.text)


def _find_data(run: dict[str, Any]) -> tuple[list[str], str]:
    """The datasets of a run that are still there, or why there is none to score on."""
    from frames.store.folder import META_NAME

    sources = [str(entry.get("source", "")) for entry in run.get("data", ())]
    held = run.get("loading", {}).get("validate_data") or ()
    there = [
        s for s in dict.fromkeys([*sources, *map(str, held)]) if (Path(s) / META_NAME).is_file()
    ]
    # What it has learnt from says nothing: only a split that it has not seen.
    from train_tiny.specs import list_splits

    apart = [s for s in there if {"test", "val"} & {*list_splits(s)}]
    if not apart:
        return [], "Not scored: its data have no test or val split here; name others with --data."
    return apart, ""


def _choose_split(data: list[str]) -> str:
    """The one that no training has seen: test, else val, where all have it; else all frames."""
    from train_tiny.specs import list_splits

    for name in ("test", "val"):
        if all(name in list_splits(spec) for spec in data):
            return name
    return ""
