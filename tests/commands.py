"""Run the command line in this process or as a process of its own, and say what came of it."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import handloom

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    """Its exit code."""
    out: str
    """Its stdout."""
    err: str
    """Its stderr."""

    @property
    def lines(self) -> list[str]:
        """Lines on stderr."""
        return self.err.splitlines()


def call(capture: pytest.CaptureFixture[str], *arguments: object) -> Result:
    """A command in this process: the same as a process of its own but for its start-up time."""
    capture.readouterr()
    was = sys.argv
    sys.argv = ["handloom", *map(str, arguments)]
    try:
        handloom.main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = was
    said = capture.readouterr()
    assert isinstance(code, int)
    return Result(code, said.out, said.err)


def spawn(*arguments: object, before: Callable[[], None] | None = None) -> Result:
    """A command as a process of its own; `before` is called in it before it starts."""
    run = start(*arguments, before=before)
    out, err = run.communicate(timeout=120)
    return Result(run.returncode, out, err)


def start(*arguments: object, before: Callable[[], None] | None = None, **options: Any) -> Any:
    """A command as a process that goes on in the background."""
    return subprocess.Popen(
        [sys.executable, ROOT / "handloom.py", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "60"},
        preexec_fn=before,
        **options,
    )


def assert_refused(result: Result, *said: str) -> None:
    """Exit code 2, nothing on stdout, and one line on stderr in which all of `said` occurs."""
    assert result.code == 2, result
    assert result.out == ""
    assert len(result.lines) == 1, result.err
    assert result.err.startswith("handloom: ") and result.err.endswith("\n")
    for text in said:
        assert text in result.err, result.err
