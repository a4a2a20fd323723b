"""Start the children, watch them and stop them."""

import os
import re
import secrets
import signal
import subprocess
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from walltrack.embedded.folders import CHECKOUT
from walltrack.embedded.servers import STOP_SIGNALS, Servers
from walltrack.processes import (
    TERMINATE,
    Child,
    ManagedChild,
    end,
    error_with_remedy,
    spawn,
    tail,
    until,
)
from walltrack.quickstart.errors import QuickstartError
from walltrack.quickstart.programs import Programs, child_environment, load_secret_key
from walltrack.quickstart.progress import progress_line
from walltrack.quickstart.simulated_clock import (
    LIVING,
    describe_clock,
    prepare_clock,
)
from walltrack.quickstart.web_port import HOST, is_responding

WORKER_READY = (
    "worker takes work"  # logged by discovery when a worker starts to consume
)
MARKET_URL = re.compile(rf"on (http://{HOST}:\d+)")


class Credentials(NamedTuple):
    """The operator's password and API key; "" for one that existed before and is
    therefore unknown.
    """

    password: str
    api_key: str


class Quickstart:
    """One run of WallTrack; a context manager that stops everything that was started."""

    def __init__(self, options: Namespace, programs: Programs, data_dir: Path) -> None:
        self.options = options
        self.programs = programs
        self.data_dir = data_dir
        self.logs = data_dir / "logs"
        self.servers = Servers(data_dir)
        self.children: dict[str, Child] = {}
        self.env: dict[str, str] = dict(os.environ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Stopping takes a limited time: a second Ctrl-C must not interrupt it and leave
        # processes behind.
        handlers = {
            number: signal.signal(number, signal.SIG_IGN) for number in STOP_SIGNALS
        }
        end([ManagedChild(child, TERMINATE) for child in self.children.values()])
        self.servers.stop()
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def start(self) -> None:
        """Start the servers and the market, and migrate. Raises QuickstartError or
        EmbeddedError.
        """
        with progress_line("PostgreSQL and Valkey"):
            self.servers.start()
        clock_file = self.prepare_clock()
        with progress_line("Simulated market"):
            market_url = self._start_market(clock_file)
        if clock_file is not None:
            print(f"    {describe_clock(clock_file)}", flush=True)
        self.env = child_environment(
            os.environ,
            database_url=self.servers.database_url,
            redis_url=self.servers.redis_url,
            market_url=market_url,
            port=self.options.port,
            secret_key=load_secret_key(self.data_dir),
            clock_file=clock_file,
        )
        with progress_line("Database migrations"):
            self._run("migrate", self.programs.migrate)
        self.servers.publish(environment=dict(self.env.items() - os.environ.items()))

    def prepare_clock(self) -> Path | None:
        """Return the clock file, or None if the market lives in real time."""
        if self.options.trades or self.options.world != LIVING:
            return None
        return prepare_clock(self.data_dir)

    def _start_market(self, clock_file: Path | None) -> str:
        command = list(self.programs.market)
        if clock_file is not None:
            command += ["--clock", str(clock_file)]
        log = self._spawn("market", command)
        urls: list[str] = []

        def has_url() -> bool:
            urls.extend(MARKET_URL.findall(tail(log)))
            return bool(urls)

        self._wait_for("the simulated market", has_url, 120)
        return urls[0]

    def discover(self) -> int:
        """Run a discovery in this terminal and return its exit code. Raises
        QuickstartError if another child ends.
        """
        command = list(self.programs.discover)
        if not self.options.web:
            command.append("--foreground")
        self._spawn("discovery", command, has_log=False)
        return self._exit_code("discovery")

    def serve(self) -> None:
        """Start web server, worker and beat, and wait until they are ready. Raises
        QuickstartError.
        """
        with progress_line("Web server"):
            self._spawn("web", self.programs.web)
            self._wait_for(
                "the web server", lambda: is_responding(self.options.port), 60
            )
        with progress_line("Worker and beat"):
            log = self._spawn("worker", self.programs.worker)
            self._spawn("beat", self.programs.beat)
            self._wait_for("the worker", lambda: WORKER_READY in tail(log), 60)
        self.servers.publish(url=f"http://{HOST}:{self.options.port}")

    def create_operator(self) -> Credentials:
        """Create the login `operator` and an API key on the first start. Raises
        QuickstartError.
        """
        marker = self.data_dir / "operator_made"
        if marker.exists():
            return Credentials(password="", api_key="")
        password = secrets.token_urlsafe(12)
        self.env["DJANGO_SUPERUSER_USERNAME"] = "operator"
        self.env["DJANGO_SUPERUSER_EMAIL"] = "operator@localhost"
        self.env["DJANGO_SUPERUSER_PASSWORD"] = password
        try:
            self._run("operator", self.programs.operator)
        except QuickstartError as error:
            if "already taken" not in str(error):
                raise
            password = ""
        api_key = self._create_api_key()
        marker.touch()
        return Credentials(password, api_key)

    def _create_api_key(self) -> str:
        # Read from a pipe, not from a log file, where the key would stay.
        result = subprocess.run(
            self.programs.api_key,
            env=self.env,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        return result.stdout.strip()

    def wait_for_stop(self) -> None:
        """Wait for a stop signal, which raises KeyboardInterrupt. Raises
        QuickstartError if a child ends.
        """
        while True:
            _wait_for_any_child()
            self._check_children()

    def _spawn(
        self, name: str, command: Sequence[str], *, has_log: bool = True
    ) -> Path:
        """Start a child and return the path of its log, which is new. Without a log it
        writes to this terminal.
        """
        path = self.logs / f"{name}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        self.children[name] = spawn(
            command,
            env=self.env | {"PYTHONUNBUFFERED": "1"},
            log=path if has_log else None,
            cwd=CHECKOUT,
        )
        return path

    def _run(self, name: str, command: Sequence[str]) -> None:
        """Run a child and wait for its end. Raises QuickstartError with its last log
        lines if it fails.
        """
        log = self._spawn(name, command)
        exit_code = self._exit_code(name)
        if exit_code:
            summary = f"{name} failed with exit code {exit_code} (log: {log}):"
            raise QuickstartError(str(error_with_remedy(summary, tail(log))))

    def _exit_code(self, name: str) -> int:
        """Wait for the end of a child and return its exit code. Raises QuickstartError
        if another child ends first.
        """
        child = self.children[name]
        while child.poll() is None:
            _wait_for_any_child()
            if child.poll() is None:
                self._check_children()
        del self.children[name]
        return child.returncode

    def _wait_for(
        self, label: str, condition: Callable[[], bool], seconds: float
    ) -> None:
        """Raise QuickstartError if `condition` does not hold in time or a child ends
        before.
        """

        def is_settled() -> bool:
            self._check_children()
            return condition()

        if not until(is_settled, seconds):
            raise QuickstartError(
                f"{label} was not ready within {seconds:.0f} s; logs: {self.logs}."
            )

    def _check_children(self) -> None:
        """Raise QuickstartError with the name and the last log lines of a child that
        has ended.
        """
        children = {
            name: child.process for name, child in self.servers.children.items()
        }
        children |= self.children
        for name, child in children.items():
            if child.poll() is not None:
                log = self.logs / f"{name}.log"
                summary = f"{name} has ended (exit code {child.returncode}); its last lines ({log}):"
                raise QuickstartError(str(error_with_remedy(summary, tail(log))))


def _wait_for_any_child() -> None:
    # Without reaping it, so that `Popen` still sees its exit code.
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
