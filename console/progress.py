"""How far a long job has come: a bar on a terminal, a line now and then in a log file."""

import time

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

NOTE_S = 30.0
"""Seconds between the lines that stand for the progress bar in a log file."""


class _Rate(ProgressColumn):
    """Units a second of what was made, not of what was there."""

    def render(self, task: Task) -> str:
        made = task.completed - task.fields["there"]
        return f"{made / task.elapsed:,.0f}/s" if task.elapsed and made > 0 else "-/s"


class Bar:
    """Progress on stderr with rate and time left; `frames.engines.job.Progress`.

    A bar on a terminal; elsewhere, as in a log file, a line now and then. Nothing is shown before
    `begin`, so that bad input is the only thing said.
    """

    def __init__(self, unit: str, quiet: bool) -> None:
        self._unit = unit
        self._quiet = quiet
        self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )
        self._task: Task | None = None
        self._noted = 0.0

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def begin(self, total: int, there: int) -> None:
        """Of `total` units, `there` are done already."""
        self._total = total
        added = self._bar.add_task(self._unit, total=total, completed=there, there=there)
        self._task = next(t for t in self._bar.tasks if t.id == added)
        self._noted = time.monotonic()
        self._bar.start()

    def advance(self, count: int) -> None:
        """So many more are done."""
        if self._task is None:
            return
        self._bar.advance(self._task.id, count)
        if time.monotonic() - self._noted > NOTE_S:
            self._note()

    def note(self, text: str) -> None:
        """A line above the bar, or in the log."""
        if not self._quiet:
            self._console.print(text, markup=False)

    def _note(self) -> None:
        if self._quiet or self._console.is_terminal or self._task is None:
            return
        task = self._task
        self._noted = time.monotonic()
        made, seconds = task.completed - task.fields["there"], task.elapsed or 0.0
        line = f"{task.description} {task.completed:,.0f}/{self._total:,}"
        if made > 0 and seconds:
            left = (self._total - task.completed) * seconds / made
            line += f" {made / seconds:,.0f}/s, {left:,.0f} s left"
        self._console.print(line)
