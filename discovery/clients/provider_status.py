"""What this process sees of providers, told in their rows, so that health and pages can say it without asking anybody.

A row is written at once where a breaker opens or closes or a key is refused, else every `WRITE_SECONDS` at most.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from asgiref.sync import sync_to_async
from django.db import Error
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

from discovery.clients.connections import close_connection
from discovery.models import Provider
from discovery.providers.errors import BadRequest, KeyRefused, NotFound, ProviderError, QuotaUsedUp, Unsupported

log = logging.getLogger(__name__)

WRITE_SECONDS: Final = 5.0
MAX_CAUSE_LENGTH: Final = 200
ANSWERS, FAILS, REFUSES, UNUSED = "answers", "fails", "refuses", "unused"


class _ProviderStatus(msgspec.Struct, frozen=True):
    """What was seen and not yet written. `open_until`: UNSET = as it was, None = closed."""

    success_at: datetime | None = None
    failure_at: datetime | None = None
    cause: str = ""
    open_until: datetime | msgspec.UnsetType | None = msgspec.UNSET
    state: str = ""

    def then(self, later: "_ProviderStatus") -> "_ProviderStatus":
        """This and what came after it."""
        return _ProviderStatus(
            success_at=later.success_at or self.success_at,
            failure_at=later.failure_at or self.failure_at,
            cause=later.cause if later.failure_at else self.cause,
            open_until=self.open_until if later.open_until is msgspec.UNSET else later.open_until,
            state=later.state or self.state,
        )


class LastWrite(msgspec.Struct, frozen=True):
    """When a row was last written by this process, and what it says. `failed`: the database did not take it."""

    at: float
    state: str
    failed: bool = False


last_writes: dict[str, LastWrite] = {}
"""By provider, for every step of this process."""


class StatusReporter:
    """An Observer (discovery/providers/http.py) for the doors of one event loop. Ends with `settle` (report_status).

    Trouble with the database is logged and costs the sign, never the question: the next one tells it again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unwritten: dict[str, _ProviderStatus] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._begun: set[str] = set()  # writes that have not yet taken what is unwritten
        self._writing: set[asyncio.Task[None]] = set()

    def answered(self, provider: str) -> None:
        """See Observer."""
        self._see(provider, _ProviderStatus(success_at=timezone.now(), state=ANSWERS))

    def failed(self, provider: str, error: ProviderError) -> None:
        """See Observer. "There is no such thing" is an answer; a question of ours that was wrong says nothing."""
        if isinstance(error, NotFound | Unsupported):
            self.answered(provider)
        elif not isinstance(error, BadRequest):
            state = REFUSES if isinstance(error, KeyRefused | QuotaUsedUp) else FAILS
            self._see(
                provider, _ProviderStatus(failure_at=timezone.now(), cause=error.cause[:MAX_CAUSE_LENGTH], state=state)
            )

    def opened(self, provider: str, seconds: float) -> None:
        """See Observer."""
        self._see(provider, _ProviderStatus(open_until=timezone.now() + timedelta(seconds=seconds)))

    def closed(self, provider: str) -> None:
        """See Observer."""
        self._see(provider, _ProviderStatus(open_until=None))

    def _see(self, provider: str, sign: _ProviderStatus) -> None:
        self._unwritten[provider] = self._unwritten.get(provider, _ProviderStatus()).then(sign)
        told = last_writes.get(provider)
        at_once = told is None or (self._changed(provider) and not told.failed)
        wait = 0.0 if told is None or at_once else told.at + WRITE_SECONDS - self._clock()
        if wait <= 0:
            self._begin(provider)
        elif provider not in self._timers:
            self._timers[provider] = asyncio.get_running_loop().call_later(wait, self._begin, provider)

    def _changed(self, provider: str) -> bool:
        """Whether what is not yet written is worth a write of its own."""
        sign, told = self._unwritten[provider], last_writes.get(provider)
        refused = sign.state == REFUSES and (told is None or told.state != REFUSES)
        return refused or sign.open_until is not msgspec.UNSET

    def _begin(self, provider: str) -> None:
        if timer := self._timers.pop(provider, None):
            timer.cancel()
        if provider in self._begun:
            return
        self._begun.add(provider)
        task = asyncio.ensure_future(self._write(provider))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, provider: str) -> None:
        self._begun.discard(provider)
        sign = self._unwritten.pop(provider)
        before = last_writes.get(provider)
        last_writes[provider] = LastWrite(self._clock(), sign.state or (before.state if before else ""))
        if not await self._try(provider, _store, provider, sign):
            self._unwritten[provider] = sign.then(self._unwritten.get(provider, _ProviderStatus()))
            last_writes[provider] = LastWrite(self._clock(), before.state if before else "", failed=True)

    async def _try(self, provider: str, work: Callable[..., None], *args: Any) -> bool:
        try:
            await sync_to_async(work)(*args)
        except Error as error:
            log.warning("provider's row not stored", extra={"provider": provider, "cause": type(error).__name__})
            await sync_to_async(close_connection)()
            return False
        return True

    async def unused(self, provider: str) -> None:
        """Nobody asks it as things are set: what it said when it was asked means nothing any more."""
        told = last_writes.get(provider)
        if told is not None and (told.state == UNUSED or (told.failed and self._clock() - told.at < WRITE_SECONDS)):
            return
        done = await self._try(provider, _delete, provider)
        last_writes[provider] = LastWrite(self._clock(), UNUSED if done else "", failed=not done)

    async def settle(self) -> None:
        """Write where a row says something else, and wait for what is being written."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for provider, sign in list(self._unwritten.items()):
            told = last_writes.get(provider)
            if told is None or self._changed(provider) or sign.state != told.state:
                self._begin(provider)
        await asyncio.gather(*self._writing)


@asynccontextmanager
async def report_status() -> AsyncIterator[StatusReporter]:
    """Signs of this event loop, settled at the end."""
    signs = StatusReporter()
    try:
        yield signs
    finally:
        await signs.settle()


def _store(provider: str, sign: _ProviderStatus) -> None:
    """One statement, three for a new row. Of two processes the later moment stands."""
    changes: dict[str, Any] = {}
    if sign.success_at is not None:
        changes["last_success_at"] = Greatest(F("last_success_at"), sign.success_at)
    if sign.failure_at is not None:
        newer = Q(last_failure_at__isnull=True) | Q(last_failure_at__lte=sign.failure_at)
        changes["last_failure_at"] = Greatest(F("last_failure_at"), sign.failure_at)
        changes["last_cause"] = Case(When(newer, then=Value(sign.cause)), default=F("last_cause"))
    if sign.open_until is not msgspec.UNSET:
        changes["open_until"] = sign.open_until
    row = Provider.objects.filter(pk=provider)
    if not row.update(**changes):
        Provider.objects.bulk_create([Provider(name=provider)], ignore_conflicts=True)
        row.update(**changes)


def _delete(provider: str) -> None:
    Provider.objects.filter(pk=provider).delete()
