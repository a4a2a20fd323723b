"""Servers that misbehave, and a port without a server."""

import contextlib
import socket
import threading
from typing import Self


def closed_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class SilentServer:
    """Accepts connections (the kernel does) and never reads or responds."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


class QueryDroppingProxy:
    """Forwards everything to a real server except messages that contain `query`; these
    get no response.
    """

    def __init__(self, port: int, query: bytes) -> None:
        self._target, self._query = port, query
        self._sockets: list[socket.socket] = [
            socket.create_server(("127.0.0.1", 0), backlog=64)
        ]
        self.port: int = self._sockets[0].getsockname()[1]
        self.has_dropped = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for link in self._sockets:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._sockets[0].accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                threading.Thread(
                    target=self._forward, args=(client, server), daemon=True
                ).start()
                threading.Thread(
                    target=self._forward, args=(server, client), daemon=True
                ).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for data in iter(lambda: source.recv(65_536), b""):
                if self._query in data:
                    self.has_dropped.set()
                else:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)
