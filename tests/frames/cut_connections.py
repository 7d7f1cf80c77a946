"""A server's port behind a forwarder that cuts connections in the middle."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass
class Forwarder:
    """Carries bytes to a server and back."""

    port: int
    """Of the server."""
    up: int = 0
    """A connection that carries more bytes to the server ends there; 0: none does."""
    down: int = 0
    """The same of bytes from it."""
    cuts: int = 0
    """So many connections are still to be cut."""

    def serve(self, listening: socket.socket) -> None:
        """Until the socket is closed."""
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            for source, sink, limit in ((client, server, self.up), (server, client, self.down)):
                threading.Thread(
                    target=self._carry, args=(source, sink, limit), daemon=True
                ).start()

    def _carry(self, source: socket.socket, sink: socket.socket, limit: int) -> None:
        carried = 0
        with suppress(OSError):
            while data := source.recv(1 << 14):
                carried += len(data)
                if 0 < limit < carried and self.cuts:
                    self.cuts -= 1
                    break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def forward(port: int) -> Iterator[tuple[int, Forwarder]]:
    """A port that leads to the server's, and what decides over its connections."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        forwarder = Forwarder(port)
        threading.Thread(target=forwarder.serve, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1], forwarder
