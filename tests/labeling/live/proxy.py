"""A proxy on loopback that loses, delays and breaks answers."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Fault = Callable[[str, str], str | None]
"""Of method and path: None, "drop" (passed on, the answer lost), "502" (passed on, the answer
replaced), "hang" (passed on, the answer kept back) or "refuse" (not passed on)."""


@contextmanager
def run_proxy(target: str, fault: Fault) -> Iterator[str]:
    """The address of a proxy before a server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _pass(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            what = fault(self.command, self.path)
            if what == "refuse":
                self.close_connection = True
                return
            kept = {
                k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")
            }
            request = urllib.request.Request(target + self.path, body, kept, method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=300) as answer:
                    code, data, kind = answer.status, answer.read(), answer.headers["Content-Type"]
            except urllib.error.HTTPError as error:
                code, data, kind = error.code, error.read(), error.headers["Content-Type"]
            if what == "drop":
                self.close_connection = True
                return
            if what == "hang":
                time.sleep(20)
                self.close_connection = True
                return
            if what == "502":
                code, data, kind = 502, b"<html>Bad Gateway</html>", "text/html"
            self.send_response(code)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _pass  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
