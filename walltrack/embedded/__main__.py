"""The command line: `python -m walltrack.embedded run -- COMMAND…` and `… remove`."""

import os
import signal
import sys
from collections.abc import Sequence
from signal import Signals
from types import FrameType

from walltrack.embedded.folders import CHECKOUT, remove_all_bases, remove_data
from walltrack.embedded.servers import STOP_SIGNALS, Servers
from walltrack.processes import Child, EmbeddedError, spawn

USAGE = "usage: python -m walltrack.embedded run -- COMMAND…\n"


def main(arguments: Sequence[str]) -> int:
    """Return the exit code: that of the command, 1 if the servers could not be started,
    2 for wrong usage.
    """
    match arguments:
        case ["remove"]:
            remove_data(CHECKOUT / ".data")
            remove_all_bases()
            return 0
        case ["run", "--", _, *_]:
            return run_with_servers(arguments[2:])
        case _:
            sys.stderr.write(USAGE)
            return 2


def run_with_servers(command: Sequence[str]) -> int:
    """Run a command with temporary servers and return its exit code, or 128 + the
    signal that ended it.
    """
    children: list[Child] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if not children:
            raise SystemExit(128 + number)
        # The terminal sends its Ctrl-C to the command too: a second one would interrupt
        # the command's clean-up.
        if number == Signals.SIGINT and _is_in_foreground():
            return
        children[0].send_signal(number)

    for number in STOP_SIGNALS:
        signal.signal(number, forward)
    try:
        with Servers() as servers:
            env = os.environ | {
                "DATABASE_URL": servers.database_url,
                "REDIS_URL": servers.redis_url,
            }
            # In this process's group and with its terminal, so that a debugger works in
            # a test.
            children.append(
                spawn(command, env=env, start_new_session=False, stdin=None)
            )
            exit_code = children[0].wait()
    except (EmbeddedError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if exit_code < 0:
        return 128 - exit_code
    return exit_code


def _is_in_foreground() -> bool:
    return sys.stdin.isatty() and os.tcgetpgrp(0) == os.getpgrp()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
