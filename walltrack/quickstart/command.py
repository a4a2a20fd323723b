"""The command: parse the options, start everything, run the first discovery, and wait
for Ctrl-C.
"""

import contextlib
import io
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from walltrack.embedded.folders import CHECKOUT, remove_data
from walltrack.embedded.lock import running_instance
from walltrack.embedded.servers import STOP_SIGNALS
from walltrack.processes import EmbeddedError, error_with_remedy
from walltrack.quickstart.errors import QuickstartError
from walltrack.quickstart.options import parse_options
from walltrack.quickstart.programs import Programs, choose_programs
from walltrack.quickstart.progress import progress_line
from walltrack.quickstart.supervisor import Credentials, Quickstart
from walltrack.quickstart.web_port import HOST, check_port

DATA = CHECKOUT / ".data"


def main(
    arguments: Sequence[str],
    choose: Callable[[Namespace], Programs] = choose_programs,
    data_dir: Path = DATA,
) -> int:
    """Return the exit code: 0 stopped or done, 1 failed with a message, 2 wrong usage,
    130 interrupted.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in STOP_SIGNALS:
        signal.signal(number, interrupt)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot show the tick prints a question mark instead of
        # failing.
        sys.stdout.reconfigure(errors="replace")
    try:
        options = parse_options(arguments)
        return run_quickstart(options, choose(options), data_dir)
    except KeyboardInterrupt:
        print("\n  Interrupted; everything is stopped.", file=sys.stderr)
        return 130
    except (QuickstartError, EmbeddedError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"\n{error_with_remedy('WallTrack could not start.', str(error))}",
            file=sys.stderr,
        )
        return 1


def run_quickstart(options: Namespace, programs: Programs, data_dir: Path) -> int:
    """Run WallTrack until it is stopped and return the exit code.

    Raises QuickstartError, EmbeddedError, OSError or KeyboardInterrupt.
    """
    instance = running_instance(data_dir)
    if instance is None:
        _prepare(options, data_dir)
    elif options.discover_arguments is not None:
        _discover_with(instance, programs)
    with Quickstart(options, programs, data_dir) as quickstart:
        quickstart.start()
        if options.web:
            quickstart.serve()
        exit_code = 0
        if options.discovery:
            exit_code = _first_discovery(quickstart)
        if not options.web:
            return exit_code
        credentials = quickstart.create_operator()
        with contextlib.suppress(KeyboardInterrupt):
            _print_addresses(options.port, credentials)
            quickstart.wait_for_stop()
        print("\n  Stopping …", flush=True)
    return 0


def _prepare(options: Namespace, data_dir: Path) -> None:
    if options.fresh:
        with progress_line("Old data deleted"):
            remove_data(data_dir)
    if options.web:
        check_port(options.port)


def _discover_with(instance: dict[str, Any], programs: Programs) -> None:
    """Replace this process by a discovery on the running instance, if its servers and
    market are ready.
    """
    if "environment" not in instance:
        return
    os.chdir(CHECKOUT)
    command = list(programs.discover)
    os.execve(command[0], command, os.environ | instance["environment"])  # noqa: S606  a fixed command, no shell


def _first_discovery(quickstart: Quickstart) -> int:
    print("  First discovery", flush=True)
    exit_code = quickstart.discover()
    if exit_code:
        print(f"  ✗ The discovery failed (exit code {exit_code}).", flush=True)
    return exit_code


def _print_addresses(port: int, credentials: Credentials) -> None:
    login = "operator"
    if credentials.password:
        login = f"operator, password: {credentials.password} (shown only now)"
    print(f"\n  Open http://{HOST}:{port}/admin/")
    print(f"  Login: {login}")
    if credentials.api_key:
        print(
            f"  API key: {credentials.api_key} (shown only now)\n  API: http://{HOST}:{port}/api/docs"
        )
    print("  Ctrl-C stops everything; the data are kept.", flush=True)
