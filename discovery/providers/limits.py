"""Pacing of calls: evenly spaced, never a burst into a 429, slowed by one.

Each call reserves the next free moment of its provider in a store and waits for it; with a shared store all workers of
all machines keep one pace. A 429 pushes the next moment out and halves the pace, which doubles again every
`RECOVERY_SECONDS` until it is whole. Those who wait stand in line and only its head reserves: what is reserved can
neither be held back by a pause nor given to others when the one who waits gives up.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

RECOVERY_SECONDS: Final = 10.0
SLOWEST_FACTOR: Final = 1 / 16
# How far the line reserves ahead: enough that a busy moment of this process costs no pace.
RESERVED_SECONDS: Final = 0.1


class RateLimitStore(Protocol):
    """Keeps, per provider, the next free moment and the last slow-down."""

    async def reserve(self, provider: str, interval_seconds: float) -> float:
        """Take the next free moment, `interval_seconds` wide at full pace; how many seconds to wait for it."""

    async def slow_down(self, provider: str, pause_seconds: float) -> None:
        """No call before `pause_seconds` from now, and half the pace from then on.

        Once for each pause: the many answers of one storm say the same thing.
        """

    async def pause_left(self, provider: str) -> float:
        """Seconds until the pause in force ends, 0 where there is none."""


class LocalRateLimitStore:
    """A store for one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}
        self._slowed: dict[str, tuple[float, float]] = {}
        self._paused_until: dict[str, float] = {}

    def factor(self, provider: str) -> float:
        """Share of the full pace in force now, 1 where nothing slowed it."""
        factor, since = self._slowed.get(provider, (1.0, 0.0))
        return min(1.0, factor * 2 ** ((self._clock() - since) / RECOVERY_SECONDS)) if factor < 1 else 1.0

    async def reserve(self, provider: str, interval_seconds: float) -> float:
        """See RateLimitStore."""
        now = self._clock()
        start = max(now, self._next.get(provider, 0.0))
        self._next[provider] = start + interval_seconds / self.factor(provider)
        return start - now

    async def slow_down(self, provider: str, pause_seconds: float) -> None:
        """See RateLimitStore."""
        now = self._clock()
        paused_until = self._paused_until.get(provider, now)
        if now >= paused_until:
            self._slowed[provider] = (max(SLOWEST_FACTOR, self.factor(provider) / 2), now)
        self._paused_until[provider] = max(paused_until, now + pause_seconds)
        self._next[provider] = max(self._next.get(provider, 0.0), now + pause_seconds)

    async def pause_left(self, provider: str) -> float:
        """See RateLimitStore."""
        return max(0.0, self._paused_until.get(provider, 0.0) - self._clock())


class RateLimiter:
    """One provider's pace: `calls_per_second` at most, counted over every user of the store."""

    def __init__(
        self,
        provider: str,
        calls_per_second: float,
        store: RateLimitStore,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.provider = provider
        self.calls_per_second = calls_per_second
        self._store = store
        self._sleep = sleep
        self._line = asyncio.Semaphore(max(1, math.ceil(calls_per_second * RESERVED_SECONDS)))
        self._slowed = 0  # how often

    async def wait(self, calls: int = 1) -> None:
        """Wait for the turn of a request that counts as `calls`."""
        async with self._line:
            slowed = self._slowed
            seconds = await self._store.reserve(self.provider, calls / self.calls_per_second)
            if seconds > 0:
                await self._sleep(seconds)
            if self._slowed != slowed:  # a pause began after this turn was reserved
                await self._sleep(await self._store.pause_left(self.provider))

    async def slow_down(self, pause_seconds: float) -> None:
        """The provider said that it is too much."""
        self._slowed += 1
        await self._store.slow_down(self.provider, pause_seconds)
