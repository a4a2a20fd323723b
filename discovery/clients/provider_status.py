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


class ProviderStatus(msgspec.Struct, frozen=True):
    """Observations that are not written yet. `open_until`: UNSET = unchanged, None =
    closed.
    """

    success_at: datetime | None = None
    failure_at: datetime | None = None
    cause: str = ""
    open_until: datetime | msgspec.UnsetType | None = msgspec.UNSET
    state: ProviderState = ProviderState.UNKNOWN

    def followed_by(self, later: "ProviderStatus") -> "ProviderStatus":
        """Return this status updated by a later one."""
        return ProviderStatus(
            success_at=later.success_at or self.success_at,
            failure_at=later.failure_at or self.failure_at,
            cause=later.cause if later.failure_at else self.cause,
            open_until=later.open_until
            if later.has_circuit_change
            else self.open_until,
            state=later.state or self.state,
        )

    @property
    def has_circuit_change(self) -> bool:
        """Return True if the circuit opened or closed."""
        return self.open_until is not msgspec.UNSET


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
        self._starting: set[str] = (
            set()
        )  # providers whose write has not taken the pending status yet
        self._writing: set[asyncio.Task[None]] = set()

    def request_succeeded(self, provider: str) -> None:
        self._add(
            provider,
            ProviderStatus(success_at=timezone.now(), state=ProviderState.RESPONDING),
        )

    def request_failed(self, provider: str, error: ProviderError) -> None:
        if isinstance(error, BadRequest):
            return  # a fault of this program proves nothing about the provider
        if isinstance(error, NotFound | Unsupported):
            self.request_succeeded(provider)  # the provider responded
            return
        is_refusal = isinstance(error, KeyRefused | QuotaUsedUp)
        status = ProviderStatus(
            failure_at=timezone.now(),
            cause=error.cause[:MAX_CAUSE_LENGTH],
            state=ProviderState.REFUSING if is_refusal else ProviderState.FAILING,
        )
        self._add(provider, status)

    def circuit_opened(self, provider: str, seconds: float) -> None:
        self._add(
            provider,
            ProviderStatus(open_until=timezone.now() + timedelta(seconds=seconds)),
        )

    def circuit_closed(self, provider: str) -> None:
        self._add(provider, ProviderStatus(open_until=None))

    async def mark_unused(self, provider: str) -> None:
        """Delete the row of a provider that the settings do not use: its last failure
        concerns nobody.
        """
        if self._is_settled_as_unused(_last_write(provider)):
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
            if self._is_urgent(provider) or self._has_new_state(provider):
                self._start_write(provider)
        await asyncio.gather(*self._writing)

    def _is_settled_as_unused(self, last: LastWrite) -> bool:
        if last.state == ProviderState.UNUSED:
            return True
        return last.has_failed and self._clock() - last.at < WRITE_SECONDS

    def _add(self, provider: str, status: ProviderStatus) -> None:
        """Add an observation and write it now or when the row is due."""
        self._pending[provider] = self._pending.get(
            provider, ProviderStatus()
        ).followed_by(status)
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
        is_new_refusal = status.state == ProviderState.REFUSING and self._has_new_state(
            provider
        )
        return status.has_circuit_change or is_new_refusal

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
    if status.failure_at is not None:
        is_newer = Q(last_failure_at__isnull=True) | Q(
            last_failure_at__lte=status.failure_at
        )
        changes["last_failure_at"] = Greatest(F("last_failure_at"), status.failure_at)
        changes["last_cause"] = Case(
            When(is_newer, then=Value(status.cause)), default=F("last_cause")
        )
    if status.has_circuit_change:
        changes["open_until"] = status.open_until
    row = Provider.objects.filter(pk=provider)
    if not row.update(**changes):
        Provider.objects.bulk_create([Provider(name=provider)], ignore_conflicts=True)
        row.update(**changes)


def _delete(provider: str) -> None:
    Provider.objects.filter(pk=provider).delete()
