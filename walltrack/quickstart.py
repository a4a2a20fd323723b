"""`make run` and `make discover`: everything from nothing, in one terminal, until Ctrl-C.

PostgreSQL, Valkey and the simulated market are started, the database is migrated, web server, worker and beat
stay, and a first discovery goes through the worker while its progress shows here. Every child has a session of
its own, so Ctrl-C reaches this process alone, which stops them in order. Children write to `.data/logs/`.
"""

import argparse
import contextlib
import csv
import http.client
import io
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Self

from walltrack.embedded import CHECKOUT, STOP_SIGNALS, Servers, remove, running
from walltrack.processes import ENDING, Child, EmbeddedError, end, explained, spawn, tail, until

DATA = CHECKOUT / ".data"
HOST = "127.0.0.1"
CALLS_PER_SECOND = 500
CELERY = (sys.executable, "-m", "celery", "-A", "walltrack")
WORKER_READY = "worker takes work"  # what it logs (discovery/runs/upkeep.py)
MANAGE = (sys.executable, str(CHECKOUT / "manage.py"))
ADDRESS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")


class Failure(Exception):
    """Something went wrong that the operator can mend; the message gives the cause and the remedy."""


@dataclass(frozen=True)
class Programs:
    """The command line of each child."""

    market: Sequence[str]
    migrate: Sequence[str]
    discover: Sequence[str]
    operator: Sequence[str]
    api_key: Sequence[str]
    web: Sequence[str]
    worker: Sequence[str]
    beat: Sequence[str]


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line; `discover ARGS…` gives ARGS to the discovery, without a web server. May exit (2)."""
    parser = argparse.ArgumentParser(prog="make run ARGS=…", description="WallTrack from nothing, on one machine.")
    parser.add_argument("--trades", type=Path, metavar="FILE", help="build the market over these real trades (CSV)")
    parser.add_argument("--world", default="small", help="the simulated world (default: small)")
    parser.add_argument("--seed", type=int, default=7, help="its seed (default: 7)")
    parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8080", help="web port (default: 8080)")
    parser.add_argument("--no-web", dest="web", action="store_false", help="end after the first discovery")
    parser.add_argument("--no-discovery", dest="discovery", action="store_false", help="start without a discovery")
    parser.add_argument("--fresh", action="store_true", help="delete all data first")
    if list(arguments[:1]) == ["discover"]:
        chosen = parser.parse_args(["--no-web"])
        chosen.discover_arguments = list(arguments[1:])  # None where `make run` chooses them
        return chosen
    chosen = parser.parse_args(arguments)
    if not 0 < chosen.port < 65_536:
        parser.error(f"--port: {chosen.port} is not between 1 and 65535")
    chosen.discover_arguments = None
    return chosen


def mints_of(trades: Path) -> list[str]:
    """The distinct mints of a trades file in its own order. May raise: Failure."""
    try:
        with trades.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            mints = {row.get("mint") or "": None for row in rows}
    except (OSError, ValueError, csv.Error) as error:
        raise Failure(f"The trades file {trades} cannot be read: {error}") from error
    found = [mint for mint in mints if ADDRESS.fullmatch(mint)]
    if not found:
        raise Failure(f"The trades file {trades} has no token address in a column `mint`.")
    return found


def programs(chosen: argparse.Namespace) -> Programs:
    """What is run for these options. May raise: Failure."""
    market = [sys.executable, "-m", "simmarket", "--port", "0", "--rps", str(CALLS_PER_SECOND)]
    tokens: list[str] = []
    if chosen.trades:
        market += ["--trades", str(chosen.trades.absolute())]
        tokens = [part for mint in mints_of(chosen.trades) for part in ("--token", mint)]
    else:
        market += ["--world", chosen.world, "--seed", str(chosen.seed)]
    web = [sys.executable, "-m", "gunicorn", "walltrack.wsgi:application", "--bind", f"{HOST}:{chosen.port}"]
    return Programs(
        market=market,
        migrate=[*MANAGE, "migrate", "--noinput"],
        discover=[*MANAGE, "discover", *tokens, *(chosen.discover_arguments or [])],
        operator=[*MANAGE, "createsuperuser", "--noinput"],
        api_key=[*MANAGE, "create_api_key", "make run", "--scope", "admin"],
        # One process with threads: a first look needs no more. The control socket has one fixed place for a user.
        web=[*web, "--threads", "8", "--graceful-timeout", "2", "--no-control-socket"],
        worker=[*CELERY, "worker", "--queues", "runs,steps,periodic", "--loglevel", "info"],
        beat=[*CELERY, "beat", "--loglevel", "info"],
    )


def environment(
    base: Mapping[str, str], *, database_url: str, redis_url: str, market_url: str, port: int, secret_key: str
) -> dict[str, str]:
    """What every child gets: `base` without what would lead it elsewhere, and where things are."""
    kept = {name: value for name, value in base.items() if not name.startswith(("PG", "DJANGO_", "PYTEST_"))}
    return kept | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "MARKET": "simulated",
        "SECRET_KEY": secret_key,
        "DEBUG": "false",
        "ALLOWED_HOSTS": f"{HOST},localhost",
        "PUBLIC_URL": f"http://{HOST}:{port}",
        "DEXSCREENER_URL": f"{market_url}/dexscreener",
        "GECKOTERMINAL_URL": f"{market_url}/geckoterminal",
        "JUPITER_URL": f"{market_url}/jupiter",
        "SOLANA_RPC_URL": f"{market_url}/rpc",
        "HELIUS_URL": f"{market_url}/helius",
        "HELIUS_API_KEY": "simulated",
        "PRICES_URL": f"{market_url}/prices",
        "PROVIDER_RPS": str(CALLS_PER_SECOND),
        "WORKER_CONCURRENCY": base.get("WORKER_CONCURRENCY", "4"),
        "NO_PROXY": f"{HOST},localhost",  # all of it is on this machine
        "no_proxy": f"{HOST},localhost",
        "PYTHONUNBUFFERED": "1",
    }


def secret_key(data_dir: Path) -> str:
    """The key kept in `data_dir`, made once, readable to this user only. May raise: OSError."""
    path = data_dir / "secret_key"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()


def _listener(port: int) -> str:
    """Who listens on a TCP port of this machine; empty where this user may not know."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            sockets |= {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*") if sockets else ():
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) in sockets:
                words = (descriptor.parents[1] / "cmdline").read_bytes().decode(errors="replace").split("\0")
                return f" by process {descriptor.parts[2]} ({' '.join(words).strip()[:80]})"
    return ""


def check_port(port: int) -> None:
    """May raise: Failure, when the web server could not listen on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            other = port + 1 if port >= 1024 else 8080
            cause = f"is taken{_listener(port)}" if error.errno == 98 else f"cannot be used: {error.strerror}"
            raise Failure(f"Port {port} {cause}.\nStop it, or choose another: make run PORT={other}") from error


@contextlib.contextmanager
def step(label: str) -> Iterator[None]:
    """Prints one line with a tick and its seconds when the block is done."""
    started, waiting = time.monotonic(), sys.stdout.isatty()
    print(f"  … {label}" if waiting else "", end="", flush=True)
    try:
        yield
    except BaseException:
        print("\r" if waiting else "", f" ✗ {label}", sep="", flush=True)
        raise
    print("\r" if waiting else "", f"  ✓ {label:<44} {time.monotonic() - started:5.1f} s", sep="", flush=True)


class Quickstart:
    """One run; a context manager that ends on leaving whatever was started."""

    def __init__(self, chosen: argparse.Namespace, run: Programs, data_dir: Path) -> None:
        self.chosen, self.run, self.data_dir = chosen, run, data_dir
        self.servers = Servers(data_dir)
        self.children: dict[str, Child] = {}
        self.env: dict[str, str] = dict(os.environ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Stopping is bounded: a second Ctrl-C must not leave anything behind.
        handlers = {number: signal.signal(number, signal.SIG_IGN) for number in STOP_SIGNALS}
        end([(child, ENDING) for child in self.children.values()])
        self.servers.stop()
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def start(self) -> None:
        """Starts the servers and the market and migrates. May raise: Failure, EmbeddedError."""
        with step("PostgreSQL and Valkey"):
            self.servers.start()
        with step("Simulated market"):
            log = self.spawn("market", self.run.market)
            found: list[str] = []

            def listening() -> bool:
                found.extend(re.findall(rf"on (http://{HOST}:\d+)", tail(log)))
                return bool(found)

            self.wait_for("the simulated market", listening, 120)
        self.env = environment(
            os.environ,
            database_url=self.servers.database_url,
            redis_url=self.servers.redis_url,
            market_url=found[0],
            port=self.chosen.port,
            secret_key=secret_key(self.data_dir),
        )
        with step("Database migrations"):
            self.finish("migrate", self.run.migrate)
        self.servers.publish(environment=dict(self.env.items() - os.environ.items()))

    def discover(self) -> int:
        """A discovery on this terminal; its exit code. May raise: Failure, when another child dies."""
        command = self.run.discover if self.chosen.web else [*self.run.discover, "--foreground"]
        self.spawn("discovery", command, log=False)
        return self._exit_code("discovery")

    def serve(self) -> None:
        """Starts web server, worker and beat, and waits until they are ready. May raise: Failure."""
        with step("Web server"):
            self.spawn("web", self.run.web)
            self.wait_for("the web server", lambda: answers(self.chosen.port), 60)
        with step("Worker and beat"):
            log = self.spawn("worker", self.run.worker)
            self.spawn("beat", self.run.beat)
            self.wait_for("the worker", lambda: WORKER_READY in tail(log), 60)
        self.servers.publish(url=f"http://{HOST}:{self.chosen.port}")

    def make_operator(self) -> tuple[str, str]:
        """Makes the login `operator` and an API key, once; both, or "" where they were there. May raise: Failure."""
        made = self.data_dir / "operator_made"
        if made.exists():
            return "", ""
        password = secrets.token_urlsafe(12)
        self.env |= {"DJANGO_SUPERUSER_PASSWORD": password}
        self.env |= {"DJANGO_SUPERUSER_USERNAME": "operator", "DJANGO_SUPERUSER_EMAIL": "operator@localhost"}
        try:
            self.finish("operator", self.run.operator)
        except Failure as failure:
            if "already taken" not in str(failure):
                raise
            password = ""
        # Not through a log: the key would stay there.
        key = subprocess.run(self.run.api_key, env=self.env, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        made.touch()
        return password, key.stdout.strip()

    def stay(self) -> None:
        """Waits for a stop signal, which raises KeyboardInterrupt. May raise: Failure, when a child dies."""
        while True:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)  # left unreaped: Popen wants to see it too
            self.check()

    def spawn(self, name: str, command: Sequence[str], *, log: bool = True) -> Path:
        """Starts a child; its log, a fresh one (not `log`: it writes to our terminal)."""
        path = self.data_dir / "logs" / f"{name}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        env = self.env | {"PYTHONUNBUFFERED": "1"}
        self.children[name] = spawn(command, env=env, log=path if log else None, cwd=CHECKOUT)
        return path

    def finish(self, name: str, command: Sequence[str]) -> None:
        """Runs a child to its end. May raise: Failure with its last lines, when it fails."""
        log = self.spawn(name, command)
        if code := self._exit_code(name):
            raise Failure(str(explained(f"{name} failed with exit code {code} (log: {log}):", tail(log))))

    def _exit_code(self, name: str) -> int:
        child = self.children[name]
        while child.poll() is None:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            if child.poll() is None:
                self.check()
        del self.children[name]
        return child.returncode

    def wait_for(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """May raise: Failure, when `condition` does not hold in time or a child dies before."""

        def settled() -> bool:
            self.check()
            return condition()

        if not until(settled, seconds):
            raise Failure(f"{what} was not ready within {seconds:.0f} s; logs: {self.data_dir / 'logs'}.")

    def check(self) -> None:
        """May raise: Failure, which names a child that died, with its last log lines."""
        servers = {name: child for name, (child, _) in self.servers.children.items()}
        for name, child in (servers | self.children).items():
            if child.poll() is not None:
                log = self.data_dir / "logs" / f"{name}.log"
                what = f"{name} has ended (exit code {child.returncode}); its last lines ({log}):"
                raise Failure(str(explained(what, tail(log))))


def answers(port: int) -> bool:
    """Whether a web server on `port` answers a request without an error of its own."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/admin/login/")
        return connection.getresponse().status < 500
    return False


def work(chosen: argparse.Namespace, run: Programs, data_dir: Path) -> int:
    """The whole run; its exit code. May raise: Failure, EmbeddedError, OSError, KeyboardInterrupt."""
    now = running(data_dir)
    if now and chosen.discover_arguments is not None and "environment" in now:
        os.chdir(CHECKOUT)
        os.execve(run.discover[0], list(run.discover), os.environ | now["environment"])  # noqa: S606 - our own command
    if chosen.fresh and now is None:
        with step("Old data deleted"):
            remove(data_dir)
    with Quickstart(chosen, run, data_dir) as quickstart:
        if chosen.web and now is None:
            check_port(chosen.port)
        quickstart.start()
        code = 0
        if chosen.web:
            quickstart.serve()
        if chosen.discovery:
            print("  First discovery", flush=True)
            code = quickstart.discover()
            if code:
                print(f"  ✗ The discovery failed (exit code {code}).", flush=True)
        if not chosen.web:
            return code
        password, key = quickstart.make_operator()
        with contextlib.suppress(KeyboardInterrupt):
            print(f"\n  Look at http://{HOST}:{chosen.port}/admin/")
            print(f"  Login: operator, password: {password} (shown only now)" if password else "  Login: operator")
            if key:
                print(f"  API key: {key} (shown only now)\n  API: http://{HOST}:{chosen.port}/api/docs")
            print("  Ctrl-C stops everything; the data are kept.", flush=True)
            quickstart.stay()
        print("\n  Stopping …", flush=True)
    return 0


def main(
    arguments: Sequence[str], plan: Callable[[argparse.Namespace], Programs] = programs, data_dir: Path = DATA
) -> int:
    """Exit code: 0 stopped or done, 1 a failure told in words, 2 wrong usage, 130 interrupted."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in STOP_SIGNALS:
        signal.signal(number, interrupt)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without the tick shows a question mark
    try:
        chosen = options(arguments)
        return work(chosen, plan(chosen), data_dir)
    except KeyboardInterrupt:
        print("\n  Interrupted; everything is stopped.", file=sys.stderr)
        return 130
    except (Failure, EmbeddedError) as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\n{explained('WallTrack could not start.', str(error))}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
