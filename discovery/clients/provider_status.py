"""Reports the status of providers in their database rows, so that health checks and
pages need not ask them.

A row is written at once when a circuit opens or closes or a key is refused, otherwise
every `WRITE_SECONDS` at most.
"""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
from asgiref.sync import sync_to_async
from django.db import Error
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

from discovery.clients.connections import close_connection
from discovery.models import Provider
from discovery.providers.errors import (
    BadRequest,
    KeyRefused,
    NotFound,
    ProviderError,
    QuotaUsedUp,
    Unsupported,
)
from discovery.providers.http import Observer

log = logging.getLogger(__name__)

WRITE_SECONDS: Final = 5.0
MAX_CAUSE_LENGTH: Final = 200


class ProviderState(StrEnum):
    """Last response of a provider. Not stored."""

    UNKNOWN = ""
    RESPONDING = "responding"
    FAILING = "failing"
    REFUSING = "refusing"
    UNUSED = "unused"


class Failure(msgspec.Struct, frozen=True):
    """A failed request and its cause in plain words."""

    at: datetime
    cause: str


class CircuitChange(msgspec.Struct, frozen=True):
    """The circuit opened until a time, or closed (None)."""

    open_until: datetime | None


class ProviderStatus(msgspec.Struct, frozen=True):
    """Observations that are not written yet, the last of each kind. None = there was
    none of that kind.
    """

    success_at: datetime | None = None
    failure: Failure | None = None
    circuit: CircuitChange | None = None
    state: ProviderState = ProviderState.UNKNOWN

    def followed_by(self, later: "ProviderStatus") -> "ProviderStatus":
        """Return this status updated by a later one."""
        return ProviderStatus(
            success_at=later.success_at or self.success_at,
            failure=later.failure or self.failure,
            circuit=later.circuit or self.circuit,
            state=later.state or self.state,
        )


class LastWrite(msgspec.Struct, frozen=True):
    """The last write of a row by this process, and the state in it. `has_failed`: the
    database did not accept it.
    """

    at: float
    state: ProviderState
    has_failed: bool = False


NEVER_WRITTEN: Final = LastWrite(at=-math.inf, state=ProviderState.UNKNOWN)
last_writes: dict[str, LastWrite] = {}
"""By provider, for all steps of this process."""


class StatusReporter(Observer):
    """The observer of all clients of one event loop. Ends with `flush`.

    A failed status write is logged and never fails the provider request: the next write
    contains the status.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pending: dict[str, ProviderStatus] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        # Providers whose write has not taken the pending status yet.
        self._starting: set[str] = set()
        self._writing: set[asyncio.Task[None]] = set()

    def request_succeeded(self, provider: str) -> None:
        """Add a response, with the current time."""
        now = timezone.now()
        status = ProviderStatus(success_at=now, state=ProviderState.RESPONDING)
        self._add(provider, status)

    def request_failed(self, provider: str, error: ProviderError) -> None:
        """Add a failure, with the current time.

        NotFound and Unsupported are responses, so they count as success. BadRequest is
        ignored: a fault of this program proves nothing about the provider.
        """
        match error:
            case BadRequest():
                return
            case NotFound() | Unsupported():
                self.request_succeeded(provider)
                return
            case KeyRefused() | QuotaUsedUp():
                state = ProviderState.REFUSING
            case _:
                state = ProviderState.FAILING
        failure = Failure(timezone.now(), error.cause[:MAX_CAUSE_LENGTH])
        self._add(provider, ProviderStatus(failure=failure, state=state))

    def circuit_opened(self, provider: str, seconds: float) -> None:
        """Add that the circuit is open for `seconds` from now on."""
        open_until = timezone.now() + timedelta(seconds=seconds)
        self._add(provider, ProviderStatus(circuit=CircuitChange(open_until)))

    def circuit_closed(self, provider: str) -> None:
        """Add that the circuit is closed."""
        self._add(provider, ProviderStatus(circuit=CircuitChange(None)))

    async def mark_unused(self, provider: str) -> None:
        """Delete the row of a provider that the settings do not use: its last failure
        concerns nobody.

        Does nothing if this process has deleted the row already, or if the database
        failed less than WRITE_SECONDS ago.
        """
        last = _last_write(provider)
        if last.state == ProviderState.UNUSED:
            return
        if last.has_failed and self._clock() - last.at < WRITE_SECONDS:
            return
        is_deleted = await self._run_query(provider, _delete, provider)
        state = ProviderState.UNUSED if is_deleted else ProviderState.UNKNOWN
        last_writes[provider] = LastWrite(
            self._clock(), state, has_failed=not is_deleted
        )

    async def flush(self) -> None:
        """Write every pending status that differs from its row, and wait for running
        writes.
        """
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for provider in list(self._pending):
            has_circuit_change = self._pending[provider].circuit is not None
            if has_circuit_change or self._has_new_state(provider):
                self._start_write(provider)
        await asyncio.gather(*self._writing)

    def _add(self, provider: str, status: ProviderStatus) -> None:
        """Add an observation and write it now or when the row is due."""
        earlier = self._pending.get(provider, ProviderStatus())
        self._pending[provider] = earlier.followed_by(status)
        wait_seconds = self._seconds_until_write(provider)
        if wait_seconds <= 0:
            self._start_write(provider)
        elif provider not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[provider] = loop.call_later(
                wait_seconds, self._start_write, provider
            )

    def _seconds_until_write(self, provider: str) -> float:
        last = _last_write(provider)
        if self._is_urgent(provider) and not last.has_failed:
            return 0.0
        return last.at + WRITE_SECONDS - self._clock()

    def _is_urgent(self, provider: str) -> bool:
        """Return True if the circuit changed or the key is refused for the first time."""
        status = self._pending[provider]
        if status.circuit is not None:
            return True
        is_refusal = status.state == ProviderState.REFUSING
        return is_refusal and self._has_new_state(provider)

    def _has_new_state(self, provider: str) -> bool:
        return self._pending[provider].state != _last_write(provider).state

    def _start_write(self, provider: str) -> None:
        timer = self._timers.pop(provider, None)
        if timer is not None:
            timer.cancel()
        if provider in self._starting:
            return
        self._starting.add(provider)
        task = asyncio.ensure_future(self._write(provider))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, provider: str) -> None:
        self._starting.discard(provider)
        status = self._pending.pop(provider)
        previous_state = _last_write(provider).state
        last_writes[provider] = LastWrite(self._clock(), status.state or previous_state)
        if not await self._run_query(provider, _store, provider, status):
            newer = self._pending.get(provider, ProviderStatus())
            self._pending[provider] = status.followed_by(newer)
            last_writes[provider] = LastWrite(
                self._clock(), previous_state, has_failed=True
            )

    async def _run_query(
        self, provider: str, query: Callable[..., None], *args: Any
    ) -> bool:
        """Run the query in a thread. Returns False if the database failed."""
        try:
            await sync_to_async(query)(*args)
        except Error as error:
            log.warning(
                "provider status not stored",
                extra={"provider": provider, "cause": type(error).__name__},
            )
            await sync_to_async(close_connection)()
            return False
        return True


@asynccontextmanager
async def report_status() -> AsyncIterator[StatusReporter]:
    """Provide the StatusReporter of this event loop, and flush it at the end."""
    reporter = StatusReporter()
    try:
        yield reporter
    finally:
        await reporter.flush()


def _last_write(provider: str) -> LastWrite:
    return last_writes.get(provider, NEVER_WRITTEN)


def _store(provider: str, status: ProviderStatus) -> None:
    """Update the row, in one statement, three for a new row. Between two processes the
    later time wins.
    """
    changes: dict[str, Any] = {}
    if status.success_at is not None:
        changes["last_success_at"] = Greatest(F("last_success_at"), status.success_at)
    if status.failure is not None:
        failed_at, cause = status.failure.at, Value(status.failure.cause)
        has_no_failure = Q(last_failure_at__isnull=True)
        is_newer = has_no_failure | Q(last_failure_at__lte=failed_at)
        changes["last_failure_at"] = Greatest(F("last_failure_at"), failed_at)
        changes["last_cause"] = Case(
            When(is_newer, then=cause), default=F("last_cause")
        )
    if status.circuit is not None:
        changes["open_until"] = status.circuit.open_until
    row = Provider.objects.filter(pk=provider)
    if not row.update(**changes):
        Provider.objects.bulk_create([Provider(name=provider)], ignore_conflicts=True)
        row.update(**changes)


def _delete(provider: str) -> None:
    Provider.objects.filter(pk=provider).delete()
