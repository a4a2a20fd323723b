"""Start the servers' programs in their folder, as another account if root starts them."""

import contextlib
import os
import pwd
import re
import socket
import tempfile
import time
from pathlib import Path
from signal import Signals
from typing import Any, Protocol

from walltrack.processes import (
    Child,
    Command,
    ManagedChild,
    StopPlan,
    StopStep,
    end,
    error_with_remedy,
    spawn,
    tail,
    until,
)

TOOL_TIMEOUT_SECONDS = 120
START_TIMEOUT_SECONDS = 60
RETRY_SECONDS = 10
# Another program took the port, or a killed server still holds its shared memory.
_TEMPORARY = re.compile("Address already in use|pre-existing shared memory")


class Server(Protocol):
    """A server program that the launcher can start."""

    name: str
    stop_plan: StopPlan

    def launch(self, port: int, log: Path) -> Child:
        """Start the server on a port of 127.0.0.1."""
        ...

    def is_ready(self, child: Child, port: int) -> bool:
        """Return True once the server accepts connections."""
        ...


class Launcher:
    """Runs programs with `home` as working folder, as `account` if it is given. Logs go
    to `logs`.
    """

    def __init__(
        self, home: Path, logs: Path, account: pwd.struct_passwd | None
    ) -> None:
        self.home = home
        self.logs = logs
        self.account = account
        self.children: dict[str, ManagedChild] = {}

    def create_private_folder(self, folder: Path) -> None:
        """Create a folder that only the servers' account can open. An existing folder
        is not changed.
        """
        if folder.exists():
            return
        folder.mkdir(mode=0o700)
        if self.account:
            os.chown(
                folder, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False
            )

    def spawn(
        self, command: Command, log: Path, stdin_text: str = "", **options: Any
    ) -> Child:
        """Start a program with `stdin_text` as its input. Raises OSError or
        SubprocessError.
        """
        env = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        if self.account:
            options["user"] = self.account.pw_uid
            options["group"] = self.account.pw_gid
            options["extra_groups"] = []
        with tempfile.TemporaryFile() as stdin:
            stdin.write(stdin_text.encode())
            stdin.seek(0)
            return spawn(
                command, env=env, log=log, cwd=self.home, stdin=stdin, **options
            )

    def run_tool(self, command: Command, stdin_text: str = "") -> None:
        """Run one of PostgreSQL's tools and wait for its end. Raises EmbeddedError or
        TimeoutExpired.
        """
        log = self.logs / "initdb.log"
        log.unlink(missing_ok=True)
        child = self.spawn(command, log, stdin_text)
        try:
            child.wait(TOOL_TIMEOUT_SECONDS)
        finally:
            end([ManagedChild(child, [StopStep(Signals.SIGKILL, 2)])])
        text = tail(log)
        # A single-user server exits with 0 even after an error.
        has_error = re.search(r"\b(ERROR|FATAL|PANIC):", text)
        if child.returncode or has_error:
            tool = Path(command[0]).name
            raise error_with_remedy(
                f"The database could not be created: {tool} failed (log: {log}).", text
            )

    def start_server(self, server: Server) -> int:
        """Start a server, wait until it is ready and return its port. Raises
        EmbeddedError.
        """
        log = self.logs / f"{server.name}.log"
        last_try = time.monotonic() + RETRY_SECONDS
        while True:
            port = _free_port()
            if self._try_to_start(server, port, log):
                return port
            text = tail(log)
            if _TEMPORARY.search(text) and time.monotonic() <= last_try:
                continue
            raise error_with_remedy(f"{server.name} did not start (log: {log}).", text)

    def _try_to_start(self, server: Server, port: int, log: Path) -> bool:
        """Start a server with a new log. Return False if it has ended, or is not ready
        within START_TIMEOUT_SECONDS.
        """
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        child = server.launch(port, log)
        self.children[server.name] = ManagedChild(child, server.stop_plan)
        is_settled = until(
            lambda: child.poll() is not None or server.is_ready(child, port),
            START_TIMEOUT_SECONDS,
        )
        return is_settled and child.poll() is None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def servers_of(home: Path) -> list[int]:
    """Return the ids of the processes that serve the databases in `home`; none where
    there is no /proc.
    """
    arguments = {bytes(home / name) for name in ("postgres", "valkey")}
    pids: list[int] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if arguments.intersection(path.read_bytes().split(b"\0")):
                pids.append(int(path.parent.name))
    return pids


def end_leftover_servers(home: Path, *, wait_seconds: float) -> None:
    """Wait for the servers of a start that was killed, and kill those that are still
    there after `wait_seconds`.
    """
    if until(lambda: not servers_of(home), wait_seconds):
        return
    for pid in servers_of(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, Signals.SIGKILL)
