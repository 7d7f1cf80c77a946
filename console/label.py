"""handloom label: captures to Label Studio and back."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import tyro

from console.arguments import Data, Json, parse_call
from console.output import print_note, print_result
from console.progress import Bar
from console.studio import (
    DEFAULT_STUDIO,
    Project,
    Studio,
    TokenFile,
    Url,
    connect,
    find_ledger,
    open_ledger,
)
from frames.errors import BadInput

Out = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(help="folder of the labelled dataset")]

USAGE = """\
usage: handloom label COMMAND ... | handloom label COMMAND --help

Captures to Label Studio and back.

  serve     run a Label Studio of one's own on this machine
  push      make tasks of a dataset's frames, hands already drawn
  pull      make a dataset of what people answered
  status    how far a project is, and how far predictions were moved
  agree     how far annotators agree, joint by joint, and the worst frames
  propagate follow corrected hands into the next frame of their sequence
  refine    fit the hand model to a dataset of labels, as pull does to answers
"""


def run_label(arguments: list[str]) -> int:
    """handloom label serve|push|pull|status|agree|propagate|refine ..."""
    commands: dict[str, Callable[[list[str]], int]] = {
        "serve": _serve,
        "push": _push,
        "pull": _pull,
        "status": _status,
        "agree": _agree,
        "propagate": _propagate,
        "refine": _refine,
    }
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0 if arguments else 2
    if arguments[0] not in commands:
        raise BadInput(f"label knows {', '.join(commands)}, got {arguments[0]!r}")
    return commands[arguments[0]](arguments[1:])


def _serve(arguments: list[str]) -> int:
    def serve(
        studio: Annotated[Path, tyro.conf.Positional] = DEFAULT_STUDIO,
        port: int = 8080,
        install_only: bool = False,
        venv: Path | None = None,
        push: Path | None = None,
        project: str = "handloom-demo",
        predictor: str = "shipped",
        json: Json = False,
    ) -> int:
        """Run Label Studio on loopback until Ctrl-C; the first time it is installed and set up.

        Args:
            studio: Folder for all of it.
            port: Port on 127.0.0.1; 0 for any that is free.
            install_only: Install and stop.
            venv: Virtual environment of Label Studio; by default STUDIO/venv.
            push: Dataset to push when it is up, as handloom label push does.
            project: The project that it is pushed to.
            predictor: Who draws the hands of what is pushed.
        """
        from labeling import server

        note: Callable[[str], None] = (lambda _: None) if json else print_note
        program = server.install((venv or studio / "venv").absolute(), note=note)
        if install_only:
            print_result(json, f"{program}: installed", {"program": str(program)})
            return 0
        login = server.prepare(studio, server.find_port(port))
        note("starting Label Studio (the first time, it makes its database: about a minute)")
        log_path = studio / "data" / "server.log"
        with log_path.open("ab") as log, server.run_server(studio, program, login, log) as process:
            token = server.ensure_token(studio, login)
            # The password is in a file, so that no terminal and no log has it.
            print_result(
                json,
                f"Label Studio: {login.url}\n  user      {login.user}\n"
                f"  password  in {studio / server.LOGIN_NAME}\n  token     in {token}\n"
                f"  log       {log_path}\nCtrl-C stops it.",
                {"url": login.url, "user": login.user, "studio": str(studio), "token": str(token)},
            )
            sys.stdout.flush()  # whoever started us through a pipe waits for it
            if push is not None:
                options = ["--project", project, "--predictor", predictor, "--studio", str(studio)]
                _push([str(push), *options])
            return process.wait()

    return int(parse_call(serve, "handloom label serve", arguments)())


def _push(arguments: list[str]) -> int:
    def push(
        data: Data,
        project: str,
        predictor: str = "shipped",
        finder: str | None = None,
        studio: Studio = DEFAULT_STUDIO,
        url: Url = "",
        token_file: TokenFile = None,
        pictures: Path | None = None,
        picture_url: str = "",
        count: int = 0,
        first: int = 0,
        every: int = 1,
        previous: bool = True,
        adopt: bool = False,
        json: Json = False,
    ) -> int:
        """Make tasks of a dataset's frames: each exactly one, however often this is run.

        Args:
            project: The project's name; made if it is not there.
            predictor: Who draws the hands: shipped, a run, a file of weights, labels (the
                dataset's own), or none.
            finder: The network that finds hands for it: a run or a file of weights; by default the
                one that comes along.
            pictures: Folder for pictures, if the server shows another than STUDIO/pictures.
            picture_url: What stands before a picture's path, if a server other than Label Studio
                shows the folder.
            count: Frames to push; 0 for all from the first.
            first: The first one.
            every: Push only every so many-th frame.
            previous: Show the previous frame beside the frame.
            adopt: Take over a project whose ledger is gone.
        """
        if count < 0 or first < 0 or every < 1:
            raise BadInput("count and first must be >= 0 and every >= 1")
        from labeling.easel import LOCAL_FILES
        from labeling.pictures import PICTURES
        from labeling.predictors import open_predictor
        from labeling.push import PushPlan
        from labeling.push import push as push_frames
        from labeling.sources import open_source

        dataset = open_source(data)
        stop = min(len(dataset), first + count * every) if count else len(dataset)
        chosen = range(first, stop, every)
        if not chosen:
            raise BadInput(f"{data} has {len(dataset)} frames: none from {first} on")
        plan = PushPlan(
            project,
            pictures or studio / PICTURES,
            picture_url or LOCAL_FILES,
            None if len(chosen) == len(dataset) else chosen,
            previous,
            adopt=adopt,
        )
        server = connect(studio, url, token_file)
        found = open_predictor(predictor, finder)
        path = find_ledger(studio, server.url, project, pushed=False)
        with open_ledger(path) as ledger, Bar("frames", quiet=json) as bar:
            report = push_frames(server, dataset, ledger, found, plan, bar, bar.note)
        text = f"{project}: {report.sent:,} tasks sent, {report.there:,} were there"
        if report.repredicted:
            text += f"; {report.repredicted:,} untouched ones predicted anew"
        if report.equal:
            text += f"; {report.equal:,} frames equal others"
        if report.doubled:
            text += f"; {report.doubled:,} frames have several tasks, not made by this push"
        address = f"{server.url}/projects/{report.project}/data"
        values = {**vars(report), "url": address, "predictor": found.name}
        print_result(json, f"{text}\n{address}", values)
        return 0

    return int(parse_call(push, "handloom label push", arguments)())


def _status(arguments: list[str]) -> int:
    def status(
        project: Project,
        studio: Studio = DEFAULT_STUDIO,
        url: Url = "",
        token_file: TokenFile = None,
        json: Json = False,
    ) -> int:
        """Say how far a project is: done, skipped, to review; who is how fast; and how far
        predictions were moved, which is the predictor's real error.
        """
        from labeling.status import read_status, say_status

        server = connect(studio, url, token_file)
        with open_ledger(find_ledger(studio, server.url, project)) as ledger:
            found = read_status(server, ledger)
        print_result(json, say_status(project, found), found)
        return 0

    return int(parse_call(status, "handloom label status", arguments)())


def _pull(arguments: list[str]) -> int:
    from console.pull import run_pull

    return run_pull(arguments)


def _agree(arguments: list[str]) -> int:
    from console.agree import run_agree

    return run_agree(arguments)


def _propagate(arguments: list[str]) -> int:
    from console.propagate import run_propagate

    return run_propagate(arguments)


def _refine(arguments: list[str]) -> int:
    from console.refine import run_refine

    return run_refine(arguments)
