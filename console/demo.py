"""handloom demo: everything once, small, in under ten minutes."""

import contextlib
import importlib.util
import io
import json as json_format
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import tyro

from console.arguments import Json, parse_call
from console.output import print_note, print_result
from frames.errors import BadInput

if TYPE_CHECKING:
    from console.demo_stages import Stage

STATE: Final = "demo.json"
PAGE: Final = "index.html"

Out = Annotated[
    Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT", help="folder for everything it makes")
]


@dataclass(frozen=True)
class Done:
    """What became of a stage."""

    command: str
    """As a person would type it."""
    said: str = ""
    """What it printed."""
    seconds: float = 0.0
    skipped: str = ""
    """Why it was left out, if it was."""


def run_demo(arguments: list[str]) -> int:
    """handloom demo OUT"""

    def demo(
        out: Out,
        frames: int = 3072,
        steps: int = 900,
        seed: int = 1,
        workers: int = 0,
        json: Json = False,
    ) -> int:
        """Generate, degrade, train, evaluate, predict on a capture, export: a small run of all of
        it, each step with the command that does it, and one page with what came out (index.html).
        Run it again to go on where it was stopped.

        Args:
            frames: Frames to render.
            steps: Steps of training, of 32 hands each.
            seed: Of everything.
            workers: Processes; 0 for one a core.
        """
        for name, value, least in (
            ("frames", frames, 64),
            ("steps", steps, 10),
            ("seed", seed, 0),
            ("workers", workers, 0),
        ):
            if value < least:
                raise BadInput(f"{name} must be >= {least}, got {value}")
        from console.demo_page import write_page
        from console.demo_stages import DemoConfig, list_stages

        config = DemoConfig(out, frames, steps, seed, workers)
        stages = list_stages(config)
        began = time.monotonic()
        done = _run_stages(out, stages, {"frames": frames, "steps": steps, "seed": seed}, json)
        write_page(out / PAGE, stages, done)
        seconds = sum(one.seconds for one in done.values())
        spent = time.monotonic() - began
        values = {
            "out": str(out),
            "page": str(out / PAGE),
            "seconds": round(seconds, 1),
            "stages": {name: asdict(one) for name, one in done.items()},
        }
        left_out = sum(bool(one.skipped) for one in done.values())
        text = f"{out / PAGE}: {len(done) - left_out} steps in {_say_time(seconds)}"
        if spent < 0.9 * seconds:
            text += f", {_say_time(spent)} of it now"
        print_result(json, f"{text}. Open it in a browser.", values)
        return 0

    return int(parse_call(demo, "handloom demo", arguments)())


def _run_stages(
    out: Path, stages: "list[Stage]", settings: Mapping[str, Any], quiet: bool
) -> dict[str, Done]:
    """Run what is not done yet, and keep count in the folder's demo.json."""
    done = _read_state(out, settings)
    typical = {stage.name: stage.seconds for stage in stages}
    for k, stage in enumerate(stages):
        head = f"[{k + 1}/{len(stages)}] {stage.text}"
        before = done.get(stage.name)
        if before is not None and not before.skipped and stage.is_made():
            if not quiet:
                print_note(f"{head}: done before, in {_say_time(before.seconds)}")
            continue
        missing = [name for name in stage.needs if importlib.util.find_spec(name) is None]
        if missing:
            why = f"left out: it needs {' and '.join(missing)}: pip install '{stage.extra}'"
            done[stage.name] = Done(stage.say_command(), skipped=why)
            if not quiet:
                print_note(f"{head}: {why}")
            continue
        if not quiet:
            left = _estimate(done, typical, [s.name for s in stages[k:]])
            print_note(f"\n{head} (about {_say_time(left)} left)\n    {stage.say_command()}")
        started = time.monotonic()
        said = _run(stage, quiet)
        done[stage.name] = Done(stage.say_command(), said, time.monotonic() - started)
        _write_state(out, settings, done)
    _write_state(out, settings, done)
    return {stage.name: done[stage.name] for stage in stages}


def _run(stage: "Stage", quiet: bool) -> str:
    """Run a stage's commands in this process; what they print is passed on, and returned."""
    from handloom import find_command

    heard = _Echo(None if quiet else sys.stdout)
    silence = contextlib.redirect_stderr(io.StringIO()) if quiet else contextlib.nullcontext()
    with contextlib.redirect_stdout(heard), silence:
        for command in stage.commands:
            code = find_command(command[0])(list(command[1:]))
            if code:
                raise BadInput(f"handloom {shlex.join(command)} ended with {code}")
        if stage.finish is not None:
            stage.finish()
    return heard.getvalue()


class _Echo(io.StringIO):
    """Keeps what is written, and passes it on."""

    def __init__(self, to: Any) -> None:
        super().__init__()
        self._to = to

    def write(self, text: str) -> int:
        if self._to is not None:
            self._to.write(text)
        return super().write(text)

    def flush(self) -> None:
        if self._to is not None:
            self._to.flush()


def _estimate(done: Mapping[str, Done], typical: Mapping[str, float], ahead: list[str]) -> float:
    """Seconds left: the typical ones of the stages ahead, at the pace of this machine so far."""
    known = [name for name, one in done.items() if name in typical and not one.skipped]
    took = sum(done[name].seconds for name in known)
    usual = sum(typical[name] for name in known)
    # The first stages say little: they count as if half a minute had gone as usual.
    pace = (took + 30.0) / (usual + 30.0)
    return pace * sum(typical[name] for name in ahead)


def _say_time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds >= 600 else f"{seconds / 60:.1f} min"


def _read_state(out: Path, settings: Mapping[str, Any]) -> dict[str, Done]:
    """What was done before. Raises BadInput for a folder of something else, or other settings."""
    path = out / STATE
    if not path.exists():
        if out.exists() and any(not p.name.startswith(".") for p in out.iterdir()):
            raise BadInput(f"{out} is not empty and no demo: choose another folder")
        return {}
    try:
        found = json_format.loads(path.read_text(encoding="utf-8"))
        there, stages = found["settings"], found["stages"]
        done = {name: Done(**one) for name, one in stages.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(f"{path} cannot be read: was it edited? Choose another folder") from None
    for name, value in settings.items():
        if there.get(name) != value:
            raise BadInput(
                f"{out} holds a demo with {name} {there.get(name)}, this one has {value}: choose"
                " another folder, or the same settings to go on"
            )
    return done


def _write_state(out: Path, settings: Mapping[str, Any], done: Mapping[str, Done]) -> None:
    from frames.store.disk import make_folder, write_file

    make_folder(out)
    stages = {k: asdict(replace(one, seconds=round(one.seconds, 2))) for k, one in done.items()}
    state = {"settings": dict(settings), "stages": stages}
    write_file(out / STATE, (json_format.dumps(state, indent=2) + "\n").encode())
