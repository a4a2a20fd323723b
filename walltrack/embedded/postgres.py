"""The embedded PostgreSQL: creates the database, sets its password and starts the
server.
"""

import contextlib
import secrets
from pathlib import Path
from signal import Signals

from walltrack.embedded.folders import remove_folder
from walltrack.embedded.launcher import Launcher
from walltrack.processes import Child, Command, StopPlan, StopStep

INITDB_OPTIONS = (
    "--username=walltrack",
    "--auth-local=reject",
    "--auth-host=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "timezone=UTC",
    "log_timezone=UTC",
)
DURABLE_SETTINGS: tuple[str, ...] = ("max_wal_size=256MB",)
TEMPORARY_SETTINGS: tuple[str, ...] = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
)
# SIGINT is PostgreSQL's fast shutdown, which disconnects clients. SIGQUIT the immediate
# one: the next start recovers.
FAST_SHUTDOWN = StopStep(Signals.SIGINT, 4)
IMMEDIATE_SHUTDOWN: StopPlan = (
    StopStep(Signals.SIGQUIT, 1),
    StopStep(Signals.SIGKILL, 1),
)


class Postgres:
    """PostgreSQL over `home`/postgres. With `is_durable`, its data survive a crash of
    the machine.
    """

    name = "postgres"

    def __init__(self, launcher: Launcher, programs: Path, *, is_durable: bool) -> None:
        self._launcher = launcher
        self._programs = programs
        self._is_durable = is_durable
        self._data = launcher.home / "postgres"
        self._password = secrets.token_urlsafe(24)
        self._settings = TEMPORARY_SETTINGS
        self.stop_plan: StopPlan = IMMEDIATE_SHUTDOWN
        if is_durable:
            self._settings = DURABLE_SETTINGS
            self.stop_plan = [FAST_SHUTDOWN, *IMMEDIATE_SHUTDOWN]

    def prepare(self) -> None:
        """Create the database if it does not exist and set a new password. Raises
        EmbeddedError or OSError.
        """
        if not self._data.exists():
            self._create()
        self._execute(
            self._data, f"ALTER ROLE walltrack PASSWORD '{self._password}';\n"
        )

    def _create(self) -> None:
        # Renamed when it is complete, so that an interrupted start leaves no half of a
        # database.
        staging = self._data.with_name("postgres.new")
        remove_folder(staging)
        command: list[str | Path] = [
            self._programs / "initdb",
            "-D",
            staging,
            *INITDB_OPTIONS,
        ]
        if not self._is_durable:
            command.append("--no-sync")
        self._launcher.run_tool(command)
        self._execute(staging, "CREATE DATABASE walltrack;\n")
        staging.rename(self._data)

    def _execute(self, data: Path, statement: str) -> None:
        """Run a statement without a server, in single-user mode."""
        command: Command = [
            self._programs / "postgres",
            "--single",
            "-D",
            data,
            "postgres",
        ]
        self._launcher.run_tool(command, statement)

    def launch(self, port: int, log: Path) -> Child:
        """Start the server on a port of 127.0.0.1."""
        settings = [*SETTINGS, f"port={port}", *self._settings]
        options = [f"--{setting}" for setting in settings]
        command: Command = [self._programs / "postgres", "-D", self._data, *options]
        return self._launcher.spawn(command, log, last=Signals.SIGINT)

    def is_ready(self, child: Child, _port: int) -> bool:
        """Return True once the server accepts connections, according to its pid file."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().split("\n")
            # Line 1 is the process id, line 8 the state.
            return lines[0] == str(child.pid) and lines[7:8] == ["ready   "]
        return False

    def url(self, port: int) -> str:
        """Return the URL of the database, with its password."""
        return f"postgresql://walltrack:{self._password}@127.0.0.1:{port}/walltrack"
