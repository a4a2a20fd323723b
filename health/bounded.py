"""Checks side by side, each within a bound, none of them able to break or to hang the page."""

import contextlib
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final, NamedTuple

BOUND_SECONDS: Final = 2.0


class Deadline:
    """When a check is given up. What it holds open is cut off then, so that its thread ends too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cut: Callable[[], None] | None = None
        self._passed = False

    @contextlib.contextmanager
    def cutting(self, cut: Callable[[], None]) -> Iterator[None]:
        """Calls `cut` from another thread where the deadline passes within the block. May raise: TimeoutError."""
        with self._lock:
            if self._passed:
                raise TimeoutError
            self._cut = cut
        try:
            yield
        finally:
            with self._lock:
                self._cut = None

    def passes(self) -> None:
        """The time is up."""
        with self._lock:
            self._passed = True
            if self._cut is not None:
                self._cut()


class Check(NamedTuple):
    """`work` gets its deadline. Requests that come while a check of the same `key` is on its way share its answer."""

    work: Callable[[Deadline], Any]
    key: Hashable = None


class Late(NamedTuple):
    """In place of an answer: none came within the bound."""

    seconds: float


class _Flight(NamedTuple):
    future: "Future[Any]"
    deadline: Deadline
    until: float


_flights: dict[Hashable, _Flight] = {}
_lock = threading.Lock()


def side_by_side(checks: Mapping[str, Check], seconds: float = BOUND_SECONDS) -> dict[str, Any]:
    """The answer of each check by name after `seconds` at most: what it returned, what it raised, or `Late`."""
    now = time.monotonic()
    pool = ThreadPoolExecutor(max_workers=max(1, len(checks)), thread_name_prefix="health")
    with _lock:
        for key in [key for key, flight in _flights.items() if flight.future.done() or flight.until <= now]:
            del _flights[key]
        flights = {name: _joined(check, pool, now + seconds) for name, check in checks.items()}
    pool.shutdown(wait=False)
    wait([flight.future for flight in flights.values()], timeout=seconds)
    return {name: _answer(flight, seconds) for name, flight in flights.items()}


def _joined(check: Check, pool: ThreadPoolExecutor, until: float) -> _Flight:
    if check.key is not None and (flying := _flights.get(check.key)):
        return flying
    deadline = Deadline()
    flight = _Flight(pool.submit(check.work, deadline), deadline, until)
    if check.key is not None:
        _flights[check.key] = flight
    return flight


def _answer(flight: _Flight, seconds: float) -> Any:
    if not flight.future.done():
        if time.monotonic() >= flight.until:  # else another request waits for it still
            flight.deadline.passes()
        return Late(seconds)
    return flight.future.exception() or flight.future.result()
