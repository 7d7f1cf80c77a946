"""The report of a run: what was asked for, how training went; evaluation adds its own sections."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from frames.report.document import Section, render_facts, render_grid, render_tiles, say_words
from frames.viewing import chart
from train_tiny.run_folder import WEIGHTS_NAME, read_curves, read_metrics, read_run
from train_tiny.training.curves import list_panels
from train_tiny.training.subject import Subject

BEST: Mapping[str, str] = {
    "val_pck": "PCK@0.2, validation",
    "val_auc": "AUC, validation",
    "val_ap": "AP, validation",
    "val_box_ap": "AP of boxes, validation",
}
"""Validations that are shown large, where a run has them."""


def describe_run(folder: Path) -> tuple[str, list[Section]]:
    """What stands at the top of a run's report (HTML), and its sections.

    Raises BadInput for a folder that is no run.
    """
    found = read_run(folder)
    asked, made = found["run"], found.get("made", {})
    metrics = read_metrics(folder)
    rows = read_curves(folder, 1 << 62)
    lead = render_tiles(_list_numbers(folder, metrics))
    if not metrics:
        lead += say_words("The run has not ended: these are its numbers so far.")
    curves = list_panels(rows) if rows else []
    return lead, [
        Section("Training", (render_grid(curves, chart.PANEL_WIDTH),) if curves else ()),
        Section("What was asked for", (render_facts(_list_facts(asked, made, metrics)),)),
    ]


def describe_weights(subject: Subject, path: Path) -> tuple[str, list[Section]]:
    """The same of a file of weights: where they come from."""
    parameters = sum(p.numel() for p in subject.net.parameters())
    numbers = {"parameters": f"{parameters:,}"}
    if path.is_file():
        numbers["of weights"] = f"{path.stat().st_size / 1e3:,.0f} kB"
    facts = {"model": subject.name, **{k: _say(v) for k, v in subject.provenance.items()}}
    return render_tiles(numbers), [Section("Where the weights come from", (render_facts(facts),))]


def _list_numbers(folder: Path, metrics: Mapping[str, Any]) -> dict[str, str]:
    best = metrics.get("best") or {}
    numbers = {text: f"{best[key]:.3f}" for key, text in BEST.items() if best.get(key) is not None}
    if metrics:
        numbers["samples seen"] = f"{metrics['samples']:,}"
        numbers["of training"] = _say_seconds(metrics["seconds"])
    weights = folder / WEIGHTS_NAME
    if weights.is_file():
        numbers["of weights"] = f"{weights.stat().st_size / 1e3:,.0f} kB"
    return numbers


def _list_facts(
    asked: Mapping[str, Any], made: Mapping[str, Any], metrics: Mapping[str, Any]
) -> dict[str, str]:
    model = dict(asked["model"])
    facts = {"model": f"{model.pop('name')} ({_say(model)})"}
    facts["data"] = ", ".join(str(d.get("source")) for d in asked.get("data", ()))
    for name in ("training", "loading"):
        facts[name] = _say(asked.get(name))
    if metrics:
        steps = f"{metrics['steps']:,} of {metrics['of_steps']:,} steps"
        facts["ended"] = f"{metrics['ended']}; {steps}, the best at {metrics['best_step']:,}"
    facts["made by"] = _say(made)
    return facts


def _say(value: Any) -> str:
    """Plain values in words."""
    if isinstance(value, Mapping):
        said = ((k.replace("_", " "), _say(v)) for k, v in value.items())
        return ", ".join(f"{k} {v}" for k, v in said if v)
    if isinstance(value, list | tuple):
        return " ".join(_say(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def _say_seconds(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return time.strftime("%-H h %-M min" if seconds >= 3600 else "%-M min", time.gmtime(seconds))
