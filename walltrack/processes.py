"""Child processes: they end with their parent, stop within a time limit, and their
failures come with a remedy.
"""

import contextlib
import ctypes
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from signal import Signals
from typing import Any, NamedTuple

Child = subprocess.Popen[bytes]
Command = Sequence[str | Path]


class StopStep(NamedTuple):
    """A signal, and how many seconds to wait for the child before the next step."""

    signal: Signals
    wait_seconds: float


StopPlan = Sequence[StopStep]
TERMINATE: StopPlan = (
    StopStep(Signals.SIGTERM, 3),
    StopStep(Signals.SIGKILL, 1),
)


class ManagedChild(NamedTuple):
    """A child process and the steps that stop it."""

    process: Child
    stop_plan: StopPlan


REMEDIES = (  # patterns in messages of servers and system, with what to do
    (
        "No space left|Disk quota",
        "The disk is full: free about 400 MB and start again.",
    ),
    (
        "shmget|shm_open|semget|shared memory",
        "Enlarge /dev/shm (containers: --shm-size=256m) and start again.",
    ),
    (
        "incompatible with server",
        "The data are from another version of PostgreSQL: `make run ARGS=--fresh` deletes them and starts empty.",
    ),
    (
        "shared libraries|Exec format",
        "The wheels do not fit this system: glibc 2.28 or newer is needed.",
    ),
    ("Read-only file system", "Use a copy of the checkout on a writable file system."),
    (
        "Permission denied|not permitted",
        "Run as the user who owns this folder, or use a copy of the checkout that you own.",
    ),
    (
        "Address already in use",
        "Every port that was tried on 127.0.0.1 was taken: start again.",
    ),
)


class EmbeddedError(Exception):
    """A server could not be found, created or started; the message gives the cause and
    the remedy.
    """


def error_with_remedy(summary: str, details: str) -> EmbeddedError:
    """Return an error with `summary`, `details` and, if the cause in `details` is
    known, its remedy.
    """
    lines = [summary, details.strip()]
    for pattern, remedy in REMEDIES:
        if re.search(pattern, details):
            lines.append(remedy)
            break
    return EmbeddedError("\n".join(filter(None, lines)))


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for `condition`, which is called every 10 ms. Return False if it does not
    hold within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def tail(path: Path, lines: int = 12) -> str:
    """Return the last lines of a log, or "" if it does not exist."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 32_768))
        text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])
    return ""


def spawn(
    command: Command,
    *,
    env: Mapping[str, str],
    log: Path | None = None,
    last: Signals = Signals.SIGTERM,
    **options: Any,
) -> Child:
    """Start a child in a session of its own, so that the terminal's Ctrl-C does not
    reach it.

    Its output is appended to `log`, or goes to this process's output if `log` is None.
    When this process ends, even by kill -9, the kernel sends the child the signal
    `last` (Linux only). Raises OSError or SubprocessError.
    """
    popen_options: dict[str, Any] = {
        "start_new_session": True,
        "stdin": subprocess.DEVNULL,
        **options,
        "preexec_fn": _parent_death_signal(last),
    }
    with contextlib.ExitStack() as closing:
        if log is not None:
            popen_options["stdout"] = closing.enter_context(log.open("ab"))
            popen_options["stderr"] = subprocess.STDOUT
        start: Callable[..., Child] = subprocess.Popen
        return start(command, env=dict(env), **popen_options)


def _parent_death_signal(number: Signals) -> Callable[[], object] | None:
    """Return a function that makes the kernel signal this process when its parent ends;
    None where it cannot.
    """
    if sys.platform != "linux":
        return None
    # Resolved before the fork, so that the child makes one system call and takes no
    # lock that a thread may hold.
    prctl = ctypes.CDLL(None).prctl
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG
    return partial(prctl, set_parent_death_signal, int(number), 0, 0, 0)


def end(children: Sequence[ManagedChild]) -> None:
    """Stop the children and reap them. All receive their first signal; those still
    alive after it their next one.
    """
    longest_plan = max((len(child.stop_plan) for child in children), default=0)
    for number in range(longest_plan):
        wait_seconds = _send_signals(children, number)
        until(lambda: not _alive(children), wait_seconds)
    for child in children:
        # A killed leader may leave processes in its group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, Signals.SIGKILL)


def _send_signals(children: Sequence[ManagedChild], number: int) -> float:
    """Take step `number` of every child that is alive. Return the longest wait of these
    steps, in seconds.
    """
    longest_wait = 0.0
    for child in _alive(children):
        if number < len(child.stop_plan):
            step = child.stop_plan[number]
            child.process.send_signal(step.signal)
            longest_wait = max(longest_wait, step.wait_seconds)
    return longest_wait


def _alive(children: Sequence[ManagedChild]) -> list[ManagedChild]:
    return [child for child in children if child.process.poll() is None]
