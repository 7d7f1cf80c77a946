"""The demo's page: every step with its command, what it printed, its pictures, and what to open."""

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from frames.report.document import (
    Section,
    render_links,
    render_picture,
    render_terminal,
    render_tiles,
    say_words,
    write_document,
)

if TYPE_CHECKING:
    from console.demo import Done
    from console.demo_stages import Stage

WIDTH: Final = 1600
"""Of a picture on the page, at most."""

LINES: Final = 40
"""Of what a step printed, at most."""


def write_page(path: Path, stages: "list[Stage]", done: "Mapping[str, Done]") -> None:
    """Write the page. Raises BadInput where it cannot be written."""
    seconds = sum(one.seconds for one in done.values())
    numbers = {"all steps together": _say_minutes(seconds)}
    scores = find_scores(done["evaluate"].said) if "evaluate" in done else []
    names = ("PCK@0.2, trained here", "PCK@0.2, weights that come along")
    numbers |= dict(zip(names, scores, strict=False))
    words = (
        "From nothing to hands in a recording: each step is a few commands, which can be typed as"
        " they stand. Pages and files that they leave are linked."
    )
    sections = [_show(stage, done[stage.name], path.parent) for stage in stages]
    write_document(path, "handloom demo", render_tiles(numbers) + say_words(words), sections)


def find_scores(said: str) -> list[str]:
    """PCK@0.2 of each network in what `handloom report` printed of them."""
    found = []
    for block in re.split(r"(?m)^(?= +hands )", said):
        lines = block.splitlines()
        row = next((line.split() for line in lines if line.startswith("all ")), None)
        if lines and "PCK@0.2" in lines[0] and row is not None:
            found.append(row[2])
    return found


def _show(stage: "Stage", one: "Done", folder: Path) -> Section:
    text = stage.text[:1].upper() + stage.text[1:]
    parts = [say_words(f"{text}. {stage.words}")]
    if one.skipped:
        parts.append(say_words(one.skipped[:1].upper() + one.skipped[1:] + "."))
        return Section(stage.name.capitalize(), (*parts, render_terminal(one.command)))
    lines = one.said.strip().splitlines()
    said = "\n".join(lines[:LINES]) + (f"\n... {len(lines) - LINES} more" * (len(lines) > LINES))
    parts.append(render_terminal(one.command, said))
    links = {
        name: place.relative_to(folder).as_posix() for name, place in stage.links if place.exists()
    }
    parts.append(render_links(links))
    parts += [_show_picture(place) for place in stage.pictures if place.exists()]
    took = f"<p>{html.escape(_say_minutes(one.seconds))}</p>"
    return Section(stage.name.capitalize(), (*parts, took))


def _show_picture(path: Path) -> str:
    """A picture of a file, no wider than the page."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        return ""
    scale = min(1.0, WIDTH / image.shape[1])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return render_picture(np.ascontiguousarray(image[..., ::-1]), lossless=False, words=path.stem)


def _say_minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
