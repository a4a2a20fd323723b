"""The circuit breaker of a provider: one that keeps failing is left alone for a while, then asked one question again.

Counted are questions, not attempts: `OPENS_AFTER` in a row, over every user of the store, that ended because the
provider was out of reach, failed or limited until their patience was used up. Any answer, a 404 too, starts the count
anew and closes an open breaker. When its time is over one question is let through as a probe, with all its retries;
the others wait for what becomes of it. A probe that fails opens the breaker for twice as long.

The numbers, with P for the patience of a question (60 s) and the three attempts of a step, P/4 and P/2 apart:

- A question gives up only when its next pause would pass P. That is 52 s at the earliest, so an outage of 45 s ends no
  question, counts nothing here and costs no step an attempt.
- First open for P/2: who comes then can wait for the end of it and has half of the patience left for an answer.
- A question that cannot wait so long is refused at once. Where a step is nothing without the provider, the breaker is
  open for 3P/2 at most: less than the pauses of a step and the patience of its third attempt together (7P/4), so no
  step can spend its attempts on refusals alone. Elsewhere 5P: what such a provider would say is done without.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from discovery.providers.errors import CircuitOpen, ProviderError, RateLimited, ServerFailed, Unreachable

OPENS_AFTER: Final = 5
FIRST_OPEN_SECONDS: Final = 30.0
MAX_OPEN_FACTOR: Final = 10
"""Open for so many times the first time at most, which is 5 min."""
MAX_OPEN_FACTOR_REQUIRED: Final = 3
"""The same where a step is nothing without the provider."""
# A probe that says nothing for so long is lost with its process. Each of its attempts says that it lives, and takes no
# longer than this with the pause after it.
PROBE_SECONDS: Final = 40.0
LOOK_AGAIN_SECONDS: Final = 1.0
"""How often those who wait look: a probe, or a question still on its way when the breaker opened, may be answered."""
FORGOTTEN_SECONDS: Final = 900.0
"""Failures that nobody followed up for so long say nothing of today."""


def is_failure(error: ProviderError) -> bool:
    """Whether a question that ended so counts as failed; every other end shows that the provider is there."""
    return isinstance(error, Unreachable | ServerFailed | RateLimited)


class Pause(msgspec.Struct, frozen=True):
    """Nobody asks for `seconds`, unless an answer comes before. `cause`: the last failure, in plain words."""

    seconds: float
    cause: str


class BreakerStore(Protocol):
    """Keeps, per provider, failures in a row, until when it is left alone, and which question is the probe."""

    async def try_acquire(self, provider: str, question: str) -> Pause | None:
        """None: `question` may be asked, as the probe where the breaker's time is over."""

    async def answered(self, provider: str, question: str) -> bool:
        """The provider answered. True: that closed its breaker."""

    async def failed(
        self, provider: str, question: str, cause: str, first_seconds: float, most_seconds: float
    ) -> float:
        """The question ended as `is_failure` says. For how many seconds that opened the breaker, 0 where it did not.

        What was on its way while the breaker is open says nothing new: only the probe opens it again.
        """

    async def release(self, provider: str, question: str) -> None:
        """The question was given up before it had an end: if it was the probe, another may be."""


@dataclass
class _Kept:
    """What is kept of one provider. Moments of the store's clock; `open_until` None = closed."""

    failures: int = 0
    openings: int = 0
    open_until: float | None = None
    probe: str = ""
    probe_until: float = 0.0
    cause: str = ""
    failed_at: float = 0.0


class LocalBreakerStore:
    """A store for one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def _of(self, provider: str) -> _Kept:
        kept = self._kept.get(provider)
        if kept is None or self._clock() - kept.failed_at > FORGOTTEN_SECONDS:
            kept = self._kept[provider] = _Kept(failed_at=self._clock())
        return kept

    async def try_acquire(self, provider: str, question: str) -> Pause | None:
        """See BreakerStore."""
        kept, now = self._of(provider), self._clock()
        if kept.open_until is None:
            return None
        if now < kept.open_until:
            return Pause(kept.open_until - now, kept.cause)
        if kept.probe not in {"", question} and now < kept.probe_until:
            return Pause(LOOK_AGAIN_SECONDS, kept.cause)
        kept.probe, kept.probe_until = question, now + PROBE_SECONDS
        return None

    async def answered(self, provider: str, question: str) -> bool:
        """See BreakerStore."""
        kept = self._kept.pop(provider, None)
        return kept is not None and kept.open_until is not None

    async def failed(
        self, provider: str, question: str, cause: str, first_seconds: float, most_seconds: float
    ) -> float:
        """See BreakerStore."""
        kept, now = self._of(provider), self._clock()
        if kept.open_until is not None and kept.probe != question:
            return 0.0
        kept.failures += 1
        kept.failed_at, kept.cause, kept.probe = now, cause, ""
        if kept.open_until is None and kept.failures < OPENS_AFTER:
            return 0.0
        seconds: float = min(most_seconds, first_seconds * 2**kept.openings)
        kept.openings += 1
        kept.open_until = now + seconds
        return seconds

    async def release(self, provider: str, question: str) -> None:
        """See BreakerStore."""
        kept = self._kept.get(provider)
        if kept is not None and kept.probe == question:
            kept.probe = ""


class Breaker:
    """One provider's breaker, as its doors ask it. Open for `first_seconds`, then doubled up to `most_seconds`."""

    def __init__(
        self,
        provider: str,
        store: BreakerStore,
        *,
        first_seconds: float = FIRST_OPEN_SECONDS,
        most_seconds: float = FIRST_OPEN_SECONDS * MAX_OPEN_FACTOR,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.provider = provider
        self._store = store
        self._first_seconds = first_seconds
        self._most_seconds = most_seconds
        self._sleep = sleep

    async def wait(self, question: str, patience_seconds: float) -> float:
        """Wait until `question` may be asked; how many seconds that took. Raises CircuitOpen beyond its patience."""
        waited = 0.0
        while (pause := await self._store.try_acquire(self.provider, question)) is not None:
            if waited + pause.seconds > patience_seconds:
                cause = f"left alone after repeated failures, the last: {pause.cause}"
                raise CircuitOpen(self.provider, cause, pause.seconds)
            seconds = min(pause.seconds, LOOK_AGAIN_SECONDS)
            await self._sleep(seconds)
            waited += seconds
        return waited

    async def allows(self, question: str) -> bool:
        """Whether `question` may be asked at this moment."""
        return await self._store.try_acquire(self.provider, question) is None

    async def answered(self, question: str) -> bool:
        """See BreakerStore."""
        return await self._store.answered(self.provider, question)

    async def failed(self, question: str, cause: str) -> float:
        """See BreakerStore."""
        return await self._store.failed(self.provider, question, cause, self._first_seconds, self._most_seconds)

    async def release(self, question: str) -> None:
        """See BreakerStore."""
        await self._store.release(self.provider, question)
