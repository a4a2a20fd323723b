"""The pace of providers in Valkey or Redis: one pace for all processes and machines that share it."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import redis.asyncio
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from discovery.providers.limits import RECOVERY_SECONDS, SLOWEST_FACTOR, LocalRateLimitStore

log = logging.getLogger(__name__)

AWAY_SECONDS: Final = 5.0
"""How long a store that did not answer is left alone: waiting for it at every call would be the slowest pace of all."""

# One clock for all: the server's. KEYS[1] = next free moment, KEYS[2] = slow-down (factor, since when, the pause's end
# `until`), in microseconds.
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
_RESERVE: Final = (
    _FACTOR
    + """
local start = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local following = start + tonumber(ARGV[2]) / factor
redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', math.ceil((following - now) / 1000) + 60000)
return string.format('%.0f', start - now)
"""
)
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


class RedisFallback:
    """The server as far as it can be reached: one that does not answer is left alone for `AWAY_SECONDS`, and told once.

    what: that which is kept there, for the log.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._away_until = 0.0
        self.last_writes = False

    async def run(self, script: AsyncScript, keys: Sequence[str], args: Sequence[str | float]) -> Any | None:
        """The script's answer, None where the server is out of reach."""
        if self._clock() < self._away_until:
            return None
        try:
            answer = await script(keys=keys, args=args)
        except (RedisError, OSError) as error:
            self._away_until = self._clock() + AWAY_SECONDS
            if not self.last_writes:
                log.warning("%s is out of reach", self._what, extra={"cause": type(error).__name__})
                self.last_writes = True
            return None
        self.last_writes = False
        return answer


class RedisRateLimitStore:
    """A RateLimitStore (discovery/providers/limits.py) over one Redis connection pool.

    While the server is out of reach this process keeps the pace alone: a run must not end for the want of a pace.
    """

    def __init__(
        self, client: "redis.asyncio.Redis", prefix: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._prefix = prefix
        self._reserve = client.register_script(_RESERVE)
        self._slow_down = client.register_script(_SLOW_DOWN)
        self._pause_left = client.register_script(_PAUSE_LEFT)
        self._alone = LocalRateLimitStore()
        self._reach = RedisFallback("the shared pace", clock)

    async def _run(self, script: AsyncScript, provider: str, *args: float) -> str | None:
        """The script's answer, None where the server is out of reach."""
        keys = [f"{self._prefix}:pace:{provider}", f"{self._prefix}:slowed:{provider}"]
        answer = await self._reach.run(script, keys, [RECOVERY_SECONDS, *args])
        return None if answer is None else str(int(answer))

    async def reserve(self, provider: str, interval_seconds: float) -> float:
        """See RateLimitStore."""
        microseconds = await self._run(self._reserve, provider, round(interval_seconds * 1_000_000))
        if microseconds is None:
            return await self._alone.reserve(provider, interval_seconds)
        return int(microseconds) / 1_000_000

    async def slow_down(self, provider: str, pause_seconds: float) -> None:
        """See RateLimitStore."""
        done = await self._run(self._slow_down, provider, round(pause_seconds * 1_000_000), SLOWEST_FACTOR)
        if done is None:
            await self._alone.slow_down(provider, pause_seconds)

    async def pause_left(self, provider: str) -> float:
        """See RateLimitStore."""
        microseconds = await self._run(self._pause_left, provider)
        if microseconds is None:
            return await self._alone.pause_left(provider)
        return int(microseconds) / 1_000_000
