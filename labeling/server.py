"""A local Label Studio: its virtual environment, its settings, its user and token.

    STUDIO/venv/       Label Studio, pinned (1 GB), made on first use
    STUDIO/data/       its database and settings, mode 0700
    STUDIO/pictures/   the only folder whose files it shows
    STUDIO/login       address, user and password, mode 0600
    STUDIO/token       a personal access token, mode 0600

It listens on loopback only, tells nobody of its use, fetches nothing, and lets nobody sign up.
"""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import IO, Any, Final

from frames.errors import BadInput
from frames.store.disk import make_folder
from labeling.pictures import PICTURES
from labeling.secret import TOKEN_NAME, Token, read_token, write_token

VERSION: Final = "1.23.2"
CONSTRAINTS: Final = Path(__file__).parent / "label_studio_constraints.txt"
"""The versions of everything that Label Studio brings along."""

LOGIN_NAME: Final = "login"
START_S: Final = 600.0
"""The first start makes the database: 40 s on an idle machine."""

_CSRF: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Login:
    """How a person logs in."""

    url: str
    user: str
    password: str


def install(
    folder: Path, python: str = sys.executable, note: Callable[[str], None] = print
) -> Path:
    """The `label-studio` program in a virtual environment of its own, installed if it is not there.

    Raises BadInput if it cannot be installed.
    """
    program = folder / "bin" / "label-studio"
    stamp = folder / f".label-studio-{VERSION}"
    if stamp.exists() and program.exists():
        return program
    note(f"installing Label Studio {VERSION} into {folder} (1 GB; a few minutes, once)")
    make_folder(folder.parent)
    steps = (
        [python, "-m", "venv", str(folder)],
        [
            *(
                str(folder / "bin" / "python"),
                "-m",
                "pip",
                "--disable-pip-version-check",
                "install",
            ),
            *("-q", "-c", str(CONSTRAINTS), f"label-studio=={VERSION}"),
        ],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no word of why"])[-1]
            raise BadInput(f"cannot install Label Studio into {folder}: {said}")
    stamp.touch()
    return program


def build_environment(studio: Path, login: Login) -> dict[str, str]:
    """The settings of the server: nothing of ours but what it needs, nothing sent anywhere."""
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "TMPDIR") if k in os.environ}
    data = studio.resolve() / "data"
    return {
        **kept,
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LABEL_STUDIO_HOST": login.url,
        "LABEL_STUDIO_USERNAME": login.user,
        "LABEL_STUDIO_PASSWORD": login.password,
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(studio.resolve() / PICTURES),
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        "CONVERTER_DOWNLOAD_RESOURCES": "false",
        "SSRF_PROTECTION_ENABLED": "true",
        "SECRET_KEY": _read_secret(data),
    }


def _read_secret(data: Path) -> str:
    """What signs sessions and tokens: kept, or every restart would log everybody out."""
    path = data / "secret-key"
    if not path.exists():
        write_token(path, Token(secrets.token_urlsafe(48)))
    return path.read_text(encoding="ascii").strip()


def prepare(studio: Path, port: int) -> Login:
    """Folders, user and password of a server. Raises BadInput for what cannot be."""
    for name, mode in (("data", 0o700), (PICTURES, 0o755)):
        make_folder(studio / name)
        (studio / name).chmod(mode)
    strange = [p.name for p in (studio / PICTURES).rglob("*") if p.is_symlink()]
    if strange:
        raise BadInput(
            f"{studio / PICTURES} holds the link {strange[0]}: whatever it leads to would be shown;"
            " remove it"
        )
    path = studio / LOGIN_NAME
    url = f"http://127.0.0.1:{port}"
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
        login = Login(url, known["user"], known["password"])
    else:
        login = Login(url, "annotator@localhost", secrets.token_urlsafe(12))
    # Mode 0600 from the start, as the token's.
    write_token(path, Token(json.dumps(asdict(login))))
    return login


def find_port(wanted: int) -> int:
    """A free port on loopback: the one that is wanted, or any for 0.

    Raises BadInput for one that is taken: Label Studio would silently take another.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            raise BadInput(f"port {wanted} is taken: choose another with --port") from None
        return int(probe.getsockname()[1])


@contextmanager
def run_server(
    studio: Path, program: Path, login: Login, log: IO[bytes] | int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """The server, while within; it listens when this begins. Raises BadInput if it does not."""
    port = urllib.parse.urlsplit(login.url).port
    command = [
        *(str(program), "start", "--no-browser", "--internal-host", "127.0.0.1"),
        *("-p", str(port)),
    ]
    process = subprocess.Popen(
        command,
        env=build_environment(studio, login),
        cwd=studio,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait(process, login.url)
        yield process
    finally:
        _stop(process)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise BadInput(f"Label Studio stopped with code {process.returncode}: see its log")
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise BadInput(f"Label Studio did not come up within {START_S:.0f} s: see its log")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number, wait_s in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        if process.poll() is None:
            try:
                os.killpg(process.pid, number)
                process.wait(wait_s)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def ensure_token(studio: Path, login: Login) -> Path:
    """The file with a personal access token that works, made if there is none.

    Raises BadInput if the server does not let us in.
    """
    path = studio / TOKEN_NAME
    if path.exists() and _is_good(login.url, read_token(path, studio)):
        return path
    write_token(path, make_token(login))
    return path


def _is_good(url: str, token: Token) -> bool:
    try:
        _post(
            urllib.request.build_opener(), f"{url}/api/token/refresh/", {"refresh": token.reveal()}
        )
    except (urllib.error.URLError, ValueError):
        return False
    return True


def make_token(login: Login) -> Token:
    """A personal access token, as the page Account & Settings makes one."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = f"{login.url}/user/login/"
    with opener.open(page, timeout=60) as answer:
        match = _CSRF.search(answer.read().decode("utf-8", "replace"))
    if match is None:
        raise BadInput(f"{login.url} shows no login form: is it a Label Studio {VERSION}?")
    form = {
        "csrfmiddlewaretoken": match.group(1),
        "email": login.user,
        "password": login.password,
        "persist_session": "on",
    }
    request = urllib.request.Request(page, urllib.parse.urlencode(form).encode(), {"Referer": page})
    opener.open(request, timeout=60).close()
    csrf = next((c.value for c in jar if c.name == "csrftoken"), None)
    headers = {"X-CSRFToken": csrf or "", "Referer": login.url}
    try:
        # A user has one token. Where one is left whose file is gone, its end makes room.
        with opener.open(f"{login.url}/api/token/", timeout=60) as answer:
            for old in json.loads(answer.read()):
                body = {"refresh": old["token"]}
                _post(opener, f"{login.url}/api/token/blacklist/", body, headers)
        return Token(str(_post(opener, f"{login.url}/api/token/", {}, headers)["token"]))
    except (urllib.error.URLError, KeyError, ValueError):
        raise BadInput(
            f"{login.url} does not let {login.user} in: was the password changed? Put a personal"
            f" access token into the file {TOKEN_NAME} yourself (mode 0600)"
        ) from None


def _post(
    opener: Any, url: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Any:
    given = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), given)
    with opener.open(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")
