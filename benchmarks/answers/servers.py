"""The programs that answer: the simulated market, `manage.py`, web server, worker and
beat, as child processes.
"""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.answers.form import EPOCH, SLOWDOWN

ROOT: Final = Path(__file__).resolve().parents[2]
HOST: Final = "127.0.0.1"
MANAGE: Final = (sys.executable, "manage.py")
CELERY: Final = (sys.executable, "-m", "celery", "-A", "walltrack")
CALLS_PER_SECOND: Final = 5000
UNUSED_URL: Final = f"{HOST}:9"
"""Where nobody listens."""
_INHERITED: Final = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "VIRTUAL_ENV",
    "DATABASE_URL",
    "REDIS_URL",
)

# Python imports it at start-up in each child. The product and the market read their
# clock by these functions alone.
_CLOCK: Final = f"""
import datetime, os, time
from django.utils import timezone
_started, _time = float(os.environ["ANSWERS_STARTED"]), time.time
time.time = lambda: {EPOCH} + (_time() - _started) / {SLOWDOWN}
time.time_ns = lambda: int(time.time() * 1_000_000_000)
timezone.now = lambda: datetime.datetime.fromtimestamp(time.time(), datetime.timezone.utc)
"""


class Failure(Exception):
    """A program did not start or did not end as expected."""


class Reply(NamedTuple):
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


class Request(NamedTuple):
    """An HTTP request. `role`: whose API key it carries, "" for none."""

    method: str
    path: str
    role: str = "reader"
    body: Any = None
    headers: Mapping[str, str] = {}


class Installation:
    """One configured copy of the product beside a simulated market.

    `folder` takes the clock and the log of the servers. `environment` is that of every
    program.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "sitecustomize.py").write_text(_CLOCK)
        self.log = folder / "servers.log"
        self.environment = {
            name: os.environ[name] for name in _INHERITED if name in os.environ
        }
        self.environment |= {
            "PYTHONPATH": str(folder),
            "PYTHONUNBUFFERED": "1",
            "ANSWERS_STARTED": str(time.time()),
            "LOGNAME": "answers",
            "SECRET_KEY": "answers-" * 8,
            "WALLTRACK_VERSION": "answers",
            "LOG_LEVEL": "error",
            "MARKET": "simulated",
            "PROVIDER_RPS": str(CALLS_PER_SECOND),
            "WORKER_CONCURRENCY": "2",
            "API_THROTTLE_READ": "1000000",
            "API_THROTTLE_WRITE": "1000000",
            "API_THROTTLE_ANONYMOUS": "1000000",
            "NO_PROXY": HOST,
        }

    def manage(
        self,
        *arguments: str,
        stdin: bytes = b"",
        settings: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one command of manage.py to its end."""
        environment = self.environment | dict(settings or {})
        return subprocess.run(
            [*MANAGE, *arguments],
            cwd=ROOT,
            env=environment,
            input=stdin,
            capture_output=True,
            check=False,
        )

    def log_tail(self) -> list[str]:
        """Return the last lines that the servers wrote."""
        return (
            self.log.read_text(errors="replace").splitlines()[-20:]
            if self.log.exists()
            else []
        )

    @contextlib.contextmanager
    def market(self, *arguments: str) -> Iterator[None]:
        """Run a simulated market and point every provider at it."""
        command = [
            sys.executable,
            "-m",
            "simmarket",
            "--port",
            "0",
            "--rps",
            str(CALLS_PER_SECOND),
            *arguments,
        ]
        with self._child(command, self.environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            if " on http://" not in line:
                raise Failure(f"the simulated market did not start: {line}")
            self.environment["SIMULATED_URL"] = line.rsplit(" on ", 1)[1].strip()
            yield

    @contextlib.contextmanager
    def web(self, keys: Mapping[str, str], **settings: str) -> Iterator["Web"]:
        """Run the web server. `keys`: the API key of each role. `settings` differ from
        those of the installation.
        """
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "walltrack.wsgi:application",
            "--bind",
            f"{HOST}:{port}",
        ]
        command += [
            "--threads",
            "8",
            "--timeout",
            "90",
            "--graceful-timeout",
            "2",
            "--no-control-socket",
        ]
        with self._child(command, self.environment | settings):
            web = Web(port, keys)
            wait_for("the web server", web.is_up, 90)
            yield web

    @contextlib.contextmanager
    def workers(self) -> Iterator[None]:
        """Run a worker and the scheduler of periodic tasks."""
        worker = [
            *CELERY,
            "worker",
            "--queues",
            "runs,steps,periodic",
            "--loglevel",
            "error",
        ]
        beat = [*CELERY, "beat", "--pidfile=", "--loglevel", "error"]
        with self._child(worker, self.environment), self._child(beat, self.environment):
            yield

    @contextlib.contextmanager
    def _child(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        stdout: int | None = None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("ab") as log:
            output = log if stdout is None else stdout
            process = subprocess.Popen(
                command, cwd=ROOT, env=dict(environment), stdout=output, stderr=log
            )
        with process:
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()


class Web:
    """The web server on `port`."""

    def __init__(self, port: int, keys: Mapping[str, str]) -> None:
        self._port = port
        self._keys = keys

    def is_up(self) -> bool:
        """Return whether the process answers."""
        try:
            return self.send(Request("GET", "/health/live", role="")).status < 500
        except (OSError, http.client.HTTPException):
            return False

    def send(self, request: Request) -> Reply:
        """Send one request over a connection of its own. A body that is not bytes is
        sent as JSON.
        """
        headers = dict(request.headers)
        if request.role:
            headers["Authorization"] = f"Bearer {self._keys[request.role]}"
        body = request.body
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(HOST, self._port, timeout=90)
        with contextlib.closing(connection):
            is_chunked = headers.get("Transfer-Encoding") == "chunked"
            connection.request(
                request.method, request.path, body, headers, encode_chunked=is_chunked
            )
            response = connection.getresponse()
            headers = {
                name: ", ".join(response.headers.get_all(name, []))
                for name in response.headers
            }
            return Reply(response.status, headers, response.read())

    def json(self, path: str, role: str = "admin") -> Any:
        """Return the JSON body of a GET."""
        return json.loads(self.send(Request("GET", path, role)).body)


def wait_for(what: str, condition: Callable[[], bool], seconds: float) -> None:
    """Wait until the condition holds. Raises Failure when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"{what}: not ready within {seconds:.0f} s")
        time.sleep(0.3)
