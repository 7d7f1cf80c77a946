"""What the label commands share: where the server is, and a project's ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from console.output import print_note
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

DEFAULT_STUDIO = Path("studio")
WAIT_S = 3600.0
"""So long a push or pull waits for another one of the same project."""


def connect(studio: Path, url: str, token_file: Path | None) -> Any:
    """The server. Raises BadInput if nobody knows where it is, or has a token."""
    from labeling.sdk_studio import SdkStudio
    from labeling.secret import read_token

    url = url or _read_login(studio)
    if not url:
        raise BadInput(
            f"no server in {studio}: run 'handloom label serve {studio}' in another terminal,"
            " or name one with --url"
        )
    if "@" in url or not url.startswith(("http://", "https://")):
        shown = url.rpartition("@")[2]  # what stands before it is nobody's business
        raise BadInput(f"url must be http(s)://HOST[:PORT] without a password, got {shown!r}")
    return SdkStudio(url, read_token(token_file, studio))


def find_ledger(studio: Path, url: str, project: str, pushed: bool = True) -> Path:
    """Where a project's ledger is. A server of one's own may listen on another port than last time:
    it is the same server. Raises BadInput if the ledger must be there and is not."""
    from labeling.ledger import find_ledgers, ledger_path

    path = ledger_path(studio, url, project)
    if not path.exists() and url == _read_login(studio):
        earlier = [p for p in find_ledgers(studio, project) if _is_loopback(p)]
        path = earlier[0] if len(earlier) == 1 else path
    if pushed and not path.exists():
        raise BadInput(
            f"nothing was pushed to a project {project!r} from here ({path} is not there)"
        )
    return path


def _read_login(studio: Path) -> str:
    """The address of the studio's own server; "" for none."""
    import json

    try:
        return str(json.loads((studio / "login").read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError):
        return ""


def _is_loopback(path: Path) -> bool:
    from labeling.ledger import Ledger

    ledger = Ledger(path)
    try:
        return (ledger.read("url") or "").startswith("http://127.0.0.1:")
    finally:
        ledger.close()


def find_kept(studio: Path, url: str, name: str) -> Path:
    """The ledger of a project or of a folder of pulled labels, without any server.

    Raises BadInput if there is none, or if projects of several servers have that name.
    """
    from labeling.labelled import read_project
    from labeling.ledger import find_ledgers

    told = read_project(Path(name))
    if told is not None:
        path = Path(told["ledger"])
        if not path.is_file():
            raise BadInput(f"{name} was pulled with {path}, which is not there any more")
        return path
    found = find_ledgers(studio, name, url)
    if not found:
        raise BadInput(
            f"{name!r} is no folder of pulled labels, and {studio} has no ledger of a project of"
            " that name: name the folder of 'handloom label pull', or the server's with --studio"
        )
    if len(found) > 1:
        raise BadInput(
            f"{studio} has {len(found)} projects {name!r}, of several servers: choose with --url"
        )
    return found[0]


@contextmanager
def open_ledger(path: Path) -> "Iterator[Ledger]":
    """The ledger, held alone."""
    from labeling.ledger import Ledger, lock_ledger

    with lock_ledger(path, WAIT_S, _say_waiting):
        ledger = Ledger(path)
        try:
            yield ledger
        finally:
            ledger.close()


def _say_waiting() -> None:
    print_note("waiting for another handloom that works on this project")
