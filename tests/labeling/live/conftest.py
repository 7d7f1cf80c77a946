"""The real Label Studio, for tests that need it: its virtual environment is named by
HANDLOOM_LABEL_STUDIO (`make test-label` sets it up and names it).
"""

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "a password of tests only"
VARIABLE = "HANDLOOM_LABEL_STUDIO"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    missing = _find_missing()
    for item in items:
        if here in item.path.parents and missing:
            item.add_marker(pytest.mark.skip(reason=f"needs {missing}: make test-label"))


def _find_missing() -> str | None:
    if not os.environ.get(VARIABLE):
        return "a Label Studio"
    for name in ("label_studio_sdk", "playwright"):
        if importlib.util.find_spec(name) is None:
            return name
    return None


@dataclass
class Live:
    """A running Label Studio with its folder."""

    home: Path
    url: str
    user: str
    password: str
    process: Any

    def connect(self, url: str | None = None, timeout_s: float = 120.0) -> Any:
        """A client, of the server or of what stands before it."""
        from labeling.sdk_studio import SdkStudio
        from labeling.secret import read_token

        return SdkStudio(url or self.url, read_token(None, self.home, {}), timeout_s)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for all tests; its fresh database is kept beside its virtual environment."""
    from labeling import server
    from labeling.secret import Token, write_token

    home = tmp_path_factory.mktemp("studio")
    venv = Path(os.environ[VARIABLE])
    write_token(
        home / "login", Token(json.dumps({"user": "annotator@localhost", "password": PASSWORD}))
    )
    login = server.prepare(home, server.find_port(0))
    program = server.install(venv)
    fresh = venv / f"fresh-{server.VERSION}.sqlite3"
    if not fresh.exists():
        with server.run_server(home, program, login):
            pass
        shutil.copyfile(home / "data" / "label_studio.sqlite3", fresh)
    shutil.copyfile(fresh, home / "data" / "label_studio.sqlite3")
    with (
        (home / "data" / "server.log").open("ab") as log,
        server.run_server(home, program, login, log) as process,
    ):
        server.ensure_token(home, login)
        yield Live(home, login.url, login.user, login.password, process)
