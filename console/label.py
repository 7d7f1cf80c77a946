"""handloom label: captures to Label Studio and back."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from console.arguments import Data, Json, parse_call
from console.output import print_note, print_result
from console.progress import Bar
from frames.errors import BadInput

if TYPE_CHECKING:
    from labeling.ledger import Ledger

Studio = Annotated[
    Path, tyro.conf.arg(help="folder of the server, its token, the ledgers and pictures")
]
Url = Annotated[
    str, tyro.conf.arg(help="address of another Label Studio; by default that of --studio")
]
TokenFile = Annotated[
    Path | None,
    tyro.conf.arg(
        help="file with the access token, mode 0600; by default LABEL_STUDIO_API_KEY, else"
        " STUDIO/token"
    ),
]
Project = Annotated[str, tyro.conf.Positional, tyro.conf.arg(help="the project's name")]
Out = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(help="folder of the labelled dataset")]

DEFAULT_STUDIO = Path("studio")
WAIT_S = 3600.0
"""So long a push or pull waits for another one of the same project."""

USAGE = """\
usage: handloom label COMMAND ... | handloom label COMMAND --help

Captures to Label Studio and back.

  serve     run a Label Studio of one's own on this machine
  push      make tasks of a dataset's frames, hands already drawn
  pull      make a dataset of what people answered
  status    how far a project is, and how far predictions were moved
  refine    fit the hand model to pulled labels and their depth
"""


def run_label(arguments: list[str]) -> int:
    """handloom label serve|push|pull|status|refine ..."""
    commands: dict[str, Callable[[list[str]], int]] = {
        "serve": _serve,
        "push": _push,
        "pull": _pull,
        "status": _status,
        "refine": _refine,
    }
    if not arguments or arguments[0] in ("-h", "--help"):
        import sys

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
            predictor: Who draws the hands: shipped, a file of weights, labels (the dataset's own),
                or none.
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
        from labeling.ledger import lock_ledger
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
        server = _connect(studio, url, token_file)
        found = open_predictor(predictor)
        path = _find_ledger(studio, server.url, project)
        with lock_ledger(path, WAIT_S, _say_waiting), Bar("frames", quiet=json) as bar:
            ledger = _open(path)
            try:
                report = push_frames(server, dataset, ledger, found, plan, bar, bar.note)
            finally:
                ledger.close()
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


def _pull(arguments: list[str]) -> int:
    def pull(
        project: Project,
        out: Out,
        policy: str = "agree",
        full: bool = False,
        data: tuple[Path, ...] = (),
        studio: Studio = DEFAULT_STUDIO,
        url: Url = "",
        token_file: TokenFile = None,
        json: Json = False,
    ) -> int:
        """Make a dataset of what people answered: only what changed since the last pull is fetched.

        Args:
            policy: Several annotators of a frame: agree (median of those that agree, else to the
                review list), or latest.
            full: Fetch every answer again, and notice those that were deleted.
            data: Where pushed datasets are now, if they were moved.
        """
        from labeling.ledger import lock_ledger
        from labeling.pull import PullPlan
        from labeling.pull import pull as pull_answers
        from labeling.review import count_reasons

        server = _connect(studio, url, token_file)
        path = _find_ledger(studio, server.url, project)
        _check_pushed(path, project)
        with lock_ledger(path, WAIT_S, _say_waiting), Bar("frames", quiet=json) as bar:
            ledger = _open(path)
            try:
                plan = PullPlan(policy, full, data)
                report = pull_answers(server, ledger, out, plan, bar)
            finally:
                ledger.close()
        text = f"{out}: {report.frames:,} frames, {report.hands:,} hands"
        text += f"; {report.new_versions:,} new answers"
        if report.reviews:
            text += f"; {len(report.reviews):,} to review ({out / 'labels' / 'review.jsonl'}):"
            reasons = count_reasons(report.reviews)
            text += "".join(f"\n  {n:,} x {kind}" for kind, n in list(reasons.items())[:8])
        values = {k: v for k, v in vars(report).items() if k != "reviews"}
        print_result(json, text, {"out": str(out), **values, "reviews": len(report.reviews)})
        return 0

    return int(parse_call(pull, "handloom label pull", arguments)())


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
        from labeling.ledger import lock_ledger
        from labeling.status import read_status, say_status

        server = _connect(studio, url, token_file)
        path = _find_ledger(studio, server.url, project)
        _check_pushed(path, project)
        with lock_ledger(path, WAIT_S, _say_waiting):
            ledger = _open(path)
            try:
                found = read_status(server, ledger)
            finally:
                ledger.close()
        print_result(json, say_status(project, found), found)
        return 0

    return int(parse_call(status, "handloom label status", arguments)())


def _refine(arguments: list[str]) -> int:
    from console.refine import run_refine

    return run_refine(arguments)


def _connect(studio: Path, url: str, token_file: Path | None) -> Any:
    """The server. Raises BadInput if nobody knows where it is, or has a token."""
    import json

    from labeling.sdk_studio import SdkStudio
    from labeling.secret import read_token

    if not url:
        try:
            url = str(json.loads((studio / "login").read_text(encoding="utf-8"))["url"])
        except (OSError, ValueError, KeyError):
            raise BadInput(
                f"no server in {studio}: run 'handloom label serve {studio}' in another terminal,"
                " or name one with --url"
            ) from None
    if "@" in url or not url.startswith(("http://", "https://")):
        raise BadInput(f"url must be http(s)://HOST[:PORT] without a password, got {url!r}")
    return SdkStudio(url, read_token(token_file, studio))


def _find_ledger(studio: Path, url: str, project: str) -> Path:
    from labeling.ledger import ledger_path

    return ledger_path(studio, url, project)


def _open(path: Path) -> "Ledger":
    from labeling.ledger import Ledger

    return Ledger(path)


def _check_pushed(path: Path, project: str) -> None:
    if not path.exists():
        raise BadInput(
            f"nothing was pushed to a project {project!r} from here ({path} is not there)"
        )


def _say_waiting() -> None:
    print_note("waiting for another handloom that works on this project")
