"""Both embedded servers over one data folder, as a context manager."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from signal import Signals
from typing import Any, Self

from walltrack.embedded.folders import remove_data, root_account, root_base, root_home
from walltrack.embedded.launcher import Launcher, end_leftover_servers
from walltrack.embedded.lock import DataLock, running_instance
from walltrack.embedded.postgres import Postgres
from walltrack.embedded.programs import copied_programs, installed_programs
from walltrack.embedded.valkey import Valkey
from walltrack.processes import (
    EmbeddedError,
    ManagedChild,
    end,
    error_with_remedy,
    until,
)

# A new database with its write-ahead log, and room to work.
MIN_FREE_BYTES = 250 * 1024 * 1024
STOP_SIGNALS = (Signals.SIGINT, Signals.SIGTERM, Signals.SIGHUP)


class Servers:
    """PostgreSQL and Valkey over `data_dir`. Without it they are temporary: not
    crash-safe, deleted when they stop.

    Starting raises EmbeddedError. Stopping takes at most 6 seconds.
    """

    def __init__(self, data_dir: Path | None = None) -> None:
        self.is_durable = data_dir is not None
        if data_dir is None:
            self.data_dir = Path(tempfile.mkdtemp(prefix="walltrack-throwaway-"))
        else:
            self.data_dir = data_dir.resolve()
        self.account: pwd.struct_passwd | None = None
        self.children: dict[str, ManagedChild] = {}
        self._lock = DataLock(self.data_dir)

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
        """Take the lock and start both servers. Raises EmbeddedError, also if they are
        running already.
        """
        try:
            self._acquire_lock()
            self._prepare()
            self._start_servers()
        except (OSError, subprocess.SubprocessError) as error:
            raise error_with_remedy(
                "The embedded servers could not be started.", str(error)
            ) from error

    def stop(self) -> None:
        """Stop both servers and delete the data of temporary ones."""
        end(list(self.children.values()))
        self.children.clear()
        if not self.is_durable:
            remove_data(self.data_dir)
        self._lock.release()

    def publish(self, **facts: Any) -> None:
        """Add to the facts that `running_instance` returns in other processes. Raises
        OSError.
        """
        self._lock.publish(**facts)

    def _acquire_lock(self) -> None:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Repeated, because `running_instance` in another process holds the lock for an
        # instant.
        if not until(self._lock.acquire, 0.3):
            raise _already_running(self.data_dir)
        self.publish(pid=os.getpid())

    def _prepare(self) -> None:
        if os.geteuid() == 0:
            base = root_base()
            self.account = root_account()
            self.home = root_home(base, self.data_dir)
            self._programs = copied_programs(base)
        else:
            self.home = self.data_dir / "servers"
            self._programs = installed_programs()
        logs = self.data_dir / "logs"
        logs.mkdir(exist_ok=True)
        self._launcher = Launcher(self.home, logs, self.account)
        self.children = self._launcher.children
        self._launcher.create_private_folder(self.home)
        self._check_free_space()
        end_leftover_servers(self.home, wait_seconds=8)
        # PostgreSQL would take the process id in an old pid file for its own, even if
        # another program has it now.
        (self.home / "postgres" / "postmaster.pid").unlink(missing_ok=True)

    def _check_free_space(self) -> None:
        if (self.home / "postgres").exists():
            return
        free_bytes = shutil.disk_usage(self.home).free
        if free_bytes < MIN_FREE_BYTES:
            summary = f"Only {free_bytes // 1024**2} MB are free for {self.home}."
            raise error_with_remedy(summary, "No space left")

    def _start_servers(self) -> None:
        postgres = Postgres(
            self._launcher, self._programs.postgres / "bin", is_durable=self.is_durable
        )
        postgres.prepare()
        self.database_url = postgres.url(self._launcher.start_server(postgres))
        valkey = Valkey(
            self._launcher, self._programs.valkey, is_durable=self.is_durable
        )
        valkey.prepare()
        self.redis_url = valkey.url(self._launcher.start_server(valkey))
        self.publish(database_url=self.database_url, redis_url=self.redis_url)


def _already_running(data_dir: Path) -> EmbeddedError:
    holder = running_instance(data_dir) or {}
    pid = holder.get("pid")
    address = holder.get("url")
    if not address:
        address = "PostgreSQL on " + holder.get("database_url", "").partition("@")[2]
    return EmbeddedError(
        f"Already running from this folder: process {pid}, {address}.\n"
        f"Use it, or stop it with Ctrl-C where it was started or with `kill {pid}`."
    )
