"""handloom eval: a network scored on a dataset."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from console.arguments import Json, parse
from console.networks import Several, find_target, import_torch
from console.output import print_note, print_result
from console.progress import Bar
from frames.errors import BadInput

Target = Annotated[
    Path,
    tyro.conf.Positional,
    tyro.conf.arg(
        metavar="RUN|WEIGHTS", help="folder of a run, a file of weights, or shipped (HandLite's)"
    ),
]


@dataclass(frozen=True)
class EvalCommand:
    """Score a network on datasets, real ones with partial labels too (docs/training.md)."""

    target: Target
    data: Several = ()
    """Dataset folder, or coco:ANNOTATIONS.json@IMAGES for pictures of persons; may come several
    times."""
    split: str = "auto"
    """Frames to score: a split's; "" for all; auto: test where there is one, else all."""
    sensor: str = ""
    """Sensor that reads clean depth: a profile, a TOML file, random, or none; the datasets' own if
    left out."""
    occlusion: bool = False
    """Put occluders before hands as in training."""
    hands: int = 0
    """Score so many hands, or whole frames, at most; 0: all."""
    flip: bool = False
    """Search whole frames in a mirror too."""
    least_score: float = -1.0
    """Score from which on something found in whole frames is a hand; -1: what the network's own
    validation chose."""
    report: Path | None = None
    """Page to write (.html): numbers, charts, the best, the median and the worst hands."""
    seed: int = 0
    """Of the sensor's noise, and of occluders."""
    batch: int = 64
    workers: int = 2
    """Processes that load; 0: none besides this one."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    json: Json = False


def run_evaluate(arguments: list[str]) -> int:
    """handloom eval RUN|WEIGHTS --data D"""
    command = parse(
        EvalCommand, "handloom eval", arguments, default=EvalCommand(target=tyro.MISSING)
    )
    if not command.data:
        raise BadInput("no data to score on: name a dataset with --data")
    for name, least in (("hands", 0), ("seed", 0), ("workers", 0), ("batch", 1)):
        if getattr(command, name) < least:
            raise BadInput(f"{name} must be >= {least}, got {getattr(command, name)}")
    if command.least_score != -1 and not 0 <= command.least_score <= 1:
        raise BadInput(f"least_score must be 0 to 1, got {command.least_score}")
    from frames.report.document import check_report_path, write_document

    if command.report is not None:
        check_report_path(command.report)
    outcome = score_target(command)
    from train_tiny.run_folder import clean_values
    from train_tiny.specs import hash_data

    values: dict[str, Any] = {
        "target": str(command.target),
        "model": outcome.subject.name,
        "provenance": outcome.subject.provenance,
        "data": [hash_data(spec) for spec in command.data],
        **outcome.found,
    }
    if command.report is not None:
        names = ", ".join(Path(d).name for d in command.data)
        write_document(command.report, f"{command.target} on {names}", "", outcome.sections)
        if not command.json:
            print_note(f"{command.report} written")
    print_result(command.json, outcome.text, clean_values(values))
    return 0


@dataclass(frozen=True, eq=False)
class Outcome:
    """A network, scored."""

    subject: Any
    """`train_tiny.evaluation.crop_evaluation.Subject`"""
    found: dict[str, Any]
    """Numbers."""
    text: str
    """For a terminal."""
    sections: list[Any]
    """Of a report, `frames.report.document.Section`."""


def score_target(command: EvalCommand) -> Outcome:
    """Score a network as the command says. Raises BadInput in one line."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import_torch()
    from train_tiny.devices import choose_device
    from train_tiny.persons.feeding import are_persons
    from train_tiny.training.subject import load_subject

    device = choose_device(command.device)
    subject = load_subject(find_target(command.target))
    if are_persons(command.data):
        return _score_persons(command, subject, device)
    if any(subject.size_px):
        return _score_frames(command, subject, device)
    if command.flip:
        raise BadInput(f"--flip is for networks of whole frames; {subject.name} takes crops")
    return _score_crops(command, subject, device)


def _score_crops(command: EvalCommand, subject: Any, device: Any) -> Outcome:
    """A network that takes crops of hands."""
    from train_tiny.devices import choose_precision
    from train_tiny.evaluation.crop_evaluation import evaluate
    from train_tiny.evaluation.crop_report import format_summary, list_sections
    from train_tiny.evaluation.scores import summarise

    batches, total = _load(command, subject.input_px)
    with Bar("hands", command.json) as bar:
        bar.begin(min(command.hands, total) if command.hands else total, 0)
        kind = choose_precision(command.precision, device)
        scores, images = evaluate(subject, batches, device, kind, command.hands, bar.advance)
    found = summarise(scores)
    return Outcome(subject, found, format_summary(found), list_sections(found, scores, images))


def _score_persons(command: EvalCommand, subject: Any, device: Any) -> Outcome:
    """A network that finds persons in pictures."""
    from train_tiny.persons.data import open_person_sources
    from train_tiny.persons.evaluation import (
        evaluate_persons,
        format_person_summary,
        list_person_sections,
    )

    if command.flip or command.sensor or command.occlusion:
        raise BadInput(
            "--flip, --sensor and --occlusion are for depth; pictures of persons are colour"
        )
    sources = open_person_sources(command.data)
    counts = [min(command.hands or source.crops, source.crops) for source in sources]
    scores = {}
    with Bar("pictures", command.json) as bar:
        bar.begin(sum(counts), 0)
        for source, count in zip(sources, counts, strict=True):
            scores[source.name] = evaluate_persons(
                subject, source, device, command.precision, count, command.workers, bar.advance
            )
    found = {"files": {name: one.numbers for name, one in scores.items()}}
    return Outcome(subject, found, format_person_summary(scores), list_person_sections(scores))


def _score_frames(command: EvalCommand, subject: Any, device: Any) -> Outcome:
    """A network that finds hands in whole frames."""
    from train_tiny.devices import choose_precision
    from train_tiny.evaluation.frame_evaluation import evaluate_frames, summarise_frames
    from train_tiny.evaluation.frame_report import format_frame_summary, list_frame_sections
    from train_tiny.finding.hand_finder import Finding, find_point

    least = command.least_score
    if least < 0:
        least = find_point(subject.provenance)
    finding = Finding(least_score=least, flip=command.flip)
    batches, total = _load_frames(command, subject.size_px)
    with Bar("frames", command.json) as bar:
        bar.begin(min(command.hands, total) if command.hands else total, 0)
        kind = choose_precision(command.precision, device)
        results = evaluate_frames(
            subject.net, batches, device, kind, finding, command.hands, bar.advance
        )
    found = summarise_frames(results, finding)
    return Outcome(subject, found, format_frame_summary(found), list_frame_sections(found, results))


def _load_frames(command: EvalCommand, size_px: tuple[int, int]) -> tuple[Any, int]:
    """Batches of whole frames, source after source, and how many frames there are."""
    import itertools

    from train_tiny.loading.crop_loading import open_sources
    from train_tiny.loading.frame_loading import (
        FrameLoaderConfig,
        count_frames,
        make_frame_eval_loader,
    )

    loaders, total = [], 0
    for spec in command.data:
        plain: dict[str, Any] = {} if command.occlusion else {"occlusion": None}
        config = FrameLoaderConfig(
            batch=min(command.batch, 32),
            size_px=size_px,
            split=_choose_split(command, spec),
            sensor=command.sensor,
            geometry=None,
            **plain,
        )
        mix = open_sources([spec])
        total += count_frames(mix, config)
        loaders.append(make_frame_eval_loader(mix, config, command.seed, command.workers))
    return itertools.chain(*loaders), total


def _choose_split(command: EvalCommand, spec: str) -> str | None:
    from train_tiny.specs import list_splits

    if command.split == "auto":
        return "test" if "test" in list_splits(spec) else None
    return command.split or None


def _load(command: EvalCommand, side: int) -> tuple[Any, int]:
    """Batches of the data, source after source, and how many hands there are at most."""
    import itertools

    from train_tiny.loading.crop_loading import LoaderConfig, open_mix, open_sources
    from train_tiny.loading.eval_loading import make_eval_loader

    loaders, total = [], 0
    for spec in command.data:
        plain: dict[str, Any] = {} if command.occlusion else {"occlusion": None}
        config = LoaderConfig(
            batch=command.batch,
            size_px=side,
            split=_choose_split(command, spec),
            sensor=command.sensor,
            geometry=None,
            **plain,
        )
        mix = open_sources([spec])
        total += sum(source.crops for source in open_mix(mix, config).sources)
        loaders.append(make_eval_loader(mix, config, command.seed, command.workers))
    return itertools.chain(*loaders), total
