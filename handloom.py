"""The handloom command line: its commands, and what becomes of their errors."""

import errno
import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from console.output import complain
from frames.errors import BadInput

COMMANDS: dict[str, str] = {
    "demo": "a small run of everything, with one page of what came out",
    "synth": "render a dataset of exactly labelled depth frames",
    "augment": "read a dataset as a sensor would: noise, holes, shadows",
    "verify": "check a dataset; render frames again and compare their bytes",
    "stats": "say and draw what is in a dataset",
    "view": "draw frames as a contact sheet or a page, or show them in space",
    "report": "one page about a dataset, a run or weights",
    "export": "write a dataset as COCO, Ultralytics, WebDataset, HDF5 or Hugging Face",
    "import": "make a dataset of COCO keypoints with depth images",
    "capture": "make a dataset of a real recording",
    "calibrate": "fit a sensor profile to real captures",
    "train": "train a network on any mix of datasets",
    "search": "find the best subnet of a trained supernet",
    "eval": "score a network on a dataset, with a report",
    "predict": "find hands in depth images: keypoints in pixels and metres",
    "package": "write a trained network for ONNX or ExecuTorch",
    "label": "captures to Label Studio and back: serve, push, pull, propagate, ...",
    "bench": "measure the published figures again",
}
"""Every command and what it is for: `run_NAME` of `console.NAME`."""

_MODULES = {"eval": "evaluate", "import": "import_coco"}
"""Commands whose own names python has taken."""


def find_command(name: str) -> Callable[[list[str]], int]:
    """The function that runs a command. Raises BadInput for an unknown one."""
    if name not in COMMANDS:
        raise BadInput(f"unknown command {name!r}: known are {', '.join(COMMANDS)}")
    name = _MODULES.get(name, name)
    module = importlib.import_module(f"console.{name}")
    run: Callable[[list[str]], int] = getattr(module, f"run_{name}")
    return run


def main() -> None:
    """Entry point of the `handloom` command: exit code 0, or 2 for bad input."""
    try:
        code = _run(sys.argv[1:])
        if sys.stdout is not None:  # it is None where it was closed
            sys.stdout.flush()
        sys.exit(code)
    except BadInput as error:
        complain(f"handloom: {error}")
        sys.exit(2)
    except KeyboardInterrupt as error:
        _end_interrupted(error.args[0] if error.args else signal.SIGINT)
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        _drop_output()
        sys.exit(1)
    except OSError as error:  # what a file system says that no command has foreseen
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if error.filename is None and not full:
            raise
        complain(f"handloom: {error.strerror}: {error.filename or _find_full(error)}")
        sys.exit(2)
    except Exception as error:
        if _heard:  # a compiler that is stopped says that it has no code
            _end_interrupted(_heard[0])
        from frames.kernels import explain_kernel_error

        told = explain_kernel_error(error)
        if told is None:
            raise
        complain(f"handloom: {told}")
        sys.exit(2)


def _run(arguments: list[str]) -> int:
    """Do what is asked; the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        _print_help()
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from synth.description import handloom_version

        Console().print(f"handloom {handloom_version()}", highlight=False)
        return 0
    _listen()
    return find_command(arguments[0])(arguments[1:])


_WRITERS = {"handloom.py", "output.py", "rich", "tyro", "argparse.py"}
"""Files and packages that write to stdout."""


def _find_full(error: OSError) -> str:
    """What has no room, where the system does not say."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    if _WRITERS.intersection(Path(last.filename).parts):
        _drop_output()
        return "where stdout goes"
    # It keeps compiled code beside the sources.
    return "numba's cache: set NUMBA_CACHE_DIR to a folder with room"


def _drop_output() -> None:
    """What is not written yet never will be; python would try again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_heard: list[int] = []
"""Signals that asked the run to end."""


def _listen() -> None:
    """SIGTERM ends a run as Ctrl-C does: workers stopped, nothing half-written left."""
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    sys.unraisablehook = _send_again


def _stop(number: int, _: object) -> None:
    _heard.append(number)
    raise KeyboardInterrupt(number)


def _send_again(lost: "sys.UnraisableHookArgs") -> None:
    """An interrupt that struck where nothing can be raised, as within LLVM, comes again shortly."""
    if not issubclass(lost.exc_type, KeyboardInterrupt) or not _heard:
        sys.__unraisablehook__(lost)
        return
    again = threading.Timer(0.05, os.kill, (os.getpid(), _heard[0]))
    again.daemon = True
    again.start()


def _end_interrupted(number: int) -> None:
    for again in (signal.SIGINT, signal.SIGTERM):
        signal.signal(again, signal.SIG_IGN)  # it is ending already
    complain("handloom: interrupted; what is finished stays, the same command goes on from there")
    sys.exit(128 + number)


def _print_help() -> None:
    lines = [
        "usage: handloom COMMAND ... | handloom COMMAND --help",
        "",
        "Training data for egocentric, depth-based hand pose.",
        "",
        *(f"  {name:9} {text}" for name, text in COMMANDS.items()),
    ]
    Console(highlight=False).print("\n".join(lines))


if __name__ == "__main__":
    main()
