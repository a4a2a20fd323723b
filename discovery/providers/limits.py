"""Rate limits: calls are evenly spaced, without bursts, and slowed down by a 429.

Each call reserves the next free moment of its provider in a store and waits for it;
with a shared store the workers of all machines share one limit. A 429 postpones the
next free moment and halves the rate, which doubles again every `RECOVERY_SECONDS` until
it is complete. Waiting calls queue up and only the first ones reserve: a reservation
can neither be moved by a pause nor given to another call when its owner is cancelled.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import msgspec

RECOVERY_SECONDS: Final = 10.0
MIN_RATE_FACTOR: Final = 1 / 16
RESERVE_AHEAD_SECONDS: Final = 0.1
"""Reservations are made this far ahead, so that a busy moment of this process delays no
call.
"""


class RateLimitStore(Protocol):
    """Stores per provider the next free moment and the last slowdown."""

    async def reserve(self, provider: str, interval_seconds: float) -> float:
        """Reserve the next free moment, `interval_seconds` wide at the full rate.
        Returns the seconds until it.
        """

    async def slow_down(self, provider: str, pause_seconds: float) -> None:
        """Allow no call for `pause_seconds` and halve the rate from then on.

        Once for each pause: the many 429s of one overload have one cause.
        """

    async def pause_left(self, provider: str) -> float:
        """Return the seconds until the current pause ends, 0 if there is none."""


class _Slowdown(msgspec.Struct, frozen=True):
    """The share of the full rate at a time of the store's clock."""

    factor: float
    since: float


_NO_SLOWDOWN: Final = _Slowdown(1.0, 0.0)


class LocalRateLimitStore:
    """A RateLimitStore for one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}
        self._slowdowns: dict[str, _Slowdown] = {}
        self._paused_until: dict[str, float] = {}

    def rate_factor(self, provider: str) -> float:
        """Return the share of the full rate that is allowed now, 1 without a slowdown."""
        slowdown = self._slowdowns.get(provider, _NO_SLOWDOWN)
        if slowdown.factor >= 1:
            return 1.0
        doublings = (self._clock() - slowdown.since) / RECOVERY_SECONDS
        return min(1.0, slowdown.factor * 2**doublings)

    async def reserve(self, provider: str, interval_seconds: float) -> float:
        """Reserve the next free moment of this process. Returns the seconds until it."""
        now = self._clock()
        start = max(now, self._next.get(provider, 0.0))
        self._next[provider] = start + interval_seconds / self.rate_factor(provider)
        return start - now

    async def slow_down(self, provider: str, pause_seconds: float) -> None:
        """Allow no call for `pause_seconds`. Halves the rate, MIN_RATE_FACTOR at the
        least, unless a pause is under way.
        """
        now = self._clock()
        paused_until = self._paused_until.get(provider, now)
        if now >= paused_until:
            factor = max(MIN_RATE_FACTOR, self.rate_factor(provider) / 2)
            self._slowdowns[provider] = _Slowdown(factor, now)
        self._paused_until[provider] = max(paused_until, now + pause_seconds)
        self._next[provider] = max(self._next.get(provider, 0.0), now + pause_seconds)

    async def pause_left(self, provider: str) -> float:
        """Return the seconds until the current pause ends, 0 if there is none."""
        return max(0.0, self._paused_until.get(provider, 0.0) - self._clock())


class RateLimiter:
    """The rate limit of one provider: at most `calls_per_second` over all users of the
    store.
    """

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
        calls_ahead = math.ceil(calls_per_second * RESERVE_AHEAD_SECONDS)
        self._queue = asyncio.Semaphore(max(1, calls_ahead))
        self._slowdown_count = 0

    async def wait(self, calls: int = 1) -> None:
        """Wait until a request that counts as `calls` may be sent. A pause that begins
        meanwhile is waited for too.
        """
        async with self._queue:
            slowdown_count = self._slowdown_count
            seconds = await self._store.reserve(
                self.provider, calls / self.calls_per_second
            )
            if seconds > 0:
                await self._sleep(seconds)
            has_slowed_down = self._slowdown_count != slowdown_count
            if has_slowed_down:  # a pause began after the reservation
                await self._sleep(await self._store.pause_left(self.provider))

    async def slow_down(self, pause_seconds: float) -> None:
        """Pause all calls for `pause_seconds` and halve the rate: called after a 429."""
        self._slowdown_count += 1
        await self._store.slow_down(self.provider, pause_seconds)
