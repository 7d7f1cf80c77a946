"""A bearer that ends while a request is on its way, against a server of a few lines."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("label_studio_sdk", reason="needs label-studio-sdk: make test-label")

from labeling.sdk_studio import SdkStudio
from labeling.secret import Token
from labeling.studio import StudioRefusal


def make_jwt(kind: str, number: int = 0) -> str:
    parts = [{"alg": "none"}, {"token_type": kind, "exp": time.time() + 300, "jti": number}]
    text = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts]
    return ".".join([*text, "c2lnbmVk"])


class Gate(ThreadingHTTPServer):
    """Takes each bearer so often, then says 401, as a server whose clock went on."""

    def __init__(self, uses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.uses, self.given, self.left = uses, 0, 0
        self.taken: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Gate

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/api/token/refresh/"):
            self.server.given += 1
            self.server.left = self.server.uses
            self._answer(200, {"access": make_jwt("access", self.server.given)})
        elif self.server.left < 1:
            self._answer(401, {"detail": "Token is expired"})
        else:
            self.server.left -= 1
            self.server.taken.append(body.decode())
            self._answer(201, {"id": len(self.server.taken)})

    def _answer(self, code: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def gate() -> Iterator[Gate]:
    server = Gate(uses=2)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def connect(gate: Gate) -> SdkStudio:
    return SdkStudio(f"http://127.0.0.1:{gate.server_port}", Token(make_jwt("refresh")))


def test_another_bearer_is_asked_for_and_nothing_is_sent_twice(gate: Gate) -> None:
    studio = connect(gate)
    for number in range(5):
        studio.import_predictions(1, [{"task": number}])
    assert [json.loads(t) for t in gate.taken] == [[{"task": n}] for n in range(5)]
    assert gate.given == 3


def test_a_token_that_is_no_good_is_told(gate: Gate) -> None:
    gate.uses = 0
    studio = connect(gate)
    with pytest.raises(StudioRefusal, match="does not accept the access token"):
        studio.import_predictions(1, [{"task": 1}])
    assert gate.given == 2 and not gate.taken
