"""Processes of `make run`, with stubs for the market, the commands and the web server.
PostgreSQL and Valkey are real.
"""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from walltrack.embedded.folders import CHECKOUT, remove_data, root_bases, root_home
from walltrack.embedded.launcher import servers_of
from walltrack.embedded.lock import running_instance
from walltrack.quickstart.errors import QuickstartError
from walltrack.quickstart.programs import Programs
from walltrack.quickstart.supervisor import WORKER_READY
from walltrack.quickstart.web_port import check_port

# Runs the quickstart with the stubs in its first argument (a repr) and the data folder
# in its second.
DRIVER = """
import ast, sys
from pathlib import Path
from walltrack.quickstart.command import main
from walltrack.quickstart.programs import Programs
stubs = Programs(**ast.literal_eval(sys.argv[1]))
raise SystemExit(main(sys.argv[3:], lambda options: stubs, Path(sys.argv[2])))
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    remove_data(tmp_path / "data")


@pytest.fixture
def port() -> int:
    """A free port below the range that the system assigns, so that no other program
    gets it before the web server.
    """
    while True:
        candidate = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", candidate))
            return candidate


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def stubs(tmp_path: Path, port: int, **changed: str) -> Programs:
    """Return programs that write their process id to `tmp_path` and do the minimum that
    the quickstart needs.
    """
    bodies = {
        "market": "print('simulated market on http://127.0.0.1:1', flush=True); time.sleep(60)",
        "migrate": "print('migrated')",
        "discover": "print('a table of wallets')",
        "operator": "print(os.environ['DJANGO_SUPERUSER_USERNAME'])",
        "api_key": "print('wt_the_key')",
        "web": (
            "import http.server as h; "
            "H = type('H', (h.BaseHTTPRequestHandler,), {'do_GET': lambda request: request.send_error(404)}); "
            f"h.ThreadingHTTPServer(('127.0.0.1', {port}), H).serve_forever()"
        ),
        "worker": f"print({WORKER_READY!r}, flush=True); time.sleep(60)",
        "beat": "time.sleep(60)",
    } | changed
    start = (
        "import os, time, pathlib; pathlib.Path({!r}).write_text(str(os.getpid())); "
    )
    commands = {}
    for name, body in bodies.items():
        commands[name] = python(start.format(f"{tmp_path}/{name}.pid") + body)
    return Programs(**commands)


@contextlib.contextmanager
def quickstart(
    tmp_path: Path, programs: Programs, *arguments: str
) -> Iterator["subprocess.Popen[str]"]:
    """Run the quickstart in a process of its own, as `make run` does."""
    command = [
        *python(DRIVER),
        repr(asdict(programs)),
        str(tmp_path / "data"),
        *arguments,
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdout=pipe, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """Return the output up to the line that contains `text`. The test fails without
    such a line.
    """
    assert process.stdout is not None
    output = ""
    for line in process.stdout:
        output += line
        if text in line:
            return output
    pytest.fail(f"{text!r} is missing:\n{output}")


def read_all(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.read()


def running_processes(tmp_path: Path) -> list[str]:
    """Return the names of the stubs and the ids of the servers of this test that are
    still running.
    """
    processes = [
        file.stem
        for file in tmp_path.glob("*.pid")
        if Path(f"/proc/{file.read_text()}").exists()
    ]
    homes = [tmp_path / "data" / "servers"]
    if os.geteuid() == 0:
        homes += [root_home(base, tmp_path / "data") for base in root_bases()]
    for home in homes:
        processes += map(str, servers_of(home))
    return processes


def test_a_taken_port_is_reported_with_its_process_and_another_port(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        owner = rf"by process {os.getpid()} \(.*\)" if sys.platform == "linux" else ""
        with pytest.raises(
            QuickstartError,
            match=rf"Port {port} is taken {owner}\.\n.*make run PORT={port + 1}",
        ):
            check_port(port)
    check_port(port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_stops_everything_within_ten_seconds(
    tmp_path: Path, data_dir: Path, port: int, number: signal.Signals
) -> None:
    with quickstart(tmp_path, stubs(tmp_path, port), "--port", str(port)) as process:
        output = read_until(process, "Ctrl-C stops everything")
        assert "a table of wallets" in output
        assert f"http://127.0.0.1:{port}/admin/" in output
        assert "Login: operator, password: " in output
        assert "API key: wt_the_key (shown only now)" in output
        facts = running_instance(data_dir)
        assert facts is not None
        assert facts["url"] == f"http://127.0.0.1:{port}"
        assert facts["environment"]["MARKET"] == "simulated"
        assert {"market", "web"} <= set(running_processes(tmp_path))
        signalled = time.monotonic()
        process.send_signal(number)
        assert process.wait(20) == 0
        assert time.monotonic() - signalled < 10
    assert running_processes(tmp_path) == []


def test_the_password_is_printed_only_when_the_login_is_created(
    tmp_path: Path, data_dir: Path, port: int
) -> None:
    taken = "print('Error: That username is already taken.'); raise SystemExit(1)"
    with quickstart(
        tmp_path, stubs(tmp_path, port, operator=taken), "--port", str(port)
    ) as process:
        output = read_until(process, "Ctrl-C stops everything")
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert "  Login: operator\n" in output


def test_ctrl_c_during_the_discovery_stops_everything(
    tmp_path: Path, data_dir: Path, port: int
) -> None:
    slow = "print('searching', flush=True); time.sleep(60)"
    with quickstart(
        tmp_path, stubs(tmp_path, port, discover=slow), "--port", str(port)
    ) as process:
        read_until(process, "searching")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert read_all(process) == "\n  Interrupted; everything is stopped.\n"
    assert running_processes(tmp_path) == []


def test_a_child_that_ends_is_reported_with_its_last_log_lines(
    tmp_path: Path, data_dir: Path, port: int
) -> None:
    dying = (
        "print('simulated market on http://127.0.0.1:1', flush=True)\n"
        f"while not os.path.exists({str(tmp_path / 'discover.pid')!r}): time.sleep(0.01)\n"
        "print('fatal problem'); raise SystemExit(3)"
    )
    programs = stubs(tmp_path, port, market=dying, discover="time.sleep(60)")
    with quickstart(tmp_path, programs, "--port", str(port)) as process:
        output = read_all(process)
        assert process.wait(20) == 1
    assert "market has ended (exit code 3); its last lines" in output
    assert "fatal problem" in output
    assert "Traceback" not in output
    assert running_processes(tmp_path) == []


def test_a_failed_migration_is_reported_with_its_last_log_lines(
    tmp_path: Path, data_dir: Path, port: int
) -> None:
    programs = stubs(
        tmp_path, port, migrate="print('no such column'); raise SystemExit(1)"
    )
    with quickstart(tmp_path, programs, "--port", str(port)) as process:
        output = read_all(process)
        assert process.wait(20) == 1
    assert "migrate failed with exit code 1" in output
    assert "no such column" in output
    assert running_processes(tmp_path) == []


def test_the_web_server_stays_up_after_a_failed_discovery(
    tmp_path: Path, data_dir: Path, port: int
) -> None:
    programs = stubs(tmp_path, port, discover="raise SystemExit(4)")
    with quickstart(tmp_path, programs, "--port", str(port)) as process:
        output = read_until(process, "Ctrl-C stops everything")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert "The discovery failed (exit code 4)" in output


def test_without_web_the_exit_code_is_that_of_the_discovery(
    tmp_path: Path, data_dir: Path, port: int
) -> None:
    with quickstart(
        tmp_path, stubs(tmp_path, port, discover="raise SystemExit(4)"), "--no-web"
    ) as process:
        read_all(process)
        assert process.wait(20) == 4
    assert not (tmp_path / "web.pid").exists()
    assert running_processes(tmp_path) == []


def test_a_second_run_reports_the_first_and_discover_uses_it(
    tmp_path: Path, data_dir: Path, port: int
) -> None:
    with quickstart(tmp_path, stubs(tmp_path, port), "--port", str(port)) as process:
        read_until(process, "Ctrl-C stops everything")
        with quickstart(tmp_path, stubs(tmp_path, port), "--port", str(port)) as second:
            output = read_all(second)
            assert second.wait(20) == 1
        assert (
            f"Already running from this folder: process {process.pid}, http://127.0.0.1:{port}."
            in output
        )
        printer = stubs(
            tmp_path,
            port,
            discover="print(os.environ['PUBLIC_URL'], os.environ['DATABASE_URL'])",
        )
        with quickstart(tmp_path, printer, "discover") as third:
            output = read_all(third)
            assert third.wait(20) == 0
        facts = running_instance(data_dir)
        assert facts is not None
        assert output == f"http://127.0.0.1:{port} {facts['database_url']}\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
