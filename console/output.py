"""What commands say: results on stdout, all else on stderr."""

import contextlib
import json
import sys
from typing import Any

from rich.console import Console


def print_result(as_json: bool, text: str, values: dict[str, Any]) -> None:
    """The one thing that a command has to say, for people or for machines."""
    if as_json:
        sys.stdout.write(json.dumps(values) + "\n")
    else:
        Console(soft_wrap=True, highlight=False).print(text, markup=False)


def print_counts(as_json: bool, out: object, counts: dict[str, int]) -> None:
    """What became of the frames of a dataset: counts of those written and of those found."""
    text = f"{out}: {counts['written']:,} frames written"
    if counts["found"]:
        text += f", {counts['found']:,} were there"
    print_result(as_json, text, {"out": str(out), **counts})


def print_note(text: str) -> None:
    """For people who wait."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(text, markup=False)


def complain(text: str) -> None:
    """One line on stderr, whatever is in it; none where it is closed, or has no room."""
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            print_note(" ".join(text.splitlines()))
