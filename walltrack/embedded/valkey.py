"""The embedded Valkey, which serves as broker and cache."""

import contextlib
import secrets
import socket
from pathlib import Path

from walltrack.embedded.launcher import Launcher
from walltrack.processes import TERMINATE, Child

SETTINGS = (
    "bind 127.0.0.1",
    "daemonize no",
    "set-proc-title no",
    "maxmemory-policy noeviction",
    'save ""',
)


class Valkey:
    """Valkey over `home`/valkey. With `is_durable`, it writes its data to disk."""

    name = "valkey"
    stop_plan = TERMINATE

    def __init__(self, launcher: Launcher, program: Path, *, is_durable: bool) -> None:
        self._launcher = launcher
        self._program = program
        self._is_durable = is_durable
        self._data = launcher.home / "valkey"
        self._password = secrets.token_urlsafe(24)

    def prepare(self) -> None:
        """Create the data folder if it does not exist. Raises OSError."""
        self._launcher.create_private_folder(self._data)

    def launch(self, port: int, log: Path) -> Child:
        """Start the server on a port of 127.0.0.1."""
        append_only = "yes" if self._is_durable else "no"
        settings = [
            *SETTINGS,
            f"appendonly {append_only}",
            f"requirepass {self._password}",
            f"port {port}",
            "",
        ]
        # The password is passed by standard input, because every user can read the
        # arguments of a process.
        return self._launcher.spawn(
            [self._program, "-", "--dir", self._data], log, "\n".join(settings)
        )

    def is_ready(self, _child: Child, port: int) -> bool:
        """Return True once the server responds to PING."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), 1) as link,
        ):
            link.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
            with link.makefile("rb") as responses:
                return [responses.readline(), responses.readline()] == [
                    b"+OK\r\n",
                    b"+PONG\r\n",
                ]
        return False

    def url(self, port: int) -> str:
        """Return the URL of the server, with its password."""
        return f"redis://:{self._password}@127.0.0.1:{port}/0"
