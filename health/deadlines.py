"""Run health checks in parallel, each with a timeout, so that no check can break or
block a page.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final, NamedTuple

CHECK_TIMEOUT_SECONDS: Final = 2.0


class Deadline:
    """The time limit of one check. When it expires, the check's connection is cut, so
    that its thread ends too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._abort: Callable[[], None] | None = None
        self._is_expired = False

    @contextlib.contextmanager
    def aborting(self, abort: Callable[[], None]) -> Iterator[None]:
        """Call `abort` from another thread if the deadline expires within the block.

        Raises TimeoutError if it has expired already.
        """
        with self._lock:
            if self._is_expired:
                raise TimeoutError
            self._abort = abort
        try:
            yield
        finally:
            with self._lock:
                self._abort = None

    def expire(self) -> None:
        """Mark the deadline as expired and abort the check."""
        with self._lock:
            self._is_expired = True
            if self._abort is not None:
                self._abort()


class Check(NamedTuple):
    """A function that receives its deadline. Concurrent requests share one run of the
    checks with the same `key`.
    """

    run: Callable[[Deadline], Any]
    key: Hashable = None


class TimedOut(NamedTuple):
    """The outcome of a check that did not finish in time."""

    seconds: float


class _RunningCheck(NamedTuple):
    future: "Future[Any]"
    deadline: Deadline
    ends_at: float


_running: dict[Hashable, _RunningCheck] = {}
_running_lock = threading.Lock()


def run_checks(
    checks: Mapping[str, Check], timeout_seconds: float = CHECK_TIMEOUT_SECONDS
) -> dict[str, Any]:
    """Return the outcome of each check by name: the value it returned, the exception it
    raised, or `TimedOut`.

    Blocks for `timeout_seconds` at most.
    """
    now = time.monotonic()
    running: dict[str, _RunningCheck] = {}
    pool = ThreadPoolExecutor(
        max_workers=max(1, len(checks)), thread_name_prefix="health"
    )
    with _running_lock:
        _forget_finished(now)
        for name, check in checks.items():
            running[name] = _join_or_start(check, pool, now + timeout_seconds)
    pool.shutdown(wait=False)
    wait([check.future for check in running.values()], timeout=timeout_seconds)
    return {name: _outcome(check, timeout_seconds) for name, check in running.items()}


def _forget_finished(now: float) -> None:
    for key, check in list(_running.items()):
        if check.future.done() or check.ends_at <= now:
            del _running[key]


def _join_or_start(
    check: Check, pool: ThreadPoolExecutor, ends_at: float
) -> _RunningCheck:
    running = _running.get(check.key)
    if running is not None:
        return running
    deadline = Deadline()
    started = _RunningCheck(
        future=pool.submit(check.run, deadline),
        deadline=deadline,
        ends_at=ends_at,
    )
    if check.key is not None:
        _running[check.key] = started
    return started


def _outcome(check: _RunningCheck, timeout_seconds: float) -> Any:
    if not check.future.done():
        # Before `ends_at`, another request still waits for the same check.
        if time.monotonic() >= check.ends_at:
            check.deadline.expire()
        return TimedOut(timeout_seconds)
    error = check.future.exception()
    if error is not None:
        return error
    return check.future.result()
