"""Pacing of calls: evenly spaced, never a burst into a 429, slowed by one.

Each call reserves the next free moment of its provider in a store and waits for it; with a shared store all workers of
all machines keep one pace. A 429 pushes the next moment out and halves the pace, which doubles again every
`RECOVERY_SECONDS` until it is whole.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

RECOVERY_SECONDS: Final = 10.0
SLOWEST_FACTOR: Final = 1 / 16


class PaceStore(Protocol):
    """Keeps, per provider, the next free moment and the last slow-down."""

    async def reserve(self, provider: str, interval_seconds: float) -> float:
        """Take the next free moment, `interval_seconds` wide at full pace; how many seconds to wait for it."""

    async def slow_down(self, provider: str, pause_seconds: float) -> None:
        """No call before `pause_seconds` from now, and half the pace from then on."""


class LocalPaceStore:
    """A store for one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}
        self._slowed: dict[str, tuple[float, float]] = {}

    def factor(self, provider: str) -> float:
        """Share of the full pace in force now, 1 where nothing slowed it."""
        factor, since = self._slowed.get(provider, (1.0, 0.0))
        return min(1.0, factor * 2 ** ((self._clock() - since) / RECOVERY_SECONDS)) if factor < 1 else 1.0

    async def reserve(self, provider: str, interval_seconds: float) -> float:
        """See PaceStore."""
        now = self._clock()
        start = max(now, self._next.get(provider, 0.0))
        self._next[provider] = start + interval_seconds / self.factor(provider)
        return start - now

    async def slow_down(self, provider: str, pause_seconds: float) -> None:
        """See PaceStore."""
        now = self._clock()
        self._slowed[provider] = (max(SLOWEST_FACTOR, self.factor(provider) / 2), now)
        self._next[provider] = max(self._next.get(provider, 0.0), now + pause_seconds)


class Pacer:
    """One provider's pace: `calls_per_second` at most, counted over every user of the store."""

    def __init__(
        self,
        provider: str,
        calls_per_second: float,
        store: PaceStore,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.provider = provider
        self.calls_per_second = calls_per_second
        self._store = store
        self._sleep = sleep

    async def wait(self, calls: int = 1) -> None:
        """Wait for the turn of a request that counts as `calls`."""
        seconds = await self._store.reserve(self.provider, calls / self.calls_per_second)
        if seconds > 0:
            await self._sleep(seconds)

    async def slow_down(self, pause_seconds: float) -> None:
        """The provider said that it is too much."""
        await self._store.slow_down(self.provider, pause_seconds)
