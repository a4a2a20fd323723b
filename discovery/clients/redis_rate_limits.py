"""The rate limits of providers in Valkey or Redis, shared by all processes and
machines.
"""

import time
from collections.abc import Callable
from typing import Final

import redis.asyncio
from redis.commands.core import AsyncScript

from discovery.clients.redis_fallback import RedisFallback
from discovery.providers.limits import (
    MIN_RATE_FACTOR,
    RECOVERY_SECONDS,
    LocalRateLimitStore,
)

# All times are microseconds of the server's clock. KEYS[1] = next free moment, KEYS[2]
# = slowdown: `factor`, `since`, and `until`, the end of the pause. ARGV[1] =
# RECOVERY_SECONDS.
_FACTOR: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local factor = 1
local slowed = redis.call('HMGET', KEYS[2], 'factor', 'since', 'until')
local paused = tonumber(slowed[3] or '0')
if slowed[1] then
    factor = math.min(1, tonumber(slowed[1]) * 2 ^ ((now - tonumber(slowed[2])) / (tonumber(ARGV[1]) * 1000000)))
end
"""
# ARGV[2] = width of the reservation.
_RESERVE: Final = (
    _FACTOR
    + """
local start = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local following = start + tonumber(ARGV[2]) / factor
redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', math.ceil((following - now) / 1000) + 60000)
return string.format('%.0f', start - now)
"""
)
# ARGV[2] = length of the pause, [3] = MIN_RATE_FACTOR.
_SLOW_DOWN: Final = (
    _FACTOR
    + """
local pause = now + tonumber(ARGV[2])
local start = math.max(pause, tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.0f', start), 'PX', math.ceil((start - now) / 1000) + 60000)
if now >= paused then
    redis.call('HSET', KEYS[2], 'factor', math.max(tonumber(ARGV[3]), factor / 2), 'since', string.format('%.0f', now))
end
redis.call('HSET', KEYS[2], 'until', string.format('%.0f', math.max(paused, pause)))
redis.call('PEXPIRE', KEYS[2], 600000)
return 0
"""
)
_PAUSE_LEFT: Final = (
    _FACTOR
    + """
return string.format('%.0f', math.max(0, paused - now))
"""
)


class RedisRateLimitStore:
    """A RateLimitStore (discovery/providers/limits.py) over one Redis connection pool.

    While the server is unreachable, the rate limits of this process alone apply: a run
    must not end for that.
    """

    def __init__(
        self,
        client: "redis.asyncio.Redis",
        prefix: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prefix = prefix
        self._reserve = client.register_script(_RESERVE)
        self._slow_down = client.register_script(_SLOW_DOWN)
        self._pause_left = client.register_script(_PAUSE_LEFT)
        self._local = LocalRateLimitStore()
        self._redis = RedisFallback("the shared rate limit", clock)

    async def reserve(self, provider: str, interval_seconds: float) -> float:
        """Reserve the next free moment over all processes, `interval_seconds` wide at
        the full rate. Returns the seconds until it.
        """
        microseconds = round(interval_seconds * 1_000_000)
        seconds = await self._run(self._reserve, provider, microseconds)
        if seconds is None:
            return await self._local.reserve(provider, interval_seconds)
        return seconds

    async def slow_down(self, provider: str, pause_seconds: float) -> None:
        """Allow no process a call for `pause_seconds` and halve the rate from then on."""
        result = await self._run(
            self._slow_down, provider, round(pause_seconds * 1_000_000), MIN_RATE_FACTOR
        )
        if result is None:
            await self._local.slow_down(provider, pause_seconds)

    async def pause_left(self, provider: str) -> float:
        """Return the seconds until the current pause ends, 0 if there is none."""
        seconds = await self._run(self._pause_left, provider)
        if seconds is None:
            return await self._local.pause_left(provider)
        return seconds

    async def _run(
        self, script: AsyncScript, provider: str, *args: float
    ) -> float | None:
        """Return the script's result in seconds, None while the server is unreachable."""
        keys = [f"{self._prefix}:pace:{provider}", f"{self._prefix}:slowed:{provider}"]
        microseconds = await self._redis.run(script, keys, [RECOVERY_SECONDS, *args])
        if microseconds is None:
            return None
        return int(microseconds) / 1_000_000
