"""Child processes: started so that they end with us, waited for within a bound, explained when they fail."""

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
from typing import Any

Child = subprocess.Popen[bytes]
Words = Sequence[str | Path]
Ending = Sequence[tuple[Signals, float]]  # which signal, and how many seconds until the next
ENDING: Ending = ((Signals.SIGTERM, 3), (Signals.SIGKILL, 1))

REMEDIES = (  # what servers and system say, and what to do about it
    ("No space left|Disk quota", "The disk is full: free about 400 MB and start again."),
    (
        "shmget|shm_open|semget|shared memory",
        "Enlarge /dev/shm (containers: --shm-size=256m) and start again.",
    ),
    (
        "incompatible with server",
        "The data are another PostgreSQL version's: `make run ARGS=--fresh` starts empty.",
    ),
    ("shared libraries|Exec format", "The wheels do not fit this system: glibc 2.28 or newer is needed."),
    ("Read-only file system", "Use a copy of the checkout on a file system that can be written."),
    (
        "Permission denied|not permitted",
        "Use the user who made this folder, or a copy of the checkout of your own.",
    ),
    ("Address already in use", "Every port tried on 127.0.0.1 was taken: start again."),
)


class EmbeddedError(Exception):
    """A server could not be found, made or started; the message gives the cause and the remedy."""


def explained(what: str, text: str) -> EmbeddedError:
    """The error for `what` that failed with `text`, with the remedy where the text is known."""
    remedy = next((words for pattern, words in REMEDIES if re.search(pattern, text)), "")
    return EmbeddedError("\n".join(part for part in (what, text.strip(), remedy) if part))


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Waits for `condition`, asking every 10 ms; False if it does not hold within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log; empty if there is none."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 32_768))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
    return ""


def spawn(
    command: Words,
    *,
    env: Mapping[str, str],
    log: Path | None = None,
    last: Signals = Signals.SIGTERM,
    **options: Any,
) -> Child:
    """Starts a child in a session of its own, out of reach of the terminal's Ctrl-C.

    Output is appended to `log` (None: goes where ours goes). The kernel sends the child the signal `last`
    when this process is gone, even by kill -9 (Linux only). May raise: OSError, subprocess.SubprocessError.
    """
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else lambda *_: 0
    options = {"start_new_session": True, "stdin": subprocess.DEVNULL} | options
    with contextlib.ExitStack() as closing:
        if log is not None:
            options |= {"stdout": closing.enter_context(log.open("ab")), "stderr": subprocess.STDOUT}
        # One system call (1 = PR_SET_PDEATHSIG), found before the fork: no lock, so threads do not matter.
        options["preexec_fn"] = partial(prctl, 1, int(last), 0, 0, 0)
        start: Callable[..., Child] = subprocess.Popen
        return start(command, env=dict(env), **options)


def end(children: Sequence[tuple[Child, Ending]]) -> None:
    """Ends children and reaps them: all get the first signal, those left when time is up the next."""

    def alive() -> list[tuple[Child, Ending]]:
        return [(child, ending) for child, ending in children if child.poll() is None]

    for number in range(max((len(ending) for _, ending in children), default=0)):
        steps = [(child, *ending[number]) for child, ending in alive() if number < len(ending)]
        for child, step, _ in steps:
            child.send_signal(step)
        until(lambda: not alive(), max((seconds for *_, seconds in steps), default=0))
    for child, _ in children:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # what a killed leader leaves in its group
            os.killpg(child.pid, Signals.SIGKILL)
